"""Random graphs, steered at random moments: every item is accounted for, and the job ends as it should.

The moments are counts of activations. A long run: ROUTILUX_EXAMPLES=20000 ROUTILUX_SEED=1 pytest ...
"""

from __future__ import annotations

import os
import queue
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from routilux import FlowRegistry, Job, JobState, Runtime
from routilux.exceptions import SlotQueueFullError
from routilux.snapshot import JobEvent
from routilux.status import ExecutionStatus as Status
from tests.stress.book import Book, build, entry
from tests.stress.graphs import Graph, Node, Planned, SlotSpec, bounded, reference
from tests.stress.tools import HANGS, switching

_EXAMPLES = int(os.environ.get("ROUTILUX_EXAMPLES", "0"))
MOST = 250  # activations of one graph


def examples(number: int) -> Callable[[Any], Any]:
    """So many examples, always the same ones; more and others where the environment asks for them."""

    def decorate(test: Any) -> Any:
        chosen = settings(
            max_examples=_EXAMPLES or number,
            derandomize=not _EXAMPLES,
            database=None,
            deadline=None,
            print_blob=False,
            report_multiple_bugs=False,
            # A failure depends on how threads run: shrinking repeats it in vain.
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )(test)
        if _EXAMPLES:
            chosen = seed(int(os.environ.get("ROUTILUX_SEED", "0")))(chosen)
        return pytest.mark.timeout(0 if _EXAMPLES else 120)(chosen)

    return decorate


# ---- what is drawn

capacities = st.one_of(st.integers(1, 20), st.just(1000))
slots = st.builds(
    SlotSpec,
    capacity=capacities,
    when_full=st.sampled_from(["wait", "wait", "wait", "drop_oldest", "drop_newest"]),
)
patient_slots = st.builds(SlotSpec, capacity=capacities)


@st.composite
def nodes(draw: Any, slot: Any, handlers: list[str], policies: list[str], *, failing: bool) -> Node:
    return Node(
        policy=draw(st.sampled_from(policies)),
        batch=draw(st.integers(1, 4)),
        slots=tuple(draw(st.lists(slot, min_size=1, max_size=3))),
        events=draw(st.integers(1, 2)),
        fan=draw(st.integers(1, 3)),
        limit=draw(st.sampled_from([1, 1, 1, 2, 4])),
        handler=draw(st.sampled_from(handlers)),
        failures=draw(st.sampled_from([0, 0, 3, 15])) if failing else 0,
        watched=draw(st.booleans()),
    )


ALL_POLICIES = ["immediate", "immediate", "all", "batch", "batch-keep", "interval", "custom", "quiet"]


@st.composite
def graphs(
    draw: Any,
    *,
    slot: Any = slots,
    handlers: tuple[str, ...] = ("stop", "continue", "skip", "retry"),
    policies: tuple[str, ...] = tuple(ALL_POLICIES),
    failing: bool = True,
    cycles: bool = True,
) -> Graph:
    """Connections at random: chains, fans, joins, loops onto itself and over others, parts apart."""
    size = draw(st.integers(1, 6))
    drawn = [draw(nodes(slot, list(handlers), list(policies), failing=failing)) for _ in range(size)]
    # The entry takes what comes, or nothing would happen in most graphs.
    drawn[0] = Node(
        events=drawn[0].events, fan=drawn[0].fan, slots=(drawn[0].slots[0],), limit=drawn[0].limit
    )
    edges = []
    for source, event in [(s, e) for s in range(size) for e in range(drawn[s].events)]:
        least = 0 if cycles else source + 1
        if least < size:
            for target in draw(st.lists(st.integers(least, size - 1), max_size=3, unique=True)):
                edges.append((source, event, target, draw(st.integers(0, len(drawn[target].slots) - 1))))
    graph = Graph(tuple(drawn), tuple(edges), items=draw(st.integers(1, 40)), hops=draw(st.integers(1, 8)))
    return bounded(graph, MOST)


@dataclass(frozen=True)
class Move:
    """What is done at the activation numbered `at`: by its own logic, or by another thread, for
    which the logic may hold still. `then` is for when the job stands still."""

    at: int
    what: str  # "pause", "cancel", "force"
    who: str  # "inside", "outside", "held"
    then: str  # "resume", "exec", "load here", "load elsewhere"


THEN = ["resume", "resume", "exec", "load here", "load elsewhere", "load elsewhere"]
pauses = st.builds(
    Move,
    at=st.integers(1, 80),
    what=st.just("pause"),
    who=st.sampled_from(["inside", "outside", "held"]),
    then=st.sampled_from(THEN),
)
ends = st.builds(
    Move,
    at=st.integers(1, 80),
    what=st.sampled_from(["cancel", "force"]),
    who=st.sampled_from(["inside", "outside", "held"]),
    then=st.just("resume"),
)
pools = st.integers(1, 4)
intervals = st.sampled_from([5e-3, 1e-4, 1e-5, 1e-6])


# ---- how it is run


class Drive:
    """Runs one graph and makes the moves, however often the job is carried on."""

    def __init__(self, graph: Graph, pool_size: int, moves: list[Move], carry_on: str = "no") -> None:
        self.graph = graph
        self.pool_size = pool_size
        self.book = Book(graph, pool_size)
        self.book.gate_was_shut = bool(moves) or graph.plans_failures
        self.book.forced = any(move.what == "force" for move in moves)
        self.book.at_activation = self.at_activation
        self.moves = {move.at: move for move in moves}
        self.carry_on = carry_on
        # Something may have changed: a status, or a move that waits to be made.
        self.bell: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.waiting_moves: queue.SimpleQueue[tuple[Move, threading.Lock]] = queue.SimpleQueue()
        self.then = "resume"
        # A forced cancel that a logic makes of its own job may raise in it before it has answered.
        self.tried_to_cancel = self.cancelled = False
        self.job: Job | None = None
        self.runtimes: list[Runtime] = []

    def at_activation(self, number: int) -> None:
        """In the logic of an activation."""
        move = self.moves.pop(number, None)
        if move is None:
            return
        if move.who == "inside":
            self.make(move)
            return
        # A bare lock, for the lock of an event stays held where a forced interrupt hits its `wait`.
        made = threading.Lock()
        made.acquire()
        self.waiting_moves.put((move, made))
        self.bell.put("move")
        if move.who == "held":
            assert made.acquire(timeout=HANGS)

    def make(self, move: Move) -> None:
        job = self.job
        if job is None:
            return  # so early that exec has not come back
        if move.what == "pause":
            self.then = move.then
            job.pause()
            return
        self.tried_to_cancel = True
        if job.cancel(force=move.what == "force"):
            self.cancelled = True

    def runtime(self) -> Runtime:
        registry = FlowRegistry()
        registry.register(build(self.book))
        runtime = Runtime(self.pool_size, registry=registry, echo=False)
        runtime.subscribe(self.on_event)
        self.runtimes.append(runtime)
        return runtime

    def on_event(self, event: JobEvent) -> None:
        if event.ended or event.status is Status.PAUSED:
            self.bell.put(event.status.value)

    def follow(self, runtime: Runtime, state: JobState) -> None:
        self.job = runtime.get_job(state.job_id)
        assert self.job is not None

    def run(self) -> JobState:
        """To the end, from wherever the moves lead."""
        try:
            state = self._run()
            for runtime in self.runtimes:
                runtime.cancel_all_jobs()
                runtime.shutdown()
            return state
        except BaseException:
            for runtime in self.runtimes:
                runtime.cancel_all_jobs(force=True)
                runtime.shutdown(wait=False)
            raise

    def _run(self) -> JobState:
        runtime = self.runtime()
        self.follow(runtime, runtime.exec("graph", entry(self.graph)))
        while True:
            job = self.job
            assert job is not None
            while not self.waiting_moves.empty():
                move, made = self.waiting_moves.get()
                self.make(move)
                made.release()
            if job.is_finished():
                assert job.wait(0)
                state = job.job_state
                self.book.check(state)
                if not self.may_carry_on(state):
                    return state
                runtime = self.again(runtime, state, self.carry_on)
                continue
            if job.is_paused():
                self.book.check(job.job_state)
                runtime = self.again(runtime, job.job_state, self.then)
                continue
            try:
                self.bell.get(timeout=HANGS)
            except queue.Empty:
                raise AssertionError(f"nothing for {HANGS:g} s: {job.why_not_finished()}") from None

    def may_carry_on(self, state: JobState) -> bool:
        error = state.error
        return (
            self.carry_on != "no"
            and state.status is Status.FAILED
            and error is not None
            and error.exception_type == Planned.__name__
        )

    def again(self, runtime: Runtime, state: JobState, how: str) -> Runtime:
        """Let a job that stands still go on."""
        if how == "resume" and state.status is Status.PAUSED:
            assert self.job is not None
            self.job.resume()
        elif how in ("resume", "exec"):
            self.follow(runtime, runtime.exec("graph", job_state=state))
        else:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "job.json"
                state.save(path)
                loaded = JobState.load(path)
            self.book.check(loaded)
            if how == "load elsewhere":
                runtime = self.runtime()
            self.follow(runtime, runtime.exec("graph", job_state=loaded))
        return runtime

    def check_end(self, state: JobState) -> None:
        """The status is the one that this graph and these moves must lead to."""
        error = state.error
        stuck = error is not None and error.exception_type == SlotQueueFullError.__name__
        if stuck:
            assert self.graph.may_stick, error
        if state.status is Status.FAILED:
            assert error is not None
            assert stuck or (error.exception_type == Planned.__name__ and self.graph.plans_failures), error
        elif self.cancelled:
            assert state.status is Status.CANCELLED, state
        elif state.status is Status.CANCELLED:
            assert self.tried_to_cancel, state
        else:
            assert state.status is Status.COMPLETED, state
            assert state.leftovers == {} or not all(node.takes_everything for node in self.graph.nodes)
        other = [
            each for each in state.errors if each.exception_type not in ("Planned", "SlotQueueFullError")
        ]
        assert not other, other[0].traceback

    def check_result(self, state: JobState) -> None:
        """Where the order does not matter, the result is that of the reference."""
        met_a_full_slot = any(each.exception_type == "SlotQueueFullError" for each in state.errors)
        if state.status is Status.COMPLETED and self.graph.exact and not met_a_full_slot:
            assert self.book.handled == reference(self.graph)


def drive(
    graph: Graph, pool_size: int, interval: float, moves: list[Move] | None = None, carry_on: str = "no"
) -> JobState:
    run = Drive(graph, pool_size, moves or [], carry_on)
    with switching(interval):
        state = run.run()
    run.check_end(state)
    run.check_result(state)
    return state


# ---- the properties


@examples(400)
@given(graph=graphs(), pool_size=pools, interval=intervals)
def test_any_graph_ends_and_accounts_for_every_item(graph: Graph, pool_size: int, interval: float) -> None:
    drive(graph, pool_size, interval)


@examples(200)
@given(
    graph=graphs(
        slot=patient_slots, policies=("immediate", "batch", "interval", "custom"), failing=False, cycles=False
    ),
    pool_size=pools,
    interval=intervals,
)
def test_a_graph_without_cycles_completes_with_the_result_of_the_reference(
    graph: Graph, pool_size: int, interval: float
) -> None:
    state = drive(graph, pool_size, interval)
    assert state.status == "completed" or graph.may_stick


@examples(400)
@given(graph=graphs(), pool_size=pools, interval=intervals, moves=st.lists(pauses, min_size=1, max_size=4))
def test_pausing_and_carrying_on_anywhere_loses_and_doubles_nothing(
    graph: Graph, pool_size: int, interval: float, moves: list[Move]
) -> None:
    drive(graph, pool_size, interval, moves)


@examples(200)
@given(
    graph=graphs(slot=patient_slots, handlers=("stop", "retry"), policies=("immediate", "batch", "custom")),
    pool_size=pools,
    interval=intervals,
    moves=st.lists(pauses, max_size=2),
    carry_on=st.sampled_from(["exec", "load here", "load elsewhere"]),
)
def test_a_failed_job_that_is_carried_on_comes_to_the_same_result(
    graph: Graph, pool_size: int, interval: float, moves: list[Move], carry_on: str
) -> None:
    drive(graph, pool_size, interval, moves, carry_on)


# A forced interrupt may hit a callback of the garbage collector, which swallows it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@examples(200)
@given(graph=graphs(), pool_size=pools, interval=intervals, moves=st.lists(pauses, max_size=2), end=ends)
def test_cancelling_anywhere_ends_the_job_and_accounts_for_every_item(
    graph: Graph, pool_size: int, interval: float, moves: list[Move], end: Move
) -> None:
    drive(graph, pool_size, interval, [*moves, end])

"""Forced cancels and time limits at random moments, thousands of them: whatever line they hit, the
job ends, nothing of the engine is left half done, and what was shielded ran whole."""

from __future__ import annotations

import itertools
import random
import sys
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from routilux import ErrorHandler, Job, JobState, Runtime
from tests.stress.tools import (
    HANGS,
    ended,
    feeding,
    flow_of,
    in_threads,
    keeping,
    passing,
    routine,
    running,
    start,
    switching,
)

pytestmark = pytest.mark.stress


@pytest.fixture(autouse=True)
def _unraisable(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt may hit a callback of the garbage collector, which swallows it."""
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: None)


def spin(chance: random.Random, most: int) -> None:
    for _ in range(chance.randrange(most)):
        pass


class Prey:
    """Jobs to be interrupted: their logic does, over and over, everything that logic may do."""

    def __init__(self, actions: list[Callable[[Prey, JobState], object]], limit: int = 2) -> None:
        self.actions = actions
        self.began = threading.Event()
        # One entry for each time a shielded block was begun, and was left at its end.
        self.begun: list[int] = []
        self.ended: list[int] = []
        self.runtime: Runtime | None = None
        # It emits one item for each it takes: as many go round as the source gave, and none waits for room.
        self.ring = routine("ring", self.logic, limit=limit, capacity=5)
        self.flow = flow_of(feeding(4), self.ring, chain=True)
        self.flow.connect("ring", "out", "ring", "items")

    def logic(self, items: list[dict[str, Any]], job_state: JobState) -> None:
        with job_state.shielded():  # an event's own lock would stay held where its `set` is interrupted
            self.began.set()
        try:
            for action in self.actions:
                action(self, job_state)
        finally:
            with job_state.shielded():
                self.begun.append(1)
                for _ in range(20):
                    pass
                self.ended.append(1)

    def check(self, job: Job) -> None:
        """Nothing of the job is left half done."""
        state = job.job_state
        assert state._lock.acquire(timeout=HANGS), "the lock of the job is still held"
        state._lock.release()
        for each in job.snapshot().routines:
            assert each.running == 0
            for slot in each.slots:
                assert slot.received == slot.consumed + slot.waiting + slot.dropped + each.skipped_items
        assert state.log_dropped >= 0
        lines = state.logs()
        assert [line.sequence for line in lines] == list(range(state.log_dropped, state.log_total))
        records = state.get_execution_history()
        assert len(records) + job.snapshot().history_dropped == job.snapshot().history_total
        if records and records[0].sequence == 0:
            count = Counter(each.event_name for each in records)
            assert count["activation_started"] == count["activation_ended"]


def emits(prey: Prey, state: JobState) -> None:
    prey.ring.emit("out", x=1)


def logs(prey: Prey, state: JobState) -> None:
    state.log("one")
    print("two")
    print("three, without an end of line", end="")


def reads(prey: Prey, state: JobState) -> None:
    state.report_progress(1, 2, "half")
    state.routine_state()["n"] = state.shared_data.setdefault("n", 0)
    with state.shared_lock:
        state.shared_data["n"] += 1
    assert state.get_execution_history(limit=3)
    assert state.progress


def sleeps(prey: Prey, state: JobState) -> None:
    state.sleep(0.0001)
    state.raise_if_cancelled()


def looks(prey: Prey, state: JobState) -> None:
    assert prey.runtime is not None
    job = prey.runtime.get_job(state.job_id)
    assert job is not None
    job.snapshot()
    job.why_not_finished()
    prey.runtime.snapshot()


def computes(prey: Prey, state: JobState) -> None:
    sum(number for number in range(300))


ACTIONS: dict[str, list[Any]] = {
    "emit": [emits],
    "compute": [computes, emits],
    "log": [logs, emits],
    "read": [reads, emits],
    "sleep": [sleeps, emits],
    "look": [looks, emits],
    "everything": [computes, logs, reads, sleeps, emits, looks],
}


def hunt(actions: list[Any], trials: int, interval: float, seed: int) -> Counter[str]:
    prey = Prey(actions)
    chance = random.Random(seed)
    tally: Counter[str] = Counter()
    with running(prey.flow, 2, cpu_permits=None) as runtime, switching(interval):
        prey.runtime = runtime
        bystander = threading.Event()
        for _ in range(trials):
            prey.began.clear()
            job = start(runtime)
            assert prey.began.wait(HANGS)
            spin(chance, 3000)
            assert job.cancel(force=True), job.job_state.errors
            for _ in range(chance.randrange(3)):
                job.cancel(force=True)
            tally[str(ended(job))] += 1
            prey.check(job)
        # The threads of the pool have survived, and none is interrupted any more.
        assert not bystander.is_set()
        names = {t.name for t in threading.enumerate() if t.name.startswith("routilux-")}
        assert {"routilux-0", "routilux-1"} <= names
        assert len(prey.begun) == len(prey.ended) > 0
    return tally


@pytest.mark.parametrize("what", ACTIONS)
def test_forced_cancels_at_random_moments_leave_the_engine_whole(what: str) -> None:
    assert hunt(ACTIONS[what], 120, 1e-6, seed=1) == {"cancelled": 120}


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("interval", [1e-6, 1e-5, 5e-3])
@pytest.mark.parametrize("what", ACTIONS)
def test_thousands_of_forced_cancels_leave_the_engine_whole(what: str, interval: float) -> None:
    trials = 5000
    assert hunt(ACTIONS[what], trials, interval, seed=2) == {"cancelled": trials}


def test_forced_cancels_wherever_the_logic_calls_the_runtime_itself() -> None:
    """A logic may start, pause and cancel other jobs; interrupted in the middle of it, these are whole."""
    children: list[Job] = []
    began = threading.Event()

    def logic(trigger: list[Any], job_state: JobState) -> None:
        with job_state.shielded():
            began.set()
        while True:
            child = start(runtime, {"count": 3})
            children.append(child)
            child.pause()
            child.resume()
            source.emit("out", job_state=other.job_state, x=1)
            if len(children) % 3 == 0:
                child.cancel()

    child_flow = flow_of(feeding(), passing("a", capacity=2), keeping(capacity=1), chain=True)
    source = routine("source", lambda trigger: may_end.wait(HANGS), slots=("trigger",))
    other_flow = flow_of(source, keeping(capacity=2), chain=True, name="other")
    parent_flow = flow_of(routine("parent", logic, slots=("trigger",)), name="parent")
    chance = random.Random(3)
    may_end = threading.Event()
    with running(child_flow, 4, cpu_permits=None) as runtime, switching(1e-6):
        for flow in (other_flow, parent_flow):
            runtime._registry.register(flow)
        for _ in range(120):
            may_end.clear()
            children.clear()
            began.clear()
            found = runtime.get_job(runtime.exec("other").job_id)
            assert found is not None
            other = found
            parent = runtime.get_job(runtime.exec("parent").job_id)
            assert parent is not None
            assert began.wait(HANGS)
            spin(chance, 20_000)
            assert parent.cancel(force=True)
            assert ended(parent) == "cancelled"
            may_end.set()
            assert ended(other) == "completed"
            for child in runtime.list_jobs():
                child.resume()
                assert ended(child) in ("completed", "cancelled")
            assert runtime.wait_until_all_jobs_finished(HANGS)


def test_time_limits_of_activations_at_random_moments_leave_the_engine_whole() -> None:
    """Some activations are over just as their time is; each is either done or has failed, and once."""
    lengths = itertools.cycle([10, 2_000, 5_000, 8_000, 11_000, 14_000, 40_000])
    done: list[int] = []

    def logic(items: list[dict[str, Any]], job_state: JobState) -> None:
        for _ in range(next(lengths)):
            pass
        with job_state.shielded():
            done.append(items[0]["x"])

    handler = ErrorHandler("continue")
    slow = routine("slow", logic, timeout=0.0004, handler=handler, limit=2)
    with running(flow_of(feeding(), slow, chain=True), 2, cpu_permits=None) as runtime, switching(1e-5):
        for _ in range(10):
            done.clear()
            job = start(runtime, {"count": 60})
            assert ended(job) == "completed"
            errors = [error.data_slice["items"][0]["x"] for error in job.job_state.errors]
            assert {error.exception_type for error in job.job_state.errors} <= {"FlowTimeout"}
            assert len(set(errors)) == len(errors)
            assert set(done) | set(errors) == set(range(60))
            assert len(done) == len(set(done))


def test_time_limits_that_hit_an_emit_lose_neither_the_item_nor_the_wake_up() -> None:
    """The job goes on after them, and has to come to its end."""
    chance = random.Random(11)

    def logic(items: list[dict[str, Any]]) -> None:
        for number in range(chance.randrange(1, 60)):
            busy.emit("out", x=number)

    busy = routine("busy", logic, timeout=0.0003, handler=ErrorHandler("continue"), limit=2)
    flow = flow_of(feeding(), busy, passing("a", capacity=3), keeping(capacity=2), chain=True)
    late = 0
    with running(flow, 3, cpu_permits=None) as runtime, switching(1e-6):
        for _ in range(40):
            job = start(runtime, {"count": 30})
            assert ended(job) == "completed"
            assert job.job_state.leftovers == {}
            late += len(job.job_state.errors)
            routines = {each.routine_id: each for each in job.snapshot().routines}
            arrived = routines["a"].slots[0].received
            assert routines["a"].slots[0].consumed == routines["sink"].slots[0].received == arrived
            assert len(job.job_state.shared_data.get("got", ())) == arrived
    assert late > 40


def test_time_limits_of_jobs_at_random_moments_end_them_once() -> None:
    prey = Prey([computes, emits])
    chance = random.Random(5)
    with running(prey.flow, 2, cpu_permits=None) as runtime, switching(1e-5):
        prey.runtime = runtime
        for _ in range(100):
            job = start(runtime, timeout=chance.random() * 0.004 + 1e-6)
            assert ended(job) == "failed"
            prey.check(job)
            assert job.job_state.error is not None
            assert job.job_state.error.exception_type == "FlowTimeout"
        assert len(prey.begun) == len(prey.ended)


def test_what_is_shielded_runs_whole_however_often_the_cancel_is_forced() -> None:
    began = threading.Event()
    steps: list[list[int]] = []

    def logic(trigger: list[Any], job_state: JobState) -> None:
        mine: list[int] = []
        steps.append(mine)
        with job_state.shielded():
            began.set()
            for number in range(400):
                mine.append(number)
                if number % 50 == 0:
                    with job_state.shielded():
                        mine.append(number)
            while len(steps) % 2 and not job_state.cancel_requested:
                pass  # so that half of the cancels come in the shielded block for certain
            mine.append(-1)
        reached.append(True)
        for _ in range(10**9):
            pass

    reached: list[bool] = []
    flow = flow_of(routine("source", logic, slots=("trigger",)))
    with running(flow, 2, cpu_permits=None) as runtime, switching(1e-6):
        for _ in range(200):
            began.clear()
            job = start(runtime)
            assert began.wait(HANGS)
            in_threads(2, lambda who, job=job: [job.cancel(force=True) for _ in range(3)])  # type: ignore[misc]
            assert ended(job) == "cancelled"
    assert len(steps) == 200
    assert all(len(mine) == 409 and mine[-1] == -1 for mine in steps)
    # Where the cancel came in the shielded block, it is raised at the end of that.
    assert len(reached) < 200

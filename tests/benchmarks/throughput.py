"""Cost per activation, per delivery and per job, against `ThreadPoolExecutor.submit`."""

from __future__ import annotations

import statistics
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from time import perf_counter
from typing import Any

from routilux import Flow, Routine, all_slots_ready_policy

from .measure import (
    Pass,
    Row,
    Source,
    executor_of,
    micros,
    ratios,
    run,
    runtime_of,
    side_by_side,
    spread,
    times,
)

ITEMS = 1000
HOPS = 10
BRANCHES = 100
ROUNDS = 100
JOBS = 1000
# What a Runtime has unless told otherwise.
THREADS = 10


def chain(rounds: int) -> list[Row]:
    """One source, ten pass-through routines, 1,000 items, one activation per item and hop.

    Ours: from `exec` until `wait` returned, per activation (10,001 of them), with history.
    Theirs: each hop a `submit` of the next hop from within the last one, the source a submit too, from the
    first submit until the last item has come through its last hop, per submit (10,001 of them). It keeps
    no order, no history and no errors, and runs a routine in parallel with itself.

    The bound counts at the default of ten threads; one and two are shown beside it.
    """
    figures: dict[str, Any] = {}
    for threads in (1, 2, THREADS):
        with runtime_of(threads, _chain_flow()) as runtime, executor_of(threads) as pool:
            ours, theirs = side_by_side(
                rounds,
                lambda: _timed(lambda: run(runtime, "chain")),
                lambda: _timed(lambda: _chain_of_submits(pool)),
            )
        hops = 1 + ITEMS * HOPS
        ours, theirs = [value / hops for value in ours], [value / hops for value in theirs]
        faster = ratios(theirs, ours)
        figures[f"{threads} threads"] = {
            "seconds per activation": spread(ours),
            "seconds per submit": spread(theirs),
            "times faster": spread(faster, 3),
        }
    measured = f"{times(faster)}: {micros(ours)} against {micros(theirs)}"
    ok = statistics.median(faster) >= 5
    return [Row("chain", "chain of 10 routines, 1,000 items", measured, "5 times faster", ok, figures)]


def _timed(function: Callable[[], object]) -> float:
    begin = perf_counter()
    function()
    return perf_counter() - begin


def _chain_flow() -> Flow:
    flow = Flow("chain")
    flow.add_routine(Source(ITEMS), "source")
    last = "source"
    for number in range(HOPS):
        name = f"pass_{number}"
        flow.add_routine(Pass(), name)
        flow.connect(last, "out", name, "in")
        last = name
    return flow


def _chain_of_submits(pool: ThreadPoolExecutor) -> None:
    done = threading.Event()
    lock = threading.Lock()
    left = ITEMS

    def source() -> None:
        for number in range(ITEMS):
            pool.submit(hop, 1, {"x": number})

    def hop(number: int, item: dict[str, Any]) -> None:
        nonlocal left
        if number < HOPS:
            pool.submit(hop, number + 1, {"x": item["x"]})
            return
        with lock:
            left -= 1
            if not left:
                done.set()

    pool.submit(source)
    done.wait()


def fan_out(rounds: int) -> list[Row]:
    """One source, 100 routines, one join with a slot for each of them; 100 items of the source.

    Ours: from `exec` until `wait` returned, per delivery (an item put into a slot: 100 rounds of
    100 out and 100 back). Theirs: each delivery a submit, of a branch or of its part of the join,
    which notes the part under a lock and joins when the round is whole.
    """
    with runtime_of(THREADS, _fan_flow()) as runtime, executor_of(THREADS) as pool:
        ours, theirs = side_by_side(
            rounds, lambda: _timed(lambda: run(runtime, "fan")), lambda: _timed(lambda: _fan_of_submits(pool))
        )
    deliveries = 2 * BRANCHES * ROUNDS
    ours, theirs = [value / deliveries for value in ours], [value / deliveries for value in theirs]
    faster = ratios(theirs, ours)
    figures = {
        "seconds per delivery": spread(ours),
        "seconds per submit": spread(theirs),
        "times faster": spread(faster, 3),
    }
    measured = f"{times(faster)}: {micros(ours)} against {micros(theirs)}"
    ok = statistics.median(faster) >= 2
    return [
        Row("fan-out", "fan-out 1 to 100 and back into one join", measured, "2 times faster", ok, figures)
    ]


class _Join(Routine):
    def __init__(self) -> None:
        super().__init__()
        for number in range(BRANCHES):
            self.define_slot(f"in_{number}")
        self.set_activation_policy(all_slots_ready_policy())

    def logic(self, *parts: list[dict[str, Any]]) -> None:
        if len(parts) != BRANCHES:
            raise RuntimeError(f"{len(parts)} parts")


def _fan_flow() -> Flow:
    flow = Flow("fan")
    flow.add_routine(Source(ROUNDS), "source")
    flow.add_routine(_Join(), "join")
    for number in range(BRANCHES):
        name = f"branch_{number}"
        flow.add_routine(Pass(), name)
        flow.connect("source", "out", name, "in")
        flow.connect(name, "out", "join", f"in_{number}")
    return flow


def _fan_of_submits(pool: ThreadPoolExecutor) -> None:
    done = threading.Event()
    lock = threading.Lock()
    parts: dict[int, list[dict[str, Any]]] = {}
    left = ROUNDS

    def source() -> None:
        for number in range(ROUNDS):
            for _ in range(BRANCHES):
                pool.submit(branch, {"x": number})

    def branch(item: dict[str, Any]) -> None:
        pool.submit(join, {"x": item["x"]})

    def join(item: dict[str, Any]) -> None:
        nonlocal left
        with lock:
            whole = parts.setdefault(item["x"], [])
            whole.append(item)
            if len(whole) < BRANCHES:
                return
            left -= 1
            if not left:
                done.set()

    pool.submit(source)
    done.wait()


def tiny_jobs(rounds: int) -> list[Row]:
    """1,000 jobs of three routines, one item: from the first `exec` until the last `wait` returned.

    Theirs: for each job a submit whose function submits a second, which submits a third, which sets
    the result of a `Future` that stands for the job; from the first submit until the last of these was waited
    for. Shown beside it: the same without a `Future` per job, all jobs counted down to one event.
    """
    flow = Flow("tiny")
    flow.add_routine(Source(1), "first")
    flow.add_routine(Pass(), "second")
    flow.add_routine(Pass(), "third")
    flow.connect("first", "out", "second", "in")
    flow.connect("second", "out", "third", "in")
    with runtime_of(THREADS, flow, max_finished_jobs=2 * JOBS) as runtime, executor_of(THREADS) as pool:

        def ours_once() -> None:
            states = [runtime.exec("tiny") for _ in range(JOBS)]
            for state in states:
                job = runtime.get_job(state.job_id)
                assert job is not None
                job.wait()

        ours, theirs = side_by_side(
            rounds, lambda: _timed(ours_once), lambda: _timed(lambda: _tiny_submits(pool))
        )
        counted = [_timed(lambda: _counted_submits(pool)) for _ in range(rounds)]
    faster = ratios(theirs, ours)
    rate, their_rate = JOBS / statistics.median(ours), JOBS / statistics.median(theirs)
    figures = {
        "jobs per second": spread([JOBS / value for value in ours], 1),
        "submits': jobs per second": spread([JOBS / value for value in theirs], 1),
        "submits' without a Future per job: jobs per second": spread([JOBS / value for value in counted], 1),
        "times faster": spread(faster, 3),
    }
    measured = f"{times(faster)}: {rate:,.0f} jobs/s against {their_rate:,.0f}"
    ok = statistics.median(faster) >= 1
    return [Row("tiny-jobs", "1,000 jobs of three routines", measured, "as fast", ok, figures)]


def _tiny_submits(pool: ThreadPoolExecutor) -> None:
    def first(item: dict[str, Any], job: Future[Any]) -> None:
        pool.submit(second, {"x": 0}, job)

    def second(item: dict[str, Any], job: Future[Any]) -> None:
        pool.submit(third, {"x": item["x"]}, job)

    def third(item: dict[str, Any], job: Future[Any]) -> None:
        job.set_result(item["x"])

    jobs: list[Future[Any]] = []
    for _ in range(JOBS):
        job: Future[Any] = Future()
        pool.submit(first, {}, job)
        jobs.append(job)
    for job in jobs:
        job.result()


def _counted_submits(pool: ThreadPoolExecutor) -> None:
    done = threading.Event()
    lock = threading.Lock()
    left = JOBS

    def first(item: dict[str, Any]) -> None:
        pool.submit(second, {"x": 0})

    def second(item: dict[str, Any]) -> None:
        pool.submit(third, {"x": item["x"]})

    def third(item: dict[str, Any]) -> None:
        nonlocal left
        with lock:
            left -= 1
            if not left:
                done.set()

    for _ in range(JOBS):
        pool.submit(first, {})
    done.wait()

"""How much of the pool work that only sleeps can use: against bare threads, and in all that waits."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable
from time import perf_counter, process_time
from typing import Any

from routilux import (
    ErrorHandler,
    ErrorStrategy,
    Flow,
    Job,
    Routine,
    Runtime,
    immediate_policy,
    time_interval_policy,
)

from .measure import Call, Row, Source, percents, ratios, run, runtime_of, side_by_side, spread

THREADS = 20
# Processor time per second of waiting that counts as none.
NO_CPU = 0.001


def _bare_threads(threads: int, sleeps: int, seconds: float) -> Callable[[], float]:
    """The ideal on this machine: threads that share the sleeps out evenly and do nothing else.

    Timed from the moment all have been started, so that starting them costs nothing.
    """

    def measure() -> float:
        begin = threading.Barrier(threads + 1)

        def sleep() -> None:
            begin.wait()
            for _ in range(sleeps // threads):
                time.sleep(seconds)

        workers = [threading.Thread(target=sleep) for _ in range(threads)]
        for worker in workers:
            worker.start()
        begin.wait()
        start = perf_counter()
        for worker in workers:
            worker.join()
        return perf_counter() - start

    return measure


def _row(
    name: str, workload: str, bound: float, nominal: float, ours: list[float], ideal: list[float], **more: Any
) -> Row:
    reached = ratios(ideal, ours)
    by_the_clock = [nominal / value for value in ours]
    figures = {
        "of what bare threads reach": spread(reached, 4),
        "of the sum of all sleeps, shared out": spread(by_the_clock, 4),
        "seconds": spread(ours),
        "bare threads: seconds": spread(ideal),
        **more,
    }
    measured = (
        f"{percents(reached)} of bare threads; {statistics.median(by_the_clock):.1%} of the sum of sleeps"
    )
    return Row(
        name, workload, measured, f"{bound:.0%} of ideal", statistics.median(reached) >= bound, figures
    )


def many_jobs(rounds: int) -> list[Row]:
    """100 jobs at once, 100 items each of 1 ms sleep, pool of 20: from the first `exec` to the last `wait`.

    The ideal is 20 bare threads with 500 sleeps each. A sleep of 1 ms takes longer than that, so the
    sum of the sleeps, shared out (0.5 s), is out of reach of anyone; it is shown beside it.
    """
    flow = Flow("sleepy")
    flow.add_routine(Source(100), "source")
    flow.add_routine(Call(lambda: time.sleep(0.001)), "sleeper")
    flow.connect("source", "out", "sleeper", "in")
    with runtime_of(THREADS, flow) as runtime:

        def ours_once() -> float:
            start = perf_counter()
            for job in [_start(runtime, "sleepy") for _ in range(100)]:
                job.wait()
            return perf_counter() - start

        ours, ideal = side_by_side(rounds, ours_once, _bare_threads(THREADS, 10_000, 0.001))
    return [_row("many-jobs", "100 jobs, 100 items each of 1 ms sleep, pool of 20", 0.95, 0.5, ours, ideal)]


def one_job(rounds: int) -> list[Row]:
    """One job that uses the whole pool of 20.

    `one-job`: a source and 100 routines of 1 ms sleep, 20 items, from `exec` to `wait` returned; the ideal
    is 20 bare threads with 100 sleeps each. With a single item (5 ms in all) what counts is how fast the
    threads wake; shown beside it.
    `max-concurrency`: one routine with `set_max_concurrency(20)`, 100 items of 10 ms sleep; the ideal is 20
    bare threads with 5 sleeps each.
    """
    rows = []
    wide = [_wide_flow("wide", 20), _wide_flow("wide-once", 1)]
    routine = Call(lambda: time.sleep(0.01))
    routine.set_max_concurrency(20)
    parallel = Flow("parallel")
    parallel.add_routine(Source(100), "source")
    parallel.add_routine(routine, "sleeper")
    parallel.connect("source", "out", "sleeper", "in")
    with runtime_of(THREADS, *wide, parallel) as runtime:

        def timed(name: str) -> Callable[[], float]:
            def measure() -> float:
                start = perf_counter()
                run(runtime, name)
                return perf_counter() - start

            return measure

        ours, ideal = side_by_side(rounds, timed("wide"), _bare_threads(THREADS, 2000, 0.001))
        once, ideal_once = side_by_side(rounds * 3, timed("wide-once"), _bare_threads(THREADS, 100, 0.001))
        single = {"single item: of what bare threads reach": spread(ratios(ideal_once, once), 4)}
        workload = "one job, 1 to 100 routines of 1 ms sleep, pool of 20"
        rows.append(_row("one-job", workload, 0.95, 0.1, ours, ideal, **single))
        ours, ideal = side_by_side(rounds * 3, timed("parallel"), _bare_threads(THREADS, 100, 0.01))
        workload = "max_concurrency(20), 100 items of 10 ms sleep, pool of 20"
        rows.append(_row("max-concurrency", workload, 0.90, 0.05, ours, ideal))
    return rows


def _wide_flow(name: str, items: int) -> Flow:
    flow = Flow(name)
    flow.add_routine(Source(items), "source")
    for number in range(100):
        flow.add_routine(Call(lambda: time.sleep(0.001)), f"sleeper_{number}")
        flow.connect("source", "out", f"sleeper_{number}", "in")
    return flow


def _start(runtime: Runtime, name: str) -> Job:
    job = runtime.get_job(runtime.exec(name).job_id)
    assert job is not None
    return job


class _Failing(Routine):
    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger")
        self.set_activation_policy(immediate_policy())
        self.set_error_handler(ErrorHandler(ErrorStrategy.RETRY, max_retries=1, retry_delay=3600))

    def logic(self, trigger: list[dict[str, Any]]) -> None:
        raise OSError("not there yet")


def in_progress(rounds: int) -> list[Row]:
    """1,000 jobs in progress on a pool of 10, 250 of each kind: waiting for a retry in an hour, for a
    `time_interval_policy` of an hour, paused, and blocked (10 in a logic that waits, which is all the pool
    has; 240 ready behind them). Counts the threads of the process above those it had before, and its
    processor time while nothing happens, per second, less that of the same process with an idle runtime.
    Then lets them all go.
    """
    del rounds
    release = threading.Event()
    blocking = Call(release.wait)
    interval = Call(lambda: None)
    interval.set_activation_policy(time_interval_policy(3600))
    flows = []
    for name, items, routine in (
        ("interval", 2, interval),
        ("paused", 1, Call(lambda: None)),
        ("blocked", 1, blocking),
    ):
        flow = Flow(name)
        flow.add_routine(Source(items), "source")
        flow.add_routine(routine, "routine")
        flow.connect("source", "out", "routine", "in")
        flows.append(flow)
    retry = Flow("retry")
    retry.add_routine(_Failing(), "failing")
    threads_before = threading.active_count()
    with runtime_of(10, *flows, retry) as runtime:
        idle_cpu = _cpu_per_second()
        jobs = [_start(runtime, name) for name in ("retry", "interval") for _ in range(250)]
        for _ in range(250):
            job = _start(runtime, "paused")
            job.pause()
            jobs.append(job)
        for job in jobs[500:]:
            job.wait_until_paused()
        _until(lambda: sum(job.snapshot().summary.activations for job in jobs[:250]) == 250)
        _until(lambda: sum(job.snapshot().summary.activations >= 2 for job in jobs[250:500]) == 250)
        jobs += [_start(runtime, "blocked") for _ in range(250)]
        _until(lambda: runtime.snapshot().threads_busy == 10)
        time.sleep(0.5)
        waiting_cpu = _cpu_per_second()
        threads = threading.active_count() - threads_before
        unfinished = sum(not job.is_finished() for job in jobs)
        release.set()
        runtime.cancel_all_jobs()
        ended = runtime.wait_until_all_jobs_finished(30)
    cpu = max(0.0, waiting_cpu - idle_cpu)
    ok = threads <= 12 and cpu <= NO_CPU and ended
    return [
        Row(
            "in-progress",
            "1,000 jobs in progress, waiting: threads, CPU",
            f"{threads} threads for a pool of 10; {cpu * 1000:.2f} ms of CPU per second",
            "pool + 2; no measurable CPU",
            ok,
            {
                "jobs in progress": unfinished,
                "threads": threads,
                "cpu seconds per second": round(waiting_cpu, 6),
                "cpu seconds per second, idle runtime": round(idle_cpu, 6),
                "all ended afterwards": ended,
            },
        )
    ]


def _cpu_per_second() -> float:
    begin, cpu = perf_counter(), process_time()
    time.sleep(3)
    return (process_time() - cpu) / (perf_counter() - begin)


def _until(reached: Callable[[], bool]) -> None:
    """Wait, but not for ever, until a state that is measured afterwards is reached."""
    end = perf_counter() + 30
    while not reached():
        if perf_counter() > end:
            raise RuntimeError("the jobs did not come to where they were to be measured")
        time.sleep(0.01)

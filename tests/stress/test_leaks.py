"""What has ended leaves nothing behind: no threads, no jobs, no items, no memory."""

from __future__ import annotations

import gc
import sys
import threading
import tracemalloc
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from routilux import (
    ErrorHandler,
    FlowRegistry,
    Job,
    JobState,
    Runtime,
    batch_size_policy,
    time_interval_policy,
)
from routilux.snapshot import JobEvent
from tests.helpers import engine_threads
from tests.stress.tools import (
    HANGS,
    ended,
    feeding,
    flow_of,
    keeping,
    passing,
    routine,
    running,
    start,
    until,
)

pytestmark = pytest.mark.stress


class Payload:
    """An item's value that can be watched."""


def test_no_thread_stays_when_a_runtime_is_shut_down() -> None:
    """Nor the one of the timers, nor those that ran apart."""
    ring = routine("ring", lambda items: None, capacity=1)
    flow = flow_of(
        feeding(30), passing("a", capacity=1, policy=time_interval_policy(0.0001)), ring, chain=True
    )
    flow.connect("ring", "out", "source", "trigger")
    for wait in (True, False):
        with running(flow, 3) as runtime:
            jobs = [start(runtime) for _ in range(5)]
            runtime.shutdown(wait=wait)
            for job in jobs:
                assert ended(job) in ("completed", "cancelled")
        for thread in engine_threads():
            thread.join(HANGS)
        assert engine_threads() == []


def test_two_hundred_runtimes_leave_no_threads_and_the_streams_as_they_were() -> None:
    flow = flow_of(feeding(3), keeping(), chain=True)
    registry = FlowRegistry()
    registry.register(flow)
    stdout, stderr = sys.stdout, sys.stderr
    for _ in range(200):
        runtime = Runtime(2, registry=registry)
        assert ended(start(runtime)) == "completed"
        runtime.shutdown()
    assert engine_threads() == []
    assert sys.stdout is stdout
    assert sys.stderr is stderr


@pytest.mark.parametrize("busy", ["never used", "idle", "with a paused job"])
def test_a_runtime_that_is_forgotten_lets_its_threads_go(busy: str) -> None:
    registry = FlowRegistry()
    registry.register(flow_of(feeding(3), keeping(), chain=True))
    forgotten = []
    stdout = sys.stdout
    for _ in range(5):
        runtime = Runtime(2, registry=registry)
        if busy != "never used":
            job = start(runtime)
            if busy == "with a paused job" and job.pause():
                assert job.wait_until_paused(HANGS) or job.is_finished()
            else:
                assert ended(job) == "completed"
            del job
        forgotten.append(weakref.ref(runtime))
        del runtime
    for _ in until(lambda: not [each for each in forgotten if each() is not None]):
        gc.collect()  # a thread of the pool may be on its way to sleep yet
    for thread in engine_threads():
        thread.join(HANGS)
    assert engine_threads() == []
    assert sys.stdout is stdout


@pytest.mark.parametrize("end", ["completed", "failed", "cancelled", "forced", "skipped", "timed out"])
def test_what_a_forgotten_job_held_is_gone(end: str) -> None:
    """The job, its state, its items and its exceptions, while the runtime lives on."""
    handler = ErrorHandler("skip" if end == "skipped" else "stop")
    began = threading.Event()

    def work(items: list[Any], job_state: JobState) -> None:
        watched.append(weakref.ref(items[0]["x"]))
        if end in ("failed", "skipped"):
            raise ValueError(items[0])
        if end in ("cancelled", "forced", "timed out"):
            with job_state.shielded():
                began.set()
            job_state.sleep(HANGS)

    def feed(trigger: list[Any]) -> None:
        for _ in range(trigger[0].get("count", 4)):
            source.emit("out", x=Payload())

    watched: list[weakref.ref[Any]] = []
    source = routine("source", feed, slots=("trigger",))
    flow = flow_of(source, routine("work", work, handler=handler), chain=True)
    with running(flow, 2, max_finished_jobs=1) as runtime:
        # Its time may be over before anything has come to `work`: then that is tried again.
        for _ in until(lambda: watched):
            job = start(runtime, timeout=0.02 if end == "timed out" else None)
            if end in ("cancelled", "forced"):
                assert began.wait(HANGS)
                job.cancel(force=end == "forced")
            ended(job)
        watched += [weakref.ref(job), weakref.ref(job.job_state)]
        # The next one that ends is remembered in its place.
        assert ended(start(runtime, {"count": 0})) == "completed"
        job_id = job.job_id
        del job
        for _ in until(lambda: runtime.get_job(job_id) is None):
            pass
        # A thread of the pool may be on its way to sleep yet.
        for _ in until(lambda: not [each for each in watched if each() is not None]):
            gc.collect()
    assert len(watched) > 2


def test_items_of_an_ended_job_are_gone_while_the_job_is_remembered() -> None:
    """Its queues are; the history keeps the newest records, and with them what was emitted."""

    def feed(trigger: list[Any]) -> None:
        for _ in range(20):
            payload = Payload()
            watched.append(weakref.ref(payload))
            source.emit("out", x=payload)

    watched: list[weakref.ref[Any]] = []
    source = routine("source", feed, slots=("trigger",))
    policy = batch_size_policy(50, hand_over_remainder=False)
    flow = flow_of(source, keeping(policy=policy), chain=True, max_history=0)
    with running(flow, 1) as runtime:
        job = start(runtime)
        assert ended(job) == "completed"
        assert job.job_state.leftovers == {"sink.items": 20}
        for _ in until(lambda: not [each for each in watched if each() is not None]):
            gc.collect()


def test_a_listener_that_has_unsubscribed_is_gone() -> None:
    class Listener:
        def listen(self, event: JobEvent) -> None:
            pass

    with running(flow_of(feeding(1), keeping(), chain=True), 1) as runtime:
        listener = Listener()
        unsubscribe = runtime.subscribe(listener.listen)
        assert ended(start(runtime)) == "completed"
        unsubscribe()
        watched = weakref.ref(listener)
        del listener, unsubscribe
        for _ in until(lambda: watched() is None):
            gc.collect()


def grown(work: Callable[[], object], rounds: int) -> float:
    """Bytes by which each further round of work leaves more behind, when all is settled."""
    work()
    gc.collect()
    tracemalloc.start()
    try:
        work()
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(rounds):
            work()
        gc.collect()
        return (tracemalloc.get_traced_memory()[0] - before) / rounds
    finally:
        tracemalloc.stop()


def jobs_in_turn(runtime: Runtime, count: int) -> Callable[[], None]:
    def work() -> None:
        jobs: list[Job] = [start(runtime) for _ in range(count)]
        for job in jobs:
            assert ended(job) == "completed"
        assert runtime.wait_until_all_jobs_finished(HANGS)

    return work


def test_memory_is_flat_over_two_thousand_jobs() -> None:
    with running(
        flow_of(feeding(3), passing("a"), keeping(), chain=True), 2, max_finished_jobs=100
    ) as runtime:
        assert grown(jobs_in_turn(runtime, 200), 9) < 20_000  # 100 bytes a job would be 20,000


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_memory_is_flat_over_ten_thousand_jobs() -> None:
    with running(
        flow_of(feeding(3), passing("a"), keeping(), chain=True), 2, max_finished_jobs=100
    ) as runtime:
        assert grown(jobs_in_turn(runtime, 1000), 10) < 20_000


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_memory_is_flat_over_thousands_of_forced_cancels_retries_and_timers() -> None:
    def feed(trigger: list[Any], job_state: JobState) -> None:
        source.emit("out", x=0)
        job_state.sleep(HANGS)

    failed: set[str] = set()

    def flaky(items: list[Any], job_state: JobState) -> None:
        if job_state.job_id not in failed:
            failed.add(job_state.job_id)
            raise ValueError("once")

    source = routine("source", feed, slots=("trigger",))
    flow = flow_of(
        source, routine("flaky", flaky, handler=ErrorHandler("retry", retry_delay=0.001)), chain=True
    )
    with running(flow, 2, max_finished_jobs=20) as runtime:

        def work() -> None:
            jobs = [start(runtime, timeout=60) for _ in range(100)]
            for job in jobs:
                job.cancel(force=True)
            for job in jobs:
                assert ended(job) == "cancelled"
            assert runtime.wait_until_all_jobs_finished(HANGS)
            failed.clear()

        assert grown(work, 30) < 5_000

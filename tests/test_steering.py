"""Pause, resume, cancel and time limits open and shut one gate, and tell the truth about it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from routilux import (
    ErrorHandler,
    JobCancelled,
    JobEvent,
    JobNotActive,
    JobState,
    batch_size_policy,
    time_interval_policy,
    when_quiet_policy,
)
from tests.helpers import (
    LIMIT,
    Bench,
    Hold,
    chain,
    collects,
    does,
    failed_while_another_runs,
    graph,
    let_pass,
    node,
    passes,
    source,
)

MakeRuntime = Callable[..., Bench]


def held(runtime: Bench, *then: Any, **how: Any) -> tuple[Any, Hold]:
    """A job held in its first activation, which then emits 0, 1 and 2 to what follows."""
    hold = Hold()

    def logic() -> None:
        hold()
        for number in range(3):
            first.emit("out", x=number)

    first = does(logic, events=["out"], name="first")
    job = runtime.start(chain(first, *(then or (collects(),))), **how)
    hold.reached()
    return job, hold


def paused(runtime: Bench, *then: Any, **how: Any) -> Any:
    job, hold = held(runtime, *then, **how)
    assert job.pause()
    hold.release()
    assert job.wait_until_paused(LIMIT)
    return job


def events_of(runtime: Bench) -> list[JobEvent]:
    events: list[JobEvent] = []
    runtime.subscribe(events.append)
    return events


# ---- pause and resume


def test_a_job_is_pausing_while_something_runs_and_then_paused(runtime: Bench) -> None:
    job, hold = held(runtime)
    assert job.pause() is True
    assert job.status == "pausing"
    assert job.wait_until_paused(0.05) is False
    hold.release()
    assert job.wait_until_paused(LIMIT) is True
    assert job.status == "paused"


def test_a_paused_job_starts_nothing_and_keeps_its_items(runtime: Bench) -> None:
    job = paused(runtime)
    assert job.job_state.shared_data == {}
    assert job.wait(0.05) is False
    picture = job.snapshot()
    assert [routine.activations for routine in picture.routines] == [1, 0]
    assert picture.summary.waiting == 3
    assert picture.routines[1].slots[0].waiting == 3


def test_resume_carries_on_where_it_was(runtime: Bench) -> None:
    job = paused(runtime)
    assert job.resume() is True
    assert job.status in ("running", "completed")
    assert job.wait(LIMIT)
    assert job.is_completed()
    assert job.job_state.shared_data["got"] == [0, 1, 2]


def test_the_elapsed_time_stands_still_while_a_job_is_paused(runtime: Bench) -> None:
    job, hold = held(runtime)
    let_pass(job.job_state, 60)
    assert job.pause()
    let_pass(job.job_state, 60)
    hold.release()
    assert job.wait_until_paused(LIMIT)
    paused = job.summary()
    assert 120 <= paused.elapsed < 120 + LIMIT, "what runs on while the job is pausing counts"
    let_pass(job.job_state, 600)
    assert job.summary().elapsed == paused.elapsed
    assert 600 <= job.summary().paused < 600 + LIMIT
    assert job.resume()
    assert job.wait(LIMIT)
    assert 120 <= job.summary().elapsed < 120 + LIMIT
    assert 600 <= job.summary().paused < 600 + LIMIT


def test_the_elapsed_time_goes_on_when_a_pausing_job_is_resumed(runtime: Bench) -> None:
    job, hold = held(runtime)
    assert job.pause()
    let_pass(job.job_state, 60)
    assert job.resume()
    hold.release()
    assert job.wait(LIMIT)
    assert 60 <= job.summary().elapsed < 60 + LIMIT
    assert job.summary().paused == 0


def test_a_paused_job_that_is_cancelled_has_taken_the_time_until_its_pause(runtime: Bench) -> None:
    job = paused(runtime)
    elapsed = job.summary().elapsed
    let_pass(job.job_state, 600)
    assert job.cancel()
    assert job.summary().elapsed == elapsed


def test_a_pausing_job_can_be_resumed_before_it_is_paused(runtime: Bench) -> None:
    job, hold = held(runtime)
    job.pause()
    assert job.resume() is True
    assert job.status == "running"
    hold.release()
    assert job.wait(LIMIT)
    assert job.job_state.shared_data["got"] == [0, 1, 2]


def test_what_is_not_running_cannot_be_paused_nor_what_is_not_paused_resumed(runtime: Bench) -> None:
    job, hold = held(runtime)
    assert job.resume() is False
    assert job.pause() is True
    assert job.pause() is False
    hold.release()
    assert job.wait_until_paused(LIMIT)
    assert job.pause() is False
    assert job.resume() is True
    assert job.wait(LIMIT)
    assert (job.pause(), job.resume()) == (False, False)


def test_no_activation_starts_after_pause_has_returned(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(4)
    for _ in range(40):
        started: list[int] = []
        counts = node(lambda items, to=started: to.append(1), concurrency=2)
        job = runtime.start(chain(source(range(1000)), passes(), counts))
        job.wait(0.001)
        job.pause()
        count = job.snapshot().summary.activations
        assert job.wait_until_paused(LIMIT) or job.is_completed()
        assert job.snapshot().summary.activations == count
        job.resume()
        assert job.wait(LIMIT)
        assert len(started) == 1000


def test_pausing_and_resuming_at_any_moment_loses_nothing(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(4)
    flow = chain(source(range(3000)), passes(capacity=5), passes(concurrency=1), collects(capacity=3))
    for _ in range(5):
        job = runtime.start(flow)
        pauses = 0
        while not job.wait(0.001):
            pauses += job.pause()
            if pauses % 2:
                job.wait_until_paused(LIMIT)
            job.resume()
        assert job.is_completed(), job.job_state.error
        assert job.job_state.shared_data["got"] == list(range(3000))


def test_a_job_paused_before_its_first_activation_runs_when_it_is_resumed(one_thread: Bench) -> None:
    hold = Hold()
    first = one_thread.start(graph(worker=does(hold)))
    hold.reached()
    job = one_thread.start(chain(source([1, 2]), collects(), flow_id="second"))
    assert job.pause()
    assert job.status == "paused"
    hold.release()
    assert first.wait(LIMIT)
    assert job.snapshot().summary.activations == 0
    assert job.resume()
    assert job.wait(LIMIT)
    assert job.job_state.shared_data["got"] == [1, 2]


def test_a_paused_job_takes_items_from_outside_and_works_on_them_later(runtime: Bench) -> None:
    job = paused(runtime)
    job.flow.routines["first"].emit("out", job_state=job.job_state, x=99)
    assert job.is_paused()
    assert job.resume()
    assert job.wait(LIMIT)
    assert job.job_state.shared_data["got"] == [0, 1, 2, 99]


def test_a_running_activation_can_end_although_what_it_fills_is_paused(one_thread: Bench) -> None:
    """Nothing drains its slots while the job is pausing, so they take more than they hold otherwise."""
    hold = Hold()

    def logic() -> None:
        hold()
        for number in range(500):
            first.emit("out", x=number)

    first = does(logic, events=["out"], name="first")
    job = one_thread.start(chain(first, collects(capacity=2)))
    hold.reached()
    job.pause()
    hold.release()
    assert job.wait_until_paused(LIMIT), job.why_not_finished()
    assert job.snapshot().summary.waiting == 500
    job.resume()
    assert job.wait(LIMIT)
    assert job.job_state.shared_data["got"] == list(range(500))


def test_who_waits_for_room_when_the_job_is_paused_comes_to_its_end(runtime: Bench) -> None:
    hold = Hold()

    def start() -> None:
        first.emit("out", x=0)
        hold.reached()
        for number in range(1, 100):
            first.emit("out", x=number)

    def slow(items: Any, job_state: JobState) -> None:
        if items[0]["x"] == 0:
            hold()
        job_state.shared_data.setdefault("got", []).append(items[0]["x"])

    first = does(start, events=["out"], name="first")
    job = runtime.start(chain(first, node(slow, capacity=3)))
    while "waiting for room" not in job.why_not_finished():
        assert not job.wait(0.001), job.job_state.error
    job.pause()
    hold.release()
    assert job.wait_until_paused(LIMIT), job.why_not_finished()
    assert job.snapshot().routines[0].running == 0
    assert job.job_state.shared_data["got"] == [0]
    job.resume()
    assert job.wait(LIMIT)
    assert job.job_state.shared_data["got"] == list(range(100))


# ---- pausing what waits for a time


def test_a_retry_that_falls_due_during_a_pause_runs_after_it(one_thread: Bench) -> None:
    tries: list[float] = []
    failed = threading.Event()

    def logic() -> None:
        tries.append(time.perf_counter())
        if len(tries) == 1:
            failed.set()
            raise ValueError

    flow = graph(worker=does(logic, handler=ErrorHandler("retry", retry_delay=0.05)))
    job = one_thread.start(flow)
    assert failed.wait(LIMIT)
    while job.snapshot().routines[0].state != "retrying":
        assert not job.wait(0.001)
    assert job.pause()
    assert job.wait_until_paused(LIMIT)
    due = threading.Event()
    due.wait(0.15)  # the retry falls due; there is nothing else to wait for
    assert len(tries) == 1
    assert job.is_paused()
    assert job.resume()
    assert job.wait(LIMIT)
    assert job.is_completed()
    assert len(tries) == 2


def test_a_job_that_only_waits_for_a_retry_is_paused_at_once(one_thread: Bench) -> None:
    flow = graph(worker=does(lambda: 1 / 0, handler=ErrorHandler("retry", retry_delay=3600)))
    job = one_thread.start(flow)
    while job.snapshot().routines[0].state != "retrying":
        assert not job.wait(0.001)
    assert job.pause()
    assert job.wait_until_paused(LIMIT)
    assert job.resume()
    assert job.status == "running"
    assert "attempt 2 is due in" in job.why_not_finished()


def test_a_policys_timer_that_comes_during_a_pause_counts_after_it(one_thread: Bench) -> None:
    def logic(items: Any, job_state: JobState) -> None:
        job_state.shared_data.setdefault("got", []).append([item["x"] for item in items])
        if len(job_state.shared_data["got"]) == 1:
            again.emit("out", x=9)

    again = node(logic, policy=time_interval_policy(0.05))
    job = one_thread.start(graph(["a -> again", "again -> again"], a=source([1]), again=again))
    while "its policy is asked again later" not in job.why_not_finished():
        assert not job.wait(0.001)
    assert job.pause()
    assert job.wait_until_paused(LIMIT)
    threading.Event().wait(0.15)
    assert job.job_state.shared_data["got"] == [[1]]
    assert job.resume()
    assert job.wait(LIMIT)
    assert job.job_state.shared_data["got"] == [[1], [9]]


@pytest.mark.parametrize("policy", [batch_size_policy(5), when_quiet_policy()])
def test_a_paused_job_is_not_quiet(runtime: Bench, policy: Any) -> None:
    """No remainder is handed over before everything has come."""
    job = paused(runtime, passes(name="middle"), collects(policy=policy))
    assert job.job_state.shared_data == {}
    assert job.resume()
    assert job.wait(LIMIT)
    assert job.job_state.shared_data["got"] == [0, 1, 2]


# ---- cancel


def test_a_job_is_cancelling_until_its_last_activation_has_returned(runtime: Bench) -> None:
    job, hold = held(runtime, collects())
    assert job.cancel() is True
    assert job.status == "cancelling"
    assert job.wait(0.05) is False
    assert job.job_state.ended_at is None
    hold.release()
    assert job.wait(LIMIT)
    assert job.status == "cancelled"
    assert job.job_state.ended_at is not None


def test_a_cancelled_job_starts_nothing_more(runtime: Bench) -> None:
    job, hold = held(runtime)
    job.cancel()
    hold.release()
    assert job.wait(LIMIT)
    assert job.job_state.shared_data == {}
    assert [routine.activations for routine in job.snapshot().routines] == [1, 0]


def test_no_activation_starts_after_cancel_has_returned(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(4)
    cancelled = 0
    for _ in range(60):
        job = runtime.start(chain(source(range(2000)), passes(concurrency=2), collects()))
        job.wait(0.001)
        did = job.cancel()
        count = job.snapshot().summary.activations
        assert job.wait(LIMIT)
        assert job.snapshot().summary.activations == count
        assert job.is_cancelled() is did
        cancelled += did
    assert cancelled > 30


def test_a_job_is_never_cancelled_while_anything_of_it_runs(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(6)
    inside = threading.Semaphore(0)
    running: list[int] = []
    seen: list[int] = []
    runtime.subscribe(lambda event: seen.append(len(running)) if event.status == "cancelled" else None)

    def logic(items: Any) -> None:
        running.append(1)
        inside.release()
        try:
            threading.Event().wait(0.003)
        finally:
            running.pop()

    for _ in range(20):
        job = runtime.start(chain(source(range(50)), node(logic, concurrency=5)))
        assert inside.acquire(timeout=LIMIT)
        assert job.cancel()
        assert job.wait(LIMIT)
        assert running == []
    assert seen == [0] * 20


def test_a_job_that_runs_nothing_is_cancelled_at_once(runtime: Bench) -> None:
    flow = graph(worker=does(lambda: 1 / 0, handler=ErrorHandler("retry", retry_delay=3600)))
    job = runtime.start(flow)
    while job.snapshot().routines[0].state != "retrying":
        assert not job.wait(0.001)
    while job.status == "running":
        assert job.cancel()
    assert job.wait(LIMIT)
    assert job.status == "cancelled"


def test_a_paused_job_can_be_cancelled(runtime: Bench) -> None:
    job = paused(runtime)
    assert job.cancel() is True
    assert job.status == "cancelled"
    assert job.wait(LIMIT)
    assert job.resume() is False
    assert dict(job.job_state.leftovers) == {"r1.items": 3}


def test_a_pausing_job_can_be_cancelled(runtime: Bench) -> None:
    job, hold = held(runtime)
    job.pause()
    assert job.cancel() is True
    assert job.status == "cancelling"
    assert job.pause() is False
    assert job.resume() is False
    hold.release()
    assert job.wait(LIMIT)
    assert job.is_cancelled()


def test_cancelling_twice_changes_nothing(runtime: Bench) -> None:
    events = events_of(runtime)
    job, hold = held(runtime)
    assert job.cancel() is True
    assert job.cancel() is True  # it has not ended yet
    hold.release()
    assert job.wait(LIMIT)
    assert job.cancel() is False
    runtime.shutdown()
    assert [str(event.status) for event in events] == ["running", "cancelling", "cancelled"]


def test_cancelling_a_finished_job_does_nothing_and_says_so(runtime: Bench) -> None:
    job = runtime.run(chain(source([1]), collects()))
    assert job.cancel() is False
    assert job.cancel(force=True) is False
    assert job.is_completed()
    assert job.job_state.cancel_requested is False


def test_logic_can_ask_whether_it_is_to_stop(runtime: Bench) -> None:
    hold = Hold()

    def logic(job_state: JobState) -> None:
        before = job_state.cancel_requested
        hold()
        job_state.shared_data["asked"] = (before, job_state.cancel_requested)
        job_state.raise_if_cancelled()
        job_state.shared_data["went on"] = True

    job = runtime.start(graph(worker=does(logic)))
    hold.reached()
    job.cancel()
    hold.release()
    assert job.wait(LIMIT)
    assert job.is_cancelled()
    assert job.job_state.shared_data == {"asked": (False, True)}
    assert job.job_state.errors == ()


def test_a_cancel_wakes_who_sleeps_at_once(runtime: Bench) -> None:
    asleep = threading.Event()

    def logic(job_state: JobState) -> None:
        asleep.set()
        job_state.sleep(3600)

    job = runtime.start(graph(worker=does(logic)))
    assert asleep.wait(LIMIT)
    started = time.monotonic()
    assert job.cancel()
    assert job.wait(LIMIT)
    assert time.monotonic() - started < 2
    assert job.is_cancelled()


def test_emit_raises_in_a_cancelled_job(runtime: Bench) -> None:
    caught: list[BaseException] = []
    hold = Hold()

    def logic() -> None:
        hold()
        try:
            first.emit("out", x=1)
        except BaseException as error:
            caught.append(error)
            raise

    first = does(logic, events=["out"])
    job = runtime.start(chain(first, collects()))
    hold.reached()
    job.cancel()
    hold.release()
    assert job.wait(LIMIT)
    assert isinstance(caught[0], JobCancelled)
    assert f"job '{job.job_id}' was cancelled: emit('out') is refused" in str(caught[0])
    assert job.job_state.errors == ()


def test_code_that_catches_exceptions_lets_a_cancel_pass(runtime: Bench) -> None:
    hold = Hold()

    def logic(job_state: JobState) -> None:
        hold()
        while True:
            try:
                job_state.raise_if_cancelled()
            except Exception:
                job_state.shared_data["swallowed"] = True

    job = runtime.start(graph(worker=does(logic)))
    hold.reached()
    job.cancel()
    hold.release()
    assert job.wait(LIMIT)
    assert job.job_state.shared_data == {}


def test_an_error_after_the_cancel_is_kept_and_the_job_is_still_cancelled(runtime: Bench) -> None:
    hold = Hold()

    def logic() -> None:
        hold()
        raise ValueError("while cleaning up")

    job = runtime.start(graph(worker=does(logic)))
    hold.reached()
    job.cancel()
    hold.release()
    assert job.wait(LIMIT)
    assert job.is_cancelled()
    assert [error.message for error in job.job_state.errors] == ["while cleaning up"]


def test_no_retry_follows_a_cancel(runtime: Bench) -> None:
    hold = Hold()
    tries: list[int] = []

    def logic() -> None:
        tries.append(1)
        hold()
        raise ValueError

    job = runtime.start(graph(worker=does(logic, handler=ErrorHandler("retry", retry_delay=0))))
    hold.reached()
    job.cancel()
    hold.release()
    assert job.wait(LIMIT)
    assert job.is_cancelled()
    assert tries == [1]


def test_a_thread_from_outside_is_refused_by_a_cancelled_job(runtime: Bench) -> None:
    job, hold = held(runtime)
    job.cancel()
    with pytest.raises(JobCancelled):
        job.flow.routines["first"].emit("out", job_state=job.job_state, x=1)
    hold.release()
    assert job.wait(LIMIT)
    with pytest.raises((JobCancelled, JobNotActive)):
        job.flow.routines["first"].emit("out", job_state=job.job_state, x=1)


def test_cancelling_one_job_leaves_the_others_alone(runtime: Bench) -> None:
    hold = Hold()
    flow = graph(worker=does(hold))
    jobs = [runtime.start(flow) for _ in range(3)]
    hold.reached(3)
    jobs[1].cancel()
    hold.release()
    for job in jobs:
        assert job.wait(LIMIT)
    assert [str(job.status) for job in jobs] == ["completed", "cancelled", "completed"]


def test_logic_may_pause_and_cancel_its_own_job(runtime: Bench) -> None:
    def pauses(job_state: JobState) -> None:
        assert runtime.job_of(job_state).pause()

    job = runtime.start(chain(does(pauses, events=["out"])))
    assert job.wait_until_paused(LIMIT)
    assert job.resume()
    assert job.wait(LIMIT)
    assert job.is_completed()

    def cancels(job_state: JobState) -> None:
        assert runtime.job_of(job_state).cancel()

    job = runtime.run(graph(worker=does(cancels)))
    assert job.is_cancelled()


def test_a_cancel_reaches_what_still_runs_of_a_failed_job(runtime: Bench) -> None:
    """The job stays failed, for the first reason; but what runs is told to stop."""

    def then() -> None:
        state = jobs[0].job_state
        state.shared_data["asked"] = state.cancel_requested

    jobs: list[Any] = []
    job, hold = failed_while_another_runs(runtime, then)
    jobs.append(job)
    assert job.cancel() is True
    hold.release()
    assert job.wait(LIMIT)
    assert job.is_failed()
    assert job.job_state.shared_data == {"asked": True}
    assert [error.message for error in job.job_state.errors] == ["the first"]


# ---- time limits


def spins(started: threading.Event) -> Callable[[], None]:
    def logic() -> None:
        started.set()
        while True:
            pass

    return logic


@pytest.mark.parametrize("given", ["flow", "exec"])
def test_a_job_that_takes_too_long_fails_and_names_the_limit(runtime: Bench, given: str) -> None:
    flow = graph(worker=does(spins(threading.Event())))
    if given == "flow":
        flow.timeout = 0.05
    job = runtime.start(flow, timeout=0.05 if given == "exec" else None)
    assert job.wait(LIMIT)
    assert job.is_failed()
    error = job.job_state.error
    assert error is not None
    assert error.exception_type == "FlowTimeout"
    limit = "Flow(timeout=...)" if given == "flow" else "exec(timeout=...)"
    assert error.message == f"job '{job.job_id}' ran longer than its limit of 0.05 s ({limit})"


def test_the_limit_of_exec_overrides_that_of_the_flow(runtime: Bench) -> None:
    hold = Hold()
    flow = graph(worker=does(hold))
    flow.timeout = 0.02
    job = runtime.start(flow, timeout=3600)
    hold.reached()
    assert job.wait(0.1) is False
    hold.release()
    assert job.wait(LIMIT)
    assert job.is_completed()


def test_a_job_in_time_never_hears_of_its_limit(runtime: Bench) -> None:
    job = runtime.run(chain(source(range(10)), collects()), timeout=3600)
    assert job.is_completed()


def test_a_limit_wakes_who_sleeps_or_waits_for_a_retry(runtime: Bench) -> None:
    sleeping = graph([], "sleeping", worker=does(lambda job_state: job_state.sleep(3600)))
    retrying = graph(
        [], "retrying", worker=does(lambda: 1 / 0, handler=ErrorHandler("retry", retry_delay=3600))
    )
    for flow in (sleeping, retrying):
        job = runtime.start(flow, timeout=0.05)
        assert job.wait(LIMIT), job.why_not_finished()
        assert job.is_failed()
        assert job.job_state.error.exception_type == "FlowTimeout"  # type: ignore[union-attr]


def test_a_limit_reaches_who_waits_for_room(runtime: Bench) -> None:
    hold = Hold()

    def start() -> None:
        first.emit("out", x=0)
        hold.reached()
        for number in range(10):
            first.emit("out", x=number)

    first = does(start, events=["out"], name="first")
    slow = node(lambda items, job_state: (hold._entered.release(), job_state.sleep(3600)), capacity=2)
    job = runtime.start(chain(first, slow), timeout=0.1)
    assert job.wait(LIMIT), job.why_not_finished()
    assert job.is_failed()
    assert job.job_state.error.exception_type == "FlowTimeout"  # type: ignore[union-attr]


def test_the_time_a_job_is_paused_does_not_count(runtime: Bench) -> None:
    job = paused(runtime, timeout=0.3)
    assert job.wait(0.5) is False
    assert job.is_paused()
    assert job.resume()
    assert job.wait(LIMIT)
    assert job.is_completed(), job.job_state.error


def test_what_is_left_of_the_limit_counts_after_a_pause(runtime: Bench) -> None:
    job = paused(runtime, does(lambda job_state: job_state.sleep(3600), slots=["items"]), timeout=0.3)
    assert job.resume()
    assert job.wait(LIMIT)
    assert job.is_failed()
    assert job.job_state.error.exception_type == "FlowTimeout"  # type: ignore[union-attr]


def test_a_job_over_its_limit_can_be_carried_on(runtime: Bench) -> None:
    patient = False

    def logic(items: Any, job_state: JobState) -> None:
        if not patient:
            job_state.sleep(3600)
        job_state.shared_data.setdefault("got", []).append(items[0]["x"])

    flow = chain(source([1, 2]), node(logic))
    job = runtime.start(flow, timeout=0.05)
    assert job.wait(LIMIT)
    assert job.is_failed()
    patient = True
    job = runtime.carry_on(flow, job.job_state)
    assert job.wait(LIMIT)
    assert job.is_completed()
    assert job.job_state.shared_data["got"] == [1, 2]
    assert job.job_state.error is None
    assert job.job_state.cancel_requested is False


def test_cancelling_a_job_that_has_failed_wakes_what_still_sleeps_in_it(runtime: Bench) -> None:
    """Its status stays as it is, and tells nobody of the cancel."""
    sleeps = threading.Event()

    def then() -> None:
        sleeps.set()
        jobs[0].job_state.sleep(10 * LIMIT)

    jobs: list[Any] = []
    job, hold = failed_while_another_runs(runtime, then)
    jobs.append(job)
    hold.release()
    assert sleeps.wait(LIMIT)
    assert job.cancel()
    assert job.wait(LIMIT), job.why_not_finished()
    assert job.is_failed()

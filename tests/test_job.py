"""The handle of a job waits, asks and tells, from any thread."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from rich.console import Console

from routilux import ExecutionStatus, JobState
from tests.helpers import (
    LIMIT,
    Bench,
    Hold,
    chain,
    collects,
    does,
    failed_while_another_runs,
    fails,
    graph,
    node,
    passes,
    source,
)


def held(runtime: Bench, **how: Any) -> tuple[Any, Hold]:
    """A job in the middle of its only activation, and what holds it there."""
    hold = Hold()
    job = runtime.start(graph(worker=does(hold)), **how)
    hold.reached()
    return job, hold


def asked(job: Any) -> dict[str, bool]:
    names = ["running", "paused", "completed", "failed", "cancelled", "finished"]
    return {name: getattr(job, f"is_{name}")() for name in names if getattr(job, f"is_{name}")()}


def test_a_handle_knows_its_job(runtime: Bench) -> None:
    flow = chain(source([1]), collects(), flow_id="etl")
    state = runtime.start(flow).job_state
    job = runtime.job_of(state)
    assert job.job_state is state
    assert job.job_id == state.job_id
    assert job.flow_name == state.flow_name == "etl"
    assert job.flow is flow
    assert job.wait(LIMIT)
    assert job.status is state.status is ExecutionStatus.COMPLETED


def test_a_job_that_runs_is_running_and_nothing_else(runtime: Bench) -> None:
    job, hold = held(runtime)
    assert job.status == "running"
    assert asked(job) == {"running": True}
    hold.release()
    assert job.wait(LIMIT)
    assert asked(job) == {"completed": True, "finished": True}


def test_a_job_that_pauses_is_still_running(runtime: Bench) -> None:
    job, hold = held(runtime)
    job.pause()
    assert job.status == "pausing"
    assert asked(job) == {"running": True}
    hold.release()
    assert job.wait_until_paused(LIMIT)
    assert asked(job) == {"paused": True}


def test_a_job_that_is_being_cancelled_is_still_running(runtime: Bench) -> None:
    job, hold = held(runtime)
    job.cancel()
    assert job.status == "cancelling"
    assert asked(job) == {"running": True}
    hold.release()
    assert job.wait(LIMIT)
    assert asked(job) == {"cancelled": True, "finished": True}


def test_a_job_that_failed_is_failed(runtime: Bench) -> None:
    assert asked(runtime.run(chain(source([1]), fails()))) == {"failed": True, "finished": True}


def test_wait_answers_false_at_its_timeout_and_the_job_goes_on(runtime: Bench) -> None:
    job, hold = held(runtime)
    assert job.wait(0) is False
    assert job.wait(-1) is False
    started = time.monotonic()
    assert job.wait(0.05) is False
    assert time.monotonic() - started >= 0.05
    assert job.status == "running"
    hold.release()
    assert job.wait(LIMIT) is True
    assert job.wait() is True
    assert job.wait(0) is True


def test_wait_without_a_timeout_waits_for_the_end(runtime: Bench) -> None:
    job, hold = held(runtime)
    answers: list[bool] = []
    waiter = threading.Thread(target=lambda: answers.append(job.wait()))
    waiter.start()
    waiter.join(0.05)
    assert waiter.is_alive()
    hold.release()
    waiter.join(LIMIT)
    assert answers == [True]


def test_wait_takes_a_timeout_beyond_all_bounds(runtime: Bench) -> None:
    job = runtime.start(chain(source([1]), collects()))
    assert job.wait(1e300) is True


def test_many_threads_may_wait_at_once(runtime: Bench) -> None:
    job, hold = held(runtime)
    answers: list[bool] = []
    waiters = [threading.Thread(target=lambda: answers.append(job.wait(LIMIT))) for _ in range(10)]
    for waiter in waiters:
        waiter.start()
    hold.release()
    for waiter in waiters:
        waiter.join(LIMIT)
    assert answers == [True] * 10


def test_waiting_costs_no_cpu(runtime: Bench) -> None:
    """It waits on a condition, not by looking again and again."""
    job, hold = held(runtime)
    used: list[float] = []

    def wait() -> None:
        job.wait(0.3)
        used.append(time.thread_time())

    waiter = threading.Thread(target=wait)
    waiter.start()
    waiter.join(LIMIT)
    hold.release()
    assert used[0] < 0.03


def test_when_wait_returns_nothing_of_the_job_runs_any_more(runtime: Bench) -> None:
    """A failed job is failed at once, but another of its activations may still be running."""
    job, hold = failed_while_another_runs(runtime)
    assert job.status == "failed"
    assert job.wait(0.05) is False
    assert not job.is_finished()
    hold.release()
    assert job.wait(LIMIT)
    assert job.is_finished()
    assert job.snapshot().summary.running == 0


def test_waiting_for_a_pause_ends_when_the_job_ends(runtime: Bench) -> None:
    job, hold = held(runtime)
    assert job.wait_until_paused(0) is False
    answers: list[bool] = []
    waiter = threading.Thread(target=lambda: answers.append(job.wait_until_paused(LIMIT)))
    waiter.start()
    hold.release()
    waiter.join(LIMIT)
    assert answers == [False]
    assert job.wait_until_paused() is False


def test_a_paused_job_has_not_ended(runtime: Bench) -> None:
    job, hold = held(runtime)
    job.pause()
    hold.release()
    assert job.wait_until_paused(LIMIT)
    assert job.wait(0.05) is False
    assert job.resume()
    assert job.wait(LIMIT)


def test_what_cannot_be_done_with_a_finished_job_is_not_done_and_says_so(runtime: Bench) -> None:
    job = runtime.run(chain(source([1]), collects()))
    assert (job.pause(), job.resume(), job.cancel(), job.cancel(force=True)) == (False,) * 4
    assert job.status == "completed"


def test_a_handle_outlives_its_runtime(runtime: Bench) -> None:
    job = runtime.run(chain(source([1, 2]), collects()))
    runtime.shutdown()
    assert job.wait(0)
    assert job.snapshot().routines[1].activations == 2
    assert job.why_not_finished() == "finished: completed"


def test_a_job_prints_readably(runtime: Bench) -> None:
    job, hold = held(runtime)
    assert repr(job) == f"<Job {job.job_id!r} of 'flow': running>"
    console = Console(width=300, record=True, file=io.StringIO())
    console.print(job)
    text = console.export_text()
    for part in (job.job_id, "running", "worker (running"):
        assert part in text
    hold.release()


def test_the_line_of_a_job_that_ended_is_made_once(runtime: Bench) -> None:
    job, hold = held(runtime)
    assert job.summary() is not job.summary()
    hold.release()
    assert job.wait(LIMIT)
    runtime.shutdown()
    assert job.summary() is job.summary()
    assert job.summary().status == "completed"


@pytest.mark.parametrize("name", ["job_id", "flow_name", "status"])
def test_what_a_handle_shows_cannot_be_written(runtime: Bench, name: str) -> None:
    job = runtime.run(chain(source([1]), collects()))
    with pytest.raises(AttributeError):
        setattr(job, name, "other")


def test_the_state_of_the_handle_is_the_one_that_exec_answered_with(runtime: Bench) -> None:
    runtime.flows.register(chain(source([1]), collects()))
    state = runtime.exec("flow")
    assert isinstance(state, JobState)
    assert state.status in ("running", "completed")
    assert runtime.job_of(state).job_state is state


def test_what_waits_and_what_routines_keep_can_be_looked_at_while_they_run(one_thread: Bench) -> None:
    hold = Hold()

    def logic(items: Any, job_state: JobState) -> None:
        job_state.routine_state()["seen"] = items[0]["x"]
        hold()

    job = one_thread.start(chain(source(range(5)), node(logic)))
    hold.reached()
    first, second = job.routine_data(2)
    assert (first.routine_id, first.state, first.taken) == ("source", None, ())
    assert second.state == {"seen": 0}
    [slot] = second.slots
    assert (slot.name, slot.waiting) == ("items", 4)
    assert [item.data["x"] for item in slot.items] == [1, 2]
    assert {item.emitted_from for item in slot.items} == {"source"}
    assert all(before.emitted_at <= after.emitted_at for before, after in pairwise(slot.items))
    # Nothing was consumed by looking.
    assert job.snapshot().routines[1].waiting == 4
    with pytest.raises(ValueError, match="at least 0"):
        job.routine_data(-1)
    hold.release()
    assert job.wait(LIMIT)
    [left] = job.routine_data()
    assert (left.routine_id, left.state, left.slots) == ("r1", {"seen": 4}, ())


def test_what_a_failed_job_has_taken_is_there_to_be_looked_at(runtime: Bench) -> None:
    job = runtime.run(chain(source(range(3)), fails()))
    _, second = job.routine_data()
    assert [data_slice["items"][0]["x"] for data_slice in second.taken] == [0]
    assert second.slots[0].waiting == len(second.slots[0].items) == 2


@pytest.mark.stress
def test_looking_never_disturbs_who_consumes(
    runtime: Bench, often_switching: Callable[[float], None]
) -> None:
    often_switching(1e-6)
    job = runtime.start(chain(source(range(5000)), passes(), collects()))
    while not job.wait(0):
        for routine in job.routine_data(50):
            for slot in routine.slots:
                assert len(slot.items) <= 50
    assert job.job_state.shared_data["got"] == list(range(5000))

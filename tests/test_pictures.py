"""Snapshots are immutable and true, and `why_not_finished` says in words what a job waits for."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from routilux import (
    ErrorHandler,
    ExecutionStatus,
    JobState,
    Progress,
    RuntimeSnapshot,
    all_slots_ready_policy,
    time_interval_policy,
)
from tests.helpers import LIMIT, Bench, Hold, chain, collects, does, fails, graph, let_pass, node, source

MakeRuntime = Callable[..., Bench]


def held(runtime: Bench, count: int = 3) -> tuple[Any, Hold]:
    """A job whose `slow` is held at its first item while the others wait in its slot."""
    hold = Hold()
    sent = threading.Event()

    def start() -> None:
        for number in range(count):
            first.emit("out", x=number)
        sent.set()

    first = does(start, events=["out"], name="first")
    job = runtime.start(chain(first, node(lambda items: hold(), name="slow"), flow_id="etl"), {"depth": 3})
    hold.reached()
    assert sent.wait(LIMIT)
    while job.snapshot().routines[0].state != "done":
        assert not job.wait(0.001)
    return job, hold


# ---- a job


def test_a_picture_of_a_running_job(runtime: Bench) -> None:
    before = datetime.now(UTC)
    job, hold = held(runtime)
    picture = job.snapshot()
    first, slow = picture.routines
    assert (picture.job_id, picture.status) == (job.job_id, "running")
    assert (first.routine_id, first.state, first.activations, first.running) == ("first", "done", 1, 0)
    assert (slow.routine_id, slow.state, slow.activations, slow.running) == ("slow", "running", 1, 1)
    assert slow.waiting == 2
    assert slow.running_since is not None
    assert abs((slow.running_since - before).total_seconds()) < LIMIT
    assert slow.running_since.tzinfo is UTC
    assert first.running_since is None
    (slot,) = slow.slots
    assert (slot.name, slot.waiting, slot.capacity, slot.received, slot.consumed) == ("items", 2, 1000, 3, 1)
    summary = picture.summary
    assert (summary.flow_name, dict(summary.entry_params)) == ("etl", {"depth": 3})
    assert (summary.activations, summary.running, summary.waiting, summary.errors) == (2, 1, 2, 0)
    assert summary.started_at is not None
    assert summary.ended_at is None
    assert summary.elapsed > 0
    assert picture.waits_for.startswith("running: slow (running, ")
    hold.release()


def test_a_picture_of_a_finished_job(runtime: Bench) -> None:
    job, hold = held(runtime)
    hold.release()
    assert job.wait(LIMIT)
    picture = job.snapshot()
    assert [(each.routine_id, each.state, each.activations) for each in picture.routines] == [
        ("first", "done", 1),
        ("slow", "done", 3),
    ]
    assert picture.waits_for == "finished: completed"
    assert picture.summary.ended_at is not None
    assert picture.summary.running == picture.summary.waiting == 0
    assert picture.summary.last_event == "slow activation_ended"
    assert picture.routines[1].time_in_logic > 0
    assert picture == job.snapshot()


def test_a_picture_does_not_change_any_more(runtime: Bench) -> None:
    job, hold = held(runtime)
    picture = job.snapshot()
    said = repr(picture)
    hold.release()
    assert job.wait(LIMIT)
    assert repr(picture) == said
    assert picture.status == "running"


def test_nothing_of_a_picture_can_be_written(runtime: Bench) -> None:
    job, hold = held(runtime)
    picture = job.snapshot()
    hold.release()
    parts: list[Any] = [picture, picture.summary, picture.routines[0], picture.routines[1].slots[0]]
    for part in [*parts, runtime.snapshot()]:
        name = part._fields[0] if hasattr(part, "_fields") else next(iter(part.__dataclass_fields__))
        with pytest.raises(AttributeError):
            setattr(part, name, "other")
    for mapping in (picture.summary.entry_params, picture.leftovers, runtime.snapshot().counts):
        with pytest.raises(TypeError):
            mapping["x"] = 1  # type: ignore[index]
    assert isinstance(picture.routines, tuple)
    assert isinstance(picture.routines[1].slots, tuple)


def test_the_states_of_routines(runtime: Bench) -> None:
    hold = Hold()
    flow = graph(
        ["a -> running", "a -> skipped", "a -> retrying", "a -> join.left"],
        a=source([1]),
        running=does(hold, slots=["items"]),
        skipped=fails(handler=ErrorHandler("skip")),
        retrying=fails(handler=ErrorHandler("retry", retry_delay=3600)),
        join=node(lambda left, right: None, slots=["left", "right"], policy=all_slots_ready_policy()),
        idle=node(lambda items: None),
    )
    job = runtime.start(flow)
    hold.reached()

    def states() -> dict[str, str]:
        return {each.routine_id: each.state for each in job.snapshot().routines}

    expected = {
        "a": "done",
        "running": "running",
        "skipped": "skipped",
        "retrying": "retrying",
        "join": "waiting",
        "idle": "idle",
    }
    deadline = time.monotonic() + LIMIT
    while states() != expected and time.monotonic() < deadline:
        job.wait(0.001)
    assert states() == expected
    hold.release()
    job.cancel()
    assert job.wait(LIMIT)


def test_a_routine_that_waits_for_a_thread_is_ready(one_thread: Bench) -> None:
    hold = Hold()
    gate = one_thread.start(graph([], "gate", worker=does(hold)))
    hold.reached()
    job = one_thread.start(chain(source([1]), collects()))
    assert job.snapshot().routines[0].state == "ready"
    assert job.why_not_finished() == "running: source (ready, waiting for a thread; 1 item)"
    job.pause()
    assert job.why_not_finished() == "paused: source (ready, held back; 1 item)"
    hold.release()
    assert gate.wait(LIMIT)


def test_the_routine_that_failed_a_job_is_failed(one_thread: Bench) -> None:
    job = one_thread.run(chain(source([1]), fails(name="worker")))
    assert job.snapshot().routines[1].state == "failed"


def test_the_slot_of_a_skipped_routine_keeps_its_size(one_thread: Bench) -> None:
    job = one_thread.run(chain(source([1, 2]), fails(handler=ErrorHandler("skip"), capacity=7)))
    (slot,) = job.snapshot().routines[1].slots
    assert slot.capacity == 7


def test_the_progress_of_a_job_is_that_of_the_routine_furthest_behind(runtime: Bench) -> None:
    def reports(*progress: Any) -> Callable[..., None]:
        return lambda items, job_state: job_state.report_progress(*progress)

    flow = graph(
        ["a -> b", "a -> c", "a -> d"],
        a=source([1]),
        b=node(reports(9, 10)),
        c=node(reports(1, 4, "rows")),
        d=node(reports(100)),
    )
    job = runtime.run(flow)
    assert job.snapshot().summary.progress == Progress(1, 4, "rows")
    assert [each.progress for each in job.snapshot().routines] == [
        None,
        Progress(9, 10),
        Progress(1, 4, "rows"),
        Progress(100),
    ]


def one_after_the_other(hold: Hold) -> Any:
    """A flow whose first routine says at once that it is through; the second reports after a while."""

    def logic(job_state: JobState) -> None:
        job_state.report_progress(3, 3)
        for number in range(3):
            first.emit("out", x=number)

    def works(items: Any, job_state: JobState) -> None:
        hold()
        job_state.report_progress(items[0]["x"] + 1, 3, "rows")

    first = does(logic, events=["out"], name="first")
    return chain(first, node(works, name="second"))


def test_a_job_is_not_through_while_a_routine_at_work_has_not_reported(runtime: Bench) -> None:
    hold = Hold()
    job = runtime.start(one_after_the_other(hold))
    hold.reached()
    assert job.snapshot().routines[0].progress == Progress(3, 3)
    assert job.summary().progress is None
    hold.release()
    assert job.wait(LIMIT)
    assert job.summary().progress == Progress(3, 3)


def test_a_failed_job_is_not_through_where_a_routine_never_reported(runtime: Bench) -> None:
    def logic(job_state: JobState) -> None:
        job_state.report_progress(3, 3)
        for number in range(3):
            first.emit("out", x=number)

    first = does(logic, events=["out"], name="first")
    job = runtime.run(chain(first, fails()))
    assert job.is_failed()
    assert job.summary().progress is None


def test_items_that_nobody_takes_do_not_hide_that_a_job_is_through(runtime: Bench) -> None:
    def logic(job_state: JobState) -> None:
        job_state.report_progress(1, 1)
        first.emit("out", x=1)

    first = does(logic, events=["out"], name="first")
    join = node(lambda left, right: None, slots=["left", "right"], policy=all_slots_ready_policy())
    job = runtime.run(graph(["first -> join.left"], first=first, join=join))
    assert job.is_completed()
    assert job.summary().progress == Progress(1, 1)


def test_a_progress_without_a_total_is_better_than_none(runtime: Bench) -> None:
    job = runtime.run(graph(worker=does(lambda job_state: job_state.report_progress(7))))
    assert job.snapshot().summary.progress == Progress(7)
    assert runtime.run(chain(source([1]))).snapshot().summary.progress is None


def test_time_in_logic_counts_what_runs_so_far(runtime: Bench) -> None:
    job, hold = held(runtime, 1)
    let_pass(job.job_state, 15)
    assert 15 <= job.snapshot().routines[1].time_in_logic < 15 + LIMIT
    hold.release()
    assert job.wait(LIMIT)
    assert 15 <= job.snapshot().routines[1].time_in_logic < 15 + LIMIT, "and counts it once"


def test_time_in_logic_counts_all_activations_that_run(runtime: Bench) -> None:
    hold = Hold()
    wide = node(lambda items: hold(), name="wide")
    wide.set_max_concurrency(2)
    job = runtime.start(chain(source([1, 2]), wide))
    hold.reached(2)
    let_pass(job.job_state, 15)
    assert 30 <= job.snapshot().routines[1].time_in_logic < 30 + LIMIT
    hold.release()


def test_time_in_logic_is_what_activations_took(runtime: Bench) -> None:
    job = runtime.run(chain(source([1, 2]), node(lambda items, job_state: job_state.sleep(0.03))))
    assert 0.06 <= job.snapshot().routines[1].time_in_logic < 5


def test_history_and_log_are_counted(runtime: Bench) -> None:
    job = runtime.run(chain(source(range(20)), node(lambda items: print("x")), max_history=10))
    picture = job.snapshot()
    assert picture.history_total == 2 + 20 + 40
    assert picture.history_dropped == picture.history_total - 10
    assert (picture.log_total, picture.log_dropped) == (20, 0)


# ---- the runtime


def test_a_picture_of_the_runtime_shows_all_jobs_oldest_first(runtime: Bench) -> None:
    done = runtime.run(chain(source([1]), collects()))
    bad = runtime.run(chain(source([1]), fails(ValueError("no good"))))
    job, hold = held(runtime)
    runtime.wait_until_all_jobs_finished(0)
    picture = runtime.snapshot()
    assert isinstance(picture, RuntimeSnapshot)
    assert [each.job_id for each in picture.jobs] == [done.job_id, bad.job_id, job.job_id]
    assert [str(each.status) for each in picture.jobs] == ["completed", "failed", "running"]
    assert dict(picture.counts) == {
        ExecutionStatus.COMPLETED: 1,
        ExecutionStatus.FAILED: 1,
        ExecutionStatus.RUNNING: 1,
    }
    assert picture.counts["completed"] == 1  # type: ignore[index]
    assert picture.thread_pool_size == 4
    assert picture.threads_busy >= 1
    assert picture.taken_at.tzinfo is UTC
    assert picture.jobs[1].error == "r1: ValueError: no good"
    hold.release()


def test_lines_of_jobs_that_ended_are_shared_between_pictures(runtime: Bench) -> None:
    runtime.run(chain(source([1]), collects()))
    runtime.shutdown()
    assert runtime.snapshot().jobs[0] is runtime.snapshot().jobs[0]


def test_an_idle_runtime_has_an_empty_picture(runtime: Bench) -> None:
    picture = runtime.snapshot()
    assert (picture.jobs, dict(picture.counts), picture.threads_busy) == ((), {}, 0)


def test_pictures_can_be_taken_at_any_rate_by_anyone(make_runtime: MakeRuntime) -> None:
    """Every one of them adds up, and the jobs come to their end meanwhile."""
    runtime = make_runtime(4)
    stop = threading.Event()
    failures: list[BaseException] = []
    taken = [0]

    def look() -> None:
        try:
            while not stop.is_set():
                picture = runtime.snapshot()
                assert sum(picture.counts.values()) == len(picture.jobs)
                for job in runtime.list_jobs():
                    shot = job.snapshot()
                    job.why_not_finished()
                    for routine in shot.routines:
                        assert routine.running >= 0
                        for slot in routine.slots:
                            assert slot.waiting <= slot.capacity
                taken[0] += 1
        except BaseException as error:
            failures.append(error)

    lookers = [threading.Thread(target=look) for _ in range(2)]
    for looker in lookers:
        looker.start()
    flow = chain(source(range(400)), node(lambda items: None, capacity=5), flow_id="busy")
    jobs = [runtime.start(flow) for _ in range(10)]
    for job in jobs:
        assert job.wait(LIMIT)
    stop.set()
    for looker in lookers:
        looker.join(LIMIT)
    assert failures == []
    assert taken[0] > 0
    assert all(job.is_completed() for job in jobs)


# ---- why a job has not finished


def test_what_runs_is_named_with_its_time(runtime: Bench) -> None:
    job, hold = held(runtime)
    assert re.fullmatch(r"running: slow \(running, \d+\.\d s\)", job.why_not_finished())
    hold.release()


def test_every_activation_that_runs_is_named(runtime: Bench) -> None:
    hold = Hold()
    slow = {name: node(lambda items: hold()) for name in "bc"}
    flow = graph(["a -> b", "a -> c"], a=source([1]), **slow)
    job = runtime.start(flow)
    hold.reached(2)
    why = job.why_not_finished()
    assert "b (running" in why
    assert "c (running" in why
    hold.release()


def test_a_retry_is_named_with_the_time_it_is_due(one_thread: Bench) -> None:
    job = one_thread.start(chain(source([1]), fails(handler=ErrorHandler("retry", retry_delay=3600))))
    # For a moment the activation that failed is still among the causes.
    words = re.compile(r"running: r1 \(attempt 2 is due in (\d+\.\d) s\)")
    while (seconds := words.fullmatch(job.why_not_finished())) is None:
        assert not job.wait(0.001)
    assert 3500 < float(seconds[1]) <= 3600


def test_a_policy_that_waits_is_named_with_its_items(one_thread: Bench) -> None:
    def logic(items: Any, job_state: JobState) -> None:
        if items[0]["x"] == 1:
            again.emit("out", x=2)

    again = node(logic, policy=time_interval_policy(3600))
    job = one_thread.start(graph(["a -> again", "again -> again"], a=source([1]), again=again))
    while "again later" not in job.why_not_finished():
        assert not job.wait(0.001)
    assert job.why_not_finished() == "running: again (its policy is asked again later; 1 item waits)"


def test_a_slot_that_starves_is_named(runtime: Bench) -> None:
    hold = Hold()
    join = node(lambda left, right: None, slots=["left", "right"], policy=all_slots_ready_policy())
    slow = does(hold, slots=["items"])
    job = runtime.start(graph(["a -> join.left", "a -> slow"], a=source([1, 2]), join=join, slow=slow))
    hold.reached()
    deadline = time.monotonic() + LIMIT
    while "says no" not in job.why_not_finished() and time.monotonic() < deadline:
        job.wait(0.001)
    assert "join (its policy says no: 2 in left, nothing in right)" in job.why_not_finished()
    hold.release()


def test_a_paused_job_says_what_is_held_back(runtime: Bench) -> None:
    job, hold = held(runtime)
    job.pause()
    hold.release()
    assert job.wait_until_paused(LIMIT)
    assert job.why_not_finished() == "paused: slow (ready, held back; 2 items)"


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
def test_a_job_that_ended_says_how(runtime: Bench, status: str) -> None:
    job, hold = held(runtime)
    if status == "cancelled":
        job.cancel()
    hold.release()
    if status == "failed":
        job = runtime.run(chain(source([1]), fails()))
    assert job.wait(LIMIT)
    assert job.why_not_finished() == f"finished: {status}"

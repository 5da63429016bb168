"""A runtime starts jobs without blocking, keeps them apart, finds them again, and leaves nothing behind."""

from __future__ import annotations

import copy
import dataclasses
import gc
import logging
import threading
import time
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypedDict

import pydantic
import pytest

from routilux import (
    ErrorHandler,
    Flow,
    FlowRegistry,
    JobEvent,
    JobState,
    ParameterError,
    Runtime,
    time_interval_policy,
)
from routilux.event_loop import EventLoop
from tests.helpers import (
    LIMIT,
    Bench,
    Hold,
    assert_no_threads_left,
    chain,
    collects,
    does,
    engine_threads,
    failed_while_another_runs,
    fails,
    graph,
    node,
    passes,
    source,
)

MakeRuntime = Callable[..., Bench]


# ---- exec


def test_exec_answers_at_once_with_a_running_job(one_thread: Bench) -> None:
    """Even where the pool has no thread to spare."""
    hold = Hold()
    first = one_thread.start(graph(worker=does(hold)))
    hold.reached()
    second = one_thread.start(chain(source([1]), collects(), flow_id="second"))
    assert isinstance(second.job_state, JobState)
    assert second.job_state.status == "running"
    assert second.snapshot().summary.activations == 0
    hold.release()
    assert first.wait(LIMIT)
    assert second.wait(LIMIT)
    assert second.is_completed()


def test_an_unknown_flow_is_named_and_so_are_those_there_are(runtime: Bench) -> None:
    with pytest.raises(ValueError, match=r"there is no flow 'etl'.*none is registered"):
        runtime.exec("etl")
    for name in ("load", "clean"):
        runtime.flows.register_by_name(name, Flow())
    with pytest.raises(ValueError, match=r"there is no flow 'etl'.*'clean', 'load'"):
        runtime.exec("etl")
    assert runtime.list_jobs() == []


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), "soon"])
def test_a_time_limit_is_a_positive_number(runtime: Bench, timeout: Any) -> None:
    with pytest.raises(ValueError, match="timeout is"):
        runtime.start(chain(source([1])), timeout=timeout)
    assert runtime.list_jobs() == []


@pytest.mark.parametrize("params", [[1], "x", 7])
def test_entry_parameters_are_a_dict(runtime: Bench, params: Any) -> None:
    with pytest.raises(ValueError, match=r"entry_params of flow 'flow'.*must be a dict"):
        runtime.start(chain(source([1])), params)
    assert runtime.list_jobs() == []


def test_a_flow_is_looked_up_in_the_registry_of_the_process_unless_told() -> None:
    flow = graph(worker=does(lambda: None))
    FlowRegistry.get_instance().register_by_name("test-of-the-default-registry", flow)
    try:
        with Runtime(1) as runtime:
            state = runtime.exec("test-of-the-default-registry")
            assert runtime.get_job(state.job_id).wait(LIMIT)  # type: ignore[union-attr]
            assert state.flow_name == "test-of-the-default-registry"
    finally:
        FlowRegistry.get_instance().unregister("test-of-the-default-registry")


def test_a_job_keeps_the_flow_it_started_with(runtime: Bench) -> None:
    """Registering another flow under its name counts for later jobs."""
    hold = Hold()
    old = node(lambda items: (hold(), old.emit("out", x="old")))
    job = runtime.start(chain(source([1]), old, collects()))
    hold.reached()
    later = runtime.start(chain(source(["new"]), collects()))
    hold.release()
    assert job.wait(LIMIT)
    assert later.wait(LIMIT)
    assert job.job_state.shared_data["got"] == ["old"]
    assert later.job_state.shared_data["got"] == ["new"]


# ---- parameters


@dataclasses.dataclass
class AsDataclass:
    folder: str
    depth: int = 3


class AsModel(pydantic.BaseModel):
    folder: str
    depth: int = 3


class AsTypedDict(TypedDict):
    folder: str
    depth: int


def takes(declaration: type | None) -> Flow:
    def logic(trigger: Any, job_state: JobState) -> None:
        job_state.shared_data["seen"] = trigger

    flow = Flow("etl", params=declaration)
    flow.add_routine(node(logic, slots=["trigger"]), "worker")
    return flow


def test_what_the_logic_or_the_caller_changes_in_the_parameters_changes_nothing_of_the_job(
    runtime: Bench,
) -> None:
    """A job that is run again with its parameters gets what it got at first."""
    seen: list[Any] = []

    def logic(trigger: list[dict[str, Any]]) -> None:
        seen.append(copy.deepcopy(trigger[0]))
        trigger[0]["paths"].append("added")
        trigger[0]["options"]["deep"].clear()
        trigger[0]["more"] = True

    given = {"paths": ["a"], "options": {"deep": [1, 2]}}
    flow = chain(node(logic, slots=("trigger",)))
    first = runtime.run(flow, given)
    again = runtime.run(flow, dict(first.job_state.entry_params))
    given["paths"].append("later")
    expected = {"paths": ["a"], "options": {"deep": [1, 2]}}
    assert seen == [expected, expected]
    assert first.job_state.entry_params == again.job_state.entry_params == expected


@pytest.mark.parametrize("declaration", [AsDataclass, AsModel])
def test_parameters_are_coerced_and_filled_in_and_handed_over(runtime: Bench, declaration: type) -> None:
    job = runtime.run(takes(declaration), {"folder": "x"})
    assert job.job_state.shared_data["seen"] == [{"folder": "x", "depth": 3}]
    job = runtime.run(takes(declaration), {"folder": "x", "depth": "5"})
    assert job.job_state.shared_data["seen"] == [{"folder": "x", "depth": 5}]
    assert job.job_state.entry_params == {"folder": "x", "depth": 5}


@pytest.mark.parametrize("declaration", [AsDataclass, AsModel, AsTypedDict])
def test_parameters_that_do_not_validate_are_named(runtime: Bench, declaration: type) -> None:
    with pytest.raises(ParameterError, match="parameters of flow 'etl' do not validate") as caught:
        runtime.start(takes(declaration), {"depth": "deep", "colour": "red"})
    assert isinstance(caught.value, ValueError)
    assert sorted(error.field for error in caught.value.errors) == ["colour", "depth", "folder"]
    assert runtime.list_jobs() == []


def test_a_flow_without_a_declaration_takes_any_dict(runtime: Bench) -> None:
    for params in ({"any": {"thing": 1}}, {}):
        assert runtime.run(takes(None), params).job_state.shared_data["seen"] == [params]
    assert runtime.run(takes(None)).job_state.shared_data["seen"] == [{}]


# ---- carrying jobs on


def test_a_job_state_of_another_flow_is_refused(runtime: Bench) -> None:
    state = runtime.run(chain(source([1]), fails())).job_state
    runtime.flows.register(Flow("other"))
    with pytest.raises(ValueError, match="is one of flow 'flow' and cannot be carried on as 'other'"):
        runtime.exec("other", job_state=state)
    assert len(runtime.list_jobs()) == 1


def test_parameters_and_a_job_state_cannot_both_be_given(runtime: Bench) -> None:
    state = runtime.run(chain(source([1]), fails())).job_state
    with pytest.raises(ValueError, match="not both"):
        runtime.exec("flow", {"n": 1}, state)


def test_a_job_that_ended_for_good_cannot_be_carried_on(runtime: Bench) -> None:
    done = runtime.run(chain(source([1]), collects()))
    with pytest.raises(ValueError, match=f"job '{done.job_id}' is completed; only a paused"):
        runtime.exec("flow", job_state=done.job_state)


def test_a_job_that_runs_cannot_be_started_twice(runtime: Bench) -> None:
    hold = Hold()
    job = runtime.start(graph(worker=does(hold)))
    hold.reached()
    with pytest.raises(ValueError, match="is running and cannot be started twice"):
        runtime.exec("flow", job_state=job.job_state)
    hold.release()
    assert job.wait(LIMIT)
    assert job.is_completed()


def test_a_failed_job_of_which_something_still_runs_cannot_be_started_twice(runtime: Bench) -> None:
    job, hold = failed_while_another_runs(runtime)
    with pytest.raises(ValueError, match="cannot be started twice"):
        runtime.exec("flow", job_state=job.job_state)
    hold.release()
    assert job.wait(LIMIT)


def test_a_job_can_be_carried_on_the_moment_wait_has_returned(runtime: Bench) -> None:
    angry = True

    def logic() -> None:
        if angry:
            raise ValueError

    flow = graph(worker=does(logic))
    for _ in range(200):
        angry = True
        job = runtime.run(flow)
        assert job.is_failed()
        angry = False
        job = runtime.carry_on(flow, job.job_state)
        assert job.wait(LIMIT)
        assert job.is_completed()


# ---- finding jobs


def test_jobs_are_listed_oldest_first_by_status_and_by_flow(runtime: Bench) -> None:
    hold = Hold()
    good = runtime.run(chain(source([1]), collects(), flow_id="good"))
    bad = runtime.run(chain(source([1]), fails(), flow_id="bad"))
    held = runtime.start(graph([], "good", worker=does(hold)))
    hold.reached()
    assert runtime.list_jobs() == [good, bad, held]
    assert runtime.list_jobs(status="running") == [held]
    assert runtime.list_jobs(status="completed") == [good]
    assert runtime.list_jobs(status=bad.status) == [bad]
    assert runtime.list_jobs(flow_name="good") == [good, held]
    assert runtime.list_jobs(status="completed", flow_name="good") == [good]
    assert runtime.list_jobs(flow_name="nobody") == []
    with pytest.raises(ValueError, match="there is no status 'done'; it must be one of 'pending', 'running'"):
        runtime.list_jobs(status="done")
    hold.release()


def test_a_job_is_found_by_its_id(runtime: Bench) -> None:
    job = runtime.run(chain(source([1]), collects()))
    assert runtime.get_job(job.job_id) is job
    assert runtime.get_job("nobody") is None


def test_ids_are_unique_and_may_be_made_by_the_caller(make_runtime: MakeRuntime) -> None:
    usual = make_runtime()
    flow = chain(source([1]), collects())
    assert len({usual.run(flow).job_id for _ in range(100)}) == 100
    numbers = iter(range(10))
    own = make_runtime(new_job_id=lambda: f"job-{next(numbers)}")
    assert [own.run(flow).job_id for _ in range(3)] == ["job-0", "job-1", "job-2"]


def test_of_too_many_finished_jobs_the_oldest_are_forgotten(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(max_finished_jobs=3)
    hold = Hold()
    held = runtime.start(graph(worker=does(hold)))
    hold.reached()
    jobs = [runtime.run(chain(source([1]), collects())) for _ in range(5)]
    runtime.wait_until_all_jobs_finished(0)
    assert runtime.list_jobs(status="completed") == jobs[2:]
    assert runtime.get_job(jobs[1].job_id) is None
    assert jobs[0].wait(0)  # a handle that somebody keeps goes on answering
    assert jobs[0].is_completed()
    assert runtime.get_job(held.job_id) is held  # the oldest of all, but it has not ended
    hold.release()
    assert runtime.wait_until_all_jobs_finished(LIMIT)
    assert runtime.list_jobs() == [held, *jobs[3:]]


def test_a_thousand_finished_jobs_stay_unless_told(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime()
    assert runtime.max_finished_jobs == 1000
    flow = graph(worker=does(lambda: None))
    runtime.flows.register(flow)
    for _ in range(1005):
        runtime.exec("flow")
    assert runtime.wait_until_all_jobs_finished(LIMIT)
    assert len(runtime.list_jobs()) == 1000


def test_no_finished_job_needs_to_stay(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(max_finished_jobs=0)
    hold = Hold()
    job = runtime.start(graph(worker=does(hold)))
    hold.release()
    assert job.wait(LIMIT)
    assert runtime.wait_until_all_jobs_finished(LIMIT)
    assert runtime.list_jobs() == []


@pytest.mark.parametrize("name", ["threads", "max_finished_jobs", "cpu_permits"])
@pytest.mark.parametrize("value", [-1, 1.5, True, "2"])
def test_a_runtime_is_made_of_whole_numbers(make_runtime: MakeRuntime, name: str, value: Any) -> None:
    with pytest.raises(ValueError, match="must be a whole number of at least"):
        make_runtime(**{name: value})


# ---- isolation


def test_jobs_of_one_flow_never_see_each_others_items_or_state(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(8)

    def logic(items: Any, job_state: JobState) -> None:
        own = job_state.routine_state()
        own.setdefault("seen", set()).add(items[0]["x"])
        worker.emit("out", x=items[0]["x"])

    worker = node(logic)

    def start(trigger: Any) -> None:
        for _ in range(100):
            first.emit("out", x=trigger[0]["mark"])

    first = node(start, slots=["trigger"], name="source")
    flow = chain(first, worker, collects())
    jobs = [runtime.start(flow, {"mark": mark}) for mark in range(30)]
    for mark, job in enumerate(jobs):
        assert job.wait(LIMIT)
        assert job.job_state.shared_data["got"] == [mark] * 100


def test_what_logic_sets_in_its_context_is_not_seen_by_another_job(one_thread: Bench) -> None:
    """Also not by the next job on the same thread, nor by a routine that runs on top of one that waits."""
    mark: ContextVar[str] = ContextVar("mark", default="none")
    seen: list[str] = []

    def first(trigger: Any) -> None:
        seen.append(mark.get())
        mark.set("set by the source")
        for number in range(3):
            start.emit("out", x=number)

    start = node(first, slots=("trigger",), name="start")
    flow = chain(start, node(lambda items: seen.append(mark.get()), capacity=1))
    for _ in range(3):
        assert one_thread.run(flow).is_completed()
    assert seen == ["none"] * 12


def test_two_runtimes_share_nothing_but_the_process(make_runtime: MakeRuntime) -> None:
    one, other = make_runtime(), make_runtime()
    job = one.run(chain(source([1]), collects()))
    assert other.get_job(job.job_id) is None
    assert other.list_jobs() == []
    one.shutdown()
    assert other.run(chain(source([1]), collects())).is_completed()


# ---- waiting for all


def test_waiting_for_all_jobs_answers_false_at_its_timeout(runtime: Bench) -> None:
    assert runtime.wait_until_all_jobs_finished() is True
    hold = Hold()
    job = runtime.start(graph(worker=does(hold)))
    hold.reached()
    assert runtime.wait_until_all_jobs_finished(0) is False
    started = time.monotonic()
    assert runtime.wait_until_all_jobs_finished(0.05) is False
    assert time.monotonic() - started >= 0.05
    hold.release()
    assert runtime.wait_until_all_jobs_finished(LIMIT) is True
    assert job.is_finished()


def test_waiting_for_all_jobs_waits_for_each_of_many(runtime: Bench) -> None:
    flow = chain(source(range(50)), passes(), collects())
    jobs = [runtime.start(flow) for _ in range(50)]
    assert runtime.wait_until_all_jobs_finished(LIMIT)
    assert all(job.is_completed() for job in jobs)


def test_a_paused_job_has_not_finished(runtime: Bench) -> None:
    hold = Hold()
    job = runtime.start(graph(worker=does(hold)))
    hold.reached()
    job.pause()
    hold.release()
    assert job.wait_until_paused(LIMIT)
    assert runtime.wait_until_all_jobs_finished(0.05) is False
    assert job.resume()
    assert runtime.wait_until_all_jobs_finished(LIMIT)


def test_a_job_that_ended_is_no_longer_waited_for(runtime: Bench) -> None:
    """The moment `wait` has returned, the runtime agrees."""
    flow = graph(worker=does(lambda: None))
    for _ in range(300):
        runtime.run(flow)
        assert runtime.wait_until_all_jobs_finished(LIMIT)


def test_cancelling_all_jobs_answers_how_many_were(runtime: Bench) -> None:
    hold = Hold()
    runtime.run(chain(source([1]), collects()))
    jobs = [runtime.start(graph(worker=does(hold))) for _ in range(3)]
    hold.reached(3)
    assert runtime.cancel_all_jobs() == 3
    assert {job.status for job in jobs} == {"cancelling"}
    hold.release()
    assert runtime.wait_until_all_jobs_finished(LIMIT)
    assert {job.status for job in jobs} == {"cancelled"}
    assert runtime.cancel_all_jobs() == 0


def test_all_jobs_can_be_cancelled_by_force(runtime: Bench) -> None:
    started = threading.Semaphore(0)

    def spin() -> None:
        started.release()
        while True:
            pass

    jobs = [runtime.start(graph(worker=does(spin))) for _ in range(2)]
    for _ in jobs:
        assert started.acquire(timeout=LIMIT)
    assert runtime.cancel_all_jobs(force=True) == 2
    assert runtime.wait_until_all_jobs_finished(LIMIT)
    assert {job.status for job in jobs} == {"cancelled"}


# ---- shutting down


def test_shutdown_lets_running_jobs_finish(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime()
    hold = Hold()
    job = runtime.start(graph(worker=does(hold)))
    hold.reached()
    closing = threading.Thread(target=runtime.shutdown)
    closing.start()
    closing.join(0.05)
    assert closing.is_alive()
    hold.release()
    closing.join(LIMIT)
    assert not closing.is_alive()
    assert job.is_completed()
    assert engine_threads() == []


def test_shutdown_lets_all_work_of_running_jobs_finish(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(2)
    later = ErrorHandler("retry", max_retries=1, retry_delay=0.05)
    tries: list[int] = []

    def fail_once() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise ValueError

    jobs = [
        runtime.start(chain(source(range(5000)), passes(), collects(), flow_id="long")),
        runtime.start(chain(source([1]), node(fail_once, handler=later), flow_id="retried")),
        runtime.start(chain(source([1, 2]), collects(policy=time_interval_policy(0.05)), flow_id="timed")),
    ]
    runtime.shutdown()
    assert [job.status for job in jobs] == ["completed"] * 3
    assert len(jobs[0].job_state.shared_data["got"]) == 5000
    assert tries == [1, 1]
    assert jobs[2].job_state.shared_data["got"] == [1, 2]
    assert engine_threads() == []


def test_shutdown_without_waiting_cancels_and_does_not_block(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime()
    hold = Hold()
    job = runtime.start(graph(worker=does(hold)))
    hold.reached()
    runtime.shutdown(wait=False)
    assert job.status == "cancelling"
    assert len(engine_threads()) >= 1
    hold.release()
    assert job.wait(LIMIT)
    assert job.is_cancelled()
    assert_no_threads_left()


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("second", [True, False])
def test_shutting_down_twice_is_once(make_runtime: MakeRuntime, first: bool, second: bool) -> None:
    runtime = make_runtime()
    job = runtime.run(chain(source([1]), collects()))
    runtime.shutdown(wait=first)
    runtime.shutdown(wait=second)
    assert job.is_completed()
    assert_no_threads_left()


def test_many_threads_may_shut_down_at_once(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime()
    job = runtime.start(chain(source(range(1000)), passes(), collects()))
    threads = [threading.Thread(target=runtime.shutdown) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT)
        assert not thread.is_alive()
    assert job.is_completed()
    assert engine_threads() == []


def test_after_shutdown_no_job_starts(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime()
    failed = runtime.run(chain(source([1]), fails()))
    runtime.shutdown()
    with pytest.raises(RuntimeError, match="the runtime is shut down"):
        runtime.start(chain(source([1]), collects(), flow_id="late"))
    with pytest.raises(RuntimeError, match="the runtime is shut down"):
        runtime.exec("flow", job_state=failed.job_state)
    assert runtime.list_jobs() == [failed]


def test_what_is_paused_at_shutdown_stays_so_and_can_be_saved(
    make_runtime: MakeRuntime, tmp_path: Path
) -> None:
    runtime = make_runtime()
    hold = Hold()
    flow = chain(does(hold, events=["out"], name="first"), collects())
    job = runtime.start(flow)
    hold.reached()
    job.pause()
    hold.release()
    assert job.wait_until_paused(LIMIT)
    runtime.shutdown()
    assert engine_threads() == []
    assert job.is_paused()
    job.job_state.save(tmp_path / "job.json")
    assert JobState.load(tmp_path / "job.json").status == "paused"
    assert job.resume() is False
    with pytest.raises(RuntimeError, match="the runtime is shut down"):
        runtime.exec("flow", job_state=job.job_state)
    assert job.is_paused()


def test_threads_are_started_when_they_are_needed(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(8)
    assert engine_threads() == []
    hold = Hold()
    for _ in range(3):
        runtime.start(graph(worker=does(hold)))
    hold.reached(3)
    assert len(engine_threads()) in (3, 4)
    hold.release()
    assert runtime.wait_until_all_jobs_finished(LIMIT)


def test_no_runtime_has_more_threads_than_its_pool_and_one_for_timers(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(3)
    flow = chain(source(range(200)), passes(concurrency=5), collects(policy=time_interval_policy(0.001)))
    jobs = [runtime.start(flow) for _ in range(20)]
    most = 0
    while not runtime.wait_until_all_jobs_finished(0.001):
        most = max(most, len(engine_threads()))
    assert all(job.is_completed() for job in jobs)
    assert most <= 4


def test_a_thousand_jobs_that_wait_cost_no_thread(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(2)
    later = ErrorHandler("retry", retry_delay=3600)
    flow = chain(source([1]), fails(handler=later))
    runtime.flows.register(flow)
    waiting = threading.Semaphore(0)
    flow.routines["r1"].set_logic(lambda: (waiting.release(), 1 / 0))
    jobs = [runtime.job_of(runtime.exec("flow")) for _ in range(1000)]
    for _ in jobs:
        assert waiting.acquire(timeout=LIMIT)
    assert len(engine_threads()) <= 3
    assert {job.status for job in jobs} == {"running"}
    assert runtime.run(chain(source([1]), collects(), flow_id="other")).is_completed()
    assert runtime.cancel_all_jobs() == 1000
    assert runtime.wait_until_all_jobs_finished(LIMIT)


# ---- as a context manager


def test_leaving_the_context_waits_for_the_jobs() -> None:
    with Bench(2) as runtime:
        job = runtime.start(chain(source(range(2000)), passes(), collects()))
    assert job.is_completed()
    assert job.job_state.shared_data["got"] == list(range(2000))
    assert engine_threads() == []


def test_leaving_the_context_on_an_exception_cancels_and_lets_the_exception_through() -> None:
    started = threading.Event()

    def logic(job_state: JobState) -> None:
        started.set()
        job_state.sleep(3600)

    def leave() -> None:
        with Bench(2) as runtime:
            jobs.append(runtime.start(graph(worker=does(logic))))
            assert started.wait(LIMIT)
            raise KeyError("mine")

    jobs: list[Any] = []
    with pytest.raises(KeyError, match="mine"):
        leave()
    assert jobs[0].is_cancelled()
    assert engine_threads() == []


def test_entering_the_context_answers_with_the_runtime() -> None:
    runtime = Bench(1)
    with runtime as entered:
        assert entered is runtime


# ---- listeners


def test_listeners_are_told_of_every_change_in_order(runtime: Bench) -> None:
    events: list[JobEvent] = []
    runtime.subscribe(events.append)
    hold = Hold()
    job = runtime.start(chain(does(hold, events=["out"], name="first"), collects()))
    hold.reached()
    job.pause()
    hold.release()
    assert job.wait_until_paused(LIMIT)
    job.resume()
    assert job.wait(LIMIT)
    runtime.shutdown()
    seen = [(str(event.status), event.ended) for event in events]
    assert seen == [
        ("running", False),
        ("pausing", False),
        ("paused", False),
        ("running", False),
        ("completed", True),
    ]
    assert {(event.job_id, event.flow_name) for event in events} == {(job.job_id, "flow")}
    assert [event.timestamp for event in events] == sorted(event.timestamp for event in events)


def test_a_failed_job_is_told_twice_and_ends_once(runtime: Bench) -> None:
    """Once when it fails, and once when nothing of it runs any more."""
    events: list[JobEvent] = []
    runtime.subscribe(events.append)
    job, hold = failed_while_another_runs(runtime)
    assert [(str(event.status), event.ended) for event in events] == [("running", False), ("failed", False)]
    hold.release()
    assert job.wait(LIMIT)
    runtime.shutdown()
    assert [(str(event.status), event.ended) for event in events[2:]] == [("failed", True)]


def test_every_job_ends_once_for_listeners(runtime: Bench) -> None:
    ended: list[str] = []
    runtime.subscribe(lambda event: ended.append(event.job_id) if event.ended else None)
    flow = chain(source(range(20)), passes(), collects())
    jobs = [runtime.start(flow) for _ in range(100)]
    for job in jobs[::3]:
        job.cancel()
    assert runtime.wait_until_all_jobs_finished(LIMIT)
    runtime.shutdown()
    assert sorted(ended) == sorted(job.job_id for job in jobs)


def test_a_listener_that_unsubscribed_hears_no_more(runtime: Bench) -> None:
    heard: list[str] = []
    unsubscribe = runtime.subscribe(lambda event: heard.append(event.status))
    runtime.run(chain(source([1]), collects()))
    runtime.wait_until_all_jobs_finished(LIMIT)
    unsubscribe()
    unsubscribe()
    count = len(heard)
    runtime.run(chain(source([1]), collects()))
    runtime.shutdown()
    assert len(heard) == count


def test_a_listener_that_raises_is_logged_dropped_and_hurts_no_job(
    runtime: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[str] = []
    heard: list[str] = []

    def broken(event: JobEvent) -> None:
        calls.append(event.status)
        raise LookupError("broken listener")

    runtime.subscribe(broken)
    runtime.subscribe(lambda event: heard.append(event.status))
    with caplog.at_level(logging.ERROR):
        job = runtime.run(chain(source([1]), collects()))
        assert job.is_completed()
        assert runtime.run(chain(source([1]), collects())).is_completed()
        runtime.shutdown()
    assert calls == ["running"]
    assert heard == ["running", "completed"] * 2
    assert "broken listener" in caplog.text
    assert "is dropped" in caplog.text


def test_a_listener_may_use_the_runtime(runtime: Bench) -> None:
    """It is called while nothing is locked."""
    flow = chain(source([1]), collects())
    seen: list[Any] = []
    follow_up = threading.Event()

    def listener(event: JobEvent) -> None:
        seen.append((runtime.get_job(event.job_id).status, len(runtime.snapshot().jobs)))  # type: ignore[union-attr]
        if event.ended and len(runtime.list_jobs()) == 1:
            runtime.start(flow)
        elif event.ended:
            follow_up.set()

    runtime.subscribe(listener)
    runtime.start(flow)
    assert follow_up.wait(LIMIT)
    assert len(runtime.list_jobs()) == 2
    assert len(seen) == 4


def test_what_a_listener_prints_is_not_the_jobs(
    make_runtime: MakeRuntime, capsys: pytest.CaptureFixture[str]
) -> None:
    runtime = make_runtime(1, echo=False)
    runtime.subscribe(lambda event: print(f"told of {event.status}"))

    def logic(items: Any, job_state: JobState) -> None:
        print("the job's own")
        job = runtime.get_job(job_state.job_id)
        assert job is not None
        assert job.pause()
        assert job.resume()

    job = runtime.run(chain(source([1]), node(logic)))
    assert job.is_completed(), job.job_state.error
    assert [line.message for line in job.job_state.logs()] == ["the job's own"]
    told = "running", "pausing", "running", "completed"
    assert capsys.readouterr().out.splitlines() == [f"told of {status}" for status in told]


def test_logic_cannot_wait_for_the_end_of_its_own_runtime(runtime: Bench) -> None:
    job = runtime.run(graph(worker=does(runtime.shutdown)))
    assert job.is_failed()
    assert "logic cannot wait for the end of all jobs" in str(job.job_state.error)
    assert runtime.run(chain(source([1]), collects())).is_completed(), "nothing was shut down"
    job = runtime.run(graph(worker=does(lambda: runtime.shutdown(wait=False))))
    assert job.is_cancelled()


def test_logic_may_have_a_runtime_of_its_own(runtime: Bench) -> None:
    def logic(job_state: JobState) -> None:
        with Bench(2) as inner:
            job = inner.start(chain(source(), collects(), flow_id="inner"), {"n": 3})
            assert inner.wait_until_all_jobs_finished(LIMIT)
            job_state.shared_data["inner"] = job.job_state.shared_data["got"]

    job = runtime.run(graph(worker=does(logic)))
    assert job.is_completed(), job.job_state.error
    assert job.job_state.shared_data["inner"] == [0, 1, 2]


def test_logic_may_start_jobs_and_wait_for_them(runtime: Bench) -> None:
    inner = chain(source(), collects(), flow_id="inner")

    def logic(job_state: JobState) -> None:
        job = runtime.start(inner, {"n": 3})
        assert job.wait(LIMIT)
        job_state.shared_data["inner"] = job.job_state.shared_data["got"]

    assert runtime.run(graph(worker=does(logic))).job_state.shared_data == {"inner": [0, 1, 2]}


# ---- what is let go


class Thing:
    """Something that can be pointed at weakly."""


def gone(reference: weakref.ref[Any]) -> bool:
    """Whether it goes, if not at once, then as soon as the threads that had it have moved on."""
    deadline = time.monotonic() + LIMIT
    while reference() is not None and time.monotonic() < deadline:
        gc.collect()
        threading.Event().wait(0.002)
    return reference() is None


def test_the_items_of_a_finished_job_are_let_go(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime()
    things: list[weakref.ref[Thing]] = []

    def start() -> None:
        for _ in range(3):
            thing = Thing()
            things.append(weakref.ref(thing))
            first.emit("out", x=thing)

    first = does(start, events=["out"], name="first")
    flow = chain(first, node(lambda items: None), max_history=0)
    job = runtime.run(flow)
    assert job.is_completed()
    assert len(things) == 3
    assert all(gone(thing) for thing in things)


def test_what_the_errors_of_a_forgotten_job_held_is_let_go(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(max_finished_jobs=1)
    things: list[weakref.ref[Thing]] = []

    class Failure(Exception):
        pass

    def logic() -> None:
        thing = Thing()
        error = Failure("with a frame that holds a thing")
        things.extend((weakref.ref(thing), weakref.ref(error)))  # type: ignore[list-item]
        raise error

    runtime.run(graph(worker=does(logic)))
    assert len(things) == 2
    runtime.run(chain(source([1]), collects()))
    assert runtime.wait_until_all_jobs_finished(LIMIT)
    assert all(gone(thing) for thing in things)


def test_a_finished_job_holds_no_items_by_the_frames_of_its_errors(make_runtime: MakeRuntime) -> None:
    """An exception keeps the frames it came through; they must not keep the queues of a job that ended."""
    runtime = make_runtime()
    things: list[weakref.ref[Thing]] = []

    def start() -> None:
        for number in range(2):
            thing = Thing()
            things.append(weakref.ref(thing))
            first.emit("out", x=(number, thing))

    def logic(items: Any) -> None:
        if items[0]["x"][0] == 0:
            raise ValueError
        del items[:]

    first = does(start, events=["out"], name="first")
    flow = chain(first, node(logic, handler=ErrorHandler("continue")), max_history=0)
    job = runtime.run(flow)
    assert job.is_completed()
    assert len(job.job_state.errors) == 1  # keeps the slice it failed on, and no other
    assert gone(things[1])


def loops_that_live() -> int:
    gc.collect()
    return sum(type(each) is EventLoop for each in gc.get_objects())


@pytest.mark.parametrize("strategy", ["continue", "skip", "stop"])
def test_a_finished_job_gives_up_its_loop_also_where_it_had_errors(runtime: Bench, strategy: str) -> None:
    before = loops_that_live()
    jobs = [runtime.run(chain(source(range(3)), fails(handler=ErrorHandler(strategy)))) for _ in range(3)]
    assert all(job.job_state.errors for job in jobs)
    runtime.shutdown()
    assert loops_that_live() == before


def test_forgotten_jobs_are_collected(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(max_finished_jobs=0)
    handles = []
    states = []
    for flow in (chain(source(range(5)), passes(), collects()), chain(source([1]), fails())):
        runtime.flows.register(flow)
        state = runtime.exec(flow.flow_id)
        states.append(weakref.ref(state))
        job = runtime.get_job(state.job_id)
        if job is not None:
            handles.append(weakref.ref(job))
        del state, job
    assert runtime.wait_until_all_jobs_finished(LIMIT)
    assert all(gone(each) for each in (*states, *handles))


def test_routines_and_flows_that_nobody_registers_any_more_are_collected(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(max_finished_jobs=0)

    def once() -> list[weakref.ref[Any]]:
        flow = chain(source(range(5)), passes(), collects())
        runtime.flows.register(flow)
        state = runtime.exec("flow")
        job = runtime.get_job(state.job_id)
        assert job is None or job.wait(LIMIT)
        runtime.flows.clear()
        return [weakref.ref(flow), *(weakref.ref(routine) for routine in flow.routines.values())]

    references = once()
    assert runtime.wait_until_all_jobs_finished(LIMIT)
    assert all(gone(each) for each in references)


def test_a_runtime_that_was_shut_down_is_collected() -> None:
    runtime = Bench(2)
    runtime.run(chain(source(range(5)), collects(policy=time_interval_policy(0))))
    runtime.shutdown()
    reference = weakref.ref(runtime)
    del runtime
    assert gone(reference)


def test_a_runtime_prints_readably(runtime: Bench) -> None:
    runtime.run(chain(source([1]), collects()))
    runtime.wait_until_all_jobs_finished(LIMIT)
    assert repr(runtime) == "<Runtime: 4 threads, 0 live of 1 jobs>"
    runtime.shutdown()
    assert repr(runtime) == "<Runtime: 4 threads, 0 live of 1 jobs (shut down)>"

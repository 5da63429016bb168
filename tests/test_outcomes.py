"""What becomes of a job when an activation raises is what its error handler says, and no item is lost."""

from __future__ import annotations

import dataclasses
import itertools
import threading
from collections.abc import Callable
from typing import Any

import pytest

from routilux import (
    ErrorHandler,
    Flow,
    JobCancelled,
    JobState,
    Routine,
    all_slots_ready_policy,
    custom_policy,
)
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
    source,
)

MakeRuntime = Callable[..., Bench]


def fails_on(bad: Any, handler: ErrorHandler | None = None, **how: Any) -> Routine:
    """Collects `x`, but raises at one value as long as `bad` holds it."""

    def logic(items: Any, job_state: JobState) -> None:
        if items[0]["x"] in bad:
            raise ValueError(f"cannot take {items[0]['x']}")
        with job_state.shared_lock:
            job_state.shared_data.setdefault("got", []).append(items[0]["x"])

    return node(logic, handler=handler, **how)


def names(job: Any, routine_id: str | None = None) -> list[str]:
    return [record.event_name for record in job.job_state.get_execution_history(routine_id)]


# ---- STOP


def test_stop_is_what_happens_without_a_handler(one_thread: Bench) -> None:
    job = one_thread.run(chain(source(range(5)), fails_on({2})))
    assert job.is_failed()
    assert job.job_state.shared_data["got"] == [0, 1]
    assert job.job_state.error is not None
    assert job.job_state.error.message == "cannot take 2"
    assert job.snapshot().summary.error == "r1: ValueError: cannot take 2"


def test_stop_leaves_queued_items_where_they_are(one_thread: Bench) -> None:
    job = one_thread.run(chain(source(range(5)), fails_on({2})))
    assert dict(job.job_state.leftovers) == {"r1.items": 2}
    assert job.snapshot().routines[1].activations == 3


def test_stop_fails_the_job_at_once_and_starts_nothing_more(runtime: Bench) -> None:
    job, hold = failed_while_another_runs(runtime)
    assert job.status == "failed"
    count = job.snapshot().summary.activations
    hold.release()
    assert job.wait(LIMIT)
    assert job.snapshot().summary.activations == count


def test_what_still_runs_of_a_failed_job_comes_to_its_end(runtime: Bench) -> None:
    other: list[Routine] = []

    def then() -> None:
        other[0].emit("out", x=7)

    job, hold = failed_while_another_runs(runtime, then)
    other.append(job.flow.routines["other"])
    hold.release()
    assert job.wait(LIMIT)
    assert job.is_failed()
    assert "out" in names(job, "other")


def test_the_slice_that_failed_is_run_first_when_the_job_is_carried_on(one_thread: Bench) -> None:
    bad = {2}
    flow = chain(source(range(5)), fails_on(bad))
    job = one_thread.run(flow)
    assert job.is_failed()
    bad.clear()
    again = one_thread.carry_on(flow, job.job_state)
    assert again.wait(LIMIT)
    assert again.is_completed()
    assert again.job_state is job.job_state
    assert again.job_state.shared_data["got"] == [0, 1, 2, 3, 4]
    assert again.job_state.error is None
    assert [error.message for error in again.job_state.errors] == ["cannot take 2"]


def test_a_job_that_is_carried_on_may_fail_again(one_thread: Bench) -> None:
    bad = {2}
    flow = chain(source(range(5)), fails_on(bad))
    job = one_thread.run(flow)
    for _ in range(3):
        job = one_thread.carry_on(flow, job.job_state)
        assert job.wait(LIMIT)
        assert job.is_failed()
        assert job.job_state.error.message == "cannot take 2"  # type: ignore[union-attr]
    bad.clear()
    job = one_thread.carry_on(flow, job.job_state)
    assert job.wait(LIMIT)
    assert job.job_state.shared_data["got"] == [0, 1, 2, 3, 4]
    assert job.job_state.get_execution_history()[0].event_name == "activation_started"


def test_a_slice_of_several_slots_is_kept_whole(one_thread: Bench) -> None:
    angry = True
    seen: list[Any] = []

    def logic(left: Any, right: Any, policy_message: Any) -> None:
        if angry:
            raise ValueError
        seen.append((left, right, policy_message))

    def policy(slots: Any, job_state: Any) -> Any:
        yes, data, _ = ready(slots, job_state)
        return yes, data, "together"

    ready = all_slots_ready_policy()
    join = node(logic, slots=["left", "right"], policy=policy)
    flow = graph(["a -> join.left", "a -> join.right"], a=source([1]), join=join)
    job = one_thread.run(flow)
    assert job.job_state.errors[0].data_slice == {"left": [{"x": 1}], "right": [{"x": 1}]}
    angry = False
    assert one_thread.carry_on(flow, job.job_state).wait(LIMIT)
    assert seen == [([{"x": 1}], [{"x": 1}], "together")]


def test_the_entry_itself_may_fail_and_be_run_again(one_thread: Bench) -> None:
    tries: list[Any] = []

    def logic(trigger: Any) -> None:
        tries.append(trigger)
        if len(tries) == 1:
            raise ValueError

    flow = graph(worker=node(logic, slots=["trigger"]))
    job = one_thread.run(flow, {"n": 3})
    assert job.is_failed()
    assert one_thread.carry_on(flow, job.job_state).wait(LIMIT)
    assert tries == [[{"n": 3}], [{"n": 3}]]


def test_a_failing_first_routine_without_slots_may_be_run_again(one_thread: Bench) -> None:
    tries: list[int] = []

    def logic() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise ValueError

    flow = graph(worker=node(logic, slots=[]))
    job = one_thread.run(flow)
    assert job.is_failed()
    job = one_thread.carry_on(flow, job.job_state)
    assert job.wait(LIMIT)
    assert job.is_completed()
    assert len(tries) == 2


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit(), JobCancelled("mine")])
def test_no_exception_of_a_logic_escapes_the_job(runtime: Bench, error: BaseException) -> None:
    """Not even those that are no errors: they end the job that raised them, and nothing else."""
    job = runtime.run(chain(source([1]), fails(error)))
    assert job.is_failed()
    assert job.job_state.error is not None
    assert job.job_state.error.exception_type == type(error).__name__
    assert runtime.run(chain(source([1]), collects())).is_completed()


def test_an_error_that_cannot_be_printed_is_an_error_all_the_same(runtime: Bench) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    job = runtime.run(chain(source([1]), fails(Mute())))
    assert job.is_failed()
    assert job.job_state.error is not None
    assert job.job_state.error.exception_type == "Mute"
    assert runtime.run(chain(source([1]), collects())).is_completed()


def test_an_error_of_the_flows_handler_counts_for_all_its_routines(one_thread: Bench) -> None:
    flow = Flow("flow", error_handler=ErrorHandler("continue"))
    flow.add_routine(source(range(4)), "a")
    flow.add_routine(fails_on({1}), "b")
    flow.connect("a", "out", "b", "items")
    job = one_thread.run(flow)
    assert job.is_completed()
    assert job.job_state.shared_data["got"] == [0, 2, 3]


def test_the_routines_handler_overrides_that_of_the_flow(one_thread: Bench) -> None:
    stops = fails_on({1}, ErrorHandler("stop"))
    flow = chain(source(range(4)), stops, error_handler=ErrorHandler("continue"))
    assert one_thread.run(flow).is_failed()


# ---- CONTINUE


def test_continue_records_the_error_and_goes_on(one_thread: Bench) -> None:
    job = one_thread.run(chain(source(range(5)), fails_on({1, 3}, ErrorHandler("continue"))))
    assert job.is_completed()
    assert job.job_state.shared_data["got"] == [0, 2, 4]
    slices = [error.data_slice for error in job.job_state.errors]
    assert slices == [{"items": [{"x": 1}]}, {"items": [{"x": 3}]}]
    picture = job.snapshot().routines[1]
    assert (picture.errors, picture.activations, picture.state) == (2, 5, "done")
    assert names(job).count("activation_failed") == 2


def test_what_was_emitted_before_the_error_stays_emitted(one_thread: Bench) -> None:
    def logic(items: Any) -> None:
        half.emit("out", x=items[0]["x"])
        raise ValueError

    half = node(logic, handler=ErrorHandler("continue"))
    job = one_thread.run(chain(source([1, 2]), half, collects()))
    assert job.job_state.shared_data["got"] == [1, 2]


# ---- SKIP


def test_skip_passes_the_routine_by_and_counts_its_items(one_thread: Bench) -> None:
    job = one_thread.run(chain(source(range(5)), fails_on({1}, ErrorHandler("skip"))))
    assert job.is_completed()
    assert job.job_state.shared_data["got"] == [0]
    picture = job.snapshot().routines[1]
    assert (picture.state, picture.activations, picture.errors, picture.skipped_items) == ("skipped", 2, 1, 3)
    assert picture.waiting == 0
    assert dict(job.job_state.leftovers) == {}
    assert "routine_skipped" in names(job, "r1")


def test_items_that_come_after_the_skip_pass_it_by_too(runtime: Bench) -> None:
    """And nobody waits for room in a slot that nothing drains any more."""
    failed = threading.Event()

    def logic() -> None:
        failed.set()
        raise ValueError

    def start() -> None:
        first.emit("out", x=0)
        assert failed.wait(LIMIT)
        for number in range(1, 50):
            first.emit("out", x=number)

    first = does(start, events=["out"])
    flow = chain(first, node(logic, handler=ErrorHandler("skip"), capacity=2))
    job = runtime.run(flow)
    assert job.is_completed()
    picture = job.snapshot().routines[1]
    assert (picture.activations, picture.skipped_items, picture.waiting) == (1, 49, 0)


def test_an_emitter_that_waits_for_room_goes_on_when_the_routine_is_skipped(runtime: Bench) -> None:
    hold = Hold()

    def logic() -> None:
        hold()
        raise ValueError

    def start() -> None:
        first.emit("out", x=0)
        hold.reached()
        for number in range(1, 50):
            first.emit("out", x=number)

    first = does(start, events=["out"])
    job = runtime.start(chain(first, node(logic, handler=ErrorHandler("skip"), capacity=2)))
    while "waiting for room" not in job.why_not_finished():
        assert not job.wait(0.001)
    hold.release()
    assert job.wait(LIMIT), job.why_not_finished()
    assert job.is_completed()
    assert job.snapshot().routines[1].skipped_items == 49


def test_a_skip_counts_for_this_job_only(one_thread: Bench) -> None:
    bad = {1}
    flow = chain(source(range(3)), fails_on(bad, ErrorHandler("skip")))
    assert one_thread.run(flow).snapshot().routines[1].state == "skipped"
    bad.clear()
    job = one_thread.run(flow)
    assert job.snapshot().routines[1].state == "done"
    assert job.job_state.shared_data["got"] == [0, 1, 2]


def test_the_other_routines_go_on_beside_a_skipped_one(one_thread: Bench) -> None:
    bad = fails(handler=ErrorHandler("skip"))
    flow = graph(["a -> bad", "a -> good"], a=source(range(10)), bad=bad, good=collects())
    job = one_thread.run(flow)
    assert job.is_completed()
    assert job.job_state.shared_data["got"] == list(range(10))


# ---- RETRY


def test_retry_runs_the_same_slice_again_until_it_succeeds(one_thread: Bench) -> None:
    seen: list[Any] = []

    def logic(items: Any, job_state: JobState) -> None:
        seen.append(items)
        if len(seen) < 3:
            raise ValueError

    handler = ErrorHandler("retry", max_retries=5, retry_delay=0.001)
    job = one_thread.run(chain(source([7]), node(logic, handler=handler)))
    assert job.is_completed()
    assert seen == [[{"x": 7}]] * 3
    picture = job.snapshot().routines[1]
    assert (picture.activations, picture.retries, picture.errors) == (3, 2, 2)
    assert not any(error.fatal for error in job.job_state.errors)


def test_retry_ends_as_stop_after_so_many_tries(one_thread: Bench) -> None:
    flow = chain(source([7]), fails(handler=ErrorHandler("retry", max_retries=2, retry_delay=0.001)))
    job = one_thread.run(flow)
    assert job.is_failed()
    assert [error.fatal for error in job.job_state.errors] == [False, False, True]
    picture = job.snapshot().routines[1]
    assert (picture.activations, picture.retries, picture.errors) == (3, 2, 3)


def test_a_failed_job_gets_all_its_tries_again_when_it_is_carried_on(one_thread: Bench) -> None:
    flow = chain(source([7]), fails(handler=ErrorHandler("retry", max_retries=2, retry_delay=0.001)))
    job = one_thread.run(flow)
    job = one_thread.carry_on(flow, job.job_state)
    assert job.wait(LIMIT)
    assert job.is_failed()
    assert job.snapshot().routines[1].activations == 6


def test_the_delay_before_each_try_grows_by_the_backoff(one_thread: Bench) -> None:
    handler = ErrorHandler("retry", max_retries=3, retry_delay=0.02, retry_backoff=2)
    job = one_thread.run(chain(source([7]), fails(handler=handler)))
    starts = [
        record.timestamp
        for record in job.job_state.get_execution_history("r1")
        if record.event_name == "activation_started"
    ]
    gaps = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(starts)]
    for gap, delay in zip(gaps, [0.02, 0.04, 0.08], strict=True):
        assert delay <= gap + 0.001
    assert gaps[2] < 2  # and it is not far from what was asked for
    told = [r.data for r in job.job_state.get_execution_history("r1") if r.event_name == "retry_scheduled"]
    assert told == ["attempt 2 of 4 in 0.02 s", "attempt 3 of 4 in 0.04 s", "attempt 4 of 4 in 0.08 s"]


def test_a_retry_holds_no_thread_while_it_waits(one_thread: Bench) -> None:
    handler = ErrorHandler("retry", retry_delay=3600)
    waiting = one_thread.start(chain(source([7]), fails(handler=handler), flow_id="waiting"))
    for _ in range(20):
        assert one_thread.run(chain(source([1]), collects(), flow_id="other")).is_completed()
    assert waiting.status == "running"
    assert "r1 (attempt 2 is due in" in waiting.why_not_finished()
    assert waiting.snapshot().summary.running == 0


def test_other_items_of_the_routine_go_on_while_one_waits_to_be_retried(one_thread: Bench) -> None:
    bad = {1}
    handler = ErrorHandler("retry", max_retries=100, retry_delay=0.02, retry_backoff=1)
    job = one_thread.start(chain(source(range(5)), fails_on(bad, handler)))
    while len(job.job_state.shared_data.get("got", ())) < 4:
        assert not job.wait(0.001)
    assert job.job_state.shared_data["got"] == [0, 2, 3, 4]
    bad.clear()
    assert job.wait(LIMIT)
    assert job.is_completed()
    assert job.job_state.shared_data["got"] == [0, 2, 3, 4, 1]


def test_a_retry_at_once_is_a_retry(one_thread: Bench) -> None:
    handler = ErrorHandler("retry", max_retries=50, retry_delay=0)
    job = one_thread.run(chain(source([7]), fails(handler=handler)))
    assert job.is_failed()
    assert job.snapshot().routines[1].activations == 51


def test_an_exception_that_is_not_retryable_stops_the_job_at_once(one_thread: Bench) -> None:
    handler = ErrorHandler("retry", retry_delay=0, retryable_exceptions=(OSError,))
    job = one_thread.run(chain(source([7]), fails(ValueError, handler=handler)))
    assert job.is_failed()
    assert job.snapshot().routines[1].activations == 1


def test_a_thousand_retries_at_once_are_all_made(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(2)
    tries: dict[int, int] = {}

    def logic(items: Any, job_state: JobState) -> None:
        number = items[0]["x"]
        tries[number] = tries.get(number, 0) + 1
        if tries[number] == 1:
            raise ValueError
        job_state.routine_state()[number] = True

    handler = ErrorHandler("retry", max_retries=1, retry_delay=0.05)
    job = runtime.run(chain(source(range(1000)), node(logic, handler=handler)))
    assert job.is_completed(), job.job_state.error
    assert tries == dict.fromkeys(range(1000), 2)


def test_a_failure_elsewhere_keeps_what_waits_to_be_retried(one_thread: Bench) -> None:
    """The slice is run when the job is carried on, exactly once."""
    bad = {1}
    angry = True

    def stops(items: Any) -> None:
        if angry:
            raise KeyError("stop here")

    flow = graph(
        ["a -> retried", "a -> stops"],
        a=source([0, 1]),
        retried=fails_on(bad, ErrorHandler("retry", retry_delay=3600)),
        stops=node(stops),
    )
    job = one_thread.run(flow)
    assert job.is_failed()
    angry = False
    bad.clear()
    job = one_thread.carry_on(flow, job.job_state)
    assert job.wait(LIMIT), job.why_not_finished()
    assert job.is_completed()
    assert sorted(job.job_state.shared_data["got"]) == [0, 1]


# ---- a critical routine


@pytest.mark.parametrize("strategy", ["continue", "skip"])
def test_a_critical_routine_stops_the_job_whatever_its_strategy(one_thread: Bench, strategy: str) -> None:
    flow = chain(source(range(3)), fails_on({1}, ErrorHandler(strategy, is_critical=True)))
    job = one_thread.run(flow)
    assert job.is_failed()
    assert job.job_state.shared_data["got"] == [0]


# ---- several at once


def test_every_failure_of_parallel_activations_is_recorded(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(4)
    together = threading.Barrier(4)

    def logic(items: Any) -> None:
        together.wait(LIMIT)
        raise ValueError(items[0]["x"])

    flow = chain(source(range(40)), node(logic, concurrency=4, handler=ErrorHandler("continue")))
    job = runtime.run(flow)
    assert job.is_completed()
    assert sorted(int(error.message) for error in job.job_state.errors) == list(range(40))


def test_of_parallel_activations_that_stop_the_job_every_slice_is_kept(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(4)
    together = threading.Barrier(4)
    angry = True
    got: list[int] = []

    def logic(items: Any) -> None:
        if angry:
            together.wait(LIMIT)
            raise ValueError
        got.append(items[0]["x"])

    flow = chain(source(range(4)), node(logic, concurrency=4))
    job = runtime.run(flow)
    assert job.is_failed()
    assert len(job.job_state.errors) == 4
    angry = False
    job = runtime.carry_on(flow, job.job_state)
    assert job.wait(LIMIT)
    assert job.is_completed()
    assert sorted(got) == [0, 1, 2, 3]


# ---- the time limit of an activation


def spin() -> None:
    while True:
        pass


def test_an_activation_that_takes_too_long_fails_and_names_the_limit(runtime: Bench) -> None:
    job = runtime.run(graph(worker=does(spin, timeout=0.05)))
    assert job.is_failed()
    error = job.job_state.error
    assert error is not None
    assert error.exception_type == "FlowTimeout"
    assert "routine 'worker' ran longer than its limit of 0.05 s" in error.message
    assert error.data_slice == {"trigger": [{}]}
    assert "in spin" in error.traceback


def test_an_activation_that_takes_too_long_is_handled_like_any_error(runtime: Bench) -> None:
    def logic(items: Any, job_state: JobState) -> None:
        if items[0]["x"] == 1:
            job_state.sleep(3600)
        job_state.shared_data.setdefault("got", []).append(items[0]["x"])

    slow = node(logic, timeout=0.05, handler=ErrorHandler("continue"))
    job = runtime.run(chain(source(range(3)), slow))
    assert job.is_completed()
    assert job.job_state.shared_data["got"] == [0, 2]
    assert [error.exception_type for error in job.job_state.errors] == ["FlowTimeout"]


def test_an_activation_that_takes_too_long_may_be_retried(runtime: Bench) -> None:
    tries: list[int] = []

    def logic(job_state: JobState) -> None:
        tries.append(1)
        if len(tries) == 1:
            job_state.sleep(3600)

    handler = ErrorHandler("retry", retry_delay=0.001)
    job = runtime.run(graph(worker=does(logic, timeout=0.05, handler=handler)))
    assert job.is_completed()
    assert len(tries) == 2


def test_the_limit_is_for_each_activation_and_not_for_all_together(runtime: Bench) -> None:
    slow = node(lambda items, job_state: job_state.sleep(0.03), timeout=0.5)
    job = runtime.run(chain(source(range(20)), slow))
    assert job.is_completed(), job.job_state.error


def test_a_limit_reaches_logic_that_sleeps_and_leaves_the_job_alone(runtime: Bench) -> None:
    """Only the activation is over its time; the job was never asked to stop."""
    asked: list[bool] = []

    def logic(job_state: JobState) -> None:
        try:
            job_state.sleep(3600)
        finally:
            asked.append(job_state.cancel_requested)

    job = runtime.run(graph(worker=does(logic, timeout=0.05, handler=ErrorHandler("continue"))))
    assert job.is_completed()
    assert asked == [False]


# ---- errors that resist


class NoText(Exception):
    def __str__(self) -> str:
        raise KeyboardInterrupt


@dataclasses.dataclass(frozen=True)
class Frozen(Exception):
    """An exception on which nothing can be set."""

    code: int


class Several(Exception):
    """An exception with an attribute of a name that groups of exceptions use."""

    exceptions = None


@pytest.mark.parametrize("error", [NoText(), Frozen(3), Several("x")], ids=lambda each: type(each).__name__)
@pytest.mark.parametrize("strategy", ["stop", "continue"])
def test_a_job_deals_with_any_exception_whatever_it_does(runtime: Bench, error: Any, strategy: str) -> None:
    flow = chain(source([1]), fails(error, handler=ErrorHandler(strategy)), flow_id="resists")
    job = runtime.run(flow)
    assert job.status == ("failed" if strategy == "stop" else "completed")
    (kept,) = job.job_state.errors
    assert kept.exception_type == type(error).__name__
    assert "raise error" in kept.traceback
    assert error.__traceback__ is None, "frames are not kept alive"


@pytest.mark.parametrize("where", ["after its logic", "as it asks the policy"])
def test_a_job_on_which_the_engine_itself_fails_ends_as_failed_and_not_never(
    runtime: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, where: str
) -> None:
    def broken(*args: Any) -> Any:
        raise LookupError("a bug")

    name = "activation_failed" if where == "after its logic" else "policy_failed"
    monkeypatch.setattr(f"routilux.outcomes.{name}", broken)
    policy = None if where == "after its logic" else custom_policy(broken)
    job = runtime.run(chain(source([1]), fails(policy=policy, name="worker")))
    assert job.is_failed()
    assert "worker: LookupError: the engine failed: a bug" in str(job.job_state.error)
    monkeypatch.undo()
    assert runtime.run(chain(source([1]), collects(), flow_id="next")).is_completed()
    runtime.shutdown()
    assert "the engine failed" in caplog.text

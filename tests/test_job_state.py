"""A job's data: what its logic may keep, log and report, and what anyone may read of it."""

from __future__ import annotations

import io
import itertools
import re
import threading
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from rich.console import Console

from routilux import ErrorHandler, JobNotActive, JobState, Progress
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

# ---- what logic keeps


def test_the_state_of_a_routine_is_its_own_in_each_job(runtime: Bench) -> None:
    def count(job_state: JobState) -> None:
        own = job_state.routine_state()
        own["runs"] = own.get("runs", 0) + 1
        job_state.shared_data[f"{id(own)}"] = own["runs"]

    flow = graph(["a.out -> b", "a.out -> c"], a=source([1, 2, 3]), b=node(count), c=node(count))
    for _ in range(2):
        job = runtime.run(flow)
        assert sorted(job.job_state.shared_data.values()) == [3, 3]


def test_the_state_of_another_routine_can_be_read_by_its_id(runtime: Bench) -> None:
    def write(job_state: JobState) -> None:
        job_state.routine_state()["found"] = 7
        first.emit("out", x=1)

    def read(items: Any, job_state: JobState) -> None:
        job_state.shared_data["read"] = job_state.routine_state("first")["found"]

    first = does(write, events=["out"])
    job = runtime.run(graph(["first -> second"], first=first, second=node(read)))
    assert job.job_state.shared_data == {"read": 7}


def test_outside_its_logic_a_routine_has_to_be_named(runtime: Bench) -> None:
    hold = Hold()
    job = runtime.start(graph(worker=does(hold)))
    hold.reached()
    state = job.job_state
    with pytest.raises(JobNotActive, match="no routine of it runs here; name the routine"):
        state.routine_state()
    state.routine_state("worker")["note"] = "x"
    assert state.routine_state("worker") == {"note": "x"}
    with pytest.raises(ValueError, match=r"has no routine 'wroker'; it has 'worker'"):
        state.routine_state("wroker")
    hold.release()
    assert job.wait(LIMIT)


def test_routine_states_need_no_lock_at_a_concurrency_of_one(make_runtime: Any) -> None:
    """Every read and write back would be lost now and then if two activations ran at once."""

    def count(job_state: JobState) -> None:
        own = job_state.routine_state()
        seen = own.get("runs", 0)
        time.sleep(0)
        own["runs"] = job_state.shared_data["runs"] = seen + 1

    job = make_runtime(8).run(chain(source(range(2000)), node(count)))
    assert job.job_state.shared_data["runs"] == 2000


def test_shared_data_is_shared_by_the_routines_of_a_job_and_no_other(runtime: Bench) -> None:
    flow = graph(["a -> b", "a -> c"], a=source([1, 2]), b=collects("b"), c=collects("c"))
    states = [runtime.run(flow).job_state for _ in range(2)]
    assert [state.shared_data for state in states] == [{"b": [1, 2], "c": [1, 2]}] * 2
    assert states[0].shared_data is not states[1].shared_data


def test_the_shared_lock_guards_longer_operations(make_runtime: Any) -> None:
    def count(job_state: JobState) -> None:
        with job_state.shared_lock, job_state.shared_lock:  # it is re-entrant
            seen = job_state.shared_data.get("runs", 0)
            time.sleep(0)
            job_state.shared_data["runs"] = seen + 1

    job = make_runtime(8).run(chain(source(range(1000)), node(count, concurrency=8)))
    assert job.job_state.shared_data["runs"] == 1000


def test_the_entry_parameters_are_kept_apart_from_the_callers_dict(runtime: Bench) -> None:
    params = {"n": 2}
    job = runtime.run(chain(source(), collects()), params)
    params["n"] = 9
    assert job.job_state.entry_params == {"n": 2}


# ---- the log


def test_a_line_belongs_to_the_routine_that_logged_it(runtime: Bench) -> None:
    def logic(job_state: JobState) -> None:
        job_state.log("reading")
        job_state.log({"rows": 3}, level="WARNING")

    job = runtime.run(graph(worker=does(logic)))
    job.job_state.log("from outside")
    lines = job.job_state.logs()
    assert [(line.level, line.routine_id, line.message) for line in lines] == [
        ("INFO", "worker", "reading"),
        ("WARNING", "worker", "{'rows': 3}"),
        ("INFO", "", "from outside"),
    ]
    assert [line.sequence for line in lines] == [0, 1, 2]


def test_logs_can_be_asked_for_by_routine_and_by_number() -> None:
    state = JobState("job-1", "flow")
    for number in range(6):
        state.add_log_line("INFO", "even" if number % 2 == 0 else "odd", f"line {number}")
    assert [line.message for line in state.logs("odd")] == ["line 1", "line 3", "line 5"]
    assert [line.message for line in state.logs(limit=2)] == ["line 4", "line 5"]
    assert [line.message for line in state.logs("even", limit=1)] == ["line 4"]
    assert state.logs(limit=0) == []
    assert len(state.logs(limit=100)) == 6
    assert [line.sequence for line in state.logs_since(4)] == [4, 5]
    assert state.logs_since(6) == []
    assert len(state.logs_since(-3)) == 6


def test_the_log_keeps_its_newest_ten_thousand_lines_and_counts_all() -> None:
    state = JobState("job-1", "flow")
    assert (state.logs(), state.logs_since(0), state.log_total, state.log_dropped) == ([], [], 0, 0)
    for number in range(10_005):
        state.log(number)
    lines = state.logs()
    assert (len(lines), state.log_total, state.log_dropped) == (10_000, 10_005, 5)
    assert (lines[0].sequence, lines[0].message) == (5, "5")
    assert [line.sequence for line in state.logs_since(3)][:2] == [5, 6]


def test_an_unknown_level_is_refused() -> None:
    state = JobState("job-1", "flow")
    with pytest.raises(ValueError, match="'LOUD' is unknown; it must be one of CRITICAL, DEBUG"):
        state.log("x", level="LOUD")
    assert state.logs() == []


# ---- the history


def test_the_history_tells_what_happened_in_order(one_thread: Bench) -> None:
    job = one_thread.run(chain(source([5]), collects()))
    records = job.job_state.get_execution_history()
    assert [(each.routine_id, each.event_name, each.data) for each in records] == [
        ("source", "activation_started", {"trigger": [{}]}),
        ("source", "out", {"x": 5}),
        ("source", "activation_ended", None),
        ("r1", "activation_started", {"items": [{"x": 5}]}),
        ("r1", "activation_ended", None),
    ]


def test_the_history_can_be_asked_for_by_routine_and_by_number(one_thread: Bench) -> None:
    state = one_thread.run(chain(source([1, 2]), collects())).job_state
    everything = state.get_execution_history()
    assert state.get_execution_history("r1") == [each for each in everything if each.routine_id == "r1"]
    assert state.get_execution_history(limit=3) == everything[-3:]
    assert state.get_execution_history("source", limit=1)[0].event_name == "activation_ended"
    assert state.get_execution_history(limit=0) == []
    assert state.get_execution_history(limit=10_000) == everything
    assert state.get_execution_history("nobody") == []
    with pytest.raises(ValueError, match="limit is -1"):
        state.get_execution_history(limit=-1)


def test_the_history_is_bounded_and_counts_what_it_dropped(runtime: Bench) -> None:
    flow = chain(source(range(500)), collects(), max_history=50)
    job = runtime.run(flow)
    records = job.job_state.get_execution_history()
    picture = job.snapshot()
    assert len(records) == 50
    assert picture.history_total == 2 + 500 + 2 * 500
    assert picture.history_dropped == picture.history_total - 50
    assert [each.sequence for each in records] == list(range(picture.history_dropped, picture.history_total))


def test_a_history_of_no_length_keeps_nothing_and_still_counts(runtime: Bench) -> None:
    job = runtime.run(chain(source([1]), collects(), max_history=0))
    assert job.job_state.get_execution_history() == []
    assert job.snapshot().history_total == 5


def test_times_are_aware_utc_and_never_go_backwards(make_runtime: Any) -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=50)
    flow = graph(
        ["a -> b", "a -> c", "b -> c", "c -> d"],
        a=source(range(300)),
        b=passes(concurrency=4),
        c=passes(concurrency=4),
        d=collects(),
    )
    flow.max_history = 100_000
    state = make_runtime(8).run(flow).job_state
    records = state.get_execution_history()
    assert len(records) > 3000
    times = [each.timestamp for each in records]
    assert all(earlier <= later for earlier, later in itertools.pairwise(times))
    assert all(each.tzinfo is UTC for each in times)
    assert before <= state.created_at <= state.started_at <= times[0]  # type: ignore[operator]
    assert times[-1] <= state.ended_at <= datetime.now(UTC) + timedelta(milliseconds=50)  # type: ignore[operator]


def test_log_lines_carry_aware_times_that_never_go_backwards(runtime: Bench) -> None:
    logs = node(lambda items, job_state: job_state.log("x"), concurrency=4)
    job = runtime.run(chain(source(range(200)), logs))
    times = [line.timestamp for line in job.job_state.logs()]
    assert len(times) == 200
    assert times == sorted(times)
    assert all(each.tzinfo is UTC for each in times)


def test_a_jobs_clock_goes_on_from_where_another_machine_left_it() -> None:
    state = JobState("job-1", "flow")
    ahead = state.now_ns() + 10**15
    state.not_before(ahead)
    assert state.now_ns() >= ahead
    now = state.now_ns()
    state.not_before(now - 10**15)
    assert state.now_ns() >= now


# ---- errors


def test_errors_keep_the_routine_the_exception_the_traceback_and_the_data(runtime: Bench) -> None:
    def inner() -> None:
        raise LookupError("no such row")

    def logic(items: Any) -> None:
        inner()

    state = runtime.run(chain(source([5]), node(logic, name="worker"))).job_state
    (error,) = state.errors
    assert state.error is error
    assert (error.routine_id, error.exception_type, error.message) == ("worker", "LookupError", "no such row")
    assert error.data_slice == {"items": [{"x": 5}]}
    assert isinstance(error.exception, LookupError)
    assert error.fatal
    assert error.traceback.startswith("Traceback (most recent call last)")
    assert error.traceback.index("in logic") < error.traceback.index("in inner")
    assert error.traceback.rstrip().endswith("LookupError: no such row")
    assert re.findall(r'File "(.*)"', error.traceback) == [__file__, __file__]  # none of the engine's own
    assert state.started_at <= error.timestamp <= state.ended_at  # type: ignore[operator]
    assert str(error) == "worker: LookupError: no such row"


def test_a_traceback_tells_what_an_exception_came_of(runtime: Bench) -> None:
    def logic() -> None:
        try:
            raise KeyError("missing")
        except KeyError as error:
            raise RuntimeError("cannot go on") from error

    error = runtime.run(graph(worker=does(logic))).job_state.error
    assert error is not None
    assert "KeyError: 'missing'" in error.traceback
    assert "direct cause" in error.traceback


def test_errors_that_a_handler_dealt_with_are_kept_but_do_not_fail_the_job(runtime: Bench) -> None:
    flow = chain(source(range(3)), fails(handler=ErrorHandler("continue")))
    state = runtime.run(flow).job_state
    assert [error.data_slice["items"][0]["x"] for error in state.errors] == [0, 1, 2]
    assert not any(error.fatal for error in state.errors)
    assert state.error is None
    assert state.status == "completed"


def test_errors_are_bounded_to_the_newest_thousand(runtime: Bench) -> None:
    job = runtime.run(chain(source(range(1100)), fails(handler=ErrorHandler("continue"))))
    errors = job.job_state.errors
    assert [error.data_slice["items"][0]["x"] for error in errors] == list(range(100, 1100))
    assert job.snapshot().summary.errors == 1100


def test_the_error_of_a_job_is_the_one_that_failed_it(runtime: Bench) -> None:
    """Another activation that fails while it comes to its end does not take its place."""

    def fail_too() -> None:
        raise KeyError("the second")

    job, hold = failed_while_another_runs(runtime, fail_too)
    hold.release()
    assert job.wait(LIMIT)
    assert len(job.job_state.errors) == 2
    assert job.job_state.error is not None
    assert job.job_state.error.message == "the first"


def test_logic_that_changes_its_item_leaves_the_parameters_of_the_job_alone(runtime: Bench) -> None:
    def logic(trigger: list[dict[str, Any]]) -> None:
        del trigger[0]["a"]
        trigger[0]["b"] = 2

    job = runtime.run(chain(node(logic, slots=("trigger",))), {"a": 1})
    assert job.is_completed()
    assert job.job_state.entry_params == {"a": 1}
    assert job.summary().entry_params == {"a": 1}


# ---- progress


def test_each_routine_reports_its_own_progress(runtime: Bench) -> None:
    def logic(items: Any, job_state: JobState) -> None:
        job_state.report_progress(items[0]["x"], 3, f"row {items[0]['x']}")

    state = runtime.run(graph(["a -> b"], a=source([1, 2, 3]), b=node(logic))).job_state
    assert dict(state.progress) == {"b": Progress(3, 3, "row 3")}


@pytest.mark.parametrize(
    ("done", "total", "shown"),
    [
        (Decimal("1.5"), 3, Progress(1.5, 3, "5")),
        (Fraction(1, 4), Fraction(1, 2), Progress(0.25, 0.5, "5")),
        (2**80, 2**81, Progress(2.0**80, 2.0**81, "5")),
        (True, None, Progress(1.0, None, "5")),
    ],
)
def test_progress_is_told_in_numbers_of_any_kind(
    runtime: Bench, done: Any, total: Any, shown: Progress
) -> None:
    message: Any = 5
    job = runtime.run(graph(worker=does(lambda job_state: job_state.report_progress(done, total, message))))
    assert job.is_completed(), job.job_state.error
    assert dict(job.job_state.progress) == {"worker": shown}
    assert job.snapshot().summary.progress == shown


@pytest.mark.parametrize("values", [("half",), (None,), (1, "many"), (10**400,)])
def test_progress_that_is_no_number_is_refused(runtime: Bench, values: Any) -> None:
    job = runtime.run(graph(worker=does(lambda job_state: job_state.report_progress(*values))))
    assert job.is_failed()
    assert "progress cannot be reported: " in str(job.job_state.error)
    assert dict(job.job_state.progress) == {}


def test_progress_can_be_read_while_the_job_runs(runtime: Bench) -> None:
    hold = Hold()

    def logic(job_state: JobState) -> None:
        job_state.report_progress(10)
        hold()

    job = runtime.start(graph(worker=does(logic)))
    hold.reached()
    assert dict(job.job_state.progress) == {"worker": Progress(10, None, "")}
    hold.release()
    assert job.wait(LIMIT)


def test_progress_is_reported_from_within_logic(runtime: Bench) -> None:
    job = runtime.run(graph(worker=does(lambda: None)))
    with pytest.raises(JobNotActive):
        job.job_state.report_progress(1, 2)


@pytest.mark.parametrize(
    ("progress", "fraction"),
    [
        (Progress(1, 4), 0.25),
        (Progress(5, 4), 1.0),
        (Progress(-1, 4), 0.0),
        (Progress(1), None),
        (Progress(0, 0), None),
    ],
)
def test_a_fraction_lies_between_nothing_and_all(progress: Progress, fraction: float | None) -> None:
    assert progress.fraction == fraction


# ---- sleeping and being cancelled


def test_sleep_lasts_at_least_as_long_as_asked(runtime: Bench) -> None:
    def logic(job_state: JobState) -> None:
        started = time.perf_counter()
        job_state.sleep(0.05)
        job_state.shared_data["slept"] = time.perf_counter() - started

    assert runtime.run(graph(worker=does(logic))).job_state.shared_data["slept"] >= 0.05


def test_sleep_of_nothing_returns_at_once() -> None:
    JobState("job-1", "flow").sleep(0)


@pytest.mark.parametrize("seconds", [-1, float("nan")])
def test_nobody_sleeps_for_less_than_nothing(seconds: float) -> None:
    with pytest.raises(ValueError, match="at least 0"):
        JobState("job-1", "flow").sleep(seconds)


def test_a_job_that_is_not_cancelled_says_so(runtime: Bench) -> None:
    def logic(job_state: JobState) -> None:
        assert job_state.cancel_requested is False
        job_state.raise_if_cancelled()

    assert runtime.run(graph(worker=does(logic))).is_completed()


# ---- reading it


def test_a_fresh_state_is_pending_and_has_no_times_but_its_making() -> None:
    state = JobState("job-1", "flow", {"n": 1}, generation=4)
    assert (state.status, state.started_at, state.ended_at) == ("pending", None, None)
    assert (state.job_id, state.flow_name) == ("job-1", "flow")
    assert (state.entry_params, state.generation) == ({"n": 1}, 4)
    assert (state.errors, state.error, dict(state.leftovers), state.notices) == ((), None, {}, ())
    assert dict(state.progress) == {}


def test_what_a_state_shows_cannot_be_written(runtime: Bench) -> None:
    state = runtime.run(chain(source([1]), collects())).job_state
    with pytest.raises(TypeError):
        state.leftovers["x"] = 1  # type: ignore[index]
    with pytest.raises(TypeError):
        state.progress["x"] = Progress(1)  # type: ignore[index]
    with pytest.raises(AttributeError):
        state.status = "failed"  # type: ignore[misc]


def test_a_state_prints_readably(runtime: Bench) -> None:
    flow = chain(source([1]), fails(ValueError("no good")), flow_id="etl")
    state = runtime.run(flow, {"depth": 3}).job_state
    assert repr(state) == f"<JobState {state.job_id!r} of 'etl': failed>"
    console = Console(width=300, record=True, file=io.StringIO())
    console.print(state)
    text = console.export_text()
    for part in (state.job_id, "etl", "failed", "'depth': 3", "no good"):
        assert part in text


def test_many_threads_may_read_while_the_job_writes(runtime: Bench) -> None:
    stop = threading.Event()
    failures: list[BaseException] = []

    def logic(items: Any, job_state: JobState) -> None:
        job_state.log("x")
        job_state.report_progress(items[0]["x"])

    job = runtime.start(chain(source(range(3000)), node(logic, concurrency=2), max_history=200))

    def read() -> None:
        try:
            while not stop.is_set():
                state = job.job_state
                sequences = [each.sequence for each in state.get_execution_history()]
                assert sequences == sorted(set(sequences))
                numbers = [line.sequence for line in state.logs()]
                assert numbers == list(range(len(numbers)))
                state.logs_since(state.log_total - 5)
                dict(state.progress)
        except BaseException as error:
            failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    assert job.wait(LIMIT)
    stop.set()
    for reader in readers:
        reader.join(LIMIT)
    assert failures == []
    assert job.job_state.log_total == 3000


def test_history_since_a_number_is_what_came_from_then_on(runtime: Bench) -> None:
    job = runtime.run(chain(source(range(20)), collects(), max_history=10))
    state = job.job_state
    whole = state.get_execution_history()
    assert len(whole) == 10
    total = job.snapshot().history_total
    assert state.history_since(0) == whole
    assert state.history_since(total - 3) == whole[-3:]
    assert state.history_since(total) == []
    assert state.history_since(total + 5) == []

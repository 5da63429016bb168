"""What an activation prints and logs is found on its job, under its routine, and nowhere else."""

from __future__ import annotations

import contextvars
import gc
import io
import logging
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from routilux import Flow, JobState, Routine, immediate_policy
from tests.helpers import LIMIT, Bench, Hold, chain, collects, does, graph, node, source

MakeRuntime = Callable[..., Bench]
log = logging.getLogger("flows.of.this.test")


@pytest.fixture(autouse=True)
def _log_everything() -> Iterator[None]:
    before = log.level
    log.setLevel(logging.DEBUG)
    yield
    log.setLevel(before)


def lines(job: Any, routine_id: str | None = None) -> list[tuple[str, str]]:
    return [(line.level, line.message) for line in job.job_state.logs(routine_id)]


def run(runtime: Bench, work: Callable[..., Any]) -> Any:
    job = runtime.run(graph(worker=does(work)))
    assert job.is_completed(), job.job_state.error
    return job


# ---- print


def test_what_logic_prints_is_on_the_job_line_by_line(runtime: Bench) -> None:
    def logic() -> None:
        print("one", 2)
        print("three\nfour")
        print()
        print("five", end="")
        print(" and six")

    job = run(runtime, logic)
    assert lines(job) == [("PRINT", each) for each in ("one 2", "three", "four", "", "five and six")]
    assert {line.routine_id for line in job.job_state.logs()} == {"worker"}


def test_a_last_line_without_its_end_is_a_line(runtime: Bench) -> None:
    job = run(runtime, lambda: print("half", end=""))
    assert lines(job) == [("PRINT", "half")]


def test_each_activation_ends_its_own_line(one_thread: Bench) -> None:
    job = one_thread.run(chain(source([1, 2]), node(lambda items: print(items[0]["x"], end=""))))
    assert lines(job) == [("PRINT", "1"), ("PRINT", "2")]


def test_standard_error_is_captured_too(runtime: Bench) -> None:
    job = run(runtime, lambda: print("oh", file=sys.stderr))
    assert lines(job) == [("STDERR", "oh")]


def test_writing_to_the_streams_is_printing(runtime: Bench) -> None:
    def logic() -> None:
        assert sys.stdout.write("abc\n") == 4
        sys.stdout.writelines(["d\n", "e\n"])
        sys.stdout.flush()

    assert lines(run(runtime, logic)) == [("PRINT", "abc"), ("PRINT", "d"), ("PRINT", "e")]


def test_a_failing_activation_keeps_what_it_printed(runtime: Bench) -> None:
    def logic() -> None:
        print("before", end="")
        raise ValueError

    job = runtime.run(graph(worker=does(logic)))
    assert job.is_failed()
    assert lines(job) == [("PRINT", "before")]


def test_without_echo_nothing_is_printed_for_real(
    make_runtime: MakeRuntime, capsys: pytest.CaptureFixture[str]
) -> None:
    run(make_runtime(echo=False), lambda: print("hidden"))
    assert capsys.readouterr().out == ""


def test_with_echo_it_is_printed_for_real_as_well(
    make_runtime: MakeRuntime, capsys: pytest.CaptureFixture[str]
) -> None:
    def logic() -> None:
        print("shown")
        print("oh", file=sys.stderr)

    job = run(make_runtime(echo=True), logic)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("shown\n", "oh\n")
    assert lines(job) == [("PRINT", "shown"), ("STDERR", "oh")]


def test_prints_outside_activations_are_printed_as_ever(
    runtime: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    hold = Hold()
    job = runtime.start(graph(worker=does(hold)))
    hold.reached()
    print("mine")
    hold.release()
    assert job.wait(LIMIT)
    assert capsys.readouterr().out == "mine\n"
    assert lines(job) == []


def test_a_print_to_a_stream_of_ones_own_is_not_the_jobs(runtime: Bench) -> None:
    stream = io.StringIO()
    job = run(runtime, lambda: print("there", file=stream))
    assert stream.getvalue() == "there\n"
    assert lines(job) == []


# ---- the logging module


def test_records_are_on_the_job_with_their_level(runtime: Bench) -> None:
    def logic() -> None:
        log.debug("fine %d", 1)
        log.info("good")
        log.warning("%s rows are odd", 3)
        log.error("bad")
        log.critical("worst")

    job = run(runtime, logic)
    assert lines(job, "worker") == [
        ("DEBUG", "fine 1"),
        ("INFO", "good"),
        ("WARNING", "3 rows are odd"),
        ("ERROR", "bad"),
        ("CRITICAL", "worst"),
    ]


def test_a_record_that_its_logger_does_not_make_is_not_there(runtime: Bench) -> None:
    log.setLevel(logging.WARNING)
    assert lines(run(runtime, lambda: log.info("too fine"))) == []


def test_a_record_with_an_exception_has_its_traceback(runtime: Bench) -> None:
    def logic() -> None:
        try:
            raise LookupError("which?")
        except LookupError:
            log.exception("failed")

    ((level, message),) = lines(run(runtime, logic))
    assert level == "ERROR"
    assert message.startswith("failed\nTraceback (most recent call last)")
    assert message.endswith("LookupError: which?")


def test_loggers_that_do_not_propagate_are_captured_too(runtime: Bench) -> None:
    quiet = logging.getLogger("flows.of.this.test.quiet")
    quiet.propagate = False
    try:
        assert lines(run(runtime, lambda: quiet.error("alone"))) == [("ERROR", "alone")]
    finally:
        quiet.propagate = True


def test_a_record_that_cannot_be_formatted_stays_readable(
    runtime: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    logging_raises = logging.raiseExceptions
    logging.raiseExceptions = False
    try:
        ((level, message),) = lines(run(runtime, lambda: log.error("%d rows", "many")))
    finally:
        logging.raiseExceptions = logging_raises
    assert level == "ERROR"
    assert "'%d rows' with ('many',)" in message


def test_handlers_and_levels_stay_as_they_are(runtime: Bench, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        run(runtime, lambda: log.warning("seen by both"))
    assert [record.getMessage() for record in caplog.records if record.name == log.name] == ["seen by both"]


def test_a_record_that_a_handler_prints_is_on_the_job_once(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(echo=False)

    def logic() -> None:
        handler = logging.StreamHandler(sys.stdout)
        log.addHandler(handler)
        try:
            log.warning("once")
        finally:
            log.removeHandler(handler)

    assert lines(run(runtime, logic)) == [("WARNING", "once")]


def test_records_and_prints_of_a_job_are_in_the_order_they_were_made(runtime: Bench) -> None:
    def logic(job_state: JobState) -> None:
        print("a")
        log.info("b")
        job_state.log("c")
        print("d", file=sys.stderr)

    assert [message for _, message in lines(run(runtime, logic))] == ["a", "b", "c", "d"]


def test_warnings_are_printed_to_standard_error_and_so_on_the_job(runtime: Bench) -> None:
    def logic() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.showwarning = lambda message, *more, **how: print(message, file=sys.stderr)
            warnings.warn("mind the gap", stacklevel=1)

    assert lines(run(runtime, logic)) == [("STDERR", "mind the gap")]


# ---- whose it is


def test_jobs_and_routines_at_the_same_time_keep_their_lines_apart(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(8)

    def says(name: str) -> Callable[..., None]:
        def logic(items: Any, job_state: JobState) -> None:
            print(name, job_state.job_id)
            log.info("%s %s", name, job_state.job_id)

        return logic

    flow = graph(["a -> b", "a -> c"], a=source(range(50)), b=node(says("b")), c=node(says("c")))
    jobs = [runtime.start(flow) for _ in range(8)]
    for job in jobs:
        assert job.wait(LIMIT)
        for name in "bc":
            said = f"{name} {job.job_id}"
            assert lines(job, name) == [("PRINT", said), ("INFO", said)] * 50
        assert len(lines(job)) == 200


def test_a_thread_with_a_copy_of_the_context_belongs_to_the_job(runtime: Bench) -> None:
    def work() -> None:
        print("from the thread")
        log.info("and its log")

    def logic() -> None:
        thread = threading.Thread(target=contextvars.copy_context().run, args=(work,))
        thread.start()
        thread.join(LIMIT)

    job = run(runtime, logic)
    assert lines(job, "worker") == [("PRINT", "from the thread"), ("INFO", "and its log")]


def test_a_thread_without_it_does_not(make_runtime: MakeRuntime, capsys: pytest.CaptureFixture[str]) -> None:
    def logic() -> None:
        thread = threading.Thread(target=lambda: print("nobody's"))
        thread.start()
        thread.join(LIMIT)

    job = run(make_runtime(), logic)
    assert lines(job) == []
    assert capsys.readouterr().out == "nobody's\n"


@pytest.mark.parametrize("whole", [True, False], ids=["whole lines", "prints"])
def test_nothing_that_several_threads_print_is_lost(
    runtime: Bench, often_switching: Callable[[float], None], whole: bool
) -> None:
    """Whole lines stay whole; `print` writes its end of line apart, so that lines may run together."""
    often_switching(1e-6)
    failures: list[BaseException] = []

    def work(mark: str) -> None:
        try:
            for number in range(300):
                if whole:
                    sys.stdout.write(f"{mark}{number}\n")
                else:
                    print(f"{mark}{number}")
        except BaseException as error:
            failures.append(error)

    def logic() -> None:
        threads = [
            threading.Thread(target=contextvars.copy_context().run, args=(work, mark)) for mark in "abc"
        ]
        for thread in threads:
            thread.start()
        work("d")
        for thread in threads:
            thread.join(LIMIT)

    job = run(runtime, logic)
    assert failures == []
    expected = [f"{mark}{number}" for mark in "abcd" for number in range(300)]
    messages = [message for _, message in lines(job)]
    if whole:
        assert sorted(messages) == sorted(expected)
    assert sorted("".join(messages)) == sorted("".join(expected))


def test_an_emitter_that_helps_does_not_lend_its_name(one_thread: Bench) -> None:
    """What runs on top of it in the same thread prints under its own."""

    def start() -> None:
        print("half a ", end="")
        for number in range(5):
            first.emit("out", x=number)
        print("line")

    first = does(start, events=["out"], name="first")
    job = one_thread.run(chain(first, node(lambda items: print(items[0]["x"]), capacity=1, name="second")))
    assert lines(job, "second") == [("PRINT", str(number)) for number in range(5)]
    assert lines(job, "first") == [("PRINT", "half a line")]


def test_logic_that_starts_a_job_and_waits_keeps_its_lines_apart(runtime: Bench) -> None:
    inner_flow = graph([], "inner", inner=does(lambda: print("inner")))
    inner_jobs: list[Any] = []

    def logic() -> None:
        print("before")
        inner_jobs.append(runtime.run(inner_flow))
        print("after")

    job = run(runtime, logic)
    assert lines(job) == [("PRINT", "before"), ("PRINT", "after")]
    assert lines(inner_jobs[0]) == [("PRINT", "inner")]


# ---- what is put in place


def test_the_streams_and_the_factory_are_as_before_when_the_last_runtime_is_shut_down(
    make_runtime: MakeRuntime,
) -> None:
    stdout, stderr, factory = sys.stdout, sys.stderr, logging.getLogRecordFactory()
    one, other = make_runtime(), make_runtime()
    assert sys.stdout is not stdout
    one.shutdown()
    assert sys.stdout is not stdout
    job = run(other, lambda: print("still"))
    assert lines(job) == [("PRINT", "still")]
    other.shutdown()
    assert (sys.stdout, sys.stderr) == (stdout, stderr)
    assert logging.getLogRecordFactory() is factory


def test_streams_that_were_replaced_meanwhile_are_captured_again_by_the_next_job(
    runtime: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = io.StringIO()
    monkeypatch.setattr(sys, "stdout", mine)
    job = run(runtime, lambda: print("here"))
    assert lines(job) == [("PRINT", "here")]
    assert mine.getvalue() == ""


def test_the_stand_in_is_otherwise_the_stream(
    make_runtime: MakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdout", Terminal())
    runtime = make_runtime()
    assert sys.stdout.isatty()
    assert sys.stdout.encoding == "utf-8"
    runtime.shutdown()
    assert isinstance(sys.stdout, Terminal)


def test_a_process_without_streams_is_no_obstacle(
    make_runtime: MakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    runtime = make_runtime()
    assert runtime.run(chain(source([1]), collects())).is_completed()
    runtime.shutdown()
    assert sys.stdout is None


def test_a_forgotten_runtime_does_not_stay_for_the_sake_of_its_capture() -> None:
    before = sys.stdout
    Bench(1)
    gc.collect()
    runtime = Bench(1)
    runtime.shutdown()
    assert sys.stdout is before


class _PrintsWhenCollected:
    """Garbage that only the collector finds, and that then prints."""

    def __init__(self) -> None:
        self.own = self

    def __del__(self) -> None:
        print("collected")


class _Littering(Routine):
    """Leaves garbage for a collection that begins ever later: in the logic, in `emit`, after it."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger")
        self.define_event("again", ["n"])
        self.set_activation_policy(immediate_policy())

    def logic(self, trigger: list[dict[str, Any]]) -> None:
        n = trigger[0].get("n", 0)
        gc.collect(0)
        gc.set_threshold(1 + n % 20, 1000, 1000)
        _PrintsWhenCollected()
        if n < 200:
            self.emit("again", n=n + 1)


def test_what_prints_when_it_is_collected_may_be_collected_anywhere(runtime: Bench) -> None:
    flow = Flow("littering")
    flow.add_routine(_Littering(), "litters")
    flow.connect("litters", "again", "litters", "trigger")
    thresholds = gc.get_threshold()
    try:
        job = runtime.start(flow)
        assert job.wait(LIMIT)
    finally:
        gc.set_threshold(*thresholds)
    numbers = [line.sequence for line in job.job_state.logs()]
    # What is collected outside of the activations is printed and not logged.
    assert 0 < len(numbers) <= 201
    assert numbers == list(range(len(numbers)))

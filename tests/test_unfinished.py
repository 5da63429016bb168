"""What an activation has printed and not ended can be read as it stands, and is a line once it is ended."""

from __future__ import annotations

import contextvars
import sys
import threading
from collections.abc import Callable

import pytest

from routilux import Job
from routilux.unfinished import LONGEST
from tests.helpers import LIMIT, Bench, Hold, does, graph, node, source


def unfinished(job: Job) -> list[tuple[str, str, str]]:
    return [(line.routine_id, line.level, line.message) for line in job.job_state.unfinished_lines()]


def lines(job: Job) -> list[tuple[str, str]]:
    return [(line.level, line.message) for line in job.job_state.logs()]


def held_after(runtime: Bench, *prints: Callable[[], object]) -> tuple[Job, list[Hold]]:
    """A job that waits after each of these, the first of which it has come to."""
    holds = [Hold() for _ in prints]

    def logic() -> None:
        for say, hold in zip(prints, holds, strict=True):
            say()
            hold()

    job = runtime.start(graph(worker=does(logic)))
    holds[0].reached()
    return job, holds


def go_on(holds: list[Hold], at: int) -> None:
    holds[at].release()
    holds[at + 1].reached()


def test_a_prompt_is_read_while_it_stands_and_is_a_line_once_it_is_ended(runtime: Bench) -> None:
    job, holds = held_after(runtime, lambda: print("working...", end="", flush=True), lambda: print(" done"))
    assert unfinished(job) == [("worker", "PRINT", "working...")]
    assert lines(job) == []
    go_on(holds, 0)
    assert unfinished(job) == []
    assert lines(job) == [("PRINT", "working... done")]


@pytest.mark.parametrize(
    ("first", "second"),
    [("\r 10%|#", "\r 20%|##"), (" 10%|#\r", " 20%|##\r"), ("\r 10%|#", "\r 15%|#\r 20%|##")],
    ids=["return first", "return last", "both states at once"],
)
def test_of_a_progress_bar_the_last_state_stands(runtime: Bench, first: str, second: str) -> None:
    job, holds = held_after(
        runtime,
        lambda: print("begin"),
        lambda: sys.stderr.write(first),
        lambda: sys.stderr.write(second),
        lambda: sys.stderr.write("\n"),
    )
    seen = []
    for at in range(3):
        go_on(holds, at)
        seen.append(unfinished(job))
    assert seen == [[("worker", "STDERR", " 10%|#")], [("worker", "STDERR", " 20%|##")], []]
    assert lines(job) == [("PRINT", "begin"), ("STDERR", " 20%|##")]


def test_the_end_of_the_activation_ends_the_line(runtime: Bench) -> None:
    job, holds = held_after(runtime, lambda: print("half", end=""))
    assert unfinished(job) == [("worker", "PRINT", "half")]
    holds[0].release()
    assert job.wait(LIMIT)
    assert unfinished(job) == []
    assert lines(job) == [("PRINT", "half")]


def test_a_bar_that_is_wiped_away_leaves_no_line(runtime: Bench) -> None:
    job, holds = held_after(runtime, lambda: print("\r 99%", end=""), lambda: print("\r    \r", end=""))
    go_on(holds, 0)
    assert unfinished(job) == []
    holds[1].release()
    assert job.wait(LIMIT)
    assert lines(job) == []


def test_streams_threads_and_routines_have_a_line_each(runtime: Bench) -> None:
    hold, thread_hold = Hold(), Hold()

    def in_thread() -> None:
        print("thread", end="")
        thread_hold()

    def a() -> None:
        thread = threading.Thread(target=contextvars.copy_context().run, args=(in_thread,))
        thread.start()
        thread_hold.reached()
        print("out", end="")
        print("err", end="", file=sys.stderr)
        hold()
        thread.join(LIMIT)

    def b() -> None:
        print("other", end="")
        hold()

    job = runtime.start(graph(["s -> a", "s -> b"], s=source([1]), a=node(a), b=node(b)))
    hold.reached(2)
    assert sorted(unfinished(job)) == [
        ("a", "PRINT", "out"),
        ("a", "PRINT", "thread"),
        ("a", "STDERR", "err"),
        ("b", "PRINT", "other"),
    ]
    thread_hold.release()
    hold.release()
    assert job.wait(LIMIT)
    assert sorted(message for _, message in lines(job)) == ["err", "other", "out", "thread"]


def test_it_says_when_it_was_printed_on_and_how_many_lines_came_before(runtime: Bench) -> None:
    job, holds = held_after(
        runtime, lambda: print("one\nhalf", end=""), lambda: None, lambda: print(" more", end="")
    )
    (line,) = job.job_state.unfinished_lines()
    assert line.sequence == job.job_state.log_total == 1
    go_on(holds, 0)
    assert job.job_state.unfinished_lines() == [line]
    go_on(holds, 1)
    (later,) = job.job_state.unfinished_lines()
    assert later.timestamp > line.timestamp
    assert later.message == "half more"


def test_a_line_without_end_is_logged_in_parts_of_which_none_is_lost(runtime: Bench) -> None:
    pieces = 25
    piece = "x" * (LONGEST // 10)

    def say() -> None:
        for _ in range(pieces):
            print(piece, end="")

    job, holds = held_after(runtime, say, print)
    assert len(unfinished(job)[0][2]) <= LONGEST + len(piece)
    go_on(holds, 0)
    messages = [message for _, message in lines(job)]
    assert "".join(messages) == piece * pieces
    assert len(messages) == 3


def test_a_long_text_that_is_printed_at_once_is_one_line(runtime: Bench) -> None:
    text = "x" * (10 * LONGEST)
    job = runtime.run(graph(worker=does(lambda: print(text))))
    assert lines(job) == [("PRINT", text)]


def test_a_progress_bar_costs_what_it_shows_however_often_it_is_printed(runtime: Bench) -> None:
    bars: list[int] = []

    def say() -> None:
        for number in range(20_000):
            print(f"\r{number:>100}", end="")
        bars.append(number)

    job, holds = held_after(runtime, say)
    assert unfinished(job) == [("worker", "PRINT", f"{bars[0]:>100}")]
    holds[0].release()
    assert job.wait(LIMIT)
    assert lines(job) == [("PRINT", f"{bars[0]:>100}")]


def test_a_job_that_has_printed_nothing_or_has_ended_has_none(runtime: Bench) -> None:
    hold = Hold()
    job = runtime.start(graph(worker=does(hold)))
    hold.reached()
    assert unfinished(job) == []
    hold.release()
    assert job.wait(LIMIT)
    assert unfinished(job) == []

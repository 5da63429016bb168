"""What a job has printed and not ended stands in the Log tab, and gives way to what is printed next."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pytest

from routilux import Job, Runtime
from routilux.history import LogLine
from tests.tui import fixed
from tests.tui.driving import Drive, app_of, main_of, real_app, text_of, until
from tests.tui.test_job_log import line, log_of
from tui.widgets.log_view import LogView

pytestmark = pytest.mark.anyio

FLOW = """
import sys
import threading

from routilux import Flow, Routine


class Bar(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger")
        self.steps = threading.Semaphore(0)

    def logic(self, trigger, *, job_state):
        print("begin")
        for state in ("\\r  0%", "\\r 50%", "\\r100%"):
            sys.stderr.write(state)
            self.steps.acquire()
        sys.stderr.write("\\n")
        print("working...", end="", flush=True)
        self.steps.acquire()
        print(" done")
        self.steps.acquire()


flow = Flow("bar")
flow.add_routine(Bar(), "bar")
"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def steps_of(job: Job) -> threading.Semaphore:
    steps: threading.Semaphore = job.flow.routines["bar"].steps  # type: ignore[attr-defined]
    return steps


async def started(pilot: Drive, runtime: Runtime) -> tuple[Job, LogView]:
    runtime.exec("bar")
    [job] = runtime.list_jobs()
    await until(pilot, lambda: main_of(pilot).job_table.chosen == job.job_id)
    await pilot.press("5", "right_square_bracket")
    return job, main_of(pilot).job_pane.more().log_view


async def until_said(pilot: Drive, log: LogView, lines: list[str]) -> None:
    await until(pilot, lambda: said(log) == lines)


def said(log: LogView) -> list[str]:
    """Level, routine and text of each line that is shown."""
    return [" ".join(text.split()[1:]) for text in text_of(log).splitlines()]


async def test_a_bar_and_a_prompt_are_watched(tmp_path: Path) -> None:
    (tmp_path / "bar.py").write_text(FLOW)
    async with real_app(tmp_path) as (pilot, runtime):
        job, log = await started(pilot, runtime)
        ended = ["PRINT bar begin"]
        for state in ("0%", "50%", "100%"):
            await until_said(pilot, log, [*ended, f"STDERR bar {state}"])
            steps_of(job).release()
        ended.append("STDERR bar 100%")
        for state in ("working...", "working... done"):
            await until_said(pilot, log, [*ended, f"PRINT bar {state}"])
            steps_of(job).release()
        assert await asyncio.to_thread(job.wait, 20)
        assert [each.message for each in job.job_state.logs()] == ["begin", "100%", "working... done"]


def standing(text: str, routine: str = "clean") -> LogLine:
    return line(0, text, "PRINT", routine)


def give(pilot: Drive, lines: Sequence[LogLine], *unfinished: LogLine) -> None:
    """The next frame: all lines that are logged, and those that are not ended."""
    backend = cast(fixed.FixedBackend, app_of(pilot).backend)
    backend.lines = list(lines)
    backend.standing = [each._replace(sequence=len(lines)) for each in unfinished]
    main_of(pilot)._frame()


async def test_it_stands_last_and_is_filtered_and_searched_as_others_are() -> None:
    async with log_of([]) as (pilot, log):
        give(pilot, [line(0), line(1)], standing("10%"), standing("half", "load"))
        assert said(log)[2:] == ["PRINT clean 10%", "PRINT load half"]
        await pilot.press("l")
        assert "hides 4 lines" in text_of(log)
        await pilot.press("l", "l", "i", "i")
        assert said(log) == ["PRINT load half"]
        await pilot.press("i", "slash", *"half", "enter")
        assert "1/1 × half" in log.words
        assert log.copied() == "half"


async def test_what_stays_as_it_is_is_not_painted_again() -> None:
    async with log_of([]) as (pilot, log):
        give(pilot, [line(0)], standing("10%"), standing("half", "load"))
        await pilot.pause()
        painted = log.lines_painted
        give(pilot, [line(0)], standing("10%"), standing("half", "load"))
        await pilot.pause()
        assert log.lines_painted == painted
        give(pilot, [line(0)], standing("20%"), standing("half", "load"))
        await pilot.pause()
        assert log.lines_painted == painted + 1


async def test_a_line_that_ends_while_the_screen_looks_comes_with_the_next_frame() -> None:
    async with log_of([]) as (pilot, log):
        backend = cast(fixed.FixedBackend, app_of(pilot).backend)
        backend.lines = [line(0), line(1, "100%")]
        backend.standing = [line(1, "100%")]
        main_of(pilot)._frame()
        assert said(log) == ["INFO clean line 0", "INFO clean 100%"]
        backend.standing = []
        main_of(pilot)._frame()
        assert said(log) == ["INFO clean line 0", "INFO clean 100%"]
        assert log.rows.unfinished == []


async def test_a_match_that_is_written_over_is_no_longer_gone_to() -> None:
    lines = [line(0, "one match")]
    async with log_of([]) as (pilot, log):
        give(pilot, lines, standing("a match"), standing("match", "load"))
        await pilot.press("slash", *"match", "enter")
        assert "3/3 × match" in log.words
        give(pilot, lines, standing("nothing"))
        await pilot.pause()
        assert "1 × match" in log.words
        assert "1/1" not in log.words
        assert text_of(log).endswith("nothing")
        await pilot.press("n")
        assert "1/1 × match" in log.words


async def test_who_reads_elsewhere_is_left_there_and_who_follows_sees_the_end() -> None:
    lines = [line(number) for number in range(101)]
    async with log_of(lines[:100]) as (pilot, log):
        give(pilot, lines[:100], standing("10%"))
        await pilot.pause()
        assert log.scroll_offset.y == log.max_scroll_y
        await pilot.press("k", "k", "k")
        reading = log.scroll_offset.y
        for unfinished in ([standing("bar"), standing("other")], []):
            give(pilot, lines, *unfinished)
            await pilot.pause()
            assert log.scroll_offset.y == reading
            assert not log.following
        await pilot.press("G")
        give(pilot, lines, standing("20%"))
        await pilot.pause()
        assert log.scroll_offset.y == log.max_scroll_y
        assert log.following


async def test_a_reader_at_the_end_who_does_not_follow_begins_to_by_no_line_that_goes() -> None:
    lines = [line(number) for number in range(100)]
    async with log_of(lines) as (pilot, log):
        give(pilot, lines, standing("10%"), standing("other"))
        await pilot.pause()
        await pilot.press("f")
        give(pilot, lines)
        await pilot.pause()
        assert not log.following
        give(pilot, [*lines, line(100), line(101), line(102)])
        await pilot.pause()
        assert not log.following


async def test_another_job_begins_without_it() -> None:
    async with log_of([]) as (pilot, log):
        give(pilot, [], standing("10%"))
        log.clear(None)
        assert "10%" not in text_of(log)

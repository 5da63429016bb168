"""The Log tab under the thumb: searched, filtered, wrapped, at any amount of lines."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from textual.pilot import Pilot

from routilux.history import LogLine
from tests.tui import fixed
from tests.tui.driving import Drive, app_of, main_of, screen_text, text_of, type_text
from tui.widgets.log_view import LogView


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def line(number: int, text: str = "", level: str = "INFO", routine: str = "clean") -> LogLine:
    return LogLine(number, fixed.NOW, level, routine, text or f"line {number}")


@asynccontextmanager
async def log_of(
    lines: list[LogLine], size: tuple[int, int] = (120, 40)
) -> AsyncIterator[tuple[Drive, LogView]]:
    app = fixed.app()
    app.animation_level = "none"
    app.backend.lines = lines  # type: ignore[attr-defined]
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        await pilot.press("5", "right_square_bracket")
        await pilot.pause()
        yield pilot, main_of(pilot).job_pane.more().log_view


def seen_rows(log: LogView) -> range:
    top = log.scroll_offset.y
    return range(top, top + log.size.height)


@pytest.mark.anyio
async def test_search_goes_to_the_newest_match_and_n_and_N_go_on_from_there() -> None:
    lines = [line(number, "needle" if number % 100 == 50 else "") for number in range(500)]
    async with log_of(lines) as (pilot, log):
        await pilot.press("slash")
        await type_text(pilot, "needle")
        await pilot.pause()
        assert 450 in seen_rows(log)
        assert not log.following
        assert "5/5 × needle" in log.words
        await pilot.press("enter")
        assert main_of(pilot).focused is log
        await pilot.press("N")
        assert 350 in seen_rows(log)
        await pilot.press("n", "n")
        # After the last comes the first.
        assert 50 in seen_rows(log)
        assert "1/5 × needle" in log.words
        # What was scrolled away from is not gone back to.
        await pilot.press("G", "N")
        assert "5/5" in log.words
        await pilot.press("escape")
        assert not log.filter
        assert "needle" not in log.words


@pytest.mark.anyio
async def test_matches_are_marked_and_the_one_gone_to_differs() -> None:
    async with log_of([line(0, "a needle and a needle"), line(1, "one needle")]) as (pilot, log):
        await pilot.press("slash", *"needle", "enter")
        await pilot.pause()
        marked = [[span for span in log.line(y) if span[1].startswith("match")] for y in range(2)]
        assert marked == [[("needle", "match"), ("needle", "match")], [("needle", "match-here")]]


@pytest.mark.anyio
async def test_new_lines_are_searched_as_they_come_and_do_not_move_the_reader() -> None:
    lines = [line(number) for number in range(100)]
    async with log_of(lines) as (pilot, log):
        await pilot.press("slash", *"line 5", "enter")
        await pilot.pause()
        top, before = log.scroll_offset.y, log.rows.hits
        log.append([line(number) for number in range(100, 600)])
        await pilot.pause()
        assert log.scroll_offset.y == top
        assert log.rows.hits == before + 100


@pytest.mark.anyio
async def test_a_match_far_to_the_right_comes_into_view() -> None:
    async with log_of([line(0, "x" * 300 + "needle" + "x" * 300)], (80, 24)) as (pilot, log):
        await pilot.press("slash", *"needle", "enter")
        await pilot.pause()
        assert "needle" in screen_text(pilot)
        await pilot.press("w")
        await pilot.pause()
        assert log.scroll_offset.x == 0
        assert log.wrapping
        assert "needle" in screen_text(pilot)
        assert log.line_count() > 5


@pytest.mark.anyio
async def test_wrap_keeps_the_line_one_reads_in_view() -> None:
    lines = [line(number, f"line {number} " + "y" * (number % 7) * 40) for number in range(300)]
    async with log_of(lines) as (pilot, log):
        await pilot.press("g", *["pagedown"] * 4)
        reading = log.rows.rows[log.scroll_offset.y][0].sequence
        for _ in range(2):
            await pilot.press("w")
            await pilot.pause()
            assert log.rows.rows[log.scroll_offset.y][0].sequence == reading
            assert not log.following


@pytest.mark.anyio
async def test_i_shows_one_routine_after_the_other_and_then_all() -> None:
    lines = [line(number, routine=("fetch", "clean", "")[number % 3]) for number in range(30)]
    async with log_of(lines) as (pilot, log):
        for routine in ("fetch", "clean", "-"):
            await pilot.press("i")
            assert log.line_count() == 10
            assert all(text.split()[2] == routine for text in text_of(log).splitlines())
        assert "routine: none" in log.words
        await pilot.press("i")
        assert log.line_count() == 30


@pytest.mark.anyio
async def test_the_border_says_how_many_lines_come_in_a_second_and_what_is_dropped() -> None:
    async with log_of([line(0)]) as (pilot, log):
        assert "FOLLOW · 0/s · 0 dropped" in screen_text(pilot)
        log.count(fixed.NOW + timedelta(seconds=1), 452, ended=False)
        assert "412/s" in log.words
        log.count(fixed.NOW + timedelta(seconds=2), 452, ended=True)
        assert "/s" not in log.words


@pytest.mark.anyio
async def test_a_million_lines_are_scrolled_and_searched_at_the_cost_of_what_is_kept() -> None:
    async with log_of([]) as (pilot, log):
        before = log.lines_painted
        for start in range(0, 1_000_000, 50_000):
            # What a job that logs so much still keeps when the screen asks.
            log.append([line(number) for number in range(start + 40_000, start + 50_000)])
        await pilot.pause()
        assert log.line_count() == 20_000
        assert log.rows.dropped >= 980_000
        await pilot.press("slash", *"line 9", "enter", "n", "N", "g", "G", "w", "l", "l", "l")
        await pilot.pause()
        assert log.rows.hits == 20_000 - 1
        assert log.lines_painted - before < 2000


@pytest.mark.anyio
async def test_what_hides_every_line_is_named_with_the_key_that_ends_it() -> None:
    async with log_of([line(0), line(1)]) as (pilot, log):
        await pilot.press("l", "l", "4", "j", "5")
        await pilot.pause()
        assert [text.strip() for text in text_of(log).splitlines()] == [
            "level: errors hides 2 lines",
            "esc shows them",
        ]
        await pilot.press("escape")
        assert log.filters == []
        assert log.line_count() == 2
        assert main_of(pilot).pane == "job"
        await pilot.press("escape")
        assert main_of(pilot).pane == "jobs"


@pytest.mark.anyio
async def test_a_search_says_how_much_a_filter_hides_of_it() -> None:
    lines = [line(number, "needle", "ERROR" if number < 2 else "INFO") for number in range(7)]
    async with log_of([*lines, line(7, "hay")]) as (pilot, log):
        await pilot.press("l", "l", "slash", *"needle", "enter")
        assert "2/2 × needle, 5 more hidden · level: errors" in log.words
        await pilot.pause()
        assert "2/2 × needle, 5 more hidden" in screen_text(pilot)
        await pilot.press("slash", *"ha", "enter")
        assert "no ha, 1 hidden · level: errors" in log.words
        await pilot.press("escape", "escape", "slash", *"needle", "enter")
        assert "/7 × needle · 0/s" in log.words


@pytest.mark.anyio
async def test_escape_ends_the_search_before_it_shows_other_levels_and_routines() -> None:
    async with log_of([line(0, level="ERROR"), line(1, routine="load")]) as (pilot, log):
        log.action_level()
        log.action_routine()
        await pilot.press("slash", *"line", "enter", "escape")
        assert not log.filter
        assert len(log.filters) == 2
        await pilot.press("escape")
        assert log.filters == []


@pytest.mark.anyio
async def test_slash_in_the_log_searches_and_elsewhere_filters() -> None:
    async with log_of([line(0)]) as (pilot, log):
        assert "/ search" in screen_text(pilot).splitlines()[-1]
        await pilot.press("slash", *"x", "escape", "4")
        assert "/ filter" in screen_text(pilot).splitlines()[-1]
        await pilot.press("slash", *"etl", "enter")
        assert main_of(pilot).job_table.filter.text == "etl"
        assert not log.filter
        assert app_of(pilot).focused is main_of(pilot).job_table


Matches = Callable[..., bool]


@pytest.mark.parametrize(
    ("size", "theme"),
    [((80, 24), "textual-dark"), ((120, 40), "textual-dark"), ((120, 40), "textual-light")],
    ids=str,
)
def test_searched_and_wrapped_log(matches: Matches, size: tuple[int, int], theme: str) -> None:
    async def go(pilot: Pilot[int]) -> None:
        await pilot.press("5", "right_square_bracket", "z", "w", "slash", *"used fall", "enter", "N")

    app = fixed.app(theme=theme)
    app.backend.lines = [  # type: ignore[attr-defined]
        each._replace(message=each.message + " and what else there was to say of it" * (at % 4))
        for at, each in enumerate(fixed.log_lines())
    ]
    assert matches(app, size, run_before=go)

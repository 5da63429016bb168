"""Lists keep their choice, panes paint only what differs, the log stays where one reads."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from routilux.history import LogLine
from tests.tui import fixed
from tests.tui.driving import Drive, main_of, text_of
from tests.tui.fixed import FixedBackend, S
from tui.app import RoutiluxApp
from tui.job_columns import Needs, arrange, cells, head
from tui.ranking import Sort
from tui.screens.main import MainScreen
from tui.spans import line_width
from tui.widgets.log_view import LogView

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def shown(
    backend: FixedBackend, size: tuple[int, int] = (120, 40)
) -> AsyncIterator[tuple[Drive, MainScreen]]:
    app = RoutiluxApp(backend, catalogue=backend.catalogue, clock=fixed.clock, theme="textual-dark")
    app.animation_level = "none"
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        yield pilot, main_of(pilot)


def many(count: int, first: int = 0) -> list[fixed.JobSummary]:
    return [fixed.summary(number, S.COMPLETED) for number in range(first, first + count)]


async def test_the_choice_stays_on_its_job_when_newer_ones_come() -> None:
    backend = FixedBackend(many(100))
    async with shown(backend) as (pilot, main):
        table = main.job_table
        await pilot.press("4", *["j"] * 40)
        chosen, seen_at = table.chosen, table.chosen_row - table.scroll_offset.y  # type: ignore[operator]
        backend.give(many(130))
        main._frame()
        await pilot.pause()
        assert table.chosen == chosen
        assert table.chosen_row == 70
        # And the eye stays on it: the row is where it was on the screen.
        assert table.chosen_row - table.scroll_offset.y == seen_at


async def test_newest_jobs_come_into_view_while_the_top_is_in_view() -> None:
    backend = FixedBackend(many(100))
    async with shown(backend) as (pilot, main):
        await pilot.press("4", "j")
        backend.give(many(102))
        main._frame()
        await pilot.pause()
        assert main.job_table.scroll_offset.y == 0
        assert main.job_table.chosen_row == 3


async def test_the_choice_goes_to_a_neighbour_when_its_job_is_forgotten() -> None:
    backend = FixedBackend(many(10))
    async with shown(backend) as (pilot, main):
        await pilot.press("4", "G")
        backend.give(many(9, first=1))
        main._frame()
        await pilot.pause()
        assert main.job_table.chosen == backend.picture.jobs[0].job_id
        assert main.job_pane.job_id == main.job_table.chosen


async def test_only_rows_that_differ_are_painted() -> None:
    backend = FixedBackend(many(30))
    async with shown(backend) as (pilot, main):
        before = main.job_table.lines_painted
        jobs = list(backend.picture.jobs)
        jobs[-3] = jobs[-3]._replace(last_event="something else")
        backend.give(jobs)
        main._frame()
        await pilot.pause()
        assert main.job_table.lines_painted - before == 1


async def test_a_picture_that_went_past_the_list_costs_a_look_at_all_and_nothing_else() -> None:
    backend = FixedBackend(many(30))
    async with shown(backend) as (_, main):
        backend.give(many(40))
        # Somebody else takes the picture, and with it what has changed.
        assert main.feed.tick(None) is not None
        backend.give(many(42, first=2))
        main._frame()
        assert [job.job_id for job in main.job_table.rows.rows] == [
            job.job_id for job in reversed(backend.picture.jobs)
        ]


async def test_a_thousand_times_more_jobs_are_not_painted_more() -> None:
    backend = FixedBackend(many(50_000))
    async with shown(backend) as (pilot, main):
        assert main.job_table.lines_painted < 200
        await pilot.press("4", "G")
        assert main.job_table.chosen == backend.picture.jobs[0].job_id
        await pilot.press("slash", *"id:0001beef00000001", "enter")
        await pilot.pause()
        assert main.job_table.row_count() == 1


async def test_toasts_tell_what_ends_out_of_sight() -> None:
    running = fixed.summary(1, S.RUNNING)
    failed = running._replace(status=S.FAILED, error="clean: KeyError")
    backend = FixedBackend([running])
    async with shown(backend, (80, 24)) as (pilot, main):
        backend.give([failed])
        main._frame()
        await pilot.pause()
        [toast] = pilot.app._notifications
        assert toast.message == "0001be etl.daily failed: clean: KeyError"
        assert toast.severity == "error"


async def test_no_toast_for_what_is_in_sight() -> None:
    running = fixed.summary(1, S.RUNNING)
    backend = FixedBackend([running])
    async with shown(backend) as (pilot, main):
        backend.give([running._replace(status=S.FAILED)])
        main._frame()
        await pilot.pause()
        assert not list(pilot.app._notifications)


def line(number: int, text: str = "", level: str = "INFO") -> LogLine:
    return LogLine(number, fixed.NOW, level, "clean", text or f"line {number}")


@asynccontextmanager
async def a_log(max_lines: int = 1000) -> AsyncIterator[tuple[Drive, LogView]]:
    backend = FixedBackend(many(1))
    backend.lines = []
    async with shown(backend) as (pilot, main):
        await pilot.press("5", "right_square_bracket")
        log = main.job_pane.more().log_view
        log.rows.max_lines = max_lines
        yield pilot, log


async def test_the_log_follows_until_one_scrolls_and_again_from_the_end() -> None:
    async with a_log() as (pilot, log):
        log.append([line(number) for number in range(100)])
        await pilot.pause()
        assert log.scroll_offset.y == log.max_scroll_y > 0
        await pilot.press("k", "k")
        reading = log.scroll_offset.y
        log.append([line(number) for number in range(100, 150)])
        await pilot.pause()
        assert log.scroll_offset.y == reading
        await pilot.press("G")
        log.append([line(150)])
        await pilot.pause()
        assert log.scroll_offset.y == log.max_scroll_y


async def test_the_log_keeps_so_many_lines_and_stays_on_those_that_are_read() -> None:
    async with a_log(max_lines=100) as (pilot, log):
        log.append([line(number) for number in range(100)])
        await pilot.pause()
        await pilot.press("pageup")
        top = log.rows.rows[log.scroll_offset.y][0].sequence
        log.append([line(number) for number in range(100, 130)])
        await pilot.pause()
        assert log.rows.rows[log.scroll_offset.y][0].sequence == top
        assert log.line_count() == 100
        assert "30 dropped" in log.words


async def test_lines_that_were_lost_on_the_way_are_counted() -> None:
    async with a_log() as (_, log):
        log.append([line(0)])
        log.append([line(500), line(501)])
        assert "499 dropped" in log.words
        assert "499 lines went by too fast to be kept" in text_of(log)


async def test_lines_of_other_levels_come_back() -> None:
    async with a_log() as (pilot, log):
        log.append([line(0), line(1, level="WARNING")])
        await pilot.press("l")
        log.append([line(2), line(3, level="ERROR")])
        await pilot.pause()
        assert [text.split()[-1] for text in text_of(log).splitlines()] == ["1", "3"]
        await pilot.press("l", "l")
        assert log.line_count() == 4


async def test_a_million_lines_cost_what_is_seen() -> None:
    async with a_log(max_lines=20_000) as (pilot, log):
        before = log.lines_painted
        for start in range(0, 200_000, 10_000):
            log.append([line(number) for number in range(start, start + 10_000)])
        await pilot.pause()
        assert log.line_count() == 20_000
        assert log.lines_painted - before < 500


async def test_text_is_selected_with_the_mouse_and_copied() -> None:
    async with a_log() as (pilot, log):
        log.append([line(0, "alpha"), line(1, "beta")])
        await pilot.pause()
        await pilot.mouse_down(log, offset=(30, 0))
        await pilot.hover(log, offset=(33, 1))
        await pilot.mouse_up(log, offset=(33, 1))
        await pilot.pause()
        selected = pilot.app.screen.get_selected_text()
        assert selected is not None
        assert "lpha" in selected
        assert "be" in selected
        await pilot.press("ctrl+c")
        assert pilot.app.clipboard == selected


@pytest.mark.parametrize("columns", range(54, 240))
def test_the_columns_of_the_jobs_share_out_exactly_what_there_is(columns: int) -> None:
    texts = [(0, 0), (30, 10), (90, 30), (300, 10), (300, 300)]
    for *needs, text in itertools.product((4, 14, 24), (False, True), (0, 1, 3), (False, True), texts):
        shares = arrange(columns, Needs(*needs).and_widths(*text))
        assert sum(column.width + 1 for column in shares) == columns + 1
        assert [column.name for column in shares][:3] == ["state", "started", "flow"]
        assert shares[-1].title == "last event"
        assert shares[-1].width >= 10
        row = cells(fixed.JOBS[-1], shares, "day=1", None)
        assert [line_width([span]) for span in head(shares, Sort())[::2]] == [each.width for each in shares]
        assert line_width(row) == columns + 1


def widths(columns: int, params: int, last: int) -> dict[str, int]:
    needs = Needs(flow=12, params=True, generation=2, progress=True).and_widths(params, last)
    return {column.title: column.width for column in arrange(columns, needs)}


def test_long_parameters_take_the_room_that_nothing_else_needs() -> None:
    usual = widths(160, 0, 0)
    assert usual["parameters"] == 40
    assert widths(160, 65, 20)["parameters"] == 65
    assert widths(160, 300, 20) == usual | {"parameters": usual["last event"] + 40 - 24, "last event": 24}
    # Not what happened last needs, and not more than they need.
    assert widths(160, 300, 40)["last event"] == 40
    assert widths(160, 300, 300) == usual
    assert widths(160, 41, 0)["parameters"] == 41


async def test_the_parameters_of_the_jobs_in_view_are_read_in_a_wide_list() -> None:
    params = {"folder": "/srv/archive/2025/incoming/orders", "pattern": "*.csv.gz", "limit": 1000}
    backend = FixedBackend([fixed.summary(1, S.COMPLETED, params=params)])
    async with shown(backend, (200, 40)) as (_, main):
        assert "folder=/srv/archive/2025/incoming/orders pattern=*.csv.gz limit=1000" in text_of(
            main.job_table
        )

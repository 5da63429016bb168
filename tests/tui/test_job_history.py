"""The History tab: records that are followed, filtered and opened beside the list."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.pilot import Pilot

from routilux.history import ExecutionRecord
from tests.tui import fixed
from tests.tui.driving import Drive, main_of, screen_text, text_of, type_text, until, until_shown
from tests.tui.fixed_tabs import Rude
from tui.screens.text import TextScreen
from tui.widgets.job_pane import JobPane

Matches = Callable[..., bool]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def history_of(
    *keys: str, size: tuple[int, int] = (120, 50), records: list[ExecutionRecord] | None = None
) -> AsyncIterator[tuple[Drive, JobPane]]:
    app = fixed.app()
    app.animation_level = "none"
    if records is not None:
        app.backend.records = records  # type: ignore[attr-defined]
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        await pilot.press("5", "right", "right", *keys)
        await pilot.pause()
        yield pilot, main_of(pilot).job_pane


def record(number: int, data: Any = None, event: str = "good", routine: str = "clean") -> ExecutionRecord:
    # The fixed job no longer keeps its first record.
    return ExecutionRecord(number + 1, fixed.NOW, routine, event, data)


@pytest.mark.anyio
async def test_enter_opens_the_record_which_follows_the_choice_and_escape_closes_it() -> None:
    async with history_of("g", "j") as (pilot, pane):
        await pilot.press("enter")
        await until_shown(pilot, "'order': 1017")
        assert "clean good" in text_of(pane.more().history_tab.record)
        await pilot.press("j", "j")
        await until(pilot, lambda: "KeyError" in text_of(pane.more().history_tab.record))
        await pilot.press("escape")
        assert not pane.more().history_tab.is_open
        assert main_of(pilot).pane == "job"
        await pilot.press("escape")
        assert main_of(pilot).pane == "jobs"


@pytest.mark.anyio
async def test_enter_again_shows_it_in_a_window() -> None:
    async with history_of("g", "enter", "enter") as (pilot, pane):
        assert isinstance(pilot.app.screen, TextScreen)
        await pilot.press("escape")
        assert main_of(pilot).focused is pane.more().history
        assert pane.more().history_tab.is_open


@pytest.mark.anyio
@pytest.mark.parametrize(("columns", "beside"), [(120, False), (200, True)])
async def test_the_record_stands_beside_the_list_where_there_is_room(columns: int, beside: bool) -> None:
    async with history_of("g", "enter", size=(columns, 50)) as (pilot, pane):
        await pilot.pause()
        # Written for the width it has, and not for the one it had before it was laid out.
        assert "12:04:15.000+00:00" in text_of(pane.more().history_tab.record)
        below = pane.more().history_tab.record.region.y > pane.more().history.region.y
        assert below is not beside
        assert pane.more().history.size.height > 5


@pytest.mark.anyio
async def test_the_newest_is_followed_until_one_chooses_another_and_again_with_f() -> None:
    async with history_of(records=[record(number) for number in range(50)]) as (pilot, pane):
        view = pane.more().history
        assert view.chosen == "50"
        assert "FOLLOW · 50 records" in screen_text(pilot)
        view.append([record(50)], 0)
        assert view.chosen == "51"
        await pilot.press("k", "k")
        view.append([record(51)], 0)
        assert view.chosen == "49"
        assert "stays" in view.words
        await pilot.press("f")
        assert view.chosen == "52"
        await pilot.press("f")
        view.append([record(52)], 0)
        assert view.chosen == "52"
        await pilot.press("G")
        view.append([record(53)], 0)
        assert view.chosen == "54"


@pytest.mark.anyio
async def test_a_filter_looks_at_routine_event_and_data_and_counts_what_passes() -> None:
    records = [
        record(0, {"sku": "lamp"}, routine="fetch"), record(1, {"sku": "chair"}), record(2, None, "bad"),
    ]  # fmt: skip
    async with history_of(records=records) as (pilot, pane):
        for typed, rows in (
            ("lamp", ["1"]),
            ("routine:clean", ["2", "3"]),
            ("event:bad", ["3"]),
            ("!sku", ["3"]),
        ):
            await pilot.press("slash")
            await type_text(pilot, typed)
            await pilot.press("enter")
            view = pane.more().history
            assert [view.row_key(row) for row in range(view.row_count())] == rows
            assert f"{len(rows)} pass {typed}" in view.words
            await pilot.press("escape")


@pytest.mark.anyio
async def test_what_is_no_longer_kept_is_told_and_gone() -> None:
    async with history_of(records=[record(number) for number in range(100)]) as (_, pane):
        pane.more().history.append([record(100)], 91)
        assert pane.more().history.row_count() == 11
        assert "91 dropped" in pane.more().history.words


@pytest.mark.anyio
async def test_rude_and_huge_data_is_shown_safely() -> None:
    hostile = {"a": Rude(), "b": "\x1b[31m[b]\u202e漢字\x00", "c": "x" * 50_000_000}
    async with history_of("enter", records=[record(0, hostile)]) as (pilot, pane):
        await until(pilot, lambda: "repr raises" in text_of(pane.more().history_tab.record))
        shown = screen_text(pilot)
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert "漢字" in shown
        assert pane.more().history_tab.record.line_count() < 500


@pytest.mark.parametrize(
    ("size", "theme"),
    [((60, 30), "textual-dark"), ((80, 30), "textual-dark"), ((120, 40), "textual-light"),
     ((200, 50), "textual-dark")],
    ids=str,
)  # fmt: skip
def test_history_pictures(matches: Matches, size: tuple[int, int], theme: str) -> None:
    async def go(pilot: Pilot[int]) -> None:
        await pilot.press("5", "right", "right", "z", "g", "enter")
        await pilot.pause()

    assert matches(fixed.app(theme=theme), size, run_before=go)

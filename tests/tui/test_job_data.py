"""The Data tab under the thumb: unfolded, folded, kept where one is while the job goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot

from tests.tui import fixed, fixed_tabs
from tests.tui.driving import Drive, app_of, main_of, screen_text, text_of
from tui.app import RoutiluxApp
from tui.pictures import JobData
from tui.screens.text import TextScreen
from tui.widgets.data_view import DataView


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def app_with(data: JobData, theme: str = "textual-dark") -> RoutiluxApp:
    app = fixed.app(theme=theme)
    app.backend.held = data  # type: ignore[attr-defined]
    return app


@asynccontextmanager
async def data_of(data: JobData | None = None) -> AsyncIterator[tuple[Drive, DataView]]:
    app = app_with(data or fixed_tabs.job_data())
    app.animation_level = "none"
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await pilot.pause()
        main_of(pilot).job_pane.go_to_tab("Data")
        await pilot.press("5")
        await pilot.pause()
        yield pilot, main_of(pilot).job_pane.more().data


async def go_to(pilot: Drive, view: DataView, text: str) -> None:
    """Move the cursor down to the first row that shows `text`."""
    row = next(y for y in range(view.line_count()) if text in text_of(view).splitlines()[y])
    await pilot.press("g", *["j"] * row)


@pytest.mark.anyio
async def test_everything_a_job_holds_is_there_and_secrets_are_hidden() -> None:
    async with data_of() as (_, view):
        shown = text_of(view)
        for text in (
            "parameters",
            "day: datetime.date(2025, 6, 12)",
            "shared data",
            "routine states",
            "queued items",
        ):
            assert text in shown
        assert "'totals': {'rows': 3412, 'bad': 2}" in shown
        assert "load.good 1,000 of 1,000, 997 more behind these" in shown
        assert "<Rude whose repr raises RuntimeError>" in shown
        assert "do not show" not in shown
        assert "hush" not in shown


@pytest.mark.anyio
async def test_enter_unfolds_and_folds_and_shows_the_whole_of_what_cannot_be() -> None:
    async with data_of() as (pilot, view):
        await go_to(pilot, view, "'totals'")
        before = view.line_count()
        await pilot.press("enter")
        assert view.line_count() == before + 2
        assert "▾ 'totals': dict of 2" in text_of(view)
        await pilot.press("enter")
        assert view.line_count() == before
        await go_to(pilot, view, "'text'")
        await pilot.press("enter")
        assert isinstance(pilot.app.screen, TextScreen)
        assert "second line" in screen_text(pilot)


@pytest.mark.anyio
async def test_enter_on_what_holds_nothing_opens_no_window() -> None:
    async with data_of(JobData({}, {}, ())) as (pilot, view):
        await go_to(pilot, view, "queued items")
        await pilot.press("enter")
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        assert pilot.app.screen is main_of(pilot)


@pytest.mark.anyio
async def test_plus_unfolds_what_is_in_a_row_too_and_minus_folds_where_one_is() -> None:
    async with data_of() as (pilot, view):
        await go_to(pilot, view, "load.good")
        before = view.line_count()
        await pilot.press("plus")
        # Three items, and what is in each.
        assert view.line_count() == before + 6
        await pilot.press("j", "j", "minus")
        # What it stood in is folded, and chosen.
        assert view.line_count() == before + 5
        await pilot.press("minus")
        assert view.line_count() == before


@pytest.mark.anyio
async def test_more_elements_come_when_one_asks() -> None:
    async with data_of() as (pilot, view):
        await go_to(pilot, view, "'numbers'")
        await pilot.press("enter")
        await go_to(pilot, view, "99,900 more")
        before = view.line_count()
        await pilot.press("enter")
        assert view.line_count() == before + 1000
        assert "98,900 more" in text_of(view)


@pytest.mark.anyio
async def test_the_choice_stays_on_its_row_while_the_data_changes() -> None:
    async with data_of() as (pilot, view):
        await go_to(pilot, view, "'order'")
        chosen = view.chosen
        data = fixed_tabs.job_data()
        more = {"aaa": 1, "bbb": 2}
        app_of(pilot).backend.held = data._replace(
            parameters={**data.parameters, **more}, shared=dict(data.shared)
        )
        app_of(pilot).backend.give(fixed.JOBS)  # type: ignore[attr-defined]
        main_of(pilot)._frame()
        assert view.chosen == chosen
        assert "aaa: 1" in text_of(view)


@pytest.mark.anyio
async def test_nothing_is_looked_at_while_another_tab_is_shown() -> None:
    async with data_of() as (pilot, _):
        # The other tab first: until then every frame looks at the data.
        await pilot.press("left")
        asked: list[str] = []
        backend = app_of(pilot).backend
        backend.data = lambda job_id: asked.append(job_id)  # type: ignore[method-assign,assignment,return-value]
        backend.give(fixed.JOBS)  # type: ignore[attr-defined]
        main_of(pilot)._frame()
        assert asked == []


Matches = Callable[..., bool]


@pytest.mark.parametrize(
    ("size", "theme"),
    [((80, 24), "textual-dark"), ((120, 40), "textual-dark"), ((120, 40), "textual-light")],
    ids=str,
)
def test_data_pictures(matches: Matches, size: tuple[int, int], theme: str) -> None:
    async def go(pilot: Pilot[int]) -> None:
        await pilot.pause()
        pilot.app.main.job_pane.go_to_tab("Data")  # type: ignore[attr-defined]
        await pilot.press("5", "z")
        await pilot.pause()
        view = pilot.app.main.job_pane.more().data  # type: ignore[attr-defined]
        for text in ("'totals'", "'ring'", "'order'", "load.good"):
            await go_to(pilot, view, text)
            await pilot.press("plus")

    assert matches(app_with(fixed_tabs.job_data(), theme), size, run_before=go)

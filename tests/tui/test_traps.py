"""What Textual makes easy to do wrong, and what the app does instead; the others have tests beside what
they are about: the choice stays on its job, and a log of a million lines costs what is seen (`test_panes`),
many changes are one picture (`test_feed`), what is printed belongs to the activation that printed it
(`test_log_capture`)."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import pytest_textual_snapshot
from textual.widgets import DataTable, Log, RichLog

from tests.tui import fixed
from tests.tui.driving import Drive, main_of
from tui.widgets.job_pane import TABS
from tui.widgets.lines import LinePane

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_no_pane_is_a_widget_that_keeps_all_cells_or_lines_formatted() -> None:
    """Tables whose columns are measured at every change, and logs whose text cannot be selected, are not
    used: every pane and tab makes the lines that are seen, when they are seen."""
    async with fixed.app().run_test(size=(120, 40)) as pilot:
        main = main_of(pilot)
        assert not [*main.query(DataTable), *main.query(RichLog), *main.query(Log)]
        for key in "12345":
            await pilot.press(key)
            assert isinstance(main.focused, LinePane)
        for tab in TABS:
            main.job_pane.go_to_tab(tab)
            assert isinstance(main.job_pane.content, LinePane)


@pytest.mark.parametrize("tab", ["Overview", "Log", "Graph", "Error"])
async def test_the_text_of_a_tab_can_be_selected_with_the_mouse(tab: str) -> None:
    async with fixed.app().run_test(size=(120, 40)) as pilot:
        main = main_of(pilot)
        await pilot.press("5")
        main.job_pane.go_to_tab(tab)
        await pilot.pause()
        assert await selected(pilot, main.job_pane.content)


async def selected(pilot: Drive, pane: LinePane) -> str | None:
    """Drag over the first line."""
    await pilot.mouse_down(pane, offset=(1, 0))
    await pilot.hover(pane, offset=(12, 0))
    await pilot.mouse_up(pane, offset=(12, 0))
    await pilot.pause()
    return pilot.app.screen.get_selected_text()


def test_the_report_of_pictures_that_differ_holds_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    gather = pytest_textual_snapshot.retrieve_svg_diffs
    diff = SimpleNamespace(environment={"TOKEN": "do not show"})
    monkeypatch.setitem(gather.__globals__, "_retrieve", lambda *_: ([diff], 1))
    diffs, passing = gather()
    assert (diffs[0].environment, passing) == ({}, 1)

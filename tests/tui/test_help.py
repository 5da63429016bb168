"""Help says everything, on a screen of any width."""

from __future__ import annotations

import pytest

from tests.tui import fixed
from tests.tui.driving import screen_text
from tui.app import RoutiluxApp
from tui.keymap import remap
from tui.keys import KEYS, key_named
from tui.spans import line_width, plain
from tui.widgets.lines import TextPane

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40)])
async def test_every_description_is_there_in_full_and_within_the_window(size: tuple[int, int]) -> None:
    async with fixed.app().run_test(size=size) as pilot:
        await pilot.press("question_mark")
        pane = pilot.app.screen.query_one(TextPane)
        lines = [pane.line(y) for y in range(pane.line_count())]
        assert max(line_width(line) for line in lines) <= pane.columns
        assert pane.max_scroll_x == 0
        words = " ".join(" ".join(plain(line).split()) for line in lines)
        assert [key.about for key in KEYS if key.about not in words] == []


async def test_a_description_goes_on_under_its_own_beginning_when_the_window_shrinks() -> None:
    about = key_named("rerun-on-save").about
    async with fixed.app().run_test(size=(120, 40)) as pilot:
        await pilot.press("question_mark")
        assert about[:60] in screen_text(pilot)
        await pilot.resize_terminal(60, 40)
        lines = screen_text(pilot).splitlines()
        at = next(number for number, line in enumerate(lines) if about[:20] in line)
        start = lines[at].index(about[:20])
        goes_on = lines[at + 1][start:].partition("│")[0].strip()
        assert goes_on
        assert f"{lines[at][start:].partition('│')[0].strip()} {goes_on}" in about


async def test_keys_with_long_names_are_named_in_full() -> None:
    names = ["ctrl+shift+f10", "ctrl+shift+f11"]
    app = RoutiluxApp(
        fixed.FixedBackend(), catalogue=fixed.CATALOGUE, clock=fixed.clock, theme="textual-dark",
        keys=remap({"mark-all": names}),
    )  # fmt: skip
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("question_mark")
        pane = pilot.app.screen.query_one(TextPane)
        assert "/".join(names) in "\n".join(plain(pane.line(y)) for y in range(pane.line_count()))

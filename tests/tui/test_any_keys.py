"""Whatever is pressed, clicked and resized, in whatever order, nothing breaks."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from textual.events import Key

from tests.tui import fixed
from tests.tui.driving import app_of, main_of, screen_text, until, until_shown
from tests.tui.fixed import S
from tui import typing_ahead
from tui.keys import KEYS
from tui.screens.start import StartScreen

pytestmark = pytest.mark.anyio

PRESSED = sorted(
    {key for entry in KEYS for key in entry.keys} - {"q", "ctrl+q", "ctrl+c", "S", "R", "ctrl+s"}
)
TYPED = [*"abz019", "space", "backspace", "delete", "full_stop"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def _what_is_written_goes_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("seed", range(2))
async def test_random_keys_clicks_sizes_and_pictures(seed: int) -> None:
    chance = random.Random(seed)
    app = fixed.app()
    app.animation_level = "none"
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        backend = app_of(pilot).backend
        for step in range(100):
            what = chance.random()
            if what < 0.8:
                await pilot.press(chance.choice(PRESSED if chance.random() < 0.8 else TYPED))
            elif what < 0.87:
                await pilot.resize_terminal(chance.randrange(20, 200), chance.randrange(5, 60))
            elif what < 0.93:
                width, height = pilot.app.size
                await pilot.click(offset=(chance.randrange(width), chance.randrange(height)))
            else:
                jobs = [
                    fixed.summary(number, chance.choice(list(S)))
                    for number in range(step, step + chance.randrange(60))
                ]
                backend.give(jobs)  # type: ignore[attr-defined]
                main_of(pilot)._frame()
        await pilot.pause()
        assert screen_text(pilot)


async def test_keys_that_come_all_at_once_do_what_they_do_one_by_one() -> None:
    async with fixed.app().run_test(size=(120, 40)) as pilot:
        for key in ("4", "slash", *"sqxjQ1", "enter", "1", "slash", *"report", "enter", "s"):
            pilot.app.post_message(Key(key, key if len(key) == 1 else None))
        await until_shown(pilot, "report.render")
        await until(pilot, lambda: isinstance(pilot.app.screen, StartScreen))
        main = main_of(pilot)
        assert main.job_table.filter.text == "sqxjQ1"
        assert main.flow_list.filter.text == "report"
        assert app_of(pilot).backend.orders == []  # type: ignore[attr-defined]


async def test_a_key_that_is_never_dealt_with_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typing_ahead, "PATIENCE", -1)
    async with fixed.app().run_test(size=(120, 40)) as pilot:
        app = app_of(pilot)
        monkeypatch.setattr(app, "_follow", lambda path: None)
        for key in "44z":
            app.post_message(Key(key, key))
        await until(pilot, lambda: not main_of(pilot).query_one("#left").display)

"""Whatever is pressed, clicked and resized, in whatever order, nothing breaks."""

from __future__ import annotations

import random

import pytest

from tests.tui import fixed
from tests.tui.driving import app_of, main_of, screen_text
from tests.tui.fixed import S
from tui.keys import KEYS

pytestmark = pytest.mark.anyio

PRESSED = sorted(
    {key for entry in KEYS for key in entry.keys} - {"q", "ctrl+q", "ctrl+c", "S", "R", "ctrl+s"}
)
TYPED = [*"abz019", "space", "backspace", "delete", "full_stop"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


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

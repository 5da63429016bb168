"""Long work in parts: whoever types does not wait for its end."""

from __future__ import annotations

import pytest
from textual.app import App
from textual.events import Key

from tui.parts import in_parts

pytestmark = pytest.mark.anyio
PARTS = 200


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Busy(App[None]):
    """Notes how many parts were done when a key came."""

    done = 0
    done_at_key: int | None = None

    def part(self) -> bool:
        self.done += 1
        return self.done < PARTS

    def on_key(self) -> None:
        self.done_at_key = self.done


async def test_a_key_is_dealt_with_between_two_parts() -> None:
    app = Busy()
    async with app.run_test() as pilot:
        in_parts(app.screen, app.part)
        app.post_message(Key("x", None))
        await pilot.pause()
        while app.done < PARTS:
            await pilot.pause()
        assert app.done_at_key is not None
        assert app.done_at_key < 5


async def test_every_part_is_done_once_and_then_it_is_over() -> None:
    app = Busy()
    async with app.run_test() as pilot:
        in_parts(app.screen, app.part)
        while app.done < PARTS:
            await pilot.pause()
        await pilot.pause()
        assert app.done == PARTS

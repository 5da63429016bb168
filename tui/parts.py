"""Long work in the screen's thread, in parts: keys that come meanwhile are dealt with before the next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from textual.message_pump import MessagePump

# From the terminal to what a key does it is a handful of turns of the loop: app, screen, widget.
_TURNS: Final = 8


def in_parts(pump: MessagePump, part: Callable[[], bool]) -> None:
    """Call `part` again and again until it answers False. For the thread of the screen."""

    async def go_on() -> None:
        # A pump that finds its next message in its queue lets nobody else go on.
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        if part():
            pump.call_later(go_on)

    pump.call_later(go_on)

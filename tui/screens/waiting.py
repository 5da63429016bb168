"""Waiting, visibly, for a thread in which a flow's own code runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from textual.screen import Screen

from tui.aside import aside

Answer = TypeVar("Answer")
# What takes no longer shows no dialog, and the next key is dealt with when it is done. In seconds.
MOMENT: Final = 0.3


async def wait_for(
    screen: Screen[Any],
    function: Callable[[], Answer],
    said: str,
    go_on: Callable[[asyncio.Future[Answer]], Awaitable[None]],
    left: Callable[[asyncio.Future[Answer]], Awaitable[None]],
) -> None:
    """Have `function` run in a thread, and go on with its answer or what it raised.

    If that takes more than a MOMENT, a dialog over `screen` says what is waited for; whoever does not want to
    wait leaves it, and `left` is given what will become of it.
    """
    work = asyncio.ensure_future(aside(function))
    await asyncio.wait({work}, timeout=MOMENT)
    if work.done():
        await go_on(work)
        return

    # Not before it is needed: the first frame would wait for it.
    from tui.screens.waiting_screen import WaitingScreen

    async def answered(done: bool | None) -> None:
        if done:
            await go_on(work)
        else:
            await left(work)

    await screen.app.push_screen(WaitingScreen(said, work), answered)

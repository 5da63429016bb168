"""Waiting, visibly, for a thread in which a flow's own code runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, Final, TypeVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.widgets import Static

from tui.aside import aside
from tui.keys import bindings_of
from tui.screens.in_turn import InTurnScreen
from tui.spans import clean

Answer = TypeVar("Answer")
# What takes no longer shows no dialog, and the next key is dealt with when it is done. In seconds.
MOMENT: Final = 0.3


class WaitingScreen(InTurnScreen[bool]):
    """Stands until `work` is done, and answers whether it was; False when it is left before."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("waiting")]

    def __init__(self, said: str, work: asyncio.Future[Any]) -> None:
        super().__init__()
        self._said = said
        self._work = work

    def compose(self) -> ComposeResult:
        yield Static(clean(self._said), id="waiting", markup=False)

    def on_mount(self) -> None:
        self.run_worker(self._wait(), exit_on_error=True)

    async def _wait(self) -> None:
        await asyncio.wait({self._work})
        self.dismiss_in_turn(True)

    def action_leave(self) -> None:
        self.dismiss(False)


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

    async def answered(done: bool | None) -> None:
        if done:
            await go_on(work)
        else:
            await left(work)

    await screen.app.push_screen(WaitingScreen(said, work), answered)

"""The dialog that stands while something is waited for."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Static

from tui.keys import bindings_of, hint_of
from tui.screens.in_turn import InTurnScreen
from tui.spans import clean


class WaitingScreen(InTurnScreen[bool]):
    """Stands until `work` is done, and answers whether it was; False when it is left before."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("waiting")]

    def __init__(self, said: str, work: asyncio.Future[Any]) -> None:
        super().__init__()
        self._said = said
        self._work = work

    def compose(self) -> ComposeResult:
        box = Static(clean(self._said), id="waiting", markup=False)
        box.border_subtitle = Content.assemble(*hint_of(["waiting-leave"]))
        yield box

    def on_mount(self) -> None:
        self.run_worker(self._wait(), exit_on_error=True)

    async def _wait(self) -> None:
        await asyncio.wait({self._work})
        self.dismiss_in_turn(True)

    def action_leave(self) -> None:
        self.dismiss(False)

"""Waiting, briefly and visibly, until the parameters of a flow are described."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.aside import aside
from tui.keys import bindings_of
from tui.pictures import FlowPicture
from tui.spans import clean


class DescribingScreen(ModalScreen[FlowPicture | Exception | None]):
    """Answers with what `describe` answers or raises, or with None when it is left.

    `describe` is called in a thread. It runs the flow's own code, and may never return.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("describing")]

    def __init__(self, flow_name: str, describe: Callable[[str], FlowPicture | None]) -> None:
        super().__init__()
        self._flow_name = flow_name
        self._describe = describe

    def compose(self) -> ComposeResult:
        name = clean(self._flow_name)
        yield Static(f"reading the parameters of {name} …", id="describing", markup=False)

    def on_mount(self) -> None:
        self.run_worker(self._wait(), exit_on_error=True)

    async def _wait(self) -> None:
        answer: FlowPicture | Exception | None
        try:
            answer = await aside(self._describe, self._flow_name)
        except Exception as error:
            answer = error
        self.dismiss(answer)

    def action_leave(self) -> None:
        self.dismiss(None)

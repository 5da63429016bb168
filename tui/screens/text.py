"""A window with lines to read: a value, a record's data."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from tui.keys import bindings_of, key_named
from tui.screens.dialog import Dialog
from tui.spans import Line, clean_lines
from tui.widgets.lines import TextPane


class TextScreen(Dialog[bool | None]):
    """Shows lines until it is closed; the answer is for what a subclass offers."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("text")]

    def __init__(self, title: str, lines: list[Line]) -> None:
        super().__init__()
        self._title = title
        self._lines = lines

    def compose(self) -> ComposeResult:
        yield TextPane(id="text")

    def on_mount(self) -> None:
        pane = self.query_one(TextPane)
        pane.set_title(self._title, self.hint())
        pane.set_lines(self._lines, sideways=True)
        self.set_focus(pane)

    def hint(self) -> str:
        """What the keys of the window do."""
        return f"{key_named('text-close').first} closes"

    def action_close(self) -> None:
        self.dismiss(None)


def lines_of_text(text: str) -> list[Line]:
    """Plain text as lines, made safe."""
    return [((f" {line}", "text"),) for line in clean_lines(text)]

"""The line at the bottom in which a filter is typed."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.widgets import Input, Static

from tui.keys import bindings_of
from tui.spans import clean


class Prompt(Input):
    """Says every change at once, so that one sees the list narrow; enter keeps, esc clears."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("filter")]

    class Typed(Message):
        """The filter is another now."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Left(Message):
        """Typing is over."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, compact=True, placeholder="filter", select_on_focus=False)

    def open(self, text: str, purpose: str) -> None:
        """Come into view with what was typed before, selected: typing takes its place, the arrows edit it.
        `purpose` stands there while nothing is."""
        self.placeholder = purpose
        self.display = True
        self.value = text
        self.select_all()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Typed(event.value))

    def on_blur(self, event: events.Blur) -> None:
        self.post_message(self.Left())

    def action_keep(self) -> None:
        self.post_message(self.Left())

    def action_clear(self) -> None:
        self.value = ""
        self.post_message(self.Left())


class PromptNote(Static):
    """Above the prompt: what is wrong with what is being typed. Not there while nothing is."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__("", id=id, markup=False)
        self.display = False

    def say(self, text: str) -> None:
        """The text may hold anything; nothing takes the line away."""
        self.update(clean(text))
        self.display = bool(text)

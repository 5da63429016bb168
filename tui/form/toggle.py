"""A switch that says its state in words, so that it is not known by its colour alone."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget


class Toggle(Widget, can_focus=True):
    """On or off; space, the arrows or a click turn it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "turn", show=False),
        Binding("left", "turn(False)", show=False),
        Binding("right", "turn(True)", show=False),
    ]

    value: reactive[bool] = reactive(False, init=False)

    class Changed(Message):
        """The switch was turned."""

    def __init__(self, value: bool, words: tuple[str, str] = ("yes", "no")) -> None:
        super().__init__()
        self._words = words
        self.set_reactive(Toggle.value, value)

    def set_words(self, on: str, off: str) -> None:
        """What stands beside the switch for its two states."""
        self._words = (on, off)
        self.refresh()

    def render(self) -> Content:
        knob = ("━━", "dim"), ("●", "bold")
        track = knob if self.value else knob[::-1]
        return Content.assemble(" ", *track, "  ", (self._words[not self.value], "bold"))

    def watch_value(self) -> None:
        self.post_message(self.Changed())

    def action_turn(self, to: bool | None = None) -> None:
        self.value = not self.value if to is None else to

    def on_click(self) -> None:
        self.action_turn()

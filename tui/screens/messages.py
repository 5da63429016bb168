"""The window of messages: what was written past the jobs, as it comes."""

from __future__ import annotations

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType

from tui.formats import clock_time
from tui.keys import bindings_of, key_named
from tui.messages import Message, Messages
from tui.screens.dialog import Dialog
from tui.spans import LONGEST, Line, clean, line_width
from tui.widgets.lines import LinePane

FRAME: Final = 0.2
_NOTHING: Final = (
    "Nothing was written past the jobs.",
    "What a job prints is in its log. What threads of no job, subprocesses and C code write to the",
    "standard output or error comes here, and so does the traceback of a thread that ended with an error.",
)


class MessagesScreen(Dialog[None]):
    """Shows the messages until it is closed, the newest in view unless one has scrolled up."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("text"), *bindings_of("messages")]

    def __init__(self, messages: Messages) -> None:
        super().__init__()
        self._messages = messages
        self.pane = MessagesPane(id="text")

    def compose(self) -> ComposeResult:
        yield self.pane

    def on_mount(self) -> None:
        self.set_focus(self.pane)
        self._show()
        self.set_interval(FRAME, self._show)

    def _show(self) -> None:
        messages = self._messages
        lost = [f"{messages.lines_lost:,} older lines not kept"] if messages.lines_lost else []
        lost += [f"{messages.bytes_lost:,} bytes not read"] if messages.bytes_lost else []
        self.pane.set_title("Messages", " · ".join([*lost, f"{key_named('text-close').first} closes"]))
        self.pane.show(messages.lines, messages.lines_lost)
        messages.looked()

    def action_close(self) -> None:
        self.dismiss(None)


class MessagesPane(LinePane):
    """A line each, with the time it was seen at."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: tuple[Message, ...] = ()
        self._lost = 0
        self._widest = 0

    def show(self, lines: tuple[Message, ...], lost: int) -> None:
        """Show these lines; `lost` counts all that were dropped before the first of them."""
        at_end = self.scroll_offset.y >= self.max_scroll_y
        gone, self._lost = lost - self._lost, lost
        self._lines = lines
        self.lines_changed()
        if at_end:
            self._to_end()
        elif gone:
            self.scroll_to(y=max(0, self.scroll_offset.y - gone), animate=False)

    def _to_end(self) -> None:
        # After the layout: a scrollbar that comes with these lines takes one of the lines that are seen.
        self.call_after_refresh(self.scroll_end, animate=False, force=True, x_axis=False)

    def line_count(self) -> int:
        return len(self._lines) or len(_NOTHING)

    def content_width(self) -> int:
        return self._widest

    def line(self, y: int) -> Line:
        if not self._lines:
            return ((f" {_NOTHING[y]}", "muted"),)
        message = self._lines[y]
        text = clean(message.text.expandtabs(8)[:LONGEST])
        line = ((f" {clock_time(message.at, message.at.tzinfo)} ", "muted"), (text, "text"))
        self._widest = max(self._widest, line_width(line))
        return line

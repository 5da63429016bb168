"""A window with lines to read: help, a record's data."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import ModalScreen

from tui.keys import SCOPE_TITLES, Key, bindings_of, key_named, keys_of
from tui.spans import BLANK, Line, clean_lines, fit
from tui.widgets.lines import TextPane


class TextScreen(ModalScreen[bool | None]):
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


def help_lines(scopes: frozenset[str]) -> list[Line]:
    """Every key: first those of what has the focus, then those that work everywhere."""
    ordered = [scope for scope in SCOPE_TITLES if scope in scopes and scope != "main"]
    lines: list[Line] = []
    for scope in [*ordered, "main", *(each for each in SCOPE_TITLES if each not in (*ordered, "main"))]:
        if lines:
            lines.append(BLANK)
        lines.append(((" " + SCOPE_TITLES[scope], "title"),))
        lines += [_key_line(key) for key in keys_of(scope)]
    return lines


def _key_line(key: Key) -> Line:
    return ((" " + fit(key.shown, 18), "key"), (key.about, "text"))

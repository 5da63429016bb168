"""The window with every key and what it does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from textual.app import ComposeResult

from tui.keys import SCOPE_TITLES, Key, keys_of
from tui.screens.text import TextScreen
from tui.spans import BLANK, Line, fit, width, wrap
from tui.widgets.lines import TextPane

# How wide the column of the keys is.
_KEYS: Final = 18


class HelpScreen(TextScreen):
    """Help for what has the focus: the keys of these scopes come first."""

    def __init__(self, scopes: frozenset[str]) -> None:
        super().__init__("Help", [])
        self._scopes = scopes

    def compose(self) -> ComposeResult:
        yield HelpPane(self._scopes, id="text")


class HelpPane(TextPane):
    """Wraps what it says to its own width."""

    def __init__(self, scopes: frozenset[str], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._scopes = scopes

    def on_resize(self) -> None:
        self.set_lines(help_lines(self._scopes, self.columns))


def help_lines(scopes: frozenset[str], columns: int) -> list[Line]:
    """Every key: first those of what has the focus, then those that work everywhere."""
    ordered = [scope for scope in SCOPE_TITLES if scope in scopes and scope != "main"]
    lines: list[Line] = []
    for scope in [*ordered, "main", *(each for each in SCOPE_TITLES if each not in (*ordered, "main"))]:
        if lines:
            lines.append(BLANK)
        lines.append(((" " + SCOPE_TITLES[scope], "title"),))
        for key in keys_of(scope):
            lines += _key_lines(key, columns)
    return lines


def _key_lines(key: Key, columns: int) -> Iterator[Line]:
    """A key and what it does, which goes on under its own beginning where it is too long."""
    names = " " + fit(key.shown, _KEYS)
    if width(key.shown) >= _KEYS:
        yield ((" " + key.shown, "key"),)
        names = " " * len(names)
    for part in wrap(key.about, columns - _KEYS - 1):
        yield ((names, "key"), (part, "text"))
        names = " " * len(names)

"""The rows of texts that one goes through line by line."""

from __future__ import annotations

from typing import NamedTuple

from tui.places import Place
from tui.spans import Line


class DocRow(NamedTuple):
    """A line, and what can be done with it.

    `key` is unique and stays with what the line is about. `copies` is what is copied of it, its own
    text unless given; `place` is what the editor opens, or the code of `routine`. `folds` is the name
    of what enter folds and unfolds; `whole` a title and a text that enter shows in a window.
    """

    key: str
    line: Line
    copies: str = ""
    place: Place | None = None
    routine: str = ""
    folds: str = ""
    whole: tuple[str, str] | None = None

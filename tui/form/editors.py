"""What one types into: a line, a text of several lines, a path that is completed."""

from __future__ import annotations

import os
from collections.abc import Sequence

from textual import events
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input, TextArea

from tui.aside import aside
from tui.spans import clean


class Submitted(Message):
    """Enter was pressed in a text of one line."""


class PastSuggester(Suggester):
    """Offers what was given earlier, the newest first."""

    def __init__(self, earlier: Sequence[str]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._earlier = earlier

    async def get_suggestion(self, value: str) -> str | None:
        return suggestion(value, self._earlier)


class PathSuggester(Suggester):
    """Completes the last part of a path with what is in its folder."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        # A folder on a slow disk must hold up neither the screen nor the end of the app.
        return await aside(complete_path, value) if value else None


def suggestion(value: str, earlier: Sequence[str]) -> str | None:
    """The first of `earlier` that `value` is the beginning of."""
    return next((each for each in earlier if value and each != value and each.startswith(value)), None)


def complete_path(value: str) -> str | None:
    """The first entry, by name, that `value` is the beginning of; folders get their slash."""
    folder, beginning = os.path.split(value)
    if not beginning:
        return None
    try:
        with os.scandir(os.path.expanduser(folder) or ".") as entries:
            found = sorted((each.name, each.is_dir()) for each in entries if each.name.startswith(beginning))
    except (OSError, ValueError):
        return None
    # A name that cannot be shown as it is cannot be offered as text either.
    for name, is_folder in found:
        if clean(name) == name:
            return os.path.join(folder, name) + ("/" if is_folder else "")
    return None


class Line(Input):
    """One line. Nothing that a terminal would act upon gets into it."""

    def insert(self, text: str, index: int) -> None:
        super().insert(clean(text), index)

    def replace(self, text: str, start: int, end: int) -> None:
        super().replace(clean(text), start, end)


class Text(TextArea):
    """Several lines, as high as they are many. Tab goes to the next field."""

    def __init__(self, *, id: str | None = None, classes: str = "json") -> None:
        super().__init__(
            compact=True, tab_behavior="focus", highlight_cursor_line=False, id=id, classes=classes
        )
        self.match_cursor_bracket = False

    def on_paste(self, event: events.Paste) -> None:
        lines = event.text.splitlines()
        event.text = "\n".join("\t".join(map(clean, line.split("\t"))) for line in lines)


class TextLine(Text):
    """Text that is mostly one line, and grows: enter is for the form, ctrl+j begins a line."""

    def __init__(self, earlier: Sequence[str] = ()) -> None:
        super().__init__(classes="text-line")
        self._earlier = earlier

    def on_key(self, event: events.Key) -> None:
        if event.key == "enter":
            event.stop()
            event.prevent_default()
            self.post_message(Submitted())

    def update_suggestion(self) -> None:
        found = suggestion(self.text, self._earlier) if self.cursor_at_end_of_text else None
        self.suggestion = found[len(self.text) :] if found is not None and "\n" not in found else ""

"""What one types into: a line, a text of several lines, a path that is completed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

from textual import events
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input, TextArea

from tui.aside import aside
from tui.spans import clean, harmless

# Characters in one editor: with more, each key takes seconds.
MOST: Final = 100_000


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


class Remark(Message):
    """What became of a text that was pasted; nothing where all of it went in."""

    def __init__(self, said: str) -> None:
        super().__init__()
        self.said = said


def pasted(text: str) -> tuple[str, str]:
    """What of a text goes into an editor, lines and tabs kept, and what to say of the rest."""
    text = "\n".join(text.splitlines())
    kept = "\n".join("\t".join(map(harmless, line.split("\t"))) for line in text.split("\n"))
    return kept, _left_out(len(text) - len(kept))


def _left_out(count: int) -> str:
    if not count:
        return ""
    what = "1 character that cannot be shown here was"
    if count > 1:
        what = f"{count:,} characters that cannot be shown here were"
    return f"{what} left out of what was pasted"


def pasted_secret(text: str) -> tuple[str, str]:
    """The same for what is masked: all of it, and how many lines nobody sees."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\n" not in text[:-1]:
        return text.removesuffix("\n"), ""
    return text, f"{len(text.splitlines()):,} lines were pasted"


class Line(Input):
    """One line. Nothing that a terminal would act upon gets into it, unless it is masked."""

    def replace(self, text: str, start: int, end: int) -> None:
        super().replace(text if self.password else harmless(text), start, end)

    def on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self._paste(event.text)

    def action_paste(self) -> None:
        """Paste what was copied within the app."""
        self._paste(self.app.clipboard)

    def _paste(self, text: str) -> None:
        if self.password:
            taken, said = pasted_secret(text)
        else:
            lines = text.strip("\r\n").splitlines() or [""]
            taken = harmless(lines[0])
            said = _left_out(len(lines[0]) - len(taken))
            if len(lines) > 1:
                taken, said = "", f"not pasted: there are {len(lines):,} lines, and this takes one"
        if len(taken) > MOST:
            taken, said = "", _too_much(taken)
        if taken:
            self.replace(taken, *self.selection)
        # After what is said of the change itself.
        self.call_next(self.post_message, Remark(said))


class Text(TextArea):
    """Several lines, as high as they are many. Tab goes to the next field."""

    def __init__(self, *, id: str | None = None, classes: str = "json") -> None:
        super().__init__(
            compact=True, tab_behavior="focus", highlight_cursor_line=False, id=id, classes=classes
        )
        self.match_cursor_bracket = False

    def on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self._paste(event.text)

    def action_paste(self) -> None:
        """Paste what was copied within the app."""
        self._paste(self.app.clipboard)

    def _paste(self, text: str) -> None:
        taken, said = pasted(text)
        if len(self.text) + len(taken) > MOST:
            said = _too_much(taken)
        else:
            self.replace(taken, *self.selection, maintain_selection_offset=False)
            self.scroll_cursor_visible()
        self.call_next(self.post_message, Remark(said))


def _too_much(text: str) -> str:
    return f"not pasted: {len(text):,} characters are too many, at most {MOST:,} can be edited here"


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

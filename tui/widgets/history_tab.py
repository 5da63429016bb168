"""The History tab: the records, and beside or below them all of the chosen one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from textual.app import ComposeResult
from textual.containers import Container

from tui.spans import BLANK, Line, clean_lines, wrap
from tui.widgets.history_view import HistoryView
from tui.widgets.lines import TextPane

# From so many columns on the record stands beside the list.
SIDE_BY_SIDE: Final = 110
# Lines of one record's data; the window that enter opens has more.
_MOST: Final = 400


class Record(TextPane):
    """All of one record. Its lines are made for its width, and anew when that changes."""

    def __init__(self, write: Callable[[], None], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._write = write

    def on_resize(self) -> None:
        self._write()


class HistoryTab(Container):
    """Enter opens the chosen record, and it follows the choice; enter again shows it in a window."""

    def __init__(self, records: HistoryView, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.records = records
        self.record = Record(self._write, id="record")
        self._shown: str | None = None

    def compose(self) -> ComposeResult:
        yield self.records
        yield self.record

    def on_mount(self) -> None:
        self.record.display = False

    def on_resize(self) -> None:
        self.set_class(self.size.width >= SIDE_BY_SIDE, "-beside")

    @property
    def is_open(self) -> bool:
        return self.record.display

    def open(self) -> None:
        """Show the chosen record."""
        self.record.display = True
        self._write()

    def close(self) -> bool:
        """Show the list alone; False if it was."""
        was = self.is_open
        if self.record.has_focus:
            self.screen.set_focus(self.records)
        self.record.display = False
        return was

    def show(self) -> None:
        """Show the record that is chosen now, if one is to be shown at all."""
        key = self.records.chosen
        if not self.is_open or key == self._shown:
            return
        self.record.scroll_to(y=0, animate=False)
        self._write()

    def on_history_view_read(self) -> None:
        if self.is_open:
            self._write()

    def _write(self) -> None:
        key = self._shown = self.records.chosen
        text = self.records.whole_of(key) if key is not None else None
        lines: list[Line] = []
        if text is not None:
            columns = max(self.record.columns - 2, 20)
            lines += [((f" {part}", "title"),) for part in wrap(text[0], columns)]
            for line in clean_lines(text[1], _MOST):
                lines += [
                    ((f" {part}", "text"),) if part else BLANK for part in wrap(line, columns, indent="    ")
                ]
        self.record.set_lines(lines)

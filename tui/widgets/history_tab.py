"""The History tab: the records, and beside or below them all of the chosen one."""

from __future__ import annotations

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


class HistoryTab(Container):
    """Enter opens the chosen record, and it follows the choice; enter again shows it in a window."""

    def __init__(self, records: HistoryView, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.records = records
        self.record = TextPane(id="record")
        self._shown: str | None = None

    def compose(self) -> ComposeResult:
        yield self.records
        yield self.record

    def on_mount(self) -> None:
        self.record.display = False

    def on_resize(self) -> None:
        self.set_class(self.size.width >= SIDE_BY_SIDE, "-beside")
        self._shown = None
        self.call_after_refresh(self.show)

    @property
    def is_open(self) -> bool:
        return self.record.display

    def open(self) -> None:
        """Show the chosen record."""
        self.record.display = True
        self._shown = None
        self.call_after_refresh(self.show)

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
        self._shown = key
        text = self.records.text_of(key) if key is not None else None
        lines: list[Line] = []
        if text is not None:
            columns = max(self.record.columns - 2, 20)
            lines += [((f" {part}", "title"),) for part in wrap(text[0], columns)]
            for line in clean_lines(text[1], _MOST):
                lines += [
                    ((f" {part}", "text"),) if part else BLANK for part in wrap(line, columns, indent="    ")
                ]
        self.record.scroll_to(y=0, animate=False)
        self.record.set_lines(lines)

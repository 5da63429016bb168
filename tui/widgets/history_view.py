"""The execution records of a job, a row each, with their data on one line."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from datetime import tzinfo
from functools import partial
from typing import Any, ClassVar

from textual.binding import BindingType
from textual.message import Message

from routilux.history import ExecutionRecord
from tui.filters import Filter, parse_filter
from tui.formats import clock_time, pretty
from tui.history_rows import FIELDS, WORDS, HistoryRows
from tui.keys import bindings_of
from tui.parts import in_parts
from tui.readings import Readings
from tui.spans import Line, cut, fit, width
from tui.widgets.cursor import CursorPane

_EVENT_COLUMNS = 18


class HistoryView(CursorPane):
    """The records of the History tab. The key of a row is the record's sequence number.

    Follows the newest record while that is the chosen one, unless one has said otherwise.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("history")]
    SCOPES: ClassVar[frozenset[str]] = frozenset({"list", "history"})

    class Changed(Message):
        """What the history says of itself has changed."""

    class Read(Message):
        """All of a record has been read."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._zone: tzinfo | None = None
        self._rows = HistoryRows(self._text_came)
        self._wholes = Readings(self._whole_came, most=20, keeps_all=False)
        self._dropped = 0
        self._next = 0
        self._follow = True

    def clear(self, zone: tzinfo | None) -> None:
        """Another job is chosen."""
        self._zone = zone
        self._rows.clear()
        self._wholes.clear()
        self._follow = True
        self._dropped = self._next = 0
        self.rows_changed()

    @property
    def next_sequence(self) -> int:
        """The number of the record to go on from."""
        return self._next

    def append(self, records: Sequence[ExecutionRecord], dropped: int) -> None:
        """Add the records that were made since, oldest first; the `dropped` oldest are no longer kept."""
        if not records:
            return
        self._rows.append(records, dropped)
        self._next = records[-1].sequence + 1
        self._dropped = dropped
        self._show_rows()

    def _show_rows(self) -> None:
        self.rows_changed()
        if self._follow and self._shown:
            self._own(len(self._shown) - 1)

    @property
    def _shown(self) -> Sequence[ExecutionRecord]:
        return self._rows.rows

    def _text_came(self, another_row: bool) -> None:
        if another_row:
            self._show_rows()
        else:
            self.lines_changed()
        if self.filter:
            self.post_message(self.Changed())

    def _whole_came(self, key: Hashable) -> None:
        self.post_message(self.Read())

    # ---- following

    @property
    def following(self) -> bool:
        """Whether the newest record is chosen as it comes."""
        return self._follow

    def _own(self, row: int) -> None:
        """Choose a row without that being taken for the user's choice."""
        super()._go(row)

    def _go(self, row: int) -> None:
        super()._go(row)
        self._set_follow(self.chosen_row == len(self._shown) - 1)

    def _set_follow(self, follow: bool) -> None:
        if follow != self._follow:
            self._follow = follow
            self.post_message(self.Changed())

    def action_follow(self) -> None:
        """Follow the newest record, or stay with the chosen one."""
        self._set_follow(not self._follow)
        if self._follow and self._shown:
            self._own(len(self._shown) - 1)

    # ---- filtering

    @property
    def filter(self) -> Filter:
        return self._rows.filter

    def set_filter(self, text: str) -> None:
        """Show the records that pass: words of the routine, the event or the data."""
        if self._rows.arrange(parse_filter(text, FIELDS)):
            in_parts(self, self._go_on)
        self._show_rows()
        self.refresh()

    def _go_on(self) -> bool:
        more = self._rows.go_on()
        if not more:
            self._show_rows()
            self.refresh()
            self.post_message(self.Changed())
        return more

    def passes(self, record: ExecutionRecord) -> bool:
        """Whether the filter shows a record."""
        return self._rows.passes(record)

    @property
    def words(self) -> str:
        """How many records there are, for the pane's border."""
        parts = ["FOLLOW" if self._follow else "stays", f"{len(self._rows.records):,} records"]
        if self.filter:
            parts.insert(1, f"{len(self._shown):,} pass {self.filter.text}")
            parts += [f"{self._rows.unread:,} are still being read"] if self._rows.unread else []
        parts.append(f"{self._dropped:,} dropped")
        return " · ".join(parts)

    def text_of(self, key: str) -> tuple[str, Callable[[], str]] | None:
        """A title, and what writes the whole text of one record."""
        row = self.row_of_key(key)
        if row is None:
            return None
        record = self._shown[row]
        moment = record.timestamp.astimezone(self._zone).isoformat(sep=" ", timespec="milliseconds")
        head = f"#{record.sequence} at {moment}\n\n"
        return f"{record.routine_id} {record.event_name}", partial(_whole, head, record.data)

    def whole_of(self, key: str) -> tuple[str, str] | None:
        """A title and the whole text of one record, as far as it is read; `Read` tells when it is."""
        text = self.text_of(key)
        return None if text is None else (text[0], self._wholes.of(key, text[1]).text)

    def copied(self) -> str | Callable[[], str]:
        """The data of the chosen record; where it has none, the row."""
        record = self.chosen_record
        data = None if record is None else record.data
        return super().copied() if data is None else data if type(data) is str else partial(pretty, data)

    @property
    def chosen_record(self) -> ExecutionRecord | None:
        row = self.chosen_row
        return self._shown[row] if row is not None and row < len(self._shown) else None

    def row_count(self) -> int:
        return len(self._shown)

    def row_key(self, row: int) -> str:
        return str(self._shown[row].sequence)

    def row_of_key(self, key: str) -> int | None:
        return self._rows.place(int(key))

    def line_count(self) -> int:
        return len(self._shown) or 1

    def line(self, y: int) -> Line:
        if self._shown:
            return super().line(y)
        if not self._rows.records:
            return ((" nothing recorded", "muted"),)
        yet = " yet" if self._rows.unread else ""
        return ((f" nothing passes {self.filter.text}{yet}", "muted"),)

    def row_line(self, y: int) -> Line:
        record = self._shown[y]
        word, role = WORDS.get(record.event_name, (f"→ {record.event_name}", "text"))
        head = f"{record.sequence:>6} {clock_time(record.timestamp, self._zone)} "
        routine = fit(record.routine_id, 14) + " "
        event = fit(word, _EVENT_COLUMNS) + " "
        room = self.columns - 1 - width(head + routine + event)
        data = self._rows.data_of(record).text
        return ((head, "muted"), (routine, "strong"), (event, role), (cut(data, max(room, 0)), "muted"))


def _whole(head: str, data: Any) -> str:
    return head + pretty(data)

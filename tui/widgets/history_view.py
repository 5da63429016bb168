"""The execution records of a job, a row each, with their data on one line."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message

from routilux.history import ENDED, FAILED, RETRIED, SKIPPED, STARTED, ExecutionRecord
from tui.filters import Filter, parse_filter
from tui.formats import clock_time, one_line, pretty
from tui.keys import bindings_of
from tui.spans import Line, cut, fit, width
from tui.widgets.cursor import CursorPane

_WORDS = {
    STARTED: ("▶ started", "running"),
    ENDED: ("✓ ended", "completed"),
    FAILED: ("✗ failed", "failed"),
    RETRIED: ("↻ retry", "warning"),
    SKIPPED: ("⊘ skipped", "cancelled"),
}
_EVENT_COLUMNS = 18
_FIELDS = frozenset({"routine", "event", "data"})


class HistoryView(CursorPane):
    """The records of the History tab. The key of a row is the record's sequence number.

    Follows the newest record while that is the chosen one, unless one has said otherwise.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("history")]
    SCOPES: ClassVar[frozenset[str]] = frozenset({"list", "history"})

    class Changed(Message):
        """What the history says of itself has changed."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._zone: tzinfo | None = None
        # All that are kept, without a gap but where the job made more than it keeps between two looks.
        self._records: deque[ExecutionRecord] = deque()
        self._shown = self._records
        self._filter = Filter()
        self._dropped = 0
        self._next = 0
        self._follow = True

    def clear(self, zone: tzinfo | None) -> None:
        """Another job is chosen."""
        self._zone = zone
        self._records.clear()
        self._follow = True
        self._dropped = self._next = 0
        self._select()
        self.rows_changed()

    @property
    def next_sequence(self) -> int:
        """The number of the record to go on from."""
        return self._next

    def append(self, records: Sequence[ExecutionRecord], dropped: int) -> None:
        """Add the records that were made since, oldest first; the `dropped` oldest are no longer kept."""
        if not records:
            return
        self._records.extend(records)
        self._next = records[-1].sequence + 1
        self._dropped = dropped
        if self._filter:
            self._shown.extend(filter(self.passes, records))
        for kept in (self._records, self._shown):
            while kept and kept[0].sequence < dropped:
                kept.popleft()
        self.rows_changed()
        if self._follow and self._shown:
            self._own(len(self._shown) - 1)

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
        return self._filter

    def set_filter(self, text: str) -> None:
        """Show the records that pass: words of the routine, the event or the data."""
        self._filter = parse_filter(text, _FIELDS)
        self._select()
        self.rows_changed()
        self.refresh()

    def passes(self, record: ExecutionRecord) -> bool:
        """Whether the filter shows a record."""
        return not self._filter or self._filter.passes(_fields(record))

    def _select(self) -> None:
        self._shown = self._records
        if self._filter:
            self._shown = deque(filter(self.passes, self._records))

    @property
    def words(self) -> str:
        """How many records there are, for the pane's border."""
        parts = ["FOLLOW" if self._follow else "stays", f"{len(self._records):,} records"]
        if self._filter:
            parts.insert(1, f"{len(self._shown):,} pass {self._filter.text}")
        parts.append(f"{self._dropped:,} dropped")
        return " · ".join(parts)

    def text_of(self, key: str) -> tuple[str, str] | None:
        """A title and the whole text of one record."""
        row = self.row_of_key(key)
        if row is None:
            return None
        record = self._shown[row]
        moment = record.timestamp.astimezone(self._zone).isoformat(sep=" ", timespec="milliseconds")
        text = f"#{record.sequence} at {moment}\n\n{pretty(record.data)}"
        return f"{record.routine_id} {record.event_name}", text

    def copied(self) -> str:
        """The data of the chosen record; where it has none, the row."""
        row = self.chosen_row
        data = self._shown[row].data if row is not None and row < len(self._shown) else None
        return super().copied() if data is None else data if type(data) is str else pretty(data)

    @property
    def chosen_record(self) -> ExecutionRecord | None:
        row = self.chosen_row
        return self._shown[row] if row is not None and row < len(self._shown) else None

    def row_count(self) -> int:
        return len(self._shown)

    def row_key(self, row: int) -> str:
        return str(self._shown[row].sequence)

    def row_of_key(self, key: str) -> int | None:
        row = bisect_left(self._shown, int(key), key=lambda record: record.sequence)
        found = row < len(self._shown) and self._shown[row].sequence == int(key)
        return row if found else None

    def line_count(self) -> int:
        return len(self._shown) or 1

    def line(self, y: int) -> Line:
        if self._shown:
            return super().line(y)
        return ((f" nothing passes {self._filter.text}" if self._records else " nothing recorded", "muted"),)

    def row_line(self, y: int) -> Line:
        record = self._shown[y]
        word, role = _WORDS.get(record.event_name, (f"→ {record.event_name}", "text"))
        head = f"{record.sequence:>6} {clock_time(record.timestamp, self._zone)} "
        routine = fit(record.routine_id, 14) + " "
        event = fit(word, _EVENT_COLUMNS) + " "
        room = self.columns - 1 - width(head + routine + event)
        data = _brief(record)
        return ((head, "muted"), (routine, "strong"), (event, role), (cut(data, max(room, 0)), "muted"))


def _fields(record: ExecutionRecord) -> Mapping[str, str]:
    """What a filter looks at, in lower case."""
    word = _WORDS.get(record.event_name, ("", ""))[0]
    return {
        "routine": record.routine_id.lower(),
        "event": f"{record.event_name} {word}".lower(),
        "data": _brief(record).lower(),
    }


def _brief(record: ExecutionRecord) -> str:
    """The data on one line; what the engine says is in words already."""
    if record.data is None:
        return ""
    said = isinstance(record.data, str) and record.event_name in (FAILED, RETRIED, SKIPPED)
    return record.data if said else one_line(record.data, 300)

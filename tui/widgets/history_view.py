"""The execution records of a job, a row each, with their data on one line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from routilux.history import ENDED, FAILED, RETRIED, SKIPPED, STARTED, ExecutionRecord
from tui.formats import clock_time, one_line, pretty
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


class HistoryView(CursorPane):
    """The History tab. The key of a row is the record's sequence number; enter shows its data in full."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._zone: tzinfo | None = None
        self._records: Sequence[ExecutionRecord] = ()
        self._dropped = 0

    def clear(self, zone: tzinfo | None) -> None:
        """Another job is chosen."""
        self._zone = zone
        self.show((), 0)

    def show(self, records: Sequence[ExecutionRecord], dropped: int) -> None:
        """Show these records, oldest first; `dropped` older ones are no longer kept."""
        at_end = self.chosen is None or self.chosen_row == len(self._records) - 1
        self._records = records
        self._dropped = dropped
        self.rows_changed()
        if at_end and records:
            self.choose(self.row_key(len(records) - 1))

    @property
    def words(self) -> str:
        """How many records there are, for the pane's border."""
        dropped = f" · {self._dropped:,} older ones not kept" if self._dropped else ""
        return f"{len(self._records):,} records{dropped}"

    def record_text(self, key: str) -> tuple[str, str] | None:
        """A title and the whole text of one record."""
        row = self.row_of_key(key)
        if row is None:
            return None
        record = self._records[row]
        moment = record.timestamp.astimezone(self._zone).isoformat(sep=" ", timespec="milliseconds")
        text = f"#{record.sequence} at {moment}\n\n{pretty(record.data)}"
        return f"{record.routine_id} {record.event_name}", text

    def row_count(self) -> int:
        return len(self._records)

    def row_key(self, row: int) -> str:
        return str(self._records[row].sequence)

    def row_of_key(self, key: str) -> int | None:
        # Sequence numbers have no gaps.
        row = int(key) - self._records[0].sequence if self._records else -1
        return row if 0 <= row < len(self._records) else None

    def line_count(self) -> int:
        return len(self._records) or 1

    def line(self, y: int) -> Line:
        return super().line(y) if self._records else ((" nothing recorded", "muted"),)

    def row_line(self, y: int) -> Line:
        record = self._records[y]
        word, role = _WORDS.get(record.event_name, (f"→ {record.event_name}", "text"))
        head = f"{record.sequence:>6} {clock_time(record.timestamp, self._zone)} "
        routine = fit(record.routine_id, 14) + " "
        event = fit(word, _EVENT_COLUMNS) + " "
        room = self.columns - 1 - width(head + routine + event)
        data = "" if record.data is None else one_line(record.data, 300)
        return ((head, "muted"), (routine, "strong"), (event, role), (cut(data, max(room, 0)), "muted"))

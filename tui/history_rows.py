"""The execution records of a job as rows: which of them a filter shows. Knows no widget."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from time import perf_counter
from typing import Final

from routilux.history import ENDED, FAILED, RETRIED, SKIPPED, STARTED, ExecutionRecord
from tui.filters import Filter
from tui.formats import one_line
from tui.readings import Readings, Text

# What the engine says of itself: its words, and the role they are shown in.
WORDS: Final = {
    STARTED: ("▶ started", "running"),
    ENDED: ("✓ ended", "completed"),
    FAILED: ("✗ failed", "failed"),
    RETRIED: ("↻ retry", "warning"),
    SKIPPED: ("⊘ skipped", "cancelled"),
}
FIELDS: Final = frozenset({"routine", "event", "data"})
_DATA: Final = frozenset({"", "data"})
# Of so many records the texts are kept.
_TEXTS: Final = 5_000


class HistoryRows:
    """The records that pass the filter, oldest first.

    A new filter goes over all records for `budget` seconds at a time: until `go_on` has answered False
    the rows are those of before. A record whose data takes its time to be written is among them when that
    has been read beside the screen; `told` is called each time that something was.
    """

    def __init__(
        self, told: Callable[[bool], None], clock: Callable[[], float] = perf_counter, budget: float = 0.008
    ) -> None:
        self._told = told
        self._clock = clock
        self._budget = budget
        self._texts = Readings(self._text_came, most=_TEXTS, keeps_all=True)
        # All that are kept, without a gap but where the job made more than it keeps between two looks.
        self.records: deque[ExecutionRecord] = deque()
        self.rows = self.records
        self.filter = Filter()
        self._looks_at_data = False
        # While a filter is gone over: the records it has still to look at, and those it has found.
        self._ahead: deque[ExecutionRecord] = deque()
        self._found: deque[ExecutionRecord] = deque()

    def clear(self) -> None:
        """Another job; the filter stays."""
        self._texts.clear()
        self.records.clear()
        self._ahead.clear()
        self._found.clear()
        self.rows = deque() if self.filter else self.records

    @property
    def unread(self) -> int:
        """How many records still have to be written before it is known whether they pass."""
        return self._texts.unread if self._looks_at_data else 0

    def append(self, records: Sequence[ExecutionRecord], dropped: int) -> None:
        """Add what was recorded since; the `dropped` oldest are no longer kept."""
        self.records.extend(records)
        if self._ahead:
            self._ahead.extend(records)
        elif self.filter:
            self.rows.extend(filter(self.passes, records))
        for kept in (self.records, self.rows, self._ahead, self._found):
            while kept and kept[0].sequence < dropped:
                kept.popleft()

    def arrange(self, wanted: Filter) -> bool:
        """Show what passes from now on; True while `go_on` is to be called."""
        self.filter = wanted
        self._looks_at_data = any(term.field in _DATA for term in wanted.terms)
        self._found = deque()
        self._ahead = self.records.copy() if wanted else deque()
        return self._look() if wanted else self._finish(self.records)

    def go_on(self) -> bool:
        """Go on with what `arrange` began; False when the rows are right."""
        return bool(self._ahead) and self._look()

    def _look(self) -> bool:
        end = self._clock() + self._budget
        while self._ahead:
            record = self._ahead.popleft()
            if self.passes(record):
                self._found.append(record)
            if self._ahead and self._clock() >= end:
                return True
        return self._finish(self._found)

    def _finish(self, rows: deque[ExecutionRecord]) -> bool:
        self.rows, self._found = rows, deque()
        return False

    def passes(self, record: ExecutionRecord) -> bool:
        """Whether the filter shows a record; not before its data is read, if the filter looks at that."""
        if not self.filter:
            return True
        data = self.data_of(record) if self._looks_at_data else Text("", True)
        word = WORDS.get(record.event_name, ("", ""))[0]
        fields = {
            "routine": record.routine_id.lower(),
            "event": f"{record.event_name} {word}".lower(),
            "data": data.text.lower(),
        }
        return data.whole and self.filter.passes(fields)

    def data_of(self, record: ExecutionRecord) -> Text:
        """The data on one line; what the engine says is in words already."""
        if record.data is None:
            return Text("", True)
        if type(record.data) is str and record.event_name in (FAILED, RETRIED, SKIPPED):
            return Text(record.data, True)
        return self._texts.of(record.sequence, partial(one_line, record.data, 300))

    def _text_came(self, sequence: Hashable) -> None:
        assert isinstance(sequence, int)  # as data_of gives it
        at = _place(self.records, sequence)
        count = len(self.rows)
        if at is not None and self.filter and not (self._ahead and self._ahead[0].sequence <= sequence):
            rows = self._found if self._ahead else self.rows
            if _place(rows, sequence) is None and self.passes(self.records[at]):
                insort(rows, self.records[at], key=_sequence)
        self._told(len(self.rows) != count)

    def place(self, sequence: int) -> int | None:
        """The row of a record; None where it is not shown."""
        return _place(self.rows, sequence)


def _sequence(record: ExecutionRecord) -> int:
    return record.sequence


def _place(records: deque[ExecutionRecord], sequence: int) -> int | None:
    at = bisect_left(records, sequence, key=_sequence)
    return at if at < len(records) and records[at].sequence == sequence else None

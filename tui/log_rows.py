"""The log of one job as the screen keeps it: bounded, filtered, wrapped and searched. Knows no widget."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import Final, NamedTuple, TypeAlias

from routilux.history import LogLine
from tui.spans import LONGEST, clean, clean_lines, printed, width

# What a million lines of a job leave: about 7 MB of usual lines, 17 MB of lines of 4,000 characters
# (`python -m tests.benchmarks log-screen`).
MAX_LINES: Final = 20_000
# Lines may be long, so that their number alone says little about memory.
MAX_CHARACTERS: Final = 16_000_000
# Of one message; the job has the whole of it.
_MOST_LINES_OF_ONE: Final = 500

# What the key for the level goes through: a name and the levels that are shown, empty for all.
LEVELS: Final[tuple[tuple[str, frozenset[str]], ...]] = (
    ("all", frozenset()),
    ("warnings", frozenset({"WARNING", "ERROR", "CRITICAL", "STDERR"})),
    ("errors", frozenset({"ERROR", "CRITICAL"})),
)
# The level of a line that tells of lines that never came; it passes every filter.
GAP: Final = ""


# The levels of what was printed and not logged.
_PRINTED: Final = frozenset({"PRINT", "STDERR"})


def message_of(level: str, text: str) -> str:
    """What is shown of a line of a log: of what was printed, what a terminal would show in the end."""
    return printed(text) if level in _PRINTED else text


class Entry(NamedTuple):
    """One line of a message, made safe. `first` is the line that begins the message."""

    sequence: int
    timestamp: datetime
    level: str
    routine_id: str
    text: str
    first: bool


# What stands on one row of the screen: an entry, and from where to where in its text.
Row: TypeAlias = tuple[Entry, int, int]


class LogRows:
    """The newest lines of a log as rows of the screen.

    Rows are numbered from the first that was ever made, so that a number stays with its row when
    older ones go; `first` is the number of the oldest that is kept. Whatever changes all rows
    (a filter, the width) numbers them anew.
    """

    def __init__(self, max_lines: int = MAX_LINES, max_characters: int = MAX_CHARACTERS) -> None:
        self.max_lines = max_lines
        self._max_characters = max_characters
        self.level = 0
        # None for the lines of all routines.
        self.routine_id: str | None = None
        # The columns that text is wrapped to; 0 for no wrapping.
        self.columns = 0
        self.needle = ""
        self.clear()

    def clear(self) -> None:
        """Another job; level, wrapping and what is looked for stay."""
        self._entries: deque[Entry] = deque()
        self._characters = 0
        # The columns that the widest text since then takes.
        self.widest = 0
        # Messages of which at least one line is kept.
        self._messages = 0
        # The sequence number of the message that comes next.
        self._next = 0
        self.routine_id = None
        self.routines: list[str] = []
        # The lines that are not ended yet, and what is made of them; their rows are the last.
        self.unfinished: list[LogLine] = []
        self._standing: list[Entry] = []
        self.rows: deque[Row] = deque()
        self.first = 0
        # The numbers of the rows in which a match begins, in order; may begin with some that are gone.
        self._hits: list[int] = []
        # How many rows with a match those entries would have that do not pass.
        self.hidden_hits = 0

    # ---- lines

    def append(self, lines: Sequence[LogLine], unfinished: Sequence[LogLine] = ()) -> int:
        """Add what was logged since, and have `unfinished` stand below it in place of those before.

        Answers how many rows went at the top to keep the bounds.
        """
        self._lift()
        gone = self._append(lines) if lines else 0
        self.unfinished = [*unfinished]
        self._standing = [entry for line in unfinished for entry in self._entries_of(line)]
        for entry in self._standing:
            self._show(entry)
        return gone

    def _append(self, lines: Sequence[LogLine]) -> int:
        missed = lines[0].sequence - self._next
        if missed > 0 and self._entries:
            text = f"… {missed:,} lines went by too fast to be kept …"
            self._add(Entry(self._next, lines[0].timestamp, GAP, "", text, True))
        self._next = lines[-1].sequence + 1
        for line in lines:
            for entry in self._entries_of(line):
                self._add(entry)
            self._messages += 1
        return self._forget()

    def _entries_of(self, line: LogLine) -> Iterator[Entry]:
        """The lines of a message."""
        if line.routine_id not in self.routines:
            self.routines.append(line.routine_id)
        message = message_of(line.level, line.message)
        short = "\n" not in message and len(message) <= LONGEST
        for at, text in enumerate((clean(message),) if short else clean_lines(message, _MOST_LINES_OF_ONE)):
            self.widest = max(self.widest, width(text))
            yield Entry(*line[:4], text, at == 0)

    def _lift(self) -> None:
        """Take the rows of the lines that are not ended away."""
        for entry in reversed(self._standing):
            self.hidden_hits -= self._hidden_in(entry)
            while self.rows and self.rows[-1][0] is entry:
                self.rows.pop()
        del self._hits[bisect_left(self._hits, self.first + len(self.rows)) :]
        self._standing = []

    def _add(self, entry: Entry) -> None:
        self._entries.append(entry)
        self._characters += len(entry.text)
        self._show(entry)

    def _show(self, entry: Entry) -> None:
        """Make the rows of an entry, if it passes."""
        if not self.passes(entry):
            self.hidden_hits += self._hidden_in(entry)
            return
        if not self.columns or len(entry.text) <= self.columns // 2:
            self.rows.append((entry, 0, len(entry.text)))
        else:
            self.rows.extend((entry, *part) for part in _parts(entry.text, self.columns))
        if self.needle:
            self._note_hits(entry)

    def passes(self, line: Entry | LogLine) -> bool:
        """Whether a line is of the level and the routine that are shown."""
        if line.level == GAP:
            return True
        wanted = LEVELS[self.level][1]
        if wanted and line.level not in wanted:
            return False
        return self.routine_id is None or line.routine_id == self.routine_id

    def _forget(self) -> int:
        gone = 0
        while len(self._entries) > self.max_lines or self._characters > self._max_characters:
            entry = self._entries.popleft()
            self._characters -= len(entry.text)
            self.hidden_hits -= self._hidden_in(entry)
            if entry.level != GAP and (not self._entries or self._entries[0].sequence != entry.sequence):
                self._messages -= 1
            while self.rows and self.rows[0][0] is entry:
                self.rows.popleft()
                gone += 1
        self.first += gone
        if len(self._hits) > 2 * len(self.rows):
            del self._hits[: bisect_left(self._hits, self.first)]
        return gone

    @property
    def dropped(self) -> int:
        """How many messages were logged that are no longer kept, or never came."""
        return self._next - self._messages

    @property
    def kept(self) -> int:
        """How many messages are kept, whether they are shown or not."""
        return self._messages + len(self.unfinished)

    # ---- what is shown

    def arrange(
        self,
        *,
        level: int | None = None,
        columns: int | None = None,
        routine: tuple[str | None] | None = None,
    ) -> None:
        """Show others of the lines, or the same in other columns. `routine` is the one wanted, or None."""
        self.level = self.level if level is None else level
        self.columns = self.columns if columns is None else columns
        self.routine_id = self.routine_id if routine is None else routine[0]
        self.rows.clear()
        self.first = 0
        self._hits.clear()
        self.hidden_hits = 0
        for entry in chain(self._entries, self._standing):
            self._show(entry)

    def row_at(self, sequence: int) -> int:
        """The index of the first row of the message `sequence`, or of the next that is shown."""
        low, high = 0, len(self.rows)
        while low < high:
            middle = (low + high) // 2
            if self.rows[middle][0].sequence < sequence:
                low = middle + 1
            else:
                high = middle
        return low

    # ---- searching

    def search(self, needle: str) -> None:
        """Look for a text. Capital letters count if there are any in it."""
        self.needle = needle
        self._hits.clear()
        self.hidden_hits = sum(map(self._hidden_in, chain(self._entries, self._standing)))
        if not needle:
            return
        entry = None
        at = self.first
        for row in self.rows:
            # Rows of one entry stand together, and its first row is the one that starts at 0.
            if row[0] is not entry:
                entry = row[0]
                self._note_hits(entry, at)
            at += 1

    def _note_hits(self, entry: Entry, first_row: int | None = None) -> None:
        """Note the rows of an entry in which a match begins; without `first_row` it is the newest."""
        matches = list(self.matches(entry.text))
        if not matches:
            return
        if first_row is None:
            first_row = self.first + len(self.rows) - 1
            while first_row > self.first and self.rows[first_row - self.first][1]:
                first_row -= 1
        row = first_row
        for start, _ in matches:
            while start >= self.rows[row - self.first][2]:
                row += 1
            if not self._hits or self._hits[-1] != row:
                self._hits.append(row)

    def _hidden_in(self, entry: Entry) -> int:
        """How many rows with a match an entry would have, if it does not pass; 0 if it does."""
        if not self.needle or self.passes(entry):
            return 0
        starts = [start for start, _ in self.matches(entry.text)]
        if not starts or not self.columns:
            return bool(starts)
        ends = [end for _, end in _parts(entry.text, self.columns)]
        return len({bisect_right(ends, start) for start in starts})

    def matches(self, text: str) -> Iterator[tuple[int, int]]:
        """Where in `text` what is looked for stands, from left to right."""
        needle = self.needle
        if needle.islower() or needle.lower() == needle:
            # A letter whose lower case is longer would shift what follows.
            lowered = text.lower()
            text = lowered if len(lowered) == len(text) else text
        at = text.find(needle) if needle else -1
        while at >= 0:
            yield at, at + len(needle)
            at = text.find(needle, at + len(needle))

    @property
    def hits(self) -> int:
        """How many rows hold what is looked for."""
        return len(self._hits) - bisect_left(self._hits, self.first)

    def hit_number(self, row: int) -> int:
        """Which of the hits a row is, from 1."""
        return bisect_left(self._hits, row) - bisect_left(self._hits, self.first) + 1

    def is_hit(self, row: int) -> bool:
        at = bisect_left(self._hits, row)
        return at < len(self._hits) and self._hits[at] == row

    def next_hit(self, row: int, *, back: bool = False) -> int | None:
        """The hit that follows `row` (or comes before it); beyond the last comes the first."""
        oldest = bisect_left(self._hits, self.first)
        if oldest == len(self._hits):
            return None
        if back:
            at = bisect_left(self._hits, row) - 1
            return self._hits[at] if at >= oldest else self._hits[-1]
        at = bisect_left(self._hits, row + 1)
        return self._hits[at] if at < len(self._hits) else self._hits[oldest]


def _parts(text: str, columns: int) -> Iterator[tuple[int, int]]:
    """Where `text` is broken to stand in so many columns."""
    if text.isascii():
        for start in range(0, len(text), columns) or (0,):
            yield start, min(start + columns, len(text))
        return
    start = used = 0
    for at, char in enumerate(text):
        size = width(char)
        if used + size > columns:
            yield start, at
            start, used = at, 0
        used += size
    yield start, len(text)

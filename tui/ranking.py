"""Jobs in the order of a sort: those that have ended are sorted once, the others put among them each time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any, Final, NamedTuple, TypeAlias, overload

from routilux.snapshot import JobSummary
from tui.glyphs import COUNT_ORDER

# With more changes than that at once it is cheaper to sort again than to put each in its place.
_MANY: Final = 200

# What one may sort by, with whether the greatest comes first unless one says otherwise.
SORTS: Final = {
    "started": True, "state": False, "flow": False, "parameters": False, "generation": True,
    "elapsed": True, "progress": True,
}  # fmt: skip
_STATE_RANK: Final = {status: rank for rank, status in enumerate(COUNT_ORDER)}

# A job with its number in the order of their coming.
Entry: TypeAlias = tuple[int, JobSummary]
_NUMBER: Final = itemgetter(0)


def _number_down(entry: Entry) -> int:
    return -entry[0]


class Sort(NamedTuple):
    """`down`: the greatest first. Among equals the newest comes first either way."""

    by: str = "started"
    down: bool = True


def value_by(by: str, params: Callable[[JobSummary], str]) -> Callable[[Entry], Any]:
    """What entries are sorted by; `params` tells a job's parameters on one line."""
    if by == "state":
        return lambda entry: _STATE_RANK[entry[1].status]
    if by == "flow":
        return lambda entry: entry[1].flow_name
    if by == "parameters":
        return lambda entry: params(entry[1])
    if by == "generation":
        return lambda entry: -1 if entry[1].generation is None else entry[1].generation
    if by == "elapsed":
        return lambda entry: entry[1].elapsed
    if by == "progress":
        return lambda entry: _fraction(entry[1])
    return _NUMBER


def _fraction(job: JobSummary) -> float:
    fraction = None if job.progress is None else job.progress.fraction
    return -1.0 if fraction is None else fraction


class Ranking(Sequence[JobSummary]):
    """The jobs as they are shown, the first on top.

    Inside they lie in rising order, and among equals so that the newest is shown first.
    """

    def __init__(self, sort: Sort, value: Callable[[Entry], Any]) -> None:
        self._down = sort.down
        self._value = value
        # Those that have ended, and what they are sorted by. Always in step.
        self._ended: list[Entry] = []
        self._values: list[Any] = []
        # Those that have not, their keys, and where they lie in the whole. Always in step.
        self._live: list[Entry] = []
        self._live_keys: list[tuple[Any, int]] = []
        self._at: list[int] = []

    # ---- reading

    def __len__(self) -> int:
        return len(self._ended) + len(self._live)

    @overload
    def __getitem__(self, row: int) -> JobSummary: ...
    @overload
    def __getitem__(self, row: slice) -> list[JobSummary]: ...
    def __getitem__(self, row: int | slice) -> JobSummary | list[JobSummary]:
        if isinstance(row, slice):
            return [self[each] for each in range(*row.indices(len(self)))]
        count = len(self)
        if not -count <= row < count:
            raise IndexError(row)
        row %= count
        place = count - 1 - row if self._down else row
        before = bisect_right(self._at, place)
        if before and self._at[before - 1] == place:
            return self._live[before - 1][1]
        return self._ended[place - before][1]

    def __iter__(self) -> Iterator[JobSummary]:
        rows: list[Entry] = []
        done = 0
        for before, place in enumerate(self._at):
            rows += self._ended[done : place - before]
            rows.append(self._live[before])
            done = place - before
        rows += self._ended[done:]
        return (job for _, job in (reversed(rows) if self._down else rows))

    def row_of(self, entry: Entry) -> int | None:
        """The row of an entry that is as it was when it was put in; None for any other."""
        place = self._place(entry) + bisect_left(self._live_keys, self._key(entry))
        row = len(self) - 1 - place if self._down else place
        return row if 0 <= row < len(self) and self[row].job_id == entry[1].job_id else None

    # ---- changing

    def fill(self, entries: list[Entry], values: list[Any]) -> None:
        """Have these be those that have ended, given in the order of their coming, with their values."""
        if not self._down:
            entries = entries[::-1]
            values = values[::-1]
        # Stable, and quick: the values alone are compared, and are all of one type.
        order = sorted(range(len(values)), key=values.__getitem__)
        self._ended = [entries[at] for at in order]
        self._values = [values[at] for at in order]

    def remove(self, entries: Sequence[Entry]) -> None:
        """Take out some that have ended."""
        if len(entries) > _MANY:
            gone = {number for number, _ in entries}
            kept = [at for at, (number, _) in enumerate(self._ended) if number not in gone]
            self._ended = [self._ended[at] for at in kept]
            self._values = [self._values[at] for at in kept]
            return
        for entry in entries:
            at = self._place(entry)
            if at < len(self._ended) and self._ended[at][0] == entry[0]:
                del self._ended[at], self._values[at]

    def add(self, entries: Sequence[Entry]) -> None:
        """Put in some that have ended."""
        if len(entries) > _MANY:
            together = sorted((*self._ended, *entries), key=_NUMBER)
            self.fill(together, [self._value(entry) for entry in together])
            return
        for entry in entries:
            at = self._place(entry)
            self._ended.insert(at, entry)
            self._values.insert(at, self._value(entry))

    def place_live(self, entries: Iterable[Entry]) -> None:
        """Have these be those that have not ended."""
        keyed = sorted(((self._key(entry), entry) for entry in entries), key=_NUMBER)
        self._live_keys = [key for key, _ in keyed]
        self._live = [entry for _, entry in keyed]
        self._at = [self._place(entry) + before for before, entry in enumerate(self._live)]

    def _key(self, entry: Entry) -> tuple[Any, int]:
        """Rising as the whole does. None is there twice."""
        return self._value(entry), entry[0] if self._down else -entry[0]

    def _place(self, entry: Entry) -> int:
        """Where it lies among those that have ended, or would."""
        value = self._value(entry)
        first = bisect_left(self._values, value)
        last = bisect_right(self._values, value, first)
        if self._down:
            return bisect_left(self._ended, entry[0], first, last, key=_NUMBER)
        return bisect_left(self._ended, -entry[0], first, last, key=_number_down)

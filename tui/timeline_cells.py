"""A timeline as characters: what of the time is seen, its axis, and the bars of one row."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from tui.spans import Line, Span
from tui.timeline import FAILURE, RETRY, SKIP, UNKNOWN, Bar, Row

# The glyph and the role of what is marked, the weightiest first: in one column it hides the others.
MARKS: Final = {
    FAILURE: ("✗", "failed"),
    RETRY: ("↻", "warning"),
    SKIP: ("⊘", "cancelled"),
    UNKNOWN: ("?", "warning"),
}
_WEIGHT: Final = {mark: len(MARKS) - at for at, mark in enumerate(MARKS)}


class Window(NamedTuple):
    """What of the time is seen: from `start`, `step` seconds a column."""

    start: float
    step: float
    columns: int

    @property
    def end(self) -> float:
        return self.start + self.step * self.columns

    def column(self, moment: float) -> int:
        return int((moment - self.start) / self.step)


# Seconds a column may stand for.
_STEPS: Final = tuple(base * 10.0**power for power in range(-6, 9) for base in (1, 1.5, 2, 3, 5, 7))


def fitting_step(seconds: float, columns: int) -> float:
    """The least step with which so many seconds fit into the columns."""
    return next((step for step in _STEPS if step * columns >= seconds), _STEPS[-1])


def next_step(step: float, *, finer: bool) -> float:
    """The next finer or coarser step."""
    if finer:
        return next((each for each in reversed(_STEPS) if each < step * 0.999), _STEPS[0])
    return next((each for each in _STEPS if each > step * 1.001), _STEPS[-1])


_SECOND_TICKS: Final = (1, 2, 5, 10, 15, 30)
_TICKS: Final = (
    *(base * 10.0**power for power in range(-6, 0) for base in (1, 2, 5)),
    *_SECOND_TICKS,
    *(60 * each for each in _SECOND_TICKS),
    *(3600 * each for each in (1, 2, 3, 6, 12)),
    *(86_400 * each for each in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10_000, 100_000)),
)
_LABEL: Final = 9


def ticks(window: Window) -> list[tuple[int, str]]:
    """The columns of the time axis that bear a label, and the labels."""
    apart = next((tick for tick in _TICKS if tick >= _LABEL * window.step), _TICKS[-1])
    first = int(window.start / apart + 0.999)
    found = []
    while first * apart < window.end:
        # To the nearest column, so that the distances differ by one at most.
        column = int((first * apart - window.start) / window.step + 0.5)
        if column < window.columns:
            found.append((column, _tick_words(first * apart, apart)))
        first += 1
    return found


def _tick_words(moment: float, apart: float) -> str:
    if apart < 1:
        digits = next(digits for digits in range(1, 8) if apart * 10**digits >= 0.999)
        return f"{moment:.{digits}f}s" if digits < 3 else f"{moment * 1000:.{digits - 3}f}ms"
    minutes, seconds = divmod(round(moment), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "m"), (seconds, "s")]
    told = [f"{value}{unit}" for value, unit in parts if value]
    return "".join(told[:2]) or "0s"


def axis_line(window: Window) -> Line:
    """The time axis: a tick and its label in its column."""
    cells = [" "] * window.columns
    for column, label in ticks(window):
        text = f"╷{label}"
        if column + len(text) <= window.columns:
            cells[column : column + len(text)] = text
    return (("".join(cells), "muted"),)


def ground(window: Window, gaps: Iterable[tuple[float, float]]) -> dict[int, str]:
    """What stands behind the bars: a line at every tick, and where nothing is known, that."""
    cells = {column: "┊" for column, _ in ticks(window)}
    for start, end in gaps:
        first, last = max(0, window.column(start)), min(window.columns, window.column(end))
        cells |= dict.fromkeys(range(first, last), "╌")
    return cells


class Cells:
    """The bars of one row laid over the columns of one window.

    A column in which one activation ran is a block, half a one at its edges; of several it is shaded by
    how much of its time was busy. Bars that have ended are laid once: what a frame costs does not
    depend on how many there are.
    """

    def __init__(self, row: Row, window: Window) -> None:
        self._row = row
        self._window = window
        self._version = row.version
        self._busy = [0.0] * window.columns
        self._count = [0] * window.columns
        self._look: list[Span] = [(" ", "bar")] * window.columns
        self._marks: dict[int, str] = {}
        # The bars before this one are laid, or are not seen.
        self._next = max(0, bisect_right(row.bars, window.start, key=lambda bar: bar.start) - 1)

    def fits(self, row: Row, window: Window) -> bool:
        """Whether these are the cells of that row in that window."""
        return row is self._row and window == self._window and row.version == self._version

    def line(self, points: Iterable[tuple[float, str]], now: float, ground: Mapping[int, str]) -> Line:
        """The row as it is `now`. `ground` is what stands in columns where nothing else does."""
        bars = self._row.bars
        while self._next < len(bars) and bars[self._next].end is not None:
            bar = bars[self._next]
            self._lay(bar, bar.end if bar.end is not None else now)
            self._next += 1
        shown = self
        head = -1
        if self._next < len(bars) and bars[self._next].start < self._window.end:
            # The last one grows: it is laid over a copy.
            bar, shown = bars[self._next], self._copy()
            shown._lay(bar, max(now, bar.start))
            head = min(self._window.column(max(now, bar.start)), self._window.columns - 1)
        marks = dict(shown._marks)
        for moment, mark in points:
            if self._window.start <= moment < self._window.end:
                _note(marks, self._window.column(moment), mark)
        return shown._spans(marks, head, ground)

    def _copy(self) -> Cells:
        copy = object.__new__(Cells)
        copy._window = self._window
        copy._busy, copy._count = self._busy[:], self._count[:]
        copy._look, copy._marks = self._look[:], dict(self._marks)
        return copy

    def _lay(self, bar: Bar, end: float) -> None:
        """Lay one bar over the columns it touches: at least one, however short it is."""
        window = self._window
        left = (bar.start - window.start) / window.step
        right = (end - window.start) / window.step
        if right < 0 or left >= window.columns:
            return
        role = MARKS[bar.mark][1] if bar.mark else "bar"
        first = int(left) if left >= 0 else -1
        at = max(0, first)
        while at < window.columns and (at < right or at == first):
            begin, stop = max(left - at, 0.0), min(right - at, 1.0)
            self._busy[at] += max(stop - begin, 0.0)
            self._count[at] += 1
            side = "▐" if begin >= 0.5 else "▌" if stop <= 0.5 else "█"
            if not bar.known and at == first:
                side = "◂"
            self._look[at] = (side, role if self._look[at][1] == "bar" else self._look[at][1])
            at += 1
        if bar.mark and at - 1 < window.columns and right <= window.columns:
            _note(self._marks, at - 1, bar.mark)

    def _spans(self, marks: Mapping[int, str], head: int, ground: Mapping[int, str]) -> Line:
        spans: list[Span] = []
        for at, count in enumerate(self._count):
            if at in marks:
                cell: Span = MARKS[marks[at]]
            elif at == head:
                cell = ("▶", "running")
            elif count == 0:
                cell = (ground.get(at, " "), "grid")
            elif count == 1:
                cell = self._look[at]
            else:
                busy = self._busy[at]
                cell = ("░" if busy < 1 / 3 else "▒" if busy < 2 / 3 else "▓", self._look[at][1])
            if spans and spans[-1][1] == cell[1]:
                spans[-1] = (spans[-1][0] + cell[0], cell[1])
            else:
                spans.append(cell)
        return spans


def _note(marks: dict[int, str], column: int, mark: str) -> None:
    if _WEIGHT[mark] > _WEIGHT.get(marks.get(column, ""), 0):
        marks[column] = mark

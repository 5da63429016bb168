"""The activations of a job as bars over time, made from its execution records. Knows no widget.

Times are seconds since the job began. The records do not say which of several activations of one
routine has ended; they are taken to end in the order they began, so that at every moment the number
of bars is right.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from routilux.history import ENDED, FAILED, RETRIED, SKIPPED, STARTED, ExecutionRecord

# A view that stays open sees more than the history keeps; the oldest bars of a lane go.
MAX_BARS: Final = 2_000

FAILURE: Final = "failed"
RETRY: Final = "retry"
SKIP: Final = "skipped"
UNKNOWN: Final = "unknown"


@dataclass(slots=True, eq=False)
class Bar:
    """One activation. `end` is None while it runs; `known` is False where only its end was recorded."""

    start: float
    end: float | None = None
    mark: str = ""
    known: bool = True


@dataclass(slots=True)
class Row:
    """Activations that do not overlap, in the order they began: only the last may still run."""

    bars: list[Bar] = field(default_factory=list)
    # Counts what changes bars other than the last, for who has drawn them.
    version: int = 0

    def takes(self, moment: float) -> bool:
        return not self.bars or (self.bars[-1].end is not None and self.bars[-1].end <= moment)

    def put_ended(self, bar: Bar, end: float) -> bool:
        """Put a bar that has ended between the others, if it overlaps none."""
        at = bisect_right(self.bars, bar.start, key=lambda each: each.start)
        before = self.bars[at - 1].end if at else bar.start
        if before is None or before > bar.start or (at < len(self.bars) and self.bars[at].start < end):
            return False
        self.bars.insert(at, bar)
        self.version += 1
        return True


@dataclass(slots=True)
class Lane:
    """The activations of one routine."""

    routine_id: str
    rows: list[Row] = field(default_factory=lambda: [Row()])
    # Those that run, in the order they began.
    open: deque[Bar] = field(default_factory=deque)
    # What happened between activations.
    points: deque[tuple[float, str]] = field(default_factory=lambda: deque(maxlen=MAX_BARS))
    # How many bars are forgotten, and until when that was.
    forgotten: int = 0
    forgotten_until: float = 0.0

    def begin(self, moment: float) -> None:
        bar = Bar(moment)
        self.open.append(bar)
        row = next((row for row in self.rows if row.takes(moment)), None)
        if row is None:
            row = Row()
            self.rows.append(row)
        row.bars.append(bar)
        if len(row.bars) > MAX_BARS:
            oldest = row.bars[: MAX_BARS // 10]
            del row.bars[: MAX_BARS // 10]
            row.version += 1
            self.forgotten += len(oldest)
            self.forgotten_until = max(self.forgotten_until, oldest[-1].end or 0.0)

    def finish(self, moment: float, earliest: float) -> None:
        """An activation has ended. Of one that began before records are kept, `earliest` is all one knows."""
        if self.open:
            self.open.popleft().end = moment
            return
        bar = Bar(min(earliest, moment), moment, known=False)
        if not any(row.put_ended(bar, moment) for row in self.rows):
            self.rows.append(Row([bar]))

    def mark(self, moment: float, mark: str) -> None:
        bar = next((bar for bar in self.open if not bar.mark), None)
        if bar is None:
            self.points.append((moment, mark))
        else:
            bar.mark = mark

    def retry(self, moment: float) -> None:
        """The failure just before is dealt with by another attempt."""
        bar = next((bar for bar in self.open if bar.mark == FAILURE), None)
        if bar is not None:
            bar.mark = RETRY
        else:
            self.points.append((moment, RETRY))


class Timeline:
    """All lanes of one job, built up record by record."""

    def __init__(self, began: datetime) -> None:
        self.began = began
        self.lanes: dict[str, Lane] = {}
        # The sequence number of the record that comes next; how many were not kept.
        self.next = 0
        self.missed = 0
        # From when to when nothing is known.
        self.gaps: list[tuple[float, float]] = []
        self._last = 0.0

    def lane(self, routine_id: str) -> Lane:
        lane = self.lanes.get(routine_id)
        if lane is None:
            lane = self.lanes[routine_id] = Lane(routine_id)
        return lane

    def add(self, records: Sequence[ExecutionRecord]) -> None:
        """Add the records that were made since, oldest first."""
        for record in records:
            moment = max(0.0, (record.timestamp - self.began).total_seconds())
            if record.sequence > self.next:
                self._skip(record.sequence - self.next, moment)
            self.next = record.sequence + 1
            self._last = moment
            kind = record.event_name
            if kind == STARTED:
                self.lane(record.routine_id).begin(moment)
            elif kind == ENDED:
                self.lane(record.routine_id).finish(moment, self.gaps[-1][1] if self.gaps else 0.0)
            elif kind == FAILED:
                self.lane(record.routine_id).mark(moment, FAILURE)
            elif kind == RETRIED:
                self.lane(record.routine_id).retry(moment)
            elif kind == SKIPPED:
                self.lane(record.routine_id).points.append((moment, SKIP))

    @property
    def kept_from(self) -> float:
        """When what is kept begins: nothing is known of any lane before."""
        first = self.gaps[0][1] if self.gaps and not self.gaps[0][0] else 0.0
        lanes = [lane.forgotten_until for lane in self.lanes.values() if lane.rows[0].bars]
        return max(first, min(lanes, default=0.0))

    def _skip(self, count: int, moment: float) -> None:
        """Records are gone before the next, which was made at `moment`: what ran then may have ended."""
        self.missed += count
        if moment > self._last:
            self.gaps.append((self._last, moment))
        for lane in self.lanes.values():
            for bar in lane.open:
                bar.end, bar.mark = self._last, UNKNOWN
            lane.open.clear()

    def running(self, routine_id: str, since: float) -> None:
        """An activation that runs since before the oldest record."""
        lane = self.lane(routine_id)
        if not lane.open and self.gaps and any(start <= since < end for start, end in self.gaps):
            lane.begin(since)

    def stop(self, moment: float, *, known: bool) -> None:
        """Nothing runs any more. What has no end by now ended then, or nobody knows when."""
        for lane in self.lanes.values():
            for bar in lane.open:
                bar.end = moment
                bar.mark = bar.mark if known else UNKNOWN
            lane.open.clear()

"""What the jobs of a flow that have ended say about it: how long they take, how often they fail."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from routilux.snapshot import JobSummary, RuntimeSnapshot
from routilux.status import ExecutionStatus
from tui.formats import duration
from tui.glyphs import status_look
from tui.spans import Line, Span, wrap

# Outcomes that are shown one by one.
LAST: Final = 20
_FINAL: Final = tuple(status for status in ExecutionStatus if status.is_final)
_FINALS: Final = frozenset(_FINAL)


class Statistics(NamedTuple):
    """Of the jobs of one flow that the runtime still knows and that have ended.

    `median` and `p95` are seconds that completed jobs ran, None where none has completed. `failed` counts
    the failures among those that completed or failed, which are `judged`. `last` are the newest
    outcomes, oldest first.
    """

    ended: int
    judged: int
    failed: int
    median: float | None
    p95: float | None
    last: tuple[ExecutionStatus, ...]


def statistics_of(jobs: Iterable[JobSummary], flow_name: str) -> Statistics:
    """Count and measure; `jobs` are in the order they were started."""
    ended = [job for job in jobs if job.flow_name == flow_name and job.status in _FINALS]
    # In the order they ended.
    ended.sort(key=lambda job: job.ended_at or job.created_at)
    failed = sum(job.status is ExecutionStatus.FAILED for job in ended)
    times = sorted(job.elapsed for job in ended if job.status is ExecutionStatus.COMPLETED)
    return Statistics(
        ended=len(ended),
        judged=len(times) + failed,
        failed=failed,
        median=_at(times, 0.5),
        p95=_at(times, 0.95),
        last=tuple(job.status for job in ended[-LAST:]),
    )


def _at(ordered: list[float], fraction: float) -> float | None:
    """The least value that this fraction of all do not exceed; between two in the middle, their mean."""
    if not ordered:
        return None
    if fraction == 0.5 and len(ordered) % 2 == 0:
        return (ordered[len(ordered) // 2 - 1] + ordered[len(ordered) // 2]) / 2
    return ordered[min(len(ordered) - 1, int(len(ordered) * fraction))]


class FlowStatistics:
    """The statistics of one flow, worked out anew only when jobs came, ended or were forgotten."""

    def __init__(self) -> None:
        self._mark: object = None
        self._known: Statistics | None = None
        # How often they were worked out, for tests.
        self.worked_out = 0

    def of(self, snapshot: RuntimeSnapshot | None, flow_name: str) -> Statistics | None:
        """The statistics now; None where no job of the flow has ended."""
        if snapshot is None or not snapshot.jobs:
            return None
        jobs = snapshot.jobs
        counts = tuple(snapshot.counts.get(status, 0) for status in _FINAL)
        mark = (flow_name, counts, len(jobs), jobs[0].job_id, jobs[-1].job_id)
        if mark != self._mark:
            self._mark = mark
            self._known = statistics_of(jobs, flow_name)
            self.worked_out += 1
        return self._known if self._known is not None and self._known.ended else None


def statistics_lines(statistics: Statistics, columns: int) -> list[Line]:
    """The statistics on lines of at most `columns`: first the newest outcomes, a glyph each."""
    row: list[Span] = []
    for status in statistics.last[-max(columns, 1) :]:
        look = status_look(status)
        row.append((look.glyph, look.role))
    several = "s" if statistics.ended != 1 else ""
    said = [f"{statistics.ended:,} job{several} ended"]
    if statistics.judged:
        rate = statistics.failed / statistics.judged
        percent = f"{rate:.0%}" if rate in (0, 1) or rate >= 0.01 else "under 1%"
        said.append(f"{percent} failed ({statistics.failed:,} of {statistics.judged:,})")
    if statistics.median is not None and statistics.p95 is not None:
        said.append(f"median {duration(statistics.median)}")
        said.append(f"p95 {duration(statistics.p95)}")
    return [row, *(((part, "muted"),) for part in wrap(", ".join(said), columns))]

"""Saying that jobs have ended where nobody was looking: at once, but not again with every frame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from routilux.snapshot import JobSummary
from routilux.status import ExecutionStatus
from tui.glyphs import COUNT_ORDER
from tui.job_words import job_name

# So many are named, more are counted.
NAMED: Final = 3
# What ends while the last toast is still fresh is told in one of its own.
FRESH: Final = timedelta(seconds=4)


class Toast(NamedTuple):
    text: str
    severity: Literal["information", "error"] = "information"


class EndedNews:
    """Gathers the jobs that have ended, and says so in few toasts, however many they are."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._untold: list[JobSummary] = []
        # When a toast told of several jobs, or the last of several toasts came.
        self._told_at: datetime | None = None

    def add(self, jobs: Iterable[JobSummary]) -> None:
        self._untold += jobs

    def toasts(self) -> list[Toast]:
        """What is to be said now."""
        if not self._untold:
            return []
        now = self._clock()
        if self._told_at is not None and abs(now - self._told_at) < FRESH:
            return []
        jobs, self._untold = self._untold, []
        self._told_at = now if len(jobs) > 1 else None
        return [_one(job) for job in jobs] if len(jobs) <= NAMED else [_many(jobs)]


def _one(job: JobSummary) -> Toast:
    text = f"{job_name(job)} {job.status.value}"
    if job.status is ExecutionStatus.FAILED:
        return Toast(f"{text}: {job.error}" if job.error else text, "error")
    return Toast(text)


def _many(jobs: list[JobSummary]) -> Toast:
    counts = Counter(job.status for job in jobs)
    kinds = ", ".join(f"{counts[status]:,} {status.value}" for status in COUNT_ORDER if counts[status])
    text = f"{len(jobs):,} jobs have ended: {kinds}."
    failed = next((job for job in jobs if job.status is ExecutionStatus.FAILED), None)
    if failed is None:
        return Toast(text)
    return Toast(f"{text}\nThe first that failed: {_one(failed).text}", "error")

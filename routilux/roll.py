"""The summaries of all jobs, kept from one picture to the next."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, cast

from routilux.snapshot import JobSummary
from routilux.status import ExecutionStatus

if TYPE_CHECKING:
    from routilux.job import Job

# Jobs that are entered while the runtime's lock is held, which all that start and end wait for.
_AT_A_TIME: Final = 50

Picture = tuple[tuple[JobSummary, ...], Mapping[ExecutionStatus, int]]


class Roll:
    """All jobs of a runtime in their order, each with its last summary.

    A picture asks only jobs whose summary can have changed: 50,000 that ended long ago cost a copy of
    their references. `lock` is the runtime's; `add` and `forget` are called while it is held.
    """

    def __init__(self, lock: threading.Lock) -> None:
        self._lock = lock
        # One picture at a time; held while jobs are asked, so that an older answer never replaces a newer.
        self._taking = threading.Lock()
        # Guarded by _lock. None: not asked yet. Only jobs that came after the last picture are, and a new
        # job always comes last, so that all None stand at the end; _unasked counts them.
        self._summaries: dict[str, JobSummary | None] = {}
        self._unasked = 0
        # Guarded by _lock: the jobs that have not ended, or had not when they were asked last.
        self._open: dict[str, Job] = {}
        # Guarded by _lock. No entry is zero.
        self._counts: dict[ExecutionStatus, int] = {}
        # Guarded by _lock: what was answered last, as long as it holds.
        self._last: Picture | None = None

    def add(self, job: Job) -> None:
        """A job was started, or carried on: then it comes last again. Under the runtime's lock."""
        self.forget(job.job_id)
        self._summaries[job.job_id] = None
        self._unasked += 1
        self._open[job.job_id] = job

    def forget(self, job_id: str) -> None:
        """A job is remembered no longer, if it was. Under the runtime's lock."""
        if job_id not in self._summaries:
            return
        self._count(self._summaries.pop(job_id), -1)
        self._open.pop(job_id, None)
        self._last = None

    def picture(self) -> Picture:
        """The summaries of all jobs, oldest first, and how many are in which state.

        The same objects as before where nothing has changed. Without either lock while a job is asked.
        """
        with self._taking:
            with self._lock:
                jobs = list(self._open.values())
            for at in range(0, len(jobs), _AT_A_TIME):
                asked = [(job, job.summary()) for job in jobs[at : at + _AT_A_TIME]]
                with self._lock:
                    for job, summary in asked:
                        # Meanwhile it may have been forgotten, or carried on as another Job.
                        if self._open.get(job.job_id) is job:
                            self._put(job, summary)
            with self._lock:
                if self._last is None:
                    known = islice(self._summaries.values(), len(self._summaries) - self._unasked)
                    summaries = cast(tuple[JobSummary, ...], tuple(known))
                    self._last = (summaries, MappingProxyType(dict(self._counts)))
                return self._last

    def _put(self, job: Job, summary: JobSummary) -> None:
        """Under the lock."""
        self._count(self._summaries[job.job_id], -1)
        self._count(summary, 1)
        self._summaries[job.job_id] = summary
        self._last = None
        # One that was made just before the end is not the last one, even if that exists by now.
        if job.settled is summary:
            del self._open[job.job_id]

    def _count(self, summary: JobSummary | None, by: int) -> None:
        """Under the lock."""
        if summary is None:
            self._unasked += by
            return
        number = self._counts.get(summary.status, 0) + by
        if number:
            self._counts[summary.status] = number
        else:
            self._counts.pop(summary.status, None)

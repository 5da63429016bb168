"""Which jobs are marked, and the range that is being marked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from routilux.snapshot import JobSummary
from tui.job_rows import JobRows


class Targets(NamedTuple):
    """What an action goes to: jobs that are shown, in the order of the rows, and marked ones that are not."""

    shown: tuple[JobSummary, ...]
    hidden: tuple[JobSummary, ...] = ()

    @property
    def all(self) -> tuple[JobSummary, ...]:
        return (*self.shown, *self.hidden)


class Marks:
    """Marks belong to jobs, not to rows: they stay when rows move, and when a filter hides the job.

    A range reaches from the job where it began to the one that is chosen, as the rows stand; it is
    nothing but shown until it is fixed.
    """

    def __init__(self, rows: JobRows) -> None:
        self._rows = rows
        # Job ids, in the order they were marked.
        self._marked: dict[str, None] = {}
        self._anchor: str | None = None

    def __len__(self) -> int:
        return len(self._marked)

    def __contains__(self, job_id: object) -> bool:
        return job_id in self._marked

    def toggle(self, job_id: str) -> None:
        if job_id in self._marked:
            del self._marked[job_id]
        else:
            self._marked[job_id] = None

    def add(self, job_ids: Iterable[str]) -> None:
        self._marked.update(dict.fromkeys(job_ids))

    def remove(self, job_ids: Iterable[str]) -> None:
        for job_id in job_ids:
            self._marked.pop(job_id, None)

    def clear(self) -> bool:
        """Take all marks away, and drop the range; False where there were none."""
        had_some = bool(self._marked) or self._anchor is not None
        self._marked.clear()
        self._anchor = None
        return had_some

    def forget_gone(self) -> None:
        """Jobs that are remembered no longer cannot be marked."""
        gone = [job_id for job_id in self._marked if job_id not in self._rows]
        self.remove(gone)
        if self._anchor is not None and self._rows.row_of(self._anchor) is None:
            self._anchor = None

    # ---- the range

    @property
    def in_range(self) -> bool:
        return self._anchor is not None

    def begin_range(self, job_id: str) -> None:
        self._anchor = job_id

    def drop_range(self) -> bool:
        """False where none was begun."""
        had_one, self._anchor = self._anchor is not None, None
        return had_one

    def range_to(self, row: int | None) -> range:
        """The rows from where the range began to `row`."""
        start = self._rows.row_of(self._anchor) if self._anchor is not None else None
        if start is None or row is None:
            return range(0)
        return range(min(start, row), max(start, row) + 1)

    def fix_range(self, row: int | None) -> bool:
        """Mark what the range holds; False where none was begun."""
        self.add(self._rows.rows[each].job_id for each in self.range_to(row))
        return self.drop_range()

    # ---- what is marked

    def targets(self) -> Targets:
        """The marked jobs."""
        if not self._marked:
            return Targets(())
        shown = tuple(job for job in self._rows.rows if job.job_id in self._marked)
        if len(shown) == len(self._marked):
            return Targets(shown)
        seen = {job.job_id for job in shown}
        rest = (self._rows.job(job_id) for job_id in self._marked if job_id not in seen)
        return Targets(shown, tuple(job for job in rest if job is not None))

    def hidden(self) -> int:
        """How many marked jobs are not among the rows."""
        if len(self._marked) > 64:
            return len(self._marked) - sum(job.job_id in self._marked for job in self._rows.rows)
        return sum(self._rows.row_of(job_id) is None for job_id in self._marked)

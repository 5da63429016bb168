"""What differs between two pictures of the jobs, found without looking at each of 50,000."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from routilux.snapshot import JobSummary
from routilux.status import ExecutionStatus

# So many summaries are compared at once; where they are the same objects, nothing else is done.
_BLOCK: Final = 1024

Jobs = tuple[JobSummary, ...]


class Change(NamedTuple):
    """One job: as it was, None where it is new, and as it is, None where it is gone.

    A job that was carried on goes to the end of all: it is gone from one place and new in another.
    """

    old: JobSummary | None
    new: JobSummary | None


class Changes(NamedTuple):
    """All that differs from the picture with the jobs `before`, in the order of the jobs."""

    before: Jobs = ()
    after: Jobs = ()
    each: tuple[Change, ...] = ()


def changes_between(before: Jobs, after: Jobs) -> Changes:
    """The changes that make `after` of `before`. Pictures share the summaries of what did not change."""
    return Changes(before, after, () if before is after else tuple(_walk(before, after)))


def _walk(before: Jobs, after: Jobs) -> Iterator[Change]:
    old_at = new_at = 0
    while old_at < len(before) and new_at < len(after):
        old_block, new_block = before[old_at : old_at + _BLOCK], after[new_at : new_at + _BLOCK]
        same = min(len(old_block), len(new_block))
        # Two tuples of the same objects are equal without a look into any of them.
        if old_block[:same] == new_block[:same]:
            old_at += same
            new_at += same
            continue
        # One by one until either block is used up.
        old_end, new_end = old_at + len(old_block), new_at + len(new_block)
        while old_at < old_end and new_at < new_end:
            old, new = before[old_at], after[new_at]
            old_at += 1
            if old is new:
                new_at += 1
            elif old.job_id == new.job_id:
                new_at += 1
                yield Change(old, new)
            else:
                # Jobs keep their order and new ones come last: this one is gone.
                yield Change(old, None)
    for old in before[old_at:]:
        yield Change(old, None)
    for new in after[new_at:]:
        yield Change(None, new)


class Roster:
    """The jobs of the last picture by id, those that have not ended, and how many of each flow.

    Kept from one picture to the next at the cost of what changed.
    """

    def __init__(self) -> None:
        self._jobs: Jobs = ()
        self.by_id: dict[str, JobSummary] = {}
        self.unfinished: dict[str, JobSummary] = {}
        self._by_flow: dict[str, Counter[ExecutionStatus]] = {}
        # How many jobs have gone from the pictures; those that came and went between two were never seen.
        self.gone = 0

    @property
    def by_flow(self) -> Mapping[str, Counter[ExecutionStatus]]:
        """How many jobs of a flow are in which state. No entry is zero."""
        return self._by_flow

    def take(self, jobs: Jobs) -> Changes:
        """Take in the jobs of the next picture; answers with what has changed."""
        changes = changes_between(self._jobs, jobs)
        self._jobs = jobs
        for old, new in changes.each:
            if old is not None and new is not None and old.status is new.status:
                self.by_id[new.job_id] = new
                if new.job_id in self.unfinished:
                    self.unfinished[new.job_id] = new
                continue
            if old is not None:
                self._count(old, -1)
                if new is None or new.status.is_final:
                    self.unfinished.pop(old.job_id, None)
                if new is None:
                    self.by_id.pop(old.job_id, None)
            if new is not None:
                self._count(new, 1)
                self.by_id[new.job_id] = new
                if not new.status.is_final:
                    self.unfinished[new.job_id] = new
        # One that was carried on has only gone from its place.
        self.gone += sum(
            old is not None and new is None and old.job_id not in self.by_id for old, new in changes.each
        )
        return changes

    def _count(self, job: JobSummary, by: int) -> None:
        counts = self._by_flow.setdefault(job.flow_name, Counter())
        counts[job.status] += by
        if not counts[job.status]:
            del counts[job.status]
            if not counts:
                del self._by_flow[job.flow_name]

"""One order to many jobs: given piece by piece, watched until it has happened, and told as it happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

from routilux.snapshot import JobSummary
from routilux.status import ExecutionStatus
from tui.glyphs import COUNT_ORDER

_S = ExecutionStatus
Verb = Literal["cancel", "pause", "resume"]

# Orders that are given before keys are looked at again.
AT_ONCE: Final = 100
# After so long it is said that the rest takes its time.
SLOW: Final = timedelta(seconds=5)
_GOAL: Final = {"cancel": _S.CANCELLED, "pause": _S.PAUSED}
_PARTICIPLE: Final = {"cancel": "cancelled", "pause": "paused", "resume": "resumed"}


class Batch:
    """An order to the jobs that were named when it was asked about, and to no others.

    `order` gives it to one job and answers whether the job took it. `go_on` gives the next; when it
    has answered False, `news` says what came of it, once it has come.
    """

    def __init__(
        self,
        verb: Verb,
        job_ids: Iterable[str],
        order: Callable[[str], bool],
        clock: Callable[[], datetime],
        *,
        left_out: int = 0,
    ) -> None:
        self._verb = verb
        self._to_do = list(reversed(list(job_ids)))
        self._order = order
        self._clock = clock
        self._left_out = left_out
        self._took: list[str] = []
        self._refused: list[str] = []
        self._given_at: datetime | None = None
        self._said_slow = False
        self.done = False

    def __contains__(self, job_id: object) -> bool:
        return job_id in self._took

    def go_on(self) -> bool:
        """Give the order to the next jobs; True while there are more."""
        for _ in range(min(AT_ONCE, len(self._to_do))):
            job_id = self._to_do.pop()
            (self._took if self._order(job_id) else self._refused).append(job_id)
        if not self._to_do and self._given_at is None:
            self._given_at = self._clock()
        return bool(self._to_do)

    def news(self, look: Callable[[str], JobSummary | None]) -> str | None:
        """What has become of the order, as soon as that is known; `look` finds a job in the newest picture.

        Also once, when it takes long, how far it has come.
        """
        if self._given_at is None or self.done:
            return None
        jobs = [look(job_id) for job_id in self._took]
        open_jobs = sum(job is not None and not self._is_over(job) for job in jobs)
        if open_jobs:
            if self._said_slow or abs(self._clock() - self._given_at) < SLOW:
                return None
            self._said_slow = True
            return self._slow(len(jobs) - open_jobs, open_jobs)
        self.done = True
        return self._outcome(jobs)

    def _is_over(self, job: JobSummary) -> bool:
        return self._verb == "resume" or job.status.is_final or job.status is _GOAL[self._verb]

    def _slow(self, done: int, rest: int) -> str:
        goes_on = "run" if rest > 1 else "runs"
        return (
            f"{done:,} of {done + rest:,} {_PARTICIPLE[self._verb]}; "
            f"{rest:,} still {goes_on} code that has not returned."
        )

    def _outcome(self, jobs: Sequence[JobSummary | None]) -> str:
        word = _PARTICIPLE[self._verb]
        if self._verb == "resume":
            reached, others = len(jobs), Counter[ExecutionStatus]()
        else:
            counts = Counter(job.status for job in jobs if job is not None)
            reached, others = counts.pop(_GOAL[self._verb], 0), counts
        gone = sum(job is None for job in jobs) if self._verb != "resume" else 0
        parts = [f"{reached:,} {word}"]
        parts += [f"{others[status]:,} {status.value} instead" for status in COUNT_ORDER if others[status]]
        if gone:
            parts.append(f"{gone:,} ended and no longer listed")
        if self._refused:
            parts.append(f"{len(self._refused):,} had ended" if self._verb == "cancel" else
                         f"{len(self._refused):,} could not be {word}")  # fmt: skip
        return ", ".join(parts) + "."

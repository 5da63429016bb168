"""When a picture is taken: at most once a frame, and only if it can differ from the last."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from types import MappingProxyType

from routilux.snapshot import JobSummary, RuntimeSnapshot
from routilux.status import LIVE, ExecutionStatus
from tui.backend import Backend
from tui.pictures import Frame
from tui.roster import Changes, Roster

_HELD = frozenset({ExecutionStatus.PAUSING, ExecutionStatus.CANCELLING})
# What has not ended and does not run: its elapsed time is shown to the second.
_STANDING = frozenset({ExecutionStatus.PENDING, ExecutionStatus.PAUSED})
UNFINISHED = LIVE | _STANDING


class Feed:
    """Takes the frames of one screen. Knows no widget, and is asked in the screen's thread only."""

    def __init__(self, backend: Backend, clock: Callable[[], datetime]) -> None:
        self._backend = backend
        self._clock = clock
        self._last: RuntimeSnapshot | None = None
        self._last_at: datetime | None = None
        self._last_chosen: str | None = None
        # How many lines the chosen job had logged when the last picture was taken.
        self._last_logged = 0
        # Job id -> when it was first seen pausing or cancelling.
        self._held_since: dict[str, datetime] = {}
        self.roster = Roster()
        # The jobs that have ended since they were last asked for.
        self._ended: list[JobSummary] = []
        self.pictures_taken = 0

    @property
    def last(self) -> RuntimeSnapshot | None:
        """The picture that was taken last."""
        return self._last

    def tick(self, chosen: str | None) -> Frame | None:
        """The next frame; None where nothing can have changed, nor another job been `chosen`."""
        logged = 0 if chosen is None else self._backend.log_total(chosen)
        if not self._due(chosen, logged):
            return None
        now = self._clock()
        snapshot = self._backend.snapshot()
        self.pictures_taken += 1
        changes = self.roster.take(snapshot.jobs)
        self._ended += self._ended_in(changes)
        self._last, self._last_at = snapshot, now
        self._last_chosen, self._last_logged = chosen, logged
        held = [job.job_id for job in self.roster.unfinished.values() if job.status in _HELD]
        self._held_since = {job_id: self._held_since.get(job_id, now) for job_id in held}
        held_for = {job_id: (now - since).total_seconds() for job_id, since in self._held_since.items()}
        return Frame(snapshot, MappingProxyType(held_for), changes)

    def _due(self, chosen: str | None, logged: int) -> bool:
        changed = self._backend.changed()
        if changed or self._last is None or self._last_at is None or chosen != self._last_chosen:
            return True
        # Threads that user code has started may log for a job that has ended.
        if logged != self._last_logged:
            return True
        if _any(self._last, LIVE):
            return True
        # A thread may still be busy for a moment with a job that has ended.
        slow = _any(self._last, _STANDING) or self._last.threads_busy > 0
        return slow and abs((self._clock() - self._last_at).total_seconds()) >= 1.0

    def _ended_in(self, changes: Changes) -> Iterator[JobSummary]:
        """The jobs that ended between two pictures, those included that came between them too."""
        last = self._last
        for old, new in changes.each:
            if new is None or not new.status.is_final or last is None:
                continue
            if old is not None:
                ended = not old.status.is_final
            else:
                # Not one that ended long ago and was only now brought back.
                ended = new.ended_at is not None and new.ended_at > last.taken_at
            if ended:
                yield new

    def newly_ended(self) -> list[JobSummary]:
        """The jobs that have ended since this was last asked."""
        ended, self._ended = self._ended, []
        return ended


def _any(snapshot: RuntimeSnapshot, statuses: frozenset[ExecutionStatus]) -> bool:
    return any(snapshot.counts.get(status) for status in statuses)


def unfinished(snapshot: RuntimeSnapshot | None) -> list[JobSummary]:
    """The jobs that have not ended."""
    if snapshot is None or not any(snapshot.counts.get(status) for status in UNFINISHED):
        return []
    return [job for job in snapshot.jobs if not job.status.is_final]

"""The statuses of a job and the one table of what may follow what."""

from __future__ import annotations

from enum import Enum
from typing import Final

from routilux.exceptions import InvalidTransition


class ExecutionStatus(str, Enum):
    """Where a job stands. Each member compares equal to its string: `status == "running"`."""

    PENDING = "pending"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"

    def __str__(self) -> str:
        return self.value

    @property
    def is_live(self) -> bool:
        """Whether logic may be running: running, pausing or cancelling."""
        return self in LIVE

    @property
    def is_final(self) -> bool:
        """Whether the job will not go on by itself or by `resume`."""
        return self in FINAL


_S = ExecutionStatus

LIVE: Final = frozenset({_S.RUNNING, _S.PAUSING, _S.CANCELLING})
FINAL: Final = frozenset({_S.COMPLETED, _S.FAILED, _S.CANCELLED, _S.INTERRUPTED})
# What `JobState.save` keeps so that `exec(job_state=...)` can carry it on.
RESUMABLE: Final = frozenset({_S.PAUSED, _S.FAILED, _S.INTERRUPTED})

_NEXT: Final[dict[ExecutionStatus, frozenset[ExecutionStatus]]] = {
    _S.PENDING: frozenset({_S.RUNNING}),
    _S.RUNNING: frozenset({_S.PAUSING, _S.PAUSED, _S.CANCELLING, _S.CANCELLED, _S.COMPLETED, _S.FAILED}),
    _S.PAUSING: frozenset({_S.PAUSED, _S.RUNNING, _S.CANCELLING, _S.FAILED}),
    _S.PAUSED: frozenset({_S.RUNNING, _S.CANCELLED, _S.INTERRUPTED}),
    # A timeout takes the road of a forced cancel and ends in failed.
    _S.CANCELLING: frozenset({_S.CANCELLED, _S.FAILED}),
    _S.COMPLETED: frozenset(),
    _S.CANCELLED: frozenset(),
    # Carried on with exec(job_state=...).
    _S.FAILED: frozenset({_S.RUNNING}),
    _S.INTERRUPTED: frozenset({_S.RUNNING}),
}


def check_transition(job_id: str, now: ExecutionStatus, then: ExecutionStatus) -> None:
    """Raise `InvalidTransition` unless a job that is `now` may become `then`."""
    if then not in _NEXT[now]:
        possible = ", ".join(sorted(status.value for status in _NEXT[now])) or "nothing else"
        raise InvalidTransition(
            f"job {job_id!r} is {now.value} and cannot become {then.value}; it can become {possible}"
        )

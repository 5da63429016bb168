"""Immutable pictures of the runtime and its jobs, for any reader at any rate."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from routilux.slot import Item, from_ns
from routilux.status import ExecutionStatus

_LARGE: Final = 2**63


class Progress(NamedTuple):
    """What a routine reported last with `report_progress`. `total` is None where it is not known."""

    done: float
    total: float | None = None
    message: str = ""

    @property
    def fraction(self) -> float | None:
        """Between 0 and 1, or None where the total is unknown or zero."""
        if not self.total:
            return None
        return min(1.0, max(0.0, self.done / self.total))


def as_progress(done: Any, total: Any, message: object) -> Progress:
    """What a routine reports, in values that can be shown and saved. `ValueError` for no numbers."""
    return Progress(_number("done", done), None if total is None else _number("total", total), str(message))


def _number(name: str, value: Any) -> float:
    """`value`, or the float of it where it is a Decimal, one of numpy's, or beyond all counting."""
    if type(value) is float or (type(value) is int and -_LARGE < value < _LARGE):
        return value
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"progress cannot be reported: {name} is {value!r}; give a number") from None


class SlotSnapshot(NamedTuple):
    """One slot of one routine in one job. Counts are items since the job began."""

    name: str
    waiting: int
    capacity: int
    received: int
    consumed: int
    dropped: int


class RoutineSnapshot(NamedTuple):
    """One routine in one job.

    `state` is one of "running", "ready", "waiting" (has items, its policy says no), "retrying",
    "skipped", "failed", "done" (has run, nothing waits) and "idle" (has not run).
    `time_in_logic` is in seconds, with what runs so far. `running_since` is None unless an activation runs.
    """

    routine_id: str
    state: str
    activations: int
    running: int
    slots: tuple[SlotSnapshot, ...]
    skipped_items: int
    errors: int
    retries: int
    time_in_logic: float
    running_since: datetime | None
    progress: Progress | None

    @property
    def waiting(self) -> int:
        """Items that wait in all slots of the routine."""
        return sum(slot.waiting for slot in self.slots)

    @property
    def dropped(self) -> int:
        """Items that full slots of the routine dropped."""
        return sum(slot.dropped for slot in self.slots)


class JobSummary(NamedTuple):
    """What a list of jobs shows: cheap to make, shared between pictures while nothing changed.

    `elapsed` are the seconds since the start that the job was at work, `paused` those that it stood still:
    paused, or put away until it was carried on.
    """

    job_id: str
    flow_name: str
    status: ExecutionStatus
    entry_params: Mapping[str, Any]
    generation: int | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    elapsed: float
    activations: int
    running: int
    waiting: int
    dropped: int
    errors: int
    progress: Progress | None
    last_event: str
    error: str
    notices: tuple[str, ...]
    paused: float = 0.0


class JobSnapshot(NamedTuple):
    """One job in full. `waits_for` says in words what an unfinished job waits for."""

    summary: JobSummary
    routines: tuple[RoutineSnapshot, ...]
    waits_for: str
    history_total: int
    history_dropped: int
    log_total: int
    log_dropped: int
    leftovers: Mapping[str, int]

    @property
    def job_id(self) -> str:
        return self.summary.job_id

    @property
    def status(self) -> ExecutionStatus:
        return self.summary.status


class RuntimeSnapshot(NamedTuple):
    """All jobs, oldest first, and the pool, at one moment."""

    taken_at: datetime
    thread_pool_size: int
    threads_busy: int
    jobs: tuple[JobSummary, ...] = ()
    counts: Mapping[ExecutionStatus, int] = MappingProxyType({})


class SlotItems(NamedTuple):
    """What waits in one slot: `items` are the oldest of the `waiting`."""

    name: str
    waiting: int
    capacity: int
    items: tuple[Item, ...]


class RoutineData(NamedTuple):
    """What one routine of a job holds. The data is the job's own, not a copy: it is for looking at.

    `state` is the dict of `job_state.routine_state`, None where the routine has none. `taken` are data
    slices that left the slots and are still to be run, or to be run again.
    """

    routine_id: str
    state: Mapping[str, Any] | None
    slots: tuple[SlotItems, ...]
    taken: tuple[Mapping[str, list[Any]], ...]


class JobEvent(NamedTuple):
    """What a listener of `Runtime.subscribe` gets: a job has taken on `status`.

    `timestamp_ns` are nanoseconds since the epoch. `ended` is true once per run of a job: nothing of it
    runs any more and `wait` returns.
    """

    job_id: str
    flow_name: str
    status: ExecutionStatus
    timestamp_ns: int
    ended: bool

    @property
    def timestamp(self) -> datetime:
        """When it was (aware, UTC). Made when asked for, for most listeners do not."""
        return from_ns(self.timestamp_ns)

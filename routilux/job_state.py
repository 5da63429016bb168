"""The data of a job: what its logic may read and write, and what is saved of it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Protocol

from routilux.context import current_activation, own_activation, uninterrupted
from routilux.exceptions import JobCancelled, JobNotActive
from routilux.history import (
    MAX_ERRORS,
    MAX_LOG_LINES,
    MAX_RAISED,
    ExecutionRecord,
    JobError,
    LogLine,
    LogRing,
    RawLine,
    Ring,
    as_lines,
    as_records,
)
from routilux.routine_run import PROGRESS, PackedRun, RoutineRun
from routilux.slot import from_ns
from routilux.snapshot import Progress, as_progress
from routilux.status import ExecutionStatus, check_transition

if TYPE_CHECKING:
    from routilux.routine import Routine

_LEVELS = frozenset({"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", "PRINT", "STDERR"})
# What jobs have none of they share.
NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


# Held while the log of a job is made. A thread may hold it twice; see LogRing.
_making_log: Final = threading.RLock()


class Engine(Protocol):
    """What a job's data needs of the loop that runs the job."""

    def emit_from_outside(self, routine: Routine, event_name: str, params: dict[str, Any]) -> None: ...

    def unfinished_lines(self) -> tuple[int, list[RawLine]]:
        """The printed lines that are not ended yet, and how many lines were logged by then."""


class JobState:
    """The data of one job: status, parameters, shared data, routine states, history, queued items.

    Made by `Runtime.exec`, or by `JobState.load` for a job that was saved. All methods may be
    called from any thread. `shared_data` and the dicts of `routine_state` are the user's: single
    operations on them are atomic, longer ones on `shared_data` belong into `with shared_lock`.
    """

    __slots__ = (
        "__weakref__",
        "_cancel_requested",
        "_changed",
        "_engine",
        "_errors",
        "_leftovers",
        "_lock",
        "_log",
        "_notices",
        "_shared_lock",
        "_status",
        "base_ns",
        "created_ns",
        "ended_ns",
        "entry_params",
        "final",
        "flow_name",
        "generation",
        "history",
        "job_id",
        "kept_states",
        "paused_ns",
        "runs",
        "shared_data",
        "started_ns",
        "stopped_ns",
        "updated_ns",
    )

    def __init__(
        self,
        job_id: str,
        flow_name: str,
        entry_params: Mapping[str, Any] | None = None,
        *,
        max_history: int = 1000,
        generation: int | None = None,
    ) -> None:
        self.job_id = job_id
        self.flow_name = flow_name
        self.entry_params: Mapping[str, Any] = entry_params if entry_params is not None else {}
        self.generation = generation
        self.shared_data: dict[str, Any] = {}
        # The job's lock. Guards everything below, and what the job's loop says it guards.
        # Held for short, bounded work only; never while user code runs.
        self._lock = threading.Lock()
        # Made when the first thread waits for a change; notified at every change of status.
        self._changed: threading.Condition | None = None
        self._shared_lock: threading.RLock | None = None
        self._status = ExecutionStatus.PENDING
        self._cancel_requested = False
        self._engine: Engine | None = None
        self.history = Ring(max_history)
        self._log: LogRing | None = None
        self._errors: Sequence[JobError] = ()
        self._leftovers: Mapping[str, int] = NOTHING
        self._notices: tuple[str, ...] = ()
        # While the job can go on: its routines' data. Given up when it has ended for good, ...
        self.runs: Mapping[str, RoutineRun] = NOTHING
        # ... in favour of what routines have remembered, and their last pictures.
        self.kept_states: Mapping[str, dict[str, Any]] = NOTHING
        self.final: tuple[PackedRun, ...] = ()
        self.base_ns = time.time_ns() - time.perf_counter_ns()
        self.created_ns = self.now_ns()
        self.started_ns = 0
        self.ended_ns = 0
        # Since when the job stands still (0: it does not), and how long it did before; see elapsed.py.
        self.stopped_ns = 0
        self.paused_ns = 0
        self.updated_ns = 0

    # ---- where the job stands

    @property
    def status(self) -> ExecutionStatus:
        """Where the job stands now; compares equal to its string."""
        return self._status

    def become(self, status: ExecutionStatus) -> None:
        """Change the status; for the engine, under the job's lock. Wakes who waits for a change."""
        check_transition(self.job_id, self._status, status)
        self._status = status
        if self._changed is not None:
            self._changed.notify_all()

    def condition(self) -> threading.Condition:
        """The condition of the job's lock that is notified at changes. Call it under the lock."""
        if self._changed is None:
            self._changed = threading.Condition(self._lock)
        return self._changed

    def now_ns(self) -> int:
        """Nanoseconds since the epoch, by a clock that never goes back within a job."""
        return self.base_ns + time.perf_counter_ns()

    def not_before(self, ns: int) -> None:
        """Let the job's clock go on from `ns`, which another machine may have set."""
        behind = ns - self.now_ns()
        if behind > 0:
            self.base_ns += behind

    @property
    def created_at(self) -> datetime:
        """When the job was made (aware, UTC)."""
        return from_ns(self.created_ns)

    @property
    def started_at(self) -> datetime | None:
        """When the job began to run."""
        return from_ns(self.started_ns) if self.started_ns else None

    @property
    def ended_at(self) -> datetime | None:
        """When the job ended; None while it has not."""
        return from_ns(self.ended_ns) if self.ended_ns else None

    @property
    def notices(self) -> tuple[str, ...]:
        """What a user should know of this job, such as that nothing ran and why."""
        return self._notices

    @property
    def leftovers(self) -> Mapping[str, int]:
        """Items that no policy ever took, by "routine.slot"; filled when the job has ended."""
        return self._leftovers

    @property
    def errors(self) -> tuple[JobError, ...]:
        """The failures so far, oldest first, also those that a handler dealt with."""
        with self._lock:
            return tuple(self._errors)

    @property
    def error(self) -> JobError | None:
        """The failure that failed the job, or None."""
        return next((error for error in self.errors if error.fatal), None)

    def add_error(self, error: JobError) -> None:
        """Keep a failure; for the engine, under the job's lock. The oldest of too many go.

        Of many only the newest, and the one that failed the job, keep what was taken of their frames.
        """
        errors = [*self._errors[1 - MAX_ERRORS :], error]
        old = len(errors) - 1 - MAX_RAISED
        if old >= 0 and not errors[old].fatal:
            errors[old] = errors[old]._replace(raised=())
        self._errors = errors

    def add_notice(self, text: str) -> None:
        """Keep something a user should know; for the engine."""
        self._notices = (*self._notices, text)

    # ---- for logic

    @property
    def shared_lock(self) -> Any:
        """A re-entrant lock of this job for longer operations on `shared_data`: `with` it."""
        if self._shared_lock is None:
            with self._lock:
                if self._shared_lock is None:
                    self._shared_lock = threading.RLock()
        return self._shared_lock

    def routine_state(self, routine_id: str | None = None) -> dict[str, Any]:
        """The dict that a routine keeps in this job; without an id, that of the running routine.

        A routine runs one activation at a time (unless `set_max_concurrency` says otherwise), so
        its logic needs no lock for it.
        """
        if routine_id is not None and routine_id in self.kept_states:
            return self.kept_states[routine_id]
        if not self.runs and any(packed[0] == routine_id for packed in self.final):
            return {}
        run = self._run(routine_id)
        if run.state is None:
            with self._lock:
                if run.state is None:
                    run.state = {}
        return run.state

    def _run(self, routine_id: str | None) -> RoutineRun:
        if routine_id is None:
            activation = current_activation.get()
            if activation is None or activation.job_state is not self:
                raise JobNotActive(f"job {self.job_id!r}: no routine of it runs here; name the routine")
            routine_id = activation.routine_id
        run = self.runs.get(routine_id)
        if run is None:
            known = ", ".join(repr(name) for name in self.runs) or "none any more: the job has ended"
            raise ValueError(f"job {self.job_id!r} has no routine {routine_id!r}; it has {known}")
        return run

    def report_progress(self, done: float, total: float | None = None, message: str = "") -> None:
        """Say how far the running routine is: `done` of `total`, in whatever unit it counts.

        `ValueError` for what is no number.
        """
        self._run(None).progress = as_progress(done, total, message)

    @property
    def progress(self) -> Mapping[str, Progress]:
        """What each routine reported last."""
        pairs: Iterable[tuple[str, Progress | None]]
        pairs = [(run.routine_id, run.progress) for run in list(self.runs.values())]
        pairs = pairs or [(packed[0], packed[PROGRESS]) for packed in self.final]
        return MappingProxyType({name: progress for name, progress in pairs if progress is not None})

    def log(self, message: object, level: str = "INFO") -> None:
        """Add a line to the job's log, under the running routine if there is one."""
        if level not in _LEVELS:
            raise ValueError(
                f"log level {level!r} is unknown; it must be one of {', '.join(sorted(_LEVELS))}"
            )
        activation = current_activation.get()
        inside = activation is not None and activation.job_state is self
        self.add_log_line(level, activation.routine_id if activation and inside else "", str(message))

    @uninterrupted
    def add_log_line(self, level: str, routine_id: str, message: str) -> None:
        """Add a line to the job's log; the newest 10,000 are kept."""
        self.log_ring().append((self.now_ns(), level, routine_id, message))

    def log_ring(self) -> LogRing:
        """The job's log; for the engine. It is made when it is first asked for."""
        log = self._log
        if log is None:
            with _making_log:
                made = LogRing(MAX_LOG_LINES)
                # Asked only now: a line may have come while it was made, even in this thread.
                if self._log is None:
                    self._log = made
                log = self._log
        return log

    @property
    def cancel_requested(self) -> bool:
        """Whether the job is being cancelled, or was."""
        return self._cancel_requested

    def raise_if_cancelled(self) -> None:
        """Raise `JobCancelled` if the job is being cancelled, or was."""
        if self._cancel_requested:
            raise JobCancelled(f"job {self.job_id!r} was cancelled")

    def sleep(self, seconds: float) -> None:
        """Block for `seconds`; a cancel wakes it at once, with `JobCancelled`."""
        if not seconds >= 0:
            raise ValueError(f"cannot sleep for {seconds!r} seconds; it must be a number of at least 0")
        self._sleep(seconds)
        self.raise_if_cancelled()

    @uninterrupted
    def _sleep(self, seconds: float) -> None:
        activation = own_activation()

        def disturbed() -> bool:
            return self._cancel_requested or (activation is not None and activation.wanted is not None)

        with self._lock:
            self.condition().wait_for(disturbed, min(seconds, threading.TIMEOUT_MAX))

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """Hold forced cancels and timeouts back over the block; they are raised at its end.

        Only in the thread of the activation itself: threads that logic starts are never interrupted.
        """
        activation = own_activation()
        if activation is None or activation.job_state is not self:
            yield
            return
        activation.mask()
        try:
            yield
        finally:
            activation.unmask()

    @uninterrupted
    def emit_from_outside(self, routine: Routine, event_name: str, params: dict[str, Any]) -> None:
        """What `routine.emit(..., job_state=...)` does in a thread that runs no activation of this job."""
        engine = self._engine
        if engine is None:
            raise JobNotActive(
                f"job {self.job_id!r} is {self._status.value} and takes no items: "
                f"emit({event_name!r}) came too late"
            )
        engine.emit_from_outside(routine, event_name, params)

    # ---- what happened

    def get_execution_history(
        self, routine_id: str | None = None, limit: int | None = None
    ) -> list[ExecutionRecord]:
        """The execution records, oldest first: of one routine if named, the newest `limit` if given."""
        with self._lock:
            numbered = self.history.numbered()
        if routine_id is not None:
            numbered = [entry for entry in numbered if entry[1][1] == routine_id]
        return as_records(_newest(numbered, limit))

    def history_since(self, sequence: int) -> list[ExecutionRecord]:
        """The records from number `sequence` on that are still kept; costs what it answers with."""
        with self._lock:
            numbered = self.history.since(sequence)
        return as_records(numbered)

    def logs(self, routine_id: str | None = None, limit: int | None = None) -> list[LogLine]:
        """The log lines, oldest first: of one routine if named, the newest `limit` if given."""
        log = self._log
        numbered = log.numbered() if log is not None else []
        if routine_id is not None:
            numbered = [entry for entry in numbered if entry[1][2] == routine_id]
        return as_lines(_newest(numbered, limit))

    def logs_since(self, sequence: int) -> list[LogLine]:
        """The log lines from number `sequence` on that are still kept; costs what it answers with."""
        log = self._log
        return as_lines(log.since(sequence) if log is not None else [])

    def unfinished_lines(self) -> list[LogLine]:
        """The lines that logic has printed so far and not ended, as they stand now: a progress bar, a prompt.

        One for each activation that runs, each thread and each stream, if it shows something: what a carriage
        return has written over is gone. It becomes a line of the log when a line end is printed or
        the activation ends. `timestamp` is when it was printed on last. `sequence` is the number of lines
        that had been logged by then: the lines of `logs_since` from that number on came later.
        Any thread may call it; it waits for nothing but two locks that are held for moments.
        """
        engine = self._engine
        if self._log is None or engine is None:
            return []
        total, lines = engine.unfinished_lines()
        return as_lines([(total, line) for line in lines])

    @property
    def log_total(self) -> int:
        """How many lines were ever logged."""
        return self._log.total if self._log is not None else 0

    @property
    def log_dropped(self) -> int:
        """How many of the oldest lines are gone."""
        return self._log.dropped if self._log is not None else 0

    # ---- saving

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the job to `path` as JSON, atomically: the file is whole, or as it was before.

        For jobs that stand still: paused, failed, interrupted, or ended. `InvalidTransition` for
        others; `SerializationError`, naming routine and slot, for data that JSON cannot hold.
        """
        from routilux.job_file import write_job  # here: json and the codec cost start-up time

        write_job(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> JobState:
        """Read a job that was saved, to be carried on with `Runtime.exec(name, job_state=...)`.

        `ValueError`, naming the file and the place, for what is no saved job.
        """
        from routilux.job_file import read_job

        return read_job(path)

    def __repr__(self) -> str:
        return f"<JobState {self.job_id!r} of {self.flow_name!r}: {self._status.value}>"

    def __rich_repr__(self) -> Iterable[Any]:
        yield self.job_id
        yield "flow_name", self.flow_name
        yield "status", self._status.value
        yield "entry_params", self.entry_params
        yield "shared_data", self.shared_data
        yield "error", self.error, None
        yield "leftovers", dict(self._leftovers), {}


def _newest(numbered: list[Any], limit: int | None) -> list[Any]:
    if limit is None:
        return numbered
    if limit < 0:
        raise ValueError(f"limit is {limit!r}; it must be at least 0")
    return numbered[len(numbered) - limit :] if limit < len(numbered) else numbered

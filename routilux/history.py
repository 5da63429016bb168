"""What happened in a job: bounded rings of execution records and of log lines, and its errors."""

from __future__ import annotations

import threading
from collections import deque
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

from routilux.raised import Raised
from routilux.slot import from_ns

MAX_LOG_LINES = 10_000
MAX_ERRORS = 1_000
MAX_RAISED = 100

# Event names of the records that the engine itself makes.
STARTED = "activation_started"
ENDED = "activation_ended"
FAILED = "activation_failed"
RETRIED = "retry_scheduled"
SKIPPED = "routine_skipped"

RawRecord: TypeAlias = tuple[int, str, str, Any]  # (time in ns, routine id, event name, data)
RawLine: TypeAlias = tuple[int, str, str, str]  # (time in ns, level, routine id, message)


class ExecutionRecord(NamedTuple):
    """One thing that happened. `sequence` counts from 0 per job, also over records since dropped.

    `event_name` is the name of an emitted event (then `data` are its parameters), or
    "activation_started" (the data slice), "activation_ended" (None), "activation_failed" and
    "retry_scheduled" (the error, in words), "routine_skipped" (in words).
    """

    sequence: int
    timestamp: datetime
    routine_id: str
    event_name: str
    data: Any


class LogLine(NamedTuple):
    """One line that a job logged or printed.

    `level` is a level name of the `logging` module, "PRINT" (standard output) or "STDERR".
    `routine_id` is "" for lines of the job itself.
    """

    sequence: int
    timestamp: datetime
    level: str
    routine_id: str
    message: str


class JobError(NamedTuple):
    """A failure: where, what, the whole traceback, and the data slice it failed on.

    `fatal` tells the error that failed the job from those that a handler dealt with.
    """

    routine_id: str
    message: str
    exception_type: str
    traceback: str
    data_slice: dict[str, list[Any]]
    timestamp: datetime
    fatal: bool
    # The exception, without its frames; for this process only, it is not saved.
    exception: BaseException | None = None
    # The exceptions with their frames, as texts; the newest MAX_RAISED errors of a job keep theirs.
    raised: tuple[Raised, ...] = ()

    def __str__(self) -> str:
        return f"{self.routine_id}: {self.exception_type}: {self.message}"


class Ring:
    """The newest records of a sequence that is counted from its beginning.

    `append` may be called under the job's lock only; reading is safe from any thread.
    """

    __slots__ = ("maximum", "records", "total")

    def __init__(self, maximum: int) -> None:
        self.maximum = maximum
        self.records: deque[tuple[int, str, str, Any]] = deque(maxlen=maximum)
        self.total = 0

    def append(self, record: tuple[int, str, str, Any]) -> None:
        self.records.append(record)
        self.total += 1

    def seal(self) -> None:
        """Nothing is appended any more: a tuple takes less memory than a deque."""
        self.records = tuple(self.records)  # type: ignore[assignment]  # it is only read from here on

    @property
    def dropped(self) -> int:
        """How many of the oldest records are gone."""
        return self.total - len(self.records)

    def numbered(self) -> list[tuple[int, tuple[int, str, str, Any]]]:
        """The records with their sequence numbers. Call it under the job's lock."""
        return list(enumerate(self.records, self.dropped))

    def since(self, sequence: int) -> list[tuple[int, tuple[int, str, str, Any]]]:
        """The numbered records from `sequence` on; costs what it answers with. Under the job's lock."""
        first = max(sequence, self.dropped)
        newest = [self.records[-index] for index in range(self.total - first, 0, -1)]
        return list(enumerate(newest, first))


class LogRing(Ring):
    """The newest lines of a log. All methods may be called from any thread, and at any time.

    With a lock of its own, which a thread may hold twice: a garbage collection may begin wherever the
    engine holds a lock, and what it finalizes may print. It guards the job's unfinished lines too, so that
    one that ends is a line of the log in the same moment.
    """

    __slots__ = ("lock",)

    def __init__(self, maximum: int) -> None:
        super().__init__(maximum)
        self.lock = threading.RLock()

    def append(self, record: tuple[int, str, str, Any]) -> None:
        with self.lock:
            self.records.append(record)
            self.total += 1

    def numbered(self) -> list[tuple[int, tuple[int, str, str, Any]]]:
        with self.lock:
            # In this order: nothing is allocated, and so nothing collected, between the copy and the count.
            records = list(self.records)
            total = self.total
        return list(enumerate(records, total - len(records)))

    def since(self, sequence: int) -> list[tuple[int, tuple[int, str, str, Any]]]:
        with self.lock:
            while True:
                first = max(sequence, self.dropped)
                backwards = islice(reversed(self.records), max(0, self.total - first))
                try:
                    newest = list(backwards)
                except RuntimeError:
                    continue  # a line came meanwhile, in this thread
                if first + len(newest) == self.total:
                    return list(enumerate(reversed(newest), first))


def as_records(numbered: list[tuple[int, RawRecord]]) -> list[ExecutionRecord]:
    """Format raw records for a reader."""
    return [
        ExecutionRecord(sequence, from_ns(ns), routine_id, event_name, data)
        for sequence, (ns, routine_id, event_name, data) in numbered
    ]


def as_lines(numbered: list[tuple[int, RawLine]]) -> list[LogLine]:
    """Format raw log lines for a reader."""
    return [
        LogLine(sequence, from_ns(ns), level, routine_id, message)
        for sequence, (ns, level, routine_id, message) in numbered
    ]

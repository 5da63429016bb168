"""What a command says about a job that has ended: in words, or as one JSON document."""

from __future__ import annotations

import dataclasses
import json
import math
import pprint
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from enum import Enum
from typing import Any

from routilux.cli.display import count
from routilux.history import JobError
from routilux.job import Job
from routilux.loading.frames import user_part
from routilux.snapshot import JobSnapshot
from routilux.status import ExecutionStatus
from routilux.validation import Finding

_GLYPHS = {
    ExecutionStatus.COMPLETED: "✓",
    ExecutionStatus.FAILED: "✗",
    ExecutionStatus.CANCELLED: "⊘",
}
# More of these than a screen holds are only counted.
_MOST_ERRORS = 10
_MOST_DATA_LINES = 20


def in_words(job: Job, snapshot: JobSnapshot) -> Iterator[str]:
    """The lines that end a run. The last one says what became of the job."""
    state = job.job_state
    dealt_with = [error for error in state.errors if not error.fatal]
    if dealt_with:
        yield f"{count(len(dealt_with), 'error')} that did not stop the job:"
        yield from (f"  {error}" for error in dealt_with[:_MOST_ERRORS])
        if len(dealt_with) > _MOST_ERRORS:
            yield f"  ... and {len(dealt_with) - _MOST_ERRORS:,} more"
    if state.error is not None:
        yield from _failure(state.error)
    yield from state.notices
    for slot, items in state.leftovers.items():
        if not any(slot in notice for notice in state.notices):
            yield f"{count(items, 'item')} left in {slot}"
    took = _seconds(snapshot.summary.elapsed)
    yield f"{_GLYPHS.get(job.status, '?')} {job.flow_name} {job.status} after {took} (job {job.job_id})"


def _failure(error: JobError) -> Iterator[str]:
    where = f"Routine {error.routine_id!r} failed" if error.routine_id else "The job failed"
    yield f"{where}: {error.exception_type}: {error.message}"
    # The last line of the traceback is the exception once more, unless it is chained or has notes.
    yield from (f"  {line}" for line in user_part(error.traceback).splitlines())
    if error.data_slice:
        yield "  on this data:"
        lines = pprint.pformat(error.data_slice, width=100, compact=True, sort_dicts=False).splitlines()
        yield from (f"    {line}" for line in lines[:_MOST_DATA_LINES])
        if len(lines) > _MOST_DATA_LINES:
            yield f"    ... and {len(lines) - _MOST_DATA_LINES:,} more lines"


def _seconds(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min {rest} s" if hours else f"{minutes} min {rest} s"


def as_document(job: Job, snapshot: JobSnapshot, findings: Iterable[Finding]) -> str:
    """The job as one JSON document. Times are in seconds.

    `report` is `shared_data["report"]`, where the job left one. What JSON has no word for is told
    as text.
    """
    state = job.job_state
    document = {
        "flow": job.flow_name,
        "job_id": job.job_id,
        "status": job.status,
        "started_at": state.started_at,
        "ended_at": state.ended_at,
        "duration": snapshot.summary.elapsed,
        "report": state.shared_data.get("report"),
        "errors": [_error(error) for error in state.errors],
        "leftovers": state.leftovers,
        "notices": state.notices,
        "findings": list(findings),
        "routines": {
            routine.routine_id: {
                "state": routine.state,
                "activations": routine.activations,
                "time_in_logic": routine.time_in_logic,
                "errors": routine.errors,
                "retries": routine.retries,
                "dropped": routine.dropped,
                "skipped": routine.skipped_items,
            }
            for routine in snapshot.routines
        },
    }
    return json.dumps(plain(document), indent=2, ensure_ascii=False, allow_nan=False)


def _error(error: JobError) -> dict[str, Any]:
    names = ("routine_id", "exception_type", "message", "traceback", "data_slice", "timestamp", "fatal")
    return {name: getattr(error, name) for name in names}


def plain(value: Any) -> Any:
    """The value in what JSON knows.

    Named tuples, dataclasses and pydantic models become objects, sets sorted lists, numbers that JSON
    lacks null, everything else text.
    """
    if isinstance(value, Enum):
        return plain(value.value)
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, str):
        # What a file system gave that is not UTF-8 cannot be written as it is.
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(each) for key, each in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted((plain(each) for each in value), key=str)
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if hasattr(value, "model_dump"):
        return plain(value.model_dump())
    return plain(str(value))

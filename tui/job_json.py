"""A whole job as JSON, for people and other programs: whatever it holds, and in whatever state it is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from routilux.codec import to_jsonable
from routilux.history import ExecutionRecord, JobError, LogLine
from routilux.raised import to_tree
from routilux.safe_text import Secrets, text_of
from routilux.snapshot import JobSnapshot, RoutineSnapshot
from tui.pictures import JobData

# Characters of a value that JSON cannot hold.
_TEXT: Final = 10_000
# Levels of containers that are taken apart to find the one value in them that JSON cannot hold.
_DEEPEST: Final = 20


def job_tree(
    snapshot: JobSnapshot,
    data: JobData | None,
    errors: Sequence[JobError],
    history: Sequence[ExecutionRecord],
    log: Sequence[LogLine],
) -> dict[str, Any]:
    """The job as JSON has it. Values that JSON cannot hold are tagged as `JobState.save` does, and
    those that this cannot either are told in words: {"$text": ...}."""
    summary = snapshot.summary
    secrets = Secrets.of(summary.entry_params)
    tree = {
        "job_id": summary.job_id,
        "flow": summary.flow_name,
        "status": summary.status.value,
        "generation": summary.generation,
        "created_at": _moment(summary.created_at),
        "started_at": _moment(summary.started_at),
        "ended_at": _moment(summary.ended_at),
        "elapsed": summary.elapsed,
        "paused": summary.paused,
        "parameters": tree_of(dict(summary.entry_params), secrets),
        "notices": list(summary.notices),
        "waits_for": "" if summary.status.is_final else snapshot.waits_for,
        "leftovers": dict(snapshot.leftovers),
        "routines": [_routine(routine) for routine in snapshot.routines],
        "errors": [_error(error, secrets) for error in errors],
        "history": history_trees(history, secrets),
        "history_dropped": snapshot.history_dropped,
        "log": [log_tree(line) for line in log],
        "log_dropped": snapshot.log_dropped,
    }
    return tree if data is None else {**tree, **data_tree(data, secrets)}


def data_tree(data: JobData, secrets: Secrets) -> dict[str, Any]:
    """Parameters, shared data, routine states and queued items."""
    return {
        "parameters": tree_of(dict(data.parameters), secrets),
        "shared_data": tree_of(data.shared, secrets),
        "routine_states": {
            each.routine_id: tree_of(each.state, secrets) for each in data.routines if each.state
        },
        "queued_items": {
            f"{routine.routine_id}.{slot.name}": {
                "waiting": slot.waiting,
                "items": [
                    {
                        "from": item.emitted_from,
                        "at": _moment(item.emitted_at),
                        "data": tree_of(item.data, secrets),
                    }
                    for item in slot.items
                ],
            }
            for routine in data.routines
            for slot in routine.slots
            if slot.waiting
        },
        "taken": {
            routine.routine_id: [tree_of(each, secrets) for each in routine.taken]
            for routine in data.routines
            if routine.taken
        },
    }


def history_trees(records: Sequence[ExecutionRecord], secrets: Secrets) -> list[dict[str, Any]]:
    return [
        {
            "sequence": record.sequence,
            "at": _moment(record.timestamp),
            "routine": record.routine_id,
            "event": record.event_name,
            "data": tree_of(record.data, secrets),
        }
        for record in records
    ]


def log_tree(line: LogLine) -> dict[str, Any]:
    return {
        "sequence": line.sequence,
        "at": _moment(line.timestamp),
        "level": line.level,
        "routine": line.routine_id,
        "message": line.message,
    }


def _routine(routine: RoutineSnapshot) -> dict[str, Any]:
    progress = routine.progress
    return {
        "routine": routine.routine_id,
        "state": routine.state,
        "activations": routine.activations,
        "errors": routine.errors,
        "retries": routine.retries,
        "skipped_items": routine.skipped_items,
        "time_in_logic": routine.time_in_logic,
        "progress": None if progress is None else progress._asdict(),
        "slots": [slot._asdict() for slot in routine.slots],
    }


def _error(error: JobError, secrets: Secrets) -> dict[str, Any]:
    return {
        "routine": error.routine_id,
        "at": _moment(error.timestamp),
        "fatal": error.fatal,
        "type": error.exception_type,
        "message": error.message,
        "traceback": error.traceback,
        "frames": to_tree(error.raised),
        "data_slice": tree_of(error.data_slice, secrets),
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def tree_of(value: Any, secrets: Secrets, depth: int = 0) -> Any:
    """A value as JSON; no code of its class runs. It may change meanwhile: then it is told in words."""
    try:
        return to_jsonable(value, "")
    except (TypeError, RuntimeError, ValueError):
        pass
    try:
        if type(value) is dict and depth < _DEEPEST and all(type(key) is str for key in value):
            return {
                key: {"$text": text_of(each, 0, secrets, key)}
                if key in secrets.names
                else tree_of(each, secrets, depth + 1)
                for key, each in value.items()
            }
        if type(value) in (list, tuple) and depth < _DEEPEST:
            return [tree_of(each, secrets, depth + 1) for each in value]
    except RuntimeError:
        pass  # another thread changes it
    return {"$text": text_of(value, _TEXT, secrets)}


def as_json(tree: Any, secrets: Secrets, *, indent: int | None = 2) -> str:
    """The JSON text, without the secrets."""
    return secrets.scrub(json.dumps(tree, indent=indent, ensure_ascii=False, default=str))

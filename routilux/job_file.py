"""A job as a JSON file: what `JobState.save` writes and `JobState.load` reads."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from routilux.codec import from_jsonable, to_jsonable
from routilux.exceptions import InvalidTransition, SerializationError
from routilux.history import JobError, LogRing, Ring
from routilux.job_state import JobState
from routilux.raised import from_tree, to_tree
from routilux.routine_run import PROGRESS, PackedRun, RoutineRun, unpack
from routilux.slot import Slot, from_ns, to_ns
from routilux.snapshot import Progress
from routilux.status import LIVE, ExecutionStatus

FORMAT: Final = "routilux-job"
VERSION: Final = 1


def write_job(state: JobState, path: str | os.PathLike[str]) -> None:
    """Write a job that stands still, atomically."""
    text = json.dumps(_encode(state), allow_nan=False, separators=(",", ":"))
    path = Path(path).absolute()
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def read_job(path: str | os.PathLike[str]) -> JobState:
    """Read a job that was saved."""
    path = Path(path)
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"{path} is no saved job: it is no JSON ({error})") from None
    if not isinstance(tree, dict) or tree.get("format") != FORMAT:
        raise ValueError(f'{path} is no saved job: it has no "format": "{FORMAT}"')
    if tree.get("version") != VERSION:
        raise ValueError(
            f"{path} was saved in format version {tree.get('version')!r}; this version reads {VERSION}"
        )
    try:
        return _decode(tree)
    except SerializationError as error:
        raise ValueError(f"{path}: {error}") from error
    except (KeyError, IndexError, AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is no whole saved job: {error!r}") from error


def _encode(state: JobState) -> dict[str, Any]:
    with state._lock:
        status = state._status
        busy = [run.routine_id for run in state.runs.values() if run.running]
        unended = status is ExecutionStatus.FAILED and state._engine is not None
        if status in LIVE or status is ExecutionStatus.PENDING or busy or unended:
            what = f"{', '.join(busy)} still runs" if busy else "it does not stand still"
            raise InvalidTransition(
                f"job {state.job_id!r} is {status.value} and cannot be saved: {what}; pause it "
                f"and wait_until_paused"
            )
        # A paused job takes items from outside: nothing of it may change while it is read.
        return {
            "format": FORMAT,
            "version": VERSION,
            "job_id": state.job_id,
            "flow_name": state.flow_name,
            "status": status.value,
            "generation": state.generation,
            "created_ns": state.created_ns,
            "started_ns": state.started_ns,
            "ended_ns": state.ended_ns,
            "stopped_ns": state.stopped_ns,
            "paused_ns": state.paused_ns,
            "notices": list(state._notices),
            "leftovers": dict(state._leftovers),
            "entry_params": to_jsonable(state.entry_params, "entry_params"),
            "shared_data": to_jsonable(state.shared_data, "shared_data"),
            "routines": [_encode_run(run) for run in state.runs.values()],
            # Of a job that has ended for good there is this instead.
            "states": {
                name: to_jsonable(kept, f"state of routine {name!r}")
                for name, kept in state.kept_states.items()
            },
            "pictures": [] if state.runs else [_encode_picture(packed) for packed in state.final],
            "errors": [_encode_error(error) for error in state._errors],
            "history": _encode_ring(state.history, "history"),
            "log": _encode_ring(state._log, "log") if state._log is not None else None,
        }


def _encode_run(run: RoutineRun) -> dict[str, Any]:
    routine = f"routine {run.routine_id!r}"
    tasks = [*run.parked, *(task for task, _ in run.retrying.values())]
    return {
        "id": run.routine_id,
        "slots": [
            {
                "name": slot.name,
                "received": slot.received,
                "dropped": slot.dropped,
                "skipped": slot.skipped,
                "items": [
                    [to_jsonable(data, f"{routine}, slot {slot.name!r}, item {number}"), source, ns]
                    for number, (data, source, ns) in enumerate(slot.queue)
                ],
            }
            for slot in run.slots.values()
        ],
        "tasks": [
            {
                "data_slice": to_jsonable(data_slice, f"{routine}, data slice {number} that was taken"),
                "message": to_jsonable(message, f"{routine}, policy message {number}"),
                "tries": tries,
            }
            for number, (tries, data_slice, message) in enumerate(tasks)
        ],
        "state": to_jsonable(run.state, f"state of {routine}"),
        "activations": run.activations,
        "errors": run.errors,
        "retries": run.retries,
        "skipped": run.skipped,
        "time_ns": run.time_ns,
        "progress": _encode_progress(run.progress),
    }


def _encode_picture(packed: PackedRun) -> list[Any]:
    *values, progress = packed[: PROGRESS + 1]
    return [*values, _encode_progress(progress), *packed[PROGRESS + 1 :]]


def _encode_progress(progress: Progress | None) -> Any:
    return to_jsonable(list(progress), "progress") if progress is not None else None


def _encode_error(error: JobError) -> dict[str, Any]:
    return {
        "routine_id": error.routine_id,
        "message": error.message,
        "exception_type": error.exception_type,
        "traceback": error.traceback,
        "data_slice": _readable(error.data_slice, f"data slice of an error of {error.routine_id!r}"),
        "timestamp_ns": to_ns(error.timestamp),
        "fatal": error.fatal,
        "raised": to_tree(error.raised),
    }


def _encode_ring(ring: Ring, where: str) -> dict[str, Any]:
    numbered = ring.numbered()
    records = [
        [ns, second, third, _readable(data, f"{where}, record {number}")]
        for number, (ns, second, third, data) in numbered
    ]
    total = numbered[-1][0] + 1 if numbered else ring.total
    return {"total": total, "maximum": ring.maximum, "records": records}


def _readable(value: Any, where: str) -> Any:
    """What is only looked at, and never run again, is saved as text where JSON cannot hold it."""
    try:
        return to_jsonable(value, where)
    except TypeError:
        return repr(value)


def _decode(tree: Mapping[str, Any]) -> JobState:
    # Files that were written before these were kept have none.
    tree = {"paused_ns": 0, "stopped_ns": _last_ns(tree), **tree}
    for key in ("created_ns", "started_ns", "ended_ns", "stopped_ns", "paused_ns"):
        if not isinstance(tree[key], int):
            raise ValueError(f"{key} is {tree[key]!r}; it must be a number of nanoseconds")
    history = _decode_ring(tree["history"], "history", Ring)
    state = JobState(
        tree["job_id"],
        tree["flow_name"],
        _dict(from_jsonable(tree["entry_params"], "entry_params"), "entry_params"),
        max_history=history.maximum,
        generation=tree["generation"],
    )
    state.history = history
    state._status = ExecutionStatus(tree["status"])
    state.created_ns = tree["created_ns"]
    state.started_ns = tree["started_ns"]
    state.ended_ns = tree["ended_ns"]
    state.stopped_ns = tree["stopped_ns"]
    state.paused_ns = tree["paused_ns"]
    state.shared_data = _dict(from_jsonable(tree["shared_data"], "shared_data"), "shared_data")
    state._notices = tuple(tree["notices"])
    state._leftovers = dict(tree["leftovers"])
    state._errors = [_decode_error(each) for each in tree["errors"]]
    state._log = _decode_ring(tree["log"], "log", LogRing) if tree["log"] is not None else None
    state.runs = {each["id"]: _decode_run(each) for each in tree["routines"]}
    state.final = tuple(run.pack() for run in state.runs.values())
    if not state.runs:
        state.kept_states = {
            name: _dict(from_jsonable(kept, f"state of routine {name!r}"), f"state of routine {name!r}")
            for name, kept in tree["states"].items()
        }
        state.final = tuple(_decode_picture(each) for each in tree["pictures"])
    return state


def _last_ns(tree: Mapping[str, Any]) -> Any:
    """When the job ended, or what is known last of it."""
    records = tree["history"]["records"]
    return tree["ended_ns"] or (records[-1][0] if records else tree["started_ns"])


def _dict(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{name} is {value!r}; it must be an object")
    return value


def _decode_run(tree: Mapping[str, Any]) -> RoutineRun:
    run = RoutineRun(tree["id"])
    routine = f"routine {run.routine_id!r}"
    for each in tree["slots"]:
        slot = Slot(each["name"])
        slot.received, slot.dropped, slot.skipped = each["received"], each["dropped"], each["skipped"]
        for number, (data, source, ns) in enumerate(each["items"]):
            slot.queue.append(
                (from_jsonable(data, f"{routine}, slot {slot.name!r}, item {number}"), source, ns)
            )
        run.slots[slot.name] = slot
    for number, each in enumerate(tree["tasks"]):
        data_slice = from_jsonable(each["data_slice"], f"{routine}, data slice {number}")
        message = from_jsonable(each["message"], f"{routine}, policy message {number}")
        run.parked.append((each["tries"], data_slice, message))
    run.state = from_jsonable(tree["state"], f"state of {routine}")
    run.activations = tree["activations"]
    run.errors = tree["errors"]
    run.retries = tree["retries"]
    run.skipped = tree["skipped"]
    run.time_ns = tree["time_ns"]
    run.progress = _decode_progress(tree["progress"])
    return run


def _decode_picture(values: list[Any]) -> PackedRun:
    packed = (*values[:PROGRESS], _decode_progress(values[PROGRESS]), *values[PROGRESS + 1 :])
    unpack(packed)  # raises if it is none
    return packed


def _decode_progress(tree: Any) -> Progress | None:
    return Progress(*from_jsonable(tree, "progress")) if tree is not None else None


def _decode_error(tree: Mapping[str, Any]) -> JobError:
    return JobError(
        routine_id=tree["routine_id"],
        message=tree["message"],
        exception_type=tree["exception_type"],
        traceback=tree["traceback"],
        data_slice=from_jsonable(tree["data_slice"], "data slice of an error"),
        timestamp=from_ns(tree["timestamp_ns"]),
        fatal=tree["fatal"],
        # Files that were written before this was kept have none.
        raised=from_tree(tree.get("raised", ())),
    )


_Kind = TypeVar("_Kind", bound=Ring)


def _decode_ring(tree: Mapping[str, Any], where: str, kind: type[_Kind]) -> _Kind:
    ring = kind(tree["maximum"])
    for number, (ns, second, third, data) in enumerate(tree["records"]):
        ring.append((ns, second, third, from_jsonable(data, f"{where}, record {number}")))
    ring.total = tree["total"]
    return ring

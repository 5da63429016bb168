"""Carrying a job on: whether its state can be, and handing what it has kept to a new loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux.job_state import JobState
from routilux.plan import Plan
from routilux.slot import count_items
from routilux.status import LIVE, RESUMABLE

if TYPE_CHECKING:
    from routilux.event_loop import EventLoop


def check_resumable(state: JobState) -> None:
    """`ValueError` unless the job stands still and can go on."""
    job = f"job {state.job_id!r}"
    if state._status in LIVE or state._engine is not None:
        raise ValueError(f"{job} is {state._status.value} and cannot be started twice")
    if state._status not in RESUMABLE:
        raise ValueError(
            f"{job} is {state._status.value}; only a paused, failed or interrupted job can be carried on"
        )


def check_fits(state: JobState, flow_name: str, plan: Plan) -> None:
    """`ValueError`, naming what has no place, unless this version of the flow has one for all of it."""
    if state.flow_name != flow_name:
        raise ValueError(
            f"job {state.job_id!r} is one of flow {state.flow_name!r} and cannot be carried on as "
            f"{flow_name!r}"
        )
    slots = {each.routine_id: each.slot_names for each in plan.routines}
    homeless = []
    for routine_id, run in state.runs.items():
        homeless += [
            f"{count_items(len(slot.queue))} in {routine_id}.{name}"
            for name, slot in run.slots.items()
            if slot.queue and name not in slots.get(routine_id, ())
        ]
        if run.parked and routine_id not in slots:
            several = "s" * (len(run.parked) > 1)
            homeless.append(f"{len(run.parked)} activation{several} of {routine_id}")
    if homeless:
        raise ValueError(
            f"job {state.job_id!r} cannot be carried on by this version of flow {state.flow_name!r}: "
            f"it has no place for {', '.join(homeless)}"
        )


def adopt(loop: EventLoop) -> None:
    """Give the loop what its job has kept. Under the job's lock."""
    state = loop.state
    check_resumable(state)
    for unit in loop.units:
        saved = state.runs.get(unit.routine_id)
        if saved is not None:
            unit.adopt(saved)
    state.not_before(max([state.stopped_ns, *(record[0] for record in state.history.records)]))

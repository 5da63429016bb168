"""The end of a job: handing over what remains when all is quiet, and what is kept once it is over."""

from __future__ import annotations

from collections.abc import Mapping
from threading import get_ident
from types import MappingProxyType
from typing import TYPE_CHECKING

from routilux import elapsed, outcomes
from routilux.asking import ask
from routilux.exceptions import JobNotActive
from routilux.job_state import NOTHING
from routilux.lane import Lane
from routilux.status import RESUMABLE, ExecutionStatus
from routilux.unit import DECIDING, IDLE, READY, Unit

if TYPE_CHECKING:
    from routilux.event_loop import EventLoop


def close(loop: EventLoop) -> None:
    """Nothing is ready, running or scheduled: hand remainders over, or complete."""
    # Who said no, and how many items it had got when it was asked.
    refused: dict[Unit, int] = {}
    while (lane := _next_quiet(loop, refused)) is not None:
        unit = lane.unit
        unit.touched = False
        received = unit.received()
        try:
            yes, data_slice, message = ask(unit, unit.plan.when_quiet, loop.state)  # type: ignore[arg-type]
        except BaseException as error:
            outcomes.policy_failed(loop, lane, error)
            yes = False
        with loop.lock:
            if yes:
                unit.parked.append((1, data_slice, message))
                refused.clear()
            else:
                refused[unit] = received
        if not loop.release(lane, READY if yes else IDLE):
            loop.drain(lane)
    loop.tell()


def _next_quiet(loop: EventLoop, refused: Mapping[Unit, int]) -> Lane | None:
    """A lane for the next unit to ask for its remainder. None: the job has completed, or goes on."""
    with loop.lock:
        if loop.open and loop.live == 1:
            for index in loop.plan.quiet_order:
                unit = loop.units[index]
                if unit.has_items() and not unit.skipped and refused.get(unit) != unit.received():
                    unit.phase = DECIDING
                    loop.live += 1
                    loop.engaged += 1
                    lane = Lane(loop, unit, get_ident(), None)
                    loop.lanes.append(lane)
                    return lane
        loop.live -= 1
        loop.engaged -= 1
        if loop.open and loop.live == 0:
            end(loop, ExecutionStatus.COMPLETED)
        else:
            loop.settle()
        return None


def end(loop: EventLoop, status: ExecutionStatus) -> None:
    """The job has ended: nothing of it runs, and nothing will. Under the lock."""
    state = loop.state
    loop.open = False
    if loop.refusal is None:
        loop.refusal = JobNotActive
    state._engine = None
    state.ended_ns = state.now_ns()
    elapsed.stand_still(state, state.ended_ns)
    for number in loop.timers:
        loop.host.cancel_call(number)
    loop.timers.clear()
    if loop.timeout_timer:
        loop.host.cancel_call(loop.timeout_timer)
    left = {
        f"{unit.routine_id}.{name}": len(slot.queue)
        for unit in loop.units
        for name, slot in unit.slots.items()
        if slot.queue
    }
    state._leftovers = MappingProxyType(left) if left else NOTHING
    state.final = tuple([unit.pack() for unit in loop.units])
    for unit in loop.units:
        unit.outlets = {}  # units point at one another through them
    if status not in RESUMABLE:
        remembered = {unit.routine_id: unit.state for unit in loop.units if unit.state}
        state.kept_states = remembered or NOTHING
        state.runs = NOTHING
        state.history.seal()
    loop.changes.append((status, state.ended_ns, True))
    if loop.room is not None:
        loop.room.notify_all()  # threads outside activations may wait there
    if state._status is not status:
        state.become(status)
    elif state._changed is not None:
        state._changed.notify_all()
    state._changed = None  # nothing changes any more
    # Last, for it is looked at without the lock: who sees it sees the status too.
    loop.ended = True

"""The way of an item from `emit` into the slots of its job, in the emitting thread."""

from __future__ import annotations

from threading import get_ident
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from routilux import backpressure
from routilux.exceptions import ActivationInterrupted, UndefinedEventError
from routilux.locks import acquire_contended
from routilux.unit import IDLE, READY, Outlet, Unit

if TYPE_CHECKING:
    from routilux.event_loop import EventLoop
    from routilux.lane import Lane
    from routilux.routine import Routine
    from routilux.slot import Slot


def emit(
    lane: Lane | None,
    routine: Routine,
    event_name: str,
    params: dict[str, Any],
    loop: EventLoop | None = None,
) -> None:
    """Put `params` into every slot that is connected to the event. Blocks while one is full.

    `lane` is that of the activation which emits. Threads that run none name the loop instead, or
    come with a lane of another thread, whose context they have copied.
    """
    if lane is not None and lane.thread_id == get_ident():
        loop = lane.loop
        unit = lane.unit if lane.routine is routine else _unit_of(loop, routine, event_name)
    else:  # also a thread that logic started, with a copy of its context
        if loop is None:
            assert lane is not None
            loop = lane.loop
        lane = None
        unit = _unit_of(loop, routine, event_name)
    outlet = unit.outlets.get(event_name)
    if outlet is None:
        outlet = _resolve(loop, unit, routine, event_name, params)
    names, targets = outlet
    for name in params:
        if name not in names:
            routine.check_emit(unit.routine_id, event_name, params)
    masked = 0
    if lane is not None:
        # Lane.mask, written out; Lane.unmask is at the end.
        masked = lane.masked
        lane.masked = masked + 1
        if lane.wanted is not None and not masked:
            try:
                lane.collect()
            except ActivationInterrupted:
                lane.collect()
    ready: list[Unit | None] | None = None
    full: list[tuple[Unit, Slot, dict[str, Any]]] | None = None
    data: dict[str, Any] | None = params
    routine_id = unit.routine_id
    state = loop.state
    history = state.history
    lock = loop.lock
    try:
        if not lock.acquire(False):
            acquire_contended(lock)
        try:
            if loop.refusal is not None:
                raise backpressure.refusal(loop, event_name)
            now = state.base_ns + perf_counter_ns()
            history.records.append((now, routine_id, event_name, params))
            history.total += 1
            for target, slot in targets:
                if data is None:  # every slot but the first gets a dict of its own
                    data = params.copy()
                queue = slot.queue
                if len(queue) < slot.capacity:
                    queue.append((data, routine_id, now))
                    slot.received += 1
                    target.touched = True
                elif not target.put_when_full(slot, (data, routine_id, now)):
                    if full is None:
                        full = []
                    full.append((target, slot, data))
                    data = None
                    continue
                data = None
                if target.phase == IDLE and target.running < target.plan.limit and not target.skipped:
                    target.phase = READY
                    loop.live += 1
                    if ready is None:
                        ready = [target]
                    else:
                        ready.append(target)
        finally:
            lock.release()
        if ready is not None:
            loop.host.push(loop, ready)
        if full is not None:
            for target, slot, data in full:
                backpressure.wait_for_room(loop, lane, target, slot, data, routine_id, event_name)
    finally:
        if lane is not None:
            lane.masked = masked
            if lane.wanted is not None and not masked:
                lane.raise_wanted()


def _resolve(
    loop: EventLoop, unit: Unit, routine: Routine, event_name: str, params: dict[str, Any]
) -> Outlet:
    """What an event may carry, and where its items go in this job; remembered with the unit."""
    names = unit.plan.events.get(event_name)
    if names is None:
        routine.check_emit(unit.routine_id, event_name, params)
        return frozenset(params), ()  # it was defined after the job had started, and is connected to nothing
    units = loop.units
    targets = tuple(
        [(units[index], units[index].slots[slot]) for index, slot in unit.plan.targets.get(event_name, ())]
    )
    unit.outlets[event_name] = (names, targets)
    return names, targets


def _unit_of(loop: EventLoop, routine: Routine, event_name: str) -> Unit:
    index = loop.plan.index_of_routine.get(id(routine))
    if index is None:
        raise UndefinedEventError(
            f"emit({event_name!r}): {routine!r} is no routine of flow {loop.plan.flow_id!r}, whose job "
            f"{loop.state.job_id!r} this is"
        )
    return loop.units[index]

"""What a thread does whose `emit` finds a slot full: it helps to drain it, or waits for room.

Helping means to run, on top of the activation that waits, another activation of the same job. It
is safe only if that one can never come to wait for one that is buried below it: for room in its
slots, or for an item without which a routine further on takes nothing. What may not be run on top
is left to an idle thread of the pool or, if there is none, gets a thread of its own, which shares
this one's place in the pool: of such a crew one runs at a time, and the others wait. Then a pool of
one thread cannot starve itself, never more activations run than the pool has threads, and the depth
of the stack stays bounded. (Threads of the user's own that emit help too, and come on top of the
pool's.)

If all that runs of a job waits for room, and nothing is ready or scheduled, waiting is in vain:
`SlotQueueFullError`.

While the gate is shut because the job is being paused or has failed, nothing may be drained, but
what runs has to come to its end. So a full slot then takes more than its bound. Beyond `OVERFLOW`
items the emitter of a job that is being paused waits for the gate to open. That of a failed job waits
for nothing: beyond `LAST_OVERFLOW` its activation is ended, and run anew if the job is carried on.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from threading import get_ident
from typing import TYPE_CHECKING, Any, Final

from routilux.context import own_activation
from routilux.exceptions import JobCancelled, JobNotActive, SlotQueueFullError
from routilux.slot import Slot, count_items
from routilux.status import ExecutionStatus
from routilux.unit import IDLE, READY, Unit

if TYPE_CHECKING:
    from routilux.event_loop import EventLoop
    from routilux.lane import Lane

OVERFLOW: Final = 10_000
LAST_OVERFLOW: Final = 1_000_000
# How many activations may lie upon one another in one thread's stack.
MAX_DEPTH: Final = 12


class Crew:
    """The threads that share one place in the pool: a pool thread, and those that were started for it.

    One of them runs at a time: whoever waits for room lets another have the place. Guarded by the
    job's lock.
    """

    __slots__ = ("busy", "members")

    def __init__(self) -> None:
        self.busy = True
        # How many threads were started and have not ended.
        self.members = 0


def wait_for_room(
    loop: EventLoop,
    lane: Lane | None,
    unit: Unit,
    slot: Slot,
    data: Any,
    routine_id: str,
    event_name: str,
) -> None:
    """Put `data` into a full slot of `unit` as soon as there is room. Blocks.

    `lane` is that of the activation which emits, None for threads outside activations.
    """
    has_place = True
    with loop.lock:
        if lane is not None:
            lane.blocked_on = (unit, slot)
    while True:
        helper: Lane | None = None
        apart: Lane | None = None
        with loop.lock:
            if not has_place and lane is not None and lane.crew is not None:
                if lane.crew.busy:
                    # Also where it is to be interrupted: the place is another's, and an interrupt can wait.
                    loop.condition_of_room().wait()
                    continue
                lane.crew.busy = has_place = True
            if _is_over(loop, lane, unit, slot, (data, routine_id, loop.state.now_ns()), event_name):
                return
            help_wanted = _find_help(loop, lane, unit) if loop.open else None
            if help_wanted is not None:
                other, on_top = help_wanted
                if on_top:
                    helper = loop.engage(other, lane)
                elif lane is not None and not loop.host.has_idle_thread():
                    apart = _send_apart(loop, lane, other)
                    has_place = False
            if helper is None and apart is None:
                if lane is not None and lane.crew is not None:
                    has_place = False
                    _leave_place(loop, lane.crew)
                _wait(loop)
        if helper is not None:
            loop.drain(helper)
        elif apart is not None:
            thread = threading.Thread(
                target=_drain_apart, args=(loop, apart), name="routilux-apart", daemon=True
            )
            try:
                thread.start()
            except RuntimeError:  # the system has no more
                with loop.lock:
                    apart.crew.members -= 1  # type: ignore[union-attr]
                    if lane is not None:
                        lane.blocked_on = None
                loop.release(apart, READY)
                raise


def _is_over(
    loop: EventLoop, lane: Lane | None, unit: Unit, slot: Slot, item: tuple[Any, str, int], event_name: str
) -> bool:
    """Whether the waiting is over: with the item put in, or with an error. Under the lock."""
    error: BaseException | None = None
    if loop.refusal is not None:
        error = refusal(loop, event_name)
    elif (waiting := lane or own_activation()) is not None and waiting.wanted is not None:
        pass  # an interrupt; it is raised at the end of the emit
    elif not _put(loop, unit, slot, item):
        if loop.state._status is ExecutionStatus.FAILED:
            error = JobCancelled(f"job {loop.state.job_id!r} has failed: emit({event_name!r}) found no room")
        elif not loop.open or not _is_stuck(loop, lane):
            return False
        elif any(each.blocked_on is not None and not _waits_in_vain(each) for each in loop.lanes):
            # Someone below a helper could go on and may provide what is missing, if the helper ended.
            _put(loop, unit, slot, item, beyond=OVERFLOW)
        else:
            error = _never(loop, lane, unit, slot, item[0], event_name)
    # In the same visit to the lock, or others would see it wait in vain.
    if lane is not None:
        lane.blocked_on = None
    if error is not None:
        raise error
    return True


def wait_for_crew(loop: EventLoop, crew: Crew) -> None:
    """Let those who share this thread's place in the pool come to their end. Blocks."""
    with loop.lock:
        _leave_place(loop, crew)
        while crew.members:
            loop.condition_of_room().wait()


def _leave_place(loop: EventLoop, crew: Crew) -> None:
    """Under the lock."""
    crew.busy = False
    loop.condition_of_room().notify_all()


def _send_apart(loop: EventLoop, lane: Lane, unit: Unit) -> Lane:
    """Have a unit run by a thread of its own, which takes this one's place. Under the lock."""
    crew = lane.crew
    if crew is None:
        crew = Crew()
        for each in lane.stack():
            each.crew = crew
    crew.members += 1
    apart = loop.engage(unit, None)
    apart.crew = crew
    return apart


def _drain_apart(loop: EventLoop, lane: Lane) -> None:
    lane.thread_id = get_ident()
    crew = lane.crew
    assert crew is not None
    try:
        loop.drain(lane)
    finally:
        with loop.lock:
            crew.members -= 1
            _leave_place(loop, crew)


def refusal(loop: EventLoop, event_name: str) -> BaseException:
    """Why an item is not taken, when `loop.refusal` is set."""
    job = f"job {loop.state.job_id!r}"
    if loop.refusal is JobCancelled:
        return JobCancelled(f"{job} was cancelled: emit({event_name!r}) is refused")
    return JobNotActive(
        f"{job} is {loop.state.status.value} and takes no items: emit({event_name!r}) came too late"
    )


def is_obstructed(unit: Unit) -> bool:
    """Whether something that the unit has emitted into is full now. A hint; takes no lock."""
    return any(True for _ in _full_targets(unit))


def _full_targets(unit: Unit) -> Iterator[Unit]:
    for _, targets in unit.outlets.values():
        for target, slot in targets:
            if len(slot.queue) >= slot.capacity and slot.when_full == "wait" and not target.skipped:
                yield target


def _put(loop: EventLoop, unit: Unit, slot: Slot, item: tuple[Any, str, int], beyond: int = 0) -> bool:
    """Put the item in if that is possible now. Under the lock."""
    if not loop.open:
        beyond = LAST_OVERFLOW if loop.state._status is ExecutionStatus.FAILED else OVERFLOW
    if len(slot.queue) < slot.capacity + beyond and not unit.skipped:
        slot.queue.append(item)
        slot.received += 1
        unit.touched = True
    elif not unit.put_when_full(slot, item):
        return False
    if unit.phase == IDLE and unit.running < unit.plan.limit and not unit.skipped:
        unit.phase = READY
        loop.live += 1
        loop.host.push(loop, [unit])
    return True


def _wait(loop: EventLoop) -> None:
    """Wait until something has changed. Under the lock, which is free meanwhile."""
    room = loop.condition_of_room()
    activation = own_activation()
    loop.blocked += 1
    try:
        if activation is not None:
            activation.waits_on = room
            if activation.wanted is not None:
                return  # who wanted it may have come too early to see what to notify
        room.wait()
    finally:
        loop.blocked -= 1
        if activation is not None:
            activation.waits_on = None


def _find_help(loop: EventLoop, lane: Lane | None, target: Unit) -> tuple[Unit, bool] | None:
    """A READY unit that would help, and whether it may be run on top of this stack. Under the lock."""
    stack = lane.stack() if lane is not None else []
    deep = len(stack) >= MAX_DEPTH

    def may_lie_on_top(unit: Unit) -> bool:
        return not deep and not any(
            each.unit is unit or loop.plan.may_wait_for(unit.plan.index, each.unit.plan.index)
            for each in stack
        )

    drains = _find_downstream(target)
    if drains is not None:
        return drains, may_lie_on_top(drains)
    # The target's policy waits for something else: let those run that may provide it.
    ready = [unit for unit in loop.units if unit.phase == READY]
    if not ready:
        return None
    unit = next((each for each in ready if may_lie_on_top(each)), ready[0])
    # Left to the pool where it has threads for it: they come back sooner than a stack unwinds.
    return unit, may_lie_on_top(unit) and not loop.host.has_idle_thread()


def _find_downstream(target: Unit) -> Unit | None:
    """Of the READY units from `target` on along full slots, one that is not obstructed itself, or
    the last."""
    found: Unit | None = None
    seen = {target.plan.index}
    todo = [target]
    while todo:
        unit = todo.pop()
        full = [each for each in _full_targets(unit) if each.plan.index not in seen]
        if unit.phase == READY:
            if not full:
                return unit
            found = unit
        seen.update(each.plan.index for each in full)
        todo.extend(full)
    return found


def _is_stuck(loop: EventLoop, lane: Lane | None) -> bool:
    """Whether nothing of the job could ever drain anything, if this thread waits now. Under the lock."""
    if loop.live > loop.engaged or loop.engaged > len(loop.lanes):
        return False
    below = {each.outer for each in loop.lanes}
    return all(each is lane or each in below or _waits_in_vain(each) for each in loop.lanes)


def _waits_in_vain(lane: Lane) -> bool:
    """Whether a lane waits for room, and there is none: it may have been notified, and not be back yet."""
    if lane.blocked_on is None:
        return False
    unit, slot = lane.blocked_on
    return len(slot.queue) >= slot.capacity and not unit.skipped


def _never(
    loop: EventLoop, lane: Lane | None, unit: Unit, slot: Slot, data: Any, event_name: str
) -> SlotQueueFullError:
    """The error of an emit that would wait for ever, with the cycle's names."""
    waits_for = {each.unit: each.blocked_on[0] for each in loop.lanes if each.blocked_on is not None}
    names = [lane.unit.routine_id] if lane is not None else []
    at: Unit | None = unit
    while at is not None and at.routine_id not in names:
        names.append(at.routine_id)
        at = waits_for.get(at)
    if at is not None:
        names.append(at.routine_id)
    where = (
        f"slot {unit.routine_id}.{slot.name} is full ({count_items(slot.capacity)}) and can never be drained"
    )
    if at is not None:
        why = f"its routine waits, in the cycle {' -> '.join(names)}, for room in turn"
    else:
        empty = [name for name, other in unit.slots.items() if not other.queue]
        starving = (
            f"; nothing is in {', '.join(f'{unit.routine_id}.{name}' for name in empty)}" if empty else ""
        )
        why = f"the policy {unit.plan.policy!r} of {unit.routine_id!r} takes nothing from it{starving}"
    return SlotQueueFullError(
        f"emit({event_name!r}): {where}: {why}; give the slot a larger max_queue_length, let it drop items, "
        f"or emit less per activation",
        data=data,
        cycle=tuple(names),
    )

"""Running the activations of one unit: ask the policy, pass the gate, run the logic, book the end.

`drain` is the engine's innermost loop. What it does once per activation is written out in it rather
than called, and measured in tests/benchmarks.
"""

from __future__ import annotations

from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, Final

from routilux import backpressure, outcomes
from routilux.asking import ask, check_wait
from routilux.context import current_activation
from routilux.exceptions import ActivationInterrupted
from routilux.history import ENDED, STARTED
from routilux.locks import acquire_contended
from routilux.routine_run import Task
from routilux.unit import DECIDING, IDLE, READY, Unit

if TYPE_CHECKING:
    from routilux.event_loop import EventLoop
    from routilux.lane import Lane

# How long a thread stays with one unit while others are ready.
QUANTUM_NS: Final = 500_000


def drain(loop: EventLoop, lane: Lane) -> int:
    """Run activations of an engaged unit, for about a quantum, and release the lane.

    Answers how many it ran. A lane that helps (`outer`) also stops as soon as what it emits into
    is full.

    The end of an activation is booked together with the start of the next: one visit to the lock
    for each. While one runs, `lane.started_ns` is set.
    """
    unit = lane.unit
    plan = unit.plan
    state = loop.state
    history = state.history
    records = history.records
    routine_id = unit.routine_id
    base_ns = state.base_ns
    lock = loop.lock
    policy = plan.policy
    arguments = plan.arguments
    logic = plan.logic
    timeout = plan.timeout
    limit = plan.limit
    helps = lane.outer is not None or lane.crew is not None
    # Units that are not known to be light come back to the pool every quantum, to be measured and gated.
    use = plan.cpu
    long = not use.exempt and (use.wall > use.WORTH_MEASURING or not use.wall)
    # What only some routines need, asked once per activation instead of one by one.
    special = helps or limit > 1 or timeout is not None or plan.passes_message
    # The queue of a routine that runs once for each item of its only slot: its policy, written out.
    only = plan.only_slot
    queue = unit.slots[only].queue if only is not None else None
    keywords: dict[str, Any] = {"job_state": state} if plan.passes_job_state else {}
    stop_ns = perf_counter_ns() + QUANTUM_NS
    count = timer = 0
    more = False
    task: Task
    token = current_activation.set(lane)
    try:
        while True:
            # Only the thread that decides for the unit comes here.
            if unit.skipped:
                loop.release(lane, IDLE)  # which sweeps up what waits
                return count
            if unit.parked:
                task = unit.parked.pop(0)
            elif only is not None and queue is not None:
                unit.touched = False
                if not queue:
                    if _rest(loop, lane):
                        continue
                    return count
                task = (1, {only: [queue.popleft()[0]]}, None)
            else:
                unit.touched = False
                try:
                    if plan.always_consumes:
                        task = policy(unit.slots, state)
                    else:
                        _book_end(loop, lane)
                        task = ask(unit, policy, state)
                except BaseException as error:
                    _book_end(loop, lane)
                    outcomes.policy_failed(loop, lane, error)
                    if loop.release(lane, IDLE):
                        return count
                    continue
                if not task[0]:
                    if _rest(loop, lane):
                        continue
                    return count
            if not lock.acquire(False):
                acquire_contended(lock)
            try:
                now = base_ns + perf_counter_ns()
                started_ns = lane.started_ns
                if started_ns:
                    spent_ns = now - started_ns
                    unit.time_ns += spent_ns
                    unit.running -= 1
                    records.append((now, routine_id, ENDED, None))
                    history.total += 1
                    if spent_ns > QUANTUM_NS:
                        long = not use.exempt
                if loop.open and not unit.skipped:  # the gate
                    lane.started_ns = now
                    lane.begun = False
                    lane.wanted = None
                    unit.activations += 1
                    unit.running += 1
                    records.append((now, routine_id, STARTED, task[1]))
                    history.total += 1
                    if special:
                        more = limit > 1 and _hand_on(loop, unit)
                    if loop.blocked and loop.room is not None:
                        loop.room.notify_all()
                else:
                    lane.started_ns = 0
                    unit.parked.insert(0, task)
            finally:
                lock.release()
            if not lane.started_ns:
                loop.release(lane, READY)
                return count
            if special:
                if more:
                    loop.host.push(loop, [unit])
                if plan.passes_message:
                    keywords["policy_message"] = task[2]
                if timeout is not None:
                    timer = outcomes.arm_timeout(loop, lane, timeout)
            args = arguments(task[1])
            failure: BaseException | None = None
            try:
                lane.begun = True
                lane.masked = 0
                if lane.wanted is not None:  # it came while the mask was up
                    lane.raise_wanted()
                if keywords:
                    logic(*args, **keywords)
                else:
                    logic(*args)
                lane.masked = 1
            except BaseException as error:
                lane.masked = 1
                failure = error
            if lane.wanted is not None:
                try:
                    failure = outcomes.interrupted(lane, failure)
                except ActivationInterrupted:  # it was under way, and arrived here
                    failure = outcomes.interrupted(lane, failure)
            if timer:
                loop.host.cancel_call(timer)
            if lane.unfinished is not None:
                lane.flush_output()
            count += 1
            if failure is not None:
                outcomes.activation_failed(loop, lane, task, failure)
                failure = None
            if special:
                if limit > 1 and not _decide_again(loop, lane):
                    loop.release(lane, None)
                    return count
                if helps and backpressure.is_obstructed(unit):
                    loop.release(lane, READY)
                    return count
            if not loop.open or ((long or helps or loop.queue) and perf_counter_ns() > stop_ns):
                loop.release(lane, READY)
                return count
            if count == 1 and not (unit.touched or unit.has_items()) and loop.release(lane, IDLE):
                return count  # a single item, as is common: the policy need not be asked about nothing
    finally:
        current_activation.reset(token)


def book_end(loop: EventLoop, lane: Lane) -> None:
    """Book that the lane's activation has ended, if it has not been yet. Under the lock."""
    if lane.started_ns:
        unit = lane.unit
        now = loop.state.now_ns()
        unit.running -= 1
        unit.time_ns += now - lane.started_ns
        lane.started_ns = 0
        loop.state.history.append((now, unit.routine_id, ENDED, None))


def _book_end(loop: EventLoop, lane: Lane) -> None:
    if lane.started_ns:
        with loop.lock:
            book_end(loop, lane)


def _hand_on(loop: EventLoop, unit: Unit) -> bool:
    """Several activations of the unit may run, and this thread is about to run one: let another
    thread decide, if there is something to. Under the lock."""
    if unit.running < unit.plan.limit and unit.has_items():
        unit.phase = READY
        loop.live += 1
        return True
    unit.phase = IDLE
    return False


def _decide_again(loop: EventLoop, lane: Lane) -> bool:
    """Whether this thread, back from one of several activations of the unit, is to decide next."""
    unit = lane.unit
    with loop.lock:
        book_end(loop, lane)
        if unit.phase != IDLE or not unit.has_items():
            return False
        unit.phase = DECIDING
        return True


def _rest(loop: EventLoop, lane: Lane) -> bool:
    """The policy said no. True: an item came while it was asked, so that it is to be asked again."""
    unit = lane.unit
    wait = None
    if unit.plan.asks_again is not None and not unit.touched:
        try:
            wait = check_wait(unit, unit.plan.asks_again(unit.slots, loop.state))
        except BaseException as error:
            outcomes.policy_failed(loop, lane, error)
    return not loop.release(lane, IDLE, ask_in=wait)

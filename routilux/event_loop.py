"""The event loop of one job: routing, policies, the gate, activations, completion.

An item travels one way only: `emit` routes it, in the emitting thread, into the slots of this job;
a unit (routine of this job) that it touches becomes READY and is put into the job's task queue; a
pool thread engages the unit, asks its policy, and passes the gate with the data slice it got; the
logic runs; the outcome comes back here. A thread stays with a unit for about half a millisecond
before it looks at what else is ready.

Completion is counted: `live` is the number of READY units, engaged lanes and timers; nothing is
left to do when it is 0. `engaged` is the number of lanes: nothing runs when it is 0.

One lock, that of the job's state, guards everything here. Policies, logic and listeners are called
outside it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sized
from contextvars import Context
from threading import get_ident
from typing import TYPE_CHECKING, Any, Protocol

from routilux import activations, backpressure, carry_on, closing, elapsed, outcomes, routing
from routilux.context import current_activation
from routilux.history import RawLine
from routilux.job_state import NOTHING, JobState
from routilux.lane import Lane
from routilux.plain_copy import plain_copy
from routilux.plan import Plan
from routilux.status import ExecutionStatus
from routilux.unit import DECIDING, IDLE, READY, Unit
from routilux.validation import NO_ENTRY_REMEDY, no_entry

if TYPE_CHECKING:
    from routilux.routine import Routine


class Host(Protocol):
    """What a loop needs of the runtime. All of it may be called from any thread."""

    def push(self, loop: EventLoop, units: list[Unit | None]) -> None:
        """Put units into the loop's task queue, and see to it that a thread looks. None: `close`."""

    @property
    def queue(self) -> Sized:
        """The jobs that have ready tasks; whether it is empty is a hint that costs no call."""

    @property
    def is_shut_down(self) -> bool:
        """Whether no thread will run anything any more that becomes ready."""

    def has_idle_thread(self) -> bool:
        """Whether a thread of the pool has nothing to do."""

    def call_later(self, seconds: float, function: Callable[[int], None]) -> int: ...

    def cancel_call(self, number: int) -> bool: ...

    def status_changed(self, loop: EventLoop, status: ExecutionStatus, ns: int, ended: bool) -> None:
        """Called outside the job's lock, once per change, in the order of the changes."""


class EventLoop:
    """Runs one job. Made by the runtime; steered by `routilux.steering`."""

    __slots__ = (
        "blocked",
        "changes",
        "ended",
        "engaged",
        "host",
        "lanes",
        "limit",
        "listed",
        "live",
        "lock",
        "open",
        "plan",
        "queue",
        "refusal",
        "room",
        "state",
        "tasks",
        "telling",
        "time_left",
        "timeout_armed_ns",
        "timeout_timer",
        "timers",
        "units",
        "verdict",
    )

    def __init__(self, plan: Plan, state: JobState, host: Host) -> None:
        self.plan = plan
        self.state = state
        self.host = host
        self.queue = host.queue
        self.lock = state._lock
        self.units = [Unit(each) for each in plan.routines]
        # The job's task queue and whether the pool has it in hand; both guarded by the pool's lock.
        self.tasks: list[Unit | None] = []
        self.listed = False
        # The gate: no activation starts while it is shut. Open exactly while the status is RUNNING.
        self.open = False
        # See above. live >= engaged >= len(lanes) always; see tests/test_event_loop.py.
        self.live = 0
        self.engaged = 0
        self.lanes: list[Lane] = []
        # How many threads wait for room in a full slot.
        self.blocked = 0
        # Notified, while anyone is blocked, whenever a slot was drained or a lane has ended.
        self.room: threading.Condition | None = None
        # Why items are refused; None while they are taken.
        self.refusal: type[BaseException] | None = None
        # The status in which a job that is being cancelled ends.
        self.verdict = ExecutionStatus.CANCELLED
        self.ended = False
        # Timer numbers that belong to the job, for cancelling them.
        self.timers: dict[int, None] = {}
        # The job's time limit: what is left of it in seconds, and in words.
        self.time_left: float | None = None
        self.limit = ""
        self.timeout_timer = 0
        self.timeout_armed_ns = 0
        # Changes of status that listeners have not been told yet, and whether a thread tells them.
        self.changes: list[tuple[ExecutionStatus, int, bool]] = []
        self.telling = False

    # ---- starting

    def begin(self) -> list[Unit | None]:
        """Begin, or carry on, the job. Called once; answers with what has to be pushed.

        Apart from the pushing, so that a job is running from the moment it can be found.
        `ValueError`, and nothing has changed, where somebody else has carried the job on meanwhile.
        """
        state = self.state
        with self.lock:
            fresh = state.started_ns == 0
            if not fresh:
                carry_on.adopt(self)
            self.change(ExecutionStatus.RUNNING)
            state._engine = self
            state._cancel_requested = False
            state.ended_ns = 0
            state.runs = {unit.routine_id: unit for unit in self.units}
            state.final = ()
            state.kept_states = NOTHING
            state._errors = tuple(error._replace(fatal=False) for error in state._errors)
            if fresh:
                state.started_ns = state.now_ns()
            self.open = True
            if fresh:
                self._enter()
            else:
                for unit in self.units:
                    if unit.has_items():
                        unit.phase = READY
                        self.live += 1
            return self._ready_or_close()

    def _enter(self) -> None:
        """Hand the entry parameters over. Under the lock."""
        state = self.state
        entry = self.plan.entry
        if entry is None:
            names = ", ".join(state.entry_params)
            lost = f" (parameters not delivered: {names})" if names else ""
            state.add_notice(f"nothing ran: {no_entry(self.plan)}{lost}; {NO_ENTRY_REMEDY}")
            return
        unit = self.units[entry.routine_index]
        if entry.slot_name is None:
            unit.parked.append((1, {}, None))
        else:
            slot = unit.slots[entry.slot_name]
            slot.received += 1
            # An item is the logic's to change, the job's parameters are not.
            slot.queue.append((plain_copy(state.entry_params), "", state.now_ns()))
        unit.phase = READY
        self.live += 1

    def _ready_or_close(self) -> list[Unit | None]:
        """All READY units; where nothing at all is left to do, the order to close. Under the lock."""
        if self.live == 0:
            self.live = self.engaged = 1
            return [None]
        return [unit for unit in self.units if unit.phase == READY]

    def emit_from_outside(self, routine: Routine, event_name: str, params: dict[str, Any]) -> None:
        """Route an item of a thread that runs no activation of this job."""
        routing.emit(None, routine, event_name, params, self)

    def unfinished_lines(self) -> tuple[int, list[RawLine]]:
        """The printed lines that are not ended yet, and how many lines were logged by then."""
        with self.lock:
            lanes = tuple(self.lanes)
        log = self.state.log_ring()
        with log.lock:
            return log.total, [line for lane in lanes for line in lane.unfinished_lines()]

    # ---- running

    def run_task(self, unit: Unit | None) -> int:
        """Work on what a pool thread took from the task queue; answers how many activations it ran."""
        if unit is None:
            closing.close(self)
            return 0
        with self.lock:
            if unit.phase != READY or not self.open:
                return 0  # a helper was faster, or the gate is shut: then `resume` comes back to it
            lane = self.engage(unit, None)
        count = self.drain(lane)
        if lane.crew is not None:
            backpressure.wait_for_crew(self, lane.crew)
        return count

    def drain(self, lane: Lane) -> int:
        """Run activations of an engaged unit, and release the lane.

        In a context of its own, so that what logic sets there is not seen by another job.
        """
        try:
            return Context().run(activations.drain, self, lane)
        except BaseException as error:
            # Errors of user code never come here: it is the engine's own.
            outcomes.engine_failed(self, lane, error)
            raise

    def engage(self, unit: Unit, outer: Lane | None) -> Lane:
        """Let this thread decide for a READY unit. Under the lock."""
        unit.phase = DECIDING
        self.engaged += 1  # live stays: the lane takes the place of the ready unit
        lane = Lane(self, unit, get_ident(), outer)
        if outer is not None:
            lane.crew = outer.crew
        self.lanes.append(lane)
        return lane

    def ask_later(self, unit: Unit, seconds: float) -> None:
        """Have a unit's policy asked again after a while, unless that is arranged already. Under the lock."""
        if not unit.policy_timer:
            self.live += 1
            unit.policy_timer = self.call_later(seconds, lambda number: self._ask_again(unit, number))

    def _ask_again(self, unit: Unit, number: int) -> None:
        with self.lock:
            if unit.policy_timer != number or number not in self.timers:
                return
            self.timers.pop(number, None)
            unit.policy_timer = 0
            self.wake(unit, from_timer=True)

    def call_later(self, seconds: float, function: Callable[[int], None]) -> int:
        """A timer that goes when the job ends. Under the lock; its `live` is the caller's business."""
        number = self.host.call_later(seconds, function)
        self.timers[number] = None
        return number

    def wake(self, unit: Unit, *, from_timer: bool) -> None:
        """Make a unit READY, on the account of a timer that is over. Under the lock."""
        if unit.phase == IDLE and unit.running < unit.plan.limit:
            unit.phase = READY
            if not from_timer:
                self.live += 1
        else:
            unit.touched = True
            if from_timer:
                self.live -= 1
        if unit.phase == READY and self.open:
            self.host.push(self, [unit])
        if self.blocked:
            # They may have something to help with now, or be waiting in vain.
            self.condition_of_room().notify_all()

    def release(self, lane: Lane, phase: int | None, *, ask_in: float | None = None) -> bool:
        """End a lane, leaving its unit in `phase` (None: as it is). Then settle what follows.

        False, and the lane goes on, where a unit would be left IDLE although an item came since its
        policy was asked. `ask_in`: seconds after which the policy wants to be asked again.
        """
        unit = lane.unit
        ready: list[Unit | None] = []
        with self.lock:
            activations.book_end(self, lane)
            if phase is not None:
                if unit.skipped:
                    unit.sweep()
                    phase = IDLE
                unit.phase = phase
                if phase == READY:
                    self.live += 1
                    if self.open:
                        ready.append(unit)
                elif unit.touched and unit.has_items():
                    if self.open:
                        unit.phase = DECIDING
                        return False
                    unit.phase = READY
                    self.live += 1
                elif ask_in is not None:
                    self.ask_later(unit, ask_in)
            self.lanes.remove(lane)
            self.live -= 1
            self.engaged -= 1
            close = self.settle()
        if ready:
            self.host.push(self, ready)
        if close:
            closing.close(self)
        if self.changes:
            self.tell()
        return True

    def condition_of_room(self) -> threading.Condition:
        """`room`, made when first needed. Under the lock."""
        if self.room is None:
            self.room = threading.Condition(self.lock)
        return self.room

    # ---- settling

    def settle(self) -> bool:
        """See what follows from what has ended. Under the lock. True: the caller has to `closing.close`."""
        if self.open:
            if self.live == 0:
                # A token, so that the job neither ends nor closes twice while remainders are asked for.
                self.live = self.engaged = 1
                return True
            if self.blocked and self.room is not None:
                self.room.notify_all()  # those who wait may now wait in vain
        elif self.engaged == 0:
            status = self.state._status
            if status is ExecutionStatus.PAUSING:
                self.change(ExecutionStatus.PAUSED)
            elif status is ExecutionStatus.CANCELLING:
                closing.end(self, self.verdict)
            elif status is ExecutionStatus.FAILED and not self.ended:
                closing.end(self, ExecutionStatus.FAILED)
        return False

    def change(self, status: ExecutionStatus) -> None:
        """Take on a status that is not the end. Under the lock; `tell` afterwards, outside it."""
        state = self.state
        state.become(status)
        now = state.now_ns()
        if status is ExecutionStatus.PAUSED:
            elapsed.stand_still(state, now)
        elif status is ExecutionStatus.RUNNING:
            elapsed.go_on(state, now)
        self.changes.append((status, now, False))

    def tell(self) -> None:
        """Tell the runtime of changes, in their order, one thread at a time. Outside the lock."""
        with self.lock:
            if self.telling or not self.changes:
                return
            self.telling = True
        # Listeners are no part of the activation in which they happen to be called.
        token = current_activation.set(None)
        try:
            while True:
                status, ns, ended = self.changes.pop(0)
                try:
                    self.host.status_changed(self, status, ns, ended)
                finally:
                    with self.lock:
                        self.telling = more = bool(self.changes)
                if not more:
                    return
        finally:
            current_activation.reset(token)

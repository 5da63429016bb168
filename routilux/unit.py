"""The pair (job, routine) as the engine schedules it."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from routilux.plan import RoutinePlan
from routilux.routine_run import RoutineRun
from routilux.slot import Slot

# The phases of a unit: who decides, that is, asks its policy.
IDLE: Final = 0  # nobody; an item that arrives makes it READY
READY: Final = 1  # it wants a thread to
# One thread, and no other. That thread keeps the phase while it runs what it decided, unless the
# routine allows more activations at once: then it hands the deciding on before it runs one.
DECIDING: Final = 2

# The parameter names that an event defines, and the units and slots that its items go to.
Outlet: TypeAlias = "tuple[frozenset[str], tuple[tuple[Unit, Slot], ...]]"


class Unit(RoutineRun):
    """One routine of one job, as it is scheduled. Guarded by the job's lock, but for `listed`."""

    __slots__ = ("listed", "outlets", "phase", "plan", "policy_failures", "policy_timer", "touched")

    def __init__(self, plan: RoutinePlan) -> None:
        super().__init__(plan.routine_id)
        self.plan = plan
        self.phase = IDLE
        # An item has arrived since the policy was last asked.
        self.touched = False
        # Whether it is in the pool's queue; guarded by the pool's lock.
        self.listed = False
        # The timer of the policy's ask_again_in, 0 for none.
        self.policy_timer = 0
        # How often in a row it has raised.
        self.policy_failures = 0
        # By event name; filled as events are first emitted.
        self.outlets: dict[str, Outlet] = {}
        self.slots = {slot.name: slot.fresh() for slot in plan.slots}

    def adopt(self, saved: RoutineRun) -> None:
        """Take over the data of the same routine from a job that is carried on."""
        for name, old in saved.slots.items():
            slot = self.slots.get(name)
            if slot is not None:
                slot.queue.extend(old.queue)
                slot.received, slot.dropped, slot.skipped = old.received, old.dropped, old.skipped
        self.parked.extend(saved.parked)
        self.parked.extend(task for task, _ in saved.retrying.values())
        self.state = saved.state
        self.activations = saved.activations
        self.errors = saved.errors
        self.retries = saved.retries
        self.time_ns = saved.time_ns
        self.progress = saved.progress
        if saved.skipped:
            self.skip()
            self.sweep()

    def skip(self) -> None:
        """Let every item pass by from now on. What waits is for the deciding thread to `sweep`."""
        self.skipped = True
        for slot in self.slots.values():
            # No room for anything: what arrives takes the slow way, where skipping is seen. The size
            # stays known as a negative number.
            slot.capacity = -abs(slot.capacity)

    def sweep(self) -> None:
        """Count what waits as skipped. Under the lock, and only by the thread that decides."""
        for slot in self.slots.values():
            slot.skipped += len(slot.queue)
            slot.queue.clear()
        for _, data_slice, _ in self.parked:
            for name, data in data_slice.items():
                self.slots[name].skipped += len(data)
        self.parked.clear()

    def put_when_full(self, slot: Slot, item: tuple[Any, str, int]) -> bool:
        """Deal with an item for a slot without room; False where its emitter has to wait."""
        if self.skipped:
            slot.received += 1
            slot.skipped += 1
        elif slot.when_full == "wait":
            return False
        elif slot.put_when_full(item):
            self.touched = True
        return True

"""One routine in one job: its own slots, its state, what waits to be run again, its counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

from routilux.slot import Slot, from_ns
from routilux.snapshot import Progress, RoutineSnapshot, SlotSnapshot

# What an activation is run with: how many times it will then have been tried (1 at first; more is a
# retry), the data slice that the policy took, and the message it gave. Kept whole until the activation
# has succeeded or its error was handled, so that nothing is lost on the way. A policy's yes,
# (True, data_slice, message), is such a task already: none is made per activation.
Task: TypeAlias = tuple[int, dict[str, list[Any]], Any]

# The values of a picture as one bare tuple, because every job that ends leaves some: routine id, state,
# activations, running, errors, retries, time in ns, progress; then for each slot its name, waiting,
# capacity, received, dropped, skipped.
PackedRun: TypeAlias = tuple[Any, ...]
PROGRESS = 7  # where the progress stands
_SLOT_VALUES = 6


class RoutineRun:
    """The data of one routine in one job; guarded by the job's lock unless said otherwise."""

    __slots__ = (
        "activations",
        "errors",
        "parked",
        "progress",
        "retries",
        "retrying",
        "routine_id",
        "running",
        "skipped",
        "slots",
        "state",
        "time_ns",
    )

    def __init__(self, routine_id: str) -> None:
        self.routine_id = routine_id
        # Touched by the thread that may ask the policy, without the lock; see Slot.
        self.slots: dict[str, Slot] = {}
        # The user's dict; made when first asked for.
        self.state: dict[str, Any] | None = None
        # Taken from the slots but not run: ready ones here, ...
        self.parked: list[Task] = []
        # ... and those that wait for their next attempt: timer number -> (task, when it is due in ns).
        self.retrying: dict[int, tuple[Task, int]] = {}
        self.activations = 0
        self.running = 0
        self.errors = 0
        self.retries = 0
        self.skipped = False
        self.time_ns = 0
        self.progress: Progress | None = None

    def data_only(self) -> RoutineRun:
        """The same data, shared, without the routine."""
        kept = RoutineRun(self.routine_id)
        for name in RoutineRun.__slots__:
            setattr(kept, name, getattr(self, name))
        return kept

    def waiting(self) -> int:
        """Items in the slots."""
        return sum(len(slot.queue) for slot in self.slots.values())

    def received(self) -> int:
        """Items that ever came into the slots."""
        return sum(slot.received for slot in self.slots.values())

    def has_items(self) -> bool:
        """Whether anything waits in a slot or is parked."""
        if self.parked:
            return True
        for slot in self.slots.values():  # noqa: SIM110  # once per dispatch, and faster than any()
            if slot.queue:
                return True
        return False

    def describe_state(self) -> str:
        """The `state` of a `RoutineSnapshot`."""
        if self.skipped:
            return "skipped"
        if self.running:
            return "running"
        if self.retrying:
            return "retrying"
        if self.has_items():
            return "waiting"
        return "done" if self.activations else "idle"

    def pack(self) -> PackedRun:
        """What `unpack` makes a picture of. Call it under the job's lock."""
        values: list[Any] = [
            self.routine_id,
            self.describe_state(),
            self.activations,
            self.running,
            self.errors,
            self.retries,
            self.time_ns,
            self.progress,
        ]
        for slot in self.slots.values():
            values += (
                slot.name,
                len(slot.queue),
                abs(slot.capacity),
                slot.received,
                slot.dropped,
                slot.skipped,
            )
        return tuple(values)


class Totals(NamedTuple):
    """What all routines of a job come to; `progress` is that of each."""

    activations: int
    running: int
    waiting: int
    dropped: int
    errors: int
    progress: list[Progress | None]


def totals_of(runs: Sequence[PackedRun]) -> Totals:
    """The totals of what was packed. Without unpacking it, for thousands of jobs may end in a second."""
    activations = running = waiting = dropped = errors = 0
    progress: list[Progress | None] = []
    for run in runs:
        activations += run[2]
        running += run[3]
        errors += run[4]
        progress.append(run[PROGRESS])
        waiting += sum(run[9::_SLOT_VALUES])
        dropped += sum(run[12::_SLOT_VALUES])
    return Totals(activations, running, waiting, dropped, errors, progress)


def unpack(packed: PackedRun, running_since_ns: int = 0) -> RoutineSnapshot:
    """The picture of a routine in a job."""
    routine_id, state, activations, running, errors, retries, time_ns, progress, *values = packed
    slots = list(zip(*[iter(values)] * _SLOT_VALUES, strict=True))
    return RoutineSnapshot(
        routine_id=routine_id,
        state=state,
        activations=activations,
        running=running,
        slots=tuple(
            SlotSnapshot(name, waiting, capacity, received, received - dropped - skipped - waiting, dropped)
            for name, waiting, capacity, received, dropped, skipped in slots
        ),
        skipped_items=sum(skipped for *_, skipped in slots),
        errors=errors,
        retries=retries,
        time_in_logic=time_ns / 1e9,
        running_since=from_ns(running_since_ns) if running_since_ns else None,
        progress=progress,
    )

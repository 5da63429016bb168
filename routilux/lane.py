"""A thread at work on a unit: what `current_activation` holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux import routing
from routilux.interrupts import Interruptible
from routilux.slot import Slot
from routilux.unit import Unit

if TYPE_CHECKING:
    from routilux.backpressure import Crew
    from routilux.event_loop import EventLoop


class Lane(Interruptible):
    """One thread at work on one unit: the context of the activations it runs, one after another.

    It is what `current_activation` holds, so that `emit`, logs and prints find their job. Fields
    without another word belong to the lane's thread; others read them at their own risk.
    """

    __slots__ = (
        "blocked_on",
        "crew",
        "job_state",
        "loop",
        "outer",
        "partial",
        "routine",
        "routine_id",
        "started_ns",
        "unit",
    )

    # What `Routine.emit` calls: route(lane, routine, event name, parameters).
    route = staticmethod(routing.emit)

    def __init__(self, loop: EventLoop, unit: Unit, thread_id: int, outer: Lane | None) -> None:
        super().__init__(thread_id)
        self.loop = loop
        self.unit = unit
        self.routine = unit.plan.routine
        self.job_state = loop.state
        self.routine_id = unit.routine_id
        # The lane of the same thread that waits for room meanwhile, if this one only helps.
        self.outer = outer
        # When the activation that runs was started; 0 when none does. Guarded by the job's lock.
        self.started_ns = 0
        # Where an emit waits for room, for explanations. Guarded by the job's lock.
        self.blocked_on: tuple[Unit, Slot] | None = None
        # Printed text without its end of line yet, by level.
        self.partial: dict[str, str] | None = None
        # The threads that share this one's place in the pool; see routilux.backpressure.
        self.crew: Crew | None = None

    def write_output(self, level: str, text: str) -> None:
        """Add printed text to the job's log, line by line."""
        if self.partial is None:
            self.partial = {}
        *lines, rest = (self.partial.get(level, "") + text).split("\n")
        self.partial[level] = rest
        for line in lines:
            self.job_state.add_log_line(level, self.routine_id, line)

    def flush_output(self) -> None:
        """Log what was printed without an end of line."""
        partial, self.partial = self.partial, None
        for level, text in (partial or {}).items():
            if text:
                self.job_state.add_log_line(level, self.routine_id, text)

    def stack(self) -> list[Lane]:
        """This lane and those of its thread that wait below it."""
        lanes = [self]
        while lanes[-1].outer is not None:
            lanes.append(lanes[-1].outer)
        return lanes

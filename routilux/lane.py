"""A thread at work on a unit: what `current_activation` holds."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from routilux import routing
from routilux.interrupts import Interruptible
from routilux.slot import Slot
from routilux.unit import Unit

if TYPE_CHECKING:
    from routilux.backpressure import Crew
    from routilux.event_loop import EventLoop

# Held while a lane's `partial` is made. A thread may hold it twice; see routilux.history.LogRing.
_making = threading.RLock()


class Lane(Interruptible):
    """One thread at work on one unit: the context of the activations it runs, one after another.

    It is what `current_activation` holds, so that `emit`, logs and prints find their job. Fields
    without another word belong to the lane's thread; others read them at their own risk.
    """

    __slots__ = (
        "begun",
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
        "waits_on",
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
        # The next thing the thread does, or has done, is to call the logic; see routilux.threshold.
        self.begun = False
        # Where an emit waits for room, for explanations. Guarded by the job's lock.
        self.blocked_on: tuple[Unit, Slot] | None = None
        # What another job or the pool has to notify for this thread to go on, while it waits for that.
        self.waits_on: threading.Condition | None = None
        # Printed text without its end of line yet, by thread and level.
        self.partial: dict[tuple[int, str], str] | None = None
        # The threads that share this one's place in the pool; see routilux.backpressure.
        self.crew: Crew | None = None

    def interrupt(self, error: BaseException) -> None:
        """Have `error` raised in the activation, at once or when its mask ends. Any thread."""
        super().interrupt(error)
        condition = self.waits_on
        if condition is not None:
            # By the timers' thread, for the caller may hold a job's lock, and this is another one's.
            self.loop.host.call_later(0.0, lambda number: _notify(condition))

    def write_output(self, level: str, text: str) -> None:
        """Add printed text to the job's log, line by line. Any thread that has copied the context."""
        if self.partial is None:
            with _making:
                made: dict[tuple[int, str], str] = {}
                if self.partial is None:
                    self.partial = made
        partial = self.partial
        key = (threading.get_ident(), level)
        *lines, rest = (partial.pop(key, "") + text).split("\n")
        if rest:
            partial[key] = rest
        for line in lines:
            self.job_state.add_log_line(level, self.routine_id, line)

    def flush_output(self) -> None:
        """Log what was printed without an end of line."""
        partial = self.partial or {}
        for key in list(partial):
            text = partial.pop(key, "")
            if text:
                self.job_state.add_log_line(key[1], self.routine_id, text)

    def stack(self) -> list[Lane]:
        """This lane and those of its thread that wait below it."""
        lanes = [self]
        while lanes[-1].outer is not None:
            lanes.append(lanes[-1].outer)
        return lanes


def _notify(condition: threading.Condition) -> None:
    with condition:
        condition.notify_all()

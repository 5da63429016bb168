"""A thread at work on a unit: what `current_activation` holds."""

from __future__ import annotations

import threading
from threading import get_ident
from time import perf_counter_ns
from typing import TYPE_CHECKING

from routilux import routing
from routilux.history import RawLine
from routilux.interrupts import Interruptible
from routilux.slot import Slot
from routilux.unfinished import UnfinishedLine, shown
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
        "begun",
        "blocked_on",
        "crew",
        "job_state",
        "loop",
        "outer",
        "routine",
        "routine_id",
        "started_ns",
        "unfinished",
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
        # What was printed without its end of line yet, by thread and level; None where nothing was printed.
        # Guarded by the lock of the job's log.
        self.unfinished: dict[tuple[int, str], UnfinishedLine] | None = None
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
        thread_id = get_ident()
        own = thread_id == self.thread_id
        if own:
            self.mask()
        try:
            state = self.job_state
            log = state._log or state.log_ring()
            key = (thread_id, level)
            with log.lock:
                if self.unfinished is None:
                    self.unfinished = {}
                line = self.unfinished.get(key) or self.unfinished.setdefault(key, UnfinishedLine())
                line.ns = now = state.base_ns + perf_counter_ns()
                for ended in line.add(text):
                    log.append((now, level, self.routine_id, ended))
        finally:
            if own:
                self.unmask()

    def flush_output(self) -> None:
        """Log what was printed without an end of line."""
        log = self.job_state.log_ring()
        with log.lock:
            unfinished, self.unfinished = self.unfinished, None
            for (_, level), line in (unfinished or {}).items():
                text = shown(line.text)
                if text.strip():
                    log.append((self.job_state.now_ns(), level, self.routine_id, text))

    def unfinished_lines(self) -> list[RawLine]:
        """The lines that are not ended yet and show something. Under the lock of the job's log."""
        unfinished = self.unfinished or {}
        lines: list[RawLine] = []
        # A copy, for a garbage collection may come, and print.
        for key in list(unfinished):
            line = unfinished[key]
            text = shown(line.text)
            if text.strip():
                lines.append((line.ns, key[1], self.routine_id, text))
        return lines

    def stack(self) -> list[Lane]:
        """This lane and those of its thread that wait below it."""
        lanes = [self]
        while lanes[-1].outer is not None:
            lanes.append(lanes[-1].outer)
        return lanes


def _notify(condition: threading.Condition) -> None:
    with condition:
        condition.notify_all()

"""Keeping pure-Python CPU work from starving everything else in the process.

The interpreter lock lets one thread run Python at a time. Several threads that never wait hand it
to one another every few milliseconds, and a thread with little to do waits its turn behind all of
them. They gain nothing by it. So routines that are known to be heavy on the CPU take turns
at a few permits (one, unless told otherwise) while all others pass freely.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from routilux.plan import CpuUse

if TYPE_CHECKING:
    from routilux.timers import Timers

# Seconds after which who holds a permit no longer counts, so that an endless activation cannot hold up
# the rest.
PATIENCE: Final = 0.25


class CpuGate:
    """Permits for heavy activations. All methods may be called from any thread.

    `admitted(loop, unit)` is called, outside the lock, for a task that had to wait and may now
    come again; it then finds its permit reserved.
    """

    def __init__(self, permits: int | None, timers: Timers, admitted: Callable[[Any, Any], None]) -> None:
        self._permits = permits
        self._timers = timers
        self._admitted = admitted
        # Guards what follows.
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        # Permit -> when it was given, oldest first. Those that have outlasted PATIENCE are not in it
        # any more, and so make room.
        self._holding: dict[int, float] = {}
        # Unit -> its loop, in the order they came. A dict, for a unit waits at most once.
        self._waiting: dict[Any, Any] = {}
        # Unit -> its permit, for those that were admitted and have not come back yet. Others may look
        # whether it is empty.
        self.reserved: dict[Any, int] = {}
        self._timer = 0

    def enter(self, loop: Any, unit: Any, use: CpuUse) -> int | None:
        """A permit, to be given back with `leave`. 0: none is needed.

        None: there is none; the task waits, and `admitted` is called for it.
        """
        if self._permits is None or not (use.is_heavy or self.reserved):
            return 0
        with self._lock:
            if unit in self.reserved:
                return self.reserved.pop(unit)
            if not use.is_heavy:
                return 0
            if len(self._holding) < self._permits and not self._waiting:
                return self._grant()
            self._waiting.setdefault(unit, loop)
            self._watch()
            return None

    def _grant(self) -> int:
        """Under the lock."""
        permit = next(self._numbers)
        self._holding[permit] = time.monotonic()
        return permit

    def leave(self, permit: int) -> None:
        """Give back a permit; who waits longest is admitted."""
        with self._lock:
            self._holding.pop(permit, None)
            admitted = self._admit()
        for each in admitted:
            self._admitted(*each)

    def _admit(self) -> list[tuple[Any, Any]]:
        """Under the lock."""
        admitted = []
        while self._waiting and len(self._holding) < (self._permits or 0):
            unit = next(iter(self._waiting))
            loop = self._waiting.pop(unit)
            self.reserved[unit] = self._grant()
            admitted.append((loop, unit))
        return admitted

    def _watch(self) -> None:
        """Be patient with those who hold the permits, for a while. Under the lock."""
        if not self._timer and self._waiting and self._holding:
            oldest = next(iter(self._holding.values()))
            wait = max(0.0, oldest + PATIENCE - time.monotonic())
            self._timer = self._timers.call_later(wait, self._outlasted)

    def _outlasted(self, number: int) -> None:
        with self._lock:
            self._timer = 0
            now = time.monotonic()
            while self._holding:
                permit, since = next(iter(self._holding.items()))
                if since + PATIENCE > now:
                    break
                del self._holding[permit]
            admitted = self._admit()
            self._watch()
        for each in admitted:
            self._admitted(*each)

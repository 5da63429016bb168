"""Keeping pure-Python CPU work from starving everything else in the process.

The interpreter lock lets one thread run Python at a time. Several threads that never wait hand it
to one another every few milliseconds, and a thread with little to do waits its turn behind all of
them. They gain nothing by it. So routines that are known to be heavy on the CPU take turns
at a few permits (one, unless told otherwise) while all others pass freely.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from routilux.plan import CpuUse

if TYPE_CHECKING:
    from routilux.timers import Timers

# Seconds after which one more is admitted, so that an endless activation cannot hold up the rest.
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
        self._taken = 0
        # Permits beyond `permits`, granted because holders took longer than PATIENCE.
        self._extra = 0
        # Unit -> its loop, in the order they came. A dict, for a unit waits at most once.
        self._waiting: dict[Any, Any] = {}
        # Units that were admitted and have not come back yet; their permits are among _taken.
        self._reserved: set[Any] = set()
        self._timer = 0

    def enter(self, loop: Any, unit: Any, use: CpuUse) -> bool | None:
        """True: a permit was taken, `leave` gives it back. None: none is needed.

        False: there is none; the task waits, and `admitted` is called for it.
        """
        if self._permits is None or not (use.is_heavy or self._reserved):
            return None
        with self._lock:
            if unit in self._reserved:
                self._reserved.discard(unit)
                return True
            if not use.is_heavy:
                return None
            if self._taken < self._permits + self._extra:
                self._taken += 1
                return True
            self._waiting.setdefault(unit, loop)
            self._watch()
            return False

    def leave(self, held: float) -> None:
        """Give back a permit that was held for so many seconds; who waits longest is admitted."""
        with self._lock:
            self._taken -= 1
            if held > PATIENCE and self._extra:
                self._extra -= 1
            admitted = self._admit()
        if admitted is not None:
            self._admitted(*admitted)

    def _admit(self) -> tuple[Any, Any] | None:
        """Under the lock."""
        if not self._waiting or self._taken >= (self._permits or 0) + self._extra:
            return None
        unit = next(iter(self._waiting))
        loop = self._waiting.pop(unit)
        self._taken += 1
        self._reserved.add(unit)
        return loop, unit

    def _watch(self) -> None:
        """Be patient with those who hold the permits, for a while. Under the lock."""
        if not self._timer and self._waiting:
            self._timer = self._timers.call_later(PATIENCE, self._one_more)

    def _one_more(self, number: int) -> None:
        with self._lock:
            self._timer = 0
            if self._waiting:
                self._extra += 1
            admitted = self._admit()
            self._watch()
        if admitted is not None:
            self._admitted(*admitted)

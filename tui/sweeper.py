"""When the garbage collector looks through everything: not while the app starts, nor while keys come.

A full collection stops every thread, for about a third of a second where 50,000 jobs are listed. CPython
begins one whenever enough has been made; the app waits for a moment in which nobody would notice. The
collections of what is new, which take a fraction of a millisecond, stay CPython's business.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from time import monotonic
from typing import Any, Final

# Seconds without input after which nobody is about to press a key.
QUIET: Final = 2.0
# Middle collections after which a full one is worth it; so many that it cannot wait for quiet any longer.
ENOUGH: Final = 10
TOO_MANY: Final = 500
# Seconds of a full collection that are noticed. What survives a longer one is left out of the next, ...
NOTICED: Final = 0.02
# ... until there was no input for so many seconds, and that at most once in ...
LONG_QUIET: Final = 60.0
# ... so many seconds.
SELDOM: Final = 600.0


class Sweeper:
    """Has the collector of this process at its command, which rests until `begin`.

    For the screen's thread. `collector` is the module `gc`, or what stands for it in a test, as `clock` does
    for `time.monotonic`.
    """

    def __init__(self, collector: Any = gc, clock: Callable[[], float] = monotonic) -> None:
        self._collector = collector
        self._clock = clock
        # Whether survivors are left out, and when they were looked through last.
        self._left_out = False
        self._thawed = clock()
        collector.disable()

    def begin(self) -> None:
        """The app is on the screen."""
        first, second, _ = self._collector.get_threshold()
        # The last number counts middle collections; no app lives so long.
        self._collector.set_threshold(first, second, 1_000_000_000)
        self._collector.enable()

    def tick(self, quiet: float) -> None:
        """Called about once a second; `quiet` is for how many seconds there has been no input."""
        collector = self._collector
        made = collector.get_count()[2]
        now = self._clock()
        if self._left_out and quiet >= LONG_QUIET and now - self._thawed >= SELDOM:
            self._thawed = now
            self._left_out = False
            collector.unfreeze()
            self._collect()
        elif made >= TOO_MANY or (made >= ENOUGH and quiet >= QUIET):
            self._collect()

    def _collect(self) -> None:
        begin = self._clock()
        self._collector.collect()
        if self._clock() - begin > NOTICED:
            self._collector.freeze()
            self._left_out = True

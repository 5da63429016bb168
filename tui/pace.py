"""How often the screen is painted: as often as it may be, unless that takes too much from the jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic, thread_time
from typing import Final

# The part of the screen thread's time that it may use while nobody types, and while somebody does. It needs
# the interpreter for all of it, which the jobs then do without.
SHARE: Final = 0.06
SHARE_WATCHED: Final = 0.07
# Seconds without input after which nobody waits for the screen.
WATCHED: Final = 1.0
# In any case it is painted once in so many seconds; while somebody types, in so many.
LONGEST: Final = 1.0
LONGEST_WATCHED: Final = 0.25
# A frame would get in the way of a key that was pressed less than so many seconds ago.
JUST_NOW: Final = 0.03
# Seconds in which what a step has changed is painted: two of Textual's periods. It paints the rectangle
# around all that has changed: that is less where header, lists and footer do not change at once.
PAINTED: Final = 0.009
# Keys in a row that a frame waits for.
MOST_WAYS: Final = 5


class Pace:
    """Asked at every frame whether it is due. For the thread of the screen, whose CPU time it measures."""

    def __init__(
        self,
        clock: Callable[[], float] = monotonic,
        cpu_clock: Callable[[], float] = thread_time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._sleep = sleep
        self._clock = clock
        self._cpu_clock = cpu_clock
        # When the last frame was due, on either clock.
        self._last = 0.0
        self._cpu = 0.0

    def is_due(self, quiet: float) -> bool:
        """Whether to take a frame now; `quiet` is for how many seconds there has been no input."""
        now, cpu = self._clock(), self._cpu_clock()
        passed = now - self._last
        if quiet > WATCHED:
            waits = passed < LONGEST and cpu - self._cpu > SHARE * passed
        else:
            dear = cpu - self._cpu > SHARE_WATCHED * passed
            waits = passed < LONGEST_WATCHED and (dear or quiet < JUST_NOW)
        if waits:
            return False
        self._last, self._cpu = now, cpu
        return True

    async def give_way(self, quiet: Callable[[], float]) -> None:
        """In the middle of a frame, while somebody types: let it be painted so far, and let a key that came
        meanwhile be dealt with before the rest.
        """
        if quiet() > WATCHED:
            return
        await self._sleep(PAINTED)
        for _ in range(MOST_WAYS):
            if (ago := quiet()) >= JUST_NOW:
                return
            await self._sleep(JUST_NOW - ago)

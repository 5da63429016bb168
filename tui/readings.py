"""Texts of values that are shown: had at once where that is quick, else read beside the screen's thread."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Hashable
from typing import Final, NamedTuple

from tui.aside import aside
from tui.foreign import at_leisure, in_passing

# What is read beside the screen once more, because it may have changed, takes this part of the time.
_SHARE: Final = 0.1


class Text(NamedTuple):
    """A text; one that is not `whole` has a sign where something is still being read."""

    text: str
    whole: bool


class Readings:
    """The texts of one list, by keys of the list's own. For the screen's thread.

    `told` is called with the key of each text that was not whole and now is.
    """

    def __init__(
        self,
        told: Callable[[Hashable], None],
        *,
        most: int,
        keeps_all: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`most`: how many are kept. `keeps_all`: also those that were had at once, of values that do not
        change."""
        self._told = told
        self._most = most
        self._keeps_all = keeps_all
        self._clock = clock
        self._kept: dict[Hashable, str] = {}
        # Keys of what is kept and is to be read once more when it is asked for.
        self._old: set[Hashable] = set()
        self._old_again_at = 0.0
        # What is to be read beside the screen, that first which was asked for last: it is seen now.
        self._wanted: dict[Hashable, Callable[[], str]] = {}
        self._under_way: Hashable | None = None
        self._task: asyncio.Task[None] | None = None
        self._times_cleared = 0

    def clear(self) -> None:
        """The keys stand for other values now."""
        self._kept.clear()
        self._old.clear()
        self._wanted.clear()
        self._under_way = None
        self._times_cleared += 1

    def values_may_differ(self) -> None:
        """Read once more what is asked for again, unless that would take too much of the time."""
        if self._kept and self._task is None and self._clock() >= self._old_again_at:
            self._old = set(self._kept)

    @property
    def unread(self) -> int:
        """How many texts are still being read."""
        return len(self._wanted) + (self._under_way is not None)

    def of(self, key: Hashable, write: Callable[[], str]) -> Text:
        """The text that `write` writes, as far as it can be had without waiting."""
        kept = self._kept.get(key)
        if kept is not None:
            if key in self._old:
                self._want(key, write)
            return Text(kept, True)
        glance = in_passing(write)
        if not glance.whole:
            self._want(key, write)
        elif self._keeps_all and glance.lasting:
            self._keep(key, glance.text)
        return Text(glance.text, glance.whole)

    def _keep(self, key: Hashable, text: str) -> None:
        self._kept.pop(key, None)
        self._kept[key] = text
        if len(self._kept) > self._most:
            self._kept.pop(next(iter(self._kept)))

    def _want(self, key: Hashable, write: Callable[[], str]) -> None:
        if key == self._under_way:
            return
        self._wanted.pop(key, None)
        self._wanted[key] = write
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._read())

    async def _read(self) -> None:
        begun = self._clock()
        try:
            while self._wanted:
                key, write = self._wanted.popitem()
                self._under_way, cleared = key, self._times_cleared
                text = await aside(_text, write)
                del write
                if cleared != self._times_cleared:
                    continue
                self._under_way = None
                self._old.discard(key)
                self._keep(key, text)
                self._told(key)
        finally:
            self._task = None
            now = self._clock()
            self._old_again_at = now + (now - begun) * (1 - _SHARE) / _SHARE


def _text(write: Callable[[], str]) -> str:
    try:
        return at_leisure(write)
    except Exception as error:
        return f"<cannot be read: {type(error).__name__}>"


async def written(write: Callable[[], str], waiting: Callable[[], None], patience: float = 0.5) -> str:
    """All of what `write` writes, however long that takes; `waiting` is called where it takes long."""
    glance = in_passing(write)
    if glance.whole:
        return glance.text
    reading = asyncio.ensure_future(aside(_text, write))
    done, _ = await asyncio.wait({reading}, timeout=patience)
    if not done:
        waiting()
    return await reading

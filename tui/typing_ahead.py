"""Keys that come faster than they are dealt with do what they would do if they had come slowly.

Textual hands every key at once to the widget that has the focus when it comes in. After `/` that is
still the list: letters that came together with it would be lost there, or taken for commands.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from time import monotonic
from typing import Final

from textual import events
from textual.app import App
from textual.dom import DOMNode

from tui.guard import hurry

# A key is waited for no longer than that; whoever has not dealt with it by then does not hold up others.
PATIENCE: Final = 1.0


class TypingAhead(App[int]):
    """An app that hands a key out when the key before it has been dealt with."""

    def __init__(self) -> None:
        super().__init__()
        self._held: deque[events.Key] = deque()
        # When the key was handed out that has not been dealt with yet.
        self._handed_out: float | None = None
        self._last_input = monotonic()

    @property
    def quiet(self) -> float:
        """Seconds since the last key, click or movement of the mouse."""
        return monotonic() - self._last_input

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.InputEvent):
            self._last_input = monotonic()
            hurry()
        if not isinstance(event, events.Key) or event.is_forwarded:
            await super().on_event(event)
            return
        self._held.append(event)
        if self._handed_out is None or monotonic() > self._handed_out + PATIENCE:
            await self._hand_out()

    async def _hand_out(self) -> None:
        """Hand out the next key, and have a mark follow it: it takes the way of a key that nobody wants.

        The action of a key may post messages of its own: a second mark follows those.
        """
        if not self._held:
            self._handed_out = None
            return
        self._handed_out = monotonic()
        path = (self.focused or self.screen).ancestors_with_self
        await super().on_event(self._held.popleft())
        self._follow([*path, *path])

    def _follow(self, path: Sequence[DOMNode]) -> None:
        for at, node in enumerate(path):
            # What is gone by now deals with nothing.
            if node.call_later(self._follow, path[at + 1 :]):
                return
        self.call_next(self._hand_out)

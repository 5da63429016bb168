"""Waiting until the app has dealt with all that was sent to it, instead of until the process idles.

Textual's pilot sleeps at least 40 ms after each key, and for seconds while jobs compute.
"""

from __future__ import annotations

import asyncio
import threading
from typing import Any, Final
from weakref import WeakSet

from textual._context import active_app

# Only an app that always has something to do at once takes so many turns of the loop, ...
_MOST_TURNS: Final = 10_000
# ... and only one that paints for the sake of painting takes so many of these.
_MOST_PAINTINGS: Final = 20
# Only what a test keeps from ending takes so many seconds beside the loop.
_PATIENCE: Final = 0.5
# Such threads are waited for once.
_endless: WeakSet[threading.Thread] = WeakSet()


async def settled(min_sleep: float = 0.0, max_sleep: float = 0.0) -> None:
    """Return when only time or a thread of the runtime can make the loop go on, and the screen is painted.

    Takes the arguments of `textual._wait.wait_for_idle`, and waits for no time.
    """
    app = active_app.get()
    await _drained()
    seen: list[Any] = []
    for _ in range(_MOST_PAINTINGS):
        if not app._screen_stack:
            return
        if app._resize_event is not None:
            # Textual hands a new size on after a while, when no other has come.
            app._check_resize()
        elif _is_due(app.screen):
            # Paints, and calls what was to be called afterwards.
            app.screen._on_timer_update()
        elif behind := [
            screen for screen in app._background_screens if _is_due(screen) and screen not in seen
        ]:
            # What is seen behind a dialog paints into it, and is due ever after.
            seen += behind
            for screen in behind:
                screen._on_timer_update()
        else:
            return
        await _drained()


def _is_due(screen: Any) -> bool:
    return bool(
        screen._layout_required
        or screen._scroll_required
        or screen._repaint_required
        or screen._recompose_required
        or screen._dirty_widgets
        or screen._callbacks
    )


async def _drained() -> None:
    loop = asyncio.get_running_loop()
    for _ in range(_MOST_TURNS):
        await asyncio.sleep(0)
        # Nobody else tells whether anything can go on.
        if not loop._ready and not _asides_ended():  # type: ignore[attr-defined]
            return


def _asides_ended() -> bool:
    """Whether something that was done aside has come to its end, so that the loop may have to go on."""
    running = [
        thread
        for thread in threading.enumerate()
        if thread.name == "routilux-aside" and thread not in _endless
    ]
    for thread in running:
        thread.join(_PATIENCE)
        if thread.is_alive():
            _endless.add(thread)
    return any(thread not in _endless for thread in running)

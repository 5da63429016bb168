"""Hints that something in the folder has changed. They say when to look, never what to believe."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

_log = logging.getLogger(__name__)
# Milliseconds: events are gathered until none came for a step, and no longer than this. Each step wakes
# the thread: at 5 ms that alone is 0.75% of a core.
_DEBOUNCE: Final = 50
_STEP: Final = 20
# Seconds until it is tried again where the folder cannot be watched.
_PAUSE: Final = 1.0


class Watcher:
    """Calls `hint`, in a thread of its own, when a Python file or a folder below `root` may have changed.

    Goes on whatever happens to the folder; where its file system has no events, or the folder is
    missing, no hints come, and one has to look for oneself now and then.
    """

    def __init__(self, root: Path, hint: Callable[[], None]) -> None:
        self._root = root
        self._hint = hint
        self._stopped = threading.Event()
        # Set to have the watching begin anew. Replaced by the thread, set by any.
        self._again = _Flag()
        self._watched: tuple[int, int] | None = None
        self._thread = threading.Thread(target=self._run, name="routilux-watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread, and wait for that."""
        self._stopped.set()
        self._again.set()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def check(self) -> None:
        """Begin to watch anew if another folder has taken the place of the one that is watched."""
        if self._watched is not None and self._watched != _identity(self._root):
            self._again.set()

    def _run(self) -> None:
        # Here and not at the top: it costs start-up time that only those who watch should pay.
        from watchfiles import watch

        while not self._stopped.is_set():
            self._again = _Flag()
            if self._stopped.is_set():  # set between the two lines above
                return
            self._watched = _identity(self._root)
            try:
                for _ in watch(
                    self._root,
                    watch_filter=_is_relevant,
                    debounce=_DEBOUNCE,
                    step=_STEP,
                    stop_event=self._again,
                    raise_interrupt=False,
                    ignore_permission_denied=True,
                ):
                    self._hint()
            except BaseException as error:
                # A name that is not UTF-8 ends it, a folder that is missing, a limit of the system.
                _log.debug("watching %s ended and begins anew: %r", self._root, error)
                self._watched = None
                self._hint()
                self._stopped.wait(_PAUSE)
            else:
                self._hint()


def _identity(root: Path) -> tuple[int, int] | None:
    try:
        about = os.stat(root)
    except OSError:
        return None
    return about.st_dev, about.st_ino


def _is_relevant(change: object, path: str) -> bool:
    """Python files and what may be a folder; not what jobs write, nor hidden files."""
    name = path.rpartition(os.sep)[2]
    return name != "__pycache__" and not name.startswith(".") and (name.endswith(".py") or "." not in name)


class _Flag:
    """An event that costs nothing to ask: the watching does so at every step, from compiled code."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # A function of the interpreter's own, so that no Python code runs.
        self.is_set = self._lock.locked

    def set(self) -> None:
        """Set it, for good."""
        self._lock.acquire(blocking=False)

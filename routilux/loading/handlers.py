"""Logging handlers that modules add when they are imported.

Loggers outlive the modules that add handlers to them, so that after three saves each line would be
written four times. The handlers of a version are taken off once another has taken its place; those of
one that failed at once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeAlias

Added: TypeAlias = "list[tuple[logging.Logger, logging.Handler]]"

_noting: ContextVar[Added | None] = ContextVar("routilux_handlers", default=None)
# Guards the two below.
_lock = threading.Lock()
_watching = 0
_add: Callable[..., None] = logging.Logger.addHandler


def watch() -> None:
    """Have what is added noted, until `unwatch` has been called as often. Safe from any thread."""
    global _watching, _add
    with _lock:
        _watching += 1
        if _watching == 1:
            _add = logging.Logger.addHandler
            logging.Logger.addHandler = _note_and_add  # type: ignore[method-assign, assignment]


def unwatch() -> None:
    global _watching
    with _lock:
        _watching -= 1
        # Whoever has replaced it since goes on, and comes here for nothing.
        if _watching == 0 and logging.Logger.addHandler is _note_and_add:
            logging.Logger.addHandler = _add  # type: ignore[method-assign]


def _note_and_add(logger: logging.Logger, hdlr: logging.Handler) -> None:
    added = _noting.get()
    if added is not None and hdlr not in logger.handlers:
        added.append((logger, hdlr))
    _add(logger, hdlr)


@contextmanager
def noted(added: Added) -> Iterator[None]:
    """Put into `added` what code in this context adds to loggers while they are watched."""
    token = _noting.set(added)
    try:
        yield
    finally:
        _noting.reset(token)


def take_off(added: Added) -> None:
    """Have the loggers do without these; whoever holds a handler can still use it."""
    while added:
        logger, handler = added.pop()
        logger.removeHandler(handler)

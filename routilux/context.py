"""Which activation the running code belongs to."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from contextvars import ContextVar
from threading import get_ident
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar

if TYPE_CHECKING:
    from routilux.job_state import JobState
    from routilux.routine import Routine

P = ParamSpec("P")
R = TypeVar("R")


class CurrentActivation(Protocol):
    """What code inside an activation may need of it; `routilux.lane.Lane` is the real one."""

    thread_id: int
    routine_id: str
    job_state: JobState
    waits_on: threading.Condition | None  # what an interrupt has to notify to be seen
    wanted: BaseException | None  # an interrupt that is to be raised in it

    # A function of (this, the routine that emits, the event's name, its parameters), not a method,
    # because it is called once per item: sends an item on its way; may wait for room in a full slot.
    @property
    def route(self) -> Callable[[Any, Routine, str, dict[str, Any]], None]: ...

    def mask(self) -> None:
        """Hold back forced interrupts until `unmask`; nests."""

    def unmask(self) -> None:
        """End the innermost `mask`; raises an interrupt that was held back by the outermost."""

    def write_output(self, level: str, text: str) -> None:
        """Take a piece of what the activation prints."""


# None outside activations. Threads that user code starts with contextvars.copy_context() inherit it.
current_activation: ContextVar[CurrentActivation | None] = ContextVar("routilux_activation", default=None)


def own_activation() -> CurrentActivation | None:
    """The activation that this very thread runs. None in threads that have only inherited one."""
    activation = current_activation.get()
    return activation if activation is not None and activation.thread_id == get_ident() else None


def uninterrupted(method: Callable[P, R]) -> Callable[P, R]:
    """For what logic may call of the library and what changes something: interrupts wait until it is done."""

    @functools.wraps(method)
    def masked(*args: P.args, **kwargs: P.kwargs) -> R:
        activation = own_activation()
        if activation is None:
            return method(*args, **kwargs)
        activation.mask()
        try:
            return method(*args, **kwargs)
        finally:
            activation.unmask()

    return masked

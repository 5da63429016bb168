"""Which activation the running code belongs to."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from routilux.job_state import JobState
    from routilux.routine import Routine


class CurrentActivation(Protocol):
    """What code inside an activation may need of it; `routilux.lane.Lane` is the real one."""

    routine_id: str
    job_state: JobState
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

"""What happens when an activation raises."""

from __future__ import annotations

import math
from collections.abc import Iterable
from enum import Enum

from routilux.exceptions import FlowDefinitionError


class ErrorStrategy(str, Enum):
    """What a handler does with an activation that raised."""

    STOP = "stop"  # the job fails at once; queued items stay
    CONTINUE = "continue"  # recorded; the job goes on
    SKIP = "skip"  # the routine is passed by for the rest of this job
    RETRY = "retry"  # the same data slice again after a delay, then as STOP


class ErrorHandler:
    """How errors of a routine, or of every routine of a flow, are handled. Immutable.

    RETRY runs the same data slice up to `max_retries` times more, the n-th time (from 0) after
    `retry_delay * retry_backoff**n` seconds, and only for `retryable_exceptions`; after that, as
    STOP. While a slice waits for its next attempt, the routine goes on with what came after it.
    A handler with `is_critical` never lets the job outlive an error: its CONTINUE and SKIP act as
    STOP.
    """

    __slots__ = (
        "is_critical",
        "max_retries",
        "retry_backoff",
        "retry_delay",
        "retryable_exceptions",
        "strategy",
    )

    def __init__(
        self,
        strategy: ErrorStrategy | str = ErrorStrategy.STOP,
        max_retries: int = 3,
        retry_delay: float = 1.0,
        retry_backoff: float = 2.0,
        retryable_exceptions: Iterable[type[BaseException]] | type[BaseException] = (Exception,),
        is_critical: bool = False,
    ) -> None:
        try:
            self.strategy = ErrorStrategy(strategy)
        except ValueError:
            known = ", ".join(repr(member.value) for member in ErrorStrategy)
            raise FlowDefinitionError(
                f"error strategy {strategy!r} is unknown; it must be one of {known}"
            ) from None
        if not isinstance(max_retries, int) or max_retries < 0:
            raise FlowDefinitionError(
                f"max_retries is {max_retries!r}; it must be a whole number of at least 0"
            )
        for name, value in (("retry_delay", retry_delay), ("retry_backoff", retry_backoff)):
            if not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
                raise FlowDefinitionError(f"{name} is {value!r}; it must be a finite number of at least 0")
        if isinstance(retryable_exceptions, type):
            retryable_exceptions = (retryable_exceptions,)
        kinds = tuple(retryable_exceptions)
        for kind in kinds:
            if not (isinstance(kind, type) and issubclass(kind, BaseException)):
                raise FlowDefinitionError(f"retryable_exceptions holds {kind!r}, which is no exception class")
        self.max_retries = max_retries
        self.retry_delay = float(retry_delay)
        self.retry_backoff = float(retry_backoff)
        self.retryable_exceptions = kinds
        self.is_critical = is_critical

    def decide(self, error: BaseException, attempt: int) -> ErrorStrategy:
        """What to do with `error` of attempt number `attempt` (from 0)."""
        if self.strategy is ErrorStrategy.RETRY:
            if attempt < self.max_retries and isinstance(error, self.retryable_exceptions):
                return ErrorStrategy.RETRY
            return ErrorStrategy.STOP
        return ErrorStrategy.STOP if self.is_critical else self.strategy

    def delay(self, attempt: int) -> float:
        """Seconds between the failure of attempt number `attempt` (from 0) and the next."""
        try:
            return self.retry_delay * self.retry_backoff**attempt
        except OverflowError:
            return math.inf

    def __repr__(self) -> str:
        parts = [f"strategy={self.strategy.value!r}"]
        if self.strategy is ErrorStrategy.RETRY:
            parts.append(f"max_retries={self.max_retries}, retry_delay={self.retry_delay:g}")
            parts.append(f"retry_backoff={self.retry_backoff:g}")
        if self.is_critical:
            parts.append("is_critical=True")
        return f"ErrorHandler({', '.join(parts)})"


STOP_HANDLER = ErrorHandler()

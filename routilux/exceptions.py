"""Every error the library raises, told apart by who is at fault.

The flow's author: `FlowError` and what derives from it. The caller: `ValueError`s
that name what was passed. Control flow of a job: `JobCancelled`, which user code
should let pass.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class RoutiluxError(Exception):
    """The base of every error of the library, except `JobCancelled`."""


class FlowError(RoutiluxError):
    """The flow, or a routine of it, is at fault: its author has to mend it."""


class FlowDefinitionError(FlowError, ValueError):
    """A routine, slot, event or connection was declared wrongly."""


class UndefinedEventError(FlowError, ValueError):
    """`emit` named an event, or parameters of an event, that the routine does not define."""


class PolicyError(FlowError):
    """An activation policy raised, answered with nonsense, or said yes without consuming anything."""


class SlotQueueFullError(FlowError):
    """A full slot can never be drained, so that waiting for room would wait for ever.

    `data` is the item that found no room; `cycle` names the routines that wait for one another.
    """

    def __init__(self, message: str, *, data: Any = None, cycle: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.data = data
        self.cycle = cycle


class SerializationError(RoutiluxError, TypeError):
    """A value of a job cannot be written as JSON. The message names where it sits."""


class InvalidTransition(RoutiluxError):
    """A job was asked to become what it cannot become from where it stands."""


class JobNotActive(RoutiluxError):
    """Something was given to a job that has ended, or was asked outside any job."""


class FlowTimeout(RoutiluxError, TimeoutError):
    """A job or an activation ran longer than its limit. The message says which limit."""


class JobCancelled(BaseException):
    """Raised inside logic of a cancelled job: by `emit`, by `raise_if_cancelled`, or by force.

    Not an `Exception`, so that `except Exception` in user code lets it pass.
    """


class ActivationInterrupted(JobCancelled):
    """What `cancel(force=True)` and timeouts raise inside running Python code."""


class FieldError(NamedTuple):
    """What is wrong with one parameter: `field` is dotted for nested ones ("db.port")."""

    field: str
    message: str
    value: Any = None

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


class ParameterError(RoutiluxError, ValueError):
    """Entry parameters that do not validate; `errors` holds one `FieldError` per field."""

    def __init__(self, flow_name: str, errors: tuple[FieldError, ...]) -> None:
        self.flow_name = flow_name
        self.errors = errors
        lines = "\n".join(f"  {error}" for error in errors)
        super().__init__(f"parameters of flow {flow_name!r} do not validate:\n{lines}")

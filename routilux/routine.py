"""Routines: the nodes of a flow."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from types import FunctionType, MappingProxyType
from typing import TYPE_CHECKING, Any

from routilux.activation_policies import ActivationPolicy
from routilux.context import current_activation
from routilux.error_handler import ErrorHandler
from routilux.event import Event
from routilux.exceptions import FlowDefinitionError, JobNotActive, UndefinedEventError
from routilux.slot import DEFAULT_QUEUE_LENGTH, Slot

if TYPE_CHECKING:
    from routilux.job_state import JobState


class Routine:
    """A node of a flow: slots, events, an activation policy, a logic, configuration.

    A routine is shared by all jobs of its flows and holds no state of any: what a job has to
    remember belongs into `job_state.routine_state()`.

    The logic is a method named `logic`, or the function given to `set_logic`, which takes
    precedence. It is called with one positional list of data per slot, in the order the slots were
    defined, and those of the keywords `policy_message` and `job_state` that it accepts. A logic with
    a single data argument on a routine with several slots gets one dict, slot name -> list.

    Define everything before the first job starts; a change counts for jobs started afterwards.
    """

    def __init__(self, name: str | None = None) -> None:
        self.name = name
        self._slots: dict[str, Slot] = {}
        self._events: dict[str, Event] = {}
        self._logic: Callable[..., Any] | None = None
        self._policy: ActivationPolicy | None = None
        self._error_handler: ErrorHandler | None = None
        self._max_concurrency = 1
        self._timeout: float | None = None
        self._cpu_gate = True
        self._config: dict[str, Any] = {}
        # Counts definitions, so that a flow knows when its compiled plan is out of date.
        self._version = 0

    # ---- definitions

    def define_slot(
        self, name: str, *, max_queue_length: int = DEFAULT_QUEUE_LENGTH, when_full: str = "wait"
    ) -> Slot:
        """Add an input. Answers with the prototype; every job gets its own queue.

        `max_queue_length` is in items. `when_full` is "wait" (the emitter waits for room),
        "drop_oldest" or "drop_newest" (counted on the job).
        """
        self._check_new_name("slot", name, self._slots)
        slot = Slot(name, max_queue_length=max_queue_length, when_full=when_full)
        self._slots[name] = slot
        self._version += 1
        return slot

    def define_event(self, name: str, output_params: Iterable[str] = ()) -> Event:
        """Add an output with the names of the parameters that `emit` may give it."""
        self._check_new_name("event", name, self._events)
        event = Event(name, output_params)
        self._events[name] = event
        self._version += 1
        return event

    def _check_new_name(self, kind: str, name: str, known: Mapping[str, object]) -> None:
        if not isinstance(name, str) or not name:
            raise FlowDefinitionError(
                f"{self!r}: a {kind}'s name must be a string that is not empty, not {name!r}"
            )
        if name in known:
            raise FlowDefinitionError(f"{self!r} already has a {kind} {name!r}; give it another name")

    def set_logic(self, logic: Callable[..., Any]) -> None:
        """The function that an activation runs; takes precedence over a method `logic`."""
        if not callable(logic):
            raise FlowDefinitionError(f"{self!r}: set_logic takes a function, not {logic!r}")
        self._logic = logic
        self._version += 1

    def set_activation_policy(self, policy: ActivationPolicy) -> None:
        """When the routine runs and what it consumes; see `routilux.activation_policies`."""
        if isinstance(policy, type) or (isinstance(policy, FunctionType) and _takes_no_slots(policy)):
            name = getattr(policy, "__name__", str(policy))
            raise FlowDefinitionError(
                f"{self!r}: set_activation_policy was given {name} itself; call it: {name}()"
            )
        if not callable(policy):
            raise FlowDefinitionError(f"{self!r}: set_activation_policy takes a policy, not {policy!r}")
        self._policy = policy
        self._version += 1

    def set_error_handler(self, handler: ErrorHandler) -> None:
        """What happens when the logic raises; overrides the flow's handler."""
        if not isinstance(handler, ErrorHandler):
            raise FlowDefinitionError(f"{self!r}: set_error_handler takes an ErrorHandler, not {handler!r}")
        self._error_handler = handler
        self._version += 1

    def set_max_concurrency(self, limit: int) -> None:
        """How many activations of this routine may run at once within a job; 1 unless told.

        Above 1 they overtake one another, and state they share needs a lock.
        """
        if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
            raise FlowDefinitionError(
                f"{self!r}: max_concurrency is {limit!r}; it must be a whole number of at least 1"
            )
        self._max_concurrency = limit
        self._version += 1

    def set_timeout(self, seconds: float | None) -> None:
        """The longest one activation may take. Then Python code is interrupted with `FlowTimeout`
        as the error, which the error handler treats like any other. None: no limit."""
        self._timeout = check_timeout(seconds, repr(self))
        self._version += 1

    def set_cpu_gate(self, enabled: bool) -> None:
        """Whether the runtime may hold activations back that are heavy on the CPU (the default).

        Turn it off for logic whose CPU work happens with the interpreter lock released, such as
        hashing, compression or numpy: it then runs in parallel.
        """
        self._cpu_gate = bool(enabled)
        self._version += 1

    def set_config(self, **values: Any) -> None:
        """Set configuration values, the same for every job."""
        self._config.update(values)

    def get_config(self, key: str, default: Any = None) -> Any:
        """One configuration value, or `default`."""
        return self._config.get(key, default)

    # ---- what is defined

    @property
    def slots(self) -> Mapping[str, Slot]:
        """The prototypes of the inputs, in the order they were defined."""
        return MappingProxyType(self._slots)

    @property
    def events(self) -> Mapping[str, Event]:
        """The outputs, in the order they were defined."""
        return MappingProxyType(self._events)

    @property
    def config(self) -> Mapping[str, Any]:
        """The configuration."""
        return MappingProxyType(self._config)

    @property
    def activation_policy(self) -> ActivationPolicy | None:
        """The policy that was set, or None."""
        return self._policy

    @property
    def error_handler(self) -> ErrorHandler | None:
        """The handler that was set, or None where the flow's counts."""
        return self._error_handler

    @property
    def max_concurrency(self) -> int:
        """How many activations may run at once within a job."""
        return self._max_concurrency

    @property
    def timeout(self) -> float | None:
        """The longest one activation may take, in seconds."""
        return self._timeout

    @property
    def cpu_gate(self) -> bool:
        """Whether the runtime may hold back CPU-heavy activations."""
        return self._cpu_gate

    @property
    def active_logic(self) -> Callable[..., Any] | None:
        """What an activation calls: the function of `set_logic`, else the method `logic`, else None."""
        if self._logic is not None:
            return self._logic
        method = getattr(self, "logic", None)
        return method if callable(method) else None

    # ---- running

    def emit(self, event_name: str, /, *, job_state: JobState | None = None, **params: Any) -> None:
        """Put `params`, as one item, into every slot that is connected to the event.

        Within logic the job is known. Threads that user code starts inherit it through
        `contextvars.copy_context()`, or name the job with `job_state`.

        Blocks while a connected slot is full, and meanwhile runs what drains it.
        Raises `UndefinedEventError`, `SlotQueueFullError` (nothing can ever drain the slot),
        `JobCancelled` (the job was cancelled) or `JobNotActive` (no job, or one that has ended).
        """
        activation = current_activation.get()
        if activation is not None and (job_state is None or activation.job_state is job_state):
            activation.route(activation, self, event_name, params)
        elif job_state is not None:
            job_state.emit_from_outside(self, event_name, params)
        else:
            raise JobNotActive(
                f"emit({event_name!r}) of {self!r} outside any job; call it from logic, or name the job: "
                f"emit({event_name!r}, job_state=job_state)"
            )

    def check_emit(self, routine_id: str, event_name: str, params: Mapping[str, Any]) -> None:
        """Raise `UndefinedEventError`, naming what is defined, if the emit is not allowed."""
        event = self._events.get(event_name)
        if event is None:
            known = ", ".join(repr(name) for name in self._events) or "no events"
            raise UndefinedEventError(
                f"routine {routine_id!r} has no event {event_name!r}; it defines {known}"
            )
        unknown = [name for name in params if name not in event.param_names]
        if unknown:
            known = ", ".join(repr(name) for name in event.output_params) or "none"
            raise UndefinedEventError(
                f"event {event_name!r} of routine {routine_id!r} has no parameters "
                f"{', '.join(repr(name) for name in unknown)}; it defines {known}"
            )

    def __repr__(self) -> str:
        kind = type(self).__name__
        return f"<{kind} {self.name!r}>" if self.name else f"<{kind}>"

    def __rich_repr__(self) -> Iterable[Any]:
        yield "name", self.name
        yield "slots", list(self._slots)
        yield "events", {event.name: list(event.output_params) for event in self._events.values()}
        yield "policy", self._policy


def check_timeout(seconds: float | None, owner: str) -> float | None:
    """`seconds` as a float, or `FlowDefinitionError` naming the owner if it is no positive number."""
    if seconds is None:
        return None
    if not isinstance(seconds, (int, float)) or isinstance(seconds, bool) or not 0 < seconds < math.inf:
        raise FlowDefinitionError(
            f"{owner}: timeout is {seconds!r}; it must be a positive number of seconds, or None"
        )
    return float(seconds)


def _takes_no_slots(function: Callable[..., Any]) -> bool:
    """Whether this is a policy factory, such as `immediate_policy`, given without calling it."""
    return function.__module__ == "routilux.activation_policies"

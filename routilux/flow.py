"""Flows: the static graph of routines and connections."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from routilux import params as parameters_module
from routilux.connection import Connection
from routilux.error_handler import ErrorHandler
from routilux.exceptions import FlowDefinitionError
from routilux.params import ParameterField
from routilux.plan import Entry, Plan
from routilux.routine import Routine, check_timeout
from routilux.validation import Finding, validate_plan

_numbers = itertools.count(1)


class Flow:
    """A template of jobs: routines, the connections between them, and the parameters it takes.

    Holds no state of any job. `params` is a pydantic model, a dataclass or a TypedDict; without it
    the flow takes any dict. `timeout` is in seconds and counts the time a job runs, not the time it
    is paused. `max_history` bounds the execution records kept per job; the oldest go first.

    Build a flow in one thread; jobs may then be started from any. What is added after a job has
    started counts for later jobs.
    """

    def __init__(
        self,
        flow_id: str | None = None,
        *,
        params: type | None = None,
        description: str = "",
        timeout: float | None = None,
        error_handler: ErrorHandler | None = None,
        max_history: int = 1000,
    ) -> None:
        if flow_id is not None and (not isinstance(flow_id, str) or not flow_id):
            raise FlowDefinitionError(f"flow_id is {flow_id!r}; it must be a string that is not empty")
        self.flow_id = flow_id or f"flow-{next(_numbers)}"
        parameters_module.check_declaration(params)
        if not isinstance(max_history, int) or max_history < 0:
            raise FlowDefinitionError(
                f"flow {self.flow_id!r}: max_history is {max_history!r}; it must be at least 0"
            )
        self.params = params
        self.description = description
        self.timeout = check_timeout(timeout, f"flow {self.flow_id!r}")
        self.max_history = max_history
        # Of the flow folder that it was loaded in; None for a flow that was not.
        self.generation: int | None = None
        # The graph without its code, once it has been asked for.
        self._kept: Flow | None = None
        self.error_handler = error_handler
        self._routines: dict[str, Routine] = {}
        # A dict for its order; the values mean nothing.
        self._connections: dict[Connection, None] = {}
        # Guards _plan and _plan_version, which only `plan` touches.
        self._lock = threading.Lock()
        self._version = 0
        self._plan: Plan | None = None
        self._plan_version = -1

    # ---- building

    def add_routine(self, routine: Routine, routine_id: str | None = None) -> str:
        """Add a node and answer with its id: `routine_id`, else the routine's name, else its class."""
        if not isinstance(routine, Routine):
            raise FlowDefinitionError(f"flow {self.flow_id!r}: add_routine takes a Routine, not {routine!r}")
        for known_id, known in self._routines.items():
            if known is routine:
                raise FlowDefinitionError(
                    f"flow {self.flow_id!r} already holds this routine as {known_id!r}; "
                    f"make another {type(routine).__name__} to use it twice"
                )
        if routine_id is None:
            routine_id = self._free_id(routine.name or type(routine).__name__)
        if not isinstance(routine_id, str) or not routine_id:
            raise FlowDefinitionError(
                f"flow {self.flow_id!r}: {routine_id!r} is no routine id; give a string"
            )
        if routine_id in self._routines:
            raise FlowDefinitionError(
                f"flow {self.flow_id!r} already has a routine {routine_id!r}; give another id"
            )
        self._routines[routine_id] = routine
        self._version += 1
        return routine_id

    def _free_id(self, name: str) -> str:
        names = (name, *(f"{name}_{number}" for number in range(2, len(self._routines) + 3)))
        return next(candidate for candidate in names if candidate not in self._routines)

    def connect(self, source_id: str, event_name: str, target_id: str, slot_name: str) -> Connection:
        """Let every item of an event go into a slot. Connecting twice is connecting once."""
        connection = Connection(source_id, event_name, target_id, slot_name)
        source = self._routine(source_id, connection)
        target = self._routine(target_id, connection)
        self._check_known("event", event_name, source_id, source.events, connection)
        self._check_known("slot", slot_name, target_id, target.slots, connection)
        self._connections[connection] = None
        self._version += 1
        return connection

    def _routine(self, routine_id: str, connection: Connection) -> Routine:
        routine = self._routines.get(routine_id)
        if routine is None:
            known = ", ".join(repr(name) for name in self._routines) or "none"
            raise FlowDefinitionError(
                f"flow {self.flow_id!r} cannot connect {connection}: there is no routine {routine_id!r}; "
                f"the flow has {known}"
            )
        return routine

    def _check_known(
        self, kind: str, name: str, owner: str, known: Mapping[str, object], connection: Connection
    ) -> None:
        if name not in known:
            names = ", ".join(repr(each) for each in known) or "none"
            raise FlowDefinitionError(
                f"flow {self.flow_id!r} cannot connect {connection}: routine {owner!r} has no "
                f"{kind} {name!r}; "
                f"it has {names}"
            )

    def set_error_handler(self, handler: ErrorHandler) -> None:
        """What happens when a routine without a handler of its own raises. STOP is the default."""
        self.error_handler = handler
        self._version += 1

    # ---- reading

    @property
    def routines(self) -> Mapping[str, Routine]:
        """Routine id -> routine, in the order they were added."""
        return MappingProxyType(self._routines)

    @property
    def connections(self) -> tuple[Connection, ...]:
        """The connections, in the order they were made."""
        return tuple(self._connections)

    @property
    def parameters(self) -> tuple[ParameterField, ...]:
        """The declared parameters, in their order; empty for a flow that takes any dict."""
        return parameters_module.describe(self.params)

    @property
    def entry(self) -> Entry | None:
        """Where entry parameters go; None for a flow that has no entry."""
        return self.plan().entry

    def validate(self) -> list[Finding]:
        """What is wrong or doubtful with the flow, the worst first; empty when nothing is."""
        try:
            plan = self.plan()
        except FlowDefinitionError as error:
            return [Finding("error", "bad-logic", self.flow_id, str(error), "change the logic's arguments")]
        return validate_plan(plan)

    def plan(self) -> Plan:
        """The compiled flow. `FlowDefinitionError` where a logic cannot be called with its slots."""
        with self._lock:
            version = self._version + sum(routine._version for routine in self._routines.values())
            if self._plan is None or version != self._plan_version:
                self._plan = Plan(self.flow_id, self._routines, self._connections, self.error_handler)
                self._plan_version = version
            return self._plan

    def __repr__(self) -> str:
        return (
            f"<Flow {self.flow_id!r}: {len(self._routines)} routines, {len(self._connections)} connections>"
        )

    def __rich_repr__(self) -> Iterable[Any]:
        yield self.flow_id
        yield "routines", dict(self._routines)
        yield "connections", [str(connection) for connection in self._connections]
        yield "parameters", [field.name for field in self.parameters], []

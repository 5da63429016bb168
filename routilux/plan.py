"""The compiled flow: what a job needs of the static graph, resolved once to integers.

Made when the first job of a flow starts, shared by all its jobs, and made anew when the flow was
changed since. Immutable but for the learnt CPU means.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from routilux.activation_policies import ActivationPolicy, ImmediatePolicy, TimeIntervalPolicy
from routilux.connection import Connection
from routilux.error_handler import STOP_HANDLER, ErrorHandler
from routilux.exceptions import FlowDefinitionError
from routilux.routine import Routine
from routilux.slot import Slot

_KEYWORDS = ("policy_message", "job_state")


class Entry(NamedTuple):
    """Where the entry parameters go; `slot_name` is None for a routine without slots."""

    routine_index: int
    routine_id: str
    slot_name: str | None


class CpuUse:
    """What the runtime has learnt about one routine's hunger for the CPU.

    Written by pool threads without a lock: a lost update costs one sample. All times in seconds.
    """

    __slots__ = ("calm_below", "cpu", "exempt", "trusted_until", "unsure", "waits", "wall")

    # CPU time per activation from which a routine is heavy.
    HEAVY = 0.001
    # Below this, an activation is too short to measure its CPU time: reading the clock would cost as much.
    WORTH_MEASURING = 0.0005
    # How long a routine that was found to be light is taken at its word, for reading the clocks is what a
    # short wait costs most.
    TRUST = 0.02
    # The weight of a new measurement in the running means.
    NEW = 0.3
    # In so many measurements in a row that tell neither, it is no longer known that a routine waits.
    MOST_UNSURE = 50

    def __init__(self, exempt: bool) -> None:
        self.exempt = exempt
        self.cpu = 0.0  # CPU time per activation
        self.wall = 0.0  # time per activation, an upper bound of the former
        # How often it waits more than it computes, from 0 to 1, by a running mean of the measurements that
        # tell; None where that is not known. And how many in a row have not told since.
        self.waits: float | None = None
        self.unsure = 0
        # The CPU time from which on it no longer counts that it was seen to wait.
        self.calm_below = 0.0
        # Until then (`perf_counter`) it need not be measured again.
        self.trusted_until = 0.0

    @property
    def is_heavy(self) -> bool:
        if self.cpu <= self.HEAVY:
            return False
        return self.waits is None or self.waits <= 0.5 or self.cpu >= self.calm_below

    def is_light(self, now: float) -> bool:
        """Whether its CPU time need not be measured: it is too short, or was found to be light just now."""
        return self.wall <= self.WORTH_MEASURING or now < self.trusted_until

    def learn(self, wall: float, cpu: float | None, idle: float, now: float = 0.0) -> None:
        """Take in the means of a few activations; `cpu` is None where it was not measured.

        `idle` is how much of `wall` the whole process did not compute. Only then did an activation
        wait for something else than the interpreter: with others in its way, one that computes all
        the time gets as little of the CPU as one that waits for a server. One measurement proves nothing:
        the process itself may have been stopped, or the machine have been busy elsewhere.
        """
        self.wall += self.NEW * (wall - self.wall) if self.wall else wall
        if cpu is None:
            return
        self.cpu += self.NEW * (cpu - self.cpu) if self.cpu else cpu
        if idle > wall / 2:
            self._has_waited(1.0)
            self.calm_below = 2 * self.cpu
        elif cpu > wall / 2:
            self._has_waited(0.0)
        elif self.waits is not None:
            self.unsure += 1
            if self.unsure > self.MOST_UNSURE:
                self.waits = None
        if max(cpu, self.cpu) < self.HEAVY / 2:
            self.trusted_until = now + self.TRUST

    def _has_waited(self, waited: float) -> None:
        self.unsure = 0
        self.waits = waited if self.waits is None else self.waits + self.NEW * (waited - self.waits)


class RoutinePlan:
    """One routine of a compiled flow."""

    __slots__ = (
        "always_consumes",
        "arguments",
        "asks_again",
        "cpu",
        "events",
        "handler",
        "has_logic",
        "index",
        "limit",
        "logic",
        "may_starve",
        "only_slot",
        "passes_job_state",
        "passes_message",
        "policy",
        "routine",
        "routine_id",
        "slot_names",
        "slots",
        "targets",
        "timeout",
        "when_quiet",
    )

    def __init__(
        self, index: int, routine_id: str, routine: Routine, flow_handler: ErrorHandler | None
    ) -> None:
        self.index = index
        self.routine_id = routine_id
        self.routine = routine
        self.slots: tuple[Slot, ...] = tuple(routine.slots.values())
        self.slot_names = tuple(routine.slots)
        # Event name -> the parameter names it defines.
        self.events = {event.name: event.param_names for event in routine.events.values()}
        # Event name -> (index of the target routine, name of its slot) for each connection.
        self.targets: dict[str, tuple[tuple[int, str], ...]] = {}
        self.policy: ActivationPolicy = routine.activation_policy or ImmediatePolicy()
        # Of the very class only: one that derives from it may decide something else.
        self.always_consumes: bool = vars(type(self.policy)).get("always_consumes", False)
        self.asks_again: Callable[..., float | None] | None = getattr(self.policy, "ask_again_in", None)
        self.when_quiet: Callable[..., Any] | None = getattr(self.policy, "when_quiet", None)
        self.may_starve = type(self.policy) not in (ImmediatePolicy, TimeIntervalPolicy) and (
            len(self.slots) > 1 or not self.always_consumes
        )
        self.handler = routine.error_handler or flow_handler or STOP_HANDLER
        self.limit = routine.max_concurrency
        self.timeout = routine.timeout
        self.cpu = CpuUse(exempt=not routine.cpu_gate)
        logic = routine.active_logic
        self.has_logic = logic is not None
        self.logic: Callable[..., Any] = logic or _without_logic(routine_id)
        call = LogicCall.of(self.logic, routine_id, len(self.slots))
        self.passes_message = call.passes_message
        self.passes_job_state = call.passes_job_state
        self.arguments = call.arguments(self.slot_names)
        # The only slot of a routine that runs once for each item there; else None.
        only = type(self.policy) is ImmediatePolicy and len(self.slots) == 1
        self.only_slot: str | None = self.slot_names[0] if only else None


def _without_logic(routine_id: str) -> Callable[..., Any]:
    """What an activation of a routine without logic runs."""

    def logic(*lists: Any) -> None:
        raise FlowDefinitionError(
            f"routine {routine_id!r} has no logic; define a method logic, or call set_logic"
        )

    return logic


class LogicCall(NamedTuple):
    """How a logic wants to be called."""

    passes_dict: bool = False
    passes_nothing: bool = False
    passes_message: bool = False
    passes_job_state: bool = False

    @classmethod
    def of(cls, logic: Callable[..., Any], routine_id: str, slots: int) -> LogicCall:
        """Read it off the signature; `FlowDefinitionError` where the slots do not fit into it."""
        import inspect  # here, because it is a fifth of the library's start-up time

        try:
            parameters = inspect.signature(logic).parameters.values()
        except (TypeError, ValueError):  # a C function without a signature: the full call
            return cls(passes_message=True, passes_job_state=True)
        is_function = inspect.isroutine(logic) or isinstance(logic, functools.partial)
        called = logic if is_function else type(logic).__call__
        if inspect.iscoroutinefunction(called) or inspect.isasyncgenfunction(called):
            raise FlowDefinitionError(
                f"logic of routine {routine_id!r} is an async function, of which a call runs nothing; "
                f"define it without async, and call asyncio.run(...) in it where it has to await something"
            )
        if inspect.isgeneratorfunction(called):
            raise FlowDefinitionError(
                f"logic of routine {routine_id!r} is a generator, of which a call runs nothing; "
                f"emit its values instead of yielding them"
            )
        any_keyword = any(p.kind is p.VAR_KEYWORD for p in parameters)
        named = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
        data = [
            p
            for p in parameters
            if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.name not in _KEYWORDS
        ]
        takes_any = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        for p in parameters:
            if p.kind is p.POSITIONAL_ONLY and p.name in _KEYWORDS:
                raise FlowDefinitionError(
                    f"logic of routine {routine_id!r} takes {p.name!r} by its position only, but gets it as "
                    f"a keyword; leave out the /, or put it before"
                )
            if p.kind is p.KEYWORD_ONLY and p.default is p.empty and p.name not in _KEYWORDS:
                raise FlowDefinitionError(
                    f"logic of routine {routine_id!r} wants the keyword {p.name!r}; "
                    f"it is called with lists of data and the keywords policy_message and job_state"
                )
        required = sum(p.default is p.empty for p in data)
        passes_dict = slots > 1 and len(data) == 1 and not takes_any
        passes_nothing = not data and not takes_any
        if not passes_dict and not passes_nothing:
            most = slots if takes_any else len(data)
            if not required <= slots <= most:
                wants = f"{required}" if required == len(data) else f"{required} to {len(data)}"
                raise FlowDefinitionError(
                    f"logic of routine {routine_id!r} takes {wants} data arguments "
                    f"({', '.join(p.name for p in data)}), but the routine has {slots} slots; "
                    f"it needs one argument per slot, or a single one for a dict of all"
                )
        return cls(
            passes_dict=passes_dict,
            passes_nothing=passes_nothing,
            passes_message=any_keyword or "policy_message" in named,
            passes_job_state=any_keyword or "job_state" in named,
        )

    def arguments(self, names: tuple[str, ...]) -> Callable[[dict[str, list[Any]]], tuple[Any, ...]]:
        """What turns a data slice into the positional arguments of the logic."""
        if self.passes_nothing:
            return lambda data_slice: ()
        if self.passes_dict:
            return lambda data_slice: ({name: data_slice.get(name, []) for name in names},)
        if len(names) == 1:
            only = names[0]
            return lambda data_slice: (data_slice.get(only, []),)
        return lambda data_slice: tuple([data_slice.get(name, []) for name in names])


class Plan:
    """A flow, compiled. Routines are known by their index, in the order they were added."""

    def __init__(
        self,
        flow_id: str,
        routines: Mapping[str, Routine],
        connections: Iterable[Connection],
        handler: ErrorHandler | None,
    ) -> None:
        self.flow_id = flow_id
        self.routines = tuple(
            RoutinePlan(index, routine_id, routine, handler)
            for index, (routine_id, routine) in enumerate(routines.items())
        )
        self.index_of = {plan.routine_id: plan.index for plan in self.routines}
        self.index_of_routine = {id(plan.routine): plan.index for plan in self.routines}
        connections = tuple(connections)
        for connection in connections:
            source = self.routines[self.index_of[connection.source_id]]
            target = (self.index_of[connection.target_id], connection.slot_name)
            source.targets[connection.event_name] = (*source.targets.get(connection.event_name, ()), target)
        self._successors = tuple(_successors(plan) for plan in self.routines)
        self.entry = _find_entry(self.routines, connections)
        self.reachable = _reachability(self._successors)
        # Routines that may take nothing from one slot for want of an item in another.
        self._joins = sum(1 << plan.index for plan in self.routines if plan.may_starve)
        self._may_wait: dict[tuple[int, int], bool] = {}
        # The order in which remainders are handed over: what feeds others first.
        self.quiet_order = tuple(
            sorted(
                (plan.index for plan in self.routines if plan.when_quiet is not None),
                key=lambda index: -bin(self.reachable[index]).count("1"),
            )
        )

    def may_wait_for(self, waiting: int, other: int) -> bool:
        """Whether an emit of routine `waiting` may have to wait until an activation of `other` goes on.

        It may if its items can lead to `other`, whose slots may be full; or to a routine that
        joins them with items to which `other` leads on another way.
        """
        known = self._may_wait.get((waiting, other))
        if known is None:
            joins = self.reachable[waiting] & self._joins
            known = self.reaches(waiting, other) or bool(
                joins and joins & _reached(self._successors, other, avoiding=waiting)
            )
            self._may_wait[waiting, other] = known
        return known

    def reaches(self, source: int, target: int) -> bool:
        """Whether items of `source` can, over any number of routines, lead to items of `target`."""
        return bool(self.reachable[source] >> target & 1)


def _successors(plan: RoutinePlan) -> set[int]:
    return {index for targets in plan.targets.values() for index, _ in targets}


def _reachability(successors: Sequence[set[int]]) -> tuple[int, ...]:
    """For each routine a bit set of those reachable from it over at least one connection."""
    return tuple(_reached(successors, start) for start in range(len(successors)))


def _reached(successors: Sequence[set[int]], start: int, avoiding: int = -1) -> int:
    """A bit set of the routines reachable from `start` over at least one connection."""
    bits = 0
    todo = list(successors[start])
    while todo:
        index = todo.pop()
        if index != avoiding and not bits >> index & 1:
            bits |= 1 << index
            todo.extend(successors[index])
    return bits


def _find_entry(routines: tuple[RoutinePlan, ...], connections: tuple[Connection, ...]) -> Entry | None:
    for plan in routines:
        if "trigger" in plan.slot_names:
            return Entry(plan.index, plan.routine_id, "trigger")
    if not routines:
        return None
    first = routines[0]
    if not first.slots:
        return Entry(0, first.routine_id, None)
    if len(first.slots) == 1 and all(connection.target_id != first.routine_id for connection in connections):
        return Entry(0, first.routine_id, first.slot_names[0])
    return None

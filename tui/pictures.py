"""What widgets are given to show: frozen, so that nothing changes while it is painted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from routilux.connection import Connection
from routilux.exceptions import FlowDefinitionError
from routilux.flow import Flow
from routilux.history import JobError
from routilux.loading import FlowVersion, LoadError, LoadRecord, OutputLine
from routilux.params import ParameterField, allows_others
from routilux.snapshot import JobSnapshot, RoutineData, RuntimeSnapshot
from routilux.validation import Finding
from tui.places import Place, place_of_routine
from tui.roster import Changes


class RoutinePicture(NamedTuple):
    """A node of a flow. `about` is the first line of its docstring."""

    routine_id: str
    slots: tuple[str, ...]
    events: tuple[str, ...]
    concurrency: int
    about: str
    # Where its logic is.
    place: Place | None = None


class Breakage(NamedTuple):
    """What is wrong with a file, and since which load; `since` is None where that is not known."""

    error: LoadError
    generation: int
    since: datetime | None


class FlowPicture(NamedTuple):
    """A flow of the folder. `declared` tells a flow without parameters from one that takes any.

    `others` says whether it takes parameters besides those it declares. `described` is false while
    both, and the parameters, are not known yet. `generation` is that of its code; `breakage` is what is
    wrong with its file where this is the last version that was good.
    """

    name: str
    path: str
    lineno: int
    description: str
    routines: tuple[RoutinePicture, ...]
    connections: tuple[Connection, ...]
    entry: str | None
    declared: bool
    parameters: tuple[ParameterField, ...]
    findings: tuple[Finding, ...]
    others: bool = False
    described: bool = True
    generation: int = 0
    breakage: Breakage | None = None

    @property
    def hindrances(self) -> tuple[Finding, ...]:
        """The findings that keep the flow from doing anything useful."""
        return tuple(finding for finding in self.findings if finding.level == "error")


class Catalogue(NamedTuple):
    """The flow folder. `problem` says why it could not be read at all; `loading` that it still is;
    `importing` names the files whose import lasts.

    `breakages` and `output`, what was put out at import, are by path. `loads` are the newest, oldest
    first. `watched` says whether what is saved is loaded.
    """

    root: Path
    flows: tuple[FlowPicture, ...] = ()
    broken: tuple[LoadError, ...] = ()
    problem: str = ""
    loading: bool = False
    generation: int = 0
    breakages: Mapping[str, Breakage] = MappingProxyType({})
    loads: tuple[LoadRecord, ...] = ()
    output: Mapping[str, tuple[OutputLine, ...]] = MappingProxyType({})
    watched: bool = True
    importing: tuple[str, ...] = ()

    @property
    def described(self) -> bool:
        """Whether the parameters of all flows are known."""
        return all(flow.described for flow in self.flows)

    def flow(self, name: str) -> FlowPicture | None:
        return next((flow for flow in self.flows if flow.name == name), None)


class JobDetail(NamedTuple):
    """The chosen job in full. `newest`: the generation of its flow in the folder now, if that is there."""

    snapshot: JobSnapshot
    errors: tuple[JobError, ...] = ()
    newest: int | None = None


class JobData(NamedTuple):
    """The job's own data, not copies: it is looked at, never kept."""

    parameters: Mapping[str, Any]
    shared: Mapping[str, Any]
    routines: tuple[RoutineData, ...]


class Frame(NamedTuple):
    """One picture of everything that moves, and what has changed since the one before.

    `held_for`: seconds a job has been pausing or cancelling.
    """

    snapshot: RuntimeSnapshot
    held_for: Mapping[str, float] = MappingProxyType({})
    changes: Changes = Changes()


def picture_of(loaded: FlowVersion, *, parameters: bool = True) -> FlowPicture:
    """Read a flow once; the flow itself is not kept. Without `parameters` it costs little."""
    flow = loaded.flow
    try:
        entry = flow.entry
    except FlowDefinitionError:
        # validate() below says what is wrong with it.
        entry = None
    picture = FlowPicture(
        name=loaded.name,
        path=loaded.path,
        lineno=loaded.lineno,
        description=flow.description,
        routines=tuple(
            RoutinePicture(
                routine_id,
                tuple(routine.slots),
                tuple(routine.events),
                routine.max_concurrency,
                first_line(type(routine).__doc__) if type(routine).__module__ != "routilux.routine" else "",
                place_of_routine(routine),
            )
            for routine_id, routine in flow.routines.items()
        ),
        connections=flow.connections,
        entry=None if entry is None else entry.routine_id,
        declared=flow.params is not None,
        parameters=(),
        findings=tuple(flow.validate()),
        others=flow.params is None,
        described=flow.params is None,
        generation=loaded.generation,
    )
    return with_parameters(picture, flow) if parameters else picture


def with_parameters(picture: FlowPicture, flow: Flow) -> FlowPicture:
    """The picture of `flow` with its parameters; that runs the flow's own code, and may raise anything."""
    if picture.described:
        return picture
    return picture._replace(parameters=flow.parameters, others=allows_others(flow.params), described=True)


def first_line(text: str | None) -> str:
    """The first line of a docstring, or nothing."""
    lines = (text or "").strip().splitlines()
    return lines[0].strip() if lines else ""


def order_of(flow: FlowPicture) -> Sequence[str]:
    """The routines in the order items reach them from the entry, those first that others need.

    Without cycles every connection leads down. What nothing leads to comes last.
    """
    follows: dict[str, list[str]] = {routine.routine_id: [] for routine in flow.routines}
    for connection in flow.connections:
        follows[connection.source_id].append(connection.target_id)
    start = [flow.entry] if flow.entry is not None else []
    seen: set[str] = set()
    order: list[str] = []
    for root in [*start, *follows]:
        # Depth first, each routine put down when all that follows it has been: the reverse is the order.
        done: list[str] = []
        path = [root] if root not in seen else []
        while path:
            routine_id = path[-1]
            seen.add(routine_id)
            # The last first, so that in the reverse the targets come in the order they were connected.
            onward = next((each for each in reversed(follows[routine_id]) if each not in seen), None)
            if onward is None:
                done.append(path.pop())
            else:
                path.append(onward)
        order += reversed(done)
    return tuple(order)

"""What widgets are given to show: frozen, so that nothing changes while it is painted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from routilux.connection import Connection
from routilux.exceptions import FlowDefinitionError
from routilux.history import JobError
from routilux.loading import FlowVersion, Generation, LoadError
from routilux.params import ParameterField, allows_others
from routilux.snapshot import JobSnapshot, RuntimeSnapshot
from routilux.validation import Finding
from tui.places import Place, place_of_routine
from tui.roster import Changes


@dataclass(frozen=True, slots=True)
class RoutinePicture:
    """A node of a flow. `about` is the first line of its docstring."""

    routine_id: str
    slots: tuple[str, ...]
    events: tuple[str, ...]
    concurrency: int
    about: str
    # Where its logic is.
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class FlowPicture:
    """A flow of the folder. `declared` tells a flow without parameters from one that takes any.

    `others` says whether it takes parameters besides those it declares.
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

    @property
    def hindrances(self) -> tuple[Finding, ...]:
        """The findings that keep the flow from doing anything useful."""
        return tuple(finding for finding in self.findings if finding.level == "error")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The flow folder. `problem` says why it could not be read at all; `loading` that it still is."""

    root: Path
    flows: tuple[FlowPicture, ...] = ()
    broken: tuple[LoadError, ...] = ()
    problem: str = ""
    loading: bool = False

    def flow(self, name: str) -> FlowPicture | None:
        return next((flow for flow in self.flows if flow.name == name), None)


@dataclass(frozen=True, slots=True)
class JobDetail:
    """The chosen job in full."""

    snapshot: JobSnapshot
    errors: tuple[JobError, ...] = ()


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of everything that moves, and what has changed since the one before.

    `held_for`: seconds a job has been pausing or cancelling.
    """

    snapshot: RuntimeSnapshot
    detail: JobDetail | None = None
    held_for: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    changes: Changes = field(default_factory=Changes)


def picture_of(loaded: FlowVersion) -> FlowPicture:
    """Read a flow once; the flow itself is not kept."""
    flow = loaded.flow
    try:
        entry = flow.entry
    except FlowDefinitionError:
        # validate() below says what is wrong with it.
        entry = None
    return FlowPicture(
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
        parameters=flow.parameters,
        findings=tuple(flow.validate()),
        others=allows_others(flow.params),
    )


def catalogue_of(folder: Generation) -> Catalogue:
    """The picture of a loaded folder. A flow that cannot even be described counts as broken."""
    flows: list[FlowPicture] = []
    broken = list(folder.errors.values())
    for loaded in folder.flows.values():
        try:
            flows.append(picture_of(loaded))
        except Exception as error:
            message = f"flow {loaded.name!r} cannot be described: {type(error).__name__}: {error}"
            broken.append(LoadError("exception", loaded.path, loaded.lineno, message))
    return Catalogue(folder.root, tuple(flows), tuple(broken))


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

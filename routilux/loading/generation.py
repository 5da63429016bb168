"""What a load gave: immutable pictures, for any reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeAlias

from routilux.connection import Connection
from routilux.flow import Flow
from routilux.loading.errors import LoadError

EventKind: TypeAlias = Literal["added", "changed", "removed", "broken", "fixed", "slow"]


@dataclass(frozen=True, slots=True)
class FlowVersion:
    """A flow, where it is declared, and the number of the generation that brought it like this.

    `path` is relative to the root; `lineno` counts from 1. `source_hash` is that of the whole file.
    """

    name: str
    flow: Flow
    generation: int
    path: str
    lineno: int
    source_hash: str = ""


@dataclass(frozen=True, slots=True)
class Generation:
    """The folder as one load left it: flows by name, and errors by path relative to the root.

    Both are in alphabetical order and immutable. A file that has an error has its last good flows, if
    it ever had any.
    """

    number: int
    root: Path
    flows: Mapping[str, FlowVersion] = field(default_factory=lambda: MappingProxyType({}))
    errors: Mapping[str, LoadError] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class FlowDiff:
    """What a load changed in a flow: ids of routines, connections, and the sources as a unified diff.

    A routine is changed if its slots, events, policy, settings or code are, the functions of the folder
    that it calls included.
    """

    routines_added: tuple[str, ...] = ()
    routines_removed: tuple[str, ...] = ()
    routines_changed: tuple[str, ...] = ()
    connections_added: tuple[Connection, ...] = ()
    connections_removed: tuple[Connection, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True)
class FlowEvent:
    """Something that a load did. Holds nothing of the flows themselves.

    `flow` is a name; None where it is only about a file. `generation` is the number of the one that
    tells it. `diff` comes with "changed", `error` with "broken"; "slow" is a file whose import lasts.
    """

    kind: EventKind
    generation: int
    flow: str | None
    path: str
    diff: FlowDiff | None = None
    error: LoadError | None = None


@dataclass(frozen=True, slots=True)
class LoadRecord:
    """One load: when it was published, how long reading and importing took, and what came of it.

    `paths` are the files that were added, changed or removed.
    """

    generation: int
    at: datetime
    milliseconds: float
    paths: tuple[str, ...]
    events: tuple[FlowEvent, ...]

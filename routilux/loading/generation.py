"""What a load gave: immutable pictures, for any reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

from routilux.connection import Connection
from routilux.flow import Flow
from routilux.loading.errors import LoadError
from routilux.loading.source_diffs import SourceChange

EventKind: TypeAlias = Literal["added", "changed", "removed", "broken", "fixed", "slow"]


class FlowVersion(NamedTuple):
    """A flow, where it is declared, and the number of the generation that brought it like this.

    `path` is relative to the root; `lineno` counts from 1. `source_hash` is that of the whole file.
    """

    name: str
    flow: Flow
    generation: int
    path: str
    lineno: int
    source_hash: str = ""


class Generation(NamedTuple):
    """The folder as one load left it: flows by name, and errors by path relative to the root.

    Both are in alphabetical order and immutable. A file that has an error has its last good flows, if
    it ever had any.
    """

    number: int
    root: Path
    flows: Mapping[str, FlowVersion] = MappingProxyType({})
    errors: Mapping[str, LoadError] = MappingProxyType({})


@dataclass(frozen=True)
class FlowDiff:
    """What a load changed in a flow: ids of routines, connections, and the sources of its files.

    A routine is changed if its slots, events, policy, settings or code are, the functions of the folder
    that it calls included. `sources` are those that changed of the flow's own file and the helpers it
    imports, directly or not; they hold texts, and no code. Diffs of long ago may have lost them.
    """

    routines_added: tuple[str, ...] = ()
    routines_removed: tuple[str, ...] = ()
    routines_changed: tuple[str, ...] = ()
    connections_added: tuple[Connection, ...] = ()
    connections_removed: tuple[Connection, ...] = ()
    sources: tuple[SourceChange, ...] = ()

    @cached_property
    def source(self) -> str:
        """The unified diffs of the files, one after the other. Worked out when first asked for."""
        return "\n".join(change.text for change in self.sources if change.text)


class FlowEvent(NamedTuple):
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


class LoadRecord(NamedTuple):
    """One load: when it was published, how long reading and importing took, and what came of it.

    `paths` are the files that were added, changed or removed. `milliseconds` count from when the
    first of what is new was seen to have changed.
    """

    generation: int
    at: datetime
    milliseconds: float
    paths: tuple[str, ...]
    events: tuple[FlowEvent, ...]

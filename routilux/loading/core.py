"""The flow folder from one state to the next: read it, accept what is new, publish what came of it."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final

from routilux.loading import standing
from routilux.loading.catalogue import Catalogue, collect, roots
from routilux.loading.diffs import Outline, compare
from routilux.loading.errors import shown
from routilux.loading.generation import FlowDiff, FlowEvent, FlowVersion, Generation, LoadRecord
from routilux.loading.imports import FolderWorld
from routilux.loading.output import OutputLine
from routilux.loading.records import Records
from routilux.loading.source_diffs import SourceChange
from routilux.loading.tree import Scanner, Source, Tree
from routilux.loading.versions import ModuleVersion, State
from routilux.registry import FlowRegistry

# From so many changed files on it is no save but a checkout, which is waited for until it is over.
_MANY: Final = 4


class FolderCore:
    """The state of one folder. Not safe by itself: `FlowLoader` has one turn at a time.

    What readers may ask for at any time (`generation`, `records`) is immutable and replaced whole.
    """

    def __init__(
        self, root: str | os.PathLike[str], registry: FlowRegistry | None, *, settle: float, captures: bool
    ) -> None:
        self.root = Path(os.path.abspath(root))
        self._registry = FlowRegistry.get_instance() if registry is None else registry
        self._settle = settle
        self.world = FolderWorld(str(self.root), captures=captures)
        self._scanner = Scanner(str(self.root), self.world.package)
        self.generation = Generation(0, self.root)
        self.records: tuple[LoadRecord, ...] = ()
        self._kept = Records()
        self.output: Mapping[str, tuple[OutputLine, ...]] = MappingProxyType({})
        self._catalogue = Catalogue()
        # The outlines of the flows in service, to compare them with what comes next.
        self._outlines: dict[str, Outline] = {}
        # Path -> when it was seen to have changed, until nothing about it is held back.
        self._since: dict[str, float] = {}
        # Path -> since when it is missed.
        self._missed: dict[str, float] = {}
        # The last look at a folder in which much changes at once.
        self._looked: Tree | None = None
        self.look_again = False
        # What has changed since the last record.
        self._touched: set[str] = set()
        # Path -> when its load began, until there is a record of it; and when the last load was over.
        self._began: dict[str, float] = {}
        self.ended: float | None = None
        # The version of each file that was published last, or that code at work has imported since.
        self._in_service: dict[str, ModuleVersion] = {}
        self.holds = False
        self._files: dict[str, str] = {}

    @property
    def is_new(self) -> bool:
        """Whether nothing has been published yet."""
        return self.generation.number == 0

    # ---- reading

    def accept(self, *, force: bool) -> tuple[list[str], list[ModuleVersion]] | None:
        """Look at the folder, and go on to what it is now.

        Answers with the modules to load and the executions that became useless; None where nothing is
        new. Files that are missed count as gone only after a while, unless `force`.
        """
        began = time.monotonic()
        seen = self._scanner.scan()
        tree = self._with_missed(seen, began, force)
        modules = self.world.modules
        accepted = modules.tree
        if tree.sources == accepted.sources and (tree.problems, tree.missing) == (
            accepted.problems,
            accepted.missing,
        ):
            self._looked, self.look_again = None, False
            return None
        changed = {
            path
            for path in tree.sources.keys() | accepted.sources.keys()
            if _hash(tree.sources.get(path)) != _hash(accepted.sources.get(path))
        }
        if not force and len(changed) >= _MANY and seen is not self._looked:
            self._looked, self.look_again = seen, True
            return None
        self._looked, self.look_again = None, False
        self.ended = None
        with modules.changed:
            self._in_service |= {
                version.place.file: version
                for version in modules.good.values()
                if version.place.file is not None and not version.loaded
            }
            after, useless = modules.next(tree)
            self.world.modules = after
            names = [name for name in roots(after) if name not in after.attempts] + after.outdated()
        standing.withdraw()
        for name in names:
            place = tree.names[name]
            self._since[place.file or ""] = self._began[place.file or ""] = began
        for path in changed:
            self._since[path] = self._began[path] = began
        self._touched |= changed
        return names, useless

    def _with_missed(self, seen: Tree, now: float, force: bool) -> Tree:
        """The tree with the files that are missed, or empty all of a sudden, as they were."""
        accepted = self.world.modules.tree
        gone = {
            path
            for path, source in accepted.sources.items()
            if path not in seen.sources or (not seen.sources[path].content and source.content)
        }
        for path in self._missed.keys() - gone:
            del self._missed[path]
        if force or not gone:
            self._missed.clear()
            return seen
        arrived = {source.hash for path, source in seen.sources.items() if path not in accepted.sources}
        kept = {}
        for path in gone:
            since = self._missed.setdefault(path, now)
            # What has moved is not missed.
            if now - since < self._settle and accepted.sources[path].hash not in arrived:
                kept[path] = accepted.sources[path]
        if not kept:
            return seen
        sources = dict(sorted({**seen.sources, **kept}.items(), key=lambda entry: entry[0].split("/")))
        return Tree(seen.package, sources, seen.problems, "")

    def next_due(self) -> float | None:
        """When something held back becomes due, on the clock of `time.monotonic`; None where nothing is."""
        times = [*self._missed.values(), *(self._since.values() if self.holds else ())]
        later = [each + self._settle for each in times]
        return min(later, default=None)

    # ---- publishing

    def publish(self, *, force: bool, new: bool) -> tuple[FlowEvent, ...] | None:
        """Put in service what has loaded. Answers with the events; None where nothing comes of it.

        `force` has bad news count at once. `new` says that the folder has changed, so that there is a
        generation even where its flows and errors are the same.
        """
        now = time.monotonic()
        modules = self.world.modules
        modules.drop_unused(roots(modules))
        before = self._catalogue
        number = self.generation.number + 1

        def is_due(path: str) -> bool:
            return force or now - self._since.get(path, 0.0) >= self._settle

        after, self.holds = collect(modules, before, number, is_due)
        if not self.holds:
            self._since.clear()
        newest = modules.newest()
        loaded = {
            version.place.file: version
            for version in newest
            if version.place.file is not None and version.state is State.GOOD and version.loaded
        }
        published = {path: each for path, each in self._in_service.items() if path in modules.tree.sources}
        differs = (
            after.flows != before.flows
            or after.errors != before.errors
            or any(published.get(path) is not version for path, version in loaded.items())
            or len(published) < len(self._in_service)
        )
        if not (differs or new or self.is_new):
            return None
        events = self._events(before, after, number)
        self._in_service = {**published, **loaded}
        self._catalogue = after
        self.output = {version.path: lines for version in newest if (lines := version.output.lines())}
        self._register(before, after, number)
        flows, errors = after.frozen()
        self.generation = Generation(number, self.root, flows, errors)
        loading = self._loading()
        ended = self.ended or now
        began = min((each for path, each in self._began.items() if path not in loading), default=ended)
        record = LoadRecord(
            number,
            datetime.now(UTC),
            max(0.0, ended - began) * 1000,
            tuple(sorted(shown(path) for path in self._touched)),
            events,
        )
        self.records = self._kept.add(record)
        if not self.holds:
            self._began = {path: each for path, each in self._began.items() if path in loading}
            self._touched = set()
        return events

    def _loading(self) -> set[str]:
        """The files whose import has not ended, or not even begun."""
        modules = self.world.modules
        attempts = modules.newest()
        running = {each.place.file or "" for each in attempts if each.state is State.RUNNING and each.loaded}
        begun = {each.name for each in attempts}
        return running | {modules.tree.names[name].file or "" for name in roots(modules) if name not in begun}

    def _register(self, before: Catalogue, after: Catalogue, number: int) -> None:
        for name, known in before.flows.items():
            if name not in after.flows and self._registry.get_by_name(name) is known.flow:
                self._registry.unregister(name)
        for name, flow in after.flows.items():
            if before.flows.get(name) is not flow:
                flow.flow.generation = flow.generation
                self._registry.register_by_name(name, flow.flow)

    def _events(self, before: Catalogue, after: Catalogue, number: int) -> tuple[FlowEvent, ...]:
        events: list[FlowEvent] = []
        # By the paths that are shown.
        self._files = {version.path: path for path, version in (before.served | after.served).items()}
        outlines: dict[str, Outline] = {}
        for name, flow in sorted(after.flows.items()):
            known = before.flows.get(name)
            if known is flow:
                if name in self._outlines:
                    outlines[name] = self._outlines[name]
                continue
            outlines[name] = Outline(flow.flow, self.world.package)
            if known is None:
                events.append(FlowEvent("added", number, name, flow.path))
            else:
                diff = self._diff(known, flow, (self._outlines[name], outlines[name]), before, after)
                events.append(FlowEvent("changed", number, name, flow.path, diff))
        for name, flow in sorted(before.flows.items()):
            if name not in after.flows:
                events.append(FlowEvent("removed", number, name, flow.path))
        for path, error in sorted(after.errors.items()):
            if before.errors.get(path) != error:
                flow_name = next((name for name, flow in after.flows.items() if flow.path == path), None)
                events.append(FlowEvent("broken", number, flow_name, path, error=error))
        there = {shown(path) for path in self.world.modules.tree.sources}
        for path in sorted(before.errors):
            if path not in after.errors:
                is_there = path in there or path == "."
                events.append(FlowEvent("fixed" if is_there else "removed", number, None, path))
        self._outlines = outlines
        return tuple(events)

    def _diff(
        self,
        known: FlowVersion,
        flow: FlowVersion,
        outlines: tuple[Outline, Outline],
        before: Catalogue,
        after: Catalogue,
    ) -> FlowDiff:
        """What changed in a flow; its sources are its file and the helpers it imports."""
        sources = []
        version = after.served.get(self._files.get(flow.path, ""))
        if version is not None:
            old_own = before.served.get(self._files.get(known.path, ""))
            sources.append(
                SourceChange(flow.path, None if old_own is None else old_own.source, version.source)
            )
            sources += [SourceChange(path, was, helper) for path, helper, was in self._helpers(version)]
        return compare(*outlines, tuple(change for change in sources if change.before != change.now))

    def _helpers(self, version: ModuleVersion) -> list[tuple[str, Source | None, Source | None]]:
        """The files that a version imports, directly or not, with their sources now and as they were."""
        attempts = self.world.modules.attempts
        found: dict[str, ModuleVersion] = {}
        todo = deque((*version.asked, *version.later))
        while todo:
            each = attempts.get(todo.popleft())
            if each is not None and each.name not in found:
                found[each.name] = each
                todo.extend((*each.asked, *each.later))
        sources: list[tuple[str, Source | None, Source | None]] = []
        for each in found.values():
            was = self._in_service.get(each.place.file or "")
            if each is not version and was is not None and was is not each and each.source is not None:
                sources.append((each.path, each.source, was.source))
        return sources


def _hash(source: Source | None) -> str | None:
    return None if source is None else source.hash

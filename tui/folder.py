"""The flow folder as the screen sees it: its newest generation in pictures, made in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final

from routilux.loading import FlowEvent, FlowLoader, FlowVersion, Generation, LoadError, LoadRecord
from tui.pictures import Breakage, Catalogue, FlowPicture, picture_of, with_parameters

# The newest loads that are shown.
MOST_LOADS: Final = 500
# How long all else waits for the flows to be on the screen, in seconds; if no screen is there to say so.
_PATIENCE: Final = 2.0


class FlowFolder:
    """Keeps a picture of what a loader has in service.

    A new generation is told in two steps: first everything but the declared parameters, so that flows
    are on the screen early; then these too, whose description imports much and runs the flows' own code.
    With `watch` the folder is watched until `close`, else it is loaded once. What watches imports much too:
    until the flows are on the screen, changes are found by looking now and then.

    All methods may be called from any thread. Only `load` and `describe` block.
    """

    def __init__(self, loader: FlowLoader, *, watch: bool = True) -> None:
        self._loader = loader
        self._watch = watch
        # Notified when any of the following changes, all of which it guards.
        self._news = threading.Condition()
        self._opened = False
        self._closed = False
        self._loaded = False
        self._shown = False
        self._slow: tuple[LoadRecord, ...] = ()
        # The flows of the newest generation -> their pictures, or why they have none. Replaced whole by
        # the folder's thread, so that no version outlives its generation here; `describe` adds to it.
        self._pictures: dict[FlowVersion, FlowPicture | LoadError] = {}
        # Replaced whole by the folder's thread.
        self._catalogue = Catalogue(loader.root, loading=True, watched=watch)
        # The rest is touched by the folder's thread only. Path -> what is wrong with it, and since when.
        self._breakages: dict[str, Breakage] = {}
        self._told = -1
        self._unsubscribe = loader.subscribe(self._note)

    # ---- for the screen

    @property
    def root(self) -> Path:
        return self._loader.root

    @property
    def loader(self) -> FlowLoader:
        return self._loader

    @property
    def catalogue(self) -> Catalogue:
        """The newest picture; another one, whenever something about it is another."""
        return self._catalogue

    def open(self) -> None:
        """Begin to load the folder, and answer at once."""
        with self._news:
            if not self._opened:
                self._opened = True
                threading.Thread(target=self._run, name="routilux-folder", daemon=True).start()

    def load(self) -> Catalogue:
        """Wait for the first picture that shows what is in the folder."""
        self.open()
        with self._news:
            self._news.wait_for(lambda: self._loaded or self._closed)
            return self._catalogue

    def shown(self) -> None:
        """The flows are on the screen: their parameters may be described now."""
        with self._news:
            self._shown = True
            self._news.notify_all()

    def look(self) -> None:
        """See to what came without an event; asked now and then, it costs next to nothing."""
        if self._loader.current.number != self._told or self._is_outdated():
            with self._news:
                self._news.notify_all()

    def version(self, flow_name: str) -> FlowVersion | None:
        """The flow that is in service under that name."""
        return self._loader.catalog.get(flow_name)

    def describe(self, flow_name: str) -> FlowPicture | None:
        """A flow with its parameters, described now if it was not yet. Runs the flow's own code.

        None where there is no such flow; raises what describing it raises.
        """
        version = self.version(flow_name)
        if version is None:
            return None
        with self._news:
            known = self._pictures.get(version)
        if isinstance(known, FlowPicture) and known.described:
            return known
        described = with_parameters(picture_of(version, parameters=False), version.flow)
        with self._news:
            if version in self._pictures:
                self._pictures[version] = described
        return described

    def close(self) -> None:
        """Watch no longer. Waits for no import and no description that is under way."""
        with self._news:
            self._closed = True
            self._news.notify_all()
        self._unsubscribe()
        self._loader.stop()

    # ---- the folder's thread

    def _note(self, event: FlowEvent) -> None:
        with self._news:
            if event.kind == "slow":
                told = LoadRecord(event.generation, datetime.now(UTC), 0.0, (event.path,), (event,))
                self._slow = (*self._slow, told)[-MOST_LOADS:]
            self._news.notify_all()

    def _run(self) -> None:
        if self._watch:
            self._loader.start(watch=False)
        else:
            self._loader.reload()
        is_watched = not self._watch
        slow: tuple[LoadRecord, ...] | None = None
        while True:
            generation = self._loader.current
            if generation.number != self._told or slow != self._slow or self._is_outdated():
                slow = self._slow
                self._take(generation, slow)
                continue
            if not (is_watched and self._catalogue.described) and self._is_shown():
                if not is_watched:
                    self._loader.watch()
                    is_watched = True
                if not self._catalogue.described:
                    self._describe_all(generation)
                continue
            with self._news:
                self._news.wait_for(
                    lambda seen=slow: (
                        self._closed  # type: ignore[misc]
                        or self._loader.current.number != self._told
                        or self._slow != seen
                        or self._is_outdated()
                    )
                )
                if self._closed:
                    return

    def _is_outdated(self) -> bool:
        """Whether the catalogue names files whose import has ended. Asks the loader only if it does."""
        importing = self._catalogue.importing
        return bool(importing) and importing != self._loader.importing

    def _is_shown(self) -> bool:
        """Whether the screen shows the flows, as soon as it does; False if something else comes first."""
        with self._news:
            self._news.wait_for(
                lambda: self._shown or self._closed or self._loader.current.number != self._told, _PATIENCE
            )
            return not self._closed and self._loader.current.number == self._told

    def _take(self, generation: Generation, slow: tuple[LoadRecord, ...]) -> None:
        """Picture a generation without describing parameters anew."""
        loads = self._loader.records
        self._keep_breakages(generation, loads)
        with self._news:
            known = self._pictures
        pictures: dict[FlowVersion, FlowPicture | LoadError] = {}
        for version in generation.flows.values():
            pictures[version] = known.get(version) or _first_picture(version)
        merged = sorted((*loads, *slow), key=lambda load: load.at) if slow else loads
        with self._news:
            # What was described meanwhile is not described again.
            pictures.update(
                (version, self._pictures[version]) for version in pictures.keys() & self._pictures
            )
            self._pictures = pictures
            self._told = generation.number
        self._publish(generation, tuple(merged[-MOST_LOADS:]))

    def _keep_breakages(self, generation: Generation, loads: Iterable[LoadRecord]) -> None:
        for load in loads:
            if load.generation <= self._told:
                continue
            for event in load.events:
                if event.error is not None and event.path not in self._breakages:
                    self._breakages[event.path] = Breakage(event.error, load.generation, load.at)
                elif event.kind in ("fixed", "removed") and event.flow is None:
                    self._breakages.pop(event.path, None)
        self._breakages = {
            path: self._breakages[path]._replace(error=error)
            if path in self._breakages
            else Breakage(error, generation.number, None)
            for path, error in generation.errors.items()
        }

    def _publish(self, generation: Generation, loads: tuple[LoadRecord, ...]) -> None:
        with self._news:
            pictures = dict(self._pictures)
        missing = generation.errors.get(".")
        flows = []
        broken = [error for path, error in generation.errors.items() if path != "."]
        for version, picture in pictures.items():
            if isinstance(picture, LoadError):
                broken.append(picture)
            else:
                breakage = self._breakages.get(version.path)
                flows.append(picture if breakage is None else picture._replace(breakage=breakage))
        catalogue = Catalogue(
            generation.root,
            tuple(flows),
            tuple(broken),
            problem="" if missing is None else missing.message,
            generation=generation.number,
            breakages=MappingProxyType(dict(self._breakages)),
            loads=loads,
            output=self._loader.output,
            watched=self._watch,
            importing=self._loader.importing,
        )
        with self._news:
            self._catalogue = catalogue
            self._loaded = True
            self._news.notify_all()

    def _describe_all(self, generation: Generation) -> None:
        """Describe the parameters that are not yet, unless another generation comes first."""
        for version in generation.flows.values():
            with self._news:
                picture = self._pictures.get(version)
                if self._closed or self._loader.current is not generation:
                    return
            if isinstance(picture, FlowPicture) and not picture.described:
                described: FlowPicture | LoadError
                try:
                    described = with_parameters(picture, version.flow)
                except Exception as error:
                    described = _indescribable(version, error)
                with self._news:
                    if version in self._pictures:
                        self._pictures[version] = described
        self._publish(generation, self._catalogue.loads)


def _first_picture(version: FlowVersion) -> FlowPicture | LoadError:
    try:
        return picture_of(version, parameters=False)
    except Exception as error:
        return _indescribable(version, error)


def _indescribable(version: FlowVersion, error: Exception) -> LoadError:
    message = f"flow {version.name!r} cannot be described: {type(error).__name__}: {error}"
    return LoadError("exception", version.path, version.lineno, message)

"""One execution of one module of a flow folder, and what it is executed for."""

from __future__ import annotations

import builtins
import threading
import weakref
from contextvars import ContextVar
from enum import Enum
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING

from routilux.flow import Flow
from routilux.loading import standing
from routilux.loading.errors import LoadError, shown
from routilux.loading.handlers import Added
from routilux.loading.output import Output
from routilux.loading.sources import LoadedSource, VersionedPath, forget_lines
from routilux.loading.tree import Place, Source

if TYPE_CHECKING:
    from routilux.loading.modules import Modules


class Purpose(Enum):
    """What modules are executed for."""

    # Code at work has imported them late, which must not fail for a file that is broken just now.
    WORK = "work"
    # They are the folder's: loaded for themselves, or imported by such.
    FOLDER = "folder"
    # They have changed since code at work imported them, and are loaded anew for what it imports next.
    NEXT_WORK = "next work"


purpose: ContextVar[Purpose] = ContextVar("routilux_purpose", default=Purpose.WORK)


def is_loading() -> bool:
    """Whether this context loads modules, and is not code at work."""
    return purpose.get() is not Purpose.WORK


class State(Enum):
    RUNNING = "running"
    GOOD = "good"
    FAILED = "failed"
    # Given up before it had ended, because its source has changed; nothing waits for it.
    ABANDONED = "abandoned"


class ModuleVersion:
    """One execution of one module. `state`, `late`, `loaded`, `modules`: guarded by its `Modules`' lock."""

    def __init__(self, modules: Modules, name: str, place: Place, source: Source | None) -> None:
        # The newest for as long as it is one of their attempts, and then its own for good, even where it is
        # still in service: test_old_jobs.py has files that break, and then what they import changes.
        self.modules = modules
        self.name = name
        self.place = place
        # The file, relative to the root, as it can be shown; of a folder without a file, the folder.
        self.path = shown(place.file or place.folder or ".")
        self.source = source
        self.file = None if place.file is None else VersionedPath(f"{modules.world.root}/{place.file}")
        self.state = State.RUNNING
        self.thread = threading.get_ident()
        # Only code at work imports it: its flows are not those of the folder.
        self.late = purpose.get() is not Purpose.FOLDER
        # It has been loaded: its errors are those of the folder. Otherwise the code at work that wanted it
        # fails, and says so.
        self.loaded = is_loading()
        # Names of the folder that it asked for while it was loaded, and those it may ask for at work, whether
        # they exist or not. Dicts, whose copies are atomic.
        self.asked: dict[str, None] = {}
        self.later: dict[str, None] = {}
        self.registered: dict[str, Flow] = {}
        # What it added to loggers at import.
        self.handlers: Added = []
        self.output = Output()
        # The line of the last assignment to each name at the top of the module.
        self.lines: dict[str, int] = {}
        # Once it has failed: what was raised, and in words.
        self.error: BaseException | None = None
        self.problem: LoadError | None = None
        self.module = _make_module(self)
        if self.file is not None:
            weakref.finalize(self, forget_lines, self.file).atexit = False

    def ask(self, name: str) -> None:
        """Note that it imports a name of the folder."""
        if name != self.name:
            (self.asked if is_loading() else self.later)[name] = None

    def __repr__(self) -> str:
        return f"<{self.name} {self.state.value}>"


class FlowModule(ModuleType):
    """A module of a flow folder. A package finds its modules on behalf of whoever asks for them.

    One package serves several states of the folder, in which its modules differ, so they are no
    attributes of it.
    """

    def __getattr__(self, name: str) -> ModuleType:
        if not name.startswith("__"):
            found = standing.submodule(self, name)
            if found is not None:
                return found
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")


def _make_module(version: ModuleVersion) -> FlowModule:
    module = FlowModule(version.name)
    loader = None
    if version.file is not None and version.source is not None:
        loader = LoadedSource(version.name, str.__str__(version.file), version.source.content)
        module.__file__ = loader.path
    folder = version.place.folder
    spec = ModuleSpec(
        version.name, loader, origin=None if loader is None else loader.path, is_package=folder is not None
    )
    spec.has_location = loader is not None
    if folder is not None:
        module.__path__ = spec.submodule_search_locations = [
            f"{version.modules.world.root}/{folder}".rstrip("/")
        ]
    module.__spec__ = spec
    module.__loader__ = loader
    module.__package__ = spec.parent
    module.__dict__["__builtins__"] = {
        **vars(builtins),
        "__import__": version.modules.world.make_import(version),
    }
    return module

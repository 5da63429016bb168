"""What stands in `sys.modules` for the modules of flow folders.

Several versions of a module live at once, under one name: `flows.etl` of a job that was started an hour
ago, and of the one that is started now. Code of the folder imports through `FlowImport`s and never
comes here; but pickle, dataclasses, `typing.get_type_hints` and `inspect` look a module up by its name. They
find a `Standing`, which answers for that version of the module that the code which called them goes with,
seen from the nearest frame of a flow folder; outside of any, for the newest.
"""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import FrameType, ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from routilux.loading.handlers import Added
from routilux.loading.lazy import LazyImport

if TYPE_CHECKING:
    from importlib.abc import Loader, MetaPathFinder

    from routilux.loading.modules import Modules
    from routilux.loading.versions import ModuleVersion
else:
    # The import system asks for methods, not for base classes, and `importlib.abc` brings along
    # `importlib.resources`: an app would start later.
    Loader = MetaPathFinder = object


class World(Protocol):
    """One folder whose modules can be imported by name. `modules` are the newest."""

    root: str
    modules: Modules
    # Whether what modules print at import is kept with them, and not printed.
    captures: bool
    # What the modules that loaded last added to loggers, by name. Guarded by the lock of `modules`.
    handlers: dict[str, Added]

    def is_outside(self, head: str) -> bool:
        """Whether Python or an installed package has a name."""

    def make_import(self, version: ModuleVersion) -> FlowImport:
        """The `__import__` of a version."""

    def plain_target(self, name: str) -> str | None:
        """The whole name of what a plain `import name` means, if that is in the folder."""


class FlowImport:
    """The `__import__` of one version of a module."""

    __slots__ = ("version",)

    def __init__(self, version: ModuleVersion) -> None:
        self.version = version

    def targets(self, lazy: LazyImport) -> list[str]:
        """The names of the folder that an import statement may mean, whether they exist or not."""
        raise NotImplementedError


# Guards the three below.
_lock = threading.RLock()
_installed: list[weakref.ref[World]] = []  # the newest last; one that is forgotten counts no more
_standing: dict[str, Standing] = {}
# What was in sys.modules under a name that has been taken.
_displaced: dict[str, ModuleType] = {}


def caller() -> ModuleVersion | None:
    """The version whose code called, directly or not; None if no code of a flow folder did."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        function = frame.f_builtins.get("__import__")
        if isinstance(function, FlowImport):
            return function.version
        frame = frame.f_back
    return None


def _worlds() -> list[World]:
    """The newest first."""
    return [world for each in reversed(_installed) if (world := each()) is not None]


def _modules_for(name: str, version: ModuleVersion | None) -> Modules | None:
    head = name.partition(".")[0]
    if version is not None and version.modules.package == head:
        return version.modules
    return next((world.modules for world in _worlds() if world.modules.package == head), None)


def submodule(package: ModuleType, name: str) -> ModuleType | None:
    """The module of a package for whoever asks; executed if code of the folder asks and nobody has."""
    full = f"{package.__name__}.{name}"
    version = caller()
    modules = _modules_for(full, version)
    if modules is None:
        return None
    if version is None:
        found = modules.peek(full)
        return None if found is None else found.module
    if full in modules.tree.names:
        return modules.module(full, version)
    version.ask(full)
    return None


_SET_BY_IMPORT = frozenset({"__spec__", "__loader__", "__package__", "__path__", "__file__", "__cached__"})


class Standing(ModuleType):
    """Stands in `sys.modules` for all versions of a module."""

    def __getattribute__(self, name: str) -> Any:
        own = object.__getattribute__(self, "__dict__")
        target = own["__name__"]
        version = caller()
        modules = _modules_for(target, version)
        if modules is not None:
            dunder = name.startswith("__")
            if version is not None and version.name != target and not dunder:
                version.ask(target)
                return getattr(modules.module(target, version), name)
            found = modules.peek(target)
            if found is not None:
                # The very path that the code has, under which its lines are found.
                if name == "__file__" and found.file is not None:
                    return found.file
                return getattr(found.module, name)
        return object.__getattribute__(self, name)

    def __setattr__(self, name: str, value: object) -> None:
        # The import system would mark what it believes to have loaded.
        if name not in _SET_BY_IMPORT:
            setattr(_real(self), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(_real(self), name)

    def __dir__(self) -> list[str]:
        return dir(_real(self))

    def __repr__(self) -> str:
        return f"<standing in for module {_target(self)!r}>"


def _target(standing: Standing) -> str:
    # The module's attributes are another's: its own have to be asked for like this.
    name: str = object.__getattribute__(standing, "__dict__")["__name__"]
    return name


def _real(standing: Standing) -> ModuleType:
    target = _target(standing)
    modules = _modules_for(target, caller())
    found = None if modules is None else modules.peek(target)
    if found is None:
        raise AttributeError(f"module {target!r} is no longer in its folder")
    return found.module


# ---- coming and going


def install(world: World) -> None:
    """Have the modules of a folder found by name, before those of another folder of the same name."""
    with _lock:
        _installed[:] = [each for each in _installed if each() is not None]
        _installed.append(weakref.ref(world))
        if _whole_names not in sys.meta_path:
            sys.meta_path.insert(0, _whole_names)
            sys.meta_path.append(_plain_names)


def uninstall(world: World) -> None:
    """Undo `install`. What the modules are held by keeps working."""
    with _lock:
        _installed[:] = [each for each in _installed if each() not in (None, world)]
        if not _installed:
            sys.meta_path[:] = [each for each in sys.meta_path if each not in (_whole_names, _plain_names)]
    withdraw()


def provide(name: str) -> None:
    """Have a module stand in `sys.modules`."""
    if name in _standing and sys.modules.get(name) is _standing[name]:
        return
    with _lock:
        _take_place(name, Standing(name))


def _take_place(key: str, module: Standing) -> None:
    before = sys.modules.get(key)
    if before is not None and type(before) is not Standing:
        _displaced[key] = before
    _standing[key] = sys.modules[key] = module


def withdraw() -> None:
    """Take what no installed folder has any more out of `sys.modules`."""
    with _lock:
        worlds = _worlds()
        for key, module in list(_standing.items()):
            target = _target(module)
            if any(target in world.modules.tree.names for world in worlds):
                continue
            del _standing[key]
            if sys.modules.get(key) is module:
                del sys.modules[key]
                if key in _displaced:
                    sys.modules[key] = _displaced[key]
            _displaced.pop(key, None)


# ---- imports by code from outside


class _StandingLoader(Loader):
    """Has a module executed, and puts what stands in for it into `sys.modules`."""

    def __init__(self, target: str) -> None:
        self._target = target

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return Standing(self._target)

    def exec_module(self, module: ModuleType) -> None:
        version = caller()
        modules = _modules_for(self._target, version)
        if modules is None:
            raise ModuleNotFoundError(f"No module named {self._target!r}", name=self._target)
        modules.module(self._target, version)


class _WholeNames(MetaPathFinder):
    """Answers for the packages and everything in them, before all others are asked."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        version = caller()
        modules = _modules_for(fullname, version)
        if modules is None:
            return None
        if version is not None:
            version.ask(fullname)
        place = modules.tree.names.get(fullname)
        if place is None:
            return None
        return ModuleSpec(fullname, _StandingLoader(fullname), is_package=place.folder is not None)


class _PlainNames(MetaPathFinder):
    """Answers for `import helpers` after everybody else.

    Last, so that a flow named like an installed module never hides it from the rest of the process.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        version = caller()
        worlds = [version.modules.world] if version is not None else _worlds()
        for world in worlds:
            whole = world.plain_target(fullname)
            if whole is not None:
                return ModuleSpec(
                    fullname,
                    _StandingLoader(whole),
                    is_package=world.modules.tree.names[whole].folder is not None,
                )
        return None


_whole_names, _plain_names = _WholeNames(), _PlainNames()

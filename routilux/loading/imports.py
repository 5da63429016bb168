"""How the code of a flow folder imports: for each version of a module, an `__import__` of its own."""

from __future__ import annotations

import builtins
import re
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

from routilux.loading import handlers, standing
from routilux.loading.frames import is_installed
from routilux.loading.handlers import Added
from routilux.loading.lazy import LazyImport
from routilux.loading.modules import Modules
from routilux.loading.standing import FlowImport
from routilux.loading.tree import Tree
from routilux.loading.versions import ModuleVersion


class FolderWorld:
    """The names under which the modules of one folder are imported.

    As `package.module`, `package` being the folder's name, and so relatively too; and as plain
    `module`, the way a script beside it would, unless Python or an installed package has the name.
    Both names mean the same module object. While installed, the folder's parent is at the end of
    `sys.path`, and code from outside finds the newest modules.
    """

    def __init__(self, root: str, *, captures: bool) -> None:
        self.root = root
        self.captures = captures
        self.handlers: dict[str, Added] = {}
        self.package = package_name(Path(root))
        self.modules = Modules(self, Tree(self.package, {}))
        # Whether a plain name means something outside the folder.
        self._outside: dict[str, bool] = {}
        self._added_path: str | None = None

    def install(self) -> None:
        standing.install(self)
        handlers.watch()
        parent = str(Path(self.root).parent)
        if parent not in sys.path:
            sys.path.append(parent)
            self._added_path = parent

    def uninstall(self) -> None:
        standing.uninstall(self)
        handlers.unwatch()
        if self._added_path in sys.path:
            sys.path.remove(self._added_path)

    def make_import(self, version: ModuleVersion) -> FlowImport:
        return FolderImport(version)

    def plain_target(self, name: str) -> str | None:
        whole = f"{self.package}.{name}"
        if whole not in self.modules.tree.names or self.is_outside(name.partition(".")[0]):
            return None
        return whole

    def is_outside(self, head: str) -> bool:
        """Whether Python or an installed package has a name. The answer is kept."""
        known = self._outside.get(head)
        if known is None:
            known = self._outside[head] = self._find_outside(head)
        return known

    def _find_outside(self, head: str) -> bool:
        if head in sys.builtin_module_names or head in sys.stdlib_module_names:
            return True
        present = sys.modules.get(head)
        if present is not None:
            return type(present) is not standing.Standing
        try:
            spec = PathFinder.find_spec(head)
        except (ImportError, ValueError):
            return False
        if spec is None:
            return False
        places = [spec.origin] if spec.origin else list(spec.submodule_search_locations or ())
        # The folder itself is on the path where one works in it.
        return not all(Path(place).is_relative_to(self.root) for place in places)


def package_name(root: Path) -> str:
    """The folder's name, made an identifier, and another one where the name is somebody else's."""
    name = re.sub(r"\W", "_", root.name) or "flows"
    if name[0].isdigit():
        name = f"_{name}"
    while _is_taken(name):
        name += "_"
    return name


def _is_taken(name: str) -> bool:
    if name in sys.stdlib_module_names or name in ("routilux", "tui"):
        return True
    spec = PathFinder.find_spec(name)
    if spec is None:
        return False
    places = [spec.origin] if spec.origin else list(spec.submodule_search_locations or ())
    return any(is_installed(place) for place in places)


class FolderImport(FlowImport):
    """The `__import__` of one version of a module: asks the `Modules` that the version belongs to."""

    __slots__ = ()

    def __call__(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        version = self.version
        target = self._target(name, level, globals)
        if target is None:
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        modules = version.modules
        module = modules.module(target, version)
        if not fromlist:
            # `import a.b.c` names a.
            length = len(name.partition(".")[0]) + len(target) - len(name)
            return modules.module(target[:length], version)
        if hasattr(module, "__path__"):
            self._import_from(module, target, fromlist)
        return module

    def _import_from(self, module: ModuleType, target: str, fromlist: Sequence[str]) -> None:
        """`from package import modules`: those that are modules are imported first."""
        for name in fromlist:
            if name == "*":
                for each in getattr(module, "__all__", ()):
                    self._import_submodule(module, target, each)
            elif not self._import_submodule(module, target, name) and not hasattr(module, name):
                # Python itself would look into `sys.modules` now, where another folder's may stand.
                file = vars(module).get("__file__")
                place = file or "unknown location"
                raise ImportError(
                    f"cannot import name {name!r} from {target!r} ({place})", name=target, path=file
                )

    def _import_submodule(self, package: ModuleType, target: str, name: str) -> bool:
        """Import a module of a package, unless the package has the name itself; False if there is none."""
        version = self.version
        if name in vars(package):
            return True
        whole = f"{target}.{name}"
        if whole not in version.modules.tree.names:
            version.ask(whole)
            return False
        version.modules.module(whole, version)
        return True

    def _target(self, name: str, level: int, globals: Mapping[str, Any] | None = None) -> str | None:
        """The whole name of a module that may be in the folder; None for everybody else's."""
        version = self.version
        package = version.modules.package
        if level == 0:
            head = name.partition(".")[0]
            if head == package:
                return name
            whole = f"{package}.{head}"
            if not version.modules.world.is_outside(head):
                if whole in version.modules.tree.names:
                    return f"{package}.{name}"
                version.ask(whole)
            return None
        here = (globals or {}).get("__package__") or version.module.__package__ or ""
        parts = here.split(".")
        if parts[0] != package or level > len(parts):
            return None
        above = ".".join(parts[: len(parts) - level + 1])
        return f"{above}.{name}" if name else above

    def targets(self, lazy: LazyImport) -> list[str]:
        """The names of the folder that an import statement may mean, whether they exist or not."""
        target = self._target(lazy.name, lazy.level)
        if target is None:
            return []
        return [target, *(f"{target}.{name}" for name in lazy.names if name != "*")]

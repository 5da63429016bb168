"""How the modules of a flow folder are found, and under which names."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import FileFinder, ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Protocol

from routilux.loading.frames import is_installed


class ExecutionWatcher(Protocol):
    """Told which module of the folder is executed, nested as the imports are. Same thread as the import."""

    def begin(self, path: str) -> None: ...

    def end(self, path: str, error: BaseException | None) -> None: ...


class FolderImports:
    """Makes the modules of one folder importable.

    As `package.module`, `package` being the folder's name, and so relatively too; and as plain
    `module`, the way a script beside it would, unless Python or an installed package has the name.
    Both names mean the same module object. The folder's parent is at the end of `sys.path`.

    One folder is installed at a time, since names are the process's: installing another takes the
    modules of the one before out of `sys.modules`. They keep working where they are held.
    """

    def __init__(self, root: Path, watcher: ExecutionWatcher) -> None:
        self.root = root
        self.package = _package_name(root)
        # None once the folder is loaded: what logic imports later declares no flows.
        self.watcher: ExecutionWatcher | None = watcher
        # Top-level plain names that were imported from the folder.
        self.plain_names: set[str] = set()
        self._finders = (_PackageFinder(self), _PlainNameFinder(self))
        self._added_path: str | None = None

    def install(self) -> None:
        """Take effect, in place of whatever has this package name now."""
        self._forget_modules()
        package_finder, plain_finder = self._finders
        sys.meta_path.insert(0, package_finder)
        sys.meta_path.append(plain_finder)
        parent = str(self.root.parent)
        if parent not in sys.path:
            sys.path.append(parent)
            self._added_path = parent
        importlib.invalidate_caches()

    def uninstall(self) -> None:
        """Undo `install`."""
        self._forget_modules()
        sys.meta_path[:] = [finder for finder in sys.meta_path if finder not in self._finders]
        if self._added_path in sys.path:
            sys.path.remove(self._added_path)

    def _forget_modules(self) -> None:
        heads = {self.package, *self.plain_names}
        for name in [name for name in sys.modules if name.partition(".")[0] in heads]:
            del sys.modules[name]
        self.plain_names.clear()

    def find(self, fullname: str, path: Sequence[str]) -> ModuleSpec | None:
        """The spec of a module of the package, given its parent's path."""
        portions: list[str] = []
        for entry in path:
            # Documented to take a class, it calls what it is given with a name and a path.
            spec = FileFinder(entry, (self._loader, [".py"])).find_spec(fullname)  # type: ignore[arg-type]
            if spec is not None and spec.loader is not None:
                return spec
            if spec is not None:
                portions.extend(spec.submodule_search_locations or ())
        return _folder_spec(fullname, portions) if portions else None

    def find_package(self) -> ModuleSpec:
        """The spec of the folder itself."""
        init = self.root / "__init__.py"
        if not init.is_file():
            return _folder_spec(self.package, [str(self.root)])
        loader = self._loader(self.package, str(init))
        spec = spec_from_file_location(
            self.package, init, loader=loader, submodule_search_locations=[str(self.root)]
        )
        assert spec is not None  # a loader and a location were given
        return spec

    def _loader(self, fullname: str, path: str) -> Loader:
        return _FolderLoader(self, fullname, path)


def _package_name(root: Path) -> str:
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


def _folder_spec(fullname: str, locations: list[str]) -> ModuleSpec:
    spec = ModuleSpec(fullname, None, is_package=True)
    spec.submodule_search_locations = locations
    return spec


class _FolderLoader(SourceFileLoader):
    """Compiles the source as it is now, and tells the watcher."""

    def __init__(self, imports: FolderImports, fullname: str, path: str) -> None:
        super().__init__(fullname, path)
        self._imports = imports

    def path_stats(self, path: str) -> dict[str, float]:
        # Without these the compiled cache is neither read nor written. It is keyed by whole
        # seconds and size, and serves stale code after two quick saves.
        raise OSError("flow modules are not cached")

    def exec_module(self, module: ModuleType) -> None:
        watcher = self._imports.watcher
        if watcher is None:
            super().exec_module(module)
            return
        watcher.begin(self.path)
        try:
            super().exec_module(module)
        except BaseException as error:
            watcher.end(self.path, error)
            raise
        watcher.end(self.path, None)


class _PackageFinder(MetaPathFinder):
    """Answers for the package and everything in it, before all others are asked."""

    def __init__(self, imports: FolderImports) -> None:
        self._imports = imports

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        imports = self._imports
        head, _, rest = fullname.partition(".")
        if head == imports.package:
            return imports.find(fullname, path or ()) if rest else imports.find_package()
        if rest and head in imports.plain_names:
            return ModuleSpec(fullname, _SameModule(f"{imports.package}.{fullname}"))
        return None


class _PlainNameFinder(MetaPathFinder):
    """Answers for `import helpers` after everybody else.

    Last, so that a flow named like an installed module never hides it from the rest of the process.
    """

    def __init__(self, imports: FolderImports) -> None:
        self._imports = imports

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        imports = self._imports
        if path is not None or fullname == imports.package:
            return None
        real_name = f"{imports.package}.{fullname}"
        if imports.find(real_name, [str(imports.root)]) is None:
            return None
        imports.plain_names.add(fullname)
        return ModuleSpec(fullname, _SameModule(real_name))


class _SameModule(Loader):
    """Puts the module of another name under this one as well."""

    def __init__(self, real_name: str) -> None:
        self._real_name = real_name

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        # The import system takes what stands in sys.modules after this call.
        sys.modules[module.__name__] = importlib.import_module(self._real_name)

"""The flow folder, loaded once."""

from __future__ import annotations

import importlib
import os
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, ModuleType

from routilux.flow import Flow
from routilux.loading.declarations import Declaration, declarations
from routilux.loading.errors import LoadError, explain, why_unreadable
from routilux.loading.imports import FolderImports
from routilux.registry import FlowRegistry


@dataclass(frozen=True, slots=True)
class LoadedFlow:
    """A flow and where it is declared. `path` is relative to the root; `lineno` counts from 1."""

    name: str
    flow: Flow
    path: str
    lineno: int


@dataclass(frozen=True, slots=True)
class LoadedFolder:
    """What one load of a folder gave: flows by name, and errors by path relative to the root.

    Both are in alphabetical order and immutable. A file that has an error declares no flows.
    """

    root: Path
    flows: Mapping[str, LoadedFlow]
    errors: Mapping[str, LoadError]


# Held during a load: guards _installed and, as far as loads go, sys.modules and the registrations.
_load_lock = threading.Lock()
_installed: FolderImports | None = None


def load_folder(root: str | os.PathLike[str], registry: FlowRegistry | None = None) -> LoadedFolder:
    """Import every module of a folder and register the flows they declare.

    Modules are the `.py` files of the folder and of its sub-folders, packages included; files and
    folders whose names start with `_` or `.` are left to be imported by others (an `__init__.py`
    belongs to its package). A file that cannot be imported, or declares a flow that another file
    declares as well, becomes an entry of `errors` and never stops the others. The flows are put
    into `registry`, the process's own by default.

    Loading executes the files anew each time, in the calling thread, one load at a time. A folder
    loaded earlier keeps its flows, but `import` statements executed from now on see this one.

    Raises `OSError` for a root that is no folder or cannot be read. Lets `KeyboardInterrupt` through.
    """
    folder = Path(os.path.abspath(root))
    if not folder.exists():
        raise FileNotFoundError(f"there is no flow folder {folder}")
    if not folder.is_dir():
        raise NotADirectoryError(f"the flow folder {folder} is a file; give the folder that holds it")
    with _load_lock:
        load = _Load(folder)
        loaded = load.run()
    target = FlowRegistry.get_instance() if registry is None else registry
    for flow in loaded.flows.values():
        target.register_by_name(flow.name, flow.flow)
    return loaded


class _Load:
    """One load. Watches which file executes, so that registrations and errors belong to files."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._imports = FolderImports(root, self)
        self._modules: dict[Path, ModuleType] = {}
        self._errors: dict[str, LoadError] = {}
        # Real folders that were entered, since a link may lead back up.
        self._entered: set[str] = set()
        # What the process's registry held before each of the files that execute now, innermost last.
        self._before: list[dict[str, Flow]] = []
        self._registered: dict[Path, list[tuple[str, Flow]]] = {}
        # The innermost file that each exception left.
        self._left_first: list[tuple[BaseException, Path]] = []

    def run(self) -> LoadedFolder:
        global _installed
        if _installed is not None:
            _installed.uninstall()
        _installed = self._imports
        self._imports.install()
        try:
            for file, name in self._files(self._root, self._imports.package):
                self._import(file, name)
        finally:
            self._imports.watcher = None
        flows = self._collect(list(declarations(self._modules, self._registered)))
        return LoadedFolder(
            self._root, MappingProxyType(flows), MappingProxyType(dict(sorted(self._errors.items())))
        )

    def _files(self, folder: Path, name: str) -> Iterator[tuple[Path, str]]:
        """The files that may declare flows, with their modules' names; a package before its modules."""
        real = os.path.realpath(folder)
        if real in self._entered or (folder / "pyvenv.cfg").exists():
            return
        self._entered.add(real)
        try:
            entries = sorted(folder.iterdir())
        except OSError as error:
            if folder == self._root:
                raise
            path = self._relative(folder)
            self._errors[path] = LoadError("unreadable", path, None, f"cannot be read: {error.strerror}")
            return
        if folder / "__init__.py" in entries:
            yield folder / "__init__.py", name
        for entry in entries:
            if entry.name.startswith(("_", ".")):
                continue
            if entry.is_dir():
                if re.fullmatch(r"\w+", entry.name):
                    yield from self._files(entry, f"{name}.{entry.name}")
            elif entry.suffix == ".py":
                yield entry, f"{name}.{entry.stem}"

    # ---- executing

    def _import(self, file: Path, name: str) -> None:
        path = self._relative(file)
        error = why_unreadable(file, path)
        if error is None and "." in file.stem:
            rename = f"{file.stem.replace('.', '_')}.py"
            error = LoadError(
                "unreadable", path, None, f"a module's name holds no dots; rename it to {rename}"
            )
        if error is not None:
            self._errors[path] = error
            return
        try:
            module = importlib.import_module(name)
        except KeyboardInterrupt:
            raise
        except BaseException as raised:
            self._failed(file, path, raised)
            return
        finally:
            # Exceptions hold frames, and frames hold the modules' data.
            self._left_first.clear()
        found = module.__spec__.origin if module.__spec__ is not None else None
        if found != str(file):
            hidden_by = self._relative(Path(found)) if found else f"{self._relative(file.with_suffix(''))}/"
            self._errors[path] = LoadError(
                "conflict", path, None, f"hidden by {hidden_by}; rename one of them"
            )
            return
        self._errors.pop(path, None)
        self._modules[file] = module

    def _failed(self, file: Path, path: str, raised: BaseException) -> None:
        culprit = next((left for error, left in self._left_first if error is raised), file)
        if culprit == file:
            self._errors[path] = explain(file, path, raised)
            return
        blocked_by = self._relative(culprit)
        # A file whose name starts with _ is not imported for itself, so its error is told here.
        self._errors.setdefault(blocked_by, explain(culprit, blocked_by, raised))
        # In a cycle of imports, each file looks blocked by the next: the first error found stays.
        self._errors.setdefault(path, explain(file, path, raised, blocked_by))

    def begin(self, path: str) -> None:
        """A file starts to execute."""
        self._before.append(_registrations())

    def end(self, path: str, error: BaseException | None) -> None:
        """A file has executed: take its registrations out again, and keep them if it succeeded."""
        before, now = self._before.pop(), _registrations()
        registry = FlowRegistry.get_instance()
        new = [(name, flow) for name, flow in now.items() if before.get(name) is not flow]
        for name, _ in new:
            if name in before:
                registry.register_by_name(name, before[name])
            else:
                registry.unregister(name)
        if error is None:
            self._registered[Path(path)] = new
        elif all(known is not error for known, _ in self._left_first):
            self._left_first.append((error, Path(path)))

    # ---- collecting

    def _collect(self, declared: list[Declaration]) -> dict[str, LoadedFlow]:
        """The flows by name. A file with a name that is taken declares nothing at all."""
        by_file: dict[Path, list[Declaration]] = {}
        for declaration in declared:
            by_file.setdefault(declaration.file, []).append(declaration)
        taken: dict[str, Declaration] = {}
        for file in sorted(by_file):
            own: dict[str, Declaration] = {}
            for declaration in sorted(by_file[file], key=lambda each: each.lineno):
                other = taken.get(declaration.name) or own.get(declaration.name)
                if other is not None:
                    path = self._relative(file)
                    self._errors[path] = self._conflict(path, declaration, other)
                    break
                own[declaration.name] = declaration
            else:
                taken.update(own)
        return {
            name: LoadedFlow(name, each.flow, self._relative(each.file), each.lineno)
            for name, each in sorted(taken.items())
        }

    def _conflict(self, path: str, declaration: Declaration, other: Declaration) -> LoadError:
        places = f"{self._relative(other.file)}:{other.lineno} and {path}:{declaration.lineno}"
        message = f"flow {declaration.name!r} is declared in {places}; give one of them another name"
        return LoadError("conflict", path, declaration.lineno, message)

    def _relative(self, file: Path) -> str:
        path = file.relative_to(self._root) if file.is_relative_to(self._root) else file
        # A name that is not UTF-8 is shown with escapes; as it is, it could not be printed.
        return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


def _registrations() -> dict[str, Flow]:
    registry = FlowRegistry.get_instance()
    flows = {name: registry.get_by_name(name) for name in registry.list_names()}
    return {name: flow for name, flow in flows.items() if flow is not None}

"""From the modules of a folder to its flows and errors: what is in service, and what is held back.

What loads is in service at once. What is bad news (an error, a flow that is gone) may be a file caught
half-written, and counts only once nothing has changed about it for a while.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from routilux.loading.declarations import Declaration, declarations
from routilux.loading.errors import LoadError, shown
from routilux.loading.generation import FlowVersion
from routilux.loading.modules import Modules
from routilux.loading.tree import is_private, module_name
from routilux.loading.versions import ModuleVersion, State


@dataclass(slots=True)
class Catalogue:
    """What is in service. `served` is the version of each module that its flows are from, by path."""

    flows: dict[str, FlowVersion] = field(default_factory=dict)
    errors: dict[str, LoadError] = field(default_factory=dict)
    served: dict[str, ModuleVersion] = field(default_factory=dict)

    def frozen(self) -> tuple[Mapping[str, FlowVersion], Mapping[str, LoadError]]:
        """Both mappings, immutable and in alphabetical order."""
        return (
            MappingProxyType(dict(sorted(self.flows.items()))),
            MappingProxyType(dict(sorted(self.errors.items()))),
        )


def roots(modules: Modules) -> list[str]:
    """The names of the modules that are loaded for themselves, in their order."""
    tree = modules.tree
    names = (module_name(tree.package, path) for path in tree.sources if not is_private(path))
    return [name for name in names if (place := tree.names.get(name)) is not None and place.file is not None]


def collect(
    modules: Modules, before: Catalogue, generation: int, is_due: Callable[[str], bool]
) -> tuple[Catalogue, bool]:
    """The catalogue of these modules, as generation number `generation`; and whether it holds news back.

    `is_due` says of a file whether bad news of it count already.
    """
    tree = modules.tree
    flows_of: dict[str, list[FlowVersion]] = {}
    for flow in before.flows.values():
        flows_of.setdefault(flow.path, []).append(flow)
    loaded = {
        version.place.file: version
        for version in modules.newest()
        if version.place.file is not None and version.loaded
    }
    current = {path: version for path, version in loaded.items() if not version.late}
    holds = False
    # Files that loaded, and lose flows by it that nobody else has.
    withheld: set[str] = set()
    while True:
        good = [
            current[path]
            for path in tree.sources
            if path in current and current[path].state is State.GOOD and path not in withheld
        ]
        after, conflicts = _first_come(good, before, generation)
        lost = {
            path
            for path in after.served
            if any(flow.name not in after.flows for flow in flows_of.get(shown(path), ()))
            and not is_due(path)
        }
        if not lost:
            break
        withheld |= lost
        holds = True

    found = _errors(modules, loaded, conflicts)
    for path, error in found.items():
        if is_due(path):
            after.errors[shown(path)] = error
        else:
            holds = True
    for path in tree.sources:
        # A helper that nobody imports any more is not executed, and not wrong.
        undecided = path not in found and (
            loaded[path].state is State.RUNNING if path in loaded else not is_private(path)
        )
        if (undecided or (path in found and not is_due(path))) and shown(path) in before.errors:
            after.errors[shown(path)] = before.errors[shown(path)]
    # Those not in service by themselves have their last good flows, as far as nobody else has the names.
    for path, version in before.served.items():
        if path in tree.sources and path not in after.served:
            after.served[path] = version
            for flow in flows_of.get(shown(path), ()):
                after.flows.setdefault(flow.name, flow)
    if tree.missing:
        after.errors["."] = LoadError("unreadable", ".", None, tree.missing)
    return after, holds


def _first_come(
    good: list[ModuleVersion], before: Catalogue, generation: int
) -> tuple[Catalogue, dict[str, LoadError]]:
    """The flows of the modules that loaded. A file with a name that is taken declares nothing at all."""
    by_file: dict[str, list[Declaration]] = {}
    for declaration in declarations(good):
        by_file.setdefault(declaration.version.place.file or "", []).append(declaration)
    after = Catalogue()
    taken: dict[str, Declaration] = {}
    conflicts: dict[str, LoadError] = {}
    for version in good:
        path = version.place.file or ""
        own: dict[str, Declaration] = {}
        for declaration in sorted(by_file.get(path, ()), key=lambda each: each.lineno):
            other = taken.get(declaration.name) or own.get(declaration.name)
            if other is not None:
                conflicts[path] = _conflict(declaration, other)
                break
            own[declaration.name] = declaration
        else:
            taken.update(own)
            after.served[path] = version
            for name, each in own.items():
                after.flows[name] = _flow_version(each, before, generation)
    return after, conflicts


def _flow_version(declaration: Declaration, before: Catalogue, generation: int) -> FlowVersion:
    """As it was before, if nothing about it is new."""
    version = declaration.version
    known = before.flows.get(declaration.name)
    new = FlowVersion(
        declaration.name,
        declaration.flow,
        generation,
        version.path,
        declaration.lineno,
        "" if version.source is None else version.source.hash,
    )
    if (
        known is not None
        and before.served.get(version.place.file or "") is version
        and (known.flow, known.path, known.lineno) == (new.flow, new.path, new.lineno)
    ):
        return known
    return new


def _conflict(declaration: Declaration, other: Declaration) -> LoadError:
    path = declaration.version.path
    places = f"{other.version.path}:{other.lineno} and {path}:{declaration.lineno}"
    message = f"flow {declaration.name!r} is declared in {places}; give one of them another name"
    return LoadError("conflict", path, declaration.lineno, message)


def _errors(
    modules: Modules, loaded: Mapping[str, ModuleVersion], conflicts: Mapping[str, LoadError]
) -> dict[str, LoadError]:
    """What is wrong, by path as the tree has it."""
    tree = modules.tree
    found = {
        path: version.problem
        for path, version in loaded.items()
        if version.state is State.FAILED and version.problem is not None
    }
    found.update(conflicts)
    for path, problem in tree.problems.items():
        found[path] = LoadError("unreadable", shown(path), None, problem)
    for path in tree.sources:
        stem = path.rpartition("/")[2].removesuffix(".py")
        if is_private(path):
            continue
        if path in tree.hidden:
            message = f"hidden by {shown(tree.hidden[path])}; rename one of them"
            found[path] = LoadError("conflict", shown(path), None, message)
        elif "." in stem:
            message = f"a module's name holds no dots; rename it to {stem.replace('.', '_')}.py"
            found[path] = LoadError("unreadable", shown(path), None, message)
    return found

"""Which flows the modules of a folder declare, and where."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from weakref import WeakKeyDictionary

from routilux.flow import Flow
from routilux.loading.tree import is_private
from routilux.loading.versions import ModuleVersion


class Declaration(NamedTuple):
    """A flow, under one name, in one version of a module."""

    name: str
    flow: Flow
    version: ModuleVersion
    lineno: int


def declarations(versions: Iterable[ModuleVersion]) -> Iterator[Declaration]:
    """Every flow of the modules once per name, in no order.

    `versions` are those of the files that loaded, helpers included, in the order of their paths. A
    flow registered at import belongs to the file that registered it, be it only a helper, and has the
    names it was registered under. Any other is an object at the top level of a module that is not
    private: it belongs to the file that assigns it, not to those that import it, and has its `flow_id`
    as name.
    """
    declared: set[int] = set()
    found: list[tuple[ModuleVersion, str, Flow]] = []
    for version in versions:
        for name, flow in version.registered.items():
            declared.add(id(flow))
            variable = next((key for key, value in vars(version.module).items() if value is flow), None)
            yield Declaration(name, flow, version, _line(version, variable, name, flow.flow_id))
        if not is_private(version.place.file or ""):
            found += [
                (version, variable, value)
                for variable, value in list(vars(version.module).items())
                if isinstance(value, Flow)
            ]
    # Those assigned in their file first, so that they are not taken for the importing file's.
    found.sort(key=lambda entry: entry[1] not in entry[0].lines)
    for version, variable, flow in found:
        if id(flow) not in declared:
            declared.add(id(flow))
            yield Declaration(flow.flow_id, flow, version, _line(version, variable, flow.flow_id))


# Parsed once per version, and only where no assignment tells the line.
_known_calls: WeakKeyDictionary[ModuleVersion, dict[str, int]] = WeakKeyDictionary()


def _line(version: ModuleVersion, variable: str | None, *texts: str) -> int:
    """The line that assigns the variable, else the first call that one of the texts is given to."""
    if variable in version.lines:
        return version.lines[variable]
    calls = _known_calls.get(version)
    if calls is None:
        calls = _known_calls[version] = _calls(version)
    return next((calls[text] for text in texts if text in calls), 1)


def _calls(version: ModuleVersion) -> dict[str, int]:
    """Which lines first give a string to a call."""
    lines: dict[str, int] = {}
    try:
        tree = ast.parse(b"" if version.source is None else version.source.content)
    except (SyntaxError, ValueError):  # it compiled; and only lines would be lost
        return lines
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for argument in node.args:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    lines.setdefault(argument.value, node.lineno)
    return lines

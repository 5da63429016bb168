"""Which flows the modules of a folder declare, and where."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary

from routilux.flow import Flow
from routilux.loading.modules import ModuleVersion
from routilux.loading.tree import is_private


@dataclass(frozen=True, slots=True)
class Declaration:
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
            yield Declaration(name, flow, version, _lines(version).of(variable, name, flow.flow_id) or 1)
        if not is_private(version.place.file or ""):
            found += [
                (version, variable, value)
                for variable, value in list(vars(version.module).items())
                if isinstance(value, Flow)
            ]
    # Those assigned in their file first, so that they are not taken for the importing file's.
    found.sort(key=lambda entry: _lines(entry[0]).assigned(entry[1]) is None)
    for version, variable, flow in found:
        if id(flow) not in declared:
            declared.add(id(flow))
            yield Declaration(flow.flow_id, flow, version, _lines(version).of(variable, flow.flow_id) or 1)


# Parsed once per version, and only where there is a flow.
_known_lines: WeakKeyDictionary[ModuleVersion, _Lines] = WeakKeyDictionary()


def _lines(version: ModuleVersion) -> _Lines:
    lines = _known_lines.get(version)
    if lines is None:
        lines = _known_lines[version] = _Lines(b"" if version.source is None else version.source.content)
    return lines


class _Lines:
    """Where a source assigns its names, and which calls it gives which strings. Parsed when first asked."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def of(self, variable: str | None, *texts: str) -> int | None:
        """The line that assigns the variable, else the first call that one of the texts is given to."""
        line = self.assigned(variable) if variable else None
        return line or next((self._calls[text] for text in texts if text in self._calls), None)

    def assigned(self, variable: str) -> int | None:
        """The line of the last assignment to a variable at module level; None if it came by import."""
        return self._assignments.get(variable)

    @cached_property
    def _tree(self) -> ast.Module:
        try:
            return ast.parse(self._content)
        except (
            SyntaxError,
            ValueError,
        ):  # it has been compiled, so it cannot be; and only lines would be lost
            return ast.Module([], [])

    @cached_property
    def _assignments(self) -> dict[str, int]:
        return {
            name: statement.lineno
            for statement in _module_level(self._tree)
            for name in _assigned_names(statement)
        }

    @cached_property
    def _calls(self) -> dict[str, int]:
        lines: dict[str, int] = {}
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Call):
                for argument in node.args:
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                        lines.setdefault(argument.value, node.lineno)
        return lines


def _module_level(tree: ast.Module) -> Iterator[ast.stmt]:
    """The statements that execute with the module, those inside `if`, `for`, `with` and `try` included."""
    todo: list[ast.AST] = [tree]
    while todo:
        for child in ast.iter_child_nodes(todo.pop(0)):
            if isinstance(child, ast.stmt):
                yield child
            if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.expr)):
                todo.append(child)


def _assigned_names(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.Assign):
        targets: list[ast.expr] = statement.targets
    elif isinstance(statement, (ast.AnnAssign, ast.For)):
        targets = [statement.target]
    elif isinstance(statement, ast.With):
        targets = [item.optional_vars for item in statement.items if item.optional_vars is not None]
    else:
        return
    for target in targets:
        for node in ast.walk(target):
            if isinstance(node, ast.Name):
                yield node.id

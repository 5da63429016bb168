"""The imports that functions make when they run, read from their code."""

from __future__ import annotations

import dis
from collections.abc import Iterator
from types import CodeType
from typing import Any, Final, NamedTuple

_IMPORT_NAME: Final = dis.opmap["IMPORT_NAME"]


class LazyImport(NamedTuple):
    """`from name import names`, or `import name` with no names; `level` counts the leading dots."""

    name: str
    names: tuple[str, ...]
    level: int


def lazy_imports(code: CodeType) -> Iterator[LazyImport]:
    """The import statements below a module's own code, which have not run when it has executed."""
    todo = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    while todo:
        inner = todo.pop()
        todo += [constant for constant in inner.co_consts if isinstance(constant, CodeType)]
        # Most functions import nothing, and to see that is cheap.
        if _IMPORT_NAME in inner.co_code[::2]:
            yield from _imports_of(inner)


def _imports_of(code: CodeType) -> Iterator[LazyImport]:
    # The compiler puts level and names right before; only constants count here.
    constants: list[Any] = []
    for instruction in dis.get_instructions(code):
        if instruction.opcode == _IMPORT_NAME:
            level, names = constants[-2:] if len(constants) >= 2 else (0, None)
            yield LazyImport(instruction.argval, names or (), level if isinstance(level, int) else 0)
        elif instruction.opname.startswith("LOAD_CONST") or instruction.opname == "LOAD_SMALL_INT":
            constants.append(instruction.argval)

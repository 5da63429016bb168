"""The imports that functions make when they run, read from their code."""

from __future__ import annotations

import dis
import re
from collections.abc import Iterator
from types import CodeType
from typing import Any, Final, NamedTuple

_IMPORT_NAME: Final = dis.opmap["IMPORT_NAME"]
# What takes a module's name as a string; any that could be one is taken for one.
_BY_NAME: Final = frozenset({"import_module", "__import__"})
_A_NAME: Final = re.compile(r"\.*\w+(\.\w+)*")


class LazyImport(NamedTuple):
    """`from name import names`, or `import name` with no names; `level` counts the leading dots."""

    name: str
    names: tuple[str, ...]
    level: int


def lazy_imports(code: CodeType) -> Iterator[LazyImport]:
    """The imports below a module's own code, which have not run when it has executed.

    By statement, or by a name that stands there as a string.
    """
    todo = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    while todo:
        inner = todo.pop()
        todo += [constant for constant in inner.co_consts if isinstance(constant, CodeType)]
        # Most functions import nothing, and to see that is cheap.
        if _IMPORT_NAME in inner.co_code[::2]:
            yield from _imports_of(inner)
        if _BY_NAME & set(inner.co_names):
            for constant in inner.co_consts:
                if isinstance(constant, str) and _A_NAME.fullmatch(constant):
                    name = constant.lstrip(".")
                    yield LazyImport(name, (), len(constant) - len(name))


def _imports_of(code: CodeType) -> Iterator[LazyImport]:
    # The compiler puts level and names right before; only constants count here.
    constants: list[Any] = []
    for instruction in dis.get_instructions(code):
        if instruction.opcode == _IMPORT_NAME:
            level, names = constants[-2:] if len(constants) >= 2 else (0, None)
            yield LazyImport(instruction.argval, names or (), level if isinstance(level, int) else 0)
        elif instruction.opname.startswith("LOAD_CONST") or instruction.opname == "LOAD_SMALL_INT":
            constants.append(instruction.argval)

"""What is read from the code of a module: where it assigns its names, and what its functions import."""

from __future__ import annotations

import dis
import re
from bisect import bisect_right
from collections.abc import Iterator
from types import CodeType
from typing import Any, Final, NamedTuple

_IMPORT_NAME: Final = dis.opmap["IMPORT_NAME"]
_IMPORT_FROM: Final = dis.opmap["IMPORT_FROM"]
_EXTENDED_ARG: Final = dis.opmap["EXTENDED_ARG"]
_STORE_NAME: Final = dis.opmap["STORE_NAME"]
# What takes a module's name as a string; any that could be one is taken for one.
_BY_NAME: Final = frozenset({"import_module", "__import__"})
_A_NAME: Final = re.compile(r"\.*\w+(\.\w+)*")


def assigned_lines(code: CodeType) -> dict[str, int]:
    """The line of the last assignment to each name that a module makes itself, not by import."""
    operations, arguments, names = code.co_code[::2], code.co_code[1::2], code.co_names
    offsets: dict[str, int] = {}
    at = operations.find(_STORE_NAME)
    while at >= 0:
        name, before = arguments[at], at - 1
        if before >= 0 and operations[before] == _EXTENDED_ARG:
            name |= arguments[before] << 8
            before -= 1
        while before >= 0 and not operations[before]:  # the room of an instruction's cache is made of zeros
            before -= 1
        if before < 0 or operations[before] not in (_IMPORT_NAME, _IMPORT_FROM):
            offsets[names[name]] = at * 2
        at = operations.find(_STORE_NAME, at + 1)
    ranges = [(begin, line) for begin, _, line in code.co_lines() if line is not None]
    begins = [begin for begin, _ in ranges]
    return {name: ranges[bisect_right(begins, offset) - 1][1] for name, offset in offsets.items()}


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

"""What writing and reading JSON share: the tags, the types behind them, and how values are spoken of."""

from __future__ import annotations

import math
import reprlib
import sys
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType, NoneType
from typing import Any, Final, NoReturn, TypeAlias

from routilux.exceptions import SerializationError

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
_Read: TypeAlias = "Callable[[Any], object]"
TAG: Final = "$type"
# A level of data is up to three levels of JSON, and the C encoder of `json` may recurse no deeper than
# the interpreter's limit, of which the caller's own frames take their share.
MAX_DEPTH: Final = 100
# Longer ones have more digits than `int` reads where sys.set_int_max_str_digits is at its least, 640.
_MAX_INT_BITS: Final = 2000
SCALARS: Final = frozenset({NoneType, bool, int, float, str})
FACTORIES: Final[dict[str, Callable[[], object]]] = {
    factory.__name__: factory for factory in (list, dict, set, int, float, str, bool, tuple)
}
# What no remedy can make of data, by the name a user knows it by.
SPOKEN: Final = {
    "_thread.lock": "threading.Lock",
    "_thread.RLock": "threading.RLock",
    "_io.TextIOWrapper": "open file",
    "_io.BufferedReader": "open file",
    "_io.BufferedWriter": "open file",
}
NAMED: Final[dict[type, str]] = {
    ModuleType: "module",
    FunctionType: "function",
    BuiltinFunctionType: "function",
    MethodType: "method",
}
short = reprlib.Repr()
short.maxstring = short.maxother = 80


class Walker:
    """Knows where in the data it stands."""

    def __init__(self, where: str) -> None:
        self._where = where
        # The way from the top to the value at hand, as templates and what fills them.
        # An error leaves it as it is, so that whoever reports it still knows the place.
        self._path: list[tuple[str, object]] = []

    def fail(self, problem: str, cause: BaseException | None = None) -> NoReturn:
        steps = [template.format(short.repr(key) if "[" in template else key) for template, key in self._path]
        if len(steps) > 12:
            steps[6:-3] = ["..."]
        place = f"{self._where} -> {''.join(steps)}" if steps else self._where
        raise SerializationError(f"{place}: {problem}") from cause


def scalar(value: Any) -> Json:
    """The tree of a value of one of `SCALARS`."""
    cls = type(value)
    if cls is str and not is_unicode(value):
        return {TAG: "str", "value": value.encode("unicode_escape").decode("ascii")}
    if cls is float and not math.isfinite(value):
        return {TAG: "float", "value": repr(value)}
    if cls is int and value.bit_length() > _MAX_INT_BITS:
        return {TAG: "int", "value": hex(value)}
    return value  # type: ignore[no-any-return]


def is_unicode(text: str) -> bool:
    """Whether `text` is free of lone surrogates, which names of files bring that are not UTF-8."""
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


@cache
def leaves() -> dict[type, tuple[str, Callable[[Any], Json], _Read]]:
    """For each type of values without parts: its tag, how it is written and how it is read."""
    # Imported here because together they cost a start several milliseconds.
    from decimal import Decimal
    from pathlib import Path, PurePosixPath, PureWindowsPath
    from uuid import UUID

    def base64(value: bytes | bytearray) -> str:
        return b2a_base64(value, newline=False).decode("ascii")

    def from_base64(text: str) -> bytes:
        return a2b_base64(text, strict_mode=True)

    return {
        date: ("date", date.isoformat, date.fromisoformat),
        timedelta: ("timedelta", lambda d: [d.days, d.seconds, d.microseconds], lambda v: timedelta(*v)),
        Decimal: ("decimal", str, Decimal),
        UUID: ("uuid", str, UUID),
        # With slashes, so that a relative one is also right on a machine of another kind.
        type(Path()): ("path", lambda path: scalar(path.as_posix()), Path),
        PurePosixPath: ("posixpath", lambda path: scalar(str(path)), PurePosixPath),
        PureWindowsPath: ("windowspath", lambda path: scalar(str(path)), PureWindowsPath),
        bytes: ("bytes", base64, from_base64),
        bytearray: ("bytearray", base64, lambda text: bytearray(from_base64(text))),
        complex: ("complex", lambda z: [repr(z.real), repr(z.imag)], lambda v: complex(*map(float, v))),
    }


@cache
def tags() -> dict[str, _Read]:
    """For each tag of values without parts: how it is read from what stands under "value"."""
    scalars: dict[str, _Read] = {
        "str": lambda text: text.encode("ascii").decode("unicode_escape"),
        "float": float,
        "int": lambda digits: int(digits, 16),
    }
    return scalars | {tag: read for tag, _, read in leaves().values()}


def is_model(cls: type) -> bool:
    """Whether `cls` is a pydantic model. Where pydantic was never imported, nothing is one."""
    pydantic = sys.modules.get("pydantic.main")
    return pydantic is not None and issubclass(cls, pydantic.BaseModel)


def main_name() -> str:
    """The name others import the main module by, where it has one: it was started with `python -m`."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    return spec.name if spec else "__main__"


def find_in(module: ModuleType, qualname: str) -> type | None:
    """The class, or class inside a class, that `module` holds by that name."""
    found: Any = module
    for name in qualname.split("."):
        found = getattr(found, name, None)
        if not isinstance(found, type):
            return None
    return found  # type: ignore[no-any-return]


def spoken_of(value: object) -> str:
    """What `value` is, for a message: "a threading.Lock", "the class Point"."""
    cls = type(value)
    if isinstance(value, type) or cls in NAMED:
        return f"the {NAMED.get(cls, 'class')} {getattr(value, '__qualname__', None) or value.__name__}"  # type: ignore[attr-defined]
    name = cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
    name = SPOKEN.get(name, name)
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"

"""Any value as a short text, made without running any code of the value's class.

For texts that the engine takes while a job runs: a `__repr__` that raises, blocks, prints or answers
with 100 MB is never called. Containers are read through the methods of the built-in types, objects
through their attributes. Nothing here raises, and what it costs is bounded by the room it is given.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import islice
from types import (
    BuiltinFunctionType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Any, Final, NamedTuple

from routilux.plain_copy import held_now

# In place of what nobody is to read.
HIDDEN: Final = "••••"
# Elements of one container, characters of one string, levels.
_ELEMENTS: Final = 30
_STRING: Final = 200
_DEEPEST: Final = 5
# Values that are looked at in search of secrets.
_SEARCHED: Final = 10_000
# A shorter secret is hidden where it stands alone: inside other texts it may be part of any word.
_LEAST: Final = 4


class Secrets(NamedTuple):
    """What a job's parameters hold that nobody is to read: by which names, and the texts themselves."""

    names: frozenset[str] = frozenset()
    texts: tuple[str, ...] = ()

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Secrets:
        """The secrets among parameters, at any depth: values that have a `get_secret_value`."""
        names: set[str] = set()
        texts: set[str] = set()
        todo = _named("", held_now(values))
        for _ in range(_SEARCHED):
            if not todo:
                break
            name, value = todo.pop()
            kind = type(value)
            if kind is dict:
                todo += _named(name, value.copy())
            elif kind is list or kind is tuple:
                todo += [(name, each) for each in value[:_SEARCHED]]
            elif _hides(kind):
                if name:
                    names.add(name)
                texts.update(_told(value))
        return cls(frozenset(names), tuple(sorted(texts, key=len, reverse=True)))

    def scrub(self, text: str) -> str:
        """`text` without the secrets."""
        for secret in self.texts:
            if len(secret) >= _LEAST and secret in text:
                text = text.replace(secret, HIDDEN)
        return text


def _named(around: str, values: dict[Any, Any]) -> list[tuple[str, Any]]:
    """The values by name; what goes by something else than a str has the name of what is around it."""
    return [(key if type(key) is str else around, each) for key, each in values.items()]


def _told(secret: Any) -> set[str]:
    """The texts by which a secret could be read: as it is, and as a repr writes it."""
    try:
        told = secret.get_secret_value()
    except Exception:
        return set()
    if isinstance(told, bytes):
        told = told.decode("utf-8", "replace")
    told = str(told) if isinstance(told, (str, int)) else ""
    return {told, repr(told)[1:-1]} - {""}


def text_of(value: Any, room: int, secrets: Secrets = Secrets(), name: str = "") -> str:  # noqa: B008  # immutable
    """`value` on one line of about `room` characters at most, much as Python would write it.

    `name` is what the value is called; a secret's name hides whatever goes by it.
    """
    if name in secrets.names:
        return HIDDEN
    writer = _Writer(room, secrets)
    try:
        writer.write(value, 0)
    except Exception as error:
        # Another thread changes it, or its class plays with how Python finds attributes.
        writer.put(f"<{type(value).__name__}: {type(error).__name__} while it was read>")
    return secrets.scrub("".join(writer.pieces))


class _Writer:
    """Writes one value, piece by piece, until there is no more room."""

    def __init__(self, room: int, secrets: Secrets) -> None:
        self.pieces: list[str] = []
        self._left = room
        self._secrets = secrets
        # What is being written, from the outside in.
        self._above: list[int] = []

    def put(self, text: str) -> None:
        if len(text) > self._left:
            text = text[: max(self._left, 0)] + "…"
        self.pieces.append(text)
        self._left -= len(text)

    def write(self, value: Any, depth: int) -> None:
        if self._left <= 0:
            return
        kind = type(value)
        if kind is str or kind is bytes:
            self._string(value, kind)
        elif kind in _PLAIN:
            self._plain(value, kind)
        elif _hides(kind):
            self.put(HIDDEN)
        elif depth >= _DEEPEST:
            self.put("…")
        elif id(value) in self._above:
            self.put("<holds itself>")
        else:
            self._above.append(id(value))
            self._parts(value, kind, depth)
            self._above.pop()

    def _plain(self, value: Any, kind: type) -> None:
        if kind is int and value.bit_length() > 2000:
            self.put(f"<int of {value.bit_length():,} bits>")
        elif kind in (int, float) and repr(value) in self._secrets.texts:
            self.put(HIDDEN)
        else:
            self.put(repr(value))

    def _string(self, value: Any, base: Any) -> None:
        size = base.__len__(value)
        shown = base.__getitem__(value, slice(0, max(0, min(_STRING, self._left))))
        texts = self._secrets.texts
        if texts and self._is_secret(value, base, size):
            self.put(HIDDEN)
            return
        if texts and base is str and size > len(shown):
            # A secret that is cut in two would be found by nobody.
            whole = base.__getitem__(value, slice(0, len(shown) + len(texts[0])))
            shown = self._secrets.scrub(whole)[: len(shown)]
        self.put(repr(shown) + (f"… ({size:,} in all)" if size > len(shown) else ""))

    def _is_secret(self, value: Any, base: Any, size: int) -> bool:
        if size > max(map(len, self._secrets.texts)) * 4:
            return False
        text = (
            str.__str__(value)
            if base is str
            else base.__getitem__(value, slice(None)).decode("utf-8", "replace")
        )
        return text in self._secrets.texts

    def _parts(self, value: Any, kind: type, depth: int) -> None:
        name = kind.__name__
        bases = kind.__mro__
        fields = _static(kind, "_fields") if tuple in bases else None
        if kind in _trusted():
            self.put(repr(value))
        elif dict in bases:
            self._pairs(*_around(name, kind is dict, "{}"), dict.items(value), dict.__len__(value), depth)
        elif list in bases:
            self._elements(
                *_around(name, kind is list, "[]"), list.__iter__(value), list.__len__(value), depth
            )
        elif isinstance(fields, tuple):
            pairs = zip(map(str, fields), tuple.__iter__(value), strict=False)
            self._pairs(f"{name}(", ")", pairs, len(fields), depth, "=")
        elif tuple in bases:
            size = tuple.__len__(value)
            closing = ",)" if size == 1 else ")"
            self._elements("(", closing, tuple.__iter__(value), size, depth)
        elif set in bases or frozenset in bases:
            own: Any = set if set in bases else frozenset
            opening, closing = _around(name, kind is set, "{}") if own.__len__(value) else (f"{name}(", ")")
            self._elements(opening, closing, own.__iter__(value), own.__len__(value), depth)
        elif deque in bases:
            self._elements(f"{name}([", "])", deque.__iter__(value), deque.__len__(value), depth)
        elif str in bases or bytes in bases:
            if _is_enum(kind):
                self._member(value, name)
            else:
                self._string(value, str if str in bases else bytes)
        elif bytearray in bases or kind is memoryview:
            self.put(f"<{name} of {len(value):,} bytes>")
        elif BaseException in bases:
            arguments = BaseException.args.__get__(value)  # type: ignore[attr-defined]
            self._elements(f"{name}(", ")", iter(arguments), len(arguments), depth)
        else:
            self._object(value, kind, depth)

    def _object(self, value: Any, kind: type, depth: int) -> None:
        name = kind.__name__
        if _is_enum(kind):
            self._member(value, name)
        elif type in kind.__mro__:
            self.put(f"<class {value.__module__}.{value.__qualname__}>")
        elif kind in _NAMED:
            self.put(f"<{_NAMED[kind]} {getattr(value, '__qualname__', None) or value.__name__}>")
        elif kind.__module__.partition(".")[0] in _ARRAYS and kind.__name__ in _ARRAYS_OF:
            self.put(f"<{name} of shape {tuple(value.shape)}>")
        elif kind in _speaking():
            self.put(repr(value))
        else:
            attributes = attributes_of(value)
            if attributes:
                self._pairs(f"{name}(", ")", iter(attributes.items()), len(attributes), depth, "=")
            else:
                module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
                self.put(f"<{module}{kind.__qualname__} object>")

    def _member(self, value: Any, name: str) -> None:
        self.put(f"{name}.{object.__getattribute__(value, '_name_')}")

    def _pairs(
        self,
        opening: str,
        closing: str,
        pairs: Iterable[tuple[Any, Any]],
        size: int,
        depth: int,
        joint: str = ": ",
    ) -> None:
        self.put(opening)
        for at, (key, item) in enumerate(islice(pairs, _ELEMENTS)):
            if self._left <= 0:
                return
            self.put(", " if at else "")
            if joint == "=":
                self.put(f"{key}=")
            else:
                self.write(key, depth + 1)
                self.put(joint)
            if type(key) is str and key in self._secrets.names:
                self.put(HIDDEN)
            else:
                self.write(item, depth + 1)
        self._close(closing, size)

    def _elements(self, opening: str, closing: str, items: Iterator[Any], size: int, depth: int) -> None:
        self.put(opening)
        for at, item in enumerate(islice(items, _ELEMENTS)):
            if self._left <= 0:
                return
            self.put(", " if at else "")
            self.write(item, depth + 1)
        self._close(closing, size)

    def _close(self, closing: str, size: int) -> None:
        if size > _ELEMENTS:
            self.put(f", … {size - _ELEMENTS:,} more")
        self.put(closing)


def attributes_of(value: Any) -> dict[str, Any]:
    """The attributes of an object that it would show: without those that its fields say are not for a
    repr, those whose names begin with an underscore last. No code of its class runs."""
    kind = type(value)
    found: dict[str, Any] = {}
    # A class that defines a `__dict__` of its own kind would run it.
    if type(_static(kind, "__dict__")) is GetSetDescriptorType:
        attributes = object.__getattribute__(value, "__dict__")
        if type(attributes) is dict:
            found.update(attributes)
    for base in kind.__mro__:
        for name, member in vars(base).items():
            if type(member) is MemberDescriptorType and name not in found and name[:2] != "__":
                try:
                    found[name] = member.__get__(value)
                except AttributeError:
                    continue  # declared, and never set
    fields = _static(kind, "__dataclass_fields__") or _static(kind, "__pydantic_fields__")
    if type(fields) is dict:
        found = {name: each for name, each in found.items() if getattr(fields.get(name), "repr", True)}
    public = {name: each for name, each in found.items() if not str(name).startswith("_")}
    return {**public, **found}


def _around(name: str, bare: bool, pair: str) -> tuple[str, str]:
    """What stands around the elements: of a subclass its name too."""
    return (pair[0], pair[1]) if bare else (f"{name}({pair[0]}", f"{pair[1]})")


def _static(kind: type, name: str) -> Any:
    """An attribute of a class, found without asking its metaclass."""
    return next((vars(base)[name] for base in kind.__mro__ if name in vars(base)), None)


def _hides(kind: type) -> bool:
    return _static(kind, "get_secret_value") is not None


def _is_enum(kind: type) -> bool:
    enum = sys.modules.get("enum")
    return enum is not None and enum.Enum in kind.__mro__


@cache
def _trusted() -> frozenset[type]:
    """Classes of the standard library whose repr is short, quick and raises nothing."""
    # Imported here, because a start would pay for what only failures need.
    from datetime import date, datetime, time, timedelta, timezone
    from decimal import Decimal
    from fractions import Fraction
    from pathlib import PosixPath, PurePosixPath, PureWindowsPath, WindowsPath
    from uuid import UUID

    return frozenset(
        {date, datetime, time, timedelta, timezone, Decimal, Fraction, UUID, PosixPath, WindowsPath,
         PurePosixPath, PureWindowsPath, range, slice}
    )  # fmt: skip


@cache
def _speaking() -> frozenset[type]:
    """Classes of this library whose repr says what they are."""
    modules = (("job_state", "JobState"), ("job", "Job"), ("flow", "Flow"), ("runtime", "Runtime"))
    loaded = ((sys.modules.get(f"routilux.{module}"), name) for module, name in modules)
    return frozenset(getattr(module, name) for module, name in loaded if module is not None)


_PLAIN: Final = frozenset({int, float, complex, bool, type(None), type(...)})
_NAMED: Final[dict[type, str]] = {
    FunctionType: "function",
    BuiltinFunctionType: "function",
    MethodType: "method",
    ModuleType: "module",
}
# Libraries of large arrays and tables, and the classes that have a shape.
_ARRAYS: Final = frozenset({"numpy", "pandas", "polars", "torch"})
_ARRAYS_OF: Final = frozenset({"ndarray", "DataFrame", "Series", "Tensor"})

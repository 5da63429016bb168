"""Values whose classes do what no class should where one only looks at them."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from enum import Enum
from pathlib import PosixPath
from types import MappingProxyType
from typing import Any, NoReturn

# What ran of these classes, in which thread.
RAN: list[tuple[str, str]] = []


def refuse(what: str) -> NoReturn:
    RAN.append((what, threading.current_thread().name))
    raise LookupError(f"{what}: not outside of a session")


class Proxy:
    """As lazy objects of web frameworks: the class is found when it is asked for."""

    @property
    def __class__(self) -> Any:
        refuse("__class__")

    @__class__.setter
    def __class__(self, value: Any) -> None: ...


class Guarded:
    def __getattribute__(self, name: str) -> Any:
        refuse("__getattribute__")


class Wordless:
    def __str__(self) -> str:
        refuse("__str__")

    __repr__ = __str__


class Detached:
    """A descriptor that has to ask elsewhere, as mapped classes have."""

    def __get__(self, instance: object, owner: type) -> Any:
        if instance is None:
            return self
        refuse("__get__")

    def __set__(self, instance: object, value: object) -> None: ...


@dataclass
class Row:
    number: int = 7
    related: Any = None


Row.related = Detached()


class Text(str):
    def __getitem__(self, at: Any) -> str:
        refuse("__getitem__")

    def __bool__(self) -> bool:
        refuse("__bool__")

    def __str__(self) -> str:
        refuse("__str__")


class Place(PosixPath):
    def __str__(self) -> str:
        refuse("__str__")


class Colour(Enum):
    RED = "red"

    @property
    def value(self) -> str:
        refuse("value")


class Day(date):
    def isoformat(self) -> str:
        refuse("isoformat")


class Zone(tzinfo):
    def utcoffset(self, moment: object) -> Any:
        refuse("utcoffset")

    def __repr__(self) -> str:
        refuse("__repr__")


class Meta(type):
    def __getattr__(cls, name: str) -> Any:
        refuse("__getattr__")


class Dynamic(metaclass=Meta):
    pass


class Alike(type):
    """Classes of it can be compared, and have no hash."""

    def __eq__(cls, other: object) -> bool:
        refuse("__eq__")


class Unhashable(metaclass=Alike):
    pass


class Mapped(dict[str, int]):
    def __len__(self) -> int:
        refuse("__len__")

    def __iter__(self) -> Any:
        refuse("__iter__")

    def items(self) -> Any:
        refuse("items")


def values() -> dict[str, Any]:
    """One of each, by what it is."""
    return {
        "proxy": Proxy(), "guarded": Guarded(), "wordless": Wordless(), "row": Row(), "text": Text("words"),
        "path": Place("/a"), "member": Colour.RED, "day": Day(2025, 6, 12),
        "moment": datetime(2025, 6, 12, tzinfo=Zone()), "dynamic": Dynamic(), "unhashable": Unhashable(),
        "mapped": Mapped(a=1), "view": MappingProxyType(Mapped(a=1)), "digits": 10**5000,
        "members": [Colour.RED, Proxy()], "keys": {Wordless(): 1},
    }  # fmt: skip

"""Values into JSON trees."""

from __future__ import annotations

import dataclasses
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from enum import Enum, Flag
from functools import cached_property
from types import GeneratorType
from typing import Any, Final

from routilux.codec_types import (
    FACTORIES,
    MAX_DEPTH,
    NAMED,
    SCALARS,
    SPOKEN,
    TAG,
    Json,
    Walker,
    find_in,
    is_model,
    is_unicode,
    leaves,
    main_name,
    scalar,
    short,
    spoken_of,
)

_SEQUENCES: Final[dict[type, str]] = {tuple: "tuple", set: "set", frozenset: "frozenset", range: "range"}


class Encoder(Walker):
    def __init__(self, where: str) -> None:
        super().__init__(where)
        # Identities of the containers around the value at hand: meeting one again is a cycle.
        self._open: set[int] = set()

    def encode(self, value: Any) -> Json:
        cls = type(value)
        if cls in SCALARS:
            return scalar(value)
        if leaf := leaves().get(cls):
            tag, write, _ = leaf
            return {TAG: tag, "value": write(value)}
        if cls is datetime or cls is time:
            return self._moment(value)
        if issubclass(cls, Enum):
            return self._enum(value)
        if id(value) in self._open:
            self.fail(f"{spoken_of(value)} contains itself, which JSON cannot express")
        if len(self._path) >= MAX_DEPTH:
            self.fail(f"the data is nested more than {MAX_DEPTH} levels deep; flatten it")
        self._open.add(id(value))
        tree = self._container(cls, value)
        self._open.remove(id(value))
        return tree

    def at(self, template: str, key: object, value: object) -> Json:
        """The tree of `value`, which sits one step deeper."""
        if type(value) in SCALARS:
            return scalar(value)
        self._path.append((template, key))
        tree = self.encode(value)
        self._path.pop()
        return tree

    def _container(self, cls: Any, value: Any) -> Json:
        if cls is list:
            return self._items(value)
        if cls is dict:
            if TAG not in value and all(type(key) is str and is_unicode(key) for key in value):
                return {key: self.at("[{}]", key, item) for key, item in list(value.items())}
            return {TAG: "dict", "items": self._pairs(value)}
        if cls in _SEQUENCES:
            items = (value.start, value.stop, value.step) if cls is range else value
            return {TAG: _SEQUENCES[cls], "items": self._items(items)}
        if cls is deque:
            return {TAG: "deque", "items": self._items(value), "maxlen": value.maxlen}
        if cls is OrderedDict or cls is Counter:
            return {TAG: cls.__name__, "items": self._pairs(value)}
        if cls is defaultdict:
            return {TAG: "defaultdict", "items": self._pairs(value), "factory": self._factory(value)}
        if issubclass(cls, tuple) and hasattr(cls, "_fields"):
            self._refuse_more(value, ())
            return self._instance("namedtuple", value, dict(zip(cls._fields, value, strict=True)))
        if dataclasses.is_dataclass(cls):
            return self._dataclass(cls, value)
        if is_model(cls):
            return self._model(cls, value)
        self.fail(f"{spoken_of(value)} cannot be saved as JSON; {_remedy(value)}")

    def _items(self, values: Iterable[object]) -> Json:
        return [self.at("[{}]", index, value) for index, value in enumerate(list(values))]

    def _pairs(self, values: Mapping[Any, object]) -> Json:
        return [
            [self.at(" (its key [{}])", key, key), self.at("[{}]", key, value)]
            for key, value in list(values.items())
        ]

    def _attributes(self, values: Mapping[str, object]) -> dict[str, Json]:
        return {name: self.at(".{}", name, value) for name, value in values.items()}

    def _instance(self, tag: str, value: object, fields: Mapping[str, object]) -> dict[str, Json]:
        return {TAG: tag, "class": self._class_name(value), "fields": self._attributes(fields)}

    def _factory(self, value: defaultdict[Any, Any]) -> str | None:
        factory = value.default_factory
        name = getattr(factory, "__name__", "")
        if factory is not None and FACTORIES.get(name) is not factory:
            self.fail(
                f"a defaultdict whose values come from {short.repr(factory)} cannot be saved as JSON; "
                f"turn it into a dict, or use one of {', '.join(FACTORIES)}"
            )
        return name if factory else None

    def _moment(self, value: datetime | time) -> Json:
        tree: dict[str, Json] = {TAG: type(value).__name__, "value": value.isoformat()}
        if value.fold:
            tree["fold"] = value.fold
        zone = value.tzinfo
        key = getattr(zone, "key", None) if type(zone).__module__.startswith("zoneinfo") else None
        if key:
            tree |= {"value": value.replace(tzinfo=None).isoformat(), "zone": key}
        elif zone is not None and value.utcoffset() is None:
            self.fail(f"a {type(value).__name__} whose time zone {zone!r} tells no offset cannot be saved")
        return tree

    def _enum(self, value: Enum) -> Json:
        cls = type(value)
        name: Any = value._name_  # what `name` says, even where the class has a `name` of its own
        if cls.__members__.get(name) is value:
            return {TAG: "enum", "class": self._class_name(value), "name": name}
        if isinstance(value, Flag):
            return {TAG: "enum", "class": self._class_name(value), "flags": scalar(int(value.value))}
        self.fail(f"{spoken_of(value)} that is none of the members of its class cannot be saved as JSON")

    def _dataclass(self, cls: Any, value: Any) -> Json:
        foreign = _builtin_base(cls)
        if foreign is not None:
            self.fail(
                f"{spoken_of(value)} cannot be saved as JSON: "
                f"it is both a dataclass and a {foreign.__name__}; save the values it is made of"
            )
        names = [field.name for field in dataclasses.fields(cls)]
        # A field with init=False may have no value yet.
        tree = self._instance("dataclass", value, {n: getattr(value, n) for n in names if hasattr(value, n)})
        if more := _more_attributes(value, names):
            tree["more"] = self._attributes(more)
        return tree

    def _model(self, cls: Any, value: Any) -> Json:
        names = cls.model_fields
        self._refuse_more(value, names)
        tree = self._instance(
            "model", value, {name: vars(value)[name] for name in names if name in vars(value)}
        )
        tree["set"] = [*sorted(value.model_fields_set)]
        if value.__pydantic_extra__ is not None:
            tree["extra"] = self.at(".{}", "model_extra", value.__pydantic_extra__)
        if value.__pydantic_private__ is not None:
            tree["private"] = self._attributes(value.__pydantic_private__)
        return tree

    def _refuse_more(self, value: object, fields: Iterable[str]) -> None:
        if more := _more_attributes(value, fields):
            names = ", ".join(more)
            self.fail(
                f"{spoken_of(value)} with attributes besides its fields ({names}) cannot be saved as JSON"
            )

    def _class_name(self, value: object) -> str:
        """The "module:qualname" to find the class by, in this process or another."""
        module, qualname = type(value).__module__, type(value).__qualname__
        problem = f"{spoken_of(value)} cannot be saved as JSON: no other process could find its class, "
        if "<locals>" in qualname:
            self.fail(f"{problem}defined inside a function; define it at the top of a module")
        if module in sys.modules and find_in(sys.modules[module], qualname) is None:
            self.fail(f"{problem}as {module} has no {qualname}; bind it there, under its own name")
        return f"{main_name() if module == '__main__' else module}:{qualname}"


def _builtin_base(cls: type) -> type | None:
    """The built-in class besides `object` that `cls` derives from, whose contents are no attributes."""
    made_by_a_class_statement = 1 << 9  # Py_TPFLAGS_HEAPTYPE
    return next((base for base in cls.__mro__[:-1] if not base.__flags__ & made_by_a_class_statement), None)


def _more_attributes(value: object, fields: Iterable[str]) -> dict[str, object]:
    """What `value` holds besides `fields`, without what a cached_property can work out again."""
    return {
        name: item
        for name, item in getattr(value, "__dict__", {}).items()
        if name not in fields and not isinstance(getattr(type(value), name, None), cached_property)
    }


def _remedy(value: object) -> str:
    """What the user can do about a `value` that cannot be saved."""
    cls = type(value)
    if isinstance(value, type) or cls in NAMED:
        return "save its name instead"
    if hasattr(cls, "get_secret_value"):
        return "secrets are not written to files"
    if cls.__module__.partition(".")[0] == "numpy":
        return "turn it into plain Python with .tolist()"
    if isinstance(value, BaseException):
        return "save its text, str(error), instead"
    if isinstance(value, GeneratorType):
        return "turn it into a list"
    for plain in (str, int, float, list, dict, tuple, set, frozenset, bytes, datetime, date):
        if isinstance(value, plain):
            return f"turn it into a plain {plain.__name__}"
    if f"{cls.__module__}.{cls.__qualname__}" in SPOKEN:
        return "make it where it is used, and keep it out of items and of the job's data"
    return "make its class a dataclass, or save the values it is made of"

"""JSON trees into values."""

from __future__ import annotations

import dataclasses
import importlib
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from datetime import datetime, time
from enum import Enum, Flag
from typing import Any, Final

from routilux.codec_types import (
    FACTORIES,
    MAX_DEPTH,
    SCALARS,
    TAG,
    Walker,
    find_in,
    is_model,
    main_name,
    short,
    spoken_of,
    tags,
)
from routilux.exceptions import SerializationError

_UNSET: Final = object()  # stands for a field that has no value


class Decoder(Walker):
    def decode(self, tree: object) -> Any:
        if type(tree) in SCALARS:
            return tree
        if len(self._path) > MAX_DEPTH:
            self.fail(f"the data is nested more than {MAX_DEPTH} levels deep")
        if isinstance(tree, list):
            return self.items(tree)
        if not isinstance(tree, dict):
            self.fail(f"{spoken_of(tree)} is no JSON")
        if TAG in tree:
            return self._tagged(tree)
        for key in tree:
            if type(key) is not str:
                self.fail(f"the key {short.repr(key)} is no JSON")
        return {key: self.at("[{}]", key, item) for key, item in tree.items()}

    def at(self, template: str, key: object, tree: object) -> Any:
        """The value of `tree`, which sits one step deeper."""
        if type(tree) in SCALARS:
            return tree
        self._path.append((template, key))
        value = self.decode(tree)
        self._path.pop()
        return value

    def _tagged(self, tree: dict[str, Any]) -> Any:
        tag = tree[TAG]
        if not isinstance(tag, str) or (tag not in _READERS and tag not in tags()):
            self.fail(
                f"the type tag {short.repr(tag)} is not known; the file was written by a newer version "
                "of Routilux, or is none of its files"
            )
        try:
            return _READERS[tag](self, tree) if tag in _READERS else tags()[tag](self.decode(tree["value"]))
        except (SerializationError, RecursionError):
            raise
        except KeyError as error:
            self.fail(f"the {tag} that was saved here is damaged: it has no {error}", error)
        except Exception as error:  # besides nonsense in the file: hashing runs code of the user's
            self.fail(f"the {tag} that was saved here is damaged: {error}", error)

    def items(self, trees: object) -> list[Any]:
        if not isinstance(trees, list):
            self.fail(f"{spoken_of(trees)} stands where a list of items should")
        return [self.at("[{}]", index, tree) for index, tree in enumerate(trees)]

    def pairs(self, tree: dict[str, Any]) -> dict[Any, Any]:
        found = {}
        for key_tree, item in tree["items"]:
            key = self.at(" (a key)", "", key_tree)
            found[key] = self.at("[{}]", key, item)
        return found

    def attributes(self, trees: object) -> dict[str, Any]:
        if not isinstance(trees, dict):
            self.fail(f"{spoken_of(trees)} stands where a dict of attributes should")
        return {name: self.at(".{}", name, tree) for name, tree in trees.items()}

    def fields(
        self, cls: type, trees: object, names: Iterable[str], default: Callable[[str], object]
    ) -> dict[str, Any]:
        """The saved values of the fields `names`, and `default(name)` for those the file does not have.

        `default` raises KeyError for a field that has none.
        """
        saved, names = self.attributes(trees), tuple(names)
        changed = f"the class {cls.__module__}.{cls.__qualname__} has changed since it was saved:"
        for name in saved:
            if name not in names:
                self.fail(
                    f"{changed} it has no field {name!r} any more (it has {', '.join(names) or 'none'})"
                )
        values = {}
        for name in names:
            try:
                values[name] = saved[name] if name in saved else default(name)
            except KeyError as error:
                self.fail(f"{changed} its field {name!r} is not in the file and has no default", error)
        return {name: value for name, value in values.items() if value is not _UNSET}

    def find_class(self, tree: dict[str, Any], kind: str, accepts: Callable[[Any], bool]) -> Any:
        """The class that `tree` names, imported if need be; only one of the kind the tag is for."""
        name = tree["class"]
        module_name, _, qualname = str(name).partition(":")
        if not isinstance(name, str) or not module_name or module_name.startswith(".") or not qualname:
            self.fail(f"{short.repr(name)} does not name a class as 'module:Class' does")
        problem = f"the class {module_name}.{qualname} cannot be found:"
        if module_name == main_name():
            module_name = "__main__"
        try:
            module = sys.modules.get(module_name) or importlib.import_module(module_name)
        except (Exception, SystemExit) as error:  # the module is the user's
            self.fail(f"{problem} importing {module_name} raised {type(error).__name__}: {error}", error)
        cls = find_in(module, qualname)
        if cls is None and module_name == "__main__":
            self.fail(
                f"{problem} it was defined in the script that ran when it was saved; run that script again, "
                "or define the class in a module that both import"
            )
        if cls is None:
            self.fail(f"{problem} {module_name} has no class {qualname} any more")
        if not accepts(cls):
            self.fail(f"{module_name}.{qualname} is no {kind} any more, as it was when it was saved")
        return cls


def _read_dataclass(decoder: Decoder, tree: dict[str, Any]) -> object:
    cls = decoder.find_class(tree, "dataclass", dataclasses.is_dataclass)
    declared = {field.name: field for field in dataclasses.fields(cls)}
    described = getattr(cls, "__pydantic_fields__", {})  # a pydantic dataclass has Field(...) as defaults

    def default(name: str) -> object:
        if name in described:
            return _model_default(described[name], name)
        field = declared[name]
        if field.default is not dataclasses.MISSING:
            return field.default
        if field.default_factory is not dataclasses.MISSING:
            return field.default_factory()
        if field.init:
            raise KeyError(name)
        return _UNSET

    values = decoder.fields(cls, tree["fields"], declared, default)
    more = decoder.attributes(tree.get("more", {}))
    instance = object.__new__(cls)
    for name, value in values.items():
        object.__setattr__(instance, name, value)  # past the guard of a frozen one
    if more:
        vars(instance).update(more)
    return instance


def _model_default(described: Any, name: str) -> object:
    if described.is_required():
        raise KeyError(name)
    return described.get_default(call_default_factory=True, validated_data={})


def _read_model(decoder: Decoder, tree: dict[str, Any]) -> object:
    cls = decoder.find_class(tree, "pydantic model", is_model)
    private = cls.__private_attributes__

    def private_default(name: str) -> object:
        value = private[name].get_default()
        return _UNSET if type(value).__name__ == "PydanticUndefinedType" else value

    state = {
        "__dict__": decoder.fields(
            cls, tree["fields"], cls.model_fields, lambda name: _model_default(cls.model_fields[name], name)
        ),
        "__pydantic_fields_set__": {str(name) for name in decoder.items(tree["set"])},
        "__pydantic_extra__": decoder.at(".{}", "model_extra", tree.get("extra")),
        "__pydantic_private__": None,
    }
    if private:
        saved = tree.get("private", {})
        state["__pydantic_private__"] = decoder.fields(cls, saved, private, private_default)
    instance = cls.__new__(cls)
    sys.modules["pydantic.main"].BaseModel.__setstate__(instance, state)
    return instance


def _read_named_tuple(decoder: Decoder, tree: dict[str, Any]) -> object:
    cls = decoder.find_class(tree, "named tuple", lambda c: issubclass(c, tuple) and hasattr(c, "_fields"))
    values = decoder.fields(cls, tree["fields"], cls._fields, cls._field_defaults.__getitem__)
    return tuple.__new__(cls, values.values())


def _read_enum(decoder: Decoder, tree: dict[str, Any]) -> object:
    cls = decoder.find_class(tree, "enum", lambda c: issubclass(c, Enum))
    if "flags" in tree and issubclass(cls, Flag):
        return cls(decoder.decode(tree["flags"]))
    members, name = cls.__members__, tree["name"]
    if name not in members:
        spoken = f"the class {cls.__module__}.{cls.__qualname__}"
        decoder.fail(f"{spoken} has no member {name!r} any more (it has {', '.join(members) or 'none'})")
    return members[name]


def _read_moment(decoder: Decoder, tree: dict[str, Any]) -> object:
    cls: Any = datetime if tree[TAG] == "datetime" else time
    value = cls.fromisoformat(tree["value"]).replace(fold=tree.get("fold", 0))
    if "zone" in tree:
        from zoneinfo import ZoneInfo  # few jobs need it, and every start would pay

        try:
            return value.replace(tzinfo=ZoneInfo(tree["zone"]))
        except LookupError as error:
            decoder.fail(f"the time zone {tree['zone']!r} is not known on this machine", error)
    return value


def _read_defaultdict(decoder: Decoder, tree: dict[str, Any]) -> object:
    name = tree["factory"]
    return defaultdict(None if name is None else FACTORIES[name], decoder.pairs(tree))


_READERS: Final[dict[str, Callable[[Decoder, dict[str, Any]], object]]] = {
    "dict": lambda decoder, tree: decoder.pairs(tree),
    "tuple": lambda decoder, tree: tuple(decoder.items(tree["items"])),
    "set": lambda decoder, tree: set(decoder.items(tree["items"])),
    "frozenset": lambda decoder, tree: frozenset(decoder.items(tree["items"])),
    "range": lambda decoder, tree: range(*decoder.items(tree["items"])),
    "deque": lambda decoder, tree: deque(decoder.items(tree["items"]), tree["maxlen"]),
    "OrderedDict": lambda decoder, tree: OrderedDict(decoder.pairs(tree)),
    "Counter": lambda decoder, tree: Counter(decoder.pairs(tree)),
    "defaultdict": _read_defaultdict,
    "datetime": _read_moment,
    "time": _read_moment,
    "enum": _read_enum,
    "namedtuple": _read_named_tuple,
    "dataclass": _read_dataclass,
    "model": _read_model,
}

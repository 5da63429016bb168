"""The values a job is started with: what is wrong with them, and what a validated one becomes."""

from __future__ import annotations

import re
import reprlib
from collections import deque
from collections.abc import Collection, Mapping, Sequence, Set
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Literal, get_args, get_origin

from routilux.exceptions import FieldError
from routilux.params_declared import declared_by
from routilux.params_types import is_declaration, is_model, is_root_model, kind_of, take_apart

if TYPE_CHECKING:
    from pydantic import ValidationError


def named_values(value: Any) -> dict[str, Any]:
    """The fields of an instance of a declaration, and the extra ones a model allows."""
    from dataclasses import fields  # here, because it costs start-up time

    if isinstance(value, dict):
        return value
    if is_model(type(value)):
        named = {name: getattr(value, name) for name in type(value).model_fields}
        return named | (value.model_extra or {})
    return {field.name: getattr(value, field.name) for field in fields(value)}


def plain_value(value: Any, *, enums: bool = True) -> Any:
    """`value` with instances of declarations turned into dicts, at any depth; without `enums`, members
    into their values."""
    cls = type(value)
    if not enums and isinstance(value, Enum):
        return value.value
    if is_root_model(cls):
        return plain_value(value.root, enums=enums)
    if cls is dict or is_declaration(cls):
        return {key: plain_value(item, enums=enums) for key, item in named_values(value).items()}
    if cls is list or cls is tuple:
        return cls(plain_value(item, enums=enums) for item in value)
    if cls is set or cls is frozenset:
        items = [plain_value(item, enums=enums) for item in value]
        return cls(items) if not any(isinstance(item, dict) for item in items) else items
    return value


def find_unknown(annotation: Any, value: Any, path: tuple[str, ...], found: dict[str, FieldError]) -> None:
    """Add what `value`, given for `annotation`, holds under keys that no declaration in there knows."""
    types = take_apart(annotation).types
    expected = types[0] if len(types) == 1 else None
    origin, args = get_origin(expected), get_args(expected)
    if is_declaration(expected) and not is_root_model(expected) and isinstance(value, Mapping):
        declared = declared_by(expected)
        given: dict[str, Any] = {}
        for key, item in value.items():
            name = declared.names.get(key)
            place = ".".join((*path, name or str(key)))
            if name is None and not declared.allows_extra:
                found[place] = FieldError(place, _unknown(key, declared.infos))
            elif name in given:
                found[place] = FieldError(place, f"is given twice, as {given[name]!r} and as {key!r}")
            elif name is not None:
                given[name] = key
                find_unknown(declared.infos[name].annotation, item, (*path, name), found)
    elif len(args) == 2 and kind_of(expected) == "dict" and isinstance(value, Mapping):
        for key, item in value.items():
            find_unknown(args[1], item, (*path, str(key)), found)
    elif args and kind_of(origin) == "list" and isinstance(value, list | tuple):
        for index, item in enumerate(value):
            if origin is not tuple or args[-1] is Ellipsis:
                find_unknown(args[0], item, (*path, str(index)), found)


def _unknown(key: Any, names: Collection[str]) -> str:
    import difflib  # a typing error is rare, and every start would pay

    close = difflib.get_close_matches(str(key), names, n=1)
    if close:
        return f"there is no such parameter; did you mean {close[0]!r}?"
    return f"there is no such parameter; there is {', '.join(names) or 'none at all'}"


def field_errors(
    declaration: Any, values: Mapping[str, Any], error: ValidationError
) -> dict[str, FieldError]:
    """What pydantic found, by field. It reports each branch of a union by itself."""
    problems: dict[tuple[str, ...], list[Any]] = {}
    for problem in error.errors(include_url=False):
        problems.setdefault(_path(declaration, values, problem), []).append(problem)
    errors = {}
    for path, found in problems.items():
        shown = None if found[0]["type"] == "missing" or _hides(declaration, path) else found[0]["input"]
        sentence = " or ".join(dict.fromkeys(_sentence(problem) for problem in found))
        sentence = sentence.replace(" or should be ", " or ")
        tellable = isinstance(shown, str | int | float) or (shown is None and found[0]["input"] is None)
        if sentence.startswith("should ") and tellable and ", not " not in sentence:
            sentence += f", not {reprlib.repr(shown)}"
        errors[".".join(path)] = FieldError(".".join(path), sentence, shown)
    return errors


def _path(declaration: Any, values: Any, problem: Any) -> tuple[str, ...]:
    """Where in `values` a problem lies, by the names of fields. Pydantic's own account goes by their
    aliases, and also names branches of unions."""
    path: list[str] = []
    here = values
    # What may be declared for `here`.
    expected: Sequence[Any] = (declaration,)
    location = problem["loc"]
    while location:
        name, parts, declared = _step(expected, location)
        missing = problem["type"] == "missing" and parts == len(location)
        if not path or missing or _holds(here, location[0]):
            path.append(name)
            expected = declared
        else:
            parts = 1  # a branch of a union
        for part in location[:parts]:
            here = _inside(here, part)
        location = location[parts:]
    return tuple(path)


def _step(expected: Sequence[Any], location: Sequence[Any]) -> tuple[str, int, Sequence[Any]]:
    """The name of what the beginning of `location` means in values of the `expected` types, how many
    parts of `location` say so, and the types that are expected inside."""
    items: list[Any] = []
    for found in (found for each in expected for found in take_apart(each).types):
        if is_root_model(found):
            name, parts, declared = _step((found.model_fields["root"].annotation,), location)
            if declared:
                return name, parts, declared
        elif is_declaration(found):
            if at := declared_by(found).field_at(location):
                name, parts = at
                return name, parts, (declared_by(found).infos[name].annotation,)
        elif get_origin(found) is not Literal:
            items += get_args(found)
    return str(location[0]), 1, items


def _holds(here: Any, part: Any) -> bool:
    """Whether `here` has something under a key or an index."""
    if isinstance(here, Mapping):
        return part in here
    return isinstance(part, int) and isinstance(here, list | tuple | Set | deque)


def _inside(here: Any, part: Any) -> Any:
    """What `here` has under a key or an index; itself where it has no such thing, None where that cannot
    be told."""
    if not _holds(here, part):
        return here
    if isinstance(here, Mapping):
        return here[part]
    return here[part] if isinstance(here, list | tuple) and part < len(here) else None


def _hides(declaration: Any, path: tuple[str, ...]) -> bool:
    """Whether the value at `path` is a secret or may hold one."""
    annotation = declaration
    for name in path:
        inner = _inner_declaration(annotation)
        info = declared_by(inner).infos.get(name) if inner else None
        if info is not None:  # or else `name` is an index or a key of a container
            annotation = info.annotation
    return _inner_declaration(annotation) is not None or any(
        hasattr(found, "get_secret_value") for found in take_apart(annotation).types
    )


def hides_secret(annotation: Any, levels: int = 6) -> bool:
    """Whether values of `annotation` are secrets, or may hold one at any depth.

    `levels` ends the search in declarations that refer to themselves.
    """
    for found in take_apart(annotation).types if levels else ():
        if hasattr(found, "get_secret_value") or hasattr(get_origin(found), "get_secret_value"):
            return True
        inner = list(get_args(found)) if get_origin(found) is not Literal else []
        if is_root_model(found):
            inner = [found.model_fields["root"].annotation]
        elif is_declaration(found):
            inner = [info.annotation for info in declared_by(found).infos.values()]
        if any(hides_secret(each, levels - 1) for each in inner):
            return True
    return False


def _inner_declaration(annotation: Any, levels: int = 6) -> Any:
    """The first declaration in `annotation`, also as the type of items; None if there is none.

    `levels` ends the search in a `type` statement that refers to itself.
    """
    for found in take_apart(annotation).types if levels else ():
        if is_declaration(found) and not is_root_model(found):
            return found
        for arg in get_args(found):
            if (inner := _inner_declaration(arg, levels - 1)) is not None:
                return inner
    return None


_SUBJECT: Final = re.compile(r"^(Input|Value|Object|Data|[A-Z][a-z]+)(?= (should|does) )")


def _sentence(problem: Any) -> str:
    """What is wrong, to stand behind the name of the field."""
    kind, message = problem["type"], problem["msg"]
    if kind == "missing":
        return "is required"
    if kind in ("value_error", "assertion_error"):
        return str(problem["ctx"]["error"]) or "is not acceptable"
    if kind.endswith("_parsing"):  # "..., unable to parse string as an integer"
        message = message.partition(",")[0]
    return _SUBJECT.sub("", message).strip()

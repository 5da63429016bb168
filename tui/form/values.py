"""From parameters to the text one edits, and back. Knows nothing of widgets."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any, Final

from routilux.exceptions import FieldError, ParameterError
from routilux.params import ParameterField
from tui.foreign import ForeignCode
from tui.formats import brief, is_trusted, one_line, pretty
from tui.looking import attributes

JSON_KINDS: Final = frozenset({"list", "dict", "object"})


class _Absent(Enum):
    ABSENT = "absent"


# What a field answers that leaves the value to its default.
ABSENT: Final = _Absent.ABSENT


@dataclass(frozen=True, slots=True)
class Reading:
    """What a form says: the values that were given, and what could not be understood, by field.

    A field inside another has a dotted name. An error under "" belongs to the form as a whole.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


def text_of(parameter: ParameterField, value: Any) -> str:
    """The text to edit for a value; nothing for None. Whatever the value's class does, there is one."""
    if value is None:
        return ""
    if parameter.kind in JSON_KINDS:
        return json_text(value)
    value = _of_member(value)
    kind = type(value)
    if kind is int or kind is bool or kind is float:
        return pretty(value)
    if issubclass(kind, str):
        # As the built-in class has it, whatever a subclass makes of it.
        return str.__str__(value)
    if issubclass(kind, date):
        return brief(value)
    plain = _plain(value)
    return plain if isinstance(plain, str) else json_text(plain)


def json_text(value: Any) -> str:
    """`value` as JSON to edit. What JSON does not know is written as validation takes it, or in words."""
    text = _dumped(value)
    if text is None:
        text = _dumped(_plain(value)) or _dumped(one_line(value)) or ""
    return _UNPRINTABLE.sub(_escaped, text)


def _dumped(value: Any) -> str | None:
    """`value` as JSON, None where it cannot be."""
    try:
        short = json.dumps(value, ensure_ascii=False, default=_plain)
        return short if len(short) <= 60 else json.dumps(value, indent=2, ensure_ascii=False, default=_plain)
    except Exception:  # it holds itself, has other keys than JSON, or is of a class that goes its own ways
        return None


# Everything but ASCII: what of it cannot be printed is found by Python itself.
_UNPRINTABLE: Final = re.compile(r"[^\n -~]")


def _escaped(match: re.Match[str]) -> str:
    char = match.group()
    return char if char.isprintable() else json.dumps(char)[1:-1]


def _plain(value: Any) -> Any:
    """`value` in types that JSON has, or else in words."""
    from pydantic_core import to_jsonable_python  # costs start-up time, and most values need it not

    value = _of_member(value)
    kind = type(value)
    if kind is set or kind is frozenset:
        return list(value)
    found: list[Any] = []

    def convert() -> str:
        found.append(to_jsonable_python(value))
        return ""

    with suppress(Exception):  # in words, then
        if kind is bytes or is_trusted(value):
            convert()
        else:
            _FOREIGN.text(kind, convert, 0)
    return found[0] if found else one_line(value)


def _of_member(value: Any) -> Any:
    """The value of a member of an enum; everything else itself."""
    return (attributes(value) or {}).get("_value_", value) if issubclass(type(value), Enum) else value


# Asked for a value in the types of JSON, which may run code of its class.
_FOREIGN: Final = ForeignCode()


def read_json(text: str) -> Reading:
    """The parameters of a flow that declares none: a JSON object."""
    if not text.strip():
        return Reading({})
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        return Reading({}, {"": f"line {error.lineno}, column {error.colno}: {error.msg}"})
    except (ValueError, RecursionError) as error:
        return Reading({}, {"": str(error)})
    if not isinstance(values, dict):
        return Reading({}, {"": 'parameters are an object, such as {"folder": "/tmp"}'})
    return Reading(values)


def errors_of(error: BaseException, names: Collection[str]) -> dict[str, str]:
    """What a failed validation says, by field; what belongs to none of `names` goes under ""."""
    if not isinstance(error, ParameterError):
        said = _FOREIGN.text(type(error), lambda: str(error), 2000)
        return {"": f"{type(error).__name__}: {said}"}
    found: dict[str, list[str]] = {}
    for each in error.errors:
        name, said = _place(each, names)
        found.setdefault(name, []).append(said)
    return {name: "; ".join(said) for name, said in found.items()}


def _place(error: FieldError, names: Collection[str]) -> tuple[str, str]:
    """The innermost field that an error lies in."""
    parts = error.field.split(".")
    for count in range(len(parts), 0, -1):
        name = ".".join(parts[:count])
        if name in names:
            inside = ".".join(parts[count:])
            return name, f"{inside}: {error.message}" if inside else error.message
    return "", str(error)

"""From parameters to the text one edits, and back. Knows nothing of widgets."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any, Final

from routilux.exceptions import FieldError, ParameterError
from routilux.params import ParameterField

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
    """The text to edit for a value; nothing for None."""
    if value is None:
        return ""
    if parameter.kind in JSON_KINDS:
        return json_text(value)
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, (str, int)):
        return str(value)
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, date):
        return value.isoformat()
    plain = _plain(value)
    return plain if isinstance(plain, str) else json_text(plain)


def json_text(value: Any) -> str:
    """`value` as JSON to edit; what JSON does not know is written the way validation takes it."""
    try:
        short = json.dumps(value, ensure_ascii=False, default=_plain)
    except (TypeError, ValueError, RecursionError):
        value = _plain(value)
        short = json.dumps(value, ensure_ascii=False, default=str)
    text = short if len(short) <= 60 else json.dumps(value, indent=2, ensure_ascii=False, default=_plain)
    return _UNPRINTABLE.sub(_escaped, text)


# Everything but ASCII: what of it cannot be printed is found by Python itself.
_UNPRINTABLE: Final = re.compile(r"[^\n -~]")


def _escaped(match: re.Match[str]) -> str:
    char = match.group()
    return char if char.isprintable() else json.dumps(char)[1:-1]


def _plain(value: Any) -> Any:
    """`value` in the types of JSON."""
    from pydantic_core import to_jsonable_python  # costs start-up time, and most values need it not

    try:
        return to_jsonable_python(value)
    except Exception:  # it calls code of the value's own class
        return str(value)


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
        return {"": f"{type(error).__name__}: {error}"}
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

"""From parameters to the text one edits, and back. Knows nothing of widgets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from pathlib import PurePath
from typing import Any, Final

from routilux.exceptions import FieldError, ParameterError
from routilux.params import ParameterField, coerce_text

JSON_KINDS: Final = frozenset({"list", "dict", "object"})


class _Absent(Enum):
    ABSENT = "absent"


# What a field answers that leaves the value to its default.
ABSENT: Final = _Absent.ABSENT


@dataclass(frozen=True, slots=True)
class Reading:
    """What a form says: the values that were given, and what could not be understood, by field.

    An error under "" belongs to the form as a whole.
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
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return str(value)


def json_text(value: Any) -> str:
    """`value` as JSON to edit; what JSON does not know is written the way a form takes it."""
    try:
        short = json.dumps(value, ensure_ascii=False, default=_json_default)
        return (
            short
            if len(short) <= 60
            else json.dumps(value, indent=2, ensure_ascii=False, default=_json_default)
        )
    except (TypeError, ValueError, RecursionError):
        return json.dumps(str(value))


def _json_default(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    if isinstance(value, PurePath):
        return str(value)
    return str(value)


def value_of(parameter: ParameterField, text: str) -> Any:
    """What was typed for a field, or `ABSENT` where that leaves it to the default.

    Raises ValueError, in words for who typed it.
    """
    if text.strip():
        return coerce_text(parameter, text)
    if parameter.required:
        # Left out, so that validation says that it is missing; None where that is a value of it.
        return None if parameter.nullable and parameter.kind != "str" else ABSENT
    if parameter.default is None:
        return ABSENT
    # The text of the default was taken away: that says "nothing", where the type has a word for it.
    if parameter.nullable:
        return None
    return "" if parameter.kind == "str" else ABSENT


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


def errors_of(error: Exception, names: frozenset[str]) -> dict[str, str]:
    """What a failed validation says, by field; what belongs to none of `names` goes under ""."""
    if not isinstance(error, ParameterError):
        return {"": f"{type(error).__name__}: {error}"}
    found: dict[str, list[str]] = {}
    for each in error.errors:
        name, said = _place(each, names)
        found.setdefault(name, []).append(said)
    return {name: "; ".join(said) for name, said in found.items()}


def _place(error: FieldError, names: frozenset[str]) -> tuple[str, str]:
    if error.field in names:
        return error.field, error.message
    head = error.field.partition(".")[0].partition("[")[0]
    if head in names:
        return head, f"{error.field}: {error.message}"
    return "", str(error) if error.field else error.message

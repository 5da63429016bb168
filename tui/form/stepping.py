"""Up and down in a field: a number by one, a date by a day."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from routilux.params import ParameterField


def step(parameter: ParameterField, text: str, by: int) -> str | None:
    """The text of the value next to that of `text`; None where there is none, or it is out of bounds."""
    try:
        value = _stepped(parameter, text.strip(), by)
        if value is None or _outside(parameter, value):
            return None
    except (ValueError, TypeError, OverflowError):
        return None
    return value.isoformat() if isinstance(value, date) else repr(value)


def _stepped(parameter: ParameterField, text: str, by: int) -> Any:
    if parameter.kind == "date":
        return date.fromisoformat(text) + timedelta(days=by)
    if parameter.kind == "datetime":
        return datetime.fromisoformat(text) + timedelta(days=by)
    size = parameter.multiple_of or 1
    if parameter.kind == "int":
        number = int(text) if text else int(parameter.minimum or 0) - int(size) * by
        return number + by * int(size)
    if parameter.kind == "float":
        return float(text or parameter.minimum or 0) + by * size
    return None


def _outside(parameter: ParameterField, value: Any) -> bool:
    least, most = parameter.minimum, parameter.maximum
    if least is not None and (value < least or (parameter.exclusive_minimum and value == least)):
        return True
    return most is not None and bool(value > most or (parameter.exclusive_maximum and value == most))

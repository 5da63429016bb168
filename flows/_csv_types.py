"""Column types of `csv_to_sqlite`: what text is valid, and what SQLite stores for it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Final, TypeAlias

Value: TypeAlias = str | int | float | None
Converter: TypeAlias = Callable[[str], Value]

_WHOLE = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_WORDS = {
    **dict.fromkeys(("1", "true", "t", "yes", "y", "on"), 1),
    **dict.fromkeys(("0", "false", "f", "no", "n", "off"), 0),
}
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1


def _int(text: str) -> Value:
    text = text.strip()
    if not _WHOLE.fullmatch(text):
        raise ValueError("not a whole number")
    # Python refuses to parse very long numbers, which would be too large anyway.
    if len(text) > 100 or not _SMALLEST <= (value := int(text)) <= _LARGEST:
        raise ValueError("does not fit into 64 bits")
    return value


def _float(text: str) -> Value:
    text = text.strip()
    if not _NUMBER.fullmatch(text):
        raise ValueError("not a number")
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("too large for a number")
    return value


def _decimal(text: str) -> Value:
    text = text.strip()
    if not _NUMBER.fullmatch(text):
        raise ValueError("not a number")
    return str(Decimal(text))


def _bool(text: str) -> Value:
    value = _WORDS.get(text.strip().lower())
    if value is None:
        raise ValueError("not true or false")
    return value


def _date(text: str) -> Value:
    try:
        return date.fromisoformat(text.strip()).isoformat()
    except ValueError:
        raise ValueError("not a date such as 2024-12-31") from None


def _datetime(text: str) -> Value:
    try:
        return datetime.fromisoformat(text.strip()).isoformat(sep=" ")
    except ValueError:
        raise ValueError("not a time such as 2024-12-31T23:59:00") from None


# Name of the type -> how to convert, and the column's type in SQLite. Decimals, dates and times are
# stored as text: a numeric column would round the first, and SQLite has no type for the others.
_TYPES: Final[dict[str, tuple[Converter, str]]] = {
    "text": (str, "TEXT"),
    "int": (_int, "INTEGER"),
    "float": (_float, "REAL"),
    "decimal": (_decimal, "TEXT"),
    "bool": (_bool, "INTEGER"),
    "date": (_date, "TEXT"),
    "datetime": (_datetime, "TEXT"),
}


def check_type(kind: str) -> None:
    """Raise `ValueError`, naming the possible ones, unless `kind` is a type, with or without "?"."""
    if kind.removesuffix("?") not in _TYPES:
        known = ", ".join(_TYPES)
        raise ValueError(f"unknown type {kind!r}; use one of {known}, with a ? where it may be empty")


def converter(kind: str) -> Converter:
    """What turns a field's text into the value to store, or raises `ValueError` with the reason."""
    convert, _ = _TYPES[kind.removesuffix("?")]
    may_be_empty = kind.endswith("?")
    if convert is str:
        return (lambda text: text or None) if may_be_empty else convert

    def convert_unless_empty(text: str) -> Value:
        if text and not text.isspace():
            return convert(text)
        if may_be_empty:
            return None
        raise ValueError("empty")

    return convert_unless_empty


def sql_type(kind: str) -> str:
    """The column's declaration in SQLite, such as "INTEGER NOT NULL"."""
    _, declared = _TYPES[kind.removesuffix("?")]
    return declared if kind.endswith("?") else f"{declared} NOT NULL"

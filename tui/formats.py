"""Values in words: durations, times, parameters, data. Nothing here raises, whatever it is given."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import PosixPath, PurePath, PurePosixPath, PureWindowsPath
from typing import Any, Final, NamedTuple, TypeAlias
from uuid import UUID

from routilux.safe_text import HIDDEN
from routilux.snapshot import Progress
from tui.foreign import ForeignCode
from tui.spans import Line, clean

SHORT_ID: Final = 6
# In place of what nobody is to read.
SECRET: Final = HIDDEN


def duration(seconds: float) -> str:
    """`20ms`, `1.4s`, `12s`, `1m14s`, `2h05m`, `3d04h`: never more than six columns below a hundred days."""
    if not math.isfinite(seconds) or seconds < 0:
        return "-"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f}ms" if seconds > 0.0005 else "<1ms" if seconds else "0s"
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    whole = int(seconds + 0.5) if seconds < 60 else int(seconds)
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}m{rest:02d}s"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours}h{minutes:02d}m"
    days, hours = divmod(hours, 24)
    return f"{days}d{hours:02d}h"


def clock_time(moment: datetime, zone: tzinfo | None) -> str:
    """The time of day in `zone`, to the second."""
    return moment.astimezone(zone).strftime("%H:%M:%S")


def short_id(job_id: str) -> str:
    """The first characters of a job's id, as lists show it."""
    return job_id[:SHORT_ID]


def number(value: float) -> str:
    """`3,412`, `0.5`: a count, with its fraction only where it has one."""
    try:
        return f"{int(value):,}" if float(value).is_integer() else f"{value:,.4g}"
    except (OverflowError, ValueError, TypeError):
        return clean(str(value))


def bar(fraction: float, columns: int) -> Line:
    """`███████░░░`, exactly `columns` wide."""
    full = min(columns, max(0, int(fraction * columns + 0.5)))
    return (("█" * full, "bar"), ("░" * (columns - full), "bar-rest"))


def progress_words(progress: Progress) -> str:
    """`3,412 of 5,000 rows` or, where the total is unknown, `3,412 rows`."""
    amount = number(progress.done)
    if progress.total is not None:
        amount += f" of {number(progress.total)}"
    # A message that begins with a number of its own would run into the total.
    gap = " · " if progress.message[:1].isdigit() else " "
    return f"{amount}{gap}{progress.message}".rstrip()


def parameters_line(values: Mapping[str, Any]) -> str:
    """`day=2026-06-12 limit=10`: parameters in the space of a table's cell."""
    return " ".join(f"{key}={brief(value)}" for key, value in values.items())


def brief(value: Any, limit: int = 120) -> str:
    """One value on one line, of about `limit` characters at most. Strings and paths without quotes."""
    if type(value) in (int, float, bool, type(None)):
        return repr(value)
    if isinstance(value, Enum):
        value = value.value
    if hasattr(type(value), "get_secret_value"):
        return SECRET
    if isinstance(value, str):
        return clean(value[:limit]) if value else '""'
    if isinstance(value, PurePath):
        return clean(str(value))
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return one_line(value, limit)


def one_line(value: Any, limit: int = 500) -> str:
    """Any value as Python would write it, on one line, cut after about `limit` characters."""
    pieces: list[str] = []
    size = 0
    for piece in _written(value, _Shape(nested=False, room=limit), 0):
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            return clean("".join(pieces)[:limit]) + "…"
    return clean("".join(pieces))


def pretty(value: Any, limit: int = 200_000) -> str:
    """Any value as Python would write it, a nested element a line, cut after about `limit` characters."""
    pieces: list[str] = []
    size = 0
    for piece in _written(value, _Shape(nested=True, room=limit), 0):
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            pieces.append("…")
            break
    return "".join(pieces)


class _Shape(NamedTuple):
    nested: bool
    room: int


_DEEPEST = 12


def _written(value: Any, shape: _Shape, depth: int) -> Iterator[str]:
    """`value` piece by piece, so that writing stops as soon as there is no more room for it."""
    kind = type(value)
    if hasattr(kind, "get_secret_value"):
        yield SECRET
    elif kind in (str, bytes, bytearray):
        cut = value[: shape.room]
        yield repr(cut) + (f"… ({len(value):,} in all)" if len(value) > len(cut) else "")
    elif depth > _DEEPEST:
        yield "…"
    elif kind is dict:
        yield from _elements("{", "}", _named(value), shape, depth)
    elif kind is list:
        yield from _elements("[", "]", _unnamed(value), shape, depth)
    elif kind is tuple:
        yield from _elements("(", ",)" if len(value) == 1 else ")", _unnamed(value), shape, depth)
    elif kind in (set, frozenset) and value:
        yield from _elements("{", "}", _unnamed(value), shape, depth)
    elif writes_fields(kind):
        named = (each.name for each in dataclasses.fields(value) if each.repr)
        pairs = ((name, getattr(value, name, ...)) for name in named)
        yield from _elements(f"{kind.__name__}(", ")", pairs, shape, depth, "=")
    elif kind in _TRUSTED:
        yield _trusted_text(value, shape.room)
    else:
        yield _FOREIGN.text(kind, lambda: repr(value), shape.room)


def writes_fields(kind: type) -> bool:
    """Whether a class is a dataclass that writes its fields, and not something of its own instead."""
    return dataclasses.is_dataclass(kind) and hasattr(kind.__repr__, "__wrapped__")


def _trusted_text(value: Any, room: int) -> str:
    try:
        text = repr(value)
    except ValueError as error:
        # A whole number with more digits than Python is willing to write.
        return f"<{type(value).__name__}: {error}>"
    return text if len(text) <= room else f"{text[:room]}…"


# Whose repr is quick and raises nothing unexpected. All other classes are asked in a thread.
_TRUSTED: Final = frozenset(
    {int, float, complex, bool, type(None), date, datetime, time, timedelta, Decimal, Fraction, UUID,
     PurePosixPath, PureWindowsPath, PosixPath, range, slice, type(...)}
)  # fmt: skip
_FOREIGN: Final = ForeignCode()


# Another thread may be changing the container that is read.
_CHANGED: Final = (None, "… changed while it was read")
_Pairs: TypeAlias = Iterable[tuple[str | None, Any]]


def _named(value: dict[Any, Any]) -> _Pairs:
    try:
        for key, item in value.items():
            yield one_line(key, 200), item
    except RuntimeError:
        yield _CHANGED


def _unnamed(value: Iterable[Any]) -> _Pairs:
    try:
        for item in value:
            yield None, item
    except RuntimeError:
        yield _CHANGED


def _elements(
    opening: str, closing: str, pairs: _Pairs, shape: _Shape, depth: int, joint: str = ": "
) -> Iterator[str]:
    yield opening
    pad = "\n" + "  " * (depth + 1) if shape.nested else ""
    first = True
    for name, item in pairs:
        if not first:
            yield "," if shape.nested else ", "
        yield pad
        first = False
        if name is not None:
            yield f"{name}{joint}"
        yield from _written(item, shape, depth + 1)
    if shape.nested and not first:
        yield "\n" + "  " * depth
    yield closing

"""Values in words: durations, times, parameters, data. Nothing here raises, whatever it is given.

What only code of a value's class could tell is asked for in a thread, which nobody waits for long.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import PosixPath, PurePath, PurePosixPath, PureWindowsPath
from typing import Any, Final, NamedTuple, TypeAlias
from uuid import UUID

from routilux.plain_copy import held_now
from routilux.safe_text import HIDDEN
from routilux.snapshot import Progress
from tui.foreign import ForeignCode
from tui.looking import UNREAD, attributes, dataclass_fields, hides, name_of, writes_fields
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
    except Exception:  # the value is too large, or no number at all
        return brief(value)


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
    """`day=2026-06-12 limit=10`: parameters in the space of a table's cell. A job may be changing them."""
    return " ".join(f"{name_text(name)}={brief(value)}" for name, value in held_now(values).items())


def name_text(name: Any) -> str:
    """The name of a parameter or a field, which is a str unless somebody's code had another idea."""
    return name if type(name) is str else one_line(name, 80)


def brief(value: Any, limit: int = 120) -> str:
    """One value on one line, of about `limit` characters at most. Strings and paths without quotes."""
    try:
        if issubclass(type(value), Enum):
            value = (attributes(value) or {}).get("_value_", value)
        return _brief(value, limit)
    except Exception as error:
        return _unreadable(value, error)


def _brief(value: Any, limit: int) -> str:
    kind = type(value)
    if kind is int or kind is float or kind is bool or value is None:
        return _trusted_text(value, limit)
    if hides(kind):
        return SECRET
    if issubclass(kind, str):
        # As the built-in class reads it, whatever a subclass makes of its methods.
        return clean(str.__getitem__(value, slice(limit))) if str.__len__(value) else '""'
    if not issubclass(kind, (PurePath, date)):
        return one_line(value, limit)

    def write() -> str:
        return str(value) if issubclass(kind, PurePath) else value.isoformat()

    return clean(write() if is_trusted(value) else _asked(value, write, limit))


def one_line(value: Any, limit: int = 500) -> str:
    """Any value as Python would write it, on one line, cut after about `limit` characters."""
    text, whole = _gathered(value, _Shape(nested=False, room=limit))
    return clean(text) if whole else clean(text[:limit]) + "…"


def pretty(value: Any, limit: int = 200_000) -> str:
    """Any value as Python would write it, a nested element a line, cut after about `limit` characters."""
    text, whole = _gathered(value, _Shape(nested=True, room=limit))
    return text if whole else text + "…"


class _Shape(NamedTuple):
    nested: bool
    room: int


def _gathered(value: Any, shape: _Shape) -> tuple[str, bool]:
    """As much of what is written as there is room for, and whether that is all."""
    pieces: list[str] = []
    size = 0
    try:
        for piece in _written(value, shape, 0):
            pieces.append(piece)
            size += len(piece)
            if size > shape.room:
                return "".join(pieces), False
    except Exception as error:
        pieces.append(_unreadable(value, error))
    return "".join(pieces), True


_DEEPEST = 12


def _written(value: Any, shape: _Shape, depth: int) -> Iterator[str]:
    """`value` piece by piece, so that writing stops as soon as there is no more room for it."""
    kind = type(value)
    if hides(kind):
        yield SECRET
    elif kind is str or kind is bytes or kind is bytearray:
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
    elif (kind is set or kind is frozenset) and value:
        yield from _elements("{", "}", _unnamed(value), shape, depth)
    elif is_trusted(value):
        yield _trusted_text(value, shape.room)
    elif writes_fields(kind):
        pairs = dataclass_fields(value).items()
        yield from _elements(f"{name_of(kind)}(", ")", pairs, shape, depth, "=")
    else:
        yield _asked(value, lambda: repr(value), shape.room)


def _asked(value: Any, write: Callable[[], str], room: int) -> str:
    """What code of the value's class answers."""
    try:
        return _FOREIGN.text(type(value), write, room)
    except Exception as error:
        # The class cannot even be told from others: it cannot be hashed, say.
        return _unreadable(value, error)


def _unreadable(value: Any, error: Exception) -> str:
    return f"<{name_of(type(value))}: {name_of(type(error))} while it was read>"


def _trusted_text(value: Any, room: int) -> str:
    try:
        text = repr(value)
    except ValueError as error:
        # A whole number with more digits than Python is willing to write.
        return f"<{type(value).__name__}: {error}>"
    return text if len(text) <= room else f"{text[:room]}…"


# Whose repr is quick and raises nothing unexpected. All other classes are asked in a thread.
_TRUSTED: Final = frozenset(
    {int, float, complex, bool, type(None), date, datetime, time, timedelta, timezone, Decimal, Fraction,
     UUID, PurePosixPath, PureWindowsPath, PosixPath, range, type(...), type(UNREAD)}
)  # fmt: skip
_FOREIGN: Final = ForeignCode()


def is_trusted(value: Any) -> bool:
    """Whether the repr of a value, and its other texts, may be asked for without a thread."""
    kind = type(value)
    # A metaclass of its own would be asked for the hash of the class.
    if type(kind) is not type or kind not in _TRUSTED:
        return False
    if kind is datetime or kind is time:
        # They ask their time zone, whose class may be anybody's.
        zone = type(value.tzinfo)
        return zone is type(None) or zone is timezone or zone is _zone_info()
    return True


def _zone_info() -> type | None:
    # Where nobody imported it, no zone is of that class.
    return getattr(sys.modules.get("zoneinfo"), "ZoneInfo", None)


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

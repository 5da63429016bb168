"""Declared parameters in words, as the flow's pane and the start form say them."""

from __future__ import annotations

from typing import Any

from routilux.params import ParameterField
from tui.formats import SECRET, brief, number


def type_words(field: ParameterField) -> str:
    """`int 1..100`, `one of fast, exact`, `list[str] | None`: what may be given."""
    words = field.annotation or field.kind
    if field.choices:
        words = "one of " + ", ".join(brief(choice, 40) for choice in field.choices)
    return " ".join(part for part in (words, _bounds(field)) if part)


def _bounds(field: ParameterField) -> str:
    parts = [_range(field.minimum, field.maximum, field.exclusive_minimum, field.exclusive_maximum)]
    unit = "characters" if field.kind in ("str", "path") else "elements"
    length = _range(field.min_length, field.max_length)
    parts.append(f"{length} {unit}" if length else "")
    parts.append("" if field.pattern is None else f"like {brief(field.pattern, 60)}")
    parts.append("" if field.multiple_of is None else f"a multiple of {_plain(field.multiple_of)}")
    return ", ".join(part for part in parts if part)


def _range(least: Any, most: Any, over: bool = False, under: bool = False) -> str:
    if least is not None and most is not None and not over and not under:
        return f"{_plain(least)}..{_plain(most)}"
    lower = "" if least is None else f"{'>' if over else '≥'} {_plain(least)}"
    upper = "" if most is None else f"{'<' if under else '≤'} {_plain(most)}"
    return ", ".join(part for part in (lower, upper) if part)


def _plain(value: Any) -> str:
    return number(value) if isinstance(value, (int, float)) else brief(value)


def default_words(field: ParameterField) -> str:
    """`required`, or what counts where nothing is given."""
    if field.required:
        return "required"
    if field.default is None:
        return "optional"
    if field.secret:
        return f"default {SECRET}"
    if field.fields:
        return "with defaults"
    if isinstance(field.default, bool):
        return "default yes" if field.default else "default no"
    return f"default {brief(field.default, 60)}"

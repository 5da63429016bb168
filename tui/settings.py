"""The settings that a configuration file may hold: what each is about, and how it is checked.

By hand and without pydantic, which would be most of the time that the app takes to open.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal, NamedTuple

from textual.theme import BUILTIN_THEMES

COLUMNS: Final = ("state", "id", "flow", "params", "generation", "elapsed", "progress", "last")


class Settings(NamedTuple):
    """The settings in effect."""

    flows: str | None = None
    workers: int = 10
    theme: str | None = None
    columns: tuple[str, ...] = ()
    rerun: Literal["cancel", "leave"] = "leave"
    keys: Mapping[str, tuple[str, ...]] = {}


class _Setting(NamedTuple):
    """`read` answers with a value as the program has it.

    It raises TypeError for what is not as `must_be` says, and ValueError, in words, for what else is wrong.
    """

    about: str
    must_be: str
    read: Callable[[Any], Any]


def check(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The settings of one file as the program has them, and a line for everything that is wrong."""
    values: dict[str, Any] = {}
    wrong: list[str] = []
    for name, value in given.items():
        setting = SETTINGS.get(name)
        if setting is None:
            near = difflib.get_close_matches(name, SETTINGS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(SETTINGS)}"
            wrong.append(f"there is no setting {name!r}: {hint}")
            continue
        try:
            values[name] = setting.read(value)
        except TypeError:
            wrong.append(f"{name} is {value!r}; it must be {setting.must_be}")
        except ValueError as error:
            wrong.append(f"{name}: {error}")
    return values, wrong


def check_theme(name: str) -> None:
    """Raise ValueError unless there is such a theme."""
    if name not in BUILTIN_THEMES:
        near = difflib.get_close_matches(name, BUILTIN_THEMES, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"there is no theme {name!r}: {hint}there are {', '.join(sorted(BUILTIN_THEMES))}")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _workers(value: Any) -> int:
    if type(value) is not int or not 1 <= value <= 1000:
        raise TypeError
    return value


def _theme(value: Any) -> str:
    check_theme(_text(value))
    return str(value)


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError
    return tuple(_text(each) for each in value)


def _columns(value: Any) -> tuple[str, ...]:
    columns = _texts(value)
    for column in columns:
        if column not in COLUMNS:
            raise ValueError(f"there is no column {column!r}; there are {_listed(COLUMNS)}")
    if len(set(columns)) != len(columns):
        raise ValueError("a column is named twice")
    return columns


def _rerun(value: Any) -> str:
    if value not in ("cancel", "leave"):
        raise TypeError
    return str(value)


def _keys(value: Any) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, dict):
        raise TypeError
    keys = {}
    for action, given in value.items():
        try:
            keys[action] = _texts([given] if isinstance(given, str) else given)
        except TypeError:
            must_be = 'it must be a key such as "ctrl+x", or a list of them'
            raise ValueError(f"{action} is {given!r}; {must_be}") from None
    return keys


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


SETTINGS: Final[Mapping[str, _Setting]] = {
    "flows": _Setting("the folder of flows, relative to the file", 'a folder, such as "flows"', _text),
    "workers": _Setting("how many threads run jobs", "a whole number from 1 to 1000", _workers),
    "theme": _Setting(
        "the colours, such as nord; one chosen in the app counts more",
        'the name of a theme, such as "nord"',
        _theme,
    ),
    "columns": _Setting(
        f"the columns of the job table, in order: {_listed(COLUMNS)}; [] for those that fit",
        f"a list of names out of {_listed(COLUMNS)}",
        _columns,
    ),
    "rerun": _Setting(
        "what a re-run upon a save does with the run before: cancel or leave", '"cancel" or "leave"', _rerun
    ),
    "keys": _Setting(
        'other keys: [tool.routilux.keys] cancel = "ctrl+x" or ["x", "delete"]',
        'a table such as keys = {cancel = "ctrl+x"}',
        _keys,
    ),
}
assert tuple(SETTINGS) == Settings._fields

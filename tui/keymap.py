"""Other keys for the actions of the table in tui.keys, as a configuration wants them."""

from __future__ import annotations

import difflib
import string
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Final

from textual.keys import KEY_NAME_REPLACEMENTS, Keys

from tui.keys import KEYS, SCOPE_TITLES, Key, shown_key

_MODIFIERS: Final = frozenset({"alt", "ctrl", "shift", "super", "hyper", "meta"})
_ALIASES: Final = {
    "control": "ctrl", "option": "alt", "cmd": "super", "esc": "escape", "return": "enter", "del": "delete",
    "ins": "insert", "pgup": "pageup", "pgdn": "pagedown", "pgdown": "pagedown", "page_up": "pageup",
    "page_down": "pagedown", "↑": "up", "↓": "down", "←": "left", "→": "right",
}  # fmt: skip
# What a terminal sends for these is what it sends for another key.
_SAME_AS: Final = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+left_square_bracket": "escape"}
# The keys of these scopes come before those of the scope that is named first: they would hide it.
_OVER: Final = {
    "app": tuple(SCOPE_TITLES),
    "main": ("list", "lines", "job", "log", "timeline", "tree", "error"),
    "job": ("list", "lines", "log", "timeline", "tree", "error"),
    "list": ("tree",),
    "lines": ("log", "timeline"),
    "text": ("lines", "messages"),
    "saved": ("list",),
}
# Where one types, a key that is a character is that character.
_TYPED_IN: Final = frozenset({"form", "filter", "export"})


class KeymapError(ValueError):
    """Keys that cannot be; the message names the action and says what would be right."""


def key_name(text: str) -> str:
    """The name that Textual has for a key: `?` and `question_mark`, `esc`, `ctrl+x`, `shift+x` for `X`.

    Raises `KeymapError` for what no terminal sends.
    """
    parts = ["+"] if text == "+" else text.removesuffix("+").split("+")
    if len(text) > 1 and text.endswith("+"):
        parts = [part for part in parts if part] + ["+"]
    *held, base = (part if len(part) == 1 else part.strip().lower() for part in parts)
    modifiers = sorted({_ALIASES.get(each, each) for each in held})
    base = _ALIASES.get(base, base)
    unknown = [each for each in modifiers if each not in _MODIFIERS]
    if unknown or not base:
        raise KeymapError(f"{text!r} is no key: {_advice()}")
    if len(base) == 1:
        if not base.isprintable() or base == " ":
            raise KeymapError(f"{text!r} is no key: {_advice()}")
        if "shift" in modifiers and base.isalpha():
            # A terminal sends the letter itself.
            modifiers.remove("shift")
            base = base.upper()
        elif "ctrl" in modifiers:
            base = base.lower()
        base = _character(base)
    elif base not in _KNOWN:
        near = difflib.get_close_matches(base, _KNOWN, n=1)
        hint = f"did you mean {near[0]!r}?" if near else _advice()
        raise KeymapError(f"{text!r} is no key: {hint}")
    name = "+".join([*modifiers, base])
    if name in _SAME_AS:
        raise KeymapError(f"a terminal cannot tell {text!r} from {_SAME_AS[name]!r}; name that, or another")
    return name


def _advice() -> str:
    return 'it must be like "x", "X", "?", "ctrl+x", "f5", "enter" or "pageup"'


def _character(char: str) -> str:
    """As Textual names the key of a character."""
    if char.isalnum():
        return char
    name = unicodedata.name(char, char).lower().replace("-", "_").replace(" ", "_")
    return KEY_NAME_REPLACEMENTS.get(name, name)


_KNOWN: Final = frozenset(
    {key.value for key in Keys if "+" not in key.value and not key.value.startswith("<")}
    | {_character(char) for char in string.punctuation}
)


def remap(wanted: Mapping[str, Sequence[str]]) -> tuple[Key, ...]:
    """The table with other keys for the actions named in `wanted`.

    Raises `KeymapError` for an action or a key that does not exist, and for a key that would do two
    things in one place.
    """
    if not wanted:
        return KEYS
    names = [key.name for key in KEYS]
    given: dict[str, tuple[str, ...]] = {}
    for action, keys in wanted.items():
        if action not in names:
            near = difflib.get_close_matches(action, names, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "--show-config lists them"
            raise KeymapError(f"there is no action {action!r}: {hint}")
        if not keys:
            raise KeymapError(f"{action} has no key; it must have at least one")
        try:
            given[action] = tuple(dict.fromkeys(key_name(key) for key in keys))
        except KeymapError as error:
            raise KeymapError(f"{action}: {error}") from None
    table = tuple(key._replace(keys=given.get(key.name, key.keys)) for key in KEYS)
    for key in table:
        if key.name in given:
            _check_typed(key)
    for one, other in _clashes(table):
        if one.name in given or other.name in given:
            raise KeymapError(_said(one, other))
    return table


def _check_typed(key: Key) -> None:
    for each in key.keys:
        if key.scope in _TYPED_IN and (len(each) == 1 or each in _PUNCTUATION or each == "space"):
            typed = f"{shown_key(each)!r} is typed into the field there"
            raise KeymapError(f"{key.name}: {typed}; take one such as 'ctrl+t' or 'f5'")


_PUNCTUATION: Final = frozenset(_character(char) for char in string.punctuation)


def _clashes(table: Iterable[Key]) -> list[tuple[Key, Key]]:
    """Pairs with a key in common where both are bound, but those that the table itself means so."""
    meant = {(one.name, other.name) for one, other in _alike(KEYS)}
    return [
        (one, other)
        for one, other in _alike(table)
        if _meet(one.scope, other.scope) and (one.name, other.name) not in meant
    ]


def _alike(table: Iterable[Key]) -> Iterator[tuple[Key, Key]]:
    """Pairs with a key in common."""
    return (pair for pair in combinations(table, 2) if not set(pair[0].keys).isdisjoint(pair[1].keys))


def _meet(one: str, other: str) -> bool:
    return one == other or other in _OVER.get(one, ()) or one in _OVER.get(other, ())


def _said(one: Key, other: Key) -> str:
    both = next(key for key in one.keys if key in other.keys)
    where = SCOPE_TITLES[one.scope].lower()
    if one.scope != other.scope:
        where = f"{where}, and {SCOPE_TITLES[other.scope].lower()}"
    does = f"{shown_key(both)!r} would do both {one.name} and {other.name} ({where})"
    return f"{does}; give one of them another key"

"""Copies of parameters that share nothing with them that could be changed, as far as they are plain data.

Each container is copied as it is at one moment, though a running job may be changing it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

_CONTAINERS: Final = frozenset({dict, list, tuple, set})


def held_now(values: Mapping[str, Any]) -> dict[str, Any]:
    """A dict of its own, with the same values."""
    # In one step of the interpreter, in which no other thread runs.
    return values.copy() if type(values) is dict or type(values) is MappingProxyType else dict(values)


def plain_copy(values: Mapping[str, Any]) -> dict[str, Any]:
    """A dict of its own, and so all dicts, lists, tuples and sets in it. Other objects are shared.

    Subclasses of these count as other objects. Costs next to nothing where all values are scalars.
    """
    copied = held_now(values)
    if _CONTAINERS.isdisjoint(map(type, copied.values())):
        return copied
    for name, value in copied.items():
        if type(value) in _CONTAINERS:
            try:
                copied[name] = _copied(value, {})
            except RecursionError:
                pass  # nested more deeply than anything can be that is saved; it stays shared
    return copied


def _copied(value: Any, known: dict[int, tuple[Any, Any]]) -> Any:
    """`known` holds what was copied already, by id, with what it is a copy of: data may lead back to itself.

    The originals are held so that no other thread lets one go, whose id another may have then.
    """
    kind = type(value)
    if kind not in _CONTAINERS:
        return value
    if id(value) in known:
        return known[id(value)][1]
    if kind is tuple:
        return tuple([_copied(each, known) for each in value])
    if kind is set:
        return value.copy()  # what can be in a set does not change
    made: Any = [] if kind is list else {}
    known[id(value)] = value, made
    if kind is list:
        made += [_copied(each, known) for each in value.copy()]
    else:
        made.update([(key, _copied(each, known)) for key, each in value.copy().items()])
    return made

"""Copies of parameters that share nothing with them that could be changed, as far as they are plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_CONTAINERS: Final = frozenset({dict, list, tuple, set})


def plain_copy(values: Mapping[str, Any]) -> dict[str, Any]:
    """A dict of its own, and so all dicts, lists, tuples and sets in it. Other objects are shared.

    Subclasses of these count as other objects. Costs next to nothing where all values are scalars.
    """
    copied = dict(values)
    if _CONTAINERS.isdisjoint(map(type, copied.values())):
        return copied
    for name, value in copied.items():
        if type(value) in _CONTAINERS:
            try:
                copied[name] = _copied(value, {})
            except RecursionError:
                pass  # nested more deeply than anything can be that is saved; it stays shared
    return copied


def _copied(value: Any, known: dict[int, Any]) -> Any:
    """`known` holds what was copied already, by id: data may lead back to itself."""
    kind = type(value)
    if kind not in _CONTAINERS:
        return value
    if id(value) in known:
        return known[id(value)]
    if kind is tuple:
        return tuple([_copied(each, known) for each in value])
    if kind is set:
        return value.copy()  # what can be in a set does not change
    made: Any
    if kind is list:
        made = known[id(value)] = []
        made += [_copied(each, known) for each in value]
    else:
        made = known[id(value)] = {}
        made.update([(key, _copied(each, known)) for key, each in value.items()])
    return made

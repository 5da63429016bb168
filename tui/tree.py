"""Any data as a tree one unfolds: only what is unfolded is looked at, and of that only so many elements.

Nothing here calls code of the classes it meets but through tui.formats, which waits for none of it long.
"""

from __future__ import annotations

import dataclasses
import gc
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from tui.formats import name_text, one_line
from tui.looking import attributes, dataclass_fields, declared, name_of, writes_fields

# Elements of one container that are shown at first, and how many more each time one asks.
FIRST: Final = 100
MORE: Final = 1000
# Rows of the whole tree; what is beyond is counted where it is cut.
MOST_ROWS: Final = 20_000

Path = tuple[object, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Branch:
    """A part of the tree that is no data: a title over what is under it. `count` None is not told."""

    children: tuple[tuple[str, Any], ...]
    count: int | None = None
    note: str = ""


class Node(NamedTuple):
    """One row. `open` is None for what cannot be unfolded; `more` counts elements that are not shown."""

    path: Path
    depth: int
    label: str
    value: Any
    open: bool | None
    note: str = ""
    more: int = 0


def rows_of(
    roots: Iterable[tuple[str, Any]],
    is_open: Callable[[Path, Any], bool],
    shown: Mapping[Path, int],
    most: int = MOST_ROWS,
) -> list[Node]:
    """The rows of the tree, with what is under those that are open.

    `shown` says of how many elements more than FIRST are wanted.
    """
    rows: list[Node] = []
    for label, value in roots:
        for node in _under((label,), 0, label, value, is_open, shown, ()):
            if len(rows) >= most:
                rows.append(
                    Node((*node.path[:1], "…"), 0, "", None, None, "the tree is cut here: fold something")
                )
                return rows
            rows.append(node)
    return rows


def _under(
    path: Path,
    depth: int,
    label: str,
    value: Any,
    is_open: Callable[[Path, Any], bool],
    shown: Mapping[Path, int],
    above: tuple[int, ...],
) -> Iterator[Node]:
    """A node and what is under it, in order. No recursion deeper than what is unfolded."""
    if id(value) in above:
        yield Node(path, depth, label, None, None, "↻ holds itself")
        return
    if not has_children(value):
        yield Node(path, depth, label, value, None)
        return
    opened = is_open(path, value)
    yield Node(path, depth, label, value, opened)
    if not opened:
        return
    limit = shown.get(path, FIRST)
    count = 0
    try:
        for at, (name, child) in enumerate(islice(children(value), limit)):
            count += 1
            # By its place and not by its name: names of keys may be alike.
            key = name if type(value) is Branch else (at, name)
            yield from _under((*path, key), depth + 1, name, child, is_open, shown, (*above, id(value)))
    except RuntimeError:
        yield Node((*path, "changed"), depth + 1, "", None, None, "… changed while it was read")
        return
    more = size_of(value) - count
    if more > 0:
        yield Node((*path, "more"), depth + 1, "", None, None, f"… {more:,} more", more)


def has_children(value: Any) -> bool:
    """Whether there is anything to unfold."""
    return size_of(value) > 0


_CONTAINERS: Final[tuple[Any, ...]] = (dict, list, tuple, set, frozenset, deque)


def size_of(value: Any) -> int:
    """How many elements there are to unfold."""
    if type(value) is Branch:
        return len(value.children)
    value = _unwrapped(value)
    fields = _fields_of(value)
    if fields is not None:
        return len(fields)
    kind = _container_of(value)
    # The class's own, whatever a subclass makes of it.
    return 0 if kind is None else int(kind.__len__(value))


def _unwrapped(value: Any) -> Any:
    """What a read-only view shows, because the view itself would ask the class of that."""
    while type(value) is MappingProxyType:
        [value] = gc.get_referents(value)
    return value


def _container_of(value: Any) -> Any:
    """The built-in container that a value is, or None. By its true class: no `__class__` is asked."""
    return next((kind for kind in _CONTAINERS if issubclass(type(value), kind)), None)


def children(value: Any) -> Iterator[tuple[str, Any]]:
    """The elements with their names, one at a time. RuntimeError if another thread changes them."""
    if type(value) is Branch:
        yield from value.children
        return
    value = _unwrapped(value)
    fields = _fields_of(value)
    kind = _container_of(value)
    if fields is not None:
        for name, child in fields.items():
            yield name_text(name), child
    elif kind is dict:
        for key, child in dict.items(value):
            yield one_line(key, 80), child
    elif kind is set or kind is frozenset:
        for child in kind.__iter__(value):
            yield "·", child
    else:
        for at, child in enumerate(kind.__iter__(value)):
            yield str(at), child


def _fields_of(value: Any) -> Mapping[str, Any] | None:
    """The named parts of an object that shows them; None for what is asked for its repr, or is a container.

    Shown are what dataclasses, pydantic models and named tuples write in their repr, and the attributes
    of objects that have no repr of their own.
    """
    kind = type(value)
    if issubclass(kind, tuple):
        names = declared(kind, "_fields")
        if type(names) is not tuple:
            return None
        return dict(zip(map(name_text, names), tuple.__iter__(value), strict=False))
    if issubclass(kind, type):
        return None
    if writes_fields(kind):
        return dataclass_fields(value)
    found = attributes(value)
    if found is None:
        return None
    declared_fields = declared(kind, "__pydantic_fields__")
    if type(declared_fields) is dict:
        shown = {name for name, field in declared_fields.items() if getattr(field, "repr", True)}
        return {name: each for name, each in found.copy().items() if name in shown}
    return found.copy() if declared(kind, "__repr__") is _PLAIN_REPR else None


_PLAIN_REPR: Final = object.__dict__["__repr__"]


def kind_words(value: Any) -> str:
    """What an unfolded container is: `dict of 3`, `Order`."""
    size = size_of(value)
    if type(value) is Branch:
        return f"{size if value.count is None else value.count:,}"
    name = name_of(type(value))
    return name if _fields_of(_unwrapped(value)) is not None else f"{name} of {size:,}"

"""Annotations of parameters taken apart, and the classes that declare parameters."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Collection, Iterable, Mapping, MutableSequence, MutableSet, Sequence, Set
from datetime import date, datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, NamedTuple, Union, get_args, get_origin


def is_model(declaration: Any) -> bool:
    # Where pydantic was never imported, nothing is a model.
    pydantic = sys.modules.get("pydantic.main")
    return (
        pydantic is not None and isinstance(declaration, type) and issubclass(declaration, pydantic.BaseModel)
    )


def is_root_model(declaration: Any) -> bool:
    return is_model(declaration) and bool(declaration.__pydantic_root_model__)


def is_typed_dict(declaration: Any) -> bool:
    # By its attributes, because there are two kinds: of typing and of typing_extensions.
    return (
        isinstance(declaration, type) and issubclass(declaration, dict) and hasattr(declaration, "__total__")
    )


def is_declaration(declaration: Any) -> bool:
    return isinstance(declaration, type) and (
        is_model(declaration) or hasattr(declaration, "__dataclass_fields__") or is_typed_dict(declaration)
    )


def full_name(declaration: Any) -> str:
    return f"{declaration.__module__}.{declaration.__qualname__}"


class Core(NamedTuple):
    """An annotation taken apart: its types without None, and what Annotated says about them."""

    types: tuple[Any, ...]
    metadata: tuple[Any, ...]
    nullable: bool


def take_apart(annotation: Any) -> Core:
    origin = get_origin(annotation)
    if annotation is None or annotation is NoneType:
        return Core((), (), True)
    if origin is Annotated:
        inner, *metadata = get_args(annotation)
        core = take_apart(inner)
        return core._replace(metadata=(*core.metadata, *metadata))
    if origin in (Union, UnionType):
        parts = [take_apart(arg) for arg in get_args(annotation)]
        return Core(
            tuple(found for part in parts for found in part.types),
            tuple(found for part in parts for found in part.metadata),
            any(part.nullable for part in parts),
        )
    if origin is Literal:
        return Core((annotation,), (), None in get_args(annotation))
    for attribute in ("__supertype__", "__value__"):  # of a NewType, of a `type` statement
        if hasattr(origin or annotation, attribute) and not isinstance(annotation, type):
            return take_apart(getattr(origin or annotation, attribute))
    return Core((annotation,), (), False)


# The first that fits counts: a bool is an int, a datetime is a date.
_KINDS: Final[tuple[tuple[str, tuple[Any, ...]], ...]] = (
    ("choice", (Enum,)),
    ("bool", (bool,)),
    ("int", (int,)),
    ("float", (float,)),
    ("str", (str, bytes, bytearray)),
    ("datetime", (datetime,)),
    ("date", (date,)),
    ("dict", (Mapping,)),
    ("list", (list, tuple, set, frozenset, deque)),
)


def kind_of(found: Any) -> str:
    from decimal import Decimal  # here with pathlib: they cost a start some milliseconds
    from pathlib import PurePath

    origin = get_origin(found) or found
    if origin is Literal:
        return "choice"
    if not isinstance(origin, type):
        return "str"
    if is_declaration(origin) or hasattr(origin, "_fields"):
        return "object"
    if origin in (Sequence, MutableSequence, Set, MutableSet, Collection, Iterable):
        return "list"
    for kind, types in (("path", (PurePath,)), ("float", (Decimal,)), *_KINDS):
        if issubclass(origin, types):
            return kind
    return "str"


def common_kind(kinds: set[str]) -> str:
    """What a form offers for a parameter of any of several kinds; text is what all can be typed as."""
    if len(kinds) == 1:
        return next(iter(kinds))
    if kinds and kinds <= {"int", "float"}:
        return "float"
    return "object" if kinds and kinds <= {"list", "dict", "object"} else "str"


def as_text(annotation: Any) -> str:
    """The annotation as one would write it: "int | None", "list[Path]", "'fast' | 'exact'"."""
    origin, args = get_origin(annotation), get_args(annotation)
    if annotation is None or annotation is NoneType:
        return "None"
    if origin is Annotated:
        return as_text(args[0])
    if origin in (Union, UnionType):
        return " | ".join(map(as_text, args))
    if origin is Literal:
        return " | ".join(str(arg.value) if isinstance(arg, Enum) else repr(arg) for arg in args)
    if annotation is Ellipsis:
        return "..."
    name = getattr(origin or annotation, "__name__", None)
    if not isinstance(name, str):
        return str(annotation).replace("typing.", "")
    return f"{name}[{', '.join(map(as_text, args))}]" if args else name

"""Where something stands in a file, for the editor and for the reader."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path, PurePath
from types import CodeType, FunctionType, MethodType
from typing import Any, NamedTuple

from routilux.routine import Routine
from routilux.without_code import lost_code
from tui.spans import clean


class Place(NamedTuple):
    """A line of a file."""

    path: str
    lineno: int


def place_of_routine(routine: Routine) -> Place | None:
    """Where the logic of a routine begins; of one without logic, or whose code is gone, nowhere.

    A class that only inherits its logic is found by what it defines itself.
    """
    if lost_code(routine):
        return None
    kind = type(routine)
    own = [each for each in vars(kind).values() if isinstance(each, FunctionType)]
    logic = routine.active_logic
    code = code_of(logic) if logic is not None else None
    inherited = code is not None and isinstance(logic, MethodType) and "logic" not in vars(kind)
    if (code is None or inherited) and kind is not Routine and own:
        code = min((each.__code__ for each in own), key=lambda code: code.co_firstlineno)
    return (
        None
        if code is None or code.co_filename.startswith("<")
        else Place(str.__str__(code.co_filename), code.co_firstlineno)
    )


def code_of(function: Callable[..., Any]) -> CodeType | None:
    """The code behind a function, a method, a partial or what decorators made of one."""
    found: Any = function
    for _ in range(20):
        if isinstance(found, functools.partial):
            found = found.func
        elif isinstance(found, MethodType):
            found = found.__func__
        elif inspect.isfunction(found) and "__wrapped__" not in vars(found):
            return found.__code__
        elif "__wrapped__" in getattr(found, "__dict__", {}):
            found = found.__dict__["__wrapped__"]
        else:
            call: Any = getattr(type(found), "__call__", None)  # noqa: B004  # the function itself is wanted
            if not isinstance(call, FunctionType):
                return None
            found = call
    return None


def short_path(path: str) -> str:
    """A path as one recognises it: from the working folder, inside a library, or its last two parts."""
    if path.startswith("<"):
        return path
    given = PurePath(path)
    for base in ("site-packages", "dist-packages"):
        if base in given.parts:
            at = len(given.parts) - 1 - given.parts[::-1].index(base)
            return str(PurePath(*given.parts[at + 1 :]))
    here = Path.cwd()
    if given.is_relative_to(here):
        return str(given.relative_to(here))
    return str(PurePath(*given.parts[-2:])) if len(given.parts) > 2 else path


def shown_folder(root: Path) -> str:
    """The folder as one would type it: relative to where one is, or to the home folder."""
    # Asked at every picture: a flow may have gone elsewhere, and the folder it went to may be gone.
    for find, mark in ((Path.cwd, "."), (Path.home, "~")):
        try:
            base = find()
        except (OSError, RuntimeError):
            continue
        if root == base:
            return mark
        if root.is_relative_to(base):
            return f"{mark}/{clean(str(root.relative_to(base)))}"
    return clean(str(root))

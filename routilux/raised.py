"""A failure as it can be shown after all its frames are gone: texts alone."""

from __future__ import annotations

from typing import Any, NamedTuple


class RaisedFrame(NamedTuple):
    """A call that a failure passed through.

    `source` are the lines around `lineno` as they were when it ran, the first of them numbered
    `first_lineno`; of a frame that is not the user's own (`library`) only the line itself.
    `columns` says which characters of the failing line were being evaluated, counted from 0.
    `variables` are names and texts of its locals; `more` counts those that there was no room for.
    """

    path: str
    lineno: int
    function: str
    library: bool
    first_lineno: int
    source: tuple[str, ...]
    columns: tuple[int, int] | None = None
    variables: tuple[tuple[str, str], ...] = ()
    more: int = 0


class Raised(NamedTuple):
    """One exception of a failure.

    `link` says how it belongs to the one before it at a depth of one less, or to the failure itself:
    "" (it is the failure), "cause" (`raise ... from`), "context" (it was being handled) or "member"
    (of an exception group). `frames` are in the order of the calls, the failing one last; `omitted`
    counts those that were left out between the first and the last ones.
    """

    link: str
    depth: int
    exception_type: str
    message: str
    notes: tuple[str, ...]
    frames: tuple[RaisedFrame, ...]
    omitted: int = 0


def to_tree(raised: tuple[Raised, ...]) -> list[Any]:
    """As JSON has it."""
    return [[*each[:5], [list(frame) for frame in each.frames], each.omitted] for each in raised]


def from_tree(tree: Any) -> tuple[Raised, ...]:
    """What `to_tree` was given. TypeError, ValueError or IndexError for what it never makes."""
    return tuple(_raised(*each) for each in tree)


def _raised(
    link: str, depth: int, exception_type: str, message: str, notes: Any, frames: Any, omitted: int
) -> Raised:
    return Raised(
        link, depth, exception_type, message, tuple(notes), tuple(_frame(*each) for each in frames), omitted
    )


def _frame(
    path: str,
    lineno: int,
    function: str,
    library: bool,
    first: int,
    source: Any,
    columns: Any,
    variables: Any,
    more: int,
) -> RaisedFrame:
    return RaisedFrame(
        path,
        lineno,
        function,
        library,
        first,
        tuple(source),
        None if columns is None else (columns[0], columns[1]),
        tuple((name, text) for name, text in variables),
        more,
    )


def innermost(raised: Raised) -> RaisedFrame | None:
    """The frame to look at first: the last of the user's own, else the last of all."""
    own = [frame for frame in raised.frames if not frame.library]
    return own[-1] if own else raised.frames[-1] if raised.frames else None

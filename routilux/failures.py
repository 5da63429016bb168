"""Takes from a failure what will be looked at later, as texts, while its frames are still there.

The frames themselves are not kept: through their variables they would keep alive whatever the logic
held. What is taken is bounded in size, runs no code of the values it meets (see `routilux.safe_text`),
and holds no secret of the job's parameters.
"""

from __future__ import annotations

import linecache
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FrameType, FunctionType, ModuleType, TracebackType
from typing import Any, Final

from routilux.raised import Raised, RaisedFrame
from routilux.routine import Routine
from routilux.safe_text import Secrets, attributes_of, text_of

# Exceptions of one failure, and frames of one exception: so many of the first, so many of the last.
_EXCEPTIONS: Final = 20
_FIRST: Final = 8
_LAST: Final = 32
# Source lines around the failing one, and characters of each.
_BEFORE: Final = 4
_AFTER: Final = 3
_LINE: Final = 240
# Frames whose variables are taken, from the innermost of the user's own; variables of each.
_OPEN: Final = 3
_VARIABLES: Final = 40
# Characters of one variable, and of all variables of one failure.
_ROOM_OF_ONE: Final = 400
_ROOM: Final = 8_000
_MESSAGE: Final = 8_000
# What a module defines rather than computes. Kinds are compared by class: `isinstance` asks the value.
_OF_MODULES: Final = frozenset({ModuleType, type, FunctionType, BuiltinFunctionType})
# What every Routine has: it says nothing of the failure.
_OF_ROUTINES: Final = frozenset(vars(Routine()))


def take(error: BaseException, traceback: TracebackType | None, secrets: Secrets) -> tuple[Raised, ...]:
    """The exceptions of a failure: `error`, whose frames begin at `traceback`, and what led to it.

    Never raises, whatever the exceptions do. Call it in the thread that caught the error.
    """
    taken: list[Raised] = []
    room = _ROOM
    seen = {id(error)}
    todo: list[tuple[BaseException, TracebackType | None, str, int]] = [(error, traceback, "", 0)]
    while todo and len(taken) < _EXCEPTIONS:
        each, frames, link, depth = todo.pop()
        try:
            raised = _raised(each, frames, link, depth, secrets, room if not taken else room // 2)
        except BaseException as trouble:
            raised = Raised(
                link, depth, type(each).__name__, f"({type(trouble).__name__} while it was read)", (), ()
            )
        room -= sum(len(text) for frame in raised.frames for _, text in frame.variables)
        taken.append(raised)
        # The last that is put there comes next: first its members, then what led to it.
        for other, how, deeper in reversed(list(_linked(each))):
            if id(other) not in seen:
                seen.add(id(other))
                todo.append((other, other.__traceback__, how, depth + deeper))
    return tuple(taken)


def _linked(error: BaseException) -> Iterator[tuple[BaseException, str, int]]:
    if isinstance(error, BaseExceptionGroup):
        for member in error.exceptions:
            yield member, "member", 1
    if error.__cause__ is not None:
        yield error.__cause__, "cause", 0
    elif error.__context__ is not None and not error.__suppress_context__:
        yield error.__context__, "context", 0


def words_of(error: BaseException) -> str:
    """The message of an exception, whatever its class makes of being asked."""
    try:
        text = str(error)
        # A subclass of str may answer with anything.
        return text if type(text) is str else str.__str__(text)
    except BaseException as broken:
        return f"(its text cannot be made: {type(broken).__name__})"


def shortened(text: str, most: int) -> str:
    """The beginning and the end of a long text."""
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]}\n… {len(text) - 2 * half:,} characters …\n{text[-half:]}"


def _raised(
    error: BaseException, traceback: TracebackType | None, link: str, depth: int, secrets: Secrets, room: int
) -> Raised:
    calls: list[tuple[FrameType, int, int]] = []
    while traceback is not None:
        calls.append((traceback.tb_frame, traceback.tb_lineno, traceback.tb_lasti))
        traceback = traceback.tb_next
    omitted = max(0, len(calls) - _FIRST - _LAST)
    shown = [*calls[:_FIRST], *calls[_FIRST + omitted :]] if omitted else calls
    own = [
        at for at, (frame, _, _) in enumerate(shown) if not is_library(str.__str__(frame.f_code.co_filename))
    ]
    opened = (own or list(range(len(shown))))[-_OPEN:]
    frames: list[RaisedFrame] = []
    # The innermost first: it gets the room it needs.
    for at in reversed(range(len(shown))):
        frame, lineno, instruction = shown[at]
        variables: tuple[tuple[str, str], ...] = ()
        more = 0
        if at in opened and room > 0:
            variables, more = _variables(frame, secrets, room)
            room -= sum(len(text) for _, text in variables)
        frames.append(_frame(frame, lineno, instruction, at not in own, secrets, variables, more))
    notes = getattr(error, "__notes__", ())
    return Raised(
        link,
        depth,
        type(error).__name__,
        secrets.scrub(shortened(words_of(error), _MESSAGE)),
        tuple(secrets.scrub(note[:_MESSAGE]) for note in notes[:10] if type(note) is str)
        if type(notes) is list
        else (),
        tuple(reversed(frames)),
        omitted,
    )


def _frame(
    frame: FrameType,
    lineno: int,
    instruction: int,
    library: bool,
    secrets: Secrets,
    variables: tuple[tuple[str, str], ...],
    more: int,
) -> RaisedFrame:
    code = frame.f_code
    # Asked by the name the code has: a loader may keep the lines of several versions under one path.
    lines = linecache.getlines(code.co_filename, frame.f_globals)
    first = max(1, lineno - (0 if library else _BEFORE))
    last = min(len(lines), lineno + (0 if library else _AFTER))
    source = tuple(secrets.scrub(line.rstrip("\r\n"))[:_LINE] for line in lines[first - 1 : last])
    failing = source[lineno - first] if 0 <= lineno - first < len(source) else ""
    return RaisedFrame(
        str.__str__(code.co_filename),
        lineno,
        code.co_qualname,
        library,
        first,
        source,
        _columns(code, instruction, lineno, failing),
        variables,
        more,
    )


def _columns(code: CodeType, instruction: int, lineno: int, line: str) -> tuple[int, int] | None:
    """Which characters of the line were being evaluated; None where that is all of it, or not known."""
    if instruction < 0:
        return None
    place = next(islice(code.co_positions(), instruction // 2, None), None)
    if place is None:
        return None
    start_line, end_line, start, end = place
    if start_line != lineno or start is None or end is None:
        return None
    encoded = line.encode("utf-8", "surrogatepass")
    first = len(encoded[:start].decode("utf-8", "replace"))
    last = len(encoded[:end].decode("utf-8", "replace")) if end_line == lineno else len(line)
    whole = len(line) - len(line.lstrip())
    return None if first >= last or (first <= whole and last >= len(line.rstrip())) else (first, last)


def _variables(frame: FrameType, secrets: Secrets, room: int) -> tuple[tuple[tuple[str, str], ...], int]:
    """The variables of a frame as texts, and how many more there are."""
    found: list[tuple[str, str]] = []
    pairs = [(name, value) for name, value in frame.f_locals.items() if _tells(frame, name, value)]
    for name, value in pairs[:_VARIABLES]:
        if room <= 0:
            break
        text = _text(value, min(room, _ROOM_OF_ONE), secrets, name)
        found.append((name, text))
        room -= len(text)
    return tuple(found), len(pairs) - len(found)


def _tells(frame: FrameType, name: str, value: Any) -> bool:
    """Whether a variable can tell anything: not what a module defines, nor the compiler's own names."""
    if name.startswith((".", "__")):
        return False
    kinds = type(value).__mro__
    return frame.f_code.co_name != "<module>" or not _OF_MODULES.intersection(kinds)


def _text(value: Any, room: int, secrets: Secrets, name: str) -> str:
    if Routine in type(value).__mro__:
        own = _own_attributes(value)
        inside = ", ".join(f"{key}={text_of(each, room, secrets, key)}" for key, each in own.items())
        text = f"{type(value).__name__}({inside})"
        return text if len(text) <= room else f"{text[:room]}…"
    return text_of(value, room, secrets, name)


def _own_attributes(routine: Routine) -> Mapping[str, Any]:
    return {
        name: each
        for name, each in islice(attributes_of(routine).items(), _VARIABLES)
        if name not in _OF_ROUTINES
    }


@lru_cache(maxsize=4096)
def is_library(path: str) -> bool:
    """Whether a file belongs to Python, to an installed package, or to this library."""
    if path.startswith("<"):
        return path.startswith("<frozen ")
    resolved = str(Path(path).resolve())
    return resolved.startswith(_library_roots())


@lru_cache(maxsize=1)
def _library_roots() -> tuple[str, ...]:
    import sysconfig  # here, because a start would pay for what only failures need

    places = sysconfig.get_paths()
    roots = {Path(places[name]).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    return tuple(f"{root}/" for root in (*roots, Path(__file__).resolve().parent))

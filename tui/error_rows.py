"""What went wrong, as rows: the message, the calls with their source and variables, the data.

The failing call comes first, then who called it; exceptions that led to this one come after it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import tzinfo
from itertools import groupby
from typing import Final

from routilux.failures import is_library
from routilux.history import JobError
from routilux.raised import Raised, RaisedFrame, innermost
from tui.code_spans import code_spans
from tui.doc_rows import DocRow
from tui.formats import clock_time
from tui.places import Place, short_path
from tui.spans import BLANK, Line, Span, clean, clean_lines, cut, line_width, wrap

LINKS: Final = {
    "cause": "caused by",
    "context": "while dealing with",
    "member": "one of the group",
}
# The user's own calls whose source is shown at once; of a recursion nobody reads all.
_OPEN: Final = 6
# Lines of data and of a traceback.
_DATA: Final = 200
_TRACEBACK: Final = 400
_FILE: Final = re.compile(r'\s*File "(?P<path>[^"]+)", line (?P<line>\d+)')

# Whether something is folded, by its name and by whether it would be.
Folded = Callable[[str, bool], bool]


def error_rows(
    error: JobError, number: int, count: int, columns: int, zone: tzinfo | None, folded: Folded, data: str
) -> Iterator[DocRow]:
    """All rows about error `number` of `count`. `data` is the data it failed on, as text."""
    head = f"✗ {error.exception_type}: {error.message}"
    for at, text in enumerate(clean_lines(head, 12)):
        for part_at, part in enumerate(wrap(text, columns, indent="  ")):
            row = DocRow(f"head:{at}:{part_at}", ((part, "failed"),), str(error), routine=error.routine_id)
            yield row
    fate = "failed the job" if error.fatal else "dealt with, the job went on"
    where = f"in {error.routine_id} · " if error.routine_id else ""
    which = f" · error {number} of {count}" if count > 1 else ""
    for at, part in enumerate(wrap(f"{where}{clock_time(error.timestamp, zone)} · {fate}{which}", columns)):
        yield DocRow(f"about:{at}", ((part, "muted"),), routine=error.routine_id)
    if error.raised:
        for index, raised in enumerate(error.raised):
            yield from _raised_rows(raised, index, columns, folded, error)
    elif error.traceback:
        yield DocRow("gap:traceback", BLANK)
        yield from _plain_rows(error, columns)
    if error.data_slice:
        yield DocRow("gap:data", BLANK)
        yield from _data_rows(error, columns, folded, data)


def _raised_rows(
    raised: Raised, index: int, columns: int, folded: Folded, error: JobError
) -> Iterator[DocRow]:
    name = f"{index}"
    indent = "  " * raised.depth
    yield DocRow(f"gap:{name}", BLANK)
    if index:
        head = f"{LINKS.get(raised.link, raised.link)} {raised.exception_type}: {raised.message}"
        for at, text in enumerate(clean_lines(head, 6)):
            for part_at, part in enumerate(wrap(text, columns - len(indent), indent="  ")):
                yield DocRow(f"raised:{name}:{at}:{part_at}", ((indent, "text"), (part, "failed")), head)
    for at, note in enumerate(raised.notes):
        for part_at, part in enumerate(wrap(f"note: {note}", columns - len(indent), indent="  ")):
            yield DocRow(f"note:{name}:{at}:{part_at}", ((indent, "text"), (part, "warning")), note)
    failing = innermost(raised)
    opened = 0
    at = len(raised.frames)
    for library, group in groupby(reversed(raised.frames), key=lambda frame: frame.library):
        frames = list(group)
        if library and failing not in frames:
            yield from _library_rows(frames, f"{name}:{at}", columns, indent, folded)
            at -= len(frames)
            continue
        for frame in frames:
            if raised.omitted and at == 8:
                text = f"{indent}… {raised.omitted:,} more calls"
                yield DocRow(f"omitted:{name}", ((text, "muted"),))
            first = frame is failing
            yield from _frame_rows(
                frame, f"{name}:{at}", columns, indent, folded, first=first, shut=opened >= _OPEN
            )
            opened += 1
            at -= 1
    if not raised.frames and index == 0 and error.traceback:
        yield from _plain_rows(error, columns)


def _library_rows(
    frames: list[RaisedFrame], name: str, columns: int, indent: str, folded: Folded
) -> Iterator[DocRow]:
    """Calls that are not the user's own: one line for all of them, until it is unfolded."""
    fold = f"library:{name}"
    shut = folded(fold, True)
    mark = "▸" if shut else "▾"
    named = f"{short_path(frames[0].path)}:{frames[0].lineno} {frames[0].function}"
    several = f"{len(frames)} library calls, {named}" if len(frames) > 1 else f"library call, {named}"
    place = Place(frames[0].path, frames[0].lineno)
    yield DocRow(fold, ((cut(f"{indent}{mark} {several}", columns), "muted"),), place=place, folds=fold)
    if shut:
        return
    for at, frame in enumerate(frames):
        place = Place(frame.path, frame.lineno)
        head = f"{indent}    {short_path(frame.path)}:{frame.lineno} {frame.function}"
        yield DocRow(f"{fold}:{at}", ((cut(head, columns), "muted"),), frame_text(frame), place)
        for line in frame.source[:1]:
            spans = [(f"{indent}      ", "text"), *code_spans(line.strip())]
            yield DocRow(f"{fold}:{at}:code", cropped(spans, columns), line.strip(), place)


def _frame_rows(
    frame: RaisedFrame, name: str, columns: int, indent: str, folded: Folded, *, first: bool, shut: bool
) -> Iterator[DocRow]:
    place = Place(frame.path, frame.lineno)
    fold = f"frame:{name}"
    shut = folded(fold, shut)
    head: list[Span] = [
        (f"{indent}{'▸' if shut else '▾'} ", "muted"),
        (f"{short_path(frame.path)}:{frame.lineno}", "title"),
        (f" in {frame.function}", "strong" if first else "muted"),
    ]
    yield DocRow(fold, cropped(head, columns), frame_text(frame), place, folds=fold)
    if shut:
        return
    yield from _source_rows(frame, fold, columns, indent, place)
    if not frame.variables:
        return
    variables = f"variables:{name}"
    away = folded(variables, not first)
    total = len(frame.variables) + frame.more
    text = f"{indent}  {'▸' if away else '▾'} {total} variable{'s' * (total != 1)}"
    yield DocRow(variables, ((text, "muted"),), place=place, folds=variables)
    if away:
        return
    widest = min(max(len(each) for each, _ in frame.variables), 16)
    for variable, value in frame.variables:
        label = f"{indent}      {cut(variable, 40).ljust(widest)} "
        spans: list[Span] = [(label, "key"), (value, "text")]
        whole = (f"{variable} in {frame.function}", value)
        yield DocRow(f"{variables}:{variable}", cropped(spans, columns), value, place, whole=whole)
    if frame.more:
        yield DocRow(f"{variables} more", ((f"{indent}      … {frame.more:,} more, not kept", "muted"),))


def _source_rows(frame: RaisedFrame, fold: str, columns: int, indent: str, place: Place) -> Iterator[DocRow]:
    """The lines around the failing one, which is marked, and under it what of it was being evaluated."""
    if not frame.source:
        yield DocRow(f"{fold}:none", ((f"{indent}    (its source is not at hand)", "muted"),), place=place)
        return
    lines = _about([line.expandtabs(4) for line in frame.source], frame.lineno - frame.first_lineno)
    used = [line for line in lines if line.strip()]
    away = min((len(line) - len(line.lstrip()) for line in used), default=0)
    digits = len(str(frame.first_lineno + len(lines) - 1))
    for at, line in enumerate(lines):
        lineno = frame.first_lineno + at
        failing = lineno == frame.lineno
        margin: list[Span] = [
            (f"{indent}  {'❱' if failing else ' '} {lineno:>{digits}} ", "failed" if failing else "muted"),
            ("│ ", "edge"),
        ]
        spans = [*margin, *code_spans(line[away:])]
        here = Place(frame.path, lineno)
        yield DocRow(f"{fold}:{lineno}", cropped(spans, columns), frame.source[at], here)
        if failing and frame.columns is not None and "\t" not in frame.source[at]:
            start, end = frame.columns
            room = columns - line_width(margin) - 1
            before = cut(" " * max(0, start - away), room)
            pad = " " * (line_width([(line[away:start], "text")]) if start > away else 0)
            marks = "^" * max(1, line_width([(line[max(start, away) : end], "text")]))
            blank = " " * (line_width(margin) - 2)
            if len(before) < room:
                spans = [(blank, "text"), ("│ ", "edge"), (pad, "text"), (marks, "failed")]
                yield DocRow(f"{fold}:{lineno}:marks", cropped(spans, columns), frame.source[at], here)


def _about(lines: list[str], failing: int) -> list[str]:
    """The lines without what follows the failing one's own block, and blank ones at the end."""
    inside = bool(lines[failing : failing + 1]) and lines[failing][:1].isspace()
    after = range(failing + 1, len(lines))
    end = next((at for at in after if inside and lines[at][:1].strip()), len(lines))
    while end > failing + 1 and not lines[end - 1].strip():
        end -= 1
    return lines[:end]


def _plain_rows(error: JobError, columns: int) -> Iterator[DocRow]:
    """The traceback as Python writes it."""
    place: Place | None = None
    for at, text in enumerate(clean_lines(error.traceback.rstrip(), _TRACEBACK)):
        match = _FILE.match(text)
        if match:
            place = Place(match["path"], int(match["line"]))
        for part_at, part in enumerate(wrap(text, columns, indent="    ")):
            yield DocRow(f"plain:{at}:{part_at}", ((part, "code"),), text, place)


def _data_rows(error: JobError, columns: int, folded: Folded, data: str) -> Iterator[DocRow]:
    shut = folded("data", False)
    mark = "▸" if shut else "▾"
    title = "data it failed on"
    yield DocRow("data", ((f"{mark} {title}", "title"),), data, routine=error.routine_id, folds="data")
    if shut:
        return
    whole = (title, data)
    for at, text in enumerate(clean_lines(data, _DATA)):
        for part_at, part in enumerate(wrap(f"  {text}", columns, indent="      ")):
            yield DocRow(f"data:{at}:{part_at}", ((part, "text"),), text.strip(), whole=whole)


def failing_place(error: JobError) -> Place | None:
    """The line that failed: the last of the user's own, where that is known."""
    if error.raised:
        frame = innermost(error.raised[0])
        return None if frame is None else Place(frame.path, frame.lineno)
    found = [_FILE.match(line) for line in error.traceback.splitlines()]
    places = [Place(match["path"], int(match["line"])) for match in found if match]
    own = [place for place in places if not is_library(place.path)]
    return (own or places or [None])[-1]  # type: ignore[list-item]


def frame_text(frame: RaisedFrame) -> str:
    """A call as a traceback writes it."""
    at = frame.lineno - frame.first_lineno
    code = frame.source[at].strip() if 0 <= at < len(frame.source) else ""
    text = f'File "{frame.path}", line {frame.lineno}, in {frame.function}'
    return f"{text}\n    {code}" if code else text


def cropped(spans: list[Span], columns: int) -> Line:
    """The spans on at most `columns`, with an ellipsis where they are cut."""
    if line_width(spans) <= columns:
        return spans
    fitting: list[Span] = []
    room = columns
    for text, role in spans:
        shown = cut(text, room)
        fitting.append((shown, role))
        room -= line_width([(shown, role)])
        if shown != clean(text):
            break
        if room <= 0:
            fitting[-1] = (shown[:-1] + "…", role)
            break
    return fitting

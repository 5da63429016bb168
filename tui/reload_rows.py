"""The loads of the flow folder as rows: what each save did, in the flows' own terms."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo
from typing import Final, NamedTuple

from routilux.loading import FlowDiff, FlowEvent, LoadError, LoadRecord, OutputLine
from tui.file_lines import output_lines
from tui.formats import clock_time
from tui.spans import BLANK, Line, Span, clean_lines, cut, line_width, wrap

# Lines of one load in the list; its window has them all.
_MOST_DETAILS: Final = 8
_MOST_BROKEN: Final = 20
_MOST_DIFF_LINES: Final = 4000
# For how long the header speaks of a load, in seconds.
_NOTED: Final = 10
_HUNK: Final = re.compile(r"^@@ -\d+(?:,\d+)? \+(\d+)(?:,\d+)? @@", re.MULTILINE)
_NOW: Final = re.compile(r"^\+\+\+ (.*) \(now\)$", re.MULTILINE)


class RowLine(NamedTuple):
    """A line whose middle makes way where it is too wide."""

    before: tuple[Span, ...]
    middle: Span
    after: tuple[Span, ...] = ()

    def fitted(self, columns: int) -> Line:
        """The line on at most `columns`, as far as that can be."""
        text, role = self.middle
        room = columns - line_width(self.before) - line_width(self.after)
        if room < 6:
            return (*self.before, (cut(text, columns - line_width(self.before)), role))
        return (*self.before, (cut(text, room), role), *self.after)


class LoadRow(NamedTuple):
    """A row of the list: a load, or one file that it found broken (`error`)."""

    key: str
    load: LoadRecord
    lines: tuple[RowLine, ...]
    error: LoadError | None = None


def lasting(loads: Sequence[LoadRecord], importing: Sequence[str]) -> set[int]:
    """The ids of those loads that tell of an import which goes on: of each file the newest."""
    newest = {load.events[0].path: id(load) for load in loads if _is_slow(load)}
    return {newest[path] for path in importing if path in newest}


def rows_of(load: LoadRecord, zone: tzinfo | None, *, lasts: bool = False) -> list[LoadRow]:
    """The rows of one load, what is broken first. `lasts`: the import that it tells of goes on."""
    key = f"{load.generation} {load.at.timestamp()}"
    broken = [event for event in load.events if event.error is not None]
    rows = [
        _broken_row(f"{key} {event.path}", load, event, zone)
        for event in broken[: _MOST_BROKEN if len(broken) > _MOST_BROKEN else None]
    ]
    if len(broken) > len(rows):
        more = (("✗ ", "failed"), (clock_time(load.at, zone), "muted"))
        said = (f" and {len(broken) - len(rows):,} more files are broken", "text")
        rows.append(LoadRow(f"{key} more", load, (RowLine(more, said),)))
    if len(broken) < len(load.events) or not broken:
        rows.append(_slow_row(key, load, zone, lasts) if _is_slow(load) else _load_row(key, load, zone))
    return rows


def _broken_row(key: str, load: LoadRecord, event: FlowEvent, zone: tzinfo | None) -> LoadRow:
    error = event.error
    assert error is not None  # it is what this row is about
    place = error.path if error.lineno is None else f"{error.path}:{error.lineno}"
    lines = (
        RowLine(_head("✗", "failed", load, zone), (place, "strong")),
        RowLine((("  ", "text"),), (error.message, "failed")),
    )
    return LoadRow(key, load, lines, error)


def _slow_row(key: str, load: LoadRecord, zone: tzinfo | None, lasts: bool) -> LoadRow:
    glyph, words, role = ("◌", "takes", "warning") if lasts else ("·", "took", "muted")
    path = load.events[0].path
    head = RowLine(((f"{glyph} ", role), (f"{clock_time(load.at, zone)} ", "muted")), (path, "strong"))
    return LoadRow(
        f"slow {key} {path}", load, (head, RowLine((("  ", "text"),), (f"{words} long to import", role)))
    )


def _load_row(key: str, load: LoadRecord, zone: tzinfo | None) -> LoadRow:
    head = RowLine(
        _head("✓", "completed", load, zone),
        (what_loaded(load), "strong"),
        ((f" {load.milliseconds:.0f} ms", "muted"),),
    )
    details = list(detail_lines(load))
    shown = details if len(details) <= _MOST_DETAILS else details[: _MOST_DETAILS - 1]
    lines = [head, *(RowLine((("  ", "text"), sign), about) for sign, about in shown)]
    if len(shown) < len(details):
        lines.append(RowLine((("  ", "text"),), (f"and {len(details) - len(shown):,} more", "muted")))
    return LoadRow(key, load, tuple(lines))


def _head(mark: str, role: str, load: LoadRecord, zone: tzinfo | None) -> tuple[Span, ...]:
    return ((f"{mark} ", role), (f"{clock_time(load.at, zone)} ", "muted"), (f"g{load.generation} ", "muted"))


def files_of(load: LoadRecord) -> Sequence[str]:
    """The files that a load is about."""
    return load.paths or tuple(sorted({event.path for event in load.events}))


def what_loaded(load: LoadRecord) -> str:
    """`etl.py`, `37 files`, `30 flows found`."""
    if is_first(load):
        count = sum(event.kind == "added" for event in load.events)
        return f"{count:,} flow{'s' * (count != 1)} found"
    files = files_of(load)
    return files[0] if len(files) == 1 else f"{len(files):,} files" if files else "folder read again"


def is_first(load: LoadRecord) -> bool:
    """Whether it found the folder as it was, and nobody saved anything.

    Files whose import lasts come with loads of their own after that.
    """
    return load.generation == 1 or (
        bool(load.events) and not load.paths and all(event.kind == "added" for event in load.events)
    )


def detail_lines(load: LoadRecord) -> Iterator[tuple[Span, Span]]:
    """What a load did to the flows, a line each: a mark, and what it is about."""
    events = [event for event in load.events if event.error is None]
    if is_first(load) and all(event.kind == "added" for event in events):
        return
    changed = [event for event in events if event.kind == "changed"]
    for event in events:
        if event.kind == "added":
            yield ("+ ", "completed"), (f"flow {event.flow}", "text")
        elif event.kind == "removed":
            said = f"flow {event.flow}" if event.flow is not None else event.path
            yield ("- ", "failed"), (said, "text")
        elif event.kind == "fixed":
            yield ("✓ ", "completed"), (f"{event.path} is fixed", "text")
    for event in changed:
        if len(changed) > 1:
            yield ("~ ", "warning"), (f"flow {event.flow}", "strong")
        yield from _diff_lines(event.diff, event.flow or event.path, alone=len(changed) == 1)
    if not load.events:
        yield ("· ", "muted"), ("no flow has changed", "muted")


def _diff_lines(diff: FlowDiff | None, flow: str, *, alone: bool) -> Iterator[tuple[Span, Span]]:
    if diff is None:
        return
    some = False
    for mark, role, words in (
        ("~ ", "warning", [f"{name} (changed)" for name in diff.routines_changed]),
        ("+ ", "completed", list(diff.routines_added)),
        ("- ", "failed", list(diff.routines_removed)),
        ("+ ", "completed", [_arrow(each) for each in diff.connections_added]),
        ("- ", "failed", [_arrow(each) for each in diff.connections_removed]),
    ):
        for word in words:
            some = True
            yield (mark, role), (word, "text")
    if not some and alone:
        yield ("· ", "muted"), (f"{flow}: same routines, same connections", "muted")


def _arrow(connection: object) -> str:
    return str(connection).replace(" -> ", " → ")


# ---- the window of one row


def window_of(
    row: LoadRow, output: Sequence[OutputLine], columns: int, zone: tzinfo | None
) -> tuple[str, list[Line]]:
    """The title and the lines of all there is to say about a row; `output` is that of its file."""
    load = row.load
    when = f"g{load.generation} {clock_time(load.at, zone)}"
    if row.error is not None:
        lines = list(error_lines(row.error, columns))
        title = f"{row.error.path} · {when}"
    else:
        title = f"{what_loaded(load)} · {when} · {load.milliseconds:.0f} ms"
        lines = [(mark, text) for mark, text in detail_lines(load)]
        diff = list(diff_lines(load))
        if diff:
            lines += [BLANK, *diff] if lines else diff
        if len(files_of(load)) > 1:
            lines += [BLANK, (("files", "title"),), *(((path, "text"),) for path in files_of(load))]
    said = output_lines(output, columns)
    if said:
        lines += [BLANK, *said]
    return title, [((" ", "text"), *line) for line in lines]


def error_lines(error: LoadError, columns: int) -> Iterator[Line]:
    """What is wrong with a file, and the traceback of its import."""
    where = "" if error.lineno is None else f"line {error.lineno}: "
    for part in wrap(where + error.message, columns):
        yield ((part, "failed"),)
    if error.blocked_by:
        yield (("mend that file first", "muted"),)
    if error.traceback:
        yield BLANK
        for text in clean_lines(error.traceback.rstrip(), 500):
            yield ((text, "code"),)


def diff_lines(load: LoadRecord) -> Iterator[Line]:
    """The sources as they were and as they are, each file once."""
    sources = dict.fromkeys(
        part for event in load.events if event.diff is not None for part in _files_in(event.diff.source)
    )
    for number, source in enumerate(sources):
        if number:
            yield BLANK
        for text in clean_lines(source, _MOST_DIFF_LINES):
            yield ((text, _diff_role(text)),)


def _files_in(source: str) -> list[str]:
    """The diff of each file of a diff of several."""
    return [part for part in re.split(r"\n(?=--- .* \(before\)\n)", source) if part]


def _diff_role(text: str) -> str:
    if text.startswith(("--- ", "+++ ")):
        return "strong"
    if text.startswith("@@"):
        return "title"
    return "completed" if text.startswith("+") else "failed" if text.startswith("-") else "muted"


def place_of(row: LoadRow) -> tuple[str, int] | None:
    """The file and the line that a row leads to: the error, or the first line that has changed."""
    if row.error is not None:
        return row.error.path, row.error.lineno or 1
    for event in row.load.events:
        if event.diff is not None and event.diff.source:
            file, hunk = _NOW.search(event.diff.source), _HUNK.search(event.diff.source)
            if file is not None and hunk is not None:
                return file[1], _first_changed(event.diff.source, hunk)
    files = files_of(row.load)
    return (files[0], 1) if files else None


def _first_changed(source: str, hunk: re.Match[str]) -> int:
    line = int(hunk[1])
    for text in source[hunk.end() + 1 :].split("\n"):
        if not text.startswith(" "):
            break
        line += 1
    return max(line, 1)


# ---- what is said of loads elsewhere


def note_of(loads: Sequence[LoadRecord], now: datetime) -> Span:
    """What the header says of the newest load, for a while; of one that broke something, that."""
    newest = next((load for load in reversed(loads) if not is_first(load) and not _is_slow(load)), None)
    ago = -1.0 if newest is None else (now - newest.at).total_seconds()
    if newest is None or not 0 <= ago < _NOTED:
        return ("", "text")
    broken = [event.path for event in newest.events if event.error is not None]
    if broken:
        return (f"✗ {broken[0] if len(broken) == 1 else f'{len(broken):,} files'} broken", "failed")
    gone = [event for event in newest.events if event.kind == "removed"]
    verb = "removed" if gone and len(gone) == len(newest.events) else "reloaded"
    return (f"● {what_loaded(newest)} {verb} {ago:.0f}s ago", "completed")


def _is_slow(load: LoadRecord) -> bool:
    return bool(load.events) and all(event.kind == "slow" for event in load.events)


class Told(NamedTuple):
    """What a toast says of loads."""

    text: str
    severity: str


def told_of(loads: Sequence[LoadRecord]) -> list[Told]:
    """What is said of loads that nobody saw, in few words however many they are: errors, and the rest."""
    broken = {event.path: event.error for load in loads for event in load.events if event.error is not None}
    slow = [event.path for load in loads for event in load.events if event.kind == "slow"]
    said = []
    if len(broken) == 1:
        [error] = broken.values()
        said.append(Told(f"✗ {error}", "error"))
    elif broken:
        said.append(Told(f"✗ {len(broken):,} files are broken: {_some(list(broken))}", "error"))
    if slow:
        said.append(Told(f"{_some(slow)} takes long to import", "warning"))
    files = list(dict.fromkeys(path for load in loads if not _is_slow(load) for path in files_of(load)))
    good = [path for path in files if path not in broken]
    if good:
        flows = {event.flow for load in loads for event in load.events if event.kind == "changed"}
        changed = f": {_some(sorted(flow for flow in flows if flow))}" if flows else ""
        said.append(Told(f"{_some(good)} reloaded{changed}", "information"))
    return said


def _some(names: Sequence[str]) -> str:
    if len(names) <= 3:
        return ", ".join(names)
    return f"{', '.join(names[:2])} and {len(names) - 2:,} more"

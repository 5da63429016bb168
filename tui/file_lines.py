"""What a file of the flow folder is like just now, in lines: broken since when, what it put out at import."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Final

from routilux.loading import LoadError, OutputLine
from tui.formats import clock_time
from tui.log_rows import message_of
from tui.pictures import Breakage, FlowPicture
from tui.spans import Line, clean_lines, wrap

_ROLES: Final = {"WARNING": "warning", "ERROR": "failed", "CRITICAL": "failed", "STDERR": "warning"}
# The last lines of what a file put out; more would bury the flow.
_MOST: Final = 40


def breakage_lines(flow: FlowPicture, columns: int, zone: tzinfo | None) -> list[Line]:
    """That the flow's file is broken, since when, and what its jobs run instead; nothing if it is not."""
    breakage = flow.breakage
    if breakage is None:
        return []
    said = f"{flow.path} is broken{since_words(breakage, zone)}: {error_words(breakage.error)}"
    lines: list[Line] = [(("✗ " if at == 0 else "  ", "failed"), (part, "failed"))
                         for at, part in enumerate(wrap(said, columns - 2))]  # fmt: skip
    runs = f"jobs start with g{flow.generation}, its last good version"
    return lines + [(("  " + part, "muted"),) for part in wrap(runs, columns - 2)]


def since_words(breakage: Breakage, zone: tzinfo | None) -> str:
    """` since 12:03:10 (g13)`, or nothing where that is not known."""
    if breakage.since is None:
        return ""
    return f" since {clock_time(breakage.since, zone)} (g{breakage.generation})"


def error_words(error: LoadError) -> str:
    """`line 41 NameError: name 'pd' is not defined`."""
    return ("" if error.lineno is None else f"line {error.lineno} ") + error.message


def output_lines(output: Sequence[OutputLine], columns: int) -> list[Line]:
    """What a file printed, warned and logged when it was imported, the newest last; nothing if nothing."""
    if not output:
        return []
    lines: list[Line] = [(("put out at import", "title"),)]
    if len(output) > _MOST:
        lines.append(((f"{len(output) - _MOST:,} lines before these", "muted"),))
    for said in output[-_MOST:]:
        role = _ROLES.get(said.level, "text")
        for text in clean_lines(message_of(said.level, said.text), 20):
            first, *rest = wrap(text, max(columns - 8, 8))
            lines.append(((f"{said.level[:7]:<8}", "muted"), (first, role)))
            lines += [((" " * 8 + part, role),) for part in rest]
    return lines

"""What modules print, warn and log while they are imported."""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

_MOST_LINES: Final = 500


class OutputLine(NamedTuple):
    """A line that a module put out at import; `level` is PRINT, STDERR or that of a log record."""

    level: str
    text: str


class Output:
    """The last lines of one module. Written by the thread that executes it; read by any."""

    def __init__(self) -> None:
        self._lines: deque[OutputLine] = deque(maxlen=_MOST_LINES)
        self._open: dict[str, str] = {}

    def write_output(self, level: str, text: str) -> None:
        """Take a piece of what is printed; whole lines become lines."""
        *whole, rest = (self._open.pop(level, "") + text).split("\n")
        for line in whole:
            self._lines.append(OutputLine(level, line))
        if rest:
            self._open[level] = rest

    def add_record(self, level: str, message: str) -> None:
        """Take a log record."""
        for line in message.split("\n"):
            self._lines.append(OutputLine(level, line))

    def close(self) -> None:
        """Nothing more comes: what has not ended with a line's end is a line all the same."""
        for level, text in self._open.items():
            self._lines.append(OutputLine(level, text))
        self._open.clear()

    def lines(self) -> tuple[OutputLine, ...]:
        """What there is, oldest first."""
        return tuple(self._lines)

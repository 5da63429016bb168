"""A line that an activation has printed and not ended yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

# A line that has grown longer than so many characters, and goes on without an end, is logged in parts.
LONGEST: Final = 100_000


class UnfinishedLine:
    """What one thread of an activation has printed on one stream since its last line end.

    Under the lock of the job's log. A garbage collection may begin at any call made here, and what it
    finalizes may print to the same line: so `text` is read and replaced in one statement, after the calls.
    """

    __slots__ = ("ns", "text")

    def __init__(self) -> None:
        # When it was printed on last.
        self.ns = 0
        # Without line ends, and without what carriage returns have written over.
        self.text = ""

    def add(self, text: str) -> Sequence[str]:
        """Print `text`; answers with the lines that it ends."""
        if "\n" not in text and "\r" not in text:
            if len(self.text) <= LONGEST or not text:
                self.text += text
                return ()
            whole, self.text = self.text, text
            return (shown(whole),)
        self.text += text
        whole, self.text = self.text, ""
        *ended, rest = whole.split("\n")
        if "\r" in whole:
            ended = [shown(line) for line in ended]
            rest = _not_written_over(rest)
        if rest:
            self.text = rest + self.text
        return ended


def shown(line: str) -> str:
    """What a terminal shows of a line: what follows the last carriage return that something follows."""
    return _not_written_over(line).rstrip("\r")


def _not_written_over(line: str) -> str:
    """The line from there on; returns at its end stay, for it is what comes next that writes it over."""
    return line[line.rfind("\r", 0, len(line.rstrip("\r"))) + 1 :] if "\r" in line else line

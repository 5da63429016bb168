"""What was written past the jobs and the screen: by threads of no job, by subprocesses, by C code.

It all ends up in one file, because a file takes everything at once and from anybody: a pipe makes its
writer wait, and for ever where the writer holds the interpreter while it waits for this program.
"""

from __future__ import annotations

import codecs
import os
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Final, NamedTuple

from tui.spans import LONGEST, clean, printed

# The newest lines that are kept, each cut to LONGEST characters.
MOST_LINES: Final = 2000
# What is read at once; of a writer that is faster, only the newest is.
_READ: Final = 256 * 1024
# The file's disk is given back when so much of it has been read.
_LARGEST: Final = 8 * 1024 * 1024


class Message(NamedTuple):
    """A line, and when it was seen."""

    at: datetime
    text: str


class Messages:
    """The newest lines of the file. For the screen's thread only.

    `descriptor` is that file, opened to read and append; without one there are only lines from `add`.
    """

    def __init__(self, clock: Callable[[], datetime], descriptor: int | None = None) -> None:
        self._clock = clock
        self._descriptor = descriptor
        self._lines: deque[Message] = deque(maxlen=MOST_LINES)
        # How much of the file was read, and the end of a line that has not ended.
        self._read = 0
        self._given_back = 0
        self._rest = ""
        self._decode = _decoder()
        # Lines that ever came; bytes that nobody will see.
        self.total = 0
        self.bytes_lost = 0
        # The total when somebody last looked.
        self._seen = 0

    def gather(self) -> bool:
        """Take in what was written since; answers whether there was any. Costs a system call if not."""
        if self._descriptor is None:
            return False
        size = os.fstat(self._descriptor).st_size
        if size <= self._read:
            return False
        if size - self._read > _READ:
            self.bytes_lost += size - _READ - self._read
            self._read = size - _READ
            self._decode = _decoder()
            self._end_line()
        data = os.pread(self._descriptor, size - self._read, self._read)
        self._read += len(data)
        self.add(self._decode(data))
        if self._read - self._given_back > _LARGEST:
            self._give_back()
        return True

    def _give_back(self) -> None:
        """Free the disk of what was read. Nothing that comes meanwhile is lost, where that is possible."""
        assert self._descriptor is not None
        if _punch(self._descriptor, self._read):
            self._given_back = self._read
            return
        # What is written between these two lines is lost uncounted; writers append, so nothing else is.
        self.bytes_lost += max(0, os.fstat(self._descriptor).st_size - self._read)
        os.ftruncate(self._descriptor, 0)
        self._read = self._given_back = 0

    def add(self, text: str) -> None:
        """Take in a piece of text, which may end within a line."""
        *lines, rest = (self._rest + text).replace("\r\n", "\n").split("\n")
        now = self._clock()
        for line in lines:
            self._keep(now, line)
        # A line that never ends is cut before it costs anything.
        self._rest = rest if len(rest) <= LONGEST else rest[:LONGEST]

    def _end_line(self) -> None:
        if self._rest:
            self._keep(self._clock(), self._rest)
            self._rest = ""

    def _keep(self, now: datetime, line: str) -> None:
        # What a progress bar wrote over itself is not kept; nor is an end of line that came in two pieces.
        line = printed(line)
        self._lines.append(Message(now, line[: LONGEST + 1]))
        self.total += 1

    # ---- what it tells

    @property
    def lines(self) -> tuple[Message, ...]:
        """The lines that are kept, the newest last, with the one that has not ended yet."""
        return (*self._lines, Message(self._clock(), self._rest)) if self._rest else tuple(self._lines)

    @property
    def lines_lost(self) -> int:
        """Lines that came and are no longer kept."""
        return self.total - len(self._lines)

    @property
    def unseen(self) -> int:
        """Lines that came since somebody looked."""
        return self.total + bool(self._rest) - self._seen

    def looked(self) -> None:
        """Somebody has seen all there is."""
        self._seen = self.total + bool(self._rest)

    def text(self, limit: int) -> str:
        """The newest lines, made safe, of about `limit` characters at most."""
        taken: list[str] = []
        size = 0
        for message in reversed(self.lines):
            line = clean(message.text.expandtabs(8))
            size += len(line) + 1
            if size > limit:
                break
            taken.append(line)
        return "\n".join(reversed(taken))


def _decoder() -> Callable[[bytes], str]:
    return codecs.getincrementaldecoder("utf-8")("replace").decode


def _punch(descriptor: int, size: int) -> bool:
    """Make a hole of the first `size` bytes of a file; False where system or file system cannot."""
    import ctypes  # here, because hardly anybody ever needs it

    try:
        fallocate = ctypes.CDLL(None, use_errno=True).fallocate64
    except (OSError, AttributeError):
        return False
    keep_size_and_punch_hole = 1 | 2
    fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    return bool(fallocate(descriptor, keep_size_and_punch_hole, 0, size) == 0)

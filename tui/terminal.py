"""Gives the terminal to the app alone, whatever the code of flows does with the standard streams.

Prints of jobs go to their logs. All else that is written to the standard output or error, by Python,
a subprocess or a library written in C, goes to a file, and from there to the window of messages; what
reads the standard input finds it at its end. A program that opens /dev/tty itself is not kept out.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from io import TextIOWrapper
from typing import Any, Final, Literal, TextIO

from tui.messages import Messages

# How much of what was written is said again in the end.
_SAID: Final = 64 * 1024


class Terminal:
    """The terminal, while the app has it. Made by `own_terminal`."""

    def __init__(self, keys: int, screen: int, messages: Messages) -> None:
        # What a program that is lent the terminal gets as its standard input, and as output and error.
        self.keys = keys
        self.screen = screen
        self.messages = messages
        self._streams = (sys.stdout, sys.stderr)
        self._originals = (sys.__stdin__, sys.__stdout__, sys.__stderr__)

    def open_to_driver(self) -> None:
        """Let `sys.__stdin__`, `sys.__stdout__` and `sys.__stderr__` be the terminal, as a driver expects."""
        sys.__stdin__ = _stream(self.keys, "r")  # type: ignore[misc]
        sys.__stdout__ = sys.__stderr__ = _stream(self.screen, "w")  # type: ignore[misc]

    def close_to_others(self) -> None:
        """Once the driver has what it needs: no stream that user code can find leads to the terminal.

        The driver asks the descriptor of `sys.__stdout__` for the size whenever that changes.
        Textual puts streams of its own in place of `sys.stdout` and `sys.stderr`, which lose what no
        widget wants and have no descriptor to give to a subprocess; they are put away again.
        """
        stdin, stdout, stderr = self._originals
        sys.__stdin__, sys.__stderr__ = stdin, stderr  # type: ignore[misc]
        sys.__stdout__ = _Sized(stdout, self.screen)  # type: ignore[misc, assignment]
        self.keep_streams()

    def keep_streams(self) -> None:
        """`sys.stdout` and `sys.stderr` lead to the messages, and inside an activation to its job's log."""
        sys.stdout, sys.stderr = self._streams


class _Sized:
    """A stream with the descriptor of another: what is written goes to one, what is asked to the other."""

    def __init__(self, stream: TextIO | None, descriptor: int) -> None:
        self._stream = stream
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def own_terminal(clock: Callable[[], datetime], *, screen: int = 2) -> Iterator[Terminal]:
    """Within the block only the app has the terminal; `screen` is the descriptor it paints to.

    Afterwards the descriptors and streams are as before, and what was written meanwhile is said on the
    standard error, control characters and all but the last 64 KiB left out.
    """
    was = (sys.__stdin__, sys.__stdout__, sys.__stderr__)
    now = (sys.stdout, sys.stderr)
    with ExitStack() as stack:
        kept = stack.enter_context(tempfile.TemporaryFile())
        # Writers append: the file may be emptied under them.
        fcntl.fcntl(kept, fcntl.F_SETFL, fcntl.fcntl(kept, fcntl.F_GETFL) | os.O_APPEND)
        nothing = os.open(os.devnull, os.O_RDONLY)
        stack.callback(os.close, nothing)
        _flush()
        saved = [os.dup(descriptor) for descriptor in (0, 1, 2)]
        terminal = Terminal(saved[0], saved[screen], Messages(clock, kept.fileno()))
        for descriptor, source in enumerate((nothing, kept.fileno(), kept.fileno())):
            os.dup2(source, descriptor)
        terminal.open_to_driver()
        try:
            yield terminal
        finally:
            sys.__stdin__, sys.__stdout__, sys.__stderr__ = was  # type: ignore[misc]
            sys.stdout, sys.stderr = now
            _flush()
            for descriptor, original in enumerate(saved):
                os.dup2(original, descriptor)
                os.close(original)
            terminal.messages.gather()
            _say(terminal.messages)


def _stream(descriptor: int, mode: Literal["r", "w"]) -> TextIOWrapper[Any]:
    return open(descriptor, mode, encoding="utf-8", errors="replace", closefd=False)


def _flush() -> None:
    for stream in {sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__} - {None}:
        # User code may have closed it.
        with contextlib.suppress(OSError, ValueError):
            stream.flush()  # type: ignore[union-attr]


def _say(messages: Messages) -> None:
    text = messages.text(_SAID)
    if not text:
        return
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"Written to the terminal while the app had it:\n{text}\n")
        sys.stderr.flush()

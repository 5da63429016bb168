"""Keeps what other code writes off the screen while the app has the terminal.

Prints of jobs go to their logs and Textual keeps Python's own streams, but a subprocess, a library
written in C or a log handler made early write to the file descriptors themselves.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from typing import Any, BinaryIO, Final

# How much of what was written is shown in the end.
_SHOWN: Final = 64 * 1024


@contextmanager
def own_terminal() -> Iterator[None]:
    """Within the block, descriptors 1 and 2 lead to a file, and only the app's driver to the terminal.

    Afterwards the streams are as before, and what was written meanwhile is printed to the standard
    error: at most the last 64 KiB of it. Does nothing where the standard error is no terminal.
    """
    if not os.isatty(2) or sys.__stderr__ is None or sys.__stdout__ is None:
        yield
        return
    sys.__stdout__.flush()
    sys.__stderr__.flush()
    saved = {1: os.dup(1), 2: os.dup(2)}
    was = (sys.__stdout__, sys.__stderr__)
    with tempfile.TemporaryFile() as kept, _stream(saved[2]) as screen:
        for descriptor in saved:
            os.dup2(kept.fileno(), descriptor)
        # Textual's driver writes to __stderr__ and asks __stdout__ for the size.
        sys.__stdout__ = sys.__stderr__ = screen  # type: ignore[misc]
        try:
            yield
        finally:
            sys.__stdout__, sys.__stderr__ = was  # type: ignore[misc]
            for stream in (*was, sys.stdout, sys.stderr):
                stream.flush()
            for descriptor, original in saved.items():
                os.dup2(original, descriptor)
            os.close(saved[1])
            _tell(kept)


def _stream(descriptor: int) -> TextIOWrapper[Any]:
    return open(descriptor, "w", encoding="utf-8", errors="replace", closefd=True)


def _tell(kept: BinaryIO) -> None:
    size = kept.seek(0, os.SEEK_END)
    if not size:
        return
    kept.seek(max(0, size - _SHOWN))
    text = kept.read().decode("utf-8", "replace")
    sys.stderr.write(f"Written to the terminal while the app had it ({size:,} bytes):\n{text}")
    if not text.endswith("\n"):
        sys.stderr.write("\n")

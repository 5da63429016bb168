"""The command line, in this process and in one of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import IO, TypeAlias

from click.testing import Result

# Runs the command line in this process.
Run: TypeAlias = Callable[..., Result]


def report(result: Result) -> dict[str, object]:
    """The report of a job that completed, run with --json."""
    assert result.exit_code == 0, result.output
    document: dict[str, dict[str, object]] = json.loads(result.stdout)
    return document["report"]


def refused(result: Result) -> str:
    """What was said by a command that started nothing."""
    assert result.exit_code == 2
    assert result.stdout == ""
    return result.stderr


def start(*args: str, stderr: int = subprocess.PIPE) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", "from routilux.cli import main; main()", *args],
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "TERM": "xterm-256color",
            "NO_COLOR": "1",
        },
    )


def read_until(stream: IO[str], text: str) -> None:
    for line in stream:
        if text in line:
            return
    raise AssertionError(f"the process ended before it said {text!r}")


def read_terminal(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # how Linux says that the other side is closed
        return b""

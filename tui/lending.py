"""Lending the terminal to another program, and running programs that have windows of their own."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Sequence
from typing import Any

from textual.app import App

from tui.terminal import Terminal

# How much of what a program says of its failure is told.
_SAID = 400


def run_in_terminal(app: App[Any], terminal: Terminal | None, command: Sequence[str]) -> int:
    """Give the terminal to `command` until it ends, and answer with its exit code.

    Blocks the screen's thread; jobs go on. Raises OSError where the command cannot be run, and
    `SuspendNotSupported` where there is no terminal to lend. The screen is painted anew in any case.
    """
    # What interrupts the program from the keyboard is sent to its whole group; this process stays.
    # A function and not SIG_IGN, which the program would inherit.
    before = signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        failure: OSError | None = None
        code = 0
        with app.suspend():
            if terminal is not None:
                # Jobs go on printing, into their logs.
                terminal.keep_streams()
            try:
                code = subprocess.run(
                    command,
                    stdin=None if terminal is None else terminal.keys,
                    stdout=None if terminal is None else terminal.screen,
                    stderr=None if terminal is None else terminal.screen,
                    check=False,
                ).returncode
            except OSError as error:
                # Raised in there, it would leave the app suspended.
                failure = error
        if failure is not None:
            raise failure
        return code
    finally:
        signal.signal(signal.SIGINT, before)


def run_windowed(command: Sequence[str]) -> Callable[[], str]:
    """Start a program that needs no terminal. The answer waits for its end, and says what went wrong.

    Raises OSError where it cannot be started. It lives on when the app ends.
    """
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )

    def trouble() -> str:
        said = b""
        assert process.stderr is not None
        with process.stderr as stream:
            while chunk := stream.read(4096):
                said = (said + chunk)[-4096:]
        code = process.wait()
        if code == 0:
            return ""
        text = said.decode("utf-8", "replace").strip()[-_SAID:]
        return f"exit code {code}{': ' if text else ''}{text}"

    return trouble

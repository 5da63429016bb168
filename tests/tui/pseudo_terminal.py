"""A pseudo-terminal with the app in it, and a screen that understands what the app paints."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pyte

HERE = Path(__file__).parents[2]
# Only a broken app takes so long.
PATIENCE = 30.0

_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()][AB0]|\x1b[=>78]")
# Questions to the terminal and modes of the keyboard, which the emulator would print.
_UNKNOWN = re.compile(rb"\x1b\[[<>=][0-9;]*[a-z]|\x1b\[\?[0-9;]*\$p")


class Terminal:
    """A pseudo-terminal with a program in it. Everything that came is in `received`."""

    def __init__(
        self,
        *arguments: str,
        size: tuple[int, int] = (40, 120),
        module: str = "tui",
        cwd: Path = HERE,
    ) -> None:
        self.fd, slave = pty.openpty()
        self._slave = slave
        self._screen = pyte.Screen(size[1], size[0])
        self._stream = pyte.ByteStream(self._screen)
        self._fed = 0
        self._tell_size(*size)
        self.modes = termios.tcgetattr(slave)
        environment = {key: value for key, value in os.environ.items() if not key.startswith("TEXTUAL")}
        # The size is that of the terminal.
        for name in ("COLUMNS", "LINES"):
            environment.pop(name, None)
        environment |= {"TERM": "xterm-256color", "PYTHONPATH": str(HERE)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=slave, stdout=slave, stderr=slave, cwd=cwd, env=environment, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(slave, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        self.received = b""
        self._open = True

    def resize(self, lines: int, columns: int) -> None:
        """Another size, and nothing on the screen until the program paints it."""
        self.screen()
        self._screen.resize(lines, columns)
        self._screen.reset()
        self._tell_size(lines, columns)

    def _tell_size(self, lines: int, columns: int) -> None:
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def text_from(self, start: int = 0) -> str:
        """What came, without its escape sequences."""
        return _ESCAPES.sub("", self.received[start:].decode("utf-8", "replace"))

    def wait_for(self, text: str, start: int = 0) -> None:
        """Read until `text` has come."""
        if not self.read_until(lambda: text in self.text_from(start)):
            raise AssertionError(f"{text!r} never came; last came\n{self.text_from()[-4000:]}")

    def wait_until_shown(self, text: str) -> None:
        """Read until `text` stands on the screen."""
        if not self.read_until(lambda: text in self.screen()):
            raise AssertionError(f"{text!r} never stood on the screen:\n{self.screen()}")

    def wait_until_gone(self, text: str) -> None:
        """Read until `text` stands on the screen no longer."""
        if not self.read_until(lambda: text not in self.screen()):
            raise AssertionError(f"{text!r} still stands on the screen:\n{self.screen()}")

    def screen(self) -> str:
        """What stands on the screen, as far as it has come."""
        # An escape sequence may have come in part; its rest is fed with what comes next.
        fresh = _UNKNOWN.sub(b"", self.received[self._fed :])
        self._fed = len(self.received)
        self._stream.feed(fresh)
        # Not `display`, which stumbles over half of a wide character that something else was painted over.
        lines = [self._screen.buffer[y] for y in range(self._screen.lines)]
        return "\n".join(
            "".join(line[x].data for x in range(self._screen.columns)).rstrip() for line in lines
        )

    def read_until(self, holds: Callable[[], bool]) -> bool:
        """Read until something holds; False if it never did."""
        deadline = time.monotonic() + PATIENCE
        while not holds():
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0] or not self.read():
                return False
        return True

    def read(self) -> bool:
        """Read what has come, waiting for something; False at the end."""
        try:
            chunk = os.read(self.fd, 65536)
        except OSError:
            return False
        self.received += chunk
        return bool(chunk)

    def press(self, keys: str) -> int:
        """Type, and answer with how much had come before."""
        before = len(self.received)
        os.write(self.fd, keys.encode())
        return before

    def end(self) -> int:
        """Read to the end and answer with the exit code."""
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < deadline:
            if select.select([self.fd], [], [], 0.05)[0]:
                self.read()
        while select.select([self.fd], [], [], 0)[0] and self.read():
            pass
        return self.process.wait(timeout=1)

    def hang_up(self) -> None:
        """Close the terminal, as its window does. Nothing can be read afterwards."""
        os.close(self._slave)
        os.close(self.fd)
        self._open = False

    def modes_now(self) -> list[object]:
        return termios.tcgetattr(self._slave)

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if self._open:
            os.close(self.fd)
            os.close(self._slave)

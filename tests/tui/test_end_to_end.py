"""The program itself in a pseudo-terminal: opened, used, left, and the terminal given back."""

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
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parents[2]
PATIENCE = 60.0

FLOW = """
import os
import subprocess
import sys
from dataclasses import dataclass

from routilux import Flow, Routine


@dataclass
class Params:
    name: str


def greet(trigger, *, job_state):
    print("printed by logic")
    subprocess.run([sys.executable, "-c", "print('printed by a subprocess')"], check=True)
    os.write(2, b"written to the descriptor\\n")
    job_state.log(f"hello {trigger[0]['name']}")


flow = Flow("greeting", params=Params)
routine = Routine("greet")
routine.define_slot("trigger")
routine.set_logic(greet)
flow.add_routine(routine)
"""

_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()][AB0]|\x1b[=>78]")


class Terminal:
    """A pseudo-terminal with the app in it. Everything that came is in `received`."""

    def __init__(self, *arguments: str, size: tuple[int, int] = (40, 120)) -> None:
        self.fd, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        self.modes = termios.tcgetattr(slave)
        environment = {key: value for key, value in os.environ.items() if not key.startswith("TEXTUAL")}
        environment |= {"TERM": "xterm-256color", "PYTHONPATH": str(HERE)}
        self._slave = slave
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tui", *arguments],
            stdin=slave, stdout=slave, stderr=slave, cwd=HERE, env=environment, start_new_session=True,
        )  # fmt: skip
        self.received = b""

    def text_from(self, start: int = 0) -> str:
        """What came, without its escape sequences."""
        return _ESCAPES.sub("", self.received[start:].decode("utf-8", "replace"))

    def wait_for(self, text: str, start: int = 0) -> None:
        """Read until `text` has come."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.text_from(start):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0] or not self._read():
                raise AssertionError(f"{text!r} never came; last came\n{self.text_from()[-4000:]}")

    def _read(self) -> bool:
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
                self._read()
        while select.select([self.fd], [], [], 0)[0] and self._read():
            pass
        return self.process.wait(timeout=1)

    def modes_now(self) -> list[object]:
        return termios.tcgetattr(self._slave)

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.fd)
        os.close(self._slave)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "greeting.py").write_text(textwrap.dedent(FLOW))
    return tmp_path


@pytest.fixture
def terminal(folder: Path) -> Iterator[Terminal]:
    terminal = Terminal(str(folder))
    yield terminal
    terminal.close()


def test_open_start_see_and_quit(terminal: Terminal) -> None:
    terminal.wait_for("greeting")
    at = terminal.press("s")
    terminal.wait_for("ctrl+s", at)
    at = terminal.press("world\r")
    terminal.wait_for("completed", at)
    at = terminal.press("5]")
    terminal.wait_for("hello world", at)
    at = terminal.press("q")
    assert terminal.end() == 0
    last = terminal.received[at:]
    assert b"\x1b[?1049l" in last, "the alternate screen was not left"
    assert b"\x1b[?25h" in last, "the cursor was not shown again"
    assert terminal.modes_now() == terminal.modes
    # What was written past the app came out in the end, after the screen was given back.
    after = last.split(b"\x1b[?1049l")[1].decode()
    assert "printed by a subprocess" in after
    assert "written to the descriptor" in after
    before = terminal.received[: len(terminal.received) - len(after.encode())].decode("utf-8", "replace")
    assert "printed by a subprocess" not in before


def test_a_signal_gives_the_terminal_back(terminal: Terminal) -> None:
    terminal.wait_for("greeting")
    at = len(terminal.received)
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.end() == 128 + signal.SIGTERM
    assert b"\x1b[?1049l" in terminal.received[at:]
    assert terminal.modes_now() == terminal.modes


def run(*arguments: str, cwd: Path = HERE) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(HERE)}
    return subprocess.run(
        [sys.executable, "-m", "tui", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environment,
        check=False,
    )


def test_help_and_version_need_no_terminal() -> None:
    assert "--workers" in run("--help").stdout
    assert "routilux-tui" in run("--version").stdout


def test_a_folder_that_was_named_must_be_there(tmp_path: Path) -> None:
    done = run(str(tmp_path / "nowhere"))
    assert done.returncode == 2
    assert "there is no folder" in done.stderr


def test_without_a_terminal_it_says_what_works_instead(tmp_path: Path) -> None:
    done = run(str(tmp_path))
    assert done.returncode == 1
    assert "routilux run" in done.stderr


def test_a_configuration_that_is_wrong_is_named(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.routilux]\nflows = 3\n")
    done = run(cwd=tmp_path)
    assert done.returncode == 1
    assert "pyproject.toml" in done.stderr

"""The program itself in a pseudo-terminal: opened, used, left, and the terminal given back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.pseudo_terminal import HERE, Terminal

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


COLLECTS = """
import gc
from routilux import Flow, Routine


def collects(trigger, *, job_state):
    while not gc.isenabled():
        job_state.sleep(0.05)
    print("garbage is collected")


flow = Flow("collects")
routine = Routine("collects")
routine.define_slot("trigger")
routine.set_logic(collects)
flow.add_routine(routine)
"""


def test_garbage_is_collected_once_the_app_is_open(tmp_path: Path) -> None:
    (tmp_path / "collects.py").write_text(COLLECTS)
    terminal = Terminal(str(tmp_path))
    try:
        terminal.wait_until_shown("collects.py:")
        terminal.press("S")
        terminal.wait_until_shown("garbage is collected")
    finally:
        terminal.close()


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
    assert done.returncode == 2
    assert done.stdout == ""
    assert "pyproject.toml: [tool.routilux] flows is 3; it must be a folder" in done.stderr


def test_a_wrong_configuration_leaves_the_terminal_untouched(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.routilux.keys]\ncancl = 'x'\n")
    terminal = Terminal(cwd=tmp_path)
    try:
        assert terminal.end() == 2
        assert b"\x1b" not in terminal.received
        assert "did you mean 'cancel'?" in " ".join(terminal.text_from().split())
    finally:
        terminal.close()


def test_the_settings_in_effect_are_printed_with_who_says_so(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.routilux]\nworkers = 3\nkeys = {cancel = 'ctrl+x'}\n")
    done = run("--show-config", "--theme", "nord", cwd=tmp_path)
    lines = {line.split()[0]: line.split(maxsplit=2)[1:] for line in done.stdout.splitlines()}
    assert lines["workers"] == ["3", str(tmp_path / "pyproject.toml")]
    assert lines["theme"] == ["nord", "command line"]
    assert lines["keys.cancel"] == ["ctrl+x", str(tmp_path / "pyproject.toml")]


def test_a_theme_of_the_environment_that_there_is_none_of_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEXTUAL_THEME", "nrod")
    done = run(cwd=tmp_path)
    assert done.returncode == 2
    assert "TEXTUAL_THEME: there is no theme 'nrod': did you mean 'nord'?" in done.stderr

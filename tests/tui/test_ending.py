"""Whatever ends the app, jobs are kept as far as they can be, and the terminal is given back."""

from __future__ import annotations

import os
import signal
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.tui.pseudo_terminal import PATIENCE, Terminal

FLOWS = """
import atexit
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from routilux import Flow, Routine


def flow_of(name, logic):
    flow, routine = Flow(name), Routine("routine")
    routine.define_slot("trigger")
    routine.define_event("again", ["n"])
    routine.set_logic(logic)
    flow.add_routine(routine, "routine")
    flow.connect("routine", "again", "routine", "trigger")
    return flow


class Steps(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger")
        self.define_event("again", ["n"])

    def logic(self, trigger, *, job_state):
        n = trigger[0].get("n", 0)
        job_state.log(f"step {n}")
        time.sleep(0.01)
        self.emit("again", n=n + 1)


steps = Flow("steps")
steps.add_routine(Steps(), "routine")
steps.connect("routine", "again", "routine", "trigger")


def stuck(trigger):
    time.sleep(3600)


def lingering(trigger):
    # Python would wait for both.
    threading.Thread(target=time.sleep, args=(3600,), daemon=False).start()
    ThreadPoolExecutor(1).submit(time.sleep, 3600)
    atexit.register(time.sleep, 3600)


def moving(trigger):
    os.mkdir("gone")
    os.chdir("gone")
    os.rmdir(os.getcwd())


stuck = flow_of("stuck", stuck)
lingering = flow_of("lingering", lingering)
moving = flow_of("moving", moving)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "flows"
    folder.mkdir()
    (folder / "ends.py").write_text(textwrap.dedent(FLOWS))
    return folder


@pytest.fixture
def opened(folder: Path) -> Iterator[Callable[..., Terminal]]:
    """Opens the app on the folder, each time as somebody would who comes back to it."""
    made: list[Terminal] = []

    def make() -> Terminal:
        made.append(Terminal(str(folder), cwd=folder.parent))
        made[-1].wait_until_shown("ends.py:")
        return made[-1]

    yield make
    for terminal in made:
        terminal.close()


def start(terminal: Terminal, flow: str) -> None:
    """Start a job of the flow, and see it run."""
    terminal.press(f"1/flow:{flow}\r")
    terminal.wait_until_shown("Flows 1/4")
    terminal.press("S")
    terminal.wait_until_shown("4 Jobs 1")


def saved_files() -> list[str]:
    state = Path(os.environ["XDG_STATE_HOME"]) / "routilux" / "jobs"
    return sorted(file.suffix for file in state.glob("*/*"))


def given_back(terminal: Terminal, at: int) -> bool:
    last = terminal.received[at:]
    return b"\x1b[?1049l" in last and b"\x1b[?25h" in last and terminal.modes_now() == terminal.modes


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_saves_the_jobs_and_gives_the_terminal_back(
    opened: Callable[..., Terminal], number: signal.Signals
) -> None:
    terminal = opened()
    start(terminal, "steps")
    at = len(terminal.received)
    terminal.process.send_signal(number)
    assert terminal.end() == 128 + number
    assert given_back(terminal, at)
    assert "1 job was saved" in terminal.text_from(at)
    assert saved_files() == [".json"]


def test_saved_jobs_are_offered_at_the_next_start_and_run_on(opened: Callable[..., Terminal]) -> None:
    first = opened()
    start(first, "steps")
    at = first.press("q")
    first.wait_until_shown("pause and save")
    first.press("p")
    assert first.end() == 0
    assert "1 job has been saved" in first.text_from(at)
    assert saved_files() == [".json"]
    second = opened()
    second.wait_until_shown("Saved when the app was left")
    second.wait_until_shown("1 waiting")
    second.press("c")
    second.wait_until_shown("1 job carried on")
    second.wait_until_shown("4 Jobs 1")
    assert saved_files() == []
    second.press("x")
    second.wait_until_shown("cancel the job")
    second.press("y")
    second.wait_until_shown("cancelled")
    second.press("q")
    assert second.end() == 0


def test_a_terminal_that_is_closed_loses_no_job(opened: Callable[..., Terminal]) -> None:
    terminal = opened()
    start(terminal, "steps")
    terminal.hang_up()
    # Whether the app could still leave the screen or had to do without.
    assert terminal.process.wait(PATIENCE) in (128 + signal.SIGHUP, 1)
    assert saved_files() == [".json"]


def test_what_cannot_be_paused_in_time_is_named(opened: Callable[..., Terminal]) -> None:
    terminal = opened()
    start(terminal, "stuck")
    at = len(terminal.received)
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.end() == 128 + signal.SIGTERM
    assert "not saved: " in terminal.text_from(at)
    assert "stuck" in terminal.text_from(at)
    assert saved_files() == []


def test_a_second_signal_ends_it_at_once(opened: Callable[..., Terminal]) -> None:
    terminal = opened()
    start(terminal, "stuck")
    at = len(terminal.received)
    terminal.process.send_signal(signal.SIGTERM)
    # The terminal is given back first; jobs are waited for after that.
    assert terminal.read_until(lambda: b"\x1b[?1049l" in terminal.received[at:])
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.end() == 128 + signal.SIGTERM
    assert "not saved" not in terminal.text_from(at)
    assert terminal.modes_now() == terminal.modes


def test_what_flows_have_started_does_not_keep_the_process(opened: Callable[..., Terminal]) -> None:
    terminal = opened()
    start(terminal, "lingering")
    terminal.wait_until_shown("completed")
    at = terminal.press("q")
    assert terminal.end() == 0
    assert "is left behind" in terminal.text_from(at)


def test_a_folder_that_vanishes_under_the_app_does_not_hurt(opened: Callable[..., Terminal]) -> None:
    terminal = opened()
    start(terminal, "moving")
    terminal.wait_until_shown("completed")
    terminal.press("s")
    terminal.wait_until_shown("Start moving")
    terminal.press("\x1b")
    terminal.wait_until_gone("Start moving")
    terminal.press("q")
    assert terminal.end() == 0


STUCK_APP = """
import time
from tui import command
from tui.screens.main import MainScreen

MainScreen.action_help = lambda self: time.sleep(3600)
command.main()
"""


def test_an_app_that_is_stuck_is_left_without_it(folder: Path, tmp_path: Path) -> None:
    package = tmp_path / "stuck_app"
    package.mkdir()
    (package / "__main__.py").write_text(STUCK_APP)
    terminal = Terminal(str(folder), cwd=tmp_path, module="stuck_app")
    try:
        terminal.wait_until_shown("ends.py:")
        start(terminal, "steps")
        at = terminal.press("?")
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.end() == 128 + signal.SIGTERM
        assert given_back(terminal, at)
        assert saved_files() == [".json"]
    finally:
        terminal.close()


BROKEN_APP = """
import sys
from tui import command
from tui.screens.main import MainScreen


class Hostile:
    def __getattr__(self, name):
        raise LookupError(name)

    def __repr__(self):
        raise LookupError


def broken(self):
    hostile, password = Hostile(), "".join(["hunt", "er2"])
    {breaks}


MainScreen.action_help = broken
command.main()
"""


@pytest.mark.parametrize(
    ("breaks", "code", "said"),
    [("raise ValueError('broken')", 1, "ValueError: broken"), ("sys.exit(3)", 3, "")],
)
def test_an_app_that_dies_saves_the_jobs_and_shows_no_values(
    folder: Path, tmp_path: Path, breaks: str, code: int, said: str
) -> None:
    package = tmp_path / "broken_app"
    package.mkdir()
    (package / "__main__.py").write_text(BROKEN_APP.format(breaks=breaks))
    terminal = Terminal(str(folder), cwd=tmp_path, module="broken_app")
    try:
        terminal.wait_until_shown("ends.py:")
        start(terminal, "steps")
        at = terminal.press("?")
        assert terminal.end() == code
        assert given_back(terminal, at)
        assert saved_files() == [".json"]
        text = terminal.text_from(at)
        assert said in text
        assert "1 job was saved" in text
        assert "hunter2" not in text
    finally:
        terminal.close()


def test_a_flow_that_never_ends_its_import_does_not_keep_one_from_leaving(tmp_path: Path) -> None:
    (tmp_path / "endless.py").write_text("while True: pass\n")
    terminal = Terminal(str(tmp_path))
    try:
        terminal.wait_until_shown("takes long to import")
        terminal.press("q")
        assert terminal.end() == 0
    finally:
        terminal.close()

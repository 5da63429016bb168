"""Hot reload in the program itself, in a pseudo-terminal and with real files: what is saved is shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.pseudo_terminal import Terminal

FLOW = """
from routilux import Flow, Routine
import helper

print("printed at import")

def work(trigger, *, job_state):
    job_state.log(helper.word() + " from {tag}")

flow = Flow("etl")
routine = Routine("work")
routine.define_slot("trigger")
routine.set_logic(work)
flow.add_routine(routine)
"""
AUDIT = """
audit = Routine("audit")
audit.define_slot("seen")
audit.set_logic(lambda seen: None)
routine.define_event("done", [])
flow.add_routine(audit)
flow.connect("work", "done", "audit", "seen")
"""
HELPER = "def word():\n    return {word!r}\n"


def flow(tag: str, more: str = "") -> str:
    return FLOW.format(tag=tag) + more


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "helper.py").write_text(HELPER.format(word="hello"))
    (tmp_path / "etl.py").write_text(flow("one"))
    return tmp_path


@pytest.fixture
def terminal(folder: Path) -> Iterator[Terminal]:
    terminal = Terminal(str(folder), size=(44, 140))
    yield terminal
    terminal.close()


def test_each_save_is_on_the_screen(folder: Path, terminal: Terminal) -> None:
    terminal.wait_until_shown("1 flow found")
    # Edited: what it changed is told in the flow's own terms, and the header says so for a while.
    (folder / "etl.py").write_text(flow("two", AUDIT))
    terminal.wait_until_shown("etl.py reloaded")
    terminal.wait_until_shown("~ work (changed)")
    terminal.wait_until_shown("+ audit")
    terminal.wait_until_shown("+ work.done → audit.seen")
    # The difference of the sources.
    terminal.press("2\r")
    terminal.wait_until_shown('+    job_state.log(helper.word() + " from two")')
    terminal.press("\x1b")
    terminal.wait_until_gone("@@")
    # Broken: it is said, and the flow stays startable in its last good version.
    good = (folder / "etl.py").read_text()
    (folder / "etl.py").write_text(good + "\na syntax error\n")
    terminal.wait_until_shown("✗ etl.py broken")
    terminal.wait_until_shown("SyntaxError")
    terminal.wait_until_shown("jobs start with g2")
    terminal.press("1S")
    terminal.wait_until_shown("✓ completed")
    # Fixed.
    (folder / "etl.py").write_text(good)
    terminal.wait_until_shown("etl.py is fixed")
    terminal.wait_until_gone("jobs start with g2")
    # Deleted.
    (folder / "etl.py").unlink()
    terminal.wait_until_shown("- flow etl")
    terminal.wait_until_shown("1 Flows 0")
    # Nothing of what it printed came past the app.
    assert "1 message" not in terminal.screen()
    terminal.press("q")
    assert terminal.end() == 0
    assert "printed at import" not in terminal.text_from().split("\x1b[?1049l")[-1][-200:]


def test_a_flow_runs_again_on_save(folder: Path, terminal: Terminal) -> None:
    terminal.wait_until_shown("1 flow found")
    terminal.press("1S")
    terminal.wait_until_shown("✓ completed")
    terminal.press("5]")
    terminal.wait_until_shown("hello from one")
    terminal.press("1a")
    terminal.wait_until_shown("↻")
    # Through a helper: the new run takes the place of the one that is looked at.
    (folder / "helper.py").write_text(HELPER.format(word="goodbye"))
    terminal.wait_until_shown("goodbye from one")
    (folder / "etl.py").write_text(flow("two"))
    terminal.wait_until_shown("goodbye from two")
    # A helper that is broken starts nothing, and its fix does.
    (folder / "helper.py").write_text("def word(:\n")
    terminal.wait_until_shown("blocked by helper.py")
    (folder / "helper.py").write_text(HELPER.format(word="again"))
    terminal.wait_until_shown("again from two")
    terminal.press("a")
    terminal.wait_until_gone("↻")


def test_with_no_reload_a_save_changes_nothing(folder: Path) -> None:
    terminal = Terminal("--no-reload", str(folder))
    try:
        terminal.wait_until_shown("1 flow found")
        (folder / "helper.py").write_text(HELPER.format(word="goodbye"))
        terminal.press("1S")
        terminal.wait_until_shown("✓ completed")
        terminal.press("5]")
        terminal.wait_until_shown("hello from one")
        terminal.press("1a")
        terminal.wait_until_shown("With --no-reload nothing is loaded on save.")
    finally:
        terminal.close()

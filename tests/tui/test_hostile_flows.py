"""Flows that do to the process what no flow should: the screen goes on, and the terminal comes back."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.pseudo_terminal import Terminal

FLOWS = """
import os
import signal
import subprocess
import sys
import time
import warnings

from routilux import Flow, Routine


def flow_of(name, logic):
    flow, routine = Flow(name), Routine("routine")
    routine.define_slot("trigger")
    routine.define_event("out", ["data"])
    routine.set_logic(logic)
    flow.add_routine(routine, "routine")
    sink = Routine("sink")
    sink.define_slot("data")
    sink.set_logic(lambda data: None)
    flow.add_routine(sink, "sink")
    flow.connect("routine", "out", "sink", "data")
    return routine, flow


class Nasty:
    def __repr__(self):
        raise SystemExit("no text for you")

    def __str__(self):
        return "\\x1b[2J\\x1b]0;title\\x07[red]" + chr(0x202E) + "RTL \\u6f22\\u5b57" + "\\0"


def exiting(trigger):
    sys.exit(3)


def handling(trigger):
    signal.signal(signal.SIGTERM, lambda *_: None)


def changing(trigger):
    sys.setswitchinterval(5.0)
    os.umask(0o777)
    os.environ.clear()
    warnings.simplefilter("error")
    sys.stdout = sys.stderr = None
    sys.excepthook = sys.unraisablehook = None


def outliving(trigger):
    subprocess.Popen(["sh", "-c", "trap '' HUP TERM; echo started; sleep 60; echo late"])


def forking(trigger):
    if os.fork() == 0:
        os._exit(0)
    os.wait()


def huge(trigger, job_state):
    text = "x" * 100_000_000
    job_state.log("log " + text)
    print("print", text)
    job_state.shared_data["text"] = text
    job_state.shared_data["bytes"] = text.encode()
    job_state.shared_data["list"] = list(range(3_000_000))
    big.emit("out", data=text)
    raise ValueError(text)


def nasty(trigger, job_state):
    job_state.shared_data["thing"] = Nasty()
    job_state.report_progress(1, 2, str(Nasty()))
    print(str(Nasty()))
    odd.emit("out", data=Nasty())
    raise ValueError(Nasty())


exiting = flow_of("exiting", exiting)[1]
handling = flow_of("handling", handling)[1]
changing = flow_of("changing", changing)[1]
outliving = flow_of("outliving", outliving)[1]
forking = flow_of("forking", forking)[1]
big, huge = flow_of("huge", huge)
odd, nasty = flow_of("nasty", nasty)
"""


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    (tmp_path / "hostile.py").write_text(textwrap.dedent(FLOWS))
    terminal = Terminal(str(tmp_path))
    terminal.wait_until_shown("hostile.py:")
    yield terminal
    terminal.close()


def run(terminal: Terminal, flow: str, jobs: int, status: str) -> None:
    """Start a job of the flow, and wait until the screen says how it ended."""
    terminal.press(f"1/\x15flow:{flow}\r")
    terminal.wait_until_shown("Flows 1/7")
    terminal.wait_until_shown(f"/flow:{flow} ")
    terminal.press("S")
    terminal.wait_until_shown(f"4 Jobs {jobs}")
    terminal.press("4")
    terminal.wait_until_shown(f"{status}")
    terminal.wait_until_shown("pool 0/10")


def leaves(terminal: Terminal) -> None:
    at = terminal.press("q")
    assert terminal.end() == 0, terminal.text_from(at)[-3000:]
    assert b"\x1b[?1049l" in terminal.received[at:]
    assert terminal.modes_now() == terminal.modes


def test_what_a_flow_does_to_the_process_does_not_reach_the_screen(terminal: Terminal) -> None:
    for at, (flow, status) in enumerate(
        [("exiting", "failed"), ("handling", "failed"), ("forking", "completed"), ("outliving", "completed"),
         ("changing", "completed")],
        1,
    ):  # fmt: skip
        run(terminal, flow, at, status)
    # The screen is alive: every pane answers.
    terminal.press("?")
    terminal.wait_until_shown("Everywhere")
    terminal.press("q")
    terminal.wait_until_gone("Everywhere")
    leaves(terminal)
    assert "late" not in terminal.text_from()


@pytest.mark.parametrize("flow", ["huge", "nasty"])
def test_data_that_is_huge_or_hostile_can_be_looked_at(terminal: Terminal, flow: str) -> None:
    run(terminal, flow, 1, "failed")
    terminal.press("5")
    for tab in ("Log", "History", "Timeline", "Graph", "Data", "Error", "Overview"):
        terminal.press("]")
        terminal.wait_until_shown(f"[{tab}]")
        terminal.press("jG+")
        terminal.press("z")
        terminal.wait_until_gone("1 Flows")
        terminal.press("z")
        terminal.wait_until_shown("1 Flows")
    assert b"title" not in terminal.received
    assert "\x1b[2J\x1b]0" not in terminal.received.decode("utf-8", "replace")
    leaves(terminal)

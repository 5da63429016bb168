"""`routilux run --watch`, as a process of its own."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

from tests.cli.test_process import read_until, start

FLOW = """
from routilux import Flow, Routine
from .words import WORD

class Say(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger")

    def logic(self, trigger, *, job_state):
        print(WORD, trigger[0]["to"], flush=True)
        if WORD == "wait":
            job_state.sleep(1000)

flow = Flow("say")
flow.add_routine(Say(), "say")
"""


def begin(project: Path, word: str) -> subprocess.Popen[str]:
    (project / "flows" / "say.py").write_text(FLOW)
    say(project, word)
    return start("run", "say", "--watch", "--param", "to=you")


def say(project: Path, word: str) -> None:
    (project / "flows" / "words.py").write_text(f"WORD = {word!r}\n")


def end(process: subprocess.Popen[str]) -> tuple[str, str]:
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    return output, errors


def test_a_save_runs_the_flow_again_with_the_same_parameters(project: Path) -> None:
    process = begin(project, "one")
    assert process.stdout is not None
    assert process.stderr is not None
    read_until(process.stdout, "one you")
    read_until(process.stderr, "watching")
    say(project, "two")
    read_until(process.stdout, "two you")
    read_until(process.stderr, "say changed: ~ say (say.py)")
    read_until(process.stderr, "watching")
    end(process)


def test_a_run_that_is_going_on_makes_way(project: Path) -> None:
    process = begin(project, "wait")
    assert process.stdout is not None
    assert process.stderr is not None
    read_until(process.stdout, "wait you")
    say(project, "three")
    read_until(process.stdout, "three you")
    read_until(process.stderr, "⊘ say cancelled")
    end(process)


def test_what_breaks_is_said_and_the_fix_runs(project: Path) -> None:
    process = begin(project, "one")
    assert process.stdout is not None
    assert process.stderr is not None
    read_until(process.stderr, "watching")
    (project / "flows" / "words.py").write_text("WORD = (\n")
    read_until(process.stderr, "words.py:1: SyntaxError")
    say(project, "mended")
    read_until(process.stdout, "mended you")
    end(process)


def test_a_flow_that_is_broken_at_the_start_is_waited_for(project: Path) -> None:
    (project / "flows" / "words.py").write_text("WORD = (\n")
    (project / "flows" / "say.py").write_text(FLOW)
    process = start("run", "say", "--watch", "--param", "to=you")
    assert process.stdout is not None
    assert process.stderr is not None
    read_until(process.stderr, "words.py:1: SyntaxError")
    read_until(process.stderr, "waiting for say")
    (project / "flows" / "words.py").write_text("\nWORD = 1 / 0\n")
    read_until(process.stderr, "words.py:2: ZeroDivisionError")
    say(project, "mended")
    read_until(process.stdout, "mended you")
    read_until(process.stderr, "watching")
    say(project, "two")
    read_until(process.stdout, "two you")
    end(process)


def test_ctrl_c_ends_the_waiting_for_a_broken_flow(project: Path) -> None:
    (project / "flows" / "words.py").write_text("WORD = (\n")
    (project / "flows" / "say.py").write_text(FLOW)
    process = start("run", "say", "--watch")
    assert process.stderr is not None
    read_until(process.stderr, "waiting for say")
    _, errors = end(process)
    assert errors.strip() == "interrupted before a job was started"


def test_a_flow_that_no_broken_file_may_declare_is_not_waited_for(project: Path) -> None:
    process = start("run", "no_such", "--watch")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "there is no flow 'no_such'" in errors


def test_ctrl_c_cancels_the_run_and_ends(project: Path) -> None:
    process = begin(project, "wait")
    assert process.stdout is not None
    read_until(process.stdout, "wait you")
    _, errors = end(process)
    assert "⊘ say cancelled" in errors


def test_watching_tells_of_no_single_job(project: Path) -> None:
    process = start("run", "greet", "--name", "x", "--watch", "--json")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "leave one of them out" in errors

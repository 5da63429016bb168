from __future__ import annotations

import os
import pty
import signal
from pathlib import Path

import pytest

from tests.cli.running import read_terminal, read_until, start


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_cancels_and_ends_with_130(project: Path, number: signal.Signals) -> None:
    process = start("run", "wait")
    assert process.stdout is not None
    read_until(process.stdout, "started")
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted: cancelling" in errors
    assert errors.splitlines()[-1].startswith("⊘ wait cancelled after ")


def test_a_second_interrupt_forces(project: Path) -> None:
    process = start("run", "wait", "--param", "how=python")
    assert process.stdout is not None
    assert process.stderr is not None
    read_until(process.stdout, "started")
    process.send_signal(signal.SIGINT)
    read_until(process.stderr, "interrupted: cancelling")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.splitlines()[-1].startswith("⊘ wait cancelled after ")


def test_what_withstands_force_is_given_up_and_named(project: Path) -> None:
    process = start("run", "wait", "--param", "how=stubborn")
    assert process.stdout is not None
    assert process.stderr is not None
    read_until(process.stdout, "started")
    for said in ("interrupted: cancelling", "interrupted again: forcing"):
        process.send_signal(signal.SIGINT)
        read_until(process.stderr, said)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.splitlines()[-1].startswith("⊘ wait given up before it ended: ")
    assert "wait" in errors


def test_an_interrupt_while_flows_load_starts_nothing(project: Path) -> None:
    source = (
        "import sys, threading\nprint('loading', file=sys.stderr, flush=True)\nthreading.Event().wait(1000)\n"
    )
    (project / "flows" / "a_slow_one.py").write_text(source)
    process = start("run", "greet", "--name", "x")
    assert process.stderr is not None
    read_until(process.stderr, "loading")
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (130, "")
    assert errors.splitlines()[-1] == "interrupted before a job was started"


def test_exit_codes_of_the_process(project: Path) -> None:
    codes = {}
    for args in (("run", "greet", "--name", "x"), ("run", "fail"), ("run", "nothing"), ("--version",)):
        process = start(*args)
        process.communicate(timeout=60)
        codes[args[-1]] = process.returncode
    assert codes == {"x": 0, "fail": 1, "nothing": 2, "--version": 0}


def test_a_terminal_gets_bars_and_stdout_stays_the_job_s(project: Path) -> None:
    terminal, child_side = pty.openpty()
    try:
        process = start("run", "greet", "--name", "you", stderr=child_side)
        os.close(child_side)
        output, _ = process.communicate(timeout=60)
        drawn = b""
        while chunk := read_terminal(terminal):
            drawn += chunk
    finally:
        os.close(terminal)
    assert (process.returncode, output) == (0, "hello you\n")
    assert "━" in drawn.decode()
    assert "greet" in drawn.decode()
    assert "✓ greet completed" in drawn.decode().splitlines()[-1]


def leave_early(*args: str, lines: int = 1) -> tuple[int, str]:
    """The exit code and the stderr of a command whose reader takes some lines, as `head` does."""
    process = start(*args)
    assert process.stdout is not None
    assert process.stderr is not None
    for _ in range(lines):
        process.stdout.readline()
    process.stdout.close()
    with process.stderr:
        errors = process.stderr.read()
    return process.wait(timeout=60), errors


@pytest.mark.parametrize("count", ["3000", "1000000000"])
def test_a_job_whose_reader_leaves_early_is_cancelled_and_ends_quietly(project: Path, count: str) -> None:
    """Also one that has printed all it wanted to before that is noticed."""
    assert leave_early("run", "greet", "--name", "x", "--count", count, "--timeout", "100") == (141, "")


def test_a_job_that_fails_says_so_also_where_its_reader_has_left(project: Path) -> None:
    source = (project / "flows" / "greet.py").read_text()
    source = source.replace("job_state.shared_data", "raise ValueError('at the end'); job_state.shared_data")
    (project / "flows" / "greet.py").write_text(source)
    code, errors = leave_early("run", "greet", "--name", "x", lines=0)
    assert code == 1
    assert "Routine 'greet' failed: ValueError: at the end" in errors
    assert errors.splitlines()[-1].startswith("✗ greet failed after ")


def test_a_run_that_watches_ends_quietly_when_its_reader_leaves(project: Path) -> None:
    code, errors = leave_early("run", "greet", "--name", "x", "--count", "1000000000", "--watch")
    assert (code, errors) == (141, "")


def test_a_list_whose_reader_leaves_early_ends_quietly(project: Path) -> None:
    for number in range(300):
        name = f"flow_{number:03}_" + "x" * 200
        (project / "flows" / f"f{number}.py").write_text(
            f"from routilux import Flow, Routine\nflow = Flow({name!r})\nflow.add_routine(Routine())\n"
        )
    assert leave_early("list") == (141, "")

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


def test_a_job_whose_reader_leaves_early_fails_and_says_so(project: Path) -> None:
    process = start("run", "greet", "--name", "x", "--count", "100000")
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    with process.stderr:
        errors = process.stderr.read()
    assert process.wait(timeout=60) == 1
    assert "Routine 'greet' failed: BrokenPipeError: " in errors
    assert errors.splitlines()[-1].startswith("✗ greet failed after ")

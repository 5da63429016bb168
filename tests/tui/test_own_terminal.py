"""Nothing that a flow does with the standard streams reaches the screen, and nothing of it is lost."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.pseudo_terminal import Terminal

FLOWS = """
import faulthandler
import logging
import os
import subprocess
import sys
import threading
import time
import warnings

from routilux import Flow, Routine

logger = logging.getLogger("shop")
logger.addHandler(logging.StreamHandler(sys.stderr))
logger.addHandler(logging.StreamHandler(sys.__stderr__))
held = print, sys.stdout
print("printed at import")
os.write(1, b"SAID by write at import\\n")


def flow_of(name, logic):
    flow, routine = Flow(name), Routine("routine")
    routine.define_slot("trigger")
    routine.set_logic(logic)
    flow.add_routine(routine)
    return flow


class Torn:
    def __del__(self):
        raise ValueError("SAID in a finalizer")


def in_a_thread():
    print("SAID by print")
    print("SAID by print to the stream of the import", file=held[1])
    print("SAID to sys.__stdout__", file=sys.__stdout__, flush=True)
    print("SAID to sys.__stderr__", file=sys.__stderr__, flush=True)
    warnings.warn("SAID by a warning")
    logger.warning("SAID by logging")
    os.write(1, b"SAID to 1\\n")
    os.write(2, b"SAID to 2 \\x1b[2J\\x1b[31m\\x1b]0;SAID as title\\x07\\r\\n")
    os.system("echo SAID by a shell")
    subprocess.run(["echo", "SAID by a subprocess"])
    subprocess.run(["echo", "SAID by a subprocess to sys.stdout"], stdout=sys.stdout)
    subprocess.run([sys.executable, "-c", "import sys; print(f'SAID after reading {sys.stdin.read()!r}')"])
    faulthandler.dump_traceback()
    Torn()
    raise RuntimeError("SAID in the end")


def noise(trigger):
    thread = threading.Thread(target=in_a_thread, name="SAID")
    thread.start()
    thread.join()


def shout(trigger):
    print("printed by logic")
    warnings.warn("warned by logic")
    logger.warning("logged by logic")
    Torn()
    raise RuntimeError("raised by logic")


def ask(trigger):
    print("answered", input("what? "))


def flood(trigger):
    for _ in range(200):
        os.write(1, b"SAID over and over\\n" * 10_000)
    os.write(1, b"SAID last\\n")


def close(trigger):
    sys.stdout.close()
    sys.stderr.close()


noisy = flow_of("noisy", noise)
shouting = flow_of("shouting", shout)
asking = flow_of("asking", ask)
flooding = flow_of("flooding", flood)
closing = flow_of("closing", close)
"""


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    (tmp_path / "streams.py").write_text(textwrap.dedent(FLOWS))
    terminal = Terminal(str(tmp_path))
    yield terminal
    terminal.close()


def start(terminal: Terminal, flow: str) -> None:
    """Start a job of the flow and wait for its end."""
    terminal.wait_until_shown("streams.py:")
    terminal.press(f"1/flow:{flow}\r")
    terminal.wait_until_shown("Flows 1/5")
    terminal.press("S")
    terminal.wait_until_shown("pool 0/10")
    terminal.wait_until_shown(f"{flow} ")
    terminal.wait_until_shown("4 Jobs 1")


def painted(terminal: Terminal) -> str:
    """The screen without the time."""
    return re.sub(r"\d\d:\d\d:\d\d", "", terminal.screen())


def test_what_is_written_past_the_jobs_is_in_the_messages_and_not_on_the_screen(terminal: Terminal) -> None:
    start(terminal, "noisy")
    terminal.wait_until_shown("completed")
    terminal.wait_until_shown(" messages")
    assert "SAID" not in terminal.text_from(), "it got to the terminal"
    terminal.press("m")
    terminal.wait_until_shown("RuntimeError: SAID in the end")
    terminal.wait_until_gone(" ● m: ")
    terminal.press("g")
    terminal.wait_until_shown("SAID by write at import")
    terminal.press("m")
    terminal.wait_until_gone("esc closes")
    at = terminal.press("q")
    assert terminal.end() == 0
    assert terminal.modes_now() == terminal.modes
    # All of it is said again where it would have been seen without the app.
    after = terminal.received[at:].split(b"\x1b[?1049l")[1].decode()
    lines = [line.strip() for line in after.splitlines()]
    for text in (
        "by write at import", "by print", "by print to the stream of the import",
        "to sys.__stdout__", "to sys.__stderr__", "to 1", "to 2", "by a shell", "by a subprocess",
        "by a subprocess to sys.stdout", "after reading ''",
    ):  # fmt: skip
        assert f"SAID {text}" in lines
    for text in ("ValueError: SAID in a finalizer", "RuntimeError: SAID in the end"):
        assert text in lines, text
    assert lines.count("SAID by logging") == 2, "once by each handler"
    assert "UserWarning: SAID by a warning" in after
    assert "Exception in thread SAID" in after
    assert "(most recent call first)" in after
    assert "as title" not in after


def test_the_screen_is_what_a_fresh_painting_would_be(terminal: Terminal) -> None:
    start(terminal, "noisy")
    terminal.wait_until_shown("completed")
    terminal.wait_until_shown(" messages")
    # Until the toast has gone and all that was painted has come.
    terminal.wait_until_gone("m shows it")
    terminal.press("/")
    terminal.wait_until_gone("q quit")
    terminal.press("\r")
    terminal.wait_until_shown("space mark")
    terminal.wait_until_shown("pool 0/10")
    before = painted(terminal)
    terminal.resize(39, 120)
    terminal.wait_until_shown("q quit")
    terminal.resize(40, 120)
    assert terminal.read_until(lambda: painted(terminal) == before), f"{before}\n{terminal.screen()}"


def test_what_logic_itself_says_is_in_its_log_and_not_in_the_messages(terminal: Terminal) -> None:
    start(terminal, "shouting")
    terminal.wait_until_shown("failed")
    terminal.press("5]")
    for text in ("printed by logic", "warned by logic", "logged by logic", "SAID in a finalizer"):
        terminal.wait_until_shown(text)
    terminal.press("m")
    terminal.wait_until_shown("SAID by write at import")
    # The log itself, with the name of the routine, is seen around the window.
    assert not re.search(r"\d (printed|warned) by logic", terminal.screen())


def test_logic_that_reads_gets_the_end_and_takes_no_keys(terminal: Terminal) -> None:
    start(terminal, "asking")
    terminal.wait_until_shown("EOFError")
    terminal.press("5]")
    terminal.wait_until_shown("what?")


def test_a_flood_is_bounded_and_the_newest_of_it_is_kept(terminal: Terminal) -> None:
    start(terminal, "flooding")
    terminal.wait_until_shown("completed")
    terminal.press("m")
    terminal.wait_until_shown("SAID last")
    terminal.wait_until_shown("older lines not kept")
    terminal.wait_until_shown("bytes not read")
    terminal.press("m")
    terminal.wait_until_gone("esc closes")
    at = terminal.press("q")
    assert terminal.end() == 0
    assert len(terminal.received) - at < 80_000


def test_streams_that_logic_closes_do_not_hurt(terminal: Terminal) -> None:
    start(terminal, "closing")
    terminal.wait_until_shown("completed")
    terminal.press("?")
    terminal.wait_until_shown("Everywhere")
    terminal.press("q")
    terminal.wait_until_shown("[Overview]")
    terminal.press("q")
    assert terminal.end() == 0
    assert b"\x1b[?1049l" in terminal.received
    assert terminal.modes_now() == terminal.modes

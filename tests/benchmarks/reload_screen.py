"""Hot reload in the terminal app: how soon a flow runs again after a save, how long a key takes meanwhile."""

from __future__ import annotations

import select
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.tui.pseudo_terminal import Terminal

from .measure import Row, percentile, spread

FLOWS = 30
CHECKED_OUT = 300
SAVES_PER_ROUND = 10
# Stands in the first column of the chosen row, and nowhere else.
_CURSOR = "▌".encode()
_FLOW = """
import time
from pathlib import Path

from routilux import Flow, Routine


def begun(trigger, job_state):
    with Path({figures!r}).open("a") as file:
        file.write(f"{{time.monotonic()}} {version}\\n")


flow = Flow({name!r})
routine = Routine("only")
routine.define_slot("trigger")
routine.set_logic(begun)
flow.add_routine(routine)
"""


def _write(root: Path, number: int, version: int) -> None:
    name = f"flow_{number:03}"
    figures = str(root.parent / "figures")
    (root / f"{name}.py").write_text(_FLOW.format(name=name, version=version, figures=figures))


@contextmanager
def _app(flows: int) -> Iterator[tuple[Path, Terminal]]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "flows"
        root.mkdir()
        for number in range(flows):
            _write(root, number, 0)
        terminal = Terminal(str(root))
        try:
            terminal.wait_until_shown(f"1 Flows {flows} ")
            _let_pass(terminal, 1.5)
            yield root, terminal
        finally:
            terminal.close()


def _let_pass(terminal: Terminal, seconds: float) -> None:
    """Keep reading what is painted, as a terminal does."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if select.select([terminal.fd], [], [], left)[0] and not terminal.read():
            raise RuntimeError(f"the app has ended:\n{terminal.text_from()[-2000:]}")


def rerun(rounds: int) -> list[Row]:
    """From before a file is written until the first activation of the job that the app starts for it. 30
    flows, one of which runs again on save; between two saves the app rests.
    """
    seconds: list[float] = []
    with _app(FLOWS) as (root, terminal):
        figures = root.parent / "figures"
        terminal.press("1Sa")
        terminal.wait_until_shown("↻")
        for version in range(1, rounds * SAVES_PER_ROUND + 1):
            # More often, and in a row, it would be taken for a flow that writes its own sources.
            _let_pass(terminal, 1.2)
            begin = time.monotonic()
            _write(root, 0, version)
            terminal.read_until(lambda: figures.exists() and figures.read_text().count("\n") > version)  # noqa: B023
            moment, ran = figures.read_text().splitlines()[-1].split()
            if int(ran) != version:
                raise RuntimeError(f"version {ran} ran after version {version} was saved")
            seconds.append(float(moment) - begin)
    p95 = percentile(seconds, 95)
    return [
        Row(
            "re-run on save",
            "save to the first activation of the job that the app starts for it, 30 flows, p95",
            f"{p95 * 1000:.0f} ms (p50 {percentile(seconds, 50) * 1000:.0f})",
            "under 150 ms",
            p95 < 0.15,
            {"samples": len(seconds), "seconds": spread(seconds, 5)},
        )
    ]


def checkout(rounds: int) -> list[Row]:
    """300 files are written one after the other while `j` and `k` are pressed in the list of flows, until the
    app tells of the last of them; the time from a key until the row it goes to has come out.
    """
    seconds: list[float] = []
    with _app(CHECKED_OUT) as (root, terminal):
        for version in range(1, rounds + 1):
            written = threading.Event()

            def write(version: int = version, written: threading.Event = written) -> None:
                for number in range(CHECKED_OUT):
                    _write(root, number, version)
                written.set()

            writer = threading.Thread(target=write)
            writer.start()
            over, down = 0.0, True
            while not over or time.monotonic() < over:
                terminal.received, terminal._fed = b"", 0
                begin = time.monotonic()
                terminal.press("j" if down else "k")
                down = not down
                if not terminal.read_until(lambda: _CURSOR in terminal.received):
                    raise RuntimeError(f"a key moved nothing:\n{terminal.screen()}")
                seconds.append(time.monotonic() - begin)
                if not over and written.is_set():
                    # Long enough for all that follows the last file.
                    over = time.monotonic() + 2.0
                _let_pass(terminal, 0.01)
            writer.join()
            terminal.press("g")
            _let_pass(terminal, 0.5)
    worst = max(seconds)
    return [
        Row(
            "checkout",
            "300 files checked out: the slowest key meanwhile, pressed to painted",
            f"{worst * 1000:.0f} ms (p50 {percentile(seconds, 50) * 1000:.0f})",
            "under 100 ms",
            worst < 0.1,
            {"samples": len(seconds), "seconds": spread(seconds, 5), "p99: seconds": percentile(seconds, 99)},
        )
    ]

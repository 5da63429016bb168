"""The terminal app as a whole, in a pseudo-terminal, with the runtime at work inside."""

from __future__ import annotations

import os
import random
import select
import signal
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from tests.tui.pseudo_terminal import HERE, Terminal

from .measure import Row, percentile, ratios, spread

_LOAD = "tests.benchmarks.screen_load"
# Stands in the first column of the chosen row, and nowhere else.
_CURSOR = "▌".encode()
KEYS_PER_ROUND = 60
FLOWS = 30
IDLE_SECONDS = 10.0
# Long beside the frame that is due when a process that stood still goes on.
TURN = 3.0


class _Worker:
    """A process with some work in it, and the figures it tells."""

    process: subprocess.Popen[bytes]
    _figures: Path

    def let_pass(self, seconds: float) -> None:
        raise NotImplementedError

    def figures(self) -> list[float]:
        """What has been told so far."""
        text = self._figures.read_text() if self._figures.exists() else ""
        return [float(line) for line in text.split("\n")[1:-1]]

    def wait_for_figures(self, number: int) -> list[float]:
        """Let time pass until so many more have come, and answer with them."""
        before = len(self.figures())
        while len(told := self.figures()) < before + number:
            self.let_pass(0.05)
        return told[before:]

    def turn(self, act: Callable[[], object]) -> float:
        """Let the process, which stands still, go on while `act` lasts; what it got done in a second."""
        before = len(self.figures())
        self.process.send_signal(signal.SIGCONT)
        act()
        self.process.send_signal(signal.SIGSTOP)
        # The first was under way when the process was stopped. The harmonic mean is that of all the time,
        # where the figures are of the same number of jobs each; of a second each, it is hardly another.
        return statistics.harmonic_mean(self.figures()[before + 1 :])


class _App(_Worker):
    """The app itself, in a terminal."""

    def __init__(self, work: str, folder: Path) -> None:
        self._figures = folder / f"{work}.txt"
        self._figures.unlink(missing_ok=True)
        environment = {"ROUTILUX_WORK": work, "ROUTILUX_BENCHMARK": str(self._figures)}
        with _environment(environment):
            self.terminal = Terminal(str(folder), module=_LOAD)
        self.process = self.terminal.process

    def wait_until_listed(self) -> None:
        """Until the work has begun."""
        while not self._figures.exists() or not self._figures.read_text():
            self.let_pass(0.05)
        self.let_pass(1.0)

    def let_pass(self, seconds: float) -> None:
        """Keep reading what is painted, as a terminal does."""
        until = perf_counter() + seconds
        while (left := until - perf_counter()) > 0:
            if select.select([self.terminal.fd], [], [], left)[0] and not self.terminal.read():
                raise RuntimeError(f"the app has ended:\n{self.terminal.text_from()[-2000:]}")
        # What was painted is of no more interest, and is no emulator's.
        self.terminal.received = b""

    def key_to_paint(self, key: str) -> float:
        """Seconds from a key that moves the cursor until the row it moved to has come."""
        begin = perf_counter()
        at = self.terminal.press(key)
        if not self.terminal.read_until(lambda: _CURSOR in self.terminal.received[at:]):
            raise RuntimeError(f"{key!r} moved nothing:\n{self.terminal.text_from()[-2000:]}")
        return perf_counter() - begin

    def cpu_seconds(self) -> float:
        """User and system time of the process so far."""
        fields = Path(f"/proc/{self.terminal.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _app(work: str) -> Iterator[_App]:
    with tempfile.TemporaryDirectory() as folder:
        _write_flows(Path(folder), 1)
        app = _App(work, Path(folder))
        try:
            app.wait_until_listed()
            yield app
        finally:
            app.terminal.close()


@contextmanager
def _environment(variables: Mapping[str, str], without: str = "") -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(variables)
    os.environ.pop(without, None)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class _Headless(_Worker):
    """The work without a screen."""

    def __init__(self, work: str, folder: Path) -> None:
        self._figures = folder / f"{work}-headless.txt"
        environment = {**os.environ, "ROUTILUX_WORK": work, "ROUTILUX_BENCHMARK": str(self._figures)}
        command = [sys.executable, "-m", _LOAD, "--headless"]
        self.process = subprocess.Popen(command, cwd=HERE, env=environment)

    def let_pass(self, seconds: float) -> None:
        if self.process.poll() is not None:
            raise RuntimeError(f"the work has ended with {self.process.returncode}")
        time.sleep(seconds)


@contextmanager
def _headless(work: str) -> Iterator[_Headless]:
    with tempfile.TemporaryDirectory() as folder:
        headless = _Headless(work, Path(folder))
        try:
            headless.wait_for_figures(1)
            yield headless
        finally:
            headless.process.kill()
            headless.process.wait()


@contextmanager
def _with_and_without(work: str) -> Iterator[tuple[_App, _Headless]]:
    """The work with the app and without, each in a process that stands still but for its turns."""
    with _headless(work) as headless:
        headless.process.send_signal(signal.SIGSTOP)
        with _app(work) as app:
            try:
                yield app, headless
            finally:
                app.process.send_signal(signal.SIGCONT)


def _go_to_ended(app: _App) -> None:
    """To the list of jobs, and past those that have not ended."""
    app.terminal.press("4")
    app.let_pass(1.0)
    for _ in range(14):
        app.key_to_paint("j")


def _keys(app: _App, number: int) -> list[float]:
    """Keys to rows of jobs that have ended, about three a second, at moments that have nothing to do with the
    app's frames."""
    chance = random.Random(number)
    seconds = []
    for count in range(number):
        app.let_pass(0.2 + chance.random() * 0.25)
        seconds.append(app.key_to_paint("jk"[count % 2]))
    return seconds


def key_to_paint(rounds: int) -> list[Row]:
    """1,000 jobs in the list, ten of which make 5,000 items a second; `j` and `k` in the list of jobs, 60 a
    round, from writing the key into the pseudo-terminal until the row it goes to has come out.
    """
    with _app("events") as app:
        _go_to_ended(app)
        _keys(app, 10)
        seconds = [second for _ in range(rounds) for second in _keys(app, KEYS_PER_ROUND)]
        rate = statistics.median(app.wait_for_figures(3))
    p99 = percentile(seconds, 99)
    return [
        Row(
            "key to paint",
            "key pressed to screen painted, 1,000 jobs listed, 5,000 items a second",
            f"p99 {p99 * 1000:.1f} ms (p50 {percentile(seconds, 50) * 1000:.1f}), {rate:,.0f} items a second",
            "p99 under 40 ms",
            p99 < 0.04 and rate > 4500,
            {"seconds": spread(seconds, 5), "p99: seconds": round(p99, 5), "items per second": rate},
        )
    ]


def key_beside_cpu(rounds: int) -> list[Row]:
    """1,000 jobs in the list, ten of which are pure-Python work without end on a pool of ten; keys as above.
    The work done with the screen open, while keys are pressed, over the work done without a screen. Both
    processes live side by side and go on in turns, four a round, while the other is stopped.
    """
    seconds: list[float] = []
    with_screen, alone = [], []

    def press() -> None:
        _keys(app, 1)  # not counted: the app has just stood still
        seconds.extend(_keys(app, KEYS_PER_ROUND // 4))

    with _with_and_without("cpu") as (app, headless):
        _go_to_ended(app)
        _keys(app, 10)
        app.process.send_signal(signal.SIGSTOP)
        for _ in range(4 * rounds):
            with_screen.append(app.turn(press))
            alone.append(headless.turn(lambda: headless.let_pass(TURN)))
    p99 = percentile(seconds, 99)
    kept = ratios(with_screen, alone)
    return [
        Row(
            "key beside CPU work",
            "the same beside ten workers of pure-Python CPU work; that work against headless",
            f"p99 {p99 * 1000:.1f} ms (p50 {percentile(seconds, 50) * 1000:.1f}); "
            f"CPU work {statistics.median(kept):.0%}",
            "p99 under 30 ms; 85%",
            p99 < 0.03 and statistics.median(kept) >= 0.85,
            {
                "seconds": spread(seconds, 5),
                "p99: seconds": round(p99, 5),
                "CPU work kept": spread(kept, 3),
            },
        )
    ]


def screen_throughput(rounds: int) -> list[Row]:
    """Jobs of three routines, 500 at a time from `exec` to the end of the last, with the app open and
    without; jobs per second. Both processes live side by side and go on in turns of TURN seconds, four a
    round, while the other is stopped.
    """
    with_screen, alone = [], []
    with _with_and_without("tiny") as (app, headless):
        # Nobody has typed for a while, as when one watches.
        app.let_pass(6.0)
        app.process.send_signal(signal.SIGSTOP)
        for _ in range(4 * rounds):
            with_screen.append(app.turn(lambda: app.let_pass(TURN)))
            alone.append(headless.turn(lambda: headless.let_pass(TURN)))
    kept = ratios(with_screen, alone)
    return [
        Row(
            "screen throughput",
            "jobs per second with the screen open against headless",
            f"{statistics.median(kept):.0%} ({statistics.median(with_screen):,.0f} against "
            f"{statistics.median(alone):,.0f})",
            "90%",
            statistics.median(kept) > 0.9,
            {"kept": spread(kept, 3), "jobs per second": spread(with_screen, 1), "alone": spread(alone, 1)},
        )
    ]


def first_frame(rounds: int) -> list[Row]:
    """From the start of the process until the fifth of 30 flows stands on the screen, against an app of
    Textual alone that shows a DataTable of 30 rows, in turns; byte code is cached.
    """
    ours: list[float] = []
    bare: list[float] = []
    with tempfile.TemporaryDirectory() as folder, _environment({}, without="PYTHONDONTWRITEBYTECODE"):
        _write_flows(Path(folder), FLOWS)
        for number in range(rounds + 1):
            for results, terminal in (
                (ours, lambda: Terminal(folder)),
                (bare, lambda: Terminal(module="tests.benchmarks.bare_app")),
            ):
                begin = perf_counter()
                opened = terminal()
                try:
                    opened.wait_for("flow_04")
                    if number:
                        results.append(perf_counter() - begin)
                finally:
                    opened.close()
    times = ratios(ours, bare)
    return [
        Row(
            "first frame",
            "process start to the first frame with 30 flows, against a bare Textual app with a table",
            f"{statistics.median(times):.2f} times ({statistics.median(ours) * 1000:.0f} ms against "
            f"{statistics.median(bare) * 1000:.0f})",
            "within 1.5 times",
            statistics.median(times) <= 1.5,
            {"times": spread(times, 3), "seconds": spread(ours, 4), "bare: seconds": spread(bare, 4)},
        )
    ]


def idle(rounds: int) -> list[Row]:
    """CPU time of the whole process over 10 s a round, with ten jobs that have ended, nobody touching it."""
    shares = []
    with _app("ended") as app:
        app.let_pass(3.0)
        for _ in range(max(2, rounds // 2)):
            before, begin = app.cpu_seconds(), perf_counter()
            app.let_pass(IDLE_SECONDS)
            shares.append((app.cpu_seconds() - before) / (perf_counter() - begin))
    share = statistics.median(shares)
    return [
        Row(
            "idle",
            "idle app with ten ended jobs: CPU",
            f"{share:.2%} of a core",
            "under 1%",
            share < 0.01,
            {"share of a core": spread(shares, 5)},
        )
    ]


def _write_flows(folder: Path, number: int) -> None:
    for each in range(number):
        (folder / f"flow_{each:02}.py").write_text(
            textwrap.dedent(
                f"""
                from dataclasses import dataclass

                from routilux import Flow, Routine, immediate_policy


                @dataclass
                class Params:
                    name: str = "x"


                def greet(trigger, job_state):
                    job_state.log(trigger[0]["name"])


                flow = Flow("flow_{each:02}", params=Params)
                routine = Routine("greet")
                routine.define_slot("trigger")
                routine.set_activation_policy(immediate_policy())
                routine.set_logic(greet)
                flow.add_routine(routine)
                """
            )
        )

"""The screen with 50,000 jobs in its list: what a frame costs, and how long one waits for a key."""

from __future__ import annotations

import asyncio
import gc
import threading
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

from textual.events import Key
from textual.pilot import Pilot

from routilux import Flow, FlowRegistry, Routine, Runtime, immediate_policy
from routilux.loading import FlowLoader
from routilux.snapshot import RuntimeSnapshot
from tui.app import RoutiluxApp
from tui.backend import RuntimeBackend
from tui.folder import FlowFolder
from tui.job_rows import JobRows
from tui.pictures import Catalogue
from tui.roster import Roster
from tui.screens.main import MainScreen
from tui.sweeper import QUIET, Sweeper

from .measure import Row, percentile, runtime_of

JOBS = 50_000
FEW = 50
RUNNING = 10
TYPED = ("f", "*state:failed", "*state:!completed day=07", "*limit=31", "*no such job")
MOVES = ("j", "pagedown", "G", "g", "pagedown", "k", "G", "pageup", "greater_than_sign", "I", "v", "g")


class _Work(Routine):
    """Ends at once, fails at once, or goes on until it is let go, as the parameters say."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger")
        self.set_activation_policy(immediate_policy())
        self.set_cpu_gate(False)
        self.go = threading.Event()

    def logic(self, trigger: list[dict[str, Any]]) -> None:
        if trigger[0].get("hold"):
            self.go.wait()
        elif trigger[0]["limit"] % 97 == 0:
            raise ValueError("the row has no price")


@contextmanager
def _listed(count: int) -> Iterator[Runtime]:
    """A runtime with so many jobs that have ended and a few that run."""
    work = _Work()
    flow = Flow("etl.daily")
    flow.add_routine(work, "work")
    with runtime_of(RUNNING, flow, max_finished_jobs=JOBS, echo=False) as runtime:
        for number in range(count):
            runtime.exec("etl.daily", {"day": f"2025-07-{number % 28 + 1:02d}", "limit": number})
        runtime.wait_until_all_jobs_finished()
        for _ in range(RUNNING):
            runtime.exec("etl.daily", {"hold": True})
        try:
            yield runtime
        finally:
            work.go.set()
            runtime.wait_until_all_jobs_finished()


@asynccontextmanager
async def _screen(runtime: Runtime) -> AsyncIterator[tuple[Pilot[int], MainScreen]]:
    root = Path("flows")
    backend = RuntimeBackend(runtime, FlowFolder(FlowLoader(root, FlowRegistry())))
    before = gc.get_threshold()
    sweeper = Sweeper()
    app = RoutiluxApp(backend, catalogue=Catalogue(root), sweeper=sweeper)
    app.animation_level = "none"
    try:
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.pause()
            await pilot.press("4")
            # A screen that has stood for a moment has read ahead what a filter will look at, and has swept.
            while app.main.job_table.rows.texts.read_ahead(0.1):
                await pilot.pause()
            sweeper.begin()
            sweeper.tick(QUIET)
            yield pilot, app.main
    finally:
        gc.set_threshold(*before)
        gc.enable()
        gc.unfreeze()


async def _until(holds: Callable[[], bool]) -> None:
    while not holds():
        await asyncio.sleep(0)


async def _frames(runtime: Runtime, rounds: int) -> list[float]:
    """How long the frame holds up the screen: the picture, what differs, the rows that are seen."""
    taken = []
    async with _screen(runtime) as (pilot, main):
        for _ in range(rounds * 20):
            begin = perf_counter()
            main._frame()
            taken.append(perf_counter() - begin)
            await pilot.pause()
    return taken


async def _keys(runtime: Runtime, rounds: int) -> tuple[list[float], list[float], list[float]]:
    """From a key to rows that are painted; from a letter of a filter to its rows; how long each letter
    held up the screen at most."""
    moves: list[float] = []
    letters: list[float] = []
    pauses: list[float] = []
    async with _screen(runtime) as (pilot, main):
        table = main.job_table
        for _ in range(rounds):
            for key in MOVES:
                painted = table.lines_painted
                begin = perf_counter()
                pilot.app.post_message(Key(key, None))
                await _until(lambda painted=painted: table.lines_painted > painted)  # type: ignore[misc]
                moves.append(perf_counter() - begin)
                await pilot.pause()
            table.action_view("all")
            for text in TYPED:
                await pilot.press("slash")
                for at in range(1, len(text) + 1):
                    worst, last = 0.0, perf_counter()
                    begin = last
                    table.set_filter(text[:at].lstrip("*"))
                    while True:
                        now = perf_counter()
                        worst, last = max(worst, now - last), now
                        if not table.rows.scanning:
                            break
                        await asyncio.sleep(0)
                    letters.append(perf_counter() - begin)
                    pauses.append(worst)
                await pilot.press("escape")
    return moves, letters, pauses


def job_list(rounds: int) -> list[Row]:
    """The app itself, headless at 120x40, on a runtime with 50,000 jobs that ended (1% failed) and ten that
    run, which makes ten frames a second. Against the same with 50 jobs that ended."""
    with _listed(FEW) as runtime:
        few = asyncio.run(_frames(runtime, rounds))
    with _listed(JOBS) as runtime:
        begin = perf_counter()
        first = runtime.snapshot()
        first_picture = perf_counter() - begin
        many = asyncio.run(_frames(runtime, rounds))
        moves, letters, pauses = asyncio.run(_keys(runtime, rounds))
        per_job = _memory(first)
    frame, least = percentile(many, 50), percentile(few, 50)
    return [
        Row(
            "job-list-frame",
            f"frame with {JOBS:,} jobs listed, {RUNNING} running",
            f"p50 {frame * 1e3:.1f} ms, p99 {percentile(many, 99) * 1e3:.1f} ms "
            f"(with {FEW}: {least * 1e3:.1f} and {percentile(few, 99) * 1e3:.1f})",
            "p50 under 10 ms",
            frame < 0.010,
            {"frames": len(many), "seconds": _spread(many), "few: seconds": _spread(few),
             "first picture of all: seconds": round(first_picture, 3)},
        ),
        Row(
            "job-list-keys",
            f"key to paint, {JOBS:,} jobs: moving, views, sorting, p99",
            f"{percentile(moves, 99) * 1e3:.0f} ms (p50 {percentile(moves, 50) * 1e3:.0f})",
            "under 100 ms",
            percentile(moves, 99) < 0.1,
            {"keys": len(moves), "seconds": _spread(moves)},
        ),
        Row(
            "job-list-filter",
            f"letter of a filter to its rows, {JOBS:,} jobs, p99",
            f"{percentile(letters, 99) * 1e3:.0f} ms (p50 {percentile(letters, 50) * 1e3:.0f}); "
            f"stands still for {percentile(pauses, 99) * 1e3:.0f} ms at most",
            "under 100 ms; under 40 ms",
            percentile(letters, 99) < 0.1 and percentile(pauses, 99) < 0.04,
            {"letters": len(letters), "seconds": _spread(letters), "standstill: seconds": _spread(pauses)},
        ),
        Row(
            "job-list-memory",
            "memory of the list per job, with what a filter looks at",
            f"{per_job:.0f} bytes",
            "under 1,500 bytes",
            per_job < 1500,
            {"bytes": round(per_job)},
        ),
    ]  # fmt: skip


def _memory(picture: RuntimeSnapshot) -> float:
    """What the list keeps of its own, besides the summaries, which belong to the jobs."""
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        roster, rows = Roster(), JobRows()
        rows.update(roster.take(picture.jobs).each)
        rows.texts.read_ahead(1e9)
        gc.collect()
        return (tracemalloc.get_traced_memory()[0] - before) / len(rows)
    finally:
        tracemalloc.stop()


def _spread(values: list[float]) -> dict[str, float]:
    return {
        name: round(percentile(values, at), 6)
        for name, at in (("p50", 50), ("p90", 90), ("p99", 99), ("max", 100))
    }

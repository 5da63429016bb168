"""A job with a million log lines on the screen: what is kept of them, and how long a key takes then."""

from __future__ import annotations

import asyncio
import gc
import statistics
import tempfile
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import perf_counter

from routilux import Flow, FlowRegistry, JobState, Routine, immediate_policy
from routilux.history import LogLine
from routilux.loading import FlowLoader
from tui.app import RoutiluxApp
from tui.backend import RuntimeBackend
from tui.folder import FlowFolder
from tui.log_rows import MAX_LINES, LogRows
from tui.pictures import Catalogue

from .measure import Row, runtime_of, spread

LINES = 1_000_000
CHUNK = 10_000
_MOMENT = datetime(2025, 6, 12, tzinfo=UTC)
_LEVELS = ("INFO", "WARNING", "ERROR", "PRINT")


class _Chatter(Routine):
    """Logs a million lines in one activation."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger")
        self.set_activation_policy(immediate_policy())

    def logic(self, trigger: list[object], job_state: JobState) -> None:
        for number in range(LINES):
            job_state.log(_text(number))


def _text(number: int) -> str:
    return f"order {number}: sku missing, used fallback {'.' * (number % 60)}"


def _lines(start: int, count: int, width: int = 0) -> list[LogLine]:
    return [
        LogLine(
            number,
            _MOMENT,
            _LEVELS[number % 4],
            "clean",
            f"{number} ".ljust(width, "x") if width else _text(number),
        )
        for number in range(start, start + count)
    ]


def log_screen(rounds: int) -> list[Row]:
    """Kept: by tracemalloc, what the Log tab holds of 1,000,000 lines of about 70 characters (it keeps the
    newest 20,000), and of lines of 4,000, where the bound on characters counts. Keys: the app without a
    terminal, its Log tab open while a job logs a million lines; then what a key does (g, G, l, w, n, N, or
    a letter of a search) until it is painted."""
    kept = _kept(LINES, 0)
    wide = _kept(60_000, 4000)
    ended: list[float] = []
    rates: list[float] = []
    for _ in range(max(1, min(rounds, 3))):
        times, rate = asyncio.run(_keys())
        ended += times
        rates.append(rate)
    worst = max(ended)
    after = f"{statistics.median(ended) * 1e3:.0f} ms, worst {worst * 1e3:.0f} ms"
    return [
        Row(
            "log-memory",
            f"memory of the Log tab after {LINES:,} lines; of lines of 4,000 characters",
            f"{kept / 1e6:.1f} MB; {wide / 1e6:.1f} MB",
            "under 32 MB",
            max(kept, wide) < 32e6,
            {"bytes": round(kept), "bytes of long lines": round(wide), "lines kept": MAX_LINES},
        ),
        Row(
            "log-keys",
            f"a key in the Log tab that has seen {LINES:,} lines",
            after,
            "worst under 250 ms",
            worst < 0.25,
            {"seconds": spread(ended), "lines a second": round(min(rates))},
        ),
    ]


def _kept(count: int, width: int) -> float:
    """The bytes that the rows of the tab hold after so many lines."""
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        rows = LogRows()
        for start in range(0, count, CHUNK):
            rows.append(_lines(start, CHUNK, width))
        gc.collect()
        return float(tracemalloc.get_traced_memory()[0] - before)
    finally:
        tracemalloc.stop()


async def _keys() -> tuple[list[float], float]:
    """Seconds per key once a million lines were logged under the eyes of the tab; and lines a second."""
    flow = Flow("chatter")
    flow.add_routine(_Chatter(), "chatter")
    ended: list[float] = []
    with tempfile.TemporaryDirectory() as folder, runtime_of(2, flow) as runtime:
        root = Path(folder)
        backend = RuntimeBackend(runtime, FlowFolder(FlowLoader(root, FlowRegistry())))
        app = RoutiluxApp(backend, catalogue=Catalogue(root))
        async with app.run_test(size=(120, 40)) as pilot:
            started = perf_counter()
            job = runtime.get_job(runtime.exec("chatter").job_id)
            assert job is not None
            await pilot.press("5", "right_square_bracket")

            view = app.main.job_pane.more().log_view

            async def measured(action: Callable[[], object], times: list[float]) -> None:
                painted = asyncio.Event()
                before = perf_counter()
                action()
                view.call_after_refresh(painted.set)
                await painted.wait()
                times.append(perf_counter() - before)

            while not job.is_finished():
                await pilot.pause()
            rate = LINES / (perf_counter() - started)
            await pilot.pause(0.3)
            searches = [partial(view.set_filter, "fallback"[:length]) for length in range(1, 9)]
            three_levels, to_and_fro = [view.action_level] * 3, [view.action_wrap] * 2
            moves = [
                view.action_top,
                view.action_bottom,
                view.action_search_next,
                view.action_search_previous,
            ]
            for action in (*three_levels, *to_and_fro, *searches, *moves):
                await measured(action, ended)
    return ended, rate

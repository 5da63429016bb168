"""The app with work to do, or that work alone: `python -m tests.benchmarks.screen_load [--headless]`.

What the screen's benchmarks run in another process. With the screen it is the real `routilux-tui`, whose
runtime is given the work as soon as it exists. ROUTILUX_WORK names the work; its figures go to the file
that ROUTILUX_BENCHMARK names, a line a second or a round, after a line `listed`.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

from routilux import Flow, FlowRegistry, Routine, Runtime, immediate_policy
from tui import command, opening

from .cpu_gate import burn

LISTED = 1000
EVENT_JOBS = 10
# Items per wake-up of a job, and seconds between: ten jobs make 5,000 items a second.
BURST, EVERY = 5, 0.01
CPU_JOBS = 10
CPU_LOOPS = 200_000
TINY_JOBS = 500


class _Ticks(Routine):
    """Emits BURST items every EVERY seconds, for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger")
        self.define_event("tick", ["n"])
        self.set_activation_policy(immediate_policy())

    def logic(self, trigger: list[dict[str, Any]], job_state: Any) -> None:
        due = perf_counter()
        number = 0
        while True:
            for _ in range(BURST):
                number += 1
                self.emit("tick", n=number)
            job_state.report_progress(number % 10_000, 10_000)
            due += EVERY
            job_state.sleep(max(0.0, due - perf_counter()))


class _Counts(Routine):
    """Counts its activations, over all jobs."""

    def __init__(self, slot: str = "in") -> None:
        super().__init__()
        self.define_slot(slot)
        self.set_activation_policy(immediate_policy())
        self.done = 0
        # Guards done.
        self._lock = threading.Lock()

    def logic(self, data: list[dict[str, Any]]) -> None:
        with self._lock:
            self.done += 1


class _Burns(_Counts):
    """Pure-Python work without end, about 15 ms an activation."""

    def __init__(self) -> None:
        super().__init__("trigger")
        self.define_event("again")

    def logic(self, data: list[dict[str, Any]]) -> None:
        burn(CPU_LOOPS)
        super().logic(data)
        self.emit("again")


class _Hands(Routine):
    def __init__(self, slot: str) -> None:
        super().__init__()
        self.define_slot(slot)
        self.define_event("out", ["x"])
        self.set_activation_policy(immediate_policy())

    def logic(self, data: list[dict[str, Any]]) -> None:
        self.emit("out", x=1)


def _flow(name: str, *routines: Routine, connect: tuple[tuple[int, str, int, str], ...] = ()) -> Flow:
    flow = Flow(name)
    for number, routine in enumerate(routines):
        flow.add_routine(routine, f"r{number}")
    for source, event, target, slot in connect:
        flow.connect(f"r{source}", event, f"r{target}", slot)
    FlowRegistry.get_instance().register(flow)
    return flow


def _tiny_flow() -> None:
    _flow(
        "tiny", _Hands("trigger"), _Hands("in"), _Counts(), connect=((0, "out", 1, "in"), (1, "out", 2, "in"))
    )


def _list_jobs(runtime: Runtime, number: int) -> None:
    _tiny_flow()
    for _ in range(number):
        runtime.exec("tiny")
    runtime.wait_until_all_jobs_finished()


def events(runtime: Runtime, tell: Callable[[str], None]) -> None:
    """1,000 jobs in the list, ten of which make 5,000 items a second."""
    ticks, counts = _Ticks(), _Counts()
    _flow("ticking", ticks, counts, connect=((0, "tick", 1, "in"),))
    _list_jobs(runtime, LISTED - EVENT_JOBS)
    for _ in range(EVENT_JOBS):
        runtime.exec("ticking")
    _tell_rate(counts, tell)


def cpu(runtime: Runtime, tell: Callable[[str], None]) -> None:
    """1,000 jobs in the list, ten of which are activations of pure-Python work without end."""
    burns = _Burns()
    _flow("burning", burns, connect=((0, "again", 0, "trigger"),))
    _list_jobs(runtime, LISTED - CPU_JOBS)
    for _ in range(CPU_JOBS):
        runtime.exec("burning")
    _tell_rate(burns, tell)


def tiny(runtime: Runtime, tell: Callable[[str], None]) -> None:
    """Jobs of three routines, TINY_JOBS at a time, again and again: jobs per second."""
    _tiny_flow()
    tell("listed")
    while True:
        begin = perf_counter()
        for _ in range(TINY_JOBS):
            runtime.exec("tiny")
        runtime.wait_until_all_jobs_finished()
        tell(f"{TINY_JOBS / (perf_counter() - begin):.1f}")


def ended(runtime: Runtime, tell: Callable[[str], None]) -> None:
    """Ten jobs that have ended, and nothing more."""
    _list_jobs(runtime, 10)
    tell("listed")


def _tell_rate(counts: _Counts, tell: Callable[[str], None]) -> None:
    """Activations per second, a line a second."""
    tell("listed")
    while True:
        before, begin = counts.done, perf_counter()
        time.sleep(1.0)
        tell(f"{(counts.done - before) / (perf_counter() - begin):.1f}")


WORK: dict[str, Callable[[Runtime, Callable[[str], None]], None]] = {
    work.__name__: work for work in (events, cpu, tiny, ended)
}


class _Loaded(Runtime):
    """A runtime that has work as soon as the folder is loaded."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        threading.Thread(target=self._work_once_loaded, daemon=True).start()

    def _work_once_loaded(self) -> None:
        # What is registered while a folder loads may be taken for the folder's.
        while not FlowRegistry.get_instance().list_names():
            time.sleep(0.05)
        time.sleep(0.5)
        _work(self)


def _work(runtime: Runtime) -> None:
    with Path(os.environ["ROUTILUX_BENCHMARK"]).open("a", buffering=1) as file:
        WORK[os.environ["ROUTILUX_WORK"]](runtime, lambda line: print(line, file=file))


def main() -> None:
    """The app if there is a terminal, else the work alone, until the process is ended."""
    if sys.argv[1:] == ["--headless"]:
        _work(Runtime(10, echo=False))
        return
    opening.Runtime = _Loaded  # type: ignore[misc]
    command.main()


if __name__ == "__main__":
    main()

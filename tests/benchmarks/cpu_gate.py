"""What the CPU gate is worth: other jobs' latency and throughput beside pure-Python CPU work."""

from __future__ import annotations

import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter, thread_time
from typing import Any

from routilux import Flow, Routine, immediate_policy

from .measure import Row, percentile, run, runtime_of, spread

# Enough that every CPU activation, every I/O job and the new job have a thread, gate or no gate.
THREADS = 20
CPU_JOBS = 10
IO_JOBS = 5
# Seconds of CPU per activation, of waiting per I/O activation, and of one measurement.
WORK = 0.02
WAIT = 0.001
WINDOW = 4.0


class _Work(Routine):
    """Pure-Python work of about WORK seconds of CPU, again and again until stopped."""

    def __init__(self, loops: int, stop: threading.Event) -> None:
        super().__init__()
        self.define_slot("trigger")
        self.define_event("again")
        self.set_activation_policy(immediate_policy())
        self.loops = loops
        self.stop = stop
        self.done = 0
        self._lock = threading.Lock()

    def logic(self, trigger: list[dict[str, Any]]) -> None:
        burn(self.loops)
        with self._lock:
            self.done += 1
        if not self.stop.is_set():
            self.emit("again")


class _Io(_Work):
    """Waits WAIT seconds, again and again until stopped."""

    def logic(self, trigger: list[dict[str, Any]]) -> None:
        time.sleep(WAIT)
        with self._lock:
            self.done += 1
        if not self.stop.is_set():
            self.emit("again")


class _First(Routine):
    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger")
        self.set_activation_policy(immediate_policy())
        self.started = 0.0

    def logic(self, trigger: list[dict[str, Any]]) -> None:
        self.started = perf_counter()


def burn(loops: int) -> int:
    """Pure-Python work that holds the interpreter lock."""
    total = 0
    for number in range(loops):
        total += number * number % 7
    return total


def _loops_for(seconds: float) -> int:
    loops = 20_000
    best = 1e9
    for _ in range(5):
        begin = thread_time()
        burn(loops)
        best = min(best, thread_time() - begin)
    return int(loops * seconds / best)


def cpu_gate(rounds: int) -> list[Row]:
    """Ten jobs of endless activations of 20 ms of pure-Python CPU work each, five of endless activations of
    1 ms of sleep, and every 25 ms a new job, whose first activation is timed from before `exec`; a pool of
    20 threads, so that all could run at once. With the gate (`cpu_permits=1`) and without (`None`) in
    turns, in windows of 4 s after a second of warming up: p99 of the new job's first activation;
    activations of the sleeping jobs; of the working jobs. With the interpreter's own switch interval (5
    ms), and with 0.5 ms, as the app sets it.

    Beside it, what can be had at all: how much more often five bare threads that sleep 1 ms at a time come
    to their turn beside one bare thread that works than beside ten.

    The bound counts as follows: p99 at the default interval; the I/O jobs' throughput with the gate over that
    without; the CPU work done with the gate over that without.
    """
    loops = _loops_for(WORK)
    rows = []
    windows = max(1, rounds // 2)
    for interval in (0.005, 0.0005):
        with _switch_interval(interval):
            found: dict[int | None, list[tuple[list[float], float, float]]] = {1: [], None: []}
            for number in range(windows):
                for permits in (1, None) if number % 2 == 0 else (None, 1):
                    found[permits].append(_window(loops, permits))
            bare = [_bare_turns(loops, 1) / _bare_turns(loops, CPU_JOBS) for _ in range(windows)]
        waits = {permits: [w for window in found[permits] for w in window[0]] for permits in found}
        p99, p99_without = percentile(waits[1], 99), percentile(waits[None], 99)
        more_io = [a[1] / b[1] for a, b in zip(found[1], found[None], strict=True)]
        cpu_kept = [a[2] / b[2] for a, b in zip(found[1], found[None], strict=True)]
        faster, lost = statistics.median(more_io), 1 - statistics.median(cpu_kept)
        ok = p99 < 0.02 and faster >= 10 and lost <= 0.15
        rows.append(
            Row(
                f"cpu-gate {interval * 1000:g} ms",
                f"beside ten CPU-bound activations, switch interval {interval * 1000:g} ms",
                f"p99 {p99 * 1000:.1f} ms (without the gate {p99_without * 1000:.0f}); "
                f"I/O jobs {faster:.1f} times (bare threads {statistics.median(bare):.1f}); "
                f"CPU work {-lost:+.1%}",
                "p99 under 20 ms; 10 times; at most -15%",
                ok,
                {
                    "first activation p50, p99, max: seconds": _tail(waits[1]),
                    "first activation without the gate": _tail(waits[None]),
                    "I/O activations per second": spread([window[1] for window in found[1]], 1),
                    "I/O activations per second without the gate": spread(
                        [window[1] for window in found[None]], 1
                    ),
                    "CPU activations per second": spread([window[2] for window in found[1]], 1),
                    "CPU activations per second without the gate": spread(
                        [window[2] for window in found[None]], 1
                    ),
                    "I/O: times faster": spread(more_io, 2),
                    "I/O of bare threads, one that works against ten: times faster": spread(bare, 2),
                    "CPU work kept": spread(cpu_kept, 4),
                },
            )
        )
    return rows


def _tail(values: list[float]) -> list[float]:
    return [round(percentile(values, 50), 6), round(percentile(values, 99), 6), round(max(values), 6)]


@contextmanager
def _switch_interval(seconds: float) -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(seconds)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _bare_turns(loops: int, working: int) -> float:
    """How often a second IO_JOBS bare threads that sleep come to their turn, beside so many that work."""
    stop = threading.Event()
    turns = [0] * IO_JOBS

    def work() -> None:
        while not stop.is_set():
            burn(loops)

    def sleep(number: int) -> None:
        while not stop.is_set():
            time.sleep(WAIT)
            turns[number] += 1

    threads = [threading.Thread(target=work) for _ in range(working)]
    threads += [threading.Thread(target=sleep, args=(number,)) for number in range(IO_JOBS)]
    for thread in threads:
        thread.start()
    begin, before = perf_counter(), sum(turns)
    time.sleep(WINDOW)
    rate = (sum(turns) - before) / (perf_counter() - begin)
    stop.set()
    for thread in threads:
        thread.join()
    return rate


def _window(loops: int, permits: int | None) -> tuple[list[float], float, float]:
    """First-activation times, I/O activations per second, CPU activations per second."""
    stop = threading.Event()
    work, io, first = _Work(loops, stop), _Io(0, stop), _First()
    flows = [Flow("work"), Flow("io"), Flow("first")]
    for flow, routine in zip(flows, (work, io, first), strict=True):
        flow.add_routine(routine, "routine")
        if "again" in routine.events:
            flow.connect("routine", "again", "routine", "trigger")
    waits = []
    with runtime_of(THREADS, *flows, cpu_permits=permits) as runtime:
        for _ in range(CPU_JOBS):
            runtime.exec("work")
        for _ in range(IO_JOBS):
            runtime.exec("io")
        time.sleep(1)
        begin, io_before, work_before = perf_counter(), io.done, work.done
        while perf_counter() < begin + WINDOW:
            time.sleep(0.025)
            start = perf_counter()
            run(runtime, "first")
            waits.append(first.started - start)
        seconds = perf_counter() - begin
        io_rate, work_rate = (io.done - io_before) / seconds, (work.done - work_before) / seconds
        stop.set()
    return waits, io_rate, work_rate

"""What all benchmarks share: rows of the table, rounds side by side, threads that are warm."""

from __future__ import annotations

import gc
import statistics
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from routilux import Flow, FlowRegistry, Routine, Runtime, immediate_policy


@dataclass(frozen=True)
class Row:
    """One line of the table: what was measured, the bound it was held against, all its figures."""

    name: str
    workload: str
    measured: str
    at_least: str
    ok: bool
    figures: Mapping[str, Any] = field(default_factory=dict)


# A benchmark measures over that many rounds and answers with its rows.
Benchmark = Callable[[int], list[Row]]


def spread(values: Sequence[float], digits: int = 9) -> dict[str, float]:
    """Median, least and greatest, for the JSON."""
    return {
        "median": round(statistics.median(values), digits),
        "min": round(min(values), digits),
        "max": round(max(values), digits),
    }


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that `percent` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def side_by_side(
    rounds: int, ours: Callable[[], float], theirs: Callable[[], float]
) -> tuple[list[float], list[float]]:
    """Run both once unmeasured, then in turns, with the turns swapped every other round.

    Other load on the machine then meets both, and the ratio of a round means something even where
    its times do not.
    """
    ours()
    theirs()
    results: tuple[list[float], list[float]] = ([], [])
    functions = (ours, theirs)
    for number in range(rounds):
        for index in (0, 1) if number % 2 == 0 else (1, 0):
            gc.collect()
            results[index].append(functions[index]())
    return results


def ratios(dividends: Sequence[float], divisors: Sequence[float]) -> list[float]:
    """The ratio of each round."""
    return [a / b for a, b in zip(dividends, divisors, strict=True)]


def times(values: Sequence[float]) -> str:
    """`3.1 times (2.8 to 3.3)`: the median and the range."""
    return f"{statistics.median(values):.2f} times ({min(values):.2f} to {max(values):.2f})"


def micros(values: Sequence[float]) -> str:
    """The median of seconds, in microseconds."""
    return f"{statistics.median(values) * 1e6:.2f} us"


def percents(values: Sequence[float]) -> str:
    """`96% (95 to 97)`: the median and the range of fractions."""
    return f"{statistics.median(values):.1%} ({min(values):.1%} to {max(values):.1%})"


@contextmanager
def runtime_of(threads: int, *flows: Flow, **options: Any) -> Iterator[Runtime]:
    """A runtime that knows the flows, with all its threads started and asleep."""
    registry = FlowRegistry()
    for flow in flows:
        registry.register(flow)
    registry.register(_meeting(threads))
    with Runtime(threads, registry=registry, **options) as runtime:
        run(runtime, "meeting")
        yield runtime


@contextmanager
def executor_of(threads: int) -> Iterator[ThreadPoolExecutor]:
    """An executor with all its threads started and asleep."""
    with ThreadPoolExecutor(threads) as pool:
        barrier = threading.Barrier(threads)
        for future in [pool.submit(barrier.wait) for _ in range(threads)]:
            future.result()
        yield pool


def run(runtime: Runtime, flow_name: str, params: Mapping[str, Any] | None = None) -> None:
    """Run one job to its end."""
    job = runtime.get_job(runtime.exec(flow_name, params).job_id)
    assert job is not None
    job.wait()
    if not job.is_completed():
        raise RuntimeError(f"{job!r}: {job.job_state.error}")


def _meeting(threads: int) -> Flow:
    """A job in which that many activations must run at once, so that all threads are started."""
    barrier = threading.Barrier(threads)
    source = Source(1)
    flow = Flow("meeting")
    flow.add_routine(source, "source")
    for number in range(threads):
        flow.add_routine(Call(barrier.wait), f"guest_{number}")
        flow.connect("source", "out", f"guest_{number}", "in")
    return flow


class Source(Routine):
    """Emits a number of items, from one activation."""

    def __init__(self, items: int) -> None:
        super().__init__()
        self.define_slot("trigger")
        self.define_event("out", ["x"])
        self.set_activation_policy(immediate_policy())
        self.set_cpu_gate(False)
        self._items = items

    def logic(self, trigger: list[dict[str, Any]]) -> None:
        for number in range(self._items):
            self.emit("out", x=number)


class Pass(Routine):
    """Hands each item on."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("in")
        self.define_event("out", ["x"])
        self.set_activation_policy(immediate_policy())

    def logic(self, data: list[dict[str, Any]]) -> None:
        self.emit("out", x=data[0]["x"])


class Call(Routine):
    """Calls a function for each item."""

    def __init__(self, function: Callable[[], object]) -> None:
        super().__init__()
        self.define_slot("in")
        self.set_activation_policy(immediate_policy())
        self.function = function

    def logic(self, data: list[dict[str, Any]]) -> None:
        self.function()

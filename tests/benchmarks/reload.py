"""How long after a save the new code is in service, and what watching costs."""

from __future__ import annotations

import gc
import linecache
import os
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from routilux import FlowRegistry, Runtime
from routilux.loading import FlowEvent, FlowLoader

from .measure import Row, percentile, spread

_SAVES_PER_ROUND = 20
_FLOW = """
from routilux import Flow, Routine

class Step(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger")
        self.define_event("out", ["x"])

    def logic(self, trigger, *, job_state):
        trigger[0]["begun"]({number})

flow = Flow({name!r})
flow.add_routine(Step(), "first")
flow.add_routine(Step(), "second")
flow.connect("first", "out", "second", "trigger")
"""


def _write(root: Path, number: int, version: int) -> None:
    name = f"flow{number:03}"
    (root / f"{name}.py").write_text(_FLOW.format(name=name, number=version))


@contextmanager
def _folder(flows: int) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "flows"
        root.mkdir()
        for number in range(flows):
            _write(root, number, 0)
        yield root


def saves(rounds: int) -> list[Row]:
    """From before a file is written until a subscriber hears of it with the new flow in the catalogue; and
    until the first activation of a job of the new flow that the subscriber starts. 30 flows; between
    two saves the folder rests.
    """
    seen: list[float] = []
    begun: list[float] = []
    with _folder(30) as root:
        registry = FlowRegistry()
        with Runtime(4, registry=registry) as runtime, FlowLoader(root, registry) as loader:
            heard, ran = threading.Event(), threading.Event()
            moments = [0.0, 0.0]

            def note_run(version: int) -> None:
                moments[1] = perf_counter()
                ran.set()

            def hear(event: FlowEvent) -> None:
                if event.kind == "changed" and event.flow is not None:
                    moments[0] = perf_counter()
                    runtime.exec(event.flow, {"begun": note_run})
                    heard.set()

            loader.subscribe(hear)
            for number in range(rounds * _SAVES_PER_ROUND + 3):
                time.sleep(0.08)
                heard.clear()
                ran.clear()
                begin = perf_counter()
                _write(root, number % 30, number + 1)
                if not (heard.wait(10) and ran.wait(10)):
                    raise RuntimeError("a save was not heard of")
                if number >= 3:  # the watching has begun by then
                    seen.append(moments[0] - begin)
                    begun.append(moments[1] - begin)
    p95, first = percentile(seen, 95), percentile(begun, 95)
    return [
        Row(
            "reload-save",
            "save to subscriber, 30 flows, p95",
            f"{p95 * 1000:.0f} ms (p50 {percentile(seen, 50) * 1000:.0f})",
            "under 60 ms",
            p95 < 0.06,
            {"samples": len(seen), "seconds": spread(seen, 5)},
        ),
        Row(
            "reload-run",
            "save to first activation of the new job, p95",
            f"{first * 1000:.0f} ms (p50 {percentile(begun, 50) * 1000:.0f})",
            "under 150 ms",
            first < 0.15,
            {"samples": len(begun), "seconds": spread(begun, 5)},
        ),
    ]


def _compile_and_execute(root: Path) -> float:
    sources = [(str(path), path.read_bytes()) for path in sorted(root.glob("*.py"))]
    begin = perf_counter()
    for path, source in sources:
        exec(compile(source, path, "exec", dont_inherit=True), {"__name__": "alone"})
    return perf_counter() - begin


def many_files(rounds: int) -> list[Row]:
    """`reload()` of 300 files of which one has changed, and of which all have; a checkout while watching.

    Shown beside it: what `compile` and `exec` of the same sources alone take.
    """
    one: list[float] = []
    everything: list[float] = []
    alone: list[float] = []
    generations: list[int] = []
    with _folder(300) as root:
        loader = FlowLoader(root, FlowRegistry())
        loader.reload()
        for number in range(1, rounds + 1):
            _write(root, 7, number)
            one.append(_timed_reload(loader))
            for file in range(300):
                _write(root, file, 1000 + number)
            everything.append(_timed_reload(loader))
            alone.append(_compile_and_execute(root))
        loader.stop()
        with loader:
            time.sleep(1.0)
            for number in range(rounds):
                before = loader.current.number
                for file in range(300):
                    _write(root, file, 2000 + number)
                hashes = {flow.source_hash for flow in loader.catalog.values()}
                limit = time.monotonic() + 10
                while time.monotonic() < limit:
                    time.sleep(0.05)
                    now = {flow.source_hash for flow in loader.catalog.values()}
                    if not now & hashes:
                        break
                generations.append(loader.current.number - before)
    return [
        Row(
            "reload-one-of-300",
            "300 files, one changed",
            f"{percentile(one, 50) * 1000:.0f} ms (worst {max(one) * 1000:.0f})",
            "under 30 ms",
            percentile(one, 50) < 0.03,
            {"seconds": spread(one, 5)},
        ),
        Row(
            "reload-300",
            "300 files, all changed",
            f"{percentile(everything, 50) * 1000:.0f} ms (worst {max(everything) * 1000:.0f}), "
            f"of which compile and exec alone {percentile(alone, 50) * 1000:.0f}",
            "under 150 ms",
            percentile(everything, 50) < 0.15,
            {"seconds": spread(everything, 5), "compile and exec alone: seconds": spread(alone, 5)},
        ),
        Row(
            "reload-checkout",
            "a checkout of 300 files",
            f"{max(generations)} generations at most",
            "one or two",
            max(generations) <= 2,
            {"generations": list(generations)},
        ),
    ]


def _timed_reload(loader: FlowLoader) -> float:
    begin = perf_counter()
    if loader.reload() is None:
        raise RuntimeError("nothing had changed")
    return perf_counter() - begin


def flat(rounds: int) -> list[Row]:
    """200 reloads of a module that holds 1 MB, each followed by a garbage collection: resident memory after
    50 and after 200, `sys.modules`, `linecache`.

    A module is a cycle of references, so without a collection the last ones stay for as long as the
    collector sees fit. Resident memory moves by some MB with where the allocator finds room for 1 MB; so
    the median of the last 20 reloads is compared with that of the 31st to the 50th.
    """
    with _folder(1) as root:
        loader = FlowLoader(root, FlowRegistry())
        source = _FLOW.format(name="big", number=0) + "DATA = bytearray(b'x') * 1_000_000\n"
        early: list[int] = []
        late: list[int] = []
        names: list[tuple[int, int]] = []
        for number in range(1, 201):
            (root / "big.py").write_text(f"{source}# {number}\n")
            loader.reload()
            gc.collect()
            if 30 < number <= 50 or number > 180:
                (early if number <= 50 else late).append(_resident())
            if number in (50, 200):
                names.append((len(sys.modules), len(linecache.cache)))
        loader.stop()
    grown = (percentile(late, 50) - percentile(early, 50)) / 1e6
    same = names[0] == names[1]
    return [
        Row(
            "reload-flat",
            "150 further reloads of a module of 1 MB",
            f"{grown:+.1f} MB; sys.modules and linecache {'the same' if same else 'have grown'}",
            "under 10 MB; the same",
            grown < 10 and same,
            {
                "bytes after 31 to 50": spread(early, 0),
                "bytes after 181 to 200": spread(late, 0),
                "modules, sources": [list(each) for each in names],
            },
        )
    ]


def _resident() -> int:
    with open("/proc/self/statm") as about:
        return int(about.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def idle(rounds: int) -> list[Row]:
    """CPU time of the process while 30 flows are watched and nothing happens, per second."""
    with _folder(30) as root, FlowLoader(root, FlowRegistry()):
        time.sleep(4)
        shares = []
        for _ in range(rounds):
            before = resource.getrusage(resource.RUSAGE_SELF)
            begin = perf_counter()
            time.sleep(2)
            after = resource.getrusage(resource.RUSAGE_SELF)
            used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            shares.append(used / (perf_counter() - begin))
    share = percentile(shares, 50)
    return [
        Row(
            "reload-idle",
            "watching 30 flows, nothing happens",
            f"{share:.2%} of a core",
            "under 0.5%",
            share < 0.005,
            {"shares": spread(shares, 5)},
        )
    ]


def reload(rounds: int) -> list[Row]:
    """All of the above."""
    return [*saves(rounds), *many_files(rounds), *flat(rounds), *idle(rounds)]

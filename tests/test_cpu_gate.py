"""Routines that are heavy on the CPU take turns; all others pass freely."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from routilux import cpu_gate
from routilux.cpu_gate import CpuGate
from routilux.plan import CpuUse
from routilux.timers import Timers
from tests.helpers import LIMIT, Bench, Peak, chain, collects, does, node, source

MakeRuntime = Callable[..., Bench]


def burn(seconds: float) -> None:
    """Pure Python work of so much CPU time."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        for _ in range(100):
            pass


@pytest.fixture
def all_heavy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every routine is known to be heavy from the first, and nobody loses patience."""
    monkeypatch.setattr(CpuUse, "is_heavy", property(lambda use: True))
    monkeypatch.setattr(CpuUse, "is_light", lambda use, now: False)
    monkeypatch.setattr(cpu_gate, "PATIENCE", 60)


def most_at_once(runtime: Bench, *, exempt: bool = False) -> int:
    """How many of 40 activations of 1 ms ran at once."""
    peak = Peak()

    def logic(items: Any) -> None:
        with peak:
            threading.Event().wait(0.001)

    routine = node(logic, concurrency=8)
    routine.set_cpu_gate(not exempt)
    job = runtime.run(chain(source(range(40)), routine))
    assert job.is_completed()
    assert job.snapshot().routines[1].activations == 40
    return peak.most


# ---- in jobs


@pytest.mark.usefixtures("all_heavy")
@pytest.mark.parametrize("permits", [1, 3])
def test_as_many_heavy_activations_run_at_once_as_there_are_permits(
    make_runtime: MakeRuntime, permits: int
) -> None:
    assert most_at_once(make_runtime(8, cpu_permits=permits)) <= permits


@pytest.mark.usefixtures("all_heavy")
def test_without_permits_there_is_no_gate(make_runtime: MakeRuntime) -> None:
    assert most_at_once(make_runtime(8, cpu_permits=None)) > 3


@pytest.mark.usefixtures("all_heavy")
def test_a_routine_may_be_exempt(make_runtime: MakeRuntime) -> None:
    """Such as one that hashes with the interpreter lock released."""
    assert most_at_once(make_runtime(8), exempt=True) > 3


@pytest.mark.usefixtures("all_heavy")
def test_the_permit_is_shared_by_all_jobs_of_a_runtime(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(8)
    peak = Peak()

    def logic() -> None:
        with peak:
            threading.Event().wait(0.001)

    jobs = [runtime.start(chain(source(range(5)), node(logic), flow_id=f"flow-{n}")) for n in range(8)]
    for job in jobs:
        assert job.wait(LIMIT)
    assert peak.most == 1


def test_work_that_only_waits_passes_freely(make_runtime: MakeRuntime) -> None:
    assert most_at_once(make_runtime(8)) > 3


def test_the_runtime_learns_what_is_heavy(make_runtime: MakeRuntime) -> None:
    """While a busy machine keeps the process waiting, work looks as if it waited itself: so many tries."""
    runtime = make_runtime(8)
    for _ in range(20):
        flow = chain(source(range(20)), node(lambda items: burn(0.004), concurrency=8))
        assert runtime.run(flow).is_completed()
        if flow.plan().routines[1].cpu.is_heavy:
            break
    assert flow.plan().routines[1].cpu.is_heavy
    assert not flow.plan().routines[0].cpu.is_heavy


def test_light_work_is_not_held_up_by_heavy_work(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(8)
    done = threading.Event()
    heavy = chain(
        source(range(2000)),
        node(lambda items: done.is_set() or burn(0.003), concurrency=8),
        flow_id="heavy",
    )
    job = runtime.start(heavy)
    light = chain(source(range(20)), collects(), flow_id="light")
    for _ in range(10):
        assert runtime.run(light).is_completed()
        assert not job.is_finished()
    done.set()
    assert job.wait(LIMIT)
    assert job.is_completed()


def test_an_endless_activation_does_not_hold_up_all_others(make_runtime: MakeRuntime) -> None:
    """After a while somebody else is let in, even though the permit was never given back."""
    runtime = make_runtime(4)
    started = threading.Event()
    stop = threading.Event()

    def logic(items: Any) -> None:
        if items[0]["x"] == "endless":
            started.set()
            while not stop.is_set():
                pass
        else:
            burn(0.003)

    routine = node(logic, concurrency=4)
    values: list[Any] = ["warm"] * 20
    first = does(lambda: [first.emit("out", x=value) for value in values], events=["out"])
    flow = chain(first, routine)
    assert runtime.run(flow).is_completed()
    values.clear()
    values.extend(["endless"] + ["work"] * 20)
    job = runtime.start(flow)
    assert started.wait(LIMIT)
    while job.snapshot().routines[1].activations < 21:
        assert not job.wait(0.001)
    stop.set()
    assert job.wait(LIMIT)
    assert job.is_completed()


def test_heavy_jobs_can_be_cancelled_while_they_wait_for_a_permit(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(4)
    flow = chain(source(range(500)), node(lambda items: burn(0.002), concurrency=4))
    for _ in range(5):
        jobs = [runtime.start(flow) for _ in range(3)]
        jobs[0].wait(0.03)
        assert runtime.cancel_all_jobs() == 3
        assert runtime.wait_until_all_jobs_finished(LIMIT)
    assert runtime.run(chain(source([1]), collects())).is_completed()


def test_nothing_is_lost_at_the_gate(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(6)

    def logic(items: Any) -> None:
        burn(0.0015)
        heavy.emit("out", x=items[0]["x"])

    heavy = node(logic, concurrency=3, capacity=5)
    flow = chain(source(range(100)), heavy, collects())
    jobs = [runtime.start(flow) for _ in range(4)]
    for job in jobs:
        assert job.wait(LIMIT), job.why_not_finished()
        assert sorted(job.job_state.shared_data["got"]) == list(range(100))


# ---- learning


def learnt(*samples: tuple[float, float | None, float]) -> CpuUse:
    """After samples of (wall, cpu, idle), in seconds per activation."""
    use = CpuUse(exempt=False)
    for wall, cpu, idle in samples:
        use.learn(wall, cpu, idle)
    return use


def test_nothing_is_heavy_before_it_was_measured() -> None:
    assert not learnt().is_heavy
    assert not learnt((0.5, None, 0.0)).is_heavy


def test_more_than_a_millisecond_of_cpu_is_heavy() -> None:
    assert learnt((0.0015, 0.0014, 0.0)).is_heavy
    assert not learnt((0.0009, 0.0009, 0.0)).is_heavy


def test_a_mean_follows_what_a_routine_does_now() -> None:
    light = (0.0001, 0.0001, 0.0)
    assert not learnt((0.002, 0.002, 0.0), *[light] * 20).is_heavy
    assert learnt(*[light] * 20, *[(0.01, 0.01, 0.0)] * 3).is_heavy


def test_what_was_found_to_be_light_is_not_measured_again_for_a_while() -> None:
    use = CpuUse(exempt=False)
    use.learn(0.01, 0.0001, 0.009, now=100.0)
    assert use.is_light(100.0 + use.TRUST / 2)
    assert not use.is_light(100.0 + use.TRUST * 2)


def test_what_computes_for_long_is_measured_every_time() -> None:
    use = CpuUse(exempt=False)
    use.learn(0.01, 0.009, 0.0, now=100.0)
    assert not use.is_light(100.0)


def test_what_takes_much_longer_than_before_is_measured_anew(make_runtime: MakeRuntime) -> None:
    """One that has only waited so far, and is taken at its word for ever, starts to compute."""
    runtime = make_runtime(1)
    waits = threading.Event()

    def logic(items: Any) -> None:
        if items[0]["x"] < 20:
            waits.wait(0.001)
        else:
            burn(0.05)

    routine = node(logic)
    flow = chain(source(range(30)), routine)
    use = flow.plan().routines[1].cpu
    use.learn(0.001, 0.00001, 0.001, now=float("inf"))
    assert runtime.run(flow).is_completed()
    assert use.cpu > 0.001


def test_what_waits_more_than_it_computes_is_not_heavy() -> None:
    assert not learnt((0.1, 0.002, 0.09)).is_heavy
    assert learnt((0.1, 0.05, 0.01)).is_heavy


COMPUTES = (0.015, 0.014, 0.0)
WAITS = (0.012, 0.002, 0.009)
# As both look in a crowd of others that compute.
IN_A_CROWD = (0.15, 0.014, 0.0)
# What computes, in a process that was stopped for a while.
STOPPED = (3.0, 0.014, 2.9)


def test_what_computes_is_heavy_although_the_process_was_stopped_meanwhile() -> None:
    assert learnt(*[COMPUTES] * 5, STOPPED).is_heavy
    assert learnt(*[COMPUTES] * 5, STOPPED, *[IN_A_CROWD] * 5).is_heavy
    # Even where that was the first that was seen of it.
    assert learnt(STOPPED, COMPUTES, COMPUTES).is_heavy


def test_what_is_taken_for_one_that_waits_is_heavy_again_where_nothing_more_tells_so() -> None:
    assert learnt(STOPPED, *[IN_A_CROWD] * 100).is_heavy


def test_what_waits_is_not_heavy_for_a_while_where_a_crowd_hides_it() -> None:
    crowd = (0.15, 0.002, 0.0)
    assert not learnt(WAITS, *[crowd] * 20).is_heavy
    assert not learnt(WAITS, *[crowd] * 100, WAITS).is_heavy


def test_what_begins_to_compute_is_heavy_soon() -> None:
    assert learnt(*[WAITS] * 20, *[COMPUTES] * 2).is_heavy
    # In a crowd it is the CPU time alone that tells.
    assert learnt(*[WAITS] * 20, *[IN_A_CROWD] * 2).is_heavy


# ---- by itself


class Use:
    """What has been learnt about a routine, for the gate alone."""

    def __init__(self, heavy: bool = True) -> None:
        self.is_heavy = heavy


@pytest.fixture
def admitted() -> list[Any]:
    return []


@pytest.fixture
def gate(admitted: list[Any]) -> Any:
    timers = Timers("timers-of-a-test")
    yield CpuGate(1, timers, lambda loop, unit: admitted.append((loop, unit)))
    thread = timers.stop()
    if thread is not None:
        thread.join(LIMIT)


def test_light_routines_need_no_permit(gate: CpuGate) -> None:
    assert gate.enter("loop", "a", Use(heavy=False)) == 0  # type: ignore[arg-type]


def test_who_finds_no_permit_is_admitted_when_one_is_given_back(gate: CpuGate, admitted: list[Any]) -> None:
    heavy: Any = Use()
    first = gate.enter("loop", "a", heavy)
    assert first
    assert gate.enter("loop", "b", heavy) is None
    assert gate.enter("loop", "c", heavy) is None
    assert gate.enter("loop", "b", heavy) is None  # it waits once, however often it asks
    gate.leave(first)
    assert admitted == [("loop", "b")]
    second = gate.enter("loop", "b", heavy)
    assert second
    gate.leave(second)
    assert admitted == [("loop", "b"), ("loop", "c")]


def test_a_permit_that_is_reserved_is_nobody_elses(gate: CpuGate, admitted: list[Any]) -> None:
    heavy: Any = Use()
    first = gate.enter("loop", "a", heavy)
    assert gate.enter("loop", "b", heavy) is None
    gate.leave(first or 0)
    assert gate.enter("loop", "c", heavy) is None
    assert gate.enter("loop", "b", Use(heavy=False))  # type: ignore[arg-type]


def test_who_holds_a_permit_for_too_long_no_longer_counts(
    gate: CpuGate, admitted: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpu_gate, "PATIENCE", 0.03)
    heavy: Any = Use()
    came = threading.Event()
    monkeypatch.setattr(gate, "_admitted", lambda loop, unit: (admitted.append(unit), came.set()))
    endless = gate.enter("loop", "a", heavy)
    assert gate.enter("loop", "b", heavy) is None
    assert came.wait(LIMIT)
    assert admitted == ["b"]
    permit = gate.enter("loop", "b", heavy)
    assert permit
    gate.leave(endless or 0)  # late, and harmless
    assert gate.enter("loop", "c", heavy) is None
    gate.leave(permit)
    assert admitted == ["b", "c"]

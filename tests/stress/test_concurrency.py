"""Every promise about threads, under pressure. Each of these tests has been seen to fail on an engine
broken for it. Nothing here sleeps: threads meet at events, and are switched as often as can be."""

from __future__ import annotations

import queue
import random
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from routilux import (
    ErrorHandler,
    Flow,
    Job,
    JobState,
    Routine,
    all_slots_ready_policy,
    batch_size_policy,
    custom_policy,
    immediate_policy,
)
from routilux.snapshot import JobEvent
from tests.stress.tools import (
    HANGS,
    ended,
    feeding,
    flow_of,
    in_threads,
    keeping,
    passing,
    routine,
    running,
    start,
    switching,
    until,
)

pytestmark = pytest.mark.stress


# ---- lost wake-ups, completion


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_no_wake_up_is_lost_among_many_tiny_jobs(threads: int) -> None:
    flow = flow_of(
        feeding(3), passing("a", capacity=1), passing("b", capacity=2), keeping(capacity=1), chain=True
    )
    with running(flow, threads) as runtime, switching(1e-5):

        def work(who: int) -> None:
            for _ in range(60):
                job = start(runtime)
                assert ended(job) == "completed"
                assert job.job_state.shared_data["got"] == [0, 1, 2]

        in_threads(4, work)
        assert runtime.wait_until_all_jobs_finished(HANGS)


@pytest.mark.parametrize("capacity", [1, 3, 1000])
def test_no_item_of_many_producers_is_lost_or_overtaken(capacity: int) -> None:
    """Threads outside any activation feed one routine, whose thread goes to rest again and again."""
    held, may_end = threading.Event(), threading.Event()

    def hold(trigger: list[Any]) -> None:
        held.set()
        assert may_end.wait(HANGS)

    source = routine("source", hold, slots=("trigger",))
    flow = flow_of(source, keeping(capacity=capacity), chain=True)
    with running(flow, 2) as runtime, switching(1e-5):
        state = runtime.exec("flow")
        assert held.wait(HANGS)

        def feed(who: int) -> None:
            for number in range(400):
                source.emit("out", job_state=state, x=(who, number))

        in_threads(4, feed)
        may_end.set()
        job = runtime.get_job(state.job_id)
        assert job is not None
        assert ended(job) == "completed"
    got = state.shared_data["got"]
    assert len(got) == 1600
    for who in range(4):
        assert [n for each, n in got if each == who] == list(range(400))


@pytest.mark.parametrize("limit", [1, 2])
@pytest.mark.parametrize(
    "policy",
    [immediate_policy(), all_slots_ready_policy(), custom_policy(lambda slots, state: True)],
    ids=str,
)
def test_no_wake_up_is_lost_as_an_item_comes_while_its_routine_goes_to_rest(policy: Any, limit: int) -> None:
    """Each item is the last for now: if its wake-up is lost, nothing else brings it to its routine."""
    held, may_end = threading.Event(), threading.Event()
    arrived: queue.SimpleQueue[int] = queue.SimpleQueue()

    def hold(trigger: list[Any]) -> None:
        held.set()
        assert may_end.wait(HANGS)

    def take(items: list[dict[str, Any]]) -> None:
        for item in items:
            arrived.put(item["x"])

    source = routine("source", hold, slots=("trigger",))
    flow = flow_of(source, routine("sink", take, policy=policy, limit=limit), chain=True)
    with running(flow, 3) as runtime, switching(1e-6):
        job = start(runtime)
        assert held.wait(HANGS)
        for number in range(2000):
            source.emit("out", job_state=job.job_state, x=number)
            assert arrived.get(timeout=HANGS) == number
        may_end.set()
        assert ended(job) == "completed"
    assert dict(job.job_state.leftovers) == {}


def test_a_job_ends_exactly_once_and_never_early() -> None:
    """Fan-out, retries that wait, policies that ask again: `wait` returns when all of it is over."""
    failed_once: set[Any] = set()

    def flaky(items: list[dict[str, Any]], job_state: JobState) -> None:
        key = (job_state.job_id, items[0]["x"])
        if key not in failed_once:
            failed_once.add(key)
            raise ValueError("once")
        flaky_routine.emit("out", x=items[0]["x"])

    retry = ErrorHandler("retry", max_retries=1, retry_delay=0.0005)
    flaky_routine = routine("flaky", flaky, limit=3, handler=retry)
    flow = flow_of(feeding(6), passing("wide", limit=4), flaky_routine, keeping(policy=batch_size_policy(4)))
    flow.connect("source", "out", "wide", "items")
    flow.connect("source", "out", "flaky", "items")
    flow.connect("wide", "out", "sink", "items")
    flow.connect("flaky", "out", "sink", "items")
    events: list[JobEvent] = []
    with running(flow, 4) as runtime, switching(1e-5):
        runtime.subscribe(events.append)
        for _ in range(150):
            state = runtime.exec("flow")
            job = runtime.get_job(state.job_id)
            assert job is not None
            assert ended(job) == "completed"
            assert sorted(state.shared_data["got"]) == sorted([*range(6), *range(6)])
    told: dict[str, list[tuple[str, bool]]] = {}
    for event in events:
        told.setdefault(event.job_id, []).append((str(event.status), event.ended))
    assert len(told) == 150
    assert all(each == [("running", False), ("completed", True)] for each in told.values())


# ---- the gate


class Endless:
    """A job that goes round for ever, and counts in the first line of its logic."""

    def __init__(self, limit: int, body: int = 0) -> None:
        self.starts: list[None] = []
        self.running: list[None] = []
        self._reached = threading.Event()
        self._awaited = 0
        self._body = body
        self.ring = routine("ring", self.logic, limit=limit)
        self.flow = flow_of(feeding(8), self.ring, chain=True)
        self.flow.connect("ring", "out", "ring", "items")

    def logic(self, items: list[dict[str, Any]]) -> None:
        self.starts.append(None)
        self.running.append(None)
        try:
            if len(self.starts) >= self._awaited:
                self._reached.set()
            sum(range(self._body))
            self.ring.emit("out", x=0)
        finally:
            self.running.pop()

    def wait_for(self, count: int) -> None:
        """Until so many more have started."""
        self._reached.clear()
        self._awaited = len(self.starts) + count
        assert self._reached.wait(HANGS)


@pytest.mark.parametrize("interval", [1e-5, 5e-3])
@pytest.mark.parametrize("limit", [1, 4])
def test_no_activation_starts_after_pause_returned(limit: int, interval: float) -> None:
    late, trials = late_starts(limit, interval, "pause", 150)
    assert not late, f"{late} of {trials}"


@pytest.mark.parametrize("interval", [1e-5, 5e-3])
@pytest.mark.parametrize("limit", [1, 4])
def test_no_activation_starts_after_cancel_returned(limit: int, interval: float) -> None:
    late, trials = late_starts(limit, interval, "cancel", 150)
    assert not late, f"{late} of {trials}"


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("how", ["pause", "cancel"])
@pytest.mark.parametrize("interval", [1e-6, 1e-5, 5e-3])
@pytest.mark.parametrize("limit", [1, 4])
def test_no_activation_starts_after_the_gate_was_shut_in_thousands_of_trials(
    limit: int, interval: float, how: str
) -> None:
    late, trials = late_starts(limit, interval, how, 10_000)
    assert not late, f"{late} of {trials}"


def late_starts(limit: int, interval: float, how: str, trials: int) -> tuple[int, int]:
    """How often a first line ran after the gate was shut, as seen by the thread that shut it."""
    late = 0
    for body in (0, 300):
        endless = Endless(limit, body)
        with running(endless.flow, limit, cpu_permits=None) as runtime, switching(interval):
            job: Job | None = None
            for number in range(trials // 2):
                if job is None:
                    job = start(runtime)
                endless.wait_for(1 + number % 60)
                if how == "pause":
                    assert job.pause()
                    before = len(endless.starts)
                    assert job.wait_until_paused(HANGS)
                    late += len(endless.starts) > before
                    endless.starts.clear()
                    assert job.resume()
                else:
                    assert job.cancel()
                    before = len(endless.starts)
                    assert ended(job) == "cancelled"
                    late += len(endless.starts) > before
                    endless.starts.clear()
                    job = None
            runtime.cancel_all_jobs()
    return late, trials


def test_paused_and_cancelled_are_never_said_while_an_activation_runs() -> None:
    """Whoever looks at the status, at any time, finds nothing running under these words."""
    endless = Endless(3, 50)
    lies: list[str] = []

    with running(endless.flow, 3, cpu_permits=None) as runtime, switching(1e-5):
        for number in range(150):
            job = start(runtime)
            endless.wait_for(1 + number % 40)
            assert job.pause()
            assert job.wait_until_paused(HANGS)
            if endless.running:
                lies.append("paused, said the status")
            assert job.resume()
            endless.wait_for(10)
            assert job.cancel()
            for _ in until(lambda job=job: job.status == "cancelled"):  # type: ignore[misc]
                assert not job.is_paused()
            if endless.running:
                lies.append("cancelled, said the status")
    assert not lies, Counter(lies)


def test_pausing_and_resuming_from_many_threads_leaves_the_job_whole() -> None:
    flow = flow_of(feeding(3000), passing("a", capacity=7, limit=2), keeping(capacity=5), chain=True)
    with running(flow, 3) as runtime, switching(1e-5):
        state = runtime.exec("flow")
        job = runtime.get_job(state.job_id)
        assert job is not None

        def steer(who: int) -> None:
            chance = random.Random(who)
            for _ in until(job.is_finished):
                chance.choice([job.pause, job.resume, job.snapshot, job.why_not_finished])()
                job.resume()

        in_threads(3, steer)
        assert ended(job) == "completed"
    assert sorted(state.shared_data["got"]) == list(range(3000))


# ---- limits


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_no_more_activations_of_a_routine_at_once_than_it_allows(limit: int) -> None:
    lock = threading.Lock()
    now: Counter[str] = Counter()
    most: Counter[str] = Counter()

    def logic(items: list[dict[str, Any]], job_state: JobState) -> None:
        with lock:
            now[job_state.job_id] += 1
            most[job_state.job_id] = max(most[job_state.job_id], now[job_state.job_id])
        sum(range(200))
        with lock:
            now[job_state.job_id] -= 1
        worker.emit("out", x=items[0]["x"])

    worker = routine("worker", logic, limit=limit, capacity=6)
    flow = flow_of(feeding(150), worker, keeping(capacity=3), chain=True)
    with running(flow, 5, cpu_permits=None) as runtime, switching(1e-5):
        jobs = [runtime.get_job(runtime.exec("flow").job_id) for _ in range(6)]
        for job in jobs:
            assert job is not None
            assert ended(job) == "completed"
            assert sorted(job.job_state.shared_data["got"]) == list(range(150))
    assert len(most) == 6
    assert max(most.values()) <= limit


@pytest.mark.parametrize("limit", [1, 2, 4])
def test_as_many_activations_of_a_routine_run_at_once_as_it_allows(limit: int) -> None:
    together = threading.Barrier(limit)
    worker = routine("worker", lambda items: together.wait(HANGS), limit=limit)
    with running(flow_of(feeding(limit * 10), worker, chain=True), limit) as runtime:
        assert ended(start(runtime)) == "completed"


@pytest.mark.parametrize("size", [1, 2, 4])
def test_no_more_activations_at_once_than_the_pool_has_threads(size: int) -> None:
    """Those that wait in an emit do not count; a cycle makes the engine run some on threads apart."""
    lock = threading.Lock()
    now = most = 0

    def count(change: int) -> None:
        nonlocal now, most
        with lock:
            now += change
            most = max(most, now)

    def logic_of(make: Callable[[], Routine], last: bool) -> Callable[..., None]:
        def logic(items: list[dict[str, Any]]) -> None:
            count(1)
            for number in range(items[0].get("count", 0) or 1):
                sum(range(300))
                if not last or "count" in items[0]:
                    count(-1)
                    make().emit("out", x=number)
                    count(1)
            count(-1)

        return logic

    routines: list[Routine] = []
    for place, name in enumerate(("source", "a", "b")):
        logic = logic_of(lambda place=place: routines[place], last=place == 2)  # type: ignore[misc]
        slots = ("trigger",) if place == 0 else ("items",)
        routines.append(routine(name, logic, slots=slots, capacity=2))
    flow = flow_of(*routines, chain=True)
    flow.connect("b", "out", "source", "trigger")  # so that nothing may lie on top of the source
    with running(flow, size, cpu_permits=None) as runtime, switching(1e-5):
        for _ in range(6):
            job = start(runtime, {"count": 60})
            assert ended(job) == "completed"
    assert 1 <= most <= size


# ---- backpressure


def shape(name: str) -> Flow:
    """Flows in which every slot holds next to nothing."""
    source, sink = feeding(200), keeping(capacity=1)
    if name == "chain":
        return flow_of(source, *(passing(f"p{n}", capacity=1 + n % 3) for n in range(6)), sink, chain=True)
    if name == "long chain":
        return flow_of(feeding(40), *(passing(f"p{n}", capacity=1) for n in range(40)), sink, chain=True)
    if name == "batches":
        return flow_of(source, passing("a", capacity=4, policy=batch_size_policy(4)), sink, chain=True)
    if name == "side by side":
        return flow_of(
            source, passing("a", capacity=2, limit=4), passing("b", capacity=1, limit=2), sink, chain=True
        )
    width = {"diamond": 2, "fan": 12}[name]
    wide = [passing(f"w{n}", capacity=1 + n % 2) for n in range(width)]
    flow = flow_of(feeding(40), *wide, sink)
    for each in wide:
        flow.connect("source", "out", each.name or "", "items")
        flow.connect(each.name or "", "out", "sink", "items")
    return flow


@pytest.mark.parametrize("name", ["chain", "long chain", "diamond", "fan", "batches", "side by side"])
@pytest.mark.parametrize("size", [1, 2])
def test_full_slots_starve_no_pool_lose_nothing_and_never_hold_too_much(name: str, size: int) -> None:
    flow = shape(name)
    paths = {"diamond": 2, "fan": 12}.get(name, 1)
    too_much: list[str] = []
    with running(flow, size) as runtime, switching(1e-4):
        for job in [start(runtime) for _ in range(3)]:
            for _ in until(job.is_finished):
                for each in job.snapshot().routines:
                    too_much += [f"{each.routine_id}: {s}" for s in each.slots if s.waiting > s.capacity]
            assert ended(job) == "completed", job.job_state.error
            assert not too_much
            assert set(Counter(job.job_state.shared_data["got"]).values()) == {paths}


# ---- jobs side by side


def test_jobs_of_one_flow_see_nothing_of_one_another() -> None:
    strangers: list[Any] = []

    def emit_own(trigger: list[dict[str, Any]], job_state: JobState) -> None:
        for number in range(30):
            source.emit("out", x=(trigger[0]["who"], number))

    def count(items: list[dict[str, Any]], job_state: JobState) -> None:
        who, number = items[0]["x"]
        mine = job_state.routine_state()
        if who != job_state.entry_params["who"] or number != mine.setdefault("next", 0):
            strangers.append((job_state.entry_params["who"], who, number))
        mine["next"] += 1
        job_state.shared_data["count"] = job_state.shared_data.get("count", 0) + 1

    source = routine("source", emit_own, slots=("trigger",))
    flow = flow_of(source, passing("a", capacity=2), routine("count", count, capacity=3), chain=True)
    with running(flow, 4) as runtime, switching(1e-5):

        def work(thread: int) -> None:
            for number in range(12):
                job = start(runtime, {"who": thread * 100 + number})
                assert ended(job) == "completed"
                assert job.job_state.shared_data == {"count": 30}

        in_threads(6, work)
    assert not strangers

"""Short routines, flows and runtimes for the stress tests, and threads that are let loose on them."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from routilux import ActivationPolicy, ErrorHandler, Flow, FlowRegistry, Job, JobState, Routine, Runtime
from routilux.status import ExecutionStatus

# Seconds after which a job that ought to have ended hangs. With an engine broken on purpose, less is quicker.
HANGS = float(os.environ.get("ROUTILUX_HANGS", "30"))
# Seconds; what a machine that stood still for longer at a time counts as.
_SLICE = 0.2


class Patience:
    """Seconds that are left. Counts only while the process runs: a machine may stand still, or be
    taken away, for any time, and nothing hangs by that."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds
        self._asked = time.monotonic()

    def is_over(self) -> bool:
        """To be asked again and again."""
        now = time.monotonic()
        self._left -= min(now - self._asked, 2 * _SLICE)
        self._asked = now
        return self._left < 0


def routine(
    name: str,
    logic: Callable[..., Any],
    *,
    slots: tuple[str, ...] = ("items",),
    policy: ActivationPolicy | None = None,
    capacity: int = 1000,
    when_full: str = "wait",
    limit: int = 1,
    handler: ErrorHandler | None = None,
    timeout: float | None = None,
) -> Routine:
    """A routine with the event `out(x)`, and slots that are all alike."""
    made = Routine(name)
    for slot in slots:
        made.define_slot(slot, max_queue_length=capacity, when_full=when_full)
    made.define_event("out", ["x"])
    made.set_logic(logic)
    made.set_max_concurrency(limit)
    made.set_timeout(timeout)
    if policy is not None:
        made.set_activation_policy(policy)
    if handler is not None:
        made.set_error_handler(handler)
    return made


def feeding(count: int = 0, *, name: str = "source", **how: Any) -> Routine:
    """Emits 0 .. count - 1, or as many as the entry parameter `count` says."""

    def logic(trigger: list[dict[str, Any]]) -> None:
        for number in range(trigger[0].get("count", count)):
            source.emit("out", x=number)

    source = routine(name, logic, slots=("trigger",), **how)
    return source


def passing(name: str, **how: Any) -> Routine:
    """Emits what it gets."""

    def logic(items: list[dict[str, Any]]) -> None:
        for item in items:
            this.emit("out", x=item["x"])

    this = routine(name, logic, **how)
    return this


def keeping(name: str = "sink", **how: Any) -> Routine:
    """Adds what it gets to the list `got` of the job's shared data."""

    def logic(items: list[dict[str, Any]], job_state: JobState) -> None:
        job_state.shared_data.setdefault("got", []).extend(item["x"] for item in items)

    return routine(name, logic, **how)


def flow_of(*routines: Routine, chain: bool = False, name: str = "flow", **how: Any) -> Flow:
    """A flow of these; as a chain, each one's `out` feeds the only slot of the next."""
    flow = Flow(name, **how)
    names = [flow.add_routine(each) for each in routines]
    if chain:
        for source, target, each in zip(names, names[1:], routines[1:], strict=False):
            flow.connect(source, "out", target, next(iter(each.slots)))
    return flow


@contextmanager
def running(flow: Flow, threads: int, **how: Any) -> Iterator[Runtime]:
    """A runtime for the flow; its threads are gone afterwards, unless something has failed."""
    registry = FlowRegistry()
    registry.register(flow)
    runtime = Runtime(threads, registry=registry, echo=False, **how)
    try:
        yield runtime
    except BaseException:
        runtime.cancel_all_jobs(force=True)
        runtime.shutdown(wait=False)
        raise
    runtime.shutdown()


def start(runtime: Runtime, params: dict[str, Any] | None = None, **how: Any) -> Job:
    """Start a job of the flow named `flow`."""
    job = runtime.get_job(runtime.exec("flow", params, **how).job_id)
    assert job is not None
    return job


def ended(job: Job, seconds: float = HANGS) -> ExecutionStatus:
    """The status in which a job ends; fails, saying what the job waits for, if it does not."""
    deadline = Patience(seconds)
    while not job.wait(_SLICE):
        assert not deadline.is_over(), f"after {seconds:g} s: {job.why_not_finished()}"
    return job.status


def until(reached: Callable[[], object]) -> Iterator[None]:
    """For a loop that goes on, as fast as can be, until something is the case; fails if that hangs."""
    deadline = Patience(HANGS)
    while not reached():
        yield
        assert not deadline.is_over(), "it never came to an end"


@contextmanager
def switching(seconds: float) -> Iterator[None]:
    """Let the interpreter switch threads so often."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(seconds)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def in_threads(count: int, work: Callable[[int], object]) -> None:
    """Call `work(0)` ... `work(count - 1)`, all at once; raises what the first of them raised."""
    raised: list[BaseException] = []
    together = threading.Barrier(count)

    def run(number: int) -> None:
        try:
            together.wait(HANGS)
            work(number)
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    deadline = Patience(2 * HANGS)
    for thread in threads:
        while thread.is_alive() and not deadline.is_over():
            thread.join(_SLICE)
    hanging = sum(thread.is_alive() for thread in threads)
    if raised:
        raise raised[0]
    assert not hanging, f"{hanging} threads hang"

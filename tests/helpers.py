"""What makes a case of the engine's tests a line or two: short routines, flows, and a runtime for them."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from routilux import (
    ActivationPolicy,
    ErrorHandler,
    Flow,
    FlowRegistry,
    Job,
    JobState,
    Routine,
    Runtime,
)

# Seconds that nothing in these tests ever takes; only a defect makes one wait that long.
LIMIT = 60.0


def node(
    logic: Callable[..., Any] | None = None,
    *,
    slots: Iterable[str] = ("items",),
    events: Iterable[str] = ("out",),
    policy: ActivationPolicy | None = None,
    handler: ErrorHandler | None = None,
    concurrency: int = 1,
    timeout: float | None = None,
    capacity: int = 1000,
    when_full: str = "wait",
    name: str | None = None,
) -> Routine:
    """A routine whose events all take the parameter `x`, and whose slots are all alike."""
    routine = Routine(name)
    for slot in slots:
        routine.define_slot(slot, max_queue_length=capacity, when_full=when_full)
    for event in events:
        routine.define_event(event, ["x"])
    if logic is not None:
        routine.set_logic(logic)
    if policy is not None:
        routine.set_activation_policy(policy)
    if handler is not None:
        routine.set_error_handler(handler)
    routine.set_max_concurrency(concurrency)
    routine.set_timeout(timeout)
    return routine


def source(values: Iterable[Any] = (), **how: Any) -> Routine:
    """Emits {"x": value} for each value, or for 0 .. n - 1 where the entry parameters name an `n`."""
    values = tuple(values)

    def logic(trigger: list[dict[str, Any]]) -> None:
        for value in range(trigger[0]["n"]) if "n" in trigger[0] else values:
            routine.emit("out", x=value)

    routine = node(logic, slots=("trigger",), name="source", **how)
    return routine


def passes(**how: Any) -> Routine:
    """Emits each item again."""

    def logic(items: list[dict[str, Any]]) -> None:
        for item in items:
            routine.emit("out", x=item["x"])

    routine = node(logic, **how)
    return routine


def collects(key: str = "got", **how: Any) -> Routine:
    """Appends the `x` of each item to `job_state.shared_data[key]`."""

    def logic(items: list[dict[str, Any]], job_state: JobState) -> None:
        with job_state.shared_lock:
            job_state.shared_data.setdefault(key, []).extend(item["x"] for item in items)

    how.setdefault("events", ())
    return node(logic, **how)


def does(work: Callable[..., Any], **how: Any) -> Routine:
    """Calls `work` without the data: `work()`, or `work(job_state=...)` if it takes that."""
    how.setdefault("slots", ("trigger",))
    how.setdefault("events", ())
    return node(work, **how)


def fails(error: BaseException | type[BaseException] = ValueError, **how: Any) -> Routine:
    """Raises at every item."""

    def logic(items: list[dict[str, Any]]) -> None:
        raise error

    return node(logic, **how)


def chain(*routines: Routine, flow_id: str = "flow", **how: Any) -> Flow:
    """Each routine's event `out` feeds the only slot of the next. Ids are names, or r0, r1, ..."""
    flow = Flow(flow_id, **how)
    ids = [flow.add_routine(routine, routine.name or f"r{index}") for index, routine in enumerate(routines)]
    for index in range(1, len(routines)):
        (slot,) = routines[index].slots
        flow.connect(ids[index - 1], "out", ids[index], slot)
    return flow


def graph(edges: Iterable[str] = (), /, flow_id: str = "flow", **routines: Routine) -> Flow:
    """A flow of named routines; an edge is written "a.out -> b.items" ("a -> b" means just that)."""
    flow = Flow(flow_id)
    for routine_id, routine in routines.items():
        flow.add_routine(routine, routine_id)
    for edge in edges:
        left, right = (end.strip() for end in edge.split("->"))
        source_id, _, event = left.partition(".")
        target_id, _, slot = right.partition(".")
        flow.connect(source_id, event or "out", target_id, slot or "items")
    return flow


class Bench(Runtime):
    """A runtime with flows of its own, which starts a flow without further ado."""

    def __init__(self, threads: int = 4, **how: Any) -> None:
        self.flows = FlowRegistry()
        how.setdefault("registry", self.flows)
        how.setdefault("echo", False)
        super().__init__(threads, **how)

    def start(self, flow: Flow, params: dict[str, Any] | None = None, **how: Any) -> Job:
        """Register the flow, start a job of it, and answer with its handle."""
        self.flows.register(flow)
        return self.job_of(self.exec(flow.flow_id, params, **how))

    def job_of(self, state: JobState) -> Job:
        """The handle of a job."""
        job = self.get_job(state.job_id)
        assert job is not None
        return job

    def carry_on(self, flow: Flow, state: JobState, **how: Any) -> Job:
        """Let a job that was stopped go on."""
        self.flows.register(flow)
        return self.job_of(self.exec(flow.flow_id, job_state=state, **how))

    def run(self, flow: Flow, params: dict[str, Any] | None = None, **how: Any) -> Job:
        """Start a job and wait until it has ended."""
        job = self.start(flow, params, **how)
        assert job.wait(LIMIT), job.why_not_finished()
        return job


class Hold:
    """Holds activations in the middle of their logic until the test lets them go on, or is over."""

    _all: ClassVar[weakref.WeakSet[Hold]] = weakref.WeakSet()

    def __init__(self) -> None:
        self._all.add(self)
        self._entered = threading.Semaphore(0)
        self._released = threading.Event()

    def __call__(self) -> None:
        """For logic: say that it is here, and wait."""
        self._entered.release()
        assert self._released.wait(LIMIT), "the test never released this activation"

    def reached(self, times: int = 1) -> None:
        """For the test: wait until logic has come here."""
        for _ in range(times):
            assert self._entered.acquire(timeout=LIMIT), "no activation came here"

    def release(self) -> None:
        """For the test: let all go on, now and from now on."""
        self._released.set()

    @classmethod
    def release_all(cls) -> None:
        """For fixtures: a test that has failed must not leave anyone waiting."""
        for each in list(cls._all):
            each.release()


def failed_while_another_runs(
    runtime: Bench, then: Callable[..., Any] = lambda: None, **how: Any
) -> tuple[Job, Hold]:
    """A job that has failed with ValueError("the first"), while `other` is held before it does `then`."""
    hold = Hold()
    busy = threading.Event()
    failed = threading.Event()

    def fail() -> None:
        assert busy.wait(LIMIT)
        raise ValueError("the first")

    def go_on() -> None:
        busy.set()
        hold()
        then()

    unsubscribe = runtime.subscribe(lambda event: failed.set() if event.status == "failed" else None)
    flow = graph(["a -> b", "a -> other"], a=source([1]), b=node(fail), other=node(go_on, **how))
    job = runtime.start(flow)
    assert failed.wait(LIMIT), job.why_not_finished()
    hold.reached()
    unsubscribe()
    return job, hold


class Peak:
    """Counts how many are in a `with` block at once, and the most there ever were."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.now = 0
        self.most = 0

    def __enter__(self) -> Peak:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        return self

    def __exit__(self, *exc: object) -> None:
        with self._lock:
            self.now -= 1


def let_pass(state: JobState, seconds: float) -> None:
    """Let time pass on the job's own clock."""
    state.base_ns += int(seconds * 1e9)


def engine_threads() -> list[threading.Thread]:
    """The threads that runtimes have started and that still live.

    Not those of a loader: an import that was given up lasts as long as the call that it hangs in.
    """
    loaders = ("routilux-import", "routilux-loader", "routilux-watch")
    return [
        thread
        for thread in threading.enumerate()
        if thread.name.startswith("routilux") and not thread.name.startswith(loaders)
    ]


def assert_no_threads_left() -> None:
    """Wait for the threads of runtimes that were shut down; none may stay."""
    for thread in engine_threads():
        thread.join(LIMIT)
        assert not thread.is_alive(), f"{thread.name} is still there"

"""A forced cancel, or a time limit, is raised inside running Python code, and nowhere it would do harm."""

from __future__ import annotations

import contextvars
import ctypes
import itertools
import random
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from routilux import ActivationInterrupted, ErrorHandler, FlowTimeout, JobCancelled, JobState, outcomes
from routilux.interrupts import Interruptible
from tests.helpers import LIMIT, Bench, chain, collects, does, graph, node, passes, source

MakeRuntime = Callable[..., Bench]


class Spin:
    """Pure Python code that goes on for ever; `started` once it does."""

    def __init__(self) -> None:
        self.started = threading.Semaphore(0)

    def __call__(self) -> None:
        self.started.release()
        while True:
            pass

    def reached(self) -> None:
        assert self.started.acquire(timeout=LIMIT)


def forced(runtime: Bench, logic: Callable[..., Any], spin: Spin) -> Any:
    """A job that was cancelled by force when its logic had come to `spin`."""
    job = runtime.start(graph(worker=does(logic)))
    spin.reached()
    assert job.cancel(force=True)
    assert job.wait(LIMIT), job.why_not_finished()
    assert job.is_cancelled()
    return job


def test_an_endless_loop_is_cancelled_by_force(runtime: Bench) -> None:
    spin = Spin()
    job = forced(runtime, spin, spin)
    assert job.job_state.errors == ()
    assert runtime.run(chain(source([1]), collects())).is_completed()


def test_a_plain_cancel_does_not_interrupt_and_a_forced_one_may_follow(runtime: Bench) -> None:
    spin = Spin()
    job = runtime.start(graph(worker=does(spin)))
    spin.reached()
    assert job.cancel() is True
    assert job.wait(0.05) is False
    assert job.status == "cancelling"
    assert job.cancel(force=True) is True
    assert job.wait(LIMIT)
    assert job.is_cancelled()


def test_what_is_raised_is_a_job_cancelled_that_except_exception_lets_pass(runtime: Bench) -> None:
    caught: list[BaseException] = []
    spin = Spin()

    def logic() -> None:
        try:
            try:
                spin()
            except Exception as error:
                caught.append(error)
        except BaseException as error:
            caught.append(error)
            raise

    forced(runtime, logic, spin)
    assert [type(error) for error in caught] == [ActivationInterrupted]
    assert isinstance(caught[0], JobCancelled)


def test_cleaning_up_runs_on_the_way_out(runtime: Bench) -> None:
    cleaned: list[str] = []
    spin = Spin()

    class Resource:
        def __enter__(self) -> None:
            pass

        def __exit__(self, *exc: object) -> None:
            cleaned.append("context")

    def logic() -> None:
        try:
            with Resource():
                spin()
        finally:
            cleaned.append("finally")

    forced(runtime, logic, spin)
    assert cleaned == ["context", "finally"]


def test_what_is_forced_just_before_the_first_line_of_the_logic_is_not_lost(
    runtime: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gate is passed, and the mask still up."""
    spin = Spin()
    routine = does(spin)

    def cancel_first(data: Any) -> tuple[Any, ...]:
        (job,) = runtime.list_jobs()
        assert job._loop is not None
        job._loop.lanes[0].interrupt(JobCancelled("now"))
        return ()

    flow = graph(worker=routine)
    monkeypatch.setattr(flow.plan().routines[0], "arguments", cancel_first)
    job = runtime.start(flow)
    assert job.wait(LIMIT), job.why_not_finished()
    assert [error.message for error in job.job_state.errors] == ["now"]
    assert not spin.started.acquire(blocking=False)


def test_logic_that_swallows_the_cancel_and_returns_is_cancelled_all_the_same(runtime: Bench) -> None:
    spin = Spin()

    def logic() -> None:
        try:
            spin()
        except BaseException:
            pass

    forced(runtime, logic, spin)


def test_every_running_activation_of_the_job_is_interrupted(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(4, cpu_permits=None)
    spin = Spin()
    job = runtime.start(chain(source(range(3)), node(lambda items: spin(), concurrency=3)))
    for _ in range(3):
        spin.reached()
    assert job.cancel(force=True)
    assert job.wait(LIMIT)
    assert job.is_cancelled()
    assert job.snapshot().summary.running == 0


def test_a_forced_cancel_wakes_who_sleeps(runtime: Bench) -> None:
    asleep = threading.Event()

    def logic(job_state: JobState) -> None:
        asleep.set()
        job_state.sleep(3600)

    job = runtime.start(graph(worker=does(logic)))
    assert asleep.wait(LIMIT)
    assert job.cancel(force=True)
    assert job.wait(LIMIT)
    assert job.is_cancelled()


def test_a_forced_cancel_reaches_who_waits_for_room_and_who_helps(one_thread: Bench) -> None:
    """The emitter lies below the one that spins, in one stack; both have to come to their end."""
    ends: list[str] = []
    spin = Spin()

    def start() -> None:
        try:
            for number in range(10):
                first.emit("out", x=number)
        finally:
            ends.append("emitter")

    def endless(items: Any) -> None:
        try:
            spin()
        finally:
            ends.append("helper")

    first = does(start, events=["out"])
    job = one_thread.start(chain(first, node(endless, capacity=2)))
    spin.reached()
    assert job.cancel(force=True)
    assert job.wait(LIMIT), job.why_not_finished()
    assert job.is_cancelled()
    assert ends == ["helper", "emitter"]
    assert one_thread.run(chain(source([1]), collects())).is_completed()


# ---- shielded


def test_a_shield_holds_a_forced_cancel_back_until_its_end(runtime: Bench) -> None:
    steps: list[str] = []
    inside, go_on = threading.Event(), threading.Event()

    def logic(job_state: JobState) -> None:
        with job_state.shielded():
            inside.set()
            assert go_on.wait(LIMIT)
            for _ in range(10_000):
                pass
            steps.append("cleaned up")
        steps.append("never here")

    job = runtime.start(graph(worker=does(logic)))
    assert inside.wait(LIMIT)
    assert job.cancel(force=True)
    assert job.wait(0.05) is False
    go_on.set()
    assert job.wait(LIMIT)
    assert job.is_cancelled()
    assert steps == ["cleaned up"]


def test_shields_nest(runtime: Bench) -> None:
    steps: list[str] = []
    inside, go_on = threading.Event(), threading.Event()

    def logic(job_state: JobState) -> None:
        with job_state.shielded():
            with job_state.shielded():
                inside.set()
                assert go_on.wait(LIMIT)
            steps.append("after the inner")
        steps.append("never here")

    job = runtime.start(graph(worker=does(logic)))
    assert inside.wait(LIMIT)
    assert job.cancel(force=True)
    go_on.set()
    assert job.wait(LIMIT)
    assert steps == ["after the inner"]


def test_cleaning_up_under_a_shield_after_the_interrupt_is_not_interrupted_again(runtime: Bench) -> None:
    steps: list[str] = []
    spin = Spin()
    cleaning, go_on = threading.Event(), threading.Event()

    def logic(job_state: JobState) -> None:
        try:
            spin()
        finally:
            with job_state.shielded():
                cleaning.set()
                assert go_on.wait(LIMIT)
                steps.append("cleaned up")

    job = runtime.start(graph(worker=does(logic)))
    spin.reached()
    assert job.cancel(force=True)
    assert cleaning.wait(LIMIT)
    assert job.cancel(force=True)
    go_on.set()
    assert job.wait(LIMIT)
    assert job.is_cancelled()
    assert steps == ["cleaned up"]


def test_a_shield_without_a_cancel_changes_nothing(runtime: Bench) -> None:
    def logic(job_state: JobState) -> None:
        with job_state.shielded():
            first.emit("out", x=1)
        first.emit("out", x=2)

    first = does(logic, events=["out"])
    assert runtime.run(chain(first, collects())).job_state.shared_data["got"] == [1, 2]


def test_a_shield_outside_the_jobs_activations_does_nothing(runtime: Bench) -> None:
    job = runtime.run(chain(source([1]), collects()))
    with job.job_state.shielded():
        pass
    other = JobState("other", "flow")

    def logic() -> None:
        with other.shielded():
            pass

    assert runtime.run(graph(worker=does(logic))).is_completed()


def test_a_time_limit_is_held_back_by_a_shield_too(runtime: Bench) -> None:
    steps: list[str] = []

    def logic(job_state: JobState) -> None:
        with job_state.shielded():
            deadline = time.monotonic() + 0.15
            while time.monotonic() < deadline:
                pass
            steps.append("cleaned up")
        steps.append("never here")

    job = runtime.run(graph(worker=does(logic, timeout=0.05)))
    assert job.is_failed()
    assert job.job_state.error.exception_type == "FlowTimeout"  # type: ignore[union-attr]
    assert steps == ["cleaned up"]


# ---- threads that logic starts


def in_thread(function: Callable[[], Any]) -> threading.Thread:
    thread = threading.Thread(target=contextvars.copy_context().run, args=(function,))
    thread.start()
    return thread


def test_a_thread_of_the_logic_that_sleeps_takes_no_interrupt_from_the_logic(runtime: Bench) -> None:
    """Shields and sleeps of a thread that has copied the context are its own."""
    spin = Spin()
    asleep = threading.Event()
    threads: list[threading.Thread] = []

    def logic(job_state: JobState) -> None:
        def sleeper() -> None:
            asleep.set()
            try:
                job_state.sleep(3600)
            except JobCancelled:
                pass

        threads.append(in_thread(sleeper))
        assert asleep.wait(LIMIT)
        spin()

    job = runtime.start(graph(worker=does(logic)))
    spin.reached()
    job.wait(0.05)  # the sleeper falls asleep; if it has not yet, this shows less and is no less true
    assert job.cancel(force=True)
    ended = job.wait(5)
    assert ended, job.why_not_finished()
    assert job.is_cancelled()
    threads[0].join(LIMIT)


def test_a_thread_of_the_logic_does_not_shield_the_logic(runtime: Bench) -> None:
    spin = Spin()
    shielded, go_on = threading.Event(), threading.Event()
    threads: list[threading.Thread] = []

    def logic(job_state: JobState) -> None:
        def shields() -> None:
            with job_state.shielded():
                shielded.set()
                go_on.wait(LIMIT)

        threads.append(in_thread(shields))
        assert shielded.wait(LIMIT)
        spin()

    job = runtime.start(graph(worker=does(logic)))
    spin.reached()
    assert job.cancel(force=True)
    ended = job.wait(5)
    go_on.set()
    threads[0].join(LIMIT)
    assert ended
    assert job.is_cancelled()


# ---- nowhere else


def test_an_interrupt_never_reaches_what_runs_next_on_its_thread(one_thread: Bench) -> None:
    """Hundreds of them at random moments: before, within and after the logic they are meant for."""
    dice = random.Random(7)

    def logic(items: Any, job_state: JobState) -> None:
        for _ in range(dice.randrange(200)):
            pass
        middle.emit("out", x=items[0]["x"])

    middle = node(logic)
    doomed = chain(source(range(50)), middle, passes(capacity=2), collects(), flow_id="doomed")
    bystander = chain(source(range(20)), passes(), collects(), flow_id="bystander")
    cancelled = 0
    for _ in range(150):
        job = one_thread.start(doomed)
        other = one_thread.start(bystander)
        for _ in range(dice.randrange(3000)):
            pass
        cancelled += job.cancel(force=True)
        assert job.wait(LIMIT), job.why_not_finished()
        assert other.wait(LIMIT), other.why_not_finished()
        assert job.job_state.errors == ()
        assert other.is_completed(), other.job_state.error
        assert other.job_state.shared_data["got"] == list(range(20))
    assert cancelled > 20


def test_interrupts_at_any_moment_leave_the_counts_of_the_job_whole(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(3)
    dice = random.Random(3)
    flow = chain(source(range(300)), passes(capacity=4), passes(concurrency=2), collects(capacity=2))
    flow.max_history = 10
    for _ in range(100):
        job = runtime.start(flow)
        job.wait(dice.random() * 0.005)
        job.cancel(force=True)
        assert job.wait(LIMIT), job.why_not_finished()
        assert job.job_state.errors == ()
        for routine in job.snapshot().routines:
            assert routine.running == 0
            for slot in routine.slots:
                assert slot.received == slot.consumed + slot.waiting


@pytest.mark.parametrize(
    "use",
    [
        lambda runtime, state: state.log("x"),
        lambda runtime, state: print("x"),
        lambda runtime, state: state.report_progress(1, 2),
        lambda runtime, state: state.get_execution_history(limit=3),
        lambda runtime, state: runtime.snapshot(),
        lambda runtime, state: runtime.job_of(state).snapshot(),
        lambda runtime, state: runtime.exec("tiny"),
        lambda runtime, state: state.logs() and state.progress,
    ],
    ids=["log", "print", "progress", "history", "snapshot", "job snapshot", "exec", "logs"],
)
def test_an_interrupt_within_the_librarys_own_functions_breaks_nothing(
    make_runtime: MakeRuntime, use: Callable[[Any, JobState], Any]
) -> None:
    runtime = make_runtime(3, max_finished_jobs=5)
    runtime.flows.register(chain(source([1, 2]), collects(), flow_id="tiny"))
    dice = random.Random(11)

    def logic(job_state: JobState) -> None:
        started.set()
        while True:
            use(runtime, job_state)

    flow = graph(worker=does(logic))
    for _ in range(25):
        started = threading.Event()
        job = runtime.start(flow)
        assert started.wait(LIMIT)
        job.wait(dice.random() * 0.003)
        assert job.cancel(force=True)
        assert job.wait(LIMIT), job.why_not_finished()
        assert job.is_cancelled()
        assert runtime.wait_until_all_jobs_finished(LIMIT)
    assert runtime.run(chain(source(range(20)), passes(), collects())).is_completed()
    runtime.shutdown()


def test_time_limits_at_any_moment_fail_activations_and_nothing_else(make_runtime: MakeRuntime) -> None:
    """Some are just in time, some just too late; every item is either done or among the errors."""
    runtime = make_runtime(3)
    dice = random.Random(5)

    def logic(items: Any, job_state: JobState) -> None:
        deadline = time.perf_counter() + dice.random() * 0.004
        while time.perf_counter() < deadline:
            pass
        with job_state.shielded():
            job_state.shared_data.setdefault("got", []).append(items[0]["x"])

    worker = node(logic, timeout=0.002, handler=ErrorHandler("continue"))
    job = runtime.run(chain(source(range(300)), worker))
    assert job.is_completed(), job.job_state.error
    state = job.job_state
    assert {error.exception_type for error in state.errors} == {"FlowTimeout"}
    failed = [error.data_slice["items"][0]["x"] for error in state.errors]
    done = state.shared_data["got"]
    assert 10 < len(failed) < 300
    assert set(failed) | set(done) == set(range(300))


# ---- the part that does it, by itself


def test_what_is_wanted_under_a_mask_is_raised_when_it_ends() -> None:
    part = Interruptible(threading.get_ident())
    part.masked = 0
    part.mask()
    part.interrupt(FlowTimeout("too long"))
    part.mask()
    part.unmask()
    with pytest.raises(FlowTimeout, match="too long"):
        part.unmask()
    assert part.wanted is None


class Late(Interruptible):
    """An interrupt is sent to the own thread the moment `wanted` is first read, and arrives a bytecode later.

    As if the sender had lost its turn between reading the mask and sending. No Python code runs for
    it, in which the interrupt would arrive.
    """

    _as_parameter_ = 0  # for ctypes, which gets the instance as a further argument

    def __init__(self) -> None:
        super().__init__(threading.get_ident())
        self.sent = True
        self.answers = itertools.chain(
            map(
                ctypes.pythonapi.PyThreadState_SetAsyncExc,
                [ctypes.c_ulong(self.thread_id)],
                [ctypes.py_object(ActivationInterrupted)],
            ),
            itertools.repeat(FlowTimeout("too long")),
        )
        type(self).wanted = property(partial(next, self.answers), self._want)  # type: ignore[assignment]

    @staticmethod
    def _want(part: Interruptible, error: BaseException | None) -> None:
        pass


def test_what_arrives_while_the_mask_goes_up_is_held_back() -> None:
    part = Late()
    part.masked = 0
    part.mask()
    assert part.masked == 1
    for _ in range(50):
        pass  # nothing is under way any more


def test_what_arrives_when_the_logic_has_returned_is_no_failure_of_the_engine(
    runtime: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = outcomes.interrupted
    arrivals = iter([ActivationInterrupted()])

    def interrupted(lane: Any, error: BaseException | None) -> BaseException | None:
        for arrival in arrivals:
            raise arrival  # as it would at the first bytecode of the real one
        return real(lane, error)

    monkeypatch.setattr(outcomes, "interrupted", interrupted)
    spin = Spin()
    job = forced(runtime, spin, spin)
    assert job.job_state.errors == ()


def test_what_comes_too_late_is_taken_back() -> None:
    """It is on its way when the mask goes up again; nothing arrives afterwards."""
    for _ in range(200):
        part = Interruptible(threading.get_ident())
        part.masked = 0
        sender = threading.Thread(target=part.interrupt, args=(FlowTimeout("too long"),))
        arrived = False
        try:
            sender.start()
            part.mask()
        except ActivationInterrupted:
            arrived = True
            part.masked = 1
        sender.join(LIMIT)
        late = part.close()
        for _ in range(50):
            pass
        assert arrived or isinstance(late, FlowTimeout)

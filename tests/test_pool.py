"""The pool lets jobs take turns, wakes as many threads as there is work for, and keeps none when it stops."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from routilux import JobState
from tests.helpers import (
    LIMIT,
    Bench,
    Hold,
    chain,
    collects,
    does,
    engine_threads,
    graph,
    node,
    passes,
    source,
)

MakeRuntime = Callable[..., Bench]


def test_no_thread_is_started_before_there_is_work(make_runtime: MakeRuntime) -> None:
    make_runtime(8)
    assert engine_threads() == []


def test_one_thread_serves_any_number_of_jobs_one_after_another(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(8)
    for _ in range(20):
        assert runtime.run(graph(worker=does(lambda: None))).is_completed()
    assert len(engine_threads()) <= 2


def test_as_many_threads_as_there_is_work_for_and_no_more_than_its_size(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(3)
    hold = Hold()
    jobs = [runtime.start(graph(worker=does(hold))) for _ in range(10)]
    hold.reached(3)
    assert len(engine_threads()) == 3
    assert runtime.snapshot().threads_busy == 3
    assert sum(job.snapshot().summary.running for job in jobs) == 3
    hold.release()
    assert runtime.wait_until_all_jobs_finished(LIMIT)


def test_threads_are_named_for_what_they_are(make_runtime: MakeRuntime) -> None:
    seen: list[str] = []
    make_runtime(2).run(graph(worker=does(lambda: seen.append(threading.current_thread().name))))
    assert seen[0].startswith("routilux")


def test_a_thread_that_waits_for_another_activation_of_the_pool_gets_it(make_runtime: MakeRuntime) -> None:
    """A wake is never lost: all of the pool come together, over and over."""
    runtime = make_runtime(5)
    together = threading.Barrier(5)
    flow = chain(source(range(5)), node(lambda items: together.wait(LIMIT) and None, concurrency=5))
    for _ in range(100):
        job = runtime.run(flow)
        assert job.is_completed(), job.job_state.error


def test_jobs_take_turns_however_much_each_has_to_do(one_thread: Bench) -> None:
    """Of two jobs with a thousand activations each, neither comes to its end before the other is far."""
    order: list[str] = []
    hold = Hold()

    def logic(items: Any, job_state: JobState) -> None:
        order.append(job_state.flow_name)
        for _ in range(300):
            pass

    flows = [chain(source(range(1000)), node(logic), flow_id=name) for name in ("one", "two")]
    gate = one_thread.start(graph([], "gate", worker=does(hold)))
    hold.reached()
    jobs = [one_thread.start(flow) for flow in flows]
    hold.release()
    assert gate.wait(LIMIT)
    for job in jobs:
        assert job.wait(LIMIT)
    assert sorted(set(order)) == ["one", "two"]
    assert len(order) == 2000
    first_to_end = order[-1]  # the other one
    position = len(order) - 1 - order[::-1].index("one" if first_to_end == "two" else "two")
    assert position > 1200


def test_within_a_job_routines_take_turns_too(one_thread: Bench) -> None:
    order: list[str] = []

    def work(name: str) -> Callable[[Any], None]:
        def logic(items: Any) -> None:
            order.append(name)
            for _ in range(300):
                pass

        return logic

    flow = graph(["a -> b", "a -> c"], a=source(range(900)), b=node(work("b")), c=node(work("c")))
    assert one_thread.run(flow).is_completed()
    first_half = order[:900]
    assert first_half.count("b") > 50
    assert first_half.count("c") > 50


def test_a_job_whose_task_raises_outside_its_logic_leaves_the_pool_whole(one_thread: Bench) -> None:
    """Every thread of the pool is still there after all that can go wrong in a flow's own code."""

    def broken(*args: Any) -> Any:
        raise SystemExit

    class Policy:
        def __call__(self, slots: Any, job_state: Any) -> Any:
            return broken()

        def when_quiet(self, slots: Any, job_state: Any) -> Any:
            return broken()

    for flow in (
        graph(worker=does(broken)),
        chain(source([1]), node(broken, policy=Policy())),
    ):
        job = one_thread.run(flow)
        assert job.is_failed()
    assert one_thread.run(chain(source([1]), collects())).is_completed()


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_starting_jobs_from_many_threads_at_once(make_runtime: MakeRuntime, threads: int) -> None:
    runtime = make_runtime(threads)
    flow = chain(source(range(5)), passes(), collects())
    runtime.flows.register(flow)
    jobs: list[Any] = []

    def start() -> None:
        for _ in range(50):
            jobs.append(runtime.job_of(runtime.exec("flow")))

    starters = [threading.Thread(target=start) for _ in range(4)]
    for starter in starters:
        starter.start()
    for starter in starters:
        starter.join(LIMIT)
    assert len(jobs) == 200
    for job in jobs:
        assert job.wait(LIMIT)
        assert job.job_state.shared_data["got"] == [0, 1, 2, 3, 4]
    assert len(engine_threads()) <= threads


def test_the_pool_ends_its_threads_also_when_they_never_ran_anything(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(4)
    hold = Hold()
    jobs = [runtime.start(graph(worker=does(hold))) for _ in range(4)]
    hold.reached(4)
    hold.release()
    for job in jobs:
        assert job.wait(LIMIT)
    runtime.shutdown()
    assert engine_threads() == []


def no_more_threads(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """From now on the system starts no thread whose name begins so."""
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name.startswith(name):
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)


def test_a_job_for_which_no_thread_can_be_started_is_not_left_waiting(
    one_thread: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_more_threads(monkeypatch, "routilux-0")
    with pytest.raises(RuntimeError, match="can't start new thread"):
        one_thread.start(chain(source([1]), collects()))
    (job,) = one_thread.list_jobs()
    assert job.is_cancelled()
    monkeypatch.undo()
    assert one_thread.run(chain(source([1]), collects())).is_completed()


def test_a_pool_makes_do_with_the_threads_it_can_start(
    make_runtime: MakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = make_runtime(4)
    no_more_threads(monkeypatch, "routilux-1")
    jobs = [runtime.start(chain(source(range(50)), collects())) for _ in range(20)]
    for job in jobs:
        assert job.wait(LIMIT), job.why_not_finished()
        assert job.is_completed()
    assert [thread.name for thread in engine_threads()] == ["routilux-0"]


def test_an_emitter_for_whom_no_thread_can_be_started_fails_and_the_job_ends(
    make_runtime: MakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two routines that feed one another may not lie on top of one another; each needs a thread."""
    runtime = make_runtime(1)
    no_more_threads(monkeypatch, "routilux-apart")

    def ping(items: list[dict[str, Any]]) -> None:
        for _ in range(3):
            a.emit("out", x=items[0]["x"] - 1)

    a = node(ping, capacity=1, name="a")
    b = node(lambda items: b.emit("out", x=0) if items[0]["x"] > 0 else None, capacity=1, name="b")
    flow = graph(["s -> a", "a -> b", "b -> a"], s=source([3]), a=a, b=b)
    job = runtime.run(flow)
    assert job.is_failed()
    assert "can't start new thread" in str(job.job_state.error)
    monkeypatch.undo()
    assert runtime.run(chain(source([1]), collects(), flow_id="next")).is_completed()

"""A job ends when nothing of it is left to do, and until then everything is done once and in order."""

from __future__ import annotations

import contextvars
import logging
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from routilux import (
    ErrorHandler,
    Flow,
    JobState,
    Routine,
    all_slots_ready_policy,
    batch_size_policy,
    time_interval_policy,
    when_quiet_policy,
)
from routilux.unit import READY
from tests.helpers import (
    LIMIT,
    Bench,
    Hold,
    Peak,
    chain,
    collects,
    does,
    fails,
    graph,
    node,
    passes,
    source,
)

MakeRuntime = Callable[..., Bench]


# ---- entry


def entered(runtime: Bench, flow: Flow, params: dict[str, Any] | None = None) -> Any:
    """What `job_state.shared_data` holds in the end."""
    job = runtime.run(flow, params)
    assert job.is_completed(), job.job_state.error
    return job.job_state.shared_data


def shows(name: str, **how: Any) -> Routine:
    """Keeps the data it was called with under its name."""

    def logic(*lists: Any, job_state: JobState) -> None:
        job_state.shared_data[name] = lists

    return node(logic, **how)


def test_the_entry_parameters_are_one_item_for_the_slot_trigger(runtime: Bench) -> None:
    flow = graph(a=shows("a"), b=shows("b", slots=["other", "trigger"]), c=shows("c", slots=["trigger"]))
    assert entered(runtime, flow, {"n": 1}) == {"b": ([], [{"n": 1}])}


def test_without_parameters_the_entry_gets_an_empty_dict(runtime: Bench) -> None:
    assert entered(runtime, graph(a=shows("a", slots=["trigger"]))) == {"a": ([{}],)}


def test_without_a_trigger_the_only_slot_of_the_first_routine_is_the_entry(runtime: Bench) -> None:
    assert entered(runtime, graph(a=shows("a"), b=shows("b")), {"n": 1}) == {"a": ([{"n": 1}],)}


def test_a_first_routine_without_slots_is_activated_once_without_data(runtime: Bench) -> None:
    flow = graph(["a -> b"], a=node(lambda: a.emit("out", x=1), slots=[]), b=collects())
    a = flow.routines["a"]
    assert entered(runtime, flow, {"n": 1}) == {"got": [1]}
    assert runtime.list_jobs()[0].snapshot().routines[0].activations == 1


def no_entry() -> Flow:
    return graph(["a -> a"], "etl", a=passes())


def test_a_flow_without_entry_completes_at_once_and_says_that_nothing_ran(
    runtime: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        job = runtime.run(no_entry(), {"path": "x", "depth": 2})
        runtime.shutdown()
    assert job.is_completed()
    assert job.snapshot().summary.activations == 0
    (notice,) = job.job_state.notices
    for part in ("nothing ran", "a.items, is fed by a connection", "path, depth", "define a slot 'trigger'"):
        assert part in notice
        assert part in caplog.text
    assert job.snapshot().summary.notices == (notice,)
    assert job.job_state.get_execution_history() == []


def test_a_flow_without_routines_completes_and_says_so(runtime: Bench) -> None:
    job = runtime.run(Flow("empty"))
    assert job.is_completed()
    assert "the flow has no routines" in job.job_state.notices[0]


def test_a_job_that_has_an_entry_needs_no_notice(runtime: Bench) -> None:
    assert runtime.run(chain(source([1]), collects())).job_state.notices == ()


# ---- completion


def test_a_job_is_not_completed_while_anything_of_it_runs(runtime: Bench) -> None:
    hold = Hold()
    held = does(hold, slots=["items"])
    job = runtime.start(graph(["a -> b", "a -> c"], a=source([1]), b=held, c=collects()))
    hold.reached()
    assert job.wait(0.05) is False
    hold.release()
    assert job.wait(LIMIT)
    assert job.is_completed()


def test_what_the_last_activation_emits_still_counts(runtime: Bench) -> None:
    """Item by item, so that the job is nearly at its end a thousand times."""

    def down(items: Any) -> None:
        if items[0]["n"]:
            again.emit("next", n=items[0]["n"] - 1)

    again = Routine()
    again.define_slot("trigger")
    again.define_event("next", ["n"])
    again.set_logic(down)
    flow = graph(["again.next -> again.trigger"], again=again)
    for _ in range(20):
        job = runtime.run(flow, {"n": 1000})
        assert job.is_completed()
        assert job.snapshot().routines[0].activations == 1001


def test_a_thread_of_the_logic_that_emits_while_the_logic_waits_for_it_is_counted(runtime: Bench) -> None:
    def logic(job_state: JobState) -> None:
        context = contextvars.copy_context()
        thread = threading.Thread(target=lambda: context.run(emits))
        thread.start()
        thread.join(LIMIT)

    def emits() -> None:
        for number in range(100):
            first.emit("out", x=number)

    first = does(logic, events=["out"])
    assert entered(runtime, chain(first, collects())) == {"got": list(range(100))}


def test_many_small_jobs_all_complete(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(8)
    flow = chain(source(), passes(), collects())
    jobs = [runtime.start(flow, {"n": n % 4}) for n in range(400)]
    for n, job in enumerate(jobs):
        assert job.wait(LIMIT), job.why_not_finished()
        assert job.job_state.shared_data.get("got", []) == list(range(n % 4))


def test_an_unconnected_event_goes_nowhere_and_is_on_record(runtime: Bench) -> None:
    job = runtime.run(chain(source([1, 2])))
    assert job.is_completed()
    records = job.job_state.get_execution_history()
    assert [record.data for record in records if record.event_name == "out"] == [{"x": 1}, {"x": 2}]


def test_a_routine_without_logic_fails_the_job_by_name(runtime: Bench) -> None:
    job = runtime.run(chain(source([1, 2]), node(name="blank")))
    assert job.is_failed()
    assert job.job_state.error is not None
    assert job.job_state.error.routine_id == "blank"
    assert "has no logic" in job.job_state.error.message


# ---- order


def test_items_of_a_connection_arrive_in_the_order_they_were_emitted(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(8)
    flow = chain(source(range(5000)), passes(), passes(), passes(), collects())
    assert entered(runtime, flow)["got"] == list(range(5000))


def test_items_of_each_of_several_sources_keep_their_order(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(8)

    def spread(trigger: Any) -> None:
        for number in range(1000):
            for name in "abc":
                first.emit(name, x=(name, number))

    first = node(spread, slots=["trigger"], events="abc")
    edges = [f"first.{name} -> {name}" for name in "abc"] + [f"{name} -> join" for name in "abc"]
    flow = graph(edges, first=first, a=passes(), b=passes(), c=passes(), join=collects())
    got = entered(runtime, flow)["got"]
    assert len(got) == 3000
    for name in "abc":
        assert [number for source_name, number in got if source_name == name] == list(range(1000))


def test_order_survives_full_slots(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(4)
    flow = chain(source(range(3000)), passes(capacity=3), passes(capacity=1), collects(capacity=2))
    assert entered(runtime, flow)["got"] == list(range(3000))


# ---- how many at once


def test_a_routine_runs_one_activation_at_a_time(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(8)
    peak = Peak()

    def logic(items: Any) -> None:
        with peak:
            for _ in range(50):
                pass

    flow = graph(["a -> b", "a2 -> b", "a -> a2"], a=source(range(500)), a2=passes(), b=node(logic))
    assert runtime.run(flow).is_completed()
    assert peak.most == 1


def test_max_concurrency_lets_so_many_run_and_no_more(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(8)
    peak = Peak()
    together = threading.Barrier(3)

    def logic(items: Any) -> None:
        with peak:
            together.wait(LIMIT)

    flow = chain(source(range(30)), node(logic, concurrency=3))
    job = runtime.run(flow)
    assert job.is_completed(), job.job_state.error
    assert peak.most == 3


def test_max_concurrency_counts_per_job(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(8)
    together = threading.Barrier(2)
    flow = graph(worker=does(lambda: together.wait(LIMIT)))
    jobs = [runtime.start(flow), runtime.start(flow)]
    for job in jobs:
        assert job.wait(LIMIT)
        assert job.is_completed()


def test_one_job_can_use_the_whole_pool(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(6)
    together = threading.Barrier(6)
    flow = chain(source(range(60)), node(lambda items: together.wait(LIMIT) and None, concurrency=100))
    job = runtime.run(flow)
    assert job.is_completed(), job.job_state.error


def test_different_routines_of_a_job_run_in_parallel(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(4)
    together = threading.Barrier(3)
    meets = {name: node(lambda items: together.wait(LIMIT) and None) for name in "bcd"}
    flow = graph([f"a -> {name}" for name in "bcd"], a=source([1]), **meets)
    job = runtime.run(flow)
    assert job.is_completed(), job.job_state.error


def test_never_more_activations_at_once_than_the_pool_has_threads(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(3)
    peak = Peak()

    def logic(items: Any) -> None:
        with peak:
            threading.Event().wait(0.0002)

    flow = chain(source(range(60)), node(logic, concurrency=50))
    jobs = [runtime.start(flow) for _ in range(6)]
    assert runtime.wait_until_all_jobs_finished(LIMIT)
    assert all(job.is_completed() for job in jobs)
    assert peak.most == 3


def test_nor_where_emitters_wait_for_room(
    one_thread: Bench, often_switching: Callable[[float], None]
) -> None:
    """Those that wait within `emit` do not run; of the others there is one."""
    often_switching(1e-5)
    peak = Peak()

    def emits(routine: Routine, x: Any) -> None:
        peak.__exit__()
        try:
            routine.emit("out", x=x)
        finally:
            peak.__enter__()

    def start(trigger: Any) -> None:
        with peak:
            for number in range(200):
                emits(first, number)

    def again(items: Any) -> None:
        with peak:
            left = items[0]["x"]
            if left > 0:
                emits(loops, left - 7)

    first = node(start, slots=["trigger"], name="source")
    loops = node(again, capacity=4)
    back = node(lambda items: back.emit("out", x=items[0]["x"]), capacity=2)
    flow = graph(["source -> loops", "loops -> back", "back -> loops"], source=first, loops=loops, back=back)
    job = one_thread.run(flow)
    assert job.is_finished()
    assert peak.most == 1


# ---- length


def test_a_cycle_of_many_hops_uses_constant_stack(runtime: Bench) -> None:
    depths: list[int] = []

    def logic(items: Any) -> None:
        left = items[0]["x"]
        if left % 10_000 == 0:
            depths.append(len(list(traceback.walk_stack(sys._getframe()))))
        if left:
            ping.emit("out", x=left - 1)

    ping = node(logic)
    pong = passes()
    flow = graph(["a -> ping", "ping -> pong", "pong -> ping"], a=source([100_000]), ping=ping, pong=pong)
    flow.max_history = 10
    job = runtime.run(flow)
    assert job.is_completed(), job.job_state.error
    assert job.snapshot().summary.activations == 1 + 100_001 + 100_000
    assert len(depths) == 11
    assert max(depths) <= min(depths) + 5


def test_a_cycle_of_a_routine_with_itself_uses_constant_stack(one_thread: Bench) -> None:
    limit = sys.getrecursionlimit()
    again = node(lambda items: items[0]["x"] and again.emit("out", x=items[0]["x"] - 1))
    job = one_thread.run(graph(["a -> again", "again -> again"], a=source([20 * limit]), again=again))
    assert job.is_completed(), job.job_state.error
    assert job.snapshot().routines[1].activations == 20 * limit + 1


@pytest.mark.parametrize("threads", [1, 4])
def test_a_chain_of_a_thousand_routines(make_runtime: MakeRuntime, threads: int) -> None:
    flow = chain(source(range(20)), *(passes() for _ in range(1000)), collects())
    assert entered(make_runtime(threads), flow)["got"] == list(range(20))


def test_a_chain_of_a_thousand_routines_with_slots_of_one(one_thread: Bench) -> None:
    flow = chain(source(range(50)), *(passes(capacity=1) for _ in range(1000)), collects(capacity=1))
    assert entered(one_thread, flow)["got"] == list(range(50))


def test_fanning_out_to_a_hundred_and_back(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(8)
    names = [f"w{number}" for number in range(100)]
    join = node(
        lambda *lists, job_state: job_state.shared_data.setdefault("got", []).append(len(lists)),
        slots=names,
        policy=all_slots_ready_policy(),
    )
    edges = [f"a -> {name}" for name in names] + [f"{name} -> join.{name}" for name in names]
    flow = graph(edges, a=source(range(30)), join=join, **{name: passes() for name in names})
    assert entered(runtime, flow)["got"] == [100] * 30


# ---- fairness


def test_a_new_job_starts_promptly_while_another_has_100_000_items_queued(one_thread: Bench) -> None:
    waiting: list[int] = []
    hold = Hold()

    def logic(items: Any, job_state: JobState) -> None:
        own = job_state.routine_state()
        own["n"] = own.get("n", 0) + 1
        if own["n"] == 100:
            hold()

    sink = node(logic, events=[], capacity=200_000)
    huge = one_thread.start(chain(source(), sink, flow_id="huge", max_history=10), {"n": 100_000})
    hold.reached()
    looks = does(lambda: waiting.append(huge.snapshot().summary.waiting))
    small = one_thread.start(chain(looks, flow_id="small"))
    hold.release()
    assert small.wait(LIMIT)
    assert waiting[0] > 90_000
    assert huge.wait(LIMIT)
    assert huge.snapshot().routines[1].activations == 100_000


def test_a_job_that_blocks_every_thread_but_one_does_not_stop_another(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(3)
    hold = Hold()
    slow = runtime.start(chain(source(range(2)), node(lambda items: hold(), concurrency=2), flow_id="slow"))
    hold.reached(2)
    for _ in range(10):
        assert runtime.run(chain(source(range(10)), passes(), collects(), flow_id="quick")).is_completed()
    assert slow.is_running()
    hold.release()
    assert slow.wait(LIMIT)


def test_a_ready_routine_never_waits_behind_a_body_that_blocks(make_runtime: MakeRuntime) -> None:
    """The thread that has just emitted stays in its logic; another one takes the item up."""
    runtime = make_runtime(2)
    arrived = threading.Event()

    def start() -> None:
        first.emit("out", x=1)
        assert arrived.wait(LIMIT), "the item waited for the routine that emitted it"

    first = does(start, events=["out"])
    for _ in range(50):
        arrived.clear()
        job = runtime.run(chain(first, node(lambda items: arrived.set())))
        assert job.is_completed(), job.job_state.error


# ---- the counts hold


def test_the_counts_of_a_finished_job_add_up(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(6)
    flow = graph(
        ["a -> b", "a -> c", "b -> join.left", "c -> join.right", "a -> bad", "a -> all"],
        a=node(lambda: [a.emit("out", x=x) for x in range(300)], slots=[]),
        b=passes(concurrency=3),
        c=passes(),
        join=node(lambda left, right: None, slots=["left", "right"], policy=all_slots_ready_policy()),
        bad=fails(handler=ErrorHandler("skip")),
        all=node(lambda items: None, policy=when_quiet_policy()),
    )
    a = flow.routines["a"]
    for _ in range(10):
        job = runtime.run(flow)
        assert job.is_completed()
        for routine in job.snapshot().routines:
            for slot in routine.slots:
                assert slot.received == 300
                assert slot.received == slot.consumed + slot.waiting + slot.dropped + routine.skipped_items
                assert slot.waiting == 0
        by_id = {routine.routine_id: routine for routine in job.snapshot().routines}
        assert by_id["join"].activations == 300
        assert by_id["all"].activations == 1
        assert (by_id["bad"].activations, by_id["bad"].skipped_items) == (1, 299)


def test_the_counts_by_which_a_job_ends_are_right_whenever_one_looks(
    make_runtime: MakeRuntime, often_switching: Callable[[float], None]
) -> None:
    """Ready units, threads at work and timers: what `live` and `engaged` claim to count."""
    runtime = make_runtime(4)
    failed: set[int] = set()

    def flaky(items: list[dict[str, Any]]) -> None:
        value = items[0]["x"]
        if value % 7 == 0 and value not in failed:
            failed.add(value)
            raise ValueError("once")
        b.emit("out", x=value)

    b = node(flaky, capacity=3, handler=ErrorHandler("retry", retry_delay=0.0005), concurrency=2)
    flow = graph(
        ["a -> b", "b -> c", "a -> d", "c -> e"],
        a=source(range(200)),
        b=b,
        c=passes(capacity=1),
        d=node(lambda items: None, policy=time_interval_policy(0.001)),
        e=collects(policy=batch_size_policy(3)),
    )
    often_switching(1e-5)
    looks = 0
    for _ in range(5):
        failed.clear()
        job = runtime.start(flow)
        loop = job._loop
        assert loop is not None
        while not job.wait(0):
            with loop.lock:
                if loop.ended:
                    break
                ready = sum(unit.phase == READY for unit in loop.units)
                timers = sum(bool(unit.policy_timer) + len(unit.retrying) for unit in loop.units)
                assert loop.live == ready + loop.engaged + timers
                assert loop.engaged >= len(loop.lanes)
            looks += 1
        assert job.wait(LIMIT)
        assert sorted(job.job_state.shared_data["got"]) == list(range(200))
    assert looks > 20

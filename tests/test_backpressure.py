"""A full slot makes its emitter wait and help; nothing is lost, and what can never end says so."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from typing import Any

import pytest

from routilux import (
    ErrorHandler,
    Flow,
    JobNotActive,
    JobState,
    Routine,
    SlotQueueFullError,
    all_slots_ready_policy,
    batch_size_policy,
    custom_policy,
    immediate_policy,
    when_quiet_policy,
)
from tests.helpers import LIMIT, Bench, Hold, chain, collects, does, graph, node, passes, source

MakeRuntime = Callable[..., Bench]


def watched(fullest: dict[str, int], name: str) -> Any:
    """As `immediate_policy`, and notes how full the slot ever was when it was asked."""
    policy = immediate_policy()

    def check(slots: Any, job_state: Any) -> Any:
        for slot in slots.values():
            fullest[name] = max(fullest.get(name, 0), slot.get_unconsumed_count())
            assert slot.get_unconsumed_count() <= slot.capacity
        return policy(slots, job_state)

    return custom_policy(check)


# ---- nothing is lost


@pytest.mark.parametrize(("threads", "count"), [(1, 100_000), (4, 10_000)])
def test_a_hundred_thousand_items_through_slots_of_ten(
    make_runtime: MakeRuntime, threads: int, count: int
) -> None:
    fullest: dict[str, int] = {}

    def sums(items: Any, job_state: JobState) -> None:
        own = job_state.routine_state()
        assert items[0]["x"] == own.get("n", 0)  # nothing lost, nothing twice, and in order
        own["n"] = job_state.shared_data["n"] = items[0]["x"] + 1

    middle = [passes(capacity=10), passes(capacity=10, policy=watched(fullest, "b"))]
    flow = chain(source(), *middle, node(sums, capacity=10), max_history=10)
    runtime = make_runtime(threads)
    job = runtime.start(flow, {"n": count})
    most = 0
    while not job.wait(0.01):
        slots = [slot for routine in job.snapshot().routines[1:] for slot in routine.slots]
        most = max(most, *(slot.waiting for slot in slots))
    assert job.is_completed(), job.job_state.error
    assert job.job_state.shared_data["n"] == count
    assert most <= 10
    assert fullest == {"b": 10}  # never more, and full it was
    for routine in job.snapshot().routines[1:]:
        (slot,) = routine.slots
        assert (slot.received, slot.consumed, slot.waiting, slot.dropped) == (count, count, 0, 0)


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("factor", [2, 3])
def test_each_routine_of_a_chain_may_emit_more_than_it_takes(
    make_runtime: MakeRuntime, threads: int, factor: int
) -> None:
    """Deeper than emitters may help on top of one another: then others have to."""

    def amplifies() -> Routine:
        def logic(items: Any) -> None:
            for number in range(factor):
                routine.emit("out", x=items[0]["x"] * factor + number)

        routine = node(logic, capacity=1)
        return routine

    def thins(items: Any) -> None:
        if items[0]["x"] % factor == 0:
            thin.emit("out", x=items[0]["x"] // factor)

    depth = 10 if factor == 2 else 6
    thin = node(thins, capacity=1)
    flow = chain(source(range(4)), *(amplifies() for _ in range(depth)), thin, collects(capacity=1))
    flow.max_history = 10
    job = make_runtime(threads).run(flow)
    assert job.is_completed(), job.job_state.error
    assert job.job_state.shared_data["got"] == list(range(4 * factor ** (depth - 1)))


@pytest.mark.parametrize("threads", [1, 3])
def test_a_long_chain_of_full_slots_in_which_everybody_waits(make_runtime: MakeRuntime, threads: int) -> None:
    """Twenty stages that work by batches: more emitters wait at once than may lie on one stack."""

    def stage() -> Routine:
        def logic(items: Any, job_state: JobState) -> None:
            for item in items:
                routine.emit("out", x=item["x"])

        routine = node(logic, capacity=3, policy=batch_size_policy(3))
        return routine

    flow = chain(source(range(500)), *(stage() for _ in range(20)), collects(capacity=1))
    flow.max_history = 10
    job = make_runtime(threads).run(flow)
    assert job.is_completed(), job.job_state.error
    assert job.job_state.shared_data["got"] == list(range(500))


@pytest.mark.parametrize("threads", [1, 4])
def test_a_join_of_which_one_side_is_full_first(make_runtime: MakeRuntime, threads: int) -> None:
    """The emitter of the full side waits until the other side has come, which has to run meanwhile."""
    join = node(
        lambda left, right, job_state: job_state.shared_data.setdefault("got", []).append(
            (left[0]["x"], right[0]["x"])
        ),
        slots=["left", "right"],
        capacity=2,
        policy=all_slots_ready_policy(),
    )
    edges = ["a -> join.left", "a -> slow", "slow -> slower", "slower -> join.right"]
    slow, slower = passes(capacity=500), passes(capacity=500)
    flow = graph(edges, a=source(range(200)), slow=slow, slower=slower, join=join)
    job = make_runtime(threads).run(flow)
    assert job.is_completed(), job.job_state.error
    assert job.job_state.shared_data["got"] == [(number, number) for number in range(200)]


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_many_jobs_at_once_with_slots_of_one(make_runtime: MakeRuntime, threads: int) -> None:
    runtime = make_runtime(threads)
    edges = ["a -> b", "a -> c", "b -> d", "c -> d", "d -> e"]
    flow = graph(
        edges,
        a=source(range(100)),
        b=passes(capacity=1),
        c=passes(capacity=2, concurrency=2),
        d=passes(capacity=1),
        e=collects(capacity=1),
    )
    jobs = [runtime.start(flow) for _ in range(12)]
    for job in jobs:
        assert job.wait(LIMIT), job.why_not_finished()
        assert job.is_completed(), job.job_state.error
        assert sorted(job.job_state.shared_data["got"]) == sorted([*range(100)] * 2)


def test_a_thread_of_the_logic_that_emits_into_a_full_slot_waits_too(one_thread: Bench) -> None:
    def emits() -> None:
        for number in range(300):
            first.emit("out", x=number)

    def logic() -> None:
        thread = threading.Thread(target=contextvars.copy_context().run, args=(emits,))
        thread.start()
        thread.join(LIMIT)

    first = does(logic, events=["out"])
    job = one_thread.run(chain(first, collects(capacity=2)))
    assert job.job_state.shared_data["got"] == list(range(300))


def test_a_thread_from_outside_waits_for_room_too(runtime: Bench) -> None:
    hold = Hold()
    first = does(hold, events=["out"], name="first")
    job = runtime.start(chain(first, collects(capacity=2)))
    hold.reached()
    for number in range(300):
        first.emit("out", job_state=job.job_state, x=number)
    hold.release()
    assert job.wait(LIMIT)
    assert job.job_state.shared_data["got"] == list(range(300))


def waits_for_room(runtime: Bench) -> tuple[Any, Hold]:
    """A job whose `source` waits for room in `slow.items`, which holds three, while `slow` runs elsewhere."""
    hold = Hold()

    def start() -> None:
        first.emit("out", x=0)
        hold.reached()
        for number in range(1, 10):
            first.emit("out", x=number)

    first = does(start, events=["out"], name="source")
    job = runtime.start(chain(first, node(lambda items: hold(), capacity=3, name="slow")))
    while "waiting for room" not in job.why_not_finished():
        assert not job.wait(0.001), job.job_state.error
    return job, hold


def test_who_waits_for_room_says_so(runtime: Bench) -> None:
    job, hold = waits_for_room(runtime)
    assert "source (waiting for room in slow.items (full, 3 items)" in job.why_not_finished()
    assert job.snapshot().routines[1].waiting == 3
    hold.release()
    assert job.wait(LIMIT)
    assert job.is_completed()


def test_who_helps_while_it_waits_says_what_it_waits_for(one_thread: Bench) -> None:
    hold = Hold()
    job = one_thread.start(chain(source(range(10)), node(lambda items: hold(), capacity=3, name="slow")))
    hold.reached()
    why = job.why_not_finished()
    hold.release()
    assert "source (waiting for room in slow.items" in why
    assert "slow (running" in why


def test_a_cancel_reaches_who_waits_for_room(runtime: Bench) -> None:
    job, hold = waits_for_room(runtime)
    assert job.cancel()
    while job.snapshot().routines[0].running:
        assert not job.wait(0.001)
    assert job.status == "cancelling"
    hold.release()
    assert job.wait(LIMIT)
    assert job.is_cancelled()
    assert job.job_state.errors == ()


# ---- what can never be drained


def full_cycle(flow: Flow, runtime: Bench) -> SlotQueueFullError:
    job = runtime.run(flow)
    assert job.is_failed()
    error = job.job_state.error
    assert error is not None
    assert isinstance(error.exception, SlotQueueFullError)
    return error.exception


def joins(**how: Any) -> Routine:
    return node(lambda left, right: None, slots=["left", "right"], policy=all_slots_ready_policy(), **how)


def fills(capacity: int, **how: Any) -> Routine:
    """Emits three items for each it takes."""

    def logic(items: Any) -> None:
        for number in range(3):
            routine.emit("out", x=number)

    routine = node(logic, capacity=capacity, **how)
    return routine


@pytest.mark.parametrize("threads", [1, 4])
def test_a_cycle_that_is_full_says_so_and_names_its_routines(make_runtime: MakeRuntime, threads: int) -> None:
    edges = ["source -> a", "a -> b", "b -> c", "c -> a"]
    flow = graph(edges, source=source([1]), a=fills(3), b=fills(3), c=fills(3))
    error = full_cycle(flow, make_runtime(threads))
    assert set(error.cycle) == {"a", "b", "c"}
    assert error.cycle[0] == error.cycle[-1]
    assert len(error.cycle) == 4
    message = str(error)
    assert "emit('out')" in message
    assert "is full (3 items) and can never be drained" in message
    assert " -> ".join(error.cycle) in message
    assert "max_queue_length" in message
    assert isinstance(error.data, dict)


def test_a_routine_that_fills_its_own_slot_says_so(one_thread: Bench) -> None:
    error = full_cycle(graph(["source -> a", "a -> a"], source=source([1]), a=fills(2)), one_thread)
    assert error.cycle == ("a", "a")
    assert "slot a.items is full (2 items)" in str(error)


def test_a_slot_that_its_policy_never_drains_says_what_it_waits_for(one_thread: Bench) -> None:
    join = joins(capacity=5)
    error = full_cycle(graph(["source -> join.left"], source=source(range(6)), join=join), one_thread)
    assert "slot join.left is full (5 items)" in str(error)
    assert "the policy all_slots_ready_policy() of 'join' takes nothing from it" in str(error)
    assert "nothing is in join.right" in str(error)
    assert error.data == {"x": 5}


def test_a_full_cycle_is_an_error_like_any_other(one_thread: Bench) -> None:
    """It goes to the handler of the routine that emits, which may catch it, too."""
    flow = graph(["source -> a", "a -> a"], source=source([1]), a=fills(2, handler=ErrorHandler("skip")))
    job = one_thread.run(flow)
    assert job.is_completed()
    assert {error.exception_type for error in job.job_state.errors} == {"SlotQueueFullError"}
    caught: list[int] = []

    def logic(items: Any) -> None:
        for number in range(3):
            try:
                own.emit("out", x=number)
            except SlotQueueFullError:
                caught.append(number)

    own = node(logic, capacity=2)
    flow = graph(["source -> own", "own -> own"], source=source([1]), own=own)
    job = one_thread.start(flow)
    while len(caught) < 100:
        assert not job.wait(0.001)
    job.cancel()
    assert job.wait(LIMIT)
    assert caught[0] == 2  # the first two found room


def test_a_cycle_with_room_enough_is_no_error(one_thread: Bench) -> None:
    def halves(items: Any) -> None:
        for _ in range(2):
            if items[0]["x"] > 0:
                tree.emit("out", x=items[0]["x"] - 1)

    tree = node(halves, capacity=2000)
    job = one_thread.run(graph(["a -> tree", "tree -> tree"], a=source([10]), tree=tree))
    assert job.is_completed(), job.job_state.error
    assert job.snapshot().routines[1].activations == 2**11 - 1


def test_a_slot_that_is_to_hold_everything_until_the_end_has_to_be_large_enough(one_thread: Bench) -> None:
    flow = chain(source(range(11)), collects(capacity=10, policy=when_quiet_policy()))
    job = one_thread.run(flow)
    if job.is_completed():
        assert job.job_state.shared_data["got"] == list(range(11))
    else:
        assert isinstance(job.job_state.error.exception, SlotQueueFullError)  # type: ignore[union-attr]
    fits = chain(source(range(10)), collects(capacity=10, policy=when_quiet_policy()))
    assert one_thread.run(fits).job_state.shared_data["got"] == list(range(10))


def test_a_thread_from_outside_never_waits_in_vain(runtime: Bench) -> None:
    hold = Hold()
    outcome: list[BaseException] = []
    first = does(hold, events=["out"])
    join = joins(capacity=1)
    job = runtime.start(graph(["first -> join.left"], first=first, join=join))
    hold.reached()
    first.emit("out", job_state=job.job_state, x=1)

    def emit() -> None:
        try:
            first.emit("out", job_state=job.job_state, x=2)
        except (SlotQueueFullError, JobNotActive) as error:
            outcome.append(error)

    thread = threading.Thread(target=emit)
    thread.start()
    thread.join(0.05)
    hold.release()
    thread.join(LIMIT)
    assert not thread.is_alive()
    assert len(outcome) == 1
    assert job.wait(LIMIT)
    assert dict(job.job_state.leftovers) == {"join.left": 1}


# ---- slots that drop


def dropped(runtime: Bench, when_full: str) -> tuple[Any, Any]:
    """Seven items for a slot of three whose routine does not come to them before all were emitted."""
    sink = collects(capacity=3, when_full=when_full)
    job = runtime.run(chain(source(range(7)), sink))
    assert job.is_completed()
    return job.job_state.shared_data["got"], job


def test_a_slot_may_drop_the_oldest_items_and_counts_them(one_thread: Bench) -> None:
    got, job = dropped(one_thread, "drop_oldest")
    assert got == [4, 5, 6]
    picture = job.snapshot()
    (slot,) = picture.routines[1].slots
    assert (slot.received, slot.consumed, slot.dropped, slot.waiting) == (7, 3, 4, 0)
    assert picture.routines[1].dropped == 4
    assert picture.summary.dropped == 4


def test_a_slot_may_drop_the_newest_items_and_counts_them(one_thread: Bench) -> None:
    got, job = dropped(one_thread, "drop_newest")
    assert got == [0, 1, 2]
    (slot,) = job.snapshot().routines[1].slots
    assert (slot.received, slot.consumed, slot.dropped, slot.waiting) == (7, 3, 4, 0)


def test_drops_can_be_seen_while_the_job_runs(runtime: Bench) -> None:
    hold = Hold()
    slow = node(lambda items: hold(), capacity=2, when_full="drop_newest")
    flow = graph(["a -> slow", "a -> done"], a=source(range(10)), slow=slow, done=collects())
    job = runtime.start(flow)
    hold.reached()
    while len(job.job_state.shared_data.get("got", ())) < 10:
        assert not job.wait(0.001)
    picture = job.snapshot()
    assert picture.summary.dropped == picture.routines[1].dropped > 0
    hold.release()
    assert job.wait(LIMIT)
    assert job.snapshot().summary.dropped == picture.summary.dropped


def test_a_slot_that_drops_never_makes_its_emitter_wait(one_thread: Bench) -> None:
    """Not even in a cycle that is full."""
    loop = fills(2, when_full="drop_oldest")
    job = one_thread.start(graph(["a -> loop", "loop -> loop"], a=source([1]), loop=loop))
    while job.snapshot().summary.dropped < 100:
        assert not job.wait(0.001)
    assert job.cancel()
    assert job.wait(LIMIT)
    assert job.is_cancelled()
    assert job.job_state.errors == ()


@pytest.mark.parametrize("when_full", ["drop_oldest", "drop_newest"])
def test_a_policy_that_takes_everything_while_its_slot_drops_loses_no_count(
    runtime: Bench, often_switching: Callable[[float], None], when_full: str
) -> None:
    often_switching(1e-6)

    def check(slots: Any, job_state: Any) -> Any:
        for _ in range(2000):
            if slots["items"].get_unconsumed_count() > 1:
                break
        data = slots["items"].consume_all_new()
        return bool(data), {"items": data}, None

    for _ in range(5):
        sink = collects(capacity=1, when_full=when_full, policy=custom_policy(check))
        job = runtime.run(chain(source(range(5000)), sink, max_history=10))
        assert job.is_completed(), job.job_state.error
        (slot,) = job.snapshot().routines[1].slots
        got = job.job_state.shared_data["got"]
        assert got == sorted(set(got))
        assert slot.consumed == len(got)
        assert slot.received == 5000 == slot.consumed + slot.dropped

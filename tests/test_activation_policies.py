"""A policy decides when a routine runs and what it consumes; what it must not do is an error, not a loop."""

from __future__ import annotations

import functools
import itertools
import threading
from collections.abc import Callable
from typing import Any

import pytest

from routilux import (
    ActivationPolicy,
    ErrorHandler,
    Flow,
    FlowDefinitionError,
    JobState,
    PolicyError,
    Routine,
    Slot,
    all_slots_ready_policy,
    batch_size_policy,
    custom_policy,
    immediate_policy,
    time_interval_policy,
    when_quiet_policy,
)
from routilux.activation_policies import BatchSizePolicy, TimeIntervalPolicy
from tests.helpers import LIMIT, Bench, chain, collects, fails, graph, node, source

# ---- by themselves, on slots that belong to no job


def slots(**data: list[Any]) -> dict[str, Slot]:
    made = {}
    for name, each in data.items():
        made[name] = Slot(name)
        for value in each:
            made[name].enqueue(value)
    return made


def answers(policy: ActivationPolicy, on: dict[str, Slot], limit: int = 20) -> list[Any]:
    """The data slices of a policy that is asked for as long as it says yes."""
    taken = []
    while len(taken) < limit:
        yes, data_slice, _ = policy(on, None)
        if not yes:
            assert data_slice == {}
            return taken
        taken.append(data_slice)
    raise AssertionError(f"it never says no: {taken}")


def waiting(on: dict[str, Slot]) -> dict[str, list[Any]]:
    return {name: slot.peek_all_new() for name, slot in on.items()}


def test_immediate_takes_one_item_at_a_time_in_order() -> None:
    assert answers(immediate_policy(), slots(a=[1, 2, 3])) == [{"a": [1]}, {"a": [2]}, {"a": [3]}]


def test_immediate_takes_the_oldest_of_several_slots_first() -> None:
    on = slots(a=[], b=[])
    for name, value in (("b", 1), ("a", 2), ("b", 3)):
        on[name].enqueue(value)
    assert answers(immediate_policy(), on) == [{"b": [1]}, {"a": [2]}, {"b": [3]}]


def test_all_slots_ready_takes_exactly_one_from_each() -> None:
    on = slots(a=[1, 2, 3], b=[4, 5])
    assert answers(all_slots_ready_policy(), on) == [{"a": [1], "b": [4]}, {"a": [2], "b": [5]}]
    assert waiting(on) == {"a": [3], "b": []}


def test_batch_size_takes_exactly_so_many_from_each() -> None:
    on = slots(a=[1, 2, 3, 4, 5], b=[6, 7, 8, 9])
    assert answers(batch_size_policy(2), on) == [{"a": [1, 2], "b": [6, 7]}, {"a": [3, 4], "b": [8, 9]}]
    assert waiting(on) == {"a": [5], "b": []}


def test_time_interval_takes_everything_new_once_per_interval() -> None:
    now = 100.0
    policy = TimeIntervalPolicy(10, clock=lambda: now)
    on = slots(a=[1, 2], b=[3])
    assert answers(policy, on) == [{"a": [1, 2], "b": [3]}]
    on["a"].enqueue(4)
    now = 109.9
    assert answers(policy, on) == []
    assert policy.ask_again_in(on, None) == pytest.approx(0.1)
    on["a"].enqueue(5)
    now = 110.0
    assert answers(policy, on) == [{"a": [4, 5], "b": []}]
    assert policy.ask_again_in(on, None) is None


def test_time_interval_keeps_the_time_of_each_job_apart() -> None:
    policy = TimeIntervalPolicy(10, clock=lambda: 100.0)
    one, other = slots(a=[1]), slots(a=[2])
    assert answers(policy, one) == [{"a": [1]}]
    assert answers(policy, other) == [{"a": [2]}]


def test_when_quiet_says_no_until_the_job_is_quiet() -> None:
    policy: Any = when_quiet_policy()
    on = slots(a=[1, 2], b=[])
    assert answers(policy, on) == []
    assert policy.when_quiet(on, None) == (True, {"a": [1, 2], "b": []}, None)
    assert policy.when_quiet(on, None)[0] is False


def test_a_batch_hands_the_remainder_over_when_the_job_is_quiet() -> None:
    policy: Any = batch_size_policy(3)
    on = slots(a=[1, 2], b=[3])
    assert policy.when_quiet(on, None) == (True, {"a": [1, 2], "b": [3]}, None)
    assert policy.when_quiet(on, None)[0] is False
    keeps: Any = batch_size_policy(3, hand_over_remainder=False)
    on = slots(a=[1, 2])
    assert keeps.when_quiet(on, None)[0] is False
    assert waiting(on) == {"a": [1, 2]}


def test_a_custom_policy_may_be_a_full_one() -> None:
    def check(slots: Any, job_state: Any) -> Any:
        data = slots["a"].consume(2)
        return bool(data), {"a": data} if data else {}, "why"

    on = slots(a=[1, 2, 3])
    assert custom_policy(check)(on, None) == (True, {"a": [1, 2]}, "why")
    assert answers(custom_policy(check), on) == [{"a": [3]}]


def test_a_custom_policy_may_answer_yes_or_no_and_then_takes_everything_new() -> None:
    policy = custom_policy(lambda slots, job_state: slots["a"].get_unconsumed_count() >= 2)
    on = slots(a=[1], b=[2])
    assert answers(policy, on) == []
    on["a"].enqueue(3)
    assert answers(policy, on) == [{"a": [1, 3], "b": [2]}]


def test_a_custom_policy_keeps_the_optional_methods_of_what_it_wraps() -> None:
    policy: Any = custom_policy(TimeIntervalPolicy(10, clock=lambda: 100.0))
    on = slots(a=[1])
    assert policy.ask_again_in(on, None) == 0.0
    assert not hasattr(policy, "when_quiet")
    assert custom_policy(batch_size_policy(2)).when_quiet(on, None)[0] is True  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "policy",
    [
        immediate_policy(),
        all_slots_ready_policy(),
        batch_size_policy(2),
        time_interval_policy(0),
        when_quiet_policy(),
        custom_policy(lambda slots, job_state: any(slot.get_unconsumed_count() for slot in slots.values())),
    ],
)
def test_nothing_waits_so_every_policy_says_no(policy: ActivationPolicy) -> None:
    assert policy(slots(a=[], b=[]), None)[0] is False
    assert policy({}, None)[0] is False


@pytest.mark.parametrize("size", [0, -1, 1.5, "3", None])
def test_a_batch_holds_at_least_one_item(size: Any) -> None:
    with pytest.raises(FlowDefinitionError, match="min_batch_size is"):
        batch_size_policy(size)


@pytest.mark.parametrize("seconds", [-1, float("nan"), "3", None])
def test_an_interval_is_a_number_of_seconds(seconds: Any) -> None:
    with pytest.raises(FlowDefinitionError, match="min_interval_seconds is"):
        time_interval_policy(seconds)


def test_a_custom_policy_is_made_of_a_function() -> None:
    with pytest.raises(FlowDefinitionError, match="custom_policy takes a function"):
        custom_policy("now")  # type: ignore[arg-type]


def test_policies_print_as_they_are_made() -> None:
    def is_late(slots: Any, job_state: Any) -> bool:
        return False

    assert repr(immediate_policy()) == "immediate_policy()"
    assert repr(all_slots_ready_policy()) == "all_slots_ready_policy()"
    assert repr(batch_size_policy(3)) == "batch_size_policy(3)"
    assert repr(batch_size_policy(3, hand_over_remainder=False)) == (
        "batch_size_policy(3, hand_over_remainder=False)"
    )
    assert repr(time_interval_policy(0.5)) == "time_interval_policy(0.5)"
    assert repr(when_quiet_policy()) == "when_quiet_policy()"
    assert repr(custom_policy(is_late)).endswith("is_late)")


# ---- in jobs


def batches(**how: Any) -> Routine:
    """Appends the list of `x` of each activation to `job_state.shared_data["got"]`."""

    def logic(items: Any, job_state: JobState) -> None:
        job_state.shared_data.setdefault("got", []).append([item["x"] for item in items])

    return node(logic, events=[], **how)


def got(runtime: Bench, policy: ActivationPolicy | None, values: range, **how: Any) -> Any:
    job = runtime.run(chain(source(values), batches(policy=policy, **how)))
    assert job.is_completed(), job.job_state.error
    return job.job_state.shared_data.get("got", [])


def test_immediate_never_loses_an_item_to_batching(runtime: Bench) -> None:
    assert got(runtime, immediate_policy(), range(500)) == [[value] for value in range(500)]


def test_a_routine_without_a_policy_runs_for_each_item(runtime: Bench) -> None:
    assert got(runtime, None, range(5)) == [[0], [1], [2], [3], [4]]


def test_a_join_pairs_the_items_of_its_slots(runtime: Bench) -> None:
    def logic(left: Any, right: Any, job_state: JobState) -> None:
        job_state.shared_data.setdefault("got", []).append((left[0]["x"], right[0]["x"]))

    join = node(logic, slots=["left", "right"], events=[], policy=all_slots_ready_policy())
    twice = node(lambda items: twice.emit("out", x=items[0]["x"] * 10))
    edges = ["a -> twice", "a -> join.left", "twice -> join.right"]
    flow = graph(edges, a=source(range(50)), twice=twice, join=join)
    assert runtime.run(flow).job_state.shared_data["got"] == [(value, value * 10) for value in range(50)]


def test_batches_are_exact_and_the_last_one_is_what_remains(runtime: Bench) -> None:
    taken = got(runtime, batch_size_policy(4), range(10))
    assert taken == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_batches_without_a_remainder_end_with_no_more(runtime: Bench) -> None:
    assert got(runtime, batch_size_policy(5), range(10)) == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]


def test_a_remainder_that_is_not_handed_over_is_reported(runtime: Bench) -> None:
    policy = batch_size_policy(4, hand_over_remainder=False)
    job = runtime.run(chain(source(range(10)), batches(policy=policy)))
    assert job.is_completed()
    assert job.job_state.shared_data["got"] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert dict(job.job_state.leftovers) == {"r1.items": 2}


def test_remainders_of_a_chain_of_batches_all_arrive(runtime: Bench) -> None:
    def regroup(size: int) -> Routine:
        routine = node(
            lambda items: [routine.emit("out", x=item["x"]) for item in items], policy=batch_size_policy(size)
        )
        return routine

    flow = chain(source(range(100)), regroup(7), regroup(11), regroup(13), collects())
    assert runtime.run(flow).job_state.shared_data["got"] == list(range(100))


def test_a_reducing_routine_runs_once_at_the_end(runtime: Bench) -> None:
    taken = got(runtime, when_quiet_policy(), range(100))
    assert taken == [list(range(100))]


def test_a_reducing_routine_runs_after_all_that_feeds_it(runtime: Bench) -> None:
    early = node(
        lambda items: early.emit("out", x=sum(item["x"] for item in items)), policy=batch_size_policy(40)
    )
    flow = chain(source(range(100)), early, batches(policy=when_quiet_policy()))
    expected = [[sum(range(40)), sum(range(40, 80)), sum(range(80, 100))]]
    assert runtime.run(flow).job_state.shared_data["got"] == expected


def test_quiet_may_come_more_than_once(runtime: Bench) -> None:
    """What is emitted at the end is worked on, and then it is quiet again."""

    def again(items: Any) -> None:
        if items[0]["x"] > 0:
            down.emit("out", x=items[0]["x"] - 1)

    down = node(again, policy=when_quiet_policy())
    flow = graph(["a -> down", "down -> down", "down -> log"], a=source([3]), down=down, log=collects())
    assert runtime.run(flow).job_state.shared_data["got"] == [2, 1, 0]


def counts_up(policy: ActivationPolicy, until: int) -> Flow:
    """Each activation emits the next number to its own routine, so that it arrives within the interval."""

    def logic(items: Any, job_state: JobState) -> None:
        job_state.shared_data.setdefault("got", []).append([item["x"] for item in items])
        if (number := items[-1]["x"] + 1) < until:
            routine.emit("out", x=number)
            routine.emit("out", x=number)

    routine = node(logic, policy=policy)
    return graph(["a -> counter", "counter -> counter"], "counts-up", a=source([0]), counter=routine)


def test_intervals_are_kept_and_strand_no_items(runtime: Bench) -> None:
    job = runtime.run(counts_up(time_interval_policy(0.05), 4))
    assert job.is_completed()
    assert job.job_state.shared_data["got"] == [[0], [1, 1], [2, 2], [3, 3]]
    records = job.job_state.get_execution_history("counter")
    starts = [record.timestamp for record in records if record.event_name == "activation_started"]
    gaps = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(starts)]
    assert len(gaps) == 3
    assert all(gap >= 0.045 for gap in gaps), gaps


def test_an_interval_holds_no_thread(one_thread: Bench) -> None:
    slow = one_thread.start(counts_up(time_interval_policy(60), 2))
    for _ in range(20):
        assert one_thread.run(chain(source([1]), collects(), flow_id="quick")).is_completed()
    assert slow.status == "running"
    assert slow.job_state.shared_data["got"] == [[0]]
    assert "counter (its policy is asked again later; 2 items wait)" in slow.why_not_finished()


def test_a_policy_is_given_the_slots_and_the_state_of_its_job(runtime: Bench) -> None:
    seen: list[Any] = []

    def policy(slots: Any, job_state: Any) -> Any:
        seen.append((slots["items"], job_state))
        data = slots["items"].consume_all_new()
        return bool(data), {"items": data}, None

    routine = collects(policy=policy)
    flow = chain(source([1]), routine)
    jobs = [runtime.run(flow), runtime.run(flow)]
    own = [{id(slot) for slot, state in seen if state is job.job_state} for job in jobs]
    assert [len(each) for each in own] == [1, 1]
    assert id(routine.slots["items"]) not in own[0] | own[1]
    assert all(job.job_state.shared_data["got"] == [1] for job in jobs)


def test_a_policy_is_asked_again_for_as_long_as_it_says_yes(one_thread: Bench) -> None:
    """With all its items there before it is first asked, nothing but the asking again can bring them out."""

    def policy(slots: Any, job_state: Any) -> Any:
        data = slots["items"].consume(3)
        return bool(data), {"items": data}, None

    assert got(one_thread, policy, range(8)) == [[0, 1, 2], [3, 4, 5], [6, 7]]


def test_items_that_no_policy_takes_are_reported(runtime: Bench, caplog: pytest.LogCaptureFixture) -> None:
    join = node(lambda left, right: None, slots=["left", "right"], policy=all_slots_ready_policy())
    job = runtime.run(graph(["a -> join.right"], a=source(range(3)), join=join))
    assert job.is_completed()
    assert dict(job.job_state.leftovers) == {"join.right": 3}
    assert dict(job.snapshot().leftovers) == {"join.right": 3}
    runtime.shutdown()
    assert "3 in join.right" in caplog.text


# ---- what a policy must not do


def taking(then: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    """A policy that consumes everything once it waits, and then does something wrong."""

    def policy(slots: Any, job_state: Any) -> Any:
        data = slots["items"].consume_all_new()
        return then(data) if data else (False, {}, None)

    return policy


def broken(runtime: Bench, policy: Any, handler: ErrorHandler | None = None) -> Any:
    """A job whose policy is asked about three items; what failed, and the job."""
    flow = chain(source(range(3)), batches(policy=policy, handler=handler))
    job = runtime.run(flow)
    return job, job.job_state.errors


def raises_lookup(data: Any) -> Any:
    raise LookupError("which one?")


def test_a_policy_that_raises_is_an_error_of_its_routine(one_thread: Bench) -> None:
    job, (error, *_) = broken(one_thread, taking(raises_lookup))
    assert job.is_failed()
    assert (error.routine_id, error.exception_type, error.message) == ("r1", "LookupError", "which one?")
    assert "raises_lookup" in error.traceback
    assert error.data_slice == {"items": [{"x": 0}, {"x": 1}, {"x": 2}]}


def test_what_a_policy_took_before_it_raised_is_put_back(one_thread: Bench) -> None:
    job, _ = broken(one_thread, taking(raises_lookup))
    assert dict(job.job_state.leftovers) == {"r1.items": 3}


def test_a_policy_that_raised_is_asked_again_when_the_job_is_carried_on(one_thread: Bench) -> None:
    angry = True

    def policy(slots: Any, job_state: Any) -> Any:
        data = slots["items"].consume_all_new()
        if angry:
            raise LookupError
        return bool(data), {"items": data}, None

    flow = chain(source(range(3)), batches(policy=policy))
    job = one_thread.run(flow)
    assert job.is_failed()
    angry = False
    job = one_thread.carry_on(flow, job.job_state)
    assert job.wait(LIMIT)
    assert job.is_completed()
    assert job.job_state.shared_data["got"] == [[0, 1, 2]]


def test_a_policy_that_raises_lets_the_job_go_on_where_its_handler_does(one_thread: Bench) -> None:
    job, errors = broken(one_thread, taking(raises_lookup), ErrorHandler("continue"))
    assert job.is_completed()
    assert {error.exception_type for error in errors} == {"LookupError"}
    assert dict(job.job_state.leftovers) == {"r1.items": 3}


def test_a_policy_that_raises_may_have_its_routine_skipped(one_thread: Bench) -> None:
    job, errors = broken(one_thread, taking(raises_lookup), ErrorHandler("skip"))
    assert job.is_completed()
    assert len(errors) == 1
    picture = job.snapshot().routines[1]
    assert (picture.state, picture.skipped_items) == ("skipped", 3)


def test_a_yes_without_consuming_anything_is_an_error_and_no_endless_loop(one_thread: Bench) -> None:
    job, (error, *_) = broken(one_thread, lambda slots, job_state: (True, {"items": [1]}, None))
    assert job.is_failed()
    assert isinstance(error.exception, PolicyError)
    assert "routine 'r1' said yes without consuming anything" in error.message


def test_a_no_after_consuming_gives_the_items_back(one_thread: Bench) -> None:
    job, errors = broken(one_thread, taking(lambda data: (False, {}, None)))
    assert job.is_completed()
    assert errors == ()
    assert dict(job.job_state.leftovers) == {"r1.items": 3}


@pytest.mark.parametrize(
    "answer",
    [
        None,
        True,
        (True, {"items": []}),
        (True, {"other": [1]}, None),
        (True, {"items": 1}, None),
        (True, [1], None),
        (True, None, None),
    ],
)
def test_an_answer_of_another_shape_is_an_error_and_the_items_stay(one_thread: Bench, answer: Any) -> None:
    job, (error, *_) = broken(one_thread, taking(lambda data: answer))
    assert job.is_failed()
    assert isinstance(error.exception, PolicyError)
    assert "routine 'r1' answered" in error.message
    assert dict(job.job_state.leftovers) == {"r1.items": 3}


class WhenQuiet:
    """A policy that says no, until the job is quiet; then it does what it is told."""

    def __init__(self, then: Callable[[Any], Any]) -> None:
        self.then = then

    def __call__(self, slots: Any, job_state: Any) -> Any:
        return False, {}, None

    def when_quiet(self, slots: Any, job_state: Any) -> Any:
        data = slots["items"].consume_all_new()
        return self.then(data) if data else (False, {}, None)


def test_a_policy_of_ones_own_may_hand_over_a_remainder(one_thread: Bench) -> None:
    policy = WhenQuiet(lambda data: (True, {"items": data}, None))
    assert got(one_thread, policy, range(3)) == [[0, 1, 2]]
    assert got(one_thread, custom_policy(policy), range(2)) == [[0, 1]]


@pytest.mark.parametrize("then", [raises_lookup, lambda data: (True, {"other": data}, None), lambda data: 7])
def test_a_remainder_that_cannot_be_handed_over_is_an_error_too(
    one_thread: Bench, then: Callable[[Any], Any]
) -> None:
    job, errors = broken(one_thread, WhenQuiet(then))
    assert job.is_failed()
    assert len(errors) == 1
    assert dict(job.job_state.leftovers) == {"r1.items": 3}


def test_a_remainder_that_cannot_be_handed_over_may_be_let_go(one_thread: Bench) -> None:
    job, errors = broken(one_thread, WhenQuiet(raises_lookup), ErrorHandler("continue"))
    assert job.is_completed()
    assert len(errors) == 1
    assert dict(job.job_state.leftovers) == {"r1.items": 3}


class AskLater:
    """A policy that says yes from the second time it is asked on, without a new item."""

    def __init__(self, ask_again_in: Callable[[], Any]) -> None:
        self.times: dict[Any, int] = {}
        self._in = ask_again_in

    def __call__(self, slots: Any, job_state: Any) -> Any:
        if slots["items"].get_unconsumed_count() == 0:
            return False, {}, None
        self.times[job_state.job_id] = self.times.get(job_state.job_id, 0) + 1
        if self.times[job_state.job_id] == 1:
            return False, {}, None
        return True, {"items": slots["items"].consume_all_new()}, None

    def ask_again_in(self, slots: Any, job_state: Any) -> Any:
        return self._in() if slots["items"].get_unconsumed_count() else None


def test_a_policy_may_ask_to_be_asked_again(one_thread: Bench) -> None:
    assert got(one_thread, AskLater(lambda: 0.01), range(1)) == [[0]]


def test_a_policy_that_does_not_ask_to_be_asked_again_leaves_its_items(one_thread: Bench) -> None:
    job = one_thread.run(chain(source([1]), batches(policy=AskLater(lambda: None))))
    assert job.is_completed()
    assert dict(job.job_state.leftovers) == {"r1.items": 1}


def test_a_policy_that_raises_when_it_is_to_say_when_is_an_error_of_its_routine(one_thread: Bench) -> None:
    def never() -> float:
        raise LookupError("no idea")

    job, (error, *_) = broken(one_thread, AskLater(never))
    assert job.is_failed()
    assert (error.routine_id, error.message) == ("r1", "no idea")


def test_one_thread_at_a_time_asks_the_policy_of_a_routine(runtime: Bench) -> None:
    busy = threading.Lock()
    clashes: list[int] = []

    def policy(slots: Any, job_state: Any) -> Any:
        if not busy.acquire(blocking=False):
            clashes.append(1)
            return False, {}, None
        try:
            data = slots["items"].consume(1)
            return bool(data), {"items": data}, None
        finally:
            busy.release()

    flow = chain(source(range(2000)), collects(policy=policy, concurrency=4))
    job = runtime.run(flow)
    assert clashes == []
    assert sorted(job.job_state.shared_data["got"]) == list(range(2000))


def test_what_a_policy_takes_for_logic_that_fails_is_still_taken_exactly_once(runtime: Bench) -> None:
    failing = fails(policy=batch_size_policy(7), handler=ErrorHandler("continue"))
    job = runtime.run(chain(source(range(100)), failing))
    assert job.is_completed()
    slices = [error.data_slice["items"] for error in job.job_state.errors]
    assert [item["x"] for each in slices for item in each] == list(range(100))
    assert [len(each) for each in slices] == [7] * 14 + [2]


# ---- policies that answer with nonsense


class AsksAgain:
    """Says no, and wants to be asked again after what is no number of seconds."""

    def __init__(self, seconds: Any) -> None:
        self.seconds = seconds

    def __call__(self, slots: Any, job_state: Any) -> Any:
        return False, {}, None

    def ask_again_in(self, slots: Any, job_state: Any) -> Any:
        return self.seconds


@pytest.mark.parametrize("seconds", ["soon", float("nan"), object(), [1.0]])
def test_asking_again_after_what_is_no_number_is_an_error_of_the_routine(
    runtime: Bench, seconds: Any
) -> None:
    job = runtime.run(chain(source([1]), collects(policy=AsksAgain(seconds), name="sink")))
    assert job.is_failed()
    error = job.job_state.error
    assert error is not None
    assert error.exception_type == "PolicyError"
    assert "ask_again_in of the activation policy of routine 'sink' answered" in error.message
    assert dict(job.job_state.leftovers) == {"sink.items": 1}


def test_a_check_that_always_says_yes_takes_what_there_is() -> None:
    """It is asked after each activation, also when nothing is left; that is no yes to nothing."""
    policy = custom_policy(lambda slots, job_state: True)
    slots = {"left": Slot("left"), "right": Slot("right")}
    assert policy(slots, None) == (False, {}, None)
    slots["right"].enqueue(1)
    assert policy(slots, None) == (True, {"left": [], "right": [1]}, None)
    assert policy(slots, None) == (False, {}, None)


class Greedy(BatchSizePolicy):
    """Derives from a policy of the library, and decides something else: yes to nothing."""

    def __call__(self, slots: Any, job_state: Any, /) -> Any:
        return True, {}, None


class Clumsy(BatchSizePolicy):
    """Derives from a policy of the library, and raises when it has consumed."""

    def __call__(self, slots: Any, job_state: Any, /) -> Any:
        slots["items"].consume_all_new()
        raise LookupError("clumsy")


@pytest.mark.parametrize(
    ("policy", "message"), [(Greedy(2), "said yes without consuming anything"), (Clumsy(2), "clumsy")]
)
def test_a_policy_that_derives_from_one_of_the_library_is_trusted_no_more_than_others(
    runtime: Bench, policy: Any, message: str
) -> None:
    job = runtime.run(chain(source([1, 2, 3]), collects(policy=policy, name="sink")))
    assert job.is_failed()
    assert job.job_state.error is not None
    assert message in job.job_state.error.message
    assert job.snapshot().routines[1].waiting > 0, "what it had consumed is back in the slot"


class Hesitates:
    """Says no until it has been asked for the remainder twice; meanwhile `then` happens."""

    def __init__(self, then: Callable[[], None]) -> None:
        self.then = then
        self.asked = 0

    def __call__(self, slots: Any, job_state: Any) -> Any:
        return False, {}, None

    def when_quiet(self, slots: Any, job_state: Any) -> Any:
        self.asked += 1
        if self.asked == 1:
            self.then()
            return False, {}, None
        return True, {"items": slots["items"].consume_all_new()}, None


def test_a_routine_that_gets_an_item_while_it_is_asked_for_its_remainder_is_asked_once_more(
    runtime: Bench,
) -> None:
    first = source([1])
    started: list[Any] = []

    def from_outside() -> None:
        emit = functools.partial(first.emit, "out", job_state=started[0], x=2)
        thread = threading.Thread(target=emit)
        thread.start()
        thread.join()

    policy = Hesitates(from_outside)
    first_logic = first.active_logic
    assert first_logic is not None

    def logic(trigger: Any, job_state: Any) -> None:
        started.append(job_state)
        first_logic(trigger)

    first.set_logic(logic)
    job = runtime.run(chain(first, collects(policy=policy)))
    assert job.is_completed(), job.job_state.error
    assert job.job_state.shared_data["got"] == [1, 2]
    assert dict(job.job_state.leftovers) == {}

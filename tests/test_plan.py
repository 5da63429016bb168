"""A compiled flow knows its entry, how each logic is called, and what can be reached from where."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from routilux import (
    ErrorHandler,
    Flow,
    FlowDefinitionError,
    Routine,
    batch_size_policy,
    immediate_policy,
    when_quiet_policy,
)
from tests.helpers import chain, graph, node, passes, source

ONE = {"a": [1]}
TWO = {"a": [1], "b": [2]}


def call(logic: Callable[..., Any], *slots: str, **data: list[Any]) -> tuple[tuple[Any, ...], set[str]]:
    """The positional arguments of the logic, and the keywords it is given."""
    (plan,) = graph(worker=node(logic, slots=slots)).plan().routines
    keywords = {"policy_message"} if plan.passes_message else set()
    return plan.arguments(data), keywords | ({"job_state"} if plan.passes_job_state else set())


# ---- how logic is called


@pytest.mark.parametrize(
    ("logic", "slots", "arguments"),
    [
        (lambda: None, "", ()),
        (lambda: None, "ab", ()),
        (lambda data: None, "a", ([1],)),
        (lambda data: None, "ab", ({"a": [1], "b": [2]},)),
        (lambda data, /: None, "ab", ({"a": [1], "b": [2]},)),
        (lambda left, right: None, "ab", ([1], [2])),
        (lambda left, right, /: None, "ab", ([1], [2])),
        (lambda left, right=None: None, "ab", ([1], [2])),
        (lambda left, right=None: None, "a", ([1],)),
        (lambda *lists: None, "ab", ([1], [2])),
        (lambda *lists: None, "", ()),
        (lambda left, *rest: None, "ab", ([1], [2])),
        (lambda left, *rest: None, "a", ([1],)),
    ],
)
def test_the_positional_arguments_follow_from_the_signature(
    logic: Callable[..., Any], slots: str, arguments: tuple[Any, ...]
) -> None:
    data = {name: list_ for name, list_ in TWO.items() if name in slots}
    assert call(logic, *slots, **data)[0] == arguments


@pytest.mark.parametrize(
    ("logic", "keywords"),
    [
        (lambda data: None, set()),
        (lambda data, job_state: None, {"job_state"}),
        (lambda data, policy_message: None, {"policy_message"}),
        (lambda data, policy_message, job_state: None, {"policy_message", "job_state"}),
        (lambda data, *, job_state: None, {"job_state"}),
        (lambda data, *, policy_message=None: None, {"policy_message"}),
        (lambda data, **more: None, {"policy_message", "job_state"}),
        (lambda job_state: None, {"job_state"}),
        (lambda data, *, extra=1: None, set()),
    ],
)
def test_the_keywords_are_those_that_it_takes(logic: Callable[..., Any], keywords: set[str]) -> None:
    assert call(logic, "a", **ONE)[1] == keywords


def test_slots_that_the_policy_left_out_have_empty_lists() -> None:
    assert call(lambda left, right: None, "a", "b", b=[2])[0] == ([], [2])
    assert call(lambda data: None, "a", "b", b=[2])[0] == ({"a": [], "b": [2]},)
    assert call(lambda data: None, "a")[0] == ([],)


@pytest.mark.parametrize(
    ("logic", "slots", "message"),
    [
        (lambda a, b: None, "a", r"takes 2 data arguments \(a, b\), but the routine has 1 slots"),
        (lambda a, b: None, "abc", r"takes 2 data arguments \(a, b\), but the routine has 3 slots"),
        (lambda a, b=1: None, "abc", r"takes 1 to 2 data arguments \(a, b\), but the routine has 3 slots"),
        (lambda a, b, c, *d: None, "ab", r"takes 3 data arguments \(a, b, c\), but the routine has 2 slots"),
        (lambda a: None, "", r"takes 1 data arguments \(a\), but the routine has 0 slots"),
        (lambda a, *, verbose: None, "a", "wants the keyword 'verbose'"),
    ],
)
def test_a_logic_into_which_the_slots_do_not_fit_is_refused(
    logic: Callable[..., Any], slots: str, message: str
) -> None:
    flow = graph(worker=node(logic, slots=slots))
    with pytest.raises(FlowDefinitionError, match=f"logic of routine 'worker' {message}"):
        flow.plan()


# ---- the entry


def entry_of(flow: Flow) -> tuple[str, str | None] | None:
    entry = flow.plan().entry
    return None if entry is None else (entry.routine_id, entry.slot_name)


def test_the_entry_is_the_slot_trigger_of_the_first_routine_that_has_one() -> None:
    flow = graph(a=node(), b=node(slots=["items", "trigger"]), c=node(slots=["trigger"]))
    assert entry_of(flow) == ("b", "trigger")


def test_a_slot_trigger_is_the_entry_even_where_it_is_fed_as_well() -> None:
    assert entry_of(graph(["a.out -> a.trigger"], a=node(slots=["trigger"]))) == ("a", "trigger")


def test_otherwise_the_entry_is_the_only_slot_of_the_first_routine_if_nothing_feeds_it() -> None:
    assert entry_of(graph(["a -> b"], a=node(), b=node())) == ("a", "items")
    assert entry_of(graph(["b -> a"], a=node(), b=node())) is None
    assert entry_of(graph(["a -> a"], a=node())) is None


def test_a_first_routine_without_slots_is_the_entry_without_data() -> None:
    assert entry_of(graph(["a -> b"], a=node(slots=[]), b=node())) == ("a", None)


def test_a_first_routine_of_several_slots_is_no_entry() -> None:
    assert entry_of(graph(a=node(slots=["left", "right"]), b=node())) is None


def test_a_flow_without_routines_has_no_entry() -> None:
    assert entry_of(Flow()) is None


# ---- what it knows of the graph


def test_it_is_compiled_once_and_again_when_something_changed() -> None:
    flow = chain(source(), passes())
    first = flow.plan()
    assert flow.plan() is first
    flow.routines["r1"].set_max_concurrency(3)
    second = flow.plan()
    assert second is not first
    assert (first.routines[1].limit, second.routines[1].limit) == (1, 3)
    flow.add_routine(Routine("late"))
    assert len(flow.plan().routines) == 3
    flow.set_error_handler(ErrorHandler("skip"))
    assert flow.plan().routines[0].handler.strategy == "skip"


@pytest.mark.parametrize(
    "change",
    [
        lambda routine: routine.define_slot("late"),
        lambda routine: routine.define_event("late"),
        lambda routine: routine.set_logic(lambda *lists: None),
        lambda routine: routine.set_activation_policy(immediate_policy()),
        lambda routine: routine.set_error_handler(ErrorHandler()),
        lambda routine: routine.set_max_concurrency(2),
        lambda routine: routine.set_timeout(5),
        lambda routine: routine.set_cpu_gate(False),
    ],
)
def test_every_change_of_a_routine_is_seen(change: Callable[[Routine], Any]) -> None:
    flow = graph(worker=node(lambda *lists: None))
    before = flow.plan()
    change(flow.routines["worker"])
    assert flow.plan() is not before


def test_the_handler_of_a_routine_overrides_that_of_the_flow() -> None:
    own, of_flow = ErrorHandler("skip"), ErrorHandler("continue")
    flow = graph(a=node(handler=own), b=node())
    assert flow.plan().routines[1].handler.strategy == "stop"
    flow.set_error_handler(of_flow)
    assert [each.handler for each in flow.plan().routines] == [own, of_flow]


def test_it_knows_what_leads_to_what() -> None:
    plan = graph(["a -> b", "b -> c", "c -> b"], a=node(), b=node(), c=node()).plan()
    pairs = itertools.product(plan.routines, repeat=2)
    reached = {x.routine_id + y.routine_id for x, y in pairs if plan.reaches(x.index, y.index)}
    assert reached == {"ab", "ac", "bb", "bc", "cb", "cc"}


def test_remainders_are_handed_over_first_by_what_feeds_others() -> None:
    late = node(policy=when_quiet_policy(), events=[])
    early = node(policy=batch_size_policy(3))
    plan = graph(["early -> middle", "middle -> late"], late=late, early=early, middle=passes()).plan()
    assert [plan.routines[index].routine_id for index in plan.quiet_order] == ["early", "late"]

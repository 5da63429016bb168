"""A flow is a graph of named routines that refuses what cannot be right, and says what could be."""

from __future__ import annotations

import io
from typing import Any, TypedDict

import pytest
from rich.console import Console

from routilux import Connection, ErrorHandler, Flow, FlowDefinitionError, Routine
from tests.helpers import Bench, chain, collects, graph, node, passes, source


class Reader(Routine):
    pass


def two() -> Flow:
    return graph(a=node(events=["out", "rejected"]), b=node(slots=["left", "right"]))


# ---- building


def test_a_routine_is_known_by_the_id_it_was_added_under() -> None:
    flow = Flow("etl")
    reader = Reader()
    assert flow.add_routine(reader, "read") == "read"
    assert dict(flow.routines) == {"read": reader}


def test_without_an_id_a_routine_is_known_by_its_name_or_its_class() -> None:
    flow = Flow("etl")
    added = [flow.add_routine(each) for each in (Reader("first"), Reader(), Reader(), Reader("first"))]
    assert added == ["first", "Reader", "Reader_2", "first_2"]


def test_routines_and_connections_keep_their_order() -> None:
    flow = graph(["c -> a", "b -> a"], c=node(), a=node(), b=node())
    assert list(flow.routines) == ["c", "a", "b"]
    assert [str(each) for each in flow.connections] == ["c.out -> a.items", "b.out -> a.items"]


def test_a_flow_without_an_id_gets_one_of_its_own() -> None:
    assert Flow().flow_id != Flow().flow_id


def test_an_id_belongs_to_one_routine() -> None:
    flow = Flow("etl")
    flow.add_routine(Reader(), "read")
    with pytest.raises(FlowDefinitionError, match="flow 'etl' already has a routine 'read'; give another id"):
        flow.add_routine(Reader(), "read")
    assert len(flow.routines) == 1


def test_a_routine_can_be_in_a_flow_once() -> None:
    flow = Flow("etl")
    reader = Reader()
    flow.add_routine(reader, "read")
    with pytest.raises(FlowDefinitionError, match="holds this routine as 'read'; make another Reader"):
        flow.add_routine(reader, "again")


@pytest.mark.parametrize("routine", [Reader, "read", None])
def test_only_routines_can_be_added(routine: Any) -> None:
    with pytest.raises(FlowDefinitionError, match="add_routine takes a Routine, not"):
        Flow("etl").add_routine(routine)


@pytest.mark.parametrize("routine_id", ["", 7])
def test_a_routine_id_is_a_string_that_is_not_empty(routine_id: Any) -> None:
    with pytest.raises(FlowDefinitionError, match="no routine id"):
        Flow("etl").add_routine(Reader(), routine_id)


@pytest.mark.parametrize("flow_id", ["", 7])
def test_a_flow_id_is_a_string_that_is_not_empty(flow_id: Any) -> None:
    with pytest.raises(FlowDefinitionError, match="flow_id is"):
        Flow(flow_id)


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), "5", True])
def test_a_time_limit_is_a_positive_number_of_seconds(timeout: Any) -> None:
    with pytest.raises(FlowDefinitionError, match="flow 'etl': timeout is"):
        Flow("etl", timeout=timeout)


@pytest.mark.parametrize("length", [-1, 1.5, None])
def test_a_history_has_a_length(length: Any) -> None:
    with pytest.raises(FlowDefinitionError, match="flow 'etl': max_history is"):
        Flow("etl", max_history=length)


def test_a_declaration_of_parameters_is_checked_when_the_flow_is_made() -> None:
    with pytest.raises(FlowDefinitionError):
        Flow("etl", params=int)


# ---- connecting


def test_connecting_answers_with_the_connection() -> None:
    flow = two()
    connection = flow.connect("a", "out", "b", "left")
    assert connection == Connection("a", "out", "b", "left")
    assert flow.connections == (connection,)
    assert str(connection) == "a.out -> b.left"


def test_connecting_twice_is_connecting_once(runtime: Bench) -> None:
    flow = chain(source([1, 2]), collects())
    flow.connect("source", "out", "r1", "items")
    assert len(flow.connections) == 1
    assert runtime.run(flow).job_state.shared_data["got"] == [1, 2]


@pytest.mark.parametrize(
    ("ends", "message"),
    [
        (("x", "out", "b", "left"), "there is no routine 'x'; the flow has 'a', 'b'"),
        (("a", "out", "x", "left"), "there is no routine 'x'; the flow has 'a', 'b'"),
        (("a", "oops", "b", "left"), "routine 'a' has no event 'oops'; it has 'out', 'rejected'"),
        (("a", "out", "b", "oops"), "routine 'b' has no slot 'oops'; it has 'left', 'right'"),
    ],
)
def test_a_connection_to_nothing_names_both_ends_and_what_there_is(ends: Any, message: str) -> None:
    flow = two()
    with pytest.raises(FlowDefinitionError) as caught:
        flow.connect(*ends)
    assert str(caught.value) == f"flow 'flow' cannot connect {Connection(*ends)}: {message}"
    assert flow.connections == ()


def test_events_and_slots_are_connected_many_to_many(runtime: Bench) -> None:
    def start() -> None:
        first.emit("out", x=1)
        first.emit("rejected", x=2)

    first = node(start, slots=["trigger"], events=["out", "rejected"])
    edges = ["first.out -> b", "first.out -> c", "first.rejected -> c"]
    flow = graph(edges, first=first, b=collects("b"), c=collects("c"))
    assert runtime.run(flow).job_state.shared_data == {"b": [1], "c": [1, 2]}


# ---- reading


def test_what_a_flow_shows_cannot_be_written() -> None:
    flow = two()
    with pytest.raises(TypeError):
        flow.routines["c"] = Reader()  # type: ignore[index]
    assert isinstance(flow.connections, tuple)


def test_the_declared_parameters_are_described_in_their_order() -> None:
    class Params(TypedDict):
        folder: str
        depth: int

    assert [field.name for field in Flow("etl", params=Params).parameters] == ["folder", "depth"]
    assert Flow("etl").parameters == ()


def test_a_flow_knows_its_entry() -> None:
    entry = chain(source(), collects()).entry
    assert entry is not None
    assert (entry.routine_id, entry.slot_name) == ("source", "trigger")
    assert Flow("empty").entry is None


def test_a_description_is_kept_and_empty_without_one() -> None:
    assert Flow("etl", description="Loads.").description == "Loads."
    assert Flow("etl").description == ""


def test_a_flow_prints_readably() -> None:
    flow = graph(["a -> b"], a=node(), b=node(events=[]))
    assert repr(flow) == "<Flow 'flow': 2 routines, 1 connections>"
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(flow)
    text = console.export_text()
    for part in ("'flow'", "'a'", "'b'", "a.out -> b.items"):
        assert part in text


# ---- changing it afterwards


def test_what_is_added_counts_for_jobs_started_afterwards(runtime: Bench) -> None:
    flow = chain(source([1]), collects("first"))
    assert runtime.run(flow).job_state.shared_data == {"first": [1]}
    flow.add_routine(collects("second"), "second")
    flow.connect("source", "out", "second", "items")
    assert runtime.run(flow).job_state.shared_data == {"first": [1], "second": [1]}


def test_a_routine_changed_between_two_jobs_runs_as_changed(runtime: Bench) -> None:
    routine = passes(name="worker")
    flow = chain(source([1, 2]), routine, collects())
    assert runtime.run(flow).job_state.shared_data["got"] == [1, 2]

    def negate(items: list[dict[str, Any]]) -> None:
        routine.emit("out", x=-items[0]["x"])

    routine.set_logic(negate)
    assert runtime.run(flow).job_state.shared_data["got"] == [-1, -2]


def test_a_handler_set_on_the_flow_counts_for_later_jobs(runtime: Bench) -> None:
    def fail() -> None:
        raise ValueError

    flow = chain(node(fail, slots=["trigger"]))
    assert runtime.run(flow).is_failed()
    flow.set_error_handler(ErrorHandler("continue"))
    assert runtime.run(flow).is_completed()

"""What is read of a flow, and in which order its graph is told."""

from __future__ import annotations

from routilux import Flow, Routine
from routilux.connection import Connection
from routilux.loading import FlowVersion
from tests.tui import fixed
from tui.pictures import FlowPicture, order_of, picture_of
from tui.spans import plain
from tui.widgets.flow_view import graph_lines


def graph(*edges: str, entry: str = "a") -> FlowPicture:
    names = dict.fromkeys(name for edge in edges for name in edge.split(">"))
    connections = []
    for edge in edges:
        source, _, target = edge.partition(">")
        if target:
            connections.append(Connection(source, "out", target, "in"))
    routines = tuple(fixed.routine(name, "in", "out") for name in names)
    return FlowPicture("f", "f.py", 1, "", routines, tuple(connections), entry, True, (), ())


def test_a_chain_is_told_in_its_order() -> None:
    assert order_of(graph("b>c", "a>b")) == ("a", "b", "c")


def test_what_others_need_comes_first() -> None:
    assert order_of(graph("a>d", "a>b", "b>c", "c>d")) == ("a", "b", "c", "d")


def test_targets_keep_the_order_of_their_connections() -> None:
    assert order_of(graph("a>x", "a>b", "a>m")) == ("a", "x", "b", "m")


def test_cycles_come_to_an_end_and_what_nothing_leads_to_is_last() -> None:
    assert order_of(graph("z", "a>b", "b>a", "b>b")) == ("a", "b", "z")


def test_ten_thousand_routines_are_no_matter() -> None:
    edges = [f"r{number}>r{number + 1}" for number in range(10_000)]
    assert len(order_of(graph(*edges, entry="r0"))) == 10_001


def test_the_graph_in_words() -> None:
    assert [plain(line) for line in graph_lines(fixed.ETL, 40)] == [
        "▷ fetch",
        "  ├ rows → clean",
        "  └ totals → load.totals",
        "  clean ×4",
        "  ├ good → load.good",
        "  ├ bad → audit",
        "  └ again ↺ clean",
        "  audit",
        "  load",
        "  └ loaded → nowhere",
    ]


class Greeter(Routine):
    """Greets.

    And more.
    """

    def logic(self, trigger: list[object]) -> None: ...


def test_a_flow_is_read() -> None:
    flow = Flow("hello", description="Says hello")
    greeter = Greeter()
    greeter.define_slot("trigger")
    greeter.define_event("said", ["word"])
    flow.add_routine(greeter, "greet")
    picture = picture_of(FlowVersion("hello", flow, 1, "hello.py", 3))
    assert (picture.name, picture.entry, picture.declared, picture.parameters) == (
        "hello",
        "greet",
        False,
        (),
    )
    [routine] = picture.routines
    assert (routine.slots, routine.events, routine.about) == (("trigger",), ("said",), "Greets.")
    assert {finding.code for finding in picture.findings} == {"no-policy", "unconnected-event"}
    assert picture.hindrances == ()

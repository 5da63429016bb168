"""Validating a flow finds what is wrong with it before it runs, and says what to do."""

from __future__ import annotations

from typing import Any

import pytest

from routilux import (
    Finding,
    Flow,
    all_slots_ready_policy,
    batch_size_policy,
    immediate_policy,
)
from tests.helpers import graph, node


def nothing(*lists: Any) -> None:
    pass


def good(**how: Any) -> Any:
    """A routine that gives no reason for complaint."""
    how.setdefault("policy", immediate_policy())
    how.setdefault("events", ())
    return node(nothing, **how)


def entry(**how: Any) -> Any:
    return good(slots=["trigger"], **how)


def found(flow: Flow) -> dict[str, Finding]:
    """The findings by their codes, each of which is there once."""
    findings = flow.validate()
    codes = {finding.code: finding for finding in findings}
    assert len(codes) == len(findings), findings
    return codes


def only(flow: Flow) -> Finding:
    (finding,) = flow.validate()
    return finding


def summary(finding: Finding) -> tuple[str, str, str]:
    return finding.level, finding.code, finding.where


def test_a_flow_with_nothing_to_mend_has_no_findings() -> None:
    assert graph(["a -> b"], a=entry(events=["out"]), b=good()).validate() == []


def test_a_flow_without_routines() -> None:
    assert summary(only(Flow("etl"))) == ("error", "empty", "etl")


def test_no_entry_because_the_only_slot_is_fed_by_a_connection() -> None:
    finding = found(graph(["a -> a"], a=good(events=["out"])))["no-entry"]
    assert summary(finding) == ("error", "no-entry", "flow")
    assert "the only slot of its first routine, a.items, is fed by a connection" in finding.message
    assert "define a slot 'trigger'" in finding.remedy


def test_no_entry_because_the_first_routine_has_several_slots() -> None:
    finding = graph(a=good(slots=["left", "right"])).validate()[0]
    assert finding.code == "no-entry"
    assert "its first routine, 'a', has 2 slots" in finding.message


def test_a_routine_that_nothing_leads_to() -> None:
    flow = graph(["b -> c"], a=entry(), b=good(slots=[], events=["out"]), c=good())
    assert [summary(each) for each in flow.validate()] == [
        ("warning", "unreachable", "b"),
        ("warning", "unreachable", "c"),
    ]
    assert "nothing leads here from the entry 'a'" in flow.validate()[0].message


def test_what_can_be_reached_over_a_detour_is_not_unreachable() -> None:
    flow = graph(
        ["a -> b", "b -> c", "c.back -> b"],
        a=entry(events=["out"]),
        b=good(events=["out"]),
        c=good(events=["back", "done"]),
    )
    assert "unreachable" not in {finding.code for finding in flow.validate()}


def test_a_routine_without_logic() -> None:
    finding = only(graph(["a -> b"], a=entry(events=["out"]), b=node(events=[], policy=immediate_policy())))
    assert summary(finding) == ("error", "no-logic", "b")
    assert "set_logic" in finding.remedy


def test_a_routine_without_a_policy_gets_the_immediate_one_and_a_mention() -> None:
    finding = only(graph(["a -> b"], a=entry(events=["out"]), b=node(nothing, events=[])))
    assert summary(finding) == ("info", "no-policy", "b")
    assert "immediate_policy()" in finding.message


def test_a_routine_without_slots_needs_no_policy() -> None:
    assert graph(a=node(nothing, slots=[], events=[])).validate() == []


def test_a_logic_into_which_the_slots_do_not_fit() -> None:
    finding = only(graph(a=node(lambda a, b, c: None, slots=["trigger"])))
    assert summary(finding) == ("error", "bad-logic", "flow")
    assert "routine 'a' takes 3 data arguments" in finding.message


def test_a_slot_that_nothing_feeds() -> None:
    finding = only(graph(["a -> b.left"], a=entry(events=["out"]), b=good(slots=["left", "right"])))
    assert summary(finding) == ("warning", "unconnected-slot", "b.right")


@pytest.mark.parametrize("policy", [all_slots_ready_policy(), batch_size_policy(2)])
def test_a_slot_that_nothing_feeds_but_the_policy_waits_for_starves_its_routine(policy: Any) -> None:
    join = good(slots=["left", "right"], policy=policy)
    finding = only(graph(["a -> b.left"], a=entry(events=["out"]), b=join))
    assert summary(finding) == ("error", "unconnected-slot", "b.right")
    assert "never runs" in finding.message


def test_the_entry_slot_counts_as_fed() -> None:
    assert graph(a=good()).validate() == []


def test_an_event_that_goes_nowhere() -> None:
    finding = only(graph(a=entry(events=["rejects"])))
    assert summary(finding) == ("info", "unconnected-event", "a.rejects")


def test_a_batch_that_never_fits_into_its_slot() -> None:
    batch = good(capacity=10, policy=batch_size_policy(11))
    finding = only(graph(["a -> b"], a=entry(events=["out"]), b=batch))
    assert summary(finding) == ("error", "batch-too-large", "b.items")
    assert "max_queue_length=11" in finding.remedy
    fits = good(capacity=11, policy=batch_size_policy(11))
    assert graph(["a -> b"], a=entry(events=["out"]), b=fits).validate() == []


def test_a_cycle_that_nothing_leaves() -> None:
    round_and_round = {name: good(events=["out"]) for name in "bc"}
    finding = only(graph(["a -> b", "b -> c", "c -> b"], a=entry(events=["out"]), **round_and_round))
    assert summary(finding) == ("warning", "endless-cycle", "b -> c -> b")


def test_a_cycle_with_a_way_out_is_no_finding() -> None:
    flow = graph(
        ["a -> b", "b -> c", "c.back -> b", "c.done -> d"],
        a=entry(events=["out"]),
        b=good(events=["out"]),
        c=good(events=["back", "done"]),
        d=good(),
    )
    assert flow.validate() == []


def test_a_cycle_that_waits_for_itself_before_it_can_start() -> None:
    join = good(slots=["fresh", "again"], events=["out"], policy=all_slots_ready_policy())
    flow = graph(["a -> b.fresh", "b -> b.again"], a=entry(events=["out"]), b=join)
    finding = only(flow)
    assert summary(finding) == ("error", "starved-cycle", "b -> b")


def test_two_separate_cycles_are_two_findings() -> None:
    flow = graph(
        ["a -> b", "a -> c", "b -> b", "c -> c"],
        a=entry(events=["out"]),
        b=good(events=["out"]),
        c=good(events=["out"]),
    )
    assert [finding.where for finding in flow.validate()] == ["b -> b", "c -> c"]


def test_errors_come_first_and_mentions_last() -> None:
    flow = graph(["a -> b.left"], a=entry(events=["out", "rejects"]), b=node(slots=["left", "right"]))
    levels = [finding.level for finding in flow.validate()]
    assert set(levels) == {"error", "warning", "info"}
    assert levels == sorted(levels, key=["error", "warning", "info"].index)


def test_every_finding_is_one_line_that_says_what_to_do() -> None:
    flows = [
        Flow("empty"),
        graph(["a -> a"], a=node()),
        graph(a=node(slots=["left", "right"], policy=batch_size_policy(5000)), b=good()),
    ]
    for flow in flows:
        for finding in flow.validate():
            line = str(finding)
            assert "\n" not in line
            assert finding.remedy
            assert line == f"{finding.level}: {finding.where}: {finding.message}; {finding.remedy}"


def test_validating_changes_nothing_and_may_be_repeated() -> None:
    flow = graph(["a -> a"], a=node())
    assert flow.validate() == flow.validate()

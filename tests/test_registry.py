"""The registry maps names to flows, once per process or as many as a test wants."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import routilux
from routilux import Flow, FlowRegistry
from routilux.monitoring.flow_registry import FlowRegistry as FromMonitoring
from tests.helpers import LIMIT


def test_there_is_one_registry_per_process() -> None:
    assert FlowRegistry.get_instance() is FlowRegistry.get_instance()
    assert isinstance(FlowRegistry.get_instance(), FlowRegistry)


def test_it_is_the_same_class_wherever_it_is_imported_from() -> None:
    assert FromMonitoring is FlowRegistry is routilux.FlowRegistry


def test_threads_that_ask_at_once_get_the_same_instance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FlowRegistry, "_instance", None)
    ready = threading.Barrier(8)
    seen: list[FlowRegistry] = []

    def ask() -> None:
        ready.wait(LIMIT)
        seen.append(FlowRegistry.get_instance())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT)
    assert len(seen) == 8
    assert len(set(map(id, seen))) == 1


def test_a_registry_of_ones_own_shares_nothing_with_the_process(registry: FlowRegistry) -> None:
    registry.register(Flow("of-this-test-only"))
    assert FlowRegistry.get_instance().get_by_name("of-this-test-only") is None


def test_a_flow_is_registered_under_its_id_or_another_name(registry: FlowRegistry) -> None:
    etl, other = Flow("etl"), Flow("other")
    registry.register(etl)
    registry.register_by_name("nightly", other)
    assert registry.get_by_name("etl") is etl
    assert registry.get_by_name("nightly") is other
    assert registry.get_by_name("other") is None
    assert registry.list_names() == ["etl", "nightly"]


def test_a_flow_is_found_by_its_id_under_whatever_name(registry: FlowRegistry) -> None:
    flow = Flow("etl")
    registry.register_by_name("nightly", flow)
    assert registry.get("etl") is flow
    assert registry.get("nightly") is None


def test_registering_a_name_again_replaces_it(registry: FlowRegistry) -> None:
    old, new = Flow("etl"), Flow("etl")
    registry.register(old)
    registry.register_by_name("etl", new)
    assert registry.get_by_name("etl") is new
    assert registry.get("etl") is new
    assert registry.list_names() == ["etl"]


def test_names_can_be_forgotten_singly_or_all(registry: FlowRegistry) -> None:
    for name in ("a", "b", "c"):
        registry.register(Flow(name))
    assert registry.unregister("b") is True
    assert registry.unregister("b") is False
    assert registry.list_names() == ["a", "c"]
    registry.clear()
    assert registry.list_names() == []
    assert registry.get("a") is None


@pytest.mark.parametrize("name", ["", None, 7])
def test_a_name_is_a_string_that_is_not_empty(registry: FlowRegistry, name: Any) -> None:
    with pytest.raises(ValueError, match="a name is a string that is not empty"):
        registry.register_by_name(name, Flow("etl"))
    assert registry.list_names() == []


def test_only_flows_are_taken(registry: FlowRegistry) -> None:
    with pytest.raises(TypeError, match="takes a Flow, not 'etl'"):
        registry.register("etl")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="takes a Flow, not"):
        registry.register_by_name("etl", Flow)  # type: ignore[arg-type]


def test_threads_may_register_look_up_and_forget_at_once(registry: FlowRegistry) -> None:
    failures: list[BaseException] = []
    ready = threading.Barrier(4)

    def work(number: int) -> None:
        try:
            ready.wait(LIMIT)
            for index in range(300):
                flow = Flow(f"flow-{number}-{index}")
                registry.register(flow)
                assert registry.get_by_name(flow.flow_id) is flow
                assert registry.get(flow.flow_id) is flow
                assert flow.flow_id in registry.list_names()
                if index % 2:
                    assert registry.unregister(flow.flow_id)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT)
    assert failures == []
    assert len(registry.list_names()) == 4 * 150


def test_a_registry_prints_readably(registry: FlowRegistry) -> None:
    flow = Flow("etl")
    registry.register(flow)
    assert repr(registry) == "<FlowRegistry: 1 flows>"
    assert dict(registry.__rich_repr__()) == {"flows": {"etl": flow}}

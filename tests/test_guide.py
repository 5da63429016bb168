"""What the guide to the runtime shows its readers, as they would type it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from routilux import Flow, FlowRegistry, JobState, Routine, Runtime, activation_policies
from routilux.activation_policies import immediate_policy
from routilux.monitoring.flow_registry import FlowRegistry as MonitoredRegistry
from tests.helpers import LIMIT


@pytest.fixture(autouse=True)
def registry() -> Iterator[FlowRegistry]:
    """The registry of the process, left as it was found."""
    registry = FlowRegistry.get_instance()
    before = {name: registry.get_by_name(name) for name in registry.list_names()}
    yield registry
    registry.clear()
    for name, flow in before.items():
        assert flow is not None
        registry.register_by_name(name, flow)


class MyRoutine(Routine):
    """As in the guide, but with the slot where entry parameters arrive."""

    def __init__(self, slot: str = "trigger") -> None:
        super().__init__()
        self.input = self.define_slot(slot)
        self.output = self.define_event("output", ["result"])

        def logic(input_data: list[Any], policy_message: Any, job_state: JobState) -> None:
            if input_data:
                self.emit("output", result=f"Processed: {input_data[0]}")

        self.set_logic(logic)
        self.set_activation_policy(immediate_policy())


class Sink(Routine):
    def __init__(self) -> None:
        super().__init__()
        self.define_slot("input")

    def logic(self, items: list[Any], job_state: JobState) -> None:
        job_state.shared_data["results"] = [item["result"] for item in items]


def demo(flow_id: str = "demo") -> Flow:
    flow = Flow(flow_id=flow_id)
    flow.add_routine(MyRoutine(), "routine")
    flow.add_routine(Sink(), "sink")
    flow.connect("routine", "output", "sink", "input")
    return flow


def test_a_registered_flow_is_executed_and_waited_for() -> None:
    assert MonitoredRegistry is FlowRegistry
    FlowRegistry.get_instance().register_by_name("demo", demo())
    with Runtime(thread_pool_size=5) as runtime:
        job_state = runtime.exec("demo", entry_params={"data": "test"})
        job = runtime.get_job(job_state.job_id)
        assert job is not None
        assert job.wait(timeout=LIMIT)
    assert job_state.status == "completed"
    assert job_state.shared_data["results"] == ["Processed: {'data': 'test'}"]
    assert len(job.job_state.get_execution_history()) > 0


def test_a_flow_that_is_not_registered_is_a_value_error_that_says_so() -> None:
    with Runtime() as runtime, pytest.raises(ValueError, match="no flow 'my_flow'"):
        runtime.exec("my_flow")


def test_the_complete_example_of_the_guide_ends_and_says_that_nothing_ran() -> None:
    """Its only slot is fed by its own event: there is no entry, and nothing is guessed."""
    flow = Flow(flow_id="demo")
    flow.add_routine(MyRoutine("input"), "routine")
    flow.connect("routine", "output", "routine", "input")
    FlowRegistry.get_instance().register_by_name("demo", flow)
    with Runtime(thread_pool_size=5) as runtime:
        job_state = runtime.exec("demo", entry_params={"data": "test"})
        job = runtime.get_job(job_state.job_id)
        assert job is not None
        assert job.wait(timeout=10.0)
    assert job_state.status == "completed"
    (notice,) = job_state.notices
    assert "nothing ran" in notice
    assert "parameters not delivered: data" in notice
    assert any(finding.code == "no-entry" for finding in flow.validate())


def test_exec_answers_with_a_running_job_that_goes_on_in_the_background() -> None:
    may_end = threading.Event()
    routine = Routine()
    routine.define_slot("trigger")
    routine.set_logic(lambda trigger: may_end.wait(LIMIT))
    flow = Flow(flow_id="slow")
    flow.add_routine(routine, "slow")
    FlowRegistry.get_instance().register_by_name("slow", flow)
    with Runtime() as runtime:
        job_states = [runtime.exec("slow") for _ in range(3)]
        assert [state.status for state in job_states] == ["running"] * 3
        assert len(runtime.list_jobs(status="running")) == len(runtime.list_jobs(flow_name="slow")) == 3
        job = runtime.get_job(job_states[0].job_id)
        assert job is not None
        assert job.is_running()
        assert not job.is_paused()
        assert runtime.wait_until_all_jobs_finished(timeout=0.01) is False
        may_end.set()
        assert runtime.wait_until_all_jobs_finished(timeout=LIMIT)
        assert len(runtime.list_jobs(status="completed")) == len(runtime.list_jobs()) == 3
        assert runtime.list_jobs(status="failed") == []


def test_one_job_is_cancelled_and_then_all_of_them() -> None:
    started = threading.Semaphore(0)

    def logic(trigger: list[Any], job_state: JobState) -> None:
        started.release()
        job_state.sleep(LIMIT)

    routine = Routine()
    routine.define_slot("trigger")
    routine.set_logic(logic)
    flow = Flow(flow_id="long")
    flow.add_routine(routine, "long")
    FlowRegistry.get_instance().register(flow)
    with Runtime() as runtime:
        states = [runtime.exec("long") for _ in range(3)]
        for _ in states:
            assert started.acquire(timeout=LIMIT)
        first = runtime.get_job(states[0].job_id)
        assert first is not None
        assert first.cancel()
        assert first.wait(LIMIT)
        assert first.is_cancelled()
        assert runtime.cancel_all_jobs() == 2
        assert runtime.wait_until_all_jobs_finished(LIMIT)
        assert [state.status for state in states] == ["cancelled"] * 3


def test_a_saved_job_is_executed_again_by_its_state(tmp_path: Path) -> None:
    file = tmp_path / "saved_state.json"
    FlowRegistry.get_instance().register_by_name("demo", demo())
    with Runtime(thread_pool_size=1) as runtime:
        may_end = threading.Event()
        blocker = Routine()
        blocker.set_logic(lambda: may_end.wait(LIMIT))
        blocking = Flow(flow_id="blocking")
        blocking.add_routine(blocker, "blocker")
        FlowRegistry.get_instance().register(blocking)
        runtime.exec("blocking")  # has the only thread, so that the next job stays where it starts
        job = runtime.get_job(runtime.exec("demo", {"data": 1}).job_id)
        assert job is not None
        assert job.pause()
        assert job.wait_until_paused(LIMIT)
        job.job_state.save(file)
        may_end.set()
        job.cancel()
    with Runtime() as runtime:
        job_state = runtime.exec("demo", job_state=JobState.load(file))
        assert runtime.wait_until_all_jobs_finished(timeout=30.0)
    assert job_state.status == "completed"
    assert job_state.shared_data["results"] == ["Processed: {'data': 1}"]


def test_the_pool_is_cleaned_up_when_the_block_ends() -> None:
    before = set(threading.enumerate())
    FlowRegistry.get_instance().register_by_name("demo", demo())
    with Runtime() as runtime:
        for _ in range(20):
            runtime.exec("demo")
    assert set(threading.enumerate()) <= before
    with pytest.raises(RuntimeError, match="shut down"):
        runtime.exec("demo")


def test_every_policy_of_the_guide_can_be_imported() -> None:
    for name in ("immediate_policy", "all_slots_ready_policy"):
        assert callable(getattr(activation_policies, name)())
    assert callable(activation_policies.batch_size_policy(3))
    assert callable(activation_policies.time_interval_policy(0.5))
    assert callable(activation_policies.custom_policy(lambda slots, job_state: (False, {}, None)))

"""Runs flows of `flows/` in tests: to their end, in two parts with a saved job between, and into a cancel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from routilux import Flow, FlowRegistry, Job, JobState, Runtime

# Seconds that no job of these tests ever takes; only a defect makes one wait that long.
LIMIT = 60.0


def runtime_of(flow: Flow, threads: int = 4) -> Runtime:
    """A runtime that knows one flow, and prints nothing."""
    registry = FlowRegistry()
    registry.register(flow)
    return Runtime(thread_pool_size=threads, registry=registry, echo=False)


def job_of(runtime: Runtime, state: JobState) -> Job:
    job = runtime.get_job(state.job_id)
    assert job is not None
    return job


def run(flow: Flow, threads: int = 4, **params: Any) -> JobState:
    """The state of a job that has ended, however it ended."""
    with runtime_of(flow, threads) as runtime:
        state = runtime.exec(flow.flow_id, params)
        job = job_of(runtime, state)
        assert job.wait(LIMIT), job.why_not_finished()
    return state


def report_of(flow: Flow, threads: int = 4, **params: Any) -> dict[str, Any]:
    """The report of a job, which must complete."""
    state = run(flow, threads, **params)
    assert state.status == "completed", state.error and state.error.traceback
    report: dict[str, Any] = state.shared_data["report"]
    return report


def printed(state: JobState) -> str:
    """What a job printed."""
    return "\n".join(line.message for line in state.logs() if line.level == "PRINT")


class Calls:
    """Counts the calls of a function, and does something within the one of a given number."""

    def __init__(
        self, patch: pytest.MonkeyPatch, owner: Any, name: str, number: int, act: Callable[[], object]
    ) -> None:
        self.count = 0
        function = getattr(owner, name)

        def counted(*args: Any, **keywords: Any) -> Any:
            self.count += 1
            if self.count == number:
                act()
            return function(*args, **keywords)

        patch.setattr(owner, name, counted)


def report_in_two_parts(
    flow: Flow, file: Path, owner: Any, name: str, number: int, **params: Any
) -> dict[str, Any]:
    """The report of a job that is paused within a call, saved, and carried on by another runtime."""
    with pytest.MonkeyPatch.context() as patch, runtime_of(flow) as runtime:
        calls = Calls(patch, owner, name, number, lambda: runtime.list_jobs()[0].pause())
        job = job_of(runtime, runtime.exec(flow.flow_id, params))
        assert job.wait_until_paused(LIMIT), f"{job!r} after {calls.count} calls"
        job.job_state.save(file)
        assert "report" not in job.job_state.shared_data
        job.cancel()
    with runtime_of(flow) as runtime:
        state = runtime.exec(flow.flow_id, job_state=JobState.load(file))
        job = job_of(runtime, state)
        assert job.wait(LIMIT), job.why_not_finished()
    assert state.status == "completed", state.error and state.error.traceback
    report: dict[str, Any] = state.shared_data["report"]
    return report


def calls_after_cancel(flow: Flow, owner: Any, name: str, number: int, **params: Any) -> int:
    """How often a function is still called after the job was cancelled within one of its calls."""
    with pytest.MonkeyPatch.context() as patch, runtime_of(flow) as runtime:
        calls = Calls(patch, owner, name, number, lambda: runtime.list_jobs()[0].cancel())
        job = job_of(runtime, runtime.exec(flow.flow_id, params))
        assert job.wait(LIMIT), job.why_not_finished()
        assert job.status == "cancelled"
        assert "report" not in job.job_state.shared_data
    return calls.count - number

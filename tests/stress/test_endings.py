"""What comes to a job in the very moment in which it ends, or seems to: nothing of it is lost."""

from __future__ import annotations

import random
from typing import Any

import pytest

from routilux import ErrorHandler, JobState, when_quiet_policy
from tests.stress.tools import ended, feeding, flow_of, routine, running, start, switching

pytestmark = pytest.mark.stress


def test_every_remainder_is_asked_for_before_a_job_completes() -> None:
    """Several routines wait for the end: as one is handed its items, the others are not forgotten."""

    def keep(items: list[dict[str, Any]], job_state: JobState) -> None:
        job_state.routine_state()["got"] = len(items)

    flow = flow_of(feeding(2), *[routine(f"quiet{n}", keep, policy=when_quiet_policy()) for n in range(3)])
    for number in range(3):
        flow.connect("source", "out", f"quiet{number}", "items")
    with running(flow, 4) as runtime, switching(1e-6):
        for _ in range(3000):
            job = start(runtime)
            assert ended(job) == "completed"
            assert job.job_state.leftovers == {}
            assert [job.job_state.routine_state(f"quiet{n}")["got"] for n in range(3)] == [2, 2, 2]


def test_a_retry_that_is_due_as_the_job_fails_stays_with_the_job() -> None:
    chance = random.Random(5)
    broken = True

    def fails_once_more(items: list[dict[str, Any]], job_state: JobState) -> None:
        if broken:
            raise ConnectionError("try again")
        job_state.shared_data.setdefault("got", []).append(items[0]["x"])

    def fails(items: list[dict[str, Any]]) -> None:
        for _ in range(chance.randrange(4000)):
            pass
        if broken:
            raise ValueError("for good")

    again = ErrorHandler("retry", max_retries=1000, retry_delay=0.0001, retry_backoff=1.0)
    retried = routine("retried", fails_once_more, handler=again)
    flow = flow_of(feeding(3), retried, routine("bad", fails), name="flow")
    flow.connect("source", "out", "retried", "items")
    flow.connect("source", "out", "bad", "items")
    with running(flow, 3, cpu_permits=None) as runtime, switching(1e-5):
        for _ in range(300):
            broken = True
            job = start(runtime)
            assert ended(job) == "failed"
            broken = False
            job = start(runtime, job_state=job.job_state)
            assert ended(job) == "completed"
            assert sorted(job.job_state.shared_data["got"]) == [0, 1, 2]

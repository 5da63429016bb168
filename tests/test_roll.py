"""The roll of jobs: pictures that cost what changed, and never lack, double or outdate a job."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routilux.job import Job
from routilux.roll import Roll
from routilux.snapshot import JobSummary
from routilux.status import ExecutionStatus as S
from tests.helpers import LIMIT, Bench, Hold, chain, collects, does, graph, source

MakeRuntime = Callable[..., Bench]


class FakeJob:
    """Answers as a Job does. `meanwhile` is called while it is asked, after the answer was made."""

    def __init__(self, job_id: str, status: S = S.RUNNING) -> None:
        self.job_id = job_id
        self.status = status
        self.settled: JobSummary | None = None
        self.asked = 0
        self.meanwhile: Callable[[], object] = lambda: None

    def summary(self) -> JobSummary:
        self.asked += 1
        if self.settled is not None:
            return self.settled
        made = JobSummary(*[None] * len(JobSummary._fields))._replace(  # type: ignore[arg-type]
            job_id=self.job_id, status=self.status
        )
        if self.status.is_final:
            self.settled = made
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        return made


class Ledger:
    """A roll, and beside it the plain list of what it ought to hold."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.roll = Roll(self.lock)
        self.jobs: dict[str, FakeJob] = {}

    def add(self, job_id: str, status: S = S.RUNNING) -> FakeJob:
        job = FakeJob(job_id, status)
        with self.lock:
            self.jobs.pop(job_id, None)
            self.jobs[job_id] = job
            self.roll.add(cast(Job, job))
        return job

    def forget(self, job_id: str) -> None:
        with self.lock:
            self.jobs.pop(job_id, None)
            self.roll.forget(job_id)

    def seen(self) -> list[tuple[str, S]]:
        jobs, counts = self.roll.picture()
        assert counts == Counter(job.status for job in jobs)
        return [(job.job_id, job.status) for job in jobs]

    def true(self) -> list[tuple[str, S]]:
        return [(job.job_id, job.status) for job in self.jobs.values()]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("add"), st.integers(0, 5), st.sampled_from(S)),
            st.tuples(st.just("forget"), st.integers(0, 5), st.none()),
            st.tuples(st.just("change"), st.integers(0, 5), st.sampled_from(S)),
            st.tuples(st.just("look"), st.none(), st.none()),
        ),
        max_size=40,
    )
)
def test_a_picture_always_shows_all_jobs_as_they_are(steps: list[tuple[str, int, S]]) -> None:
    ledger = Ledger()
    for what, number, status in steps:
        if what == "add":
            ledger.add(str(number), status)
        elif what == "forget":
            ledger.forget(str(number))
        elif what == "change":
            job = ledger.jobs.get(str(number))
            if job is not None and not job.status.is_final:
                job.status = status
        else:
            assert ledger.seen() == ledger.true()
    assert ledger.seen() == ledger.true()


def test_a_job_that_has_ended_is_asked_once_more_and_never_again() -> None:
    ledger = Ledger()
    job = ledger.add("a")
    ledger.seen()
    job.status = S.COMPLETED
    ledger.seen()
    asked = job.asked
    first, counts = ledger.roll.picture()
    assert job.asked == asked
    assert ledger.roll.picture()[0] is first
    assert ledger.roll.picture()[1] is counts


def test_a_job_that_ends_while_it_is_asked_is_seen_to_have_ended_next_time() -> None:
    ledger = Ledger()
    job = ledger.add("a")

    def end() -> None:
        job.status = S.COMPLETED
        # Somebody else asks too, and gets the answer that lasts.
        job.summary()

    job.meanwhile = end
    assert ledger.seen() == [("a", S.RUNNING)]
    assert ledger.seen() == [("a", S.COMPLETED)]


def test_a_job_that_is_forgotten_while_it_is_asked_does_not_come_back() -> None:
    ledger = Ledger()
    ledger.add("a").meanwhile = lambda: ledger.forget("a")
    assert ledger.seen() == []
    assert ledger.seen() == []


def test_a_job_that_is_carried_on_while_it_is_asked_shows_what_it_is_now() -> None:
    ledger = Ledger()
    ledger.add("b")
    ledger.add("a", S.FAILED).meanwhile = lambda: ledger.add("a", S.RUNNING)
    assert ledger.seen() == [("b", S.RUNNING)]
    assert ledger.seen() == [("b", S.RUNNING), ("a", S.RUNNING)]


def test_a_job_that_comes_while_others_are_asked_is_in_the_next_picture() -> None:
    ledger = Ledger()
    ledger.add("a").meanwhile = lambda: ledger.add("b")
    assert ledger.seen() == [("a", S.RUNNING)]
    assert ledger.seen() == ledger.true() == [("a", S.RUNNING), ("b", S.RUNNING)]


def test_a_job_is_asked_for_one_picture_at_a_time_and_without_the_lock_of_the_runtime() -> None:
    ledger = Ledger()
    held: list[tuple[bool, bool]] = []
    job = ledger.add("a")
    job.meanwhile = lambda: held.append((ledger.lock.locked(), ledger.roll._taking.locked()))
    ledger.seen()
    assert held == [(False, True)]


def test_the_pictures_of_a_runtime_share_what_has_ended(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(max_finished_jobs=3)
    hold = Hold()
    held = runtime.start(graph(worker=does(hold)))
    hold.reached()
    jobs = [runtime.run(chain(source([1]), collects())) for _ in range(5)]
    first, second = runtime.snapshot(), runtime.snapshot()
    assert [job.job_id for job in first.jobs] == [held.job_id, *(job.job_id for job in jobs[2:])]
    assert first.counts == {S.RUNNING: 1, S.COMPLETED: 3}
    assert all(a is b for a, b in zip(first.jobs[1:], second.jobs[1:], strict=True))
    hold.release()
    assert runtime.wait_until_all_jobs_finished(LIMIT)
    assert runtime.snapshot().counts == {S.COMPLETED: 3}
    assert runtime.snapshot().jobs is runtime.snapshot().jobs


@pytest.mark.stress
def test_pictures_from_many_threads_while_jobs_come_end_and_are_forgotten(make_runtime: MakeRuntime) -> None:
    runtime = make_runtime(max_finished_jobs=20)
    runtime.flows.register(graph(worker=does(lambda: None)))
    over = threading.Event()
    wrong: list[object] = []

    def look() -> None:
        ended: set[str] = set()
        while not over.is_set():
            picture = runtime.snapshot()
            ids = [job.job_id for job in picture.jobs]
            if len(ids) != len(set(ids)) or picture.counts != Counter(job.status for job in picture.jobs):
                wrong.append(picture)
            if any(job.job_id in ended and not job.status.is_final for job in picture.jobs):
                wrong.append(picture)
            ended.update(job.job_id for job in picture.jobs if job.status.is_final)

    watchers = [threading.Thread(target=look) for _ in range(3)]
    for watcher in watchers:
        watcher.start()
    for _ in range(600):
        runtime.exec("flow")
    assert runtime.wait_until_all_jobs_finished(LIMIT)
    over.set()
    for watcher in watchers:
        watcher.join(LIMIT)
    assert not wrong
    assert list(runtime.snapshot().jobs) == [job.summary() for job in runtime.list_jobs()]

"""Between two pictures: exactly what differs is found, and what is kept of it is right."""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routilux.snapshot import JobSummary
from tests.tui import fixed
from tests.tui.fixed import S
from tui import roster
from tui.roster import Change, Roster, changes_between

JOB = st.tuples(st.integers(0, 8), st.sampled_from(S))


def next_picture(before: tuple[JobSummary, ...], steps: list[tuple[int, S]]) -> tuple[JobSummary, ...]:
    """Each step changes a job that is there, now and then drops it, or adds one that is not."""
    jobs = {job.job_id: job for job in before}
    for number, status in steps:
        job = fixed.summary(number, status, "etl" if number % 2 else "report")
        if job.job_id in jobs and status is S.CANCELLED:
            del jobs[job.job_id]
        elif job.job_id in jobs and status is S.INTERRUPTED:
            # Carried on: it comes last again.
            jobs[job.job_id] = jobs.pop(job.job_id)._replace(status=S.RUNNING)
        else:
            jobs[job.job_id] = job
    return tuple(jobs.values())


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(JOB, max_size=8), max_size=6), st.sampled_from([1, 2, 3, 1024]))
def test_the_roster_of_many_pictures_is_that_of_the_last(
    pictures: list[list[tuple[int, S]]], block: int
) -> None:
    roster._BLOCK = block  # type: ignore[misc]
    try:
        kept = Roster()
        jobs: tuple[JobSummary, ...] = ()
        seen: dict[str, JobSummary] = {}
        gone = 0
        for steps in pictures:
            before, jobs = jobs, next_picture(jobs, steps)
            changes = kept.take(jobs)
            assert (changes.before, changes.after) == (before, jobs)
            for old, new in changes.each:
                if old is not None:
                    assert seen.pop(old.job_id) == old
                if new is not None:
                    assert new.job_id not in seen
                    seen[new.job_id] = new
            assert seen == {job.job_id: job for job in jobs}
            assert kept.by_id == seen
            assert kept.unfinished == {job.job_id: job for job in jobs if not job.status.is_final}
            counts = {
                flow: Counter(job.status for job in jobs if job.flow_name == flow)
                for flow in ("etl", "report")
            }
            gone += len({job.job_id for job in before} - seen.keys())
            assert kept.gone == gone
            assert kept.by_flow == {flow: each for flow, each in counts.items() if each}
    finally:
        roster._BLOCK = 1024  # type: ignore[misc]


def test_what_is_the_same_is_no_change() -> None:
    jobs = tuple(fixed.summary(number, S.COMPLETED) for number in range(5000))
    other = jobs[4000]._replace(status=S.FAILED)
    newer = fixed.summary(6000, S.RUNNING)
    after = (*jobs[2:4000], other, *jobs[4001:], newer)
    assert changes_between(jobs, after).each == (
        Change(jobs[0], None), Change(jobs[1], None), Change(jobs[4000], other), Change(None, newer),
    )  # fmt: skip
    assert changes_between(jobs, jobs).each == ()

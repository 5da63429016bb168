"""The rows of the job table: kept piece by piece, they are what sorting everything anew would give."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routilux.snapshot import JobSummary, Progress
from tests.tui import fixed
from tests.tui.fixed import S
from tui import job_rows, ranking
from tui.filters import parse_filter
from tui.job_rows import VIEWS, JobRows
from tui.job_search import FIELDS, STATES, JobTexts
from tui.ranking import SORTS, Sort, value_by
from tui.roster import Change, changes_between

FILTERS = [
    "",
    "etl",
    "state:failed",
    "!state:completed",
    "flow:report day=1",
    "params:day=2",
    "error:key",
    "gen:3",
]


def wanted(text: str) -> Any:
    return parse_filter(text, FIELDS, {"state": STATES})


@st.composite
def a_job(draw: st.DrawFn) -> JobSummary:
    number = draw(st.integers(0, 12))
    job = fixed.summary(
        number,
        draw(st.sampled_from(S)),
        draw(st.sampled_from(["etl.daily", "report"])),
        elapsed=draw(st.sampled_from([1.0, 2.0, 30.5])),
        # A job keeps its parameters.
        params={"day": number % 4},
        progress=draw(st.sampled_from([None, Progress(1), Progress(1, 4), Progress(3, 4)])),
        error=draw(st.sampled_from(["", "KeyError: x"])),
    )
    return job._replace(generation=draw(st.sampled_from([None, 3, 12])))


STEP = st.one_of(
    st.tuples(st.just("jobs"), st.lists(a_job(), max_size=6)),
    st.tuples(st.just("gone"), st.integers(0, 12)),
    st.tuples(st.just("sort"), st.builds(Sort, st.sampled_from(list(SORTS)), st.booleans())),
    st.tuples(st.just("view"), st.sampled_from(VIEWS)),
    st.tuples(st.just("filter"), st.sampled_from(FILTERS)),
    st.tuples(st.just("go on"), st.none()),
)


def naive(rows: JobRows, jobs: tuple[JobSummary, ...]) -> list[JobSummary]:
    """What the rows ought to be, in the plainest way."""

    def shown(job: JobSummary) -> bool:
        if rows.view == "failed":
            return job.status is S.FAILED
        return rows.view == "all" or not job.status.is_final

    passes = JobTexts().predicate(rows.filter) or (lambda job: True)
    passing = [job for job in jobs if shown(job) and passes(job)]
    if rows.sort.by == "started":
        return passing[::-1] if rows.sort.down else passing
    value = value_by(rows.sort.by, JobTexts().params)
    # Sorting is stable: among equals the newest stays first, whichever way the values go.
    newest_first = passing[::-1]
    return sorted(newest_first, key=lambda job: value((0, job)), reverse=rows.sort.down)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEP, max_size=25), st.sampled_from([0, 3, 1000]), st.booleans())
def test_the_rows_are_those_of_sorting_everything_anew(
    steps: list[tuple[str, Any]], many: int, slowly: bool
) -> None:
    ranking._MANY, job_rows._GLANCE = many, 2  # type: ignore[misc]
    try:
        # With a clock that runs away every scan is cut into as many parts as possible.
        ticking = itertools.count()
        rows = JobRows(lambda: float(next(ticking)) if slowly else 0.0, budget=0.5)
        jobs: tuple[JobSummary, ...] = ()
        for what, value in steps:
            if what in ("jobs", "gone"):
                now = {job.job_id: job for job in jobs}
                if what == "gone":
                    now.pop(fixed.summary(value, S.RUNNING).job_id, None)
                else:
                    for job in value:
                        if job.job_id in now and now[job.job_id].status.is_final:
                            del now[job.job_id]
                        now[job.job_id] = job
                after = tuple(now.values())
                rows.update(changes_between(jobs, after).each)
                jobs = after
            elif what == "go on":
                rows.go_on()
            else:
                rows.arrange(
                    **{"wanted" if what == "filter" else what: wanted(value) if what == "filter" else value}
                )
            if not rows.scanning:
                assert list(rows.rows) == naive(rows, jobs)
            for at, job in enumerate(rows.rows):
                assert rows.row_of(job.job_id) == (at if job.job_id in rows else None)
            assert rows.row_of("nobody") is None
        while rows.go_on():
            pass
        assert list(rows.rows) == naive(rows, jobs)
        hidden = {job.job_id for job in jobs} - {job.job_id for job in rows.rows}
        assert all(rows.row_of(job_id) is None for job_id in hidden)
    finally:
        ranking._MANY, job_rows._GLANCE = 200, 512  # type: ignore[misc]


def test_a_new_filter_leaves_the_rows_alone_until_it_has_been_over_all() -> None:
    ticking = itertools.count()
    rows = JobRows(lambda: float(next(ticking)), budget=0.5)
    rows.reset([fixed.summary(number, S.COMPLETED) for number in range(2000)])
    assert rows.arrange(wanted=wanted("id:0007beef"))
    assert rows.scanning
    assert len(rows.rows) == 2000
    # What comes meanwhile is neither lost nor shown before its time.
    rows.update([Change(None, fixed.summary(0x7BEEF, S.FAILED)._replace(job_id="0007beef-again"))])
    assert len(rows.rows) == 2000
    while rows.go_on():
        pass
    assert [job.job_id for job in rows.rows] == ["0007beef-again", "0007beef00000007"]


def test_a_job_that_goes_while_a_filter_is_looked_through_is_gone() -> None:
    ticking = itertools.count()
    rows = JobRows(lambda: float(next(ticking)), budget=0.5)
    jobs = [fixed.summary(number, S.RUNNING) for number in range(1000)]
    rows.reset(jobs)
    assert rows.arrange(wanted=wanted("etl"))
    rows.update([Change(jobs[999], None)])
    while rows.go_on():
        pass
    assert list(rows.rows) == jobs[998::-1]


def test_other_jobs_altogether() -> None:
    rows = JobRows()
    rows.reset(fixed.JOBS)
    rows.reset(fixed.JOBS[:3])
    assert list(rows.rows) == list(fixed.JOBS[2::-1])
    assert len(rows) == 3


def test_what_is_forgotten_leaves_no_texts_behind() -> None:
    rows = JobRows()
    rows.reset([fixed.summary(number, S.COMPLETED) for number in range(100)])
    rows.texts.read_ahead(60)
    rows.reset([])
    assert not rows.texts._params
    assert not rows.texts._ended
    rows.reset([fixed.summary(number, S.COMPLETED) for number in range(100)])
    rows.reset([])
    assert not rows.texts.read_ahead(60)
    assert not rows.texts._params


def test_reading_ahead_stops_when_its_time_is_over() -> None:
    ticking = itertools.count()
    texts = JobTexts(clock=lambda: float(next(ticking)))
    for number in range(10):
        texts.expect(fixed.summary(number, S.COMPLETED))
    assert texts.read_ahead(4)
    assert len(texts._params) == 3
    assert not texts.read_ahead(100)


WITH_DAY = "11 13 14 15 18 19 1a"


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("state:fail", "13"), ("state:pau", "16 18"), ("key", "13"), ("error:nothing", "12"),
        ("id:0016", "16"),
        ("day=2025", WITH_DAY), ('"limit=1000"', WITH_DAY), ("params:etl", ""), ("flow:render", "16 17"),
        ("gen:1 !day", "12 16 17"), ("gen:11", ""), ('flow:"report.r"', "16 17"), ("load started", "1a"),
    ],
)  # fmt: skip
def test_what_a_filter_finds(text: str, ids: str) -> None:
    rows = JobRows()
    rows.reset(fixed.JOBS)
    rows.arrange(wanted=wanted(text), sort=Sort("started", False))
    assert " ".join(job.job_id[2:4] for job in rows.rows) == ids

"""What jobs that have ended say about their flow, worked out only when others have ended."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from routilux.snapshot import JobSummary
from routilux.status import ExecutionStatus as S
from tests.tui import fixed
from tests.tui.driving import main_of, text_of
from tui.flow_statistics import FlowStatistics, statistics_lines, statistics_of
from tui.spans import line_width, plain

Matches = Callable[..., bool]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def jobs(*what: tuple[S, float]) -> list[JobSummary]:
    return [fixed.summary(number, status, elapsed=seconds) for number, (status, seconds) in enumerate(what)]


def said(*what: tuple[S, float], columns: int = 200) -> list[str]:
    return [plain(line) for line in statistics_lines(statistics_of(jobs(*what), "etl.daily"), columns)]


def test_durations_are_those_of_completed_jobs_and_the_rate_is_of_those_that_were_judged() -> None:
    lines = said((S.COMPLETED, 1), (S.FAILED, 99), (S.COMPLETED, 3), (S.CANCELLED, 50), (S.COMPLETED, 2))
    assert lines == ["✓✗✓⊘✓", "5 jobs ended, 25% failed (1 of 4), median 2.0s, p95 3.0s"]


def test_of_an_even_number_the_median_lies_between_two() -> None:
    assert statistics_of(jobs((S.COMPLETED, 1), (S.COMPLETED, 4)), "etl.daily").median == 2.5


def test_p95_leaves_the_slowest_twentieth_out() -> None:
    statistics = statistics_of(jobs(*((S.COMPLETED, float(at)) for at in range(100))), "etl.daily")
    assert statistics.p95 == 95.0


def test_what_has_only_been_cancelled_says_nothing_of_time_or_failures() -> None:
    assert said((S.CANCELLED, 1)) == ["⊘", "1 job ended"]


def test_a_rate_that_is_small_is_not_said_to_be_none() -> None:
    assert "under 1% failed (1 of 1,000)" in said((S.FAILED, 1), *[(S.COMPLETED, 1.0)] * 999)[1]


def test_other_flows_and_jobs_that_run_do_not_count() -> None:
    others = [fixed.summary(1, S.COMPLETED, "backfill"), fixed.summary(2, S.RUNNING)]
    assert statistics_of(others, "etl.daily").ended == 0


def test_the_last_twenty_outcomes_are_shown() -> None:
    assert len(said(*[(S.COMPLETED, 1.0)] * 30)[0]) == 20


@pytest.mark.parametrize("columns", [10, 16, 34, 60])
def test_no_line_is_wider_than_there_is_room(columns: int) -> None:
    statistics = statistics_of(jobs(*[(S.FAILED, 1.0)] * 30, (S.COMPLETED, 1e6)), "etl.daily")
    assert max(line_width(line) for line in statistics_lines(statistics, columns)) <= columns


def test_they_are_worked_out_only_when_a_job_came_ended_or_was_forgotten() -> None:
    statistics = FlowStatistics()
    some = jobs((S.COMPLETED, 1), (S.RUNNING, 1), (S.RUNNING, 1))
    for _ in range(5):
        statistics.of(fixed.snapshot(some), "etl.daily")
        # A job that runs changes all the time.
        some[1] = some[1]._replace(elapsed=some[1].elapsed + 1)
    assert statistics.worked_out == 1
    some[1] = some[1]._replace(status=S.FAILED)
    found = statistics.of(fixed.snapshot(some), "etl.daily")
    assert found is not None
    assert found.failed == 1
    found = statistics.of(fixed.snapshot(some[1:]), "etl.daily")
    assert found is not None
    assert found.ended == 1


@pytest.mark.anyio
async def test_the_pane_follows_the_jobs_that_end() -> None:
    app = fixed.app(())
    async with app.run_test(size=(120, 50)) as pilot:
        await pilot.press("j")
        view = main_of(pilot).flow_view
        assert "ended" not in text_of(view)
        app.backend.give(jobs((S.COMPLETED, 2)))  # type: ignore[attr-defined]
        main_of(pilot)._frame()
        assert "median 2.0s" in text_of(view)
        app.backend.give(jobs((S.COMPLETED, 2), (S.FAILED, 1)))  # type: ignore[attr-defined]
        main_of(pilot)._frame()
        assert "50% failed" in text_of(view)


@pytest.mark.parametrize(
    ("size", "theme"),
    [((60, 40), "textual-dark"), ((120, 60), "textual-light"), ((200, 60), "textual-dark")],
    ids=str,
)
def test_flow_pictures(matches: Matches, size: tuple[int, int], theme: str) -> None:
    some = jobs(
        *[(S.COMPLETED, 3.0 + at) for at in range(9)], (S.FAILED, 2), (S.CANCELLED, 1), (S.COMPLETED, 70)
    )
    assert matches(fixed.app(some, theme=theme), size, press=("j", "3", "z"))

"""Jobs in sentences."""

from __future__ import annotations

import pytest

from tests.tui import fixed
from tests.tui.fixed import S
from tui.job_words import count_of, job_name, jobs_have, jobs_named, jobs_were

JOBS = [fixed.summary(number, S.RUNNING) for number in range(1, 1_010)]


def test_a_job_is_named_by_its_id_as_lists_show_it_and_by_its_flow() -> None:
    assert job_name(JOBS[0]) == "0001be etl.daily"


@pytest.mark.parametrize(
    ("number", "end"),
    [(1, "0001be etl.daily"), (4, "0004be etl.daily"), (5, "and 1 more"), (1_009, "and 1,005 more")],
)
def test_four_are_named_and_the_others_counted(number: int, end: str) -> None:
    said = jobs_named(JOBS[:number])
    assert said.endswith(end)
    assert said.count("etl.daily") == min(number, 4)


def test_one_is_one_and_more_are_more() -> None:
    assert [count_of(1), count_of(1_200)] == ["1 job", "1,200 jobs"]
    assert [count_of(1, "saved job"), count_of(2, "saved job")] == ["1 saved job", "2 saved jobs"]
    assert [jobs_have(1), jobs_have(2)] == ["1 job has", "2 jobs have"]
    assert [jobs_were(1), jobs_were(0)] == ["1 job was", "0 jobs were"]

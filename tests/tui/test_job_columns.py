"""The columns of the list of jobs follow the rows that are seen, however these came into view."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

import pytest
from textual.events import MouseScrollDown

from tests.tui import fixed
from tests.tui.driving import Drive, main_of, screen_text, until, until_shown
from tests.tui.fixed import S
from tui.ranking import Ranking
from tui.widgets.job_table import JobTable

pytestmark = pytest.mark.anyio

NAME = "yearly.statement"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def short(numbers: range) -> list[fixed.JobSummary]:
    """Jobs of a flow with a short name and no parameters."""
    return [fixed.summary(number, S.COMPLETED, "nop", params={}) for number in numbers]


LONG = fixed.summary(0, S.FAILED, NAME, params={"year": 2024}, error="KeyError: 'sku'")


@asynccontextmanager
async def listed(jobs: Sequence[fixed.JobSummary]) -> AsyncIterator[tuple[Drive, JobTable]]:
    app = fixed.app(jobs)
    app.animation_level = "none"
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("4")
        yield pilot, main_of(pilot).job_table


def names(table: JobTable) -> list[str]:
    return [column.name for column in table._columns]


async def test_rows_that_the_wheel_brings_into_view_are_shown_in_full() -> None:
    async with listed([LONG, *short(range(1, 121))]) as (pilot, table):
        assert "parameters" not in names(table)
        for _ in range(120):
            await pilot._post_mouse_events([MouseScrollDown], widget=table, offset=(10, 5))
        await until_shown(pilot, LONG.job_id[:6])
        assert NAME in screen_text(pilot)
        assert "year=2024" in screen_text(pilot)


@pytest.mark.parametrize("keys", ["G", "Gkk", "Gkkk"])
async def test_rows_that_a_key_brings_into_view_are_shown_in_full(keys: str) -> None:
    # So far from the end that they are first looked at when the cursor arrives there.
    async with listed([LONG, *short(range(1, 201))]) as (pilot, _):
        await pilot.press(*keys)
        assert LONG.job_id[:6] in screen_text(pilot)
        assert NAME in screen_text(pilot)
        assert "year=2024" in screen_text(pilot)


async def test_columns_stay_as_they_are_while_the_same_jobs_are_paged_through() -> None:
    async with listed([LONG, *short(range(1, 201))]) as (pilot, table):
        await pilot.press("G", "g")
        columns = table._columns
        assert "parameters" in names(table)
        await pilot.press("pagedown", "pagedown", "G", "g")
        assert table._columns == columns


async def test_other_jobs_are_measured_anew() -> None:
    async with listed([LONG, *short(range(1, 201))]) as (pilot, table):
        await pilot.press("G", "slash", *"nop", "enter")
        await until(pilot, lambda: not table.rows.scanning and len(table.rows.rows) == 200)
        assert "parameters" not in names(table)
        assert next(column.width for column in table._columns if column.name == "flow") == 4


async def test_a_frame_looks_at_the_rows_that_are_seen_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listed(short(range(50_000))) as (_, table):
        looked = 0
        get = Ranking.__getitem__

        def counted(ranking: Ranking, at):  # type: ignore[no-untyped-def]
            nonlocal looked
            if not isinstance(at, slice):  # a slice asks for each of its rows
                looked += 1
            return get(ranking, at)

        def all_of_them(ranking: Ranking) -> Iterator[fixed.JobSummary]:
            raise AssertionError("it went over all rows")

        monkeypatch.setattr(Ranking, "__getitem__", counted)
        monkeypatch.setattr(Ranking, "__iter__", all_of_them)
        table._show_rows()
        assert 0 < looked < 500

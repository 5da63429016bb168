"""Typing a filter where there is one already, as in the address bar of a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.tui import fixed
from tests.tui.driving import Drive, main_of
from tui.screens.main import MainScreen

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def driven(*keys: str) -> AsyncIterator[tuple[Drive, MainScreen]]:
    app = fixed.app()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press(*keys)
        yield pilot, main_of(pilot)


async def test_what_is_typed_takes_the_place_of_the_filter_there_was() -> None:
    async with driven("4", "slash", *"etl", "enter", "slash") as (pilot, main):
        assert main.job_table.filter.text == "etl"
        await pilot.press(*"fail", "enter")
        assert main.job_table.filter.text == "fail"


@pytest.mark.parametrize(
    ("keys", "text"), [(["right", "x"], "etlx"), (["left", "x"], "xetl"), (["end", "backspace"], "et")]
)
async def test_moving_the_cursor_edits_the_filter_there_was(keys: list[str], text: str) -> None:
    async with driven("4", "slash", *"etl", "enter", "slash") as (pilot, main):
        await pilot.press(*keys, "enter")
        assert main.job_table.filter.text == text


async def test_enter_alone_keeps_the_filter_there_was() -> None:
    async with driven("4", "slash", *"etl", "enter", "slash", "enter") as (_, main):
        assert main.job_table.filter.text == "etl"


async def test_a_flow_that_a_filter_has_hidden_is_chosen_again_when_it_is_cleared() -> None:
    async with driven("1", "j", "j") as (pilot, main):
        chosen = main.flow_list.chosen
        await pilot.press("slash", *"nothing")
        assert main.flow_list.row_count() == 0
        assert main.flow_list.chosen is None
        await pilot.press("escape")
        assert main.flow_list.chosen == chosen


async def test_a_flow_that_is_chosen_under_a_filter_stays_so_when_it_is_cleared() -> None:
    async with driven("1", "slash", *"report", "enter") as (pilot, main):
        await pilot.press("escape")
        assert main.flow_list.chosen == "report.render"

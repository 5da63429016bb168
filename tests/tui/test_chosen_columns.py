"""The columns of the list of jobs, where a configuration names them."""

from __future__ import annotations

import pytest

from tests.tui import fixed
from tests.tui.driving import main_of, until_shown
from tui.app import RoutiluxApp
from tui.job_columns import Needs, arrange, pick

ALL = arrange(160, Needs(flow=10, params=True, generation=2, progress=True))


def test_without_a_wish_there_are_those_that_fit() -> None:
    assert pick(ALL, ()) == ALL


def test_those_that_are_wanted_stand_in_their_order_and_take_all_the_room() -> None:
    picked = pick(ALL, ("last", "id", "state"))
    assert [column.title for column in picked] == ["last event", "id", "state"]
    assert sum(column.width + 1 for column in picked) == sum(column.width + 1 for column in ALL)


def test_one_that_does_not_fit_stays_away() -> None:
    narrow = arrange(40, Needs(flow=10, params=False))
    assert [column.name for column in pick(narrow, ("params", "flow"))] == ["flow"]


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_the_list_shows_what_is_configured(anyio_backend: str) -> None:
    app = RoutiluxApp(
        fixed.FixedBackend(), catalogue=fixed.CATALOGUE, clock=fixed.clock, theme="textual-dark",
        columns=("flow", "elapsed"),
    )  # fmt: skip
    async with app.run_test(size=(120, 40)) as pilot:
        await until_shown(pilot, "elapsed")
        assert [column.name for column in main_of(pilot).job_table._columns] == ["flow", "elapsed"]

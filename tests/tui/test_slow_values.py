"""Data of classes whose repr takes its time: the screen goes on without it, and shows it when it is there."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from routilux.history import ExecutionRecord
from tests.tui import fixed, fixed_errors
from tests.tui.driving import Drive, app_of, main_of, screen_text, text_of, until, until_shown
from tui import formats
from tui.pictures import JobData, JobDetail
from tui.screens.text import TextScreen
from tui.widgets.history_view import HistoryView

pytestmark = pytest.mark.anyio

go_on = threading.Event()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def no_text_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats._FOREIGN, "_patience", 2.0)
    go_on.clear()


def held(number: int) -> Any:
    """An object whose repr waits until it may go on; of a class that nobody has met yet."""

    class Held:
        def __repr__(self) -> str:
            go_on.wait(60)
            return f"held {number}"

    return Held()


@asynccontextmanager
async def tab_of(*keys: str, **given: Any) -> AsyncIterator[Drive]:
    app = fixed.app()
    app.animation_level = "none"
    for name, value in given.items():
        setattr(app.backend, name, value)
    try:
        async with app.run_test(size=(120, 50), notifications=True) as pilot:
            await pilot.press("5", *keys)
            yield pilot
    finally:
        go_on.set()


def records(*routines: str) -> list[ExecutionRecord]:
    # The fixed job no longer keeps its first record.
    return [
        ExecutionRecord(at, fixed.NOW, routine, "good", {"row": held(at)})
        for at, routine in enumerate(routines, 1)
    ]


def data(shared: dict[str, Any]) -> JobData:
    return JobData({}, shared, ())


def history_of(pilot: Drive) -> HistoryView:
    return main_of(pilot).job_pane.more().history


async def test_a_record_is_listed_without_its_data_until_that_is_there() -> None:
    async with tab_of("right", "right", records=records("clean", "load")) as pilot:
        assert "{'row': …}" in screen_text(pilot)
        assert "too long" not in screen_text(pilot)
        go_on.set()
        await until_shown(pilot, "{'row': held 1}")
        await until_shown(pilot, "{'row': held 2}")


async def test_all_of_a_record_is_shown_when_it_is_there() -> None:
    async with tab_of("right", "right", "enter", records=records("clean")) as pilot:
        record = main_of(pilot).job_pane.more().history_tab.record
        assert "'row': …" in text_of(record)
        go_on.set()
        await until(pilot, lambda: "'row': held 1" in text_of(record))


async def test_a_filter_shows_what_passes_as_it_is_read_and_says_how_much_is_not() -> None:
    async with tab_of("right", "right", records=records("clean", "load", "clean")) as pilot:
        view = history_of(pilot)
        view.set_filter("routine:clean")
        assert [view.row_key(row) for row in range(view.row_count())] == ["1", "3"]
        assert "read" not in view.words
        view.set_filter("held")
        assert view.row_count() == 0
        assert "3 are still being read" in view.words
        assert "nothing passes held yet" in text_of(view)
        go_on.set()
        await until(pilot, lambda: view.row_count() == 3)
        assert [view.row_key(row) for row in range(3)] == ["1", "2", "3"]
        assert view.chosen == "3"
        view.set_filter("!2")
        assert [view.row_key(row) for row in range(view.row_count())] == ["1", "3"]
        assert "read" not in view.words


async def test_a_value_of_the_data_is_shown_when_it_is_there() -> None:
    async with tab_of("left", "left", held=data({"row": held(1), "other": 2})) as pilot:
        await pilot.press("j", "plus")
        assert "'row': …" in screen_text(pilot)
        assert "'other': 2" in screen_text(pilot)
        go_on.set()
        await until_shown(pilot, "'row': held 1")


async def test_a_parameter_in_the_overview_is_shown_when_it_is_there() -> None:
    row = held(1)

    def detail(job_id: str) -> JobDetail:
        job = next(job for job in fixed.JOBS if job.job_id == job_id)
        return fixed.detail(job._replace(entry_params={"row": row}))

    async with tab_of(detail=detail) as pilot:
        overview = main_of(pilot).job_pane.overview
        await until(pilot, lambda: "row=…" in text_of(overview))
        go_on.set()
        await until(pilot, lambda: "row=held 1" in text_of(overview))


async def test_what_a_job_failed_on_is_shown_when_it_is_there() -> None:
    error = fixed_errors.several(fixed.NOW)[2]._replace(data_slice={"rows": [held(1)]})
    async with tab_of("left", errors=(error,)) as pilot:
        view = main_of(pilot).job_pane.more().error_view
        assert "…" in text_of(view)
        go_on.set()
        await until(pilot, lambda: "held 1" in text_of(view))


@pytest.mark.parametrize(
    ("keys", "given"),
    [
        (["right", "right"], {"records": records("clean")}),
        (["left", "left", "j"], {"held": data({"row": held(1)})}),
    ],
    ids=["record", "data"],
)
async def test_y_copies_it_when_it_is_there_and_keys_do_not_wait_for_that(
    keys: list[str], given: dict[str, Any]
) -> None:
    async with tab_of(*keys, **given) as pilot:
        await pilot.press("y")
        await until_shown(pilot, "take their time")
        await pilot.press("1")
        assert main_of(pilot).pane == "flows"
        assert not app_of(pilot).clipboard
        go_on.set()
        await until(pilot, lambda: "held 1" in app_of(pilot).clipboard)


async def test_enter_shows_all_of_a_value_when_it_is_there() -> None:
    async with tab_of("left", "left", held=data({"row": held(1)})) as pilot:
        await pilot.press("j", "plus", "j", "enter")
        await until_shown(pilot, "take their time")
        go_on.set()
        await until(pilot, lambda: isinstance(pilot.app.screen, TextScreen))
        await until_shown(pilot, "held 1")


async def test_the_app_ends_while_a_text_is_still_being_read() -> None:
    async with tab_of("right", "right", records=records("clean", "load")) as pilot:
        await pilot.press("q")
        pilot.app.exit()
    assert not app_of(pilot).is_running

"""The Overview tab: a row per routine, what the job waits for, what is left over, the newest of the log."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import MappingProxyType

import pytest

from routilux.history import LogLine
from tests.tui import fixed
from tests.tui.driving import Drive, main_of, screen_text, text_of
from tui.formats import parameters_line
from tui.pictures import JobDetail
from tui.spans import line_width
from tui.widgets.overview import Overview, log_rows, overview_rows

Matches = Callable[..., bool]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def overview_of(*keys: str, size: tuple[int, int] = (120, 50)) -> AsyncIterator[tuple[Drive, Overview]]:
    app = fixed.app()
    app.animation_level = "none"
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        await pilot.press("5", *keys)
        await pilot.pause()
        yield pilot, main_of(pilot).job_pane.overview


def words(number: int, columns: int = 100) -> str:
    """What is said of a fixed job."""
    rows = overview_rows(fixed.detail(fixed.JOBS[number]), columns)
    return "\n".join("".join(text for text, _ in row.line) for row in rows)


def test_every_slot_in_which_something_waits_is_told_with_its_bound() -> None:
    said = words(-1)
    assert "rows 3 of 1,000" in said
    assert "good 1,000 of 1,000 (full)" in said
    assert "bad 2 of 10, 14 dropped" in said
    assert "totals" not in said


def test_what_the_job_waits_for_and_what_is_left_over_is_said_in_words() -> None:
    assert "waits for: clean (running, 2.1 s); audit (attempt 2 is due in 4.0 s)" in words(-1)
    assert "! 1,000 items left in load.good" in words(2)
    assert "! nothing ran: no entry" in words(1)


@pytest.mark.parametrize("number", [0, 2, 3, 4], ids=lambda number: fixed.JOBS[number].status.value)
def test_in_a_job_that_has_ended_nothing_waits(number: int) -> None:
    said = words(number)
    assert "waiting" not in said
    assert "retrying" not in said
    assert "□ left     load" in said
    assert "✓ done     fetch" in said


def test_of_a_job_that_goes_on_no_routine_is_said_to_be_done() -> None:
    said = words(-1)
    assert "✓ has run  fetch" in said
    assert "◦ waiting  load" in said
    assert "done" not in said


def test_one_item_is_one_item() -> None:
    detail = fixed.detail(fixed.JOBS[2])
    snapshot = detail.snapshot._replace(leftovers=MappingProxyType({"join.right": 1}))
    rows = overview_rows(detail._replace(snapshot=snapshot), 80)
    assert any(row.line[-1:] == (("1 item left in join.right", "warning"),) for row in rows)


def test_errors_retries_time_and_progress_stand_in_the_row_of_the_routine() -> None:
    lines = words(-1).splitlines()
    clean = next(line for line in lines if " clean " in line)
    assert "31s" in clean
    assert "68%" in clean
    assert "3,412 of 5,000" in clean
    audit = next(line for line in lines if " audit " in line)
    assert audit.split()[3:7] == ["2", "2", "14", "3"]


@pytest.mark.parametrize("columns", [20, 38, 58, 78, 118, 198])
def test_no_line_is_wider_than_there_is_room(columns: int) -> None:
    for job in fixed.JOBS:
        rows = [
            *overview_rows(fixed.detail(job), max(columns, 20), parameters_line(job.entry_params)),
            *log_rows(fixed.log_lines(), 9, columns, None),
        ]
        if columns >= 58:
            assert max(line_width(row.line) for row in rows) <= columns


def line(number: int, text: str, level: str = "INFO") -> LogLine:
    return LogLine(number, fixed.NOW, level, "clean", text)


def test_what_is_logged_again_and_again_is_counted() -> None:
    lines = [line(0, "a"), *(line(number, "b", "WARNING") for number in range(1, 15)), line(15, "a")]
    rows = log_rows(lines, 10, 80, None)
    texts = ["".join(text for text, _ in row.line).split("clean")[1].strip() for row in rows]
    assert texts == ["a", "b (×14)", "a"]


def test_of_a_progress_bar_the_last_state_is_shown() -> None:
    [row] = log_rows([line(0, "\r10%|#  |\r100%|###|", "STDERR")], 10, 80, None)
    text = "".join(text for text, _ in row.line)
    assert "100%|###|" in text
    assert "10%|#  |" not in text


@pytest.mark.anyio
async def test_the_newest_of_the_log_fills_the_room_that_is_left_and_no_more() -> None:
    async with overview_of() as (pilot, view):
        assert "line 39: sku missing" in text_of(view)
        assert view.line_count() <= view.size.height
        await pilot.resize_terminal(120, 30)
        await pilot.pause()
        assert "line 39" not in screen_text(pilot)


@pytest.mark.anyio
async def test_the_cursor_begins_at_the_first_routine_and_goes_over_gaps_and_heads() -> None:
    async with overview_of() as (pilot, view):
        assert view.chosen == "routine:fetch"
        visited = []
        for key in [*"j" * view.row_count(), *"k" * view.row_count()]:
            await pilot.press(key)
            assert view.row is not None
            assert view.row.line
            visited.append(view.row.key)
        assert "head" not in visited
        # What can be copied can be gone to.
        assert {"job", "parameters", "routine:audit", "waits"} <= set(visited)
        assert visited[-1] == "job"


@pytest.mark.anyio
async def test_the_cursor_goes_to_the_first_routine_where_another_job_has_the_head_in_its_place() -> None:
    def detail(routine_id: str, **params: object) -> JobDetail:
        whole = fixed.detail(fixed.JOBS[-1])
        summary = whole.snapshot.summary._replace(entry_params=params)
        only = whole.snapshot.routines[0]._replace(routine_id=routine_id)
        return whole._replace(snapshot=whole.snapshot._replace(summary=summary, routines=(only,)))

    async with overview_of() as (_, view):
        for shown, chosen in ((detail("quick"), "routine:quick"), (detail("src", n=20), "routine:src")):
            view.forget(None)
            view.show(shown)
            assert view.chosen == chosen


@pytest.mark.anyio
async def test_where_nothing_is_shown_the_cursor_stays_away() -> None:
    async with fixed.app(()).run_test(size=(120, 50)) as pilot:
        await pilot.press("5", "j", "k", "g", "G")
        assert main_of(pilot).job_pane.overview.chosen is None


@pytest.mark.anyio
async def test_the_log_is_there_again_after_another_job_was_looked_at() -> None:
    async with overview_of("4", "j") as (pilot, view):
        await pilot.press("k")
        await pilot.pause()
        assert "line 39: sku missing" in text_of(view)


@pytest.mark.anyio
async def test_enter_on_a_routine_goes_to_what_it_did_and_escape_comes_back() -> None:
    async with overview_of() as (pilot, view):
        view.choose("routine:clean")
        await pilot.press("enter")
        pane = main_of(pilot).job_pane
        assert pane.tab == "History"
        assert pane.more().history.filter.text == "routine:clean"
        await pilot.press("escape")
        assert not pane.more().history.filter
        await pilot.press("escape")
        assert main_of(pilot).pane == "jobs"


@pytest.mark.anyio
async def test_the_choice_stays_on_its_routine_when_lines_come_above_it() -> None:
    async with overview_of() as (pilot, view):
        view.choose("routine:audit")
        await pilot.resize_terminal(80, 50)
        await pilot.pause()
        assert view.chosen == "routine:audit"
        assert main_of(pilot).job_pane.routine_looked_at == "audit"


@pytest.mark.parametrize(
    ("size", "theme"),
    [((60, 30), "textual-dark"), ((80, 40), "textual-dark"), ((120, 50), "textual-light"),
     ((200, 60), "textual-dark")],
    ids=str,
)  # fmt: skip
def test_overview_pictures(matches: Matches, size: tuple[int, int], theme: str) -> None:
    assert matches(fixed.app(theme=theme), size, press=("5", "z", "j", "j", "j", "j"))


def test_picture_of_a_job_that_left_items_over(matches: Matches) -> None:
    job = (*fixed.JOBS[:1], fixed.JOBS[2])
    assert matches(fixed.app(job), (100, 40), press=("5", "z"))

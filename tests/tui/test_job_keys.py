"""Every key and every mouse action of the list of jobs does what its help says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from textual.command import CommandPalette
from textual.events import MouseScrollDown

from tests.tui import fixed
from tests.tui.driving import (
    Drive,
    app_of,
    main_of,
    orders_of,
    screen_text,
    text_of,
    type_text,
    until,
    until_shown,
)
from tests.tui.fixed import FixedBackend, S
from tui.screens.question import Question
from tui.screens.start import StartScreen
from tui.widgets.job_table import JobTable

pytestmark = pytest.mark.anyio

NEWEST_FIRST = [job.job_id for job in reversed(fixed.JOBS)]
# What follows the paused one: interrupted, cancelled, failed, completed, completed.
RUNNING, CANCELLING, PAUSING, PENDING, PAUSED = NEWEST_FIRST[:5]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def driven(
    *keys: str, jobs: Sequence[fixed.JobSummary] = fixed.JOBS, size: tuple[int, int] = (120, 40)
) -> AsyncIterator[tuple[Drive, JobTable]]:
    app = fixed.app(jobs)
    app.animation_level = "none"
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        await pilot.press("4", *keys)
        await pilot.pause()
        yield pilot, main_of(pilot).job_table


def give(pilot: Drive, jobs: Sequence[fixed.JobSummary]) -> None:
    """The next picture."""
    backend = app_of(pilot).backend
    assert isinstance(backend, FixedBackend)
    backend.give(jobs)
    main_of(pilot)._frame()


def marked(table: JobTable) -> list[str]:
    return [job.job_id for job in table.marks.targets().all]


def ids(table: JobTable) -> list[str]:
    return [job.job_id for job in table.rows.rows]


def said(pilot: Drive) -> list[str]:
    return [toast.message for toast in pilot.app._notifications]


def question(pilot: Drive) -> str:
    assert isinstance(pilot.app.screen, Question)
    return screen_text(pilot)


# ---- marks


async def test_space_marks_and_goes_on_and_takes_a_mark_away() -> None:
    async with driven("space", "j", "space") as (pilot, table):
        assert marked(table) == [RUNNING, PAUSING]
        assert table.chosen == PENDING
        assert "2 marked" in screen_text(pilot)
        await pilot.press("g", "space")
        assert marked(table) == [PAUSING]


async def test_marks_stay_on_their_jobs_when_rows_move_and_go_with_a_job_that_is_forgotten() -> None:
    async with driven("space", "j", "space") as (pilot, table):
        give(pilot, [*fixed.JOBS, *(fixed.summary(number, S.RUNNING) for number in range(0x60, 0x65))])
        assert marked(table) == [RUNNING, PAUSING]
        await pilot.press("greater_than_sign", "I")
        assert set(marked(table)) == {RUNNING, PAUSING}
        give(pilot, fixed.JOBS[:-1])
        await pilot.pause()
        assert marked(table) == [PAUSING]
        assert "1 marked" in screen_text(pilot)


@pytest.mark.parametrize("fix", ["V", "space", "enter"])
async def test_a_range_is_marked_by_moving(fix: str) -> None:
    async with driven("j", "V", "j", "j") as (pilot, table):
        assert "range of 3" in screen_text(pilot)
        assert marked(table) == []
        assert [line[1:2] for line in text_of(table).splitlines()][:5] == [" ", "◦", "◦", "◦", " "]
        await pilot.press(fix)
        assert marked(table) == NEWEST_FIRST[1:4]
        assert not table.marks.in_range
        assert main_of(pilot).pane == "jobs"


async def test_a_range_goes_up_as_well_and_escape_drops_it() -> None:
    async with driven("j", "j", "V", "k", "k", "V") as (pilot, table):
        assert marked(table) == NEWEST_FIRST[:3]
        await pilot.press("V", "G", "escape")
        assert marked(table) == NEWEST_FIRST[:3]
        assert main_of(pilot).pane == "jobs"


async def test_a_range_is_what_one_sees_when_it_is_fixed() -> None:
    async with driven("V", "j") as (pilot, table):
        newer = fixed.summary(0x60, S.RUNNING)
        give(pilot, [*fixed.JOBS, newer])
        await pilot.press("V")
        assert marked(table) == NEWEST_FIRST[:2]
        await pilot.press("U", "g", "V", "j")
        give(pilot, fixed.JOBS)
        await pilot.pause()
        # Where it began is gone, and so is the range.
        assert not table.marks.in_range
        await pilot.press("V")
        assert marked(table) == []


async def test_an_action_goes_to_a_range_that_is_not_fixed_yet() -> None:
    async with driven("V", "j", "x") as (pilot, _):
        assert "Cancel 2 jobs?" in question(pilot)
        await pilot.press("y")
        await pilot.pause()
        assert orders_of(pilot) == [("cancel", RUNNING, False), ("cancel", CANCELLING, False)]


async def test_all_that_is_shown_is_marked_and_unmarked() -> None:
    async with driven("slash", *"etl", "enter", "asterisk") as (pilot, table):
        assert len(marked(table)) == table.row_count() == 7
        await pilot.press("escape", "G", "k", "space")
        assert len(marked(table)) == 8
        await pilot.press("asterisk")
        assert len(marked(table)) == 10
        await pilot.press("asterisk")
        assert marked(table) == []
        await pilot.press("space", "V", "U")
        assert marked(table) == []
        assert not table.marks.in_range


async def test_escape_takes_back_one_thing_after_the_other() -> None:
    async with driven("space", "v", "slash", *"etl", "enter", "V") as (pilot, table):
        main = main_of(pilot)
        await pilot.press("escape")
        assert not table.marks.in_range
        await pilot.press("escape")
        assert not table.filter
        await pilot.press("escape")
        assert table.rows.view == "all"
        await pilot.press("escape")
        assert not len(table.marks)
        assert main.pane == "jobs"
        await pilot.press("escape")
        assert main.pane == "flows"


# ---- views and order


async def test_v_goes_through_the_views() -> None:
    async with driven("v") as (pilot, table):
        assert ids(table) == NEWEST_FIRST[:5]
        assert "5/10" in screen_text(pilot)
        assert "[active]" in screen_text(pilot)
        await pilot.press("v")
        assert ids(table) == [fixed.FAILED_ID]
        await pilot.press("v")
        assert ids(table) == NEWEST_FIRST


async def test_a_job_leaves_the_view_when_it_has_ended() -> None:
    async with driven("v") as (pilot, table):
        give(pilot, [*fixed.JOBS[:-1], fixed.JOBS[-1]._replace(status=S.COMPLETED)])
        assert RUNNING not in ids(table)
        assert table.chosen == CANCELLING


async def test_keys_go_through_the_orders() -> None:
    async with driven("greater_than_sign") as (pilot, table):
        assert table.rows.sort.by == "state"
        assert "sort: state ▲" in screen_text(pilot)
        await pilot.press("I")
        assert "sort: state ▼" in screen_text(pilot)
        await pilot.press("less_than_sign", "less_than_sign")
        assert table.rows.sort.by == "progress"
        assert table.rows.sort.down
        # The choice stays on its job.
        assert table.chosen == RUNNING


async def test_the_order_holds_while_jobs_change() -> None:
    async with driven(*["greater_than_sign"] * 5) as (pilot, table):
        assert table.rows.sort.by == "elapsed"
        longer = fixed.JOBS[-1]._replace(elapsed=1e6)
        give(pilot, [*fixed.JOBS[:-1], longer])
        assert ids(table)[0] == RUNNING
        assert table.chosen_row == 0


async def test_jobs_that_the_runtime_has_forgotten_are_counted() -> None:
    jobs = [fixed.summary(number, S.COMPLETED) for number in range(20)]
    async with driven(jobs=jobs) as (pilot, _):
        assert "older dropped" not in screen_text(pilot)
        give(pilot, jobs[7:])
        await until_shown(pilot, "at least 7 older dropped · sort: started ▼")
        give(pilot, [*jobs[9:], fixed.summary(99, S.RUNNING)])
        await until_shown(pilot, "at least 9 older dropped")


# ---- the filter


async def test_a_filter_that_cannot_be_meant_is_explained_while_one_types() -> None:
    async with driven("slash") as (pilot, table):
        await type_text(pilot, "state:fa")
        await pilot.pause()
        assert ids(table) == [fixed.FAILED_ID]
        await type_text(pilot, "x")
        await until_shown(pilot, "no state begins with “fax”")
        assert ids(table) == []
        await pilot.press("backspace")
        await until(pilot, lambda: "begins with" not in screen_text(pilot))
        await pilot.press("x", "enter")
        await pilot.pause()
        # Once the prompt is gone the list still says why it is empty.
        assert "No job passes the filter /state:fax, which hides 10" in screen_text(pilot)
        assert "no state begins with “fax”" in screen_text(pilot)


async def test_what_hides_the_jobs_is_named() -> None:
    async with driven("v", "v", jobs=fixed.JOBS[-1:]) as (pilot, _):
        assert "No failed job: this view hides 1" in screen_text(pilot)
        assert "v goes to the next view" in screen_text(pilot)
        await pilot.press("slash", "z", "enter")
        await pilot.pause()
        assert "No failed job passes the filter /z, which hides 1" in screen_text(pilot)


async def test_going_to_a_job_takes_away_what_hides_it() -> None:
    async with driven("v", "v", "slash", "z", "enter") as (pilot, table):
        main_of(pilot).go_to_job(RUNNING)
        await pilot.pause()
        assert table.chosen == RUNNING
        assert not table.filter


async def test_going_to_a_job_that_is_shown_takes_nothing_away() -> None:
    async with driven("slash", *"etl", "enter") as (pilot, table):
        main_of(pilot).go_to_job(PAUSING)
        await pilot.pause()
        assert table.chosen == PAUSING
        assert table.filter.text == "etl"


# ---- many at once


@pytest.mark.parametrize(("key", "force"), [("x", False), ("X", True)])
async def test_cancelling_marked_jobs_asks_with_count_and_names(key: str, force: bool) -> None:
    async with driven("V", "G", "V", key) as (pilot, _):
        text = question(pilot)
        assert f"Cancel 5 jobs{' by force' if force else ''}?" in text
        assert "001abe etl.daily, 0019be etl.daily" in text
        assert "and 1 more" in text
        assert "Left out: 5 jobs have ended already." in text
        assert orders_of(pilot) == []
        await pilot.press("y")
        await pilot.pause()
        assert orders_of(pilot) == [("cancel", job_id, force) for job_id in NEWEST_FIRST[:5]]


@pytest.mark.parametrize("key", ["n", "escape", "enter"])
async def test_many_can_be_thought_better_of(key: str) -> None:
    async with driven("V", "G", "x", key) as (pilot, table):
        await pilot.pause()
        assert pilot.app.screen is main_of(pilot)
        assert orders_of(pilot) == []
        assert len(marked(table)) == 10


async def test_the_list_is_frozen_when_the_question_opens() -> None:
    async with driven("space", "space", "x") as (pilot, table):
        newer = fixed.summary(0x60, S.RUNNING)
        give(pilot, [*fixed.JOBS[:8], newer, fixed.JOBS[8], fixed.JOBS[9]._replace(status=S.COMPLETED)])
        table.marks.clear()
        table.marks.add([newer.job_id])
        await pilot.press("y")
        await pilot.pause()
        assert orders_of(pilot) == [("cancel", RUNNING, False), ("cancel", CANCELLING, False)]


async def test_what_became_of_them_is_told_after_it_happened() -> None:
    async with driven("V", "j", "j", "x") as (pilot, _):
        backend = app_of(pilot).backend
        assert isinstance(backend, FixedBackend)
        backend.refusing.add(CANCELLING)
        await pilot.press("y")
        await pilot.pause()
        assert said(pilot) == []
        ended = {RUNNING: S.CANCELLED, CANCELLING: S.COMPLETED}
        give(pilot, [job._replace(status=ended.get(job.job_id, job.status)) for job in fixed.JOBS])
        assert said(pilot) == []
        ended[PAUSING] = S.COMPLETED
        give(pilot, [job._replace(status=ended.get(job.job_id, job.status)) for job in fixed.JOBS])
        await pilot.pause()
        assert said(pilot) == ["1 cancelled, 1 completed instead, 1 had ended."]


async def test_p_pauses_those_that_run_and_resumes_where_none_does() -> None:
    async with driven("V", "G", "p") as (pilot, _):
        assert "Pause 1 job?" in question(pilot)
        assert "Left out: 9 jobs do not run." in question(pilot)
        await pilot.press("y")
        await pilot.pause()
        assert orders_of(pilot) == [("pause", RUNNING)]
        give(pilot, [*fixed.JOBS[:-1], fixed.JOBS[-1]._replace(status=S.PAUSED)])
        await until_shown(pilot, "1 paused.")
        await pilot.press("p")
        await pilot.pause()
        assert "Resume 3 jobs?" in question(pilot)
        await pilot.press("y")
        await pilot.pause()
        assert orders_of(pilot)[1:] == [("resume", RUNNING), ("resume", PAUSING), ("resume", PAUSED)]
        await until_shown(pilot, "3 resumed.")


async def test_r_and_shift_r_re_run_all_marked() -> None:
    async with driven("G", "V", "k", "R") as (pilot, _):
        assert "Re-run 2 jobs?" in question(pilot)
        await pilot.press("y")
        await until_shown(pilot, "2 jobs started.")
        assert orders_of(pilot) == [
            ("start", "backfill", {}),
            ("start", "etl.daily", {"day": "2025-06-12", "limit": 1000}),
        ]
        await pilot.press("r", "y")
        await pilot.pause()
        assert len(orders_of(pilot)) == 4


async def test_r_offers_a_form_for_each_and_leaving_one_leaves_out_the_rest() -> None:
    async with driven("V", "j", "j", "j", "r", "f") as (pilot, _):
        await pilot.pause()
        assert isinstance(pilot.app.screen, StartScreen)
        assert "Re-run 1 of 4: 001abe" in screen_text(pilot)
        await pilot.press("tab", *"/data", "ctrl+s")
        await until_shown(pilot, "Re-run 2 of 4: 0019be")
        assert len(orders_of(pilot)) == 1
        await pilot.press("escape")
        await until_shown(pilot, "3 jobs not started again.")
        assert len(orders_of(pilot)) == 1


async def test_marked_jobs_that_are_hidden_are_not_acted_upon_unawares() -> None:
    keys = ("space", "j", "space", "slash", *"id:001a", "enter", "x")
    async with driven(*keys) as (pilot, table):
        text = question(pilot)
        assert "Cancel 1 job?" in text
        assert "1 job that is hidden is marked too: 0018be etl.daily." in " ".join(text.split())
        assert "2 marked, 1 hidden" in (table.border_subtitle or "")
        await pilot.press("y")
        await pilot.pause()
        assert orders_of(pilot) == [("cancel", RUNNING, False)]
        await pilot.press("x", "a")
        await pilot.pause()
        assert orders_of(pilot)[1:] == [("cancel", RUNNING, False), ("cancel", PAUSING, False)]


async def test_marked_jobs_of_which_all_are_hidden_are_named_before_anything_happens() -> None:
    async with driven("space", "slash", *"state:failed", "enter", "p") as (pilot, _):
        assert "Pause 1 job?" in question(pilot)
        assert "The filter or the view hides all of them." in question(pilot)
        await pilot.press("y")
        assert isinstance(pilot.app.screen, Question)
        await pilot.press("a")
        await pilot.pause()
        assert orders_of(pilot) == [("pause", RUNNING)]


async def test_where_no_marked_job_can_be_cancelled_it_is_said() -> None:
    async with driven("G", "space", "k", "space", "x") as (pilot, _):
        await until(pilot, lambda: said(pilot))
        assert said(pilot) == ["None of the marked jobs can be cancelled: 2 jobs have ended already."]
        assert pilot.app.screen is main_of(pilot)


async def test_one_mark_on_the_chosen_job_is_as_none() -> None:
    async with driven("space", "k", "p") as (pilot, _):
        assert orders_of(pilot) == [("pause", RUNNING)]


async def test_in_the_pane_of_one_job_that_one_is_meant() -> None:
    async with driven("space", "space", "5", "p") as (pilot, table):
        assert table.chosen == PAUSING
        assert orders_of(pilot) == [("resume", PAUSING)]


async def test_hundreds_are_ordered_in_parts_and_none_is_left_out() -> None:
    jobs = [fixed.summary(number, S.RUNNING) for number in range(450)]
    async with driven("asterisk", "X", "y", jobs=jobs) as (pilot, _):
        await until(pilot, lambda: len(orders_of(pilot)) == 450)
        assert orders_of(pilot) == [("cancel", job.job_id, True) for job in reversed(jobs)]


# ---- the mouse


def at_row(row: int, x: int = 12) -> tuple[int, int]:
    """Where a row is in the pane: below the border and the titles."""
    return x, row + 2


async def test_the_wheel_scrolls() -> None:
    jobs = [fixed.summary(number, S.COMPLETED) for number in range(200)]
    async with driven(jobs=jobs) as (pilot, table):
        assert table.scroll_offset.y == 0
        await pilot._post_mouse_events([MouseScrollDown], widget=table, offset=(10, 5))
        await pilot.pause()
        assert table.scroll_offset.y > 0
        assert table.chosen == jobs[-1].job_id


async def test_ctrl_click_and_the_left_edge_mark_and_shift_click_marks_a_range() -> None:
    async with driven() as (pilot, table):
        await pilot.click(table, offset=at_row(1), control=True)
        assert marked(table) == [CANCELLING]
        await pilot.click(table, offset=at_row(3, x=2))
        assert marked(table) == [CANCELLING, PENDING]
        assert table.chosen == PENDING
        await pilot.click(table, offset=at_row(3, x=1))
        assert marked(table) == [CANCELLING]
        await pilot.click(table, offset=at_row(2))
        await pilot.click(table, offset=at_row(4), shift=True)
        assert marked(table) == [CANCELLING, PAUSING, PENDING, PAUSED]


async def test_a_click_on_a_title_sorts_and_a_second_one_turns_round() -> None:
    async with driven() as (pilot, table):
        titles = screen_text(pilot).splitlines()[2]
        left = titles.index("││") + 1
        await pilot.click(table, offset=(titles.index("elapsed") - left, 1))
        assert (table.rows.sort.by, table.rows.sort.down) == ("elapsed", True)
        assert "elapse▼" in screen_text(pilot)
        await pilot.click(table, offset=(titles.index("elapsed") - left, 1))
        assert not table.rows.sort.down
        await pilot.click(table, offset=(titles.index("last event") - left, 1))
        assert table.rows.sort.by == "elapsed"
        await pilot.click(table, offset=(titles.index(" id ") + 1 - left, 1))
        assert (table.rows.sort.by, table.rows.sort.down) == ("started", True)
        # No column shows when a job was started, so that only the border says so.
        assert "▼" not in screen_text(pilot).splitlines()[2]
        assert "sort: started ▼" in screen_text(pilot)


async def test_the_views_and_the_order_in_the_border_can_be_clicked() -> None:
    async with driven() as (pilot, table):
        line = screen_text(pilot).splitlines()[1]
        left = line.index("╮╭") + 1
        await pilot.click(table, offset=(line.index("failed") - left, 0))
        await pilot.pause()
        assert ids(table) == [fixed.FAILED_ID]
        line = screen_text(pilot).splitlines()[1]
        await pilot.click(table, offset=(line.index("all") - left, 0))
        await pilot.pause()
        assert len(ids(table)) == 10
        below = next(line for line in screen_text(pilot).splitlines() if "sort: started" in line)
        await pilot.click(table, offset=(below.index("started") - left, table.outer_size.height - 1))
        await pilot.pause()
        assert not table.rows.sort.down


async def test_the_last_row_can_be_scrolled_to_under_the_titles() -> None:
    jobs = [fixed.summary(number, S.COMPLETED) for number in range(200)]
    async with driven("G", jobs=jobs) as (pilot, table):
        await pilot.pause()
        assert "000000 etl.daily" not in screen_text(pilot)
        last = screen_text(pilot).splitlines()[table.region.bottom - 2]
        assert "▌ ✓ 0000be" in last
        assert " id " in screen_text(pilot).splitlines()[table.region.y + 1]
        await pilot.press("pageup", "pagedown", "k")
        assert table.chosen == jobs[1].job_id


# ---- the palette


async def palette(pilot: Drive, text: str) -> str:
    await pilot.press("ctrl+p")
    assert isinstance(pilot.app.screen, CommandPalette)
    await type_text(pilot, text)
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()
    return screen_text(pilot)


async def test_the_palette_shows_the_keys_and_does_what_they_do_in_the_list() -> None:
    async with driven("1") as (pilot, table):
        assert "mark all (*)" in await palette(pilot, "mark all")
        await pilot.press("enter")
        await until(pilot, lambda: len(marked(table)) == 10)
        assert main_of(pilot).pane == "jobs"


async def test_the_palette_does_not_open_over_a_dialog_where_it_would_find_nothing() -> None:
    async with driven() as (pilot, _):
        await pilot.press("s")
        form = pilot.app.screen
        await pilot.press("ctrl+p")
        assert pilot.app.screen is form


async def test_the_palette_starts_a_flow() -> None:
    async with driven() as (pilot, _):
        assert "start report.render" in await palette(pilot, "start report.render")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, StartScreen))
        await until_shown(pilot, "report.render")


@pytest.mark.parametrize(
    ("text", "job_id"), [("0016", PAUSED), ("id=78", PENDING), ("job report paused", PAUSED)]
)
async def test_the_palette_finds_jobs_by_id_flow_state_and_parameters(text: str, job_id: str) -> None:
    async with driven("slash", *"failed", "enter") as (pilot, table):
        await palette(pilot, text)
        await pilot.press("enter")
        await until(pilot, lambda: table.chosen == job_id)


async def test_the_palette_offers_the_newest_of_many() -> None:
    jobs = [fixed.summary(number, S.COMPLETED) for number in range(10_000)]
    async with driven(jobs=jobs) as (pilot, _):
        text = await palette(pilot, "job etl")
        assert "270fbe" in text
        assert "0001be" not in text

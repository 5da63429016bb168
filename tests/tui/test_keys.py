"""Every key of the table does what its help says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import pytest
from textual.command import CommandPalette
from textual.widgets import Button

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
from tui.keys import KEYS, PANES, SCOPES, bindings_of, footer_of
from tui.screens.help import help_lines
from tui.screens.question import Question
from tui.screens.start import StartScreen
from tui.screens.text import TextScreen
from tui.spans import plain
from tui.widgets.job_pane import TABS

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def driven(*keys: str, size: tuple[int, int] = (120, 40), **more: object) -> AsyncIterator[Drive]:
    app = fixed.app(**more)  # type: ignore[arg-type]
    app.animation_level = "none"
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
        yield pilot


# ---- the table


def test_a_key_means_one_thing_where_it_is_bound() -> None:
    for scope in SCOPES:
        keys = [key for entry in KEYS if entry.scope == scope for key in entry.keys]
        assert len(keys) == len(set(keys)), scope


def test_names_are_unique_and_scopes_and_panes_are_known() -> None:
    assert len({entry.name for entry in KEYS}) == len(KEYS)
    assert {entry.scope for entry in KEYS} <= set(SCOPES)
    assert all(entry.panes <= set(PANES) for entry in KEYS)


def test_the_footer_shows_the_filter_only_where_the_filter_is_for_what_one_looks_at() -> None:
    def shown(pane: str, *scopes: str) -> set[str]:
        return {entry.name for entry in footer_of(pane, frozenset({"main", "lines", *scopes}))}

    filters = {"filter", "history-filter", "search"}
    assert filters & shown("jobs", "jobs") == {"filter"}
    assert filters & shown("job", "job", "history") == {"history-filter"}
    assert filters & shown("job", "job", "log") == {"search"}
    assert not filters & shown("job", "job", "tree")
    assert {"edit", "copy-row", "export"} <= shown("job", "job", "tree")
    assert "export" not in shown("flows")


def test_help_footer_and_bindings_come_from_the_table() -> None:
    helped = "\n".join(plain(line) for line in help_lines(frozenset({"main", "list"}), 500))
    assert all(entry.about in helped for entry in KEYS)
    assert {binding.id for scope in SCOPES for binding in bindings_of(scope)} == {
        entry.name for entry in KEYS
    }
    assert "rerun" in {entry.name for entry in footer_of("jobs", frozenset({"main", "list"}))}
    assert "rerun" not in {entry.name for entry in footer_of("flows", frozenset({"main", "list"}))}


# ---- moving between panes


@pytest.mark.parametrize(("key", "pane"), [("1", "flows"), ("3", "flow"), ("4", "jobs"), ("5", "job")])
@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 16)], ids=str)
async def test_numbers_go_to_panes(key: str, pane: str, size: tuple[int, int]) -> None:
    async with driven("4", key, size=size) as pilot:
        main = main_of(pilot)
        assert main.pane == pane
        focused = main.focused
        assert focused is not None
        assert pane in [widget.id for widget in focused.ancestors_with_self]
        assert focused.region.height > 2


async def test_tab_goes_round_the_panes() -> None:
    async with driven() as pilot:
        seen = []
        for key in ("tab", "tab", "tab", "tab", "tab", "shift+tab"):
            await pilot.press(key)
            seen.append(main_of(pilot).pane)
        assert seen == ["reloads", "flow", "jobs", "job", "flows", "job"]


async def test_enter_goes_in_and_escape_back() -> None:
    async with driven("enter") as pilot:
        main = main_of(pilot)
        assert main.pane == "flow"
        await pilot.press("escape")
        assert main.pane == "flows"
        await pilot.press("4", "enter")
        assert main.pane == "job"
        await pilot.press("escape")
        assert main.pane == "jobs"
        await pilot.press("escape")
        assert main.pane == "flows"


async def test_brackets_and_arrows_go_through_the_tabs() -> None:
    async with driven("5") as pilot:
        pane = main_of(pilot).job_pane
        seen = []
        for at in range(len(TABS)):
            await pilot.press("right" if at % 2 else "right_square_bracket")
            seen.append(pane.tab)
        assert seen == [*TABS[1:], TABS[0]]
        await pilot.press("left")
        assert pane.tab == TABS[-1]
        await pilot.press("left_square_bracket")
        assert pane.tab == TABS[-2]
        assert main_of(pilot).focused is pane.content


async def test_zoom_fills_the_screen_and_tab_takes_it_along() -> None:
    async with driven("4", "z") as pilot:
        main = main_of(pilot)
        assert main.job_table.size.width > 110
        assert not main.flow_list.display or not main.query_one("#left").display
        await pilot.press("tab")
        await pilot.pause()
        assert main.job_pane.size.width > 110
        await pilot.press("escape")
        await pilot.pause()
        assert main.query_one("#left").display


# ---- moving within lists


@pytest.mark.parametrize(
    ("keys", "row"),
    [
        ("j j", 2), ("j j k", 1), ("down down up", 1), ("G", 9), ("end", 9), ("G g", 0), ("G home", 0),
        ("pagedown", 9), ("G pageup", 0), ("ctrl+f", 9), ("G ctrl+b", 0), ("k", 0),
    ],
)  # fmt: skip
async def test_moving_in_the_jobs(keys: str, row: int) -> None:
    async with driven("4", *keys.split()) as pilot:
        assert main_of(pilot).job_table.chosen == fixed.JOBS[9 - row].job_id
        assert main_of(pilot).job_pane.job_id == fixed.JOBS[9 - row].job_id


async def test_moving_in_text_scrolls() -> None:
    async with driven("j", "3", size=(120, 24)) as pilot:
        view = main_of(pilot).flow_view
        await pilot.press("j", "j", "k")
        assert view.scroll_offset.y == 1
        await pilot.press("G")
        assert view.scroll_offset.y == view.max_scroll_y > 1
        await pilot.press("pageup")
        assert view.scroll_offset.y < view.max_scroll_y
        await pilot.press("pagedown", "g")
        assert view.scroll_offset.y == 0


async def test_log_scrolls_sideways() -> None:
    async with driven("5", "right_square_bracket", size=(60, 24)) as pilot:
        log = main_of(pilot).job_pane.more().log_view
        await pilot.pause()
        await pilot.press("L")
        assert log.scroll_offset.x > 0
        await pilot.press("H")
        assert log.scroll_offset.x == 0


# ---- the mouse


async def test_a_click_chooses_and_a_double_click_opens() -> None:
    async with driven() as pilot:
        main = main_of(pilot)
        await pilot.click("#jobs", offset=(10, 5))
        assert main.job_table.chosen == fixed.JOBS[6].job_id
        assert main.pane == "jobs"
        await pilot.double_click("#jobs", offset=(10, 5))
        await pilot.pause()
        assert main.pane == "job"


async def test_tabs_and_footer_can_be_clicked() -> None:
    async with driven() as pilot:
        main = main_of(pilot)
        await pilot.click("#tabs", offset=(14, 0))
        assert main.job_pane.tab == "Log"
        await pilot.click("#keys", offset=(2, 0))
        await pilot.pause()
        assert isinstance(pilot.app.screen, StartScreen)


async def test_breadcrumb_can_be_clicked() -> None:
    async with driven(size=(80, 24)) as pilot:
        at = screen_text(pilot).splitlines()[1].index("4 Jobs")
        await pilot.click("#breadcrumb", offset=(at, 0))
        await pilot.pause()
        assert main_of(pilot).pane == "jobs"


# ---- filters


async def test_filter_of_jobs_narrows_as_one_types_and_escape_clears_it() -> None:
    async with driven("4", "slash", *"state") as pilot:
        main = main_of(pilot)
        await type_text(pilot, ":failed")
        await pilot.pause()
        assert main.job_table.row_count() == 1
        assert main.job_table.chosen == fixed.FAILED_ID
        await pilot.press("enter")
        await pilot.pause()
        assert main.focused is main.job_table
        assert main.job_table.filter.text == "state:failed"
        await pilot.press("escape")
        assert main.job_table.row_count() == len(fixed.JOBS)
        # The choice stays on its job.
        assert main.job_table.chosen == fixed.FAILED_ID


async def test_escape_while_typing_clears_the_filter() -> None:
    async with driven("slash", *"report") as pilot:
        main = main_of(pilot)
        await pilot.pause()
        assert main.flow_list.row_count() == 1
        await pilot.press("escape")
        await pilot.pause()
        assert main.flow_list.row_count() == 4
        assert main.focused is main.flow_list


async def test_keys_that_are_typed_into_a_filter_do_nothing_else() -> None:
    async with driven("slash", *"sqxp?1") as pilot:
        await pilot.pause()
        assert pilot.app.screen is main_of(pilot)
        assert main_of(pilot).flow_list.filter.text == "sqxp?1"
        assert orders_of(pilot) == []


# ---- starting


async def test_s_starts_with_the_form() -> None:
    async with driven("j", "s") as pilot:
        assert isinstance(pilot.app.screen, StartScreen)
        await type_text(pilot, "2025-06-11")
        await pilot.press("tab")
        await type_text(pilot, "/data")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: orders_of(pilot))
        assert orders_of(pilot) == [
            ("start", "etl.daily", {"day": date(2025, 6, 11), "folder": Path("/data")}),
        ]  # fmt: skip
        main = main_of(pilot)
        assert main.pane == "jobs"
        assert main.job_table.chosen_job is not None
        assert main.job_table.chosen_job.entry_params["folder"] == Path("/data")


async def test_escape_leaves_the_form_without_starting() -> None:
    async with driven("j", "s", "escape") as pilot:
        assert pilot.app.screen is main_of(pilot)
        assert orders_of(pilot) == []


async def test_enter_in_a_field_starts_only_what_is_right() -> None:
    async with driven("j", "s", *"yesterday", "enter") as pilot:
        form = pilot.app.screen
        assert isinstance(form, StartScreen)
        await until(pilot, lambda: form.settled)
        assert form.fields["day"].error == "'yesterday' is no date; write it as 2025-06-12"
        assert form.fields["folder"].error == "a value is missing"
        assert orders_of(pilot) == []


async def test_shift_s_starts_at_once_with_the_last_parameters() -> None:
    async with driven("j", "j") as pilot:
        app_of(pilot).backend.remembered["report.render"] = [{"id": 5}, {"id": 4}]  # type: ignore[attr-defined]
        await pilot.press("S")
        await pilot.pause()
        assert orders_of(pilot) == [("start", "report.render", {"id": 5})]


async def test_shift_s_opens_the_form_where_something_is_missing() -> None:
    async with driven("j", "S") as pilot:
        assert isinstance(pilot.app.screen, StartScreen)


async def test_shift_s_opens_the_form_where_the_flow_cannot_work() -> None:
    async with driven("S") as pilot:
        assert isinstance(pilot.app.screen, StartScreen)
        assert "the flow has no entry" in screen_text(pilot)


async def test_ctrl_r_goes_through_earlier_parameters() -> None:
    async with driven("j", "j") as pilot:
        app_of(pilot).backend.remembered["report.render"] = [{"id": 5}, {"id": 4}]  # type: ignore[attr-defined]
        await pilot.press("s", "ctrl+r", "ctrl+s")
        await until(pilot, lambda: orders_of(pilot))
        assert orders_of(pilot) == [("start", "report.render", {"id": 4})]


async def test_r_re_runs_with_the_form_filled() -> None:
    async with driven("4", "r") as pilot:
        form = pilot.app.screen
        assert isinstance(form, StartScreen)
        assert form.read().values == {"day": "2025-06-12", "limit": 1000}


async def test_shift_r_re_runs_exactly() -> None:
    async with driven("4", "R") as pilot:
        await pilot.pause()
        assert orders_of(pilot) == [("start", "etl.daily", {"day": "2025-06-12", "limit": 1000})]


# ---- steering


async def test_p_pauses_what_runs_and_resumes_what_is_paused() -> None:
    async with driven("4", "p", "j", "j", "j", "j", "p") as pilot:
        assert orders_of(pilot) == [("pause", fixed.RUNNING_ID), ("resume", fixed.JOBS[5].job_id)]


@pytest.mark.parametrize(("key", "force"), [("x", False), ("X", True)])
async def test_cancel_asks_first(key: str, force: bool) -> None:
    async with driven("4", key) as pilot:
        assert isinstance(pilot.app.screen, Question)
        assert orders_of(pilot) == []
        await pilot.press("y")
        await pilot.pause()
        assert orders_of(pilot) == [("cancel", fixed.RUNNING_ID, force)]


@pytest.mark.parametrize("key", ["n", "escape", "enter"])
async def test_cancel_can_be_thought_better_of(key: str) -> None:
    async with driven("4", "x", key) as pilot:
        await pilot.pause()
        assert pilot.app.screen is main_of(pilot)
        assert orders_of(pilot) == []


async def test_answers_can_be_reached_with_arrows() -> None:
    async with driven("4", "x", "left") as pilot:
        focused = pilot.app.screen.focused
        assert isinstance(focused, Button)
        await pilot.press("enter")
        await pilot.pause()
        assert orders_of(pilot) == [("cancel", fixed.RUNNING_ID, False)]


async def test_an_answer_goes_to_the_job_that_was_chosen_when_the_question_opened() -> None:
    async with driven("4", "x") as pilot:
        newer = fixed.summary(0x50, fixed.S.RUNNING)
        app_of(pilot).backend.give((*fixed.JOBS[1:-1], newer))  # type: ignore[attr-defined]
        main_of(pilot)._frame()
        assert main_of(pilot).job_table.chosen != fixed.RUNNING_ID
        await pilot.press("y")
        await pilot.pause()
        assert orders_of(pilot) == [("cancel", fixed.RUNNING_ID, False)]


async def test_what_has_ended_is_not_asked_about() -> None:
    async with driven("4", "G", "x") as pilot:
        await until_shown(pilot, "has already ended")
        assert pilot.app.screen is main_of(pilot)


# ---- the log


async def test_follow_and_level_of_the_log() -> None:
    async with driven("5", "right_square_bracket") as pilot:
        log = main_of(pilot).job_pane.more().log_view
        await pilot.pause()
        assert log.following
        await pilot.press("k")
        assert not log.following
        await pilot.press("G")
        assert log.following
        await pilot.press("f")
        assert not log.following
        everything = log.line_count()
        await pilot.press("l")
        assert "INFO" not in text_of(log)
        await pilot.press("l")
        assert "WARN" not in text_of(log)
        assert "ERROR" in text_of(log)
        await pilot.press("l")
        assert log.line_count() == everything


async def test_enter_on_a_record_shows_its_data() -> None:
    async with driven("5", "right", "right", "g", "enter", "enter") as pilot:
        assert isinstance(pilot.app.screen, TextScreen)
        assert "'order': 1017" in screen_text(pilot)
        await pilot.press("escape")
        assert pilot.app.screen is main_of(pilot)


# ---- help, palette, leaving


async def test_help_opens_and_closes() -> None:
    async with driven("question_mark") as pilot:
        assert isinstance(pilot.app.screen, TextScreen)
        await pilot.press("question_mark")
        assert pilot.app.screen is main_of(pilot)


@pytest.mark.parametrize("key", ["ctrl+p", "colon"])
async def test_palette_finds_jobs_by_their_flow(key: str) -> None:
    async with driven(key) as pilot:
        assert isinstance(pilot.app.screen, CommandPalette)
        await type_text(pilot, "job 0013")
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        await pilot.pause()
        assert main_of(pilot).job_table.chosen == fixed.FAILED_ID


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
async def test_leaving_at_once_where_everything_has_ended(key: str) -> None:
    async with driven(key, jobs=fixed.JOBS[:5]) as pilot:
        assert pilot.app._exit


async def test_ctrl_c_by_habit_asks_before_the_jobs_that_ended_are_lost() -> None:
    async with driven("ctrl+c", jobs=fixed.JOBS[:5]) as pilot:
        assert "5 jobs that ended will no longer be listed." in screen_text(pilot)
        await pilot.press("s")
        assert not pilot.app._exit
        await pilot.press("ctrl+c", "y")
        assert pilot.app._exit
    async with driven("ctrl+c", jobs=()) as pilot:
        assert pilot.app._exit


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [("report", "report.render"), ("daily", "etl.daily"), ("etl", "etl.daily"), ("backfill", "backfill")],
)
async def test_a_filter_that_hides_the_chosen_flow_chooses_what_is_named_so(wanted: str, chosen: str) -> None:
    """Two flows are in etl.py, the first of them by another name."""
    async with driven("G", "slash", *wanted, "enter") as pilot:
        assert main_of(pilot).flow_list.chosen == chosen


@pytest.mark.parametrize("key", ["q", "ctrl+q", "ctrl+c"])
async def test_leaving_asks_where_jobs_have_not_ended(key: str) -> None:
    async with driven(key) as pilot:
        assert isinstance(pilot.app.screen, Question)
        await pilot.press("s")
        assert pilot.app.screen is main_of(pilot)
        assert not pilot.app._exit


async def test_wait_then_quit_leaves_when_the_last_job_has_ended() -> None:
    async with driven("q", "w", jobs=fixed.JOBS[-1:]) as pilot:
        await pilot.pause()
        assert not pilot.app._exit
        app_of(pilot).backend.give(fixed.JOBS[:1])  # type: ignore[attr-defined]
        main_of(pilot)._frame()
        assert pilot.app._exit


async def test_waiting_to_quit_can_be_taken_back() -> None:
    async with driven("q", "w", "q", "s", jobs=fixed.JOBS[-1:]) as pilot:
        await pilot.pause()
        app_of(pilot).backend.give(fixed.JOBS[:1])  # type: ignore[attr-defined]
        main_of(pilot)._frame()
        assert not pilot.app._exit


async def test_cancel_then_quit_cancels_and_waits_for_what_runs() -> None:
    async with driven("q", "c", jobs=fixed.JOBS[-1:]) as pilot:
        await pilot.pause()
        job_id = fixed.JOBS[-1].job_id
        assert orders_of(pilot) == [("cancel", job_id, False)]
        assert not pilot.app._exit
        await pilot.press("q", "f")
        await pilot.pause()
        assert orders_of(pilot)[-1] == ("cancel", job_id, True)
        await pilot.press("q", "b")
        assert pilot.app._exit

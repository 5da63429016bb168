"""What the screen looks like, on fixed data."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from tests.tui import fixed
from tui.pictures import Catalogue

Matches = Callable[..., bool]


@pytest.mark.parametrize("size", [(60, 16), (60, 24), (80, 24), (80, 50), (120, 40), (200, 60)], ids=str)
def test_main_screen_at_every_width(matches: Matches, size: tuple[int, int]) -> None:
    assert matches(fixed.app(), size)


def test_main_screen_in_a_light_theme(matches: Matches) -> None:
    assert matches(fixed.app(theme="textual-light"), press=("4",))


def test_main_screen_without_colour(matches: Matches, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert matches(fixed.app(), press=("4",))


@pytest.mark.parametrize("tab", ["overview", "log", "history", "error"])
def test_each_tab_of_a_job(matches: Matches, tab: str) -> None:
    async def go(pilot: Pilot[int]) -> None:
        main = pilot.app.main  # type: ignore[attr-defined]
        await pilot.pause()
        assert main.job_table.choose(fixed.FAILED_ID)
        await pilot.press("5")
        main.job_pane.go_to_tab(tab.capitalize())

    assert matches(fixed.app(), run_before=go)


def test_jobs_on_a_narrow_screen(matches: Matches) -> None:
    assert matches(fixed.app(), (80, 24), press=("4",))


def test_zoomed_log(matches: Matches) -> None:
    assert matches(fixed.app(), (100, 30), press=("5", "right_square_bracket", "z"))


def test_start_form(matches: Matches) -> None:
    assert matches(fixed.app(), press=("j", "s"))


def test_start_form_on_a_small_screen(matches: Matches) -> None:
    assert matches(fixed.app(), (60, 16), press=("j", "s"))


def test_start_form_with_errors(matches: Matches) -> None:
    assert matches(fixed.app(), press=("j", "s", *"yesterday", "tab", "tab", *"ab", "ctrl+s"))


def test_start_form_in_a_light_theme(matches: Matches) -> None:
    assert matches(fixed.app(theme="textual-light"), press=("j", "s", *"yesterday", "ctrl+s"))


def test_start_form_of_a_flow_without_entry(matches: Matches) -> None:
    assert matches(fixed.app(), press=("s",))


def test_json_editor_of_a_flow_without_declared_parameters(matches: Matches) -> None:
    assert matches(fixed.app(), press=("j", "j", "s", "end", "left", *'"a": ', "ctrl+s"))


def test_help(matches: Matches) -> None:
    assert matches(fixed.app(), press=("4", "question_mark"))


@pytest.mark.parametrize("key", ["x", "X"])
def test_question_before_a_cancel(matches: Matches, key: str) -> None:
    assert matches(fixed.app(), press=("4", key))


def test_question_before_leaving(matches: Matches) -> None:
    assert matches(fixed.app(), press=("q",))


def test_empty_folder(matches: Matches) -> None:
    assert matches(fixed.app((), catalogue=Catalogue(fixed.ROOT)))


def test_empty_folder_on_a_narrow_screen(matches: Matches) -> None:
    assert matches(fixed.app((), catalogue=Catalogue(fixed.ROOT)), (60, 16))


def test_folder_that_is_not_there(matches: Matches) -> None:
    catalogue = Catalogue(fixed.ROOT, problem="there is no flow folder /srv/flows")
    assert matches(fixed.app((), catalogue=catalogue), (120, 24))


def test_folder_whose_imports_last(matches: Matches) -> None:
    catalogue = Catalogue(fixed.ROOT, generation=1, importing=("etl/daily.py", "train.py"))
    assert matches(fixed.app((), catalogue=catalogue), (120, 24))


def test_folder_that_is_being_read(matches: Matches) -> None:
    assert matches(fixed.app((), catalogue=Catalogue(fixed.ROOT, loading=True)), (120, 24))


def test_no_jobs_yet(matches: Matches) -> None:
    assert matches(fixed.app(()), (120, 24))


def test_broken_module(matches: Matches) -> None:
    assert matches(fixed.app(), press=("G",))


def test_filter_that_nothing_passes(matches: Matches) -> None:
    assert matches(fixed.app(), press=("4", "slash", *"state:lost", "enter"))


def test_filter_while_it_is_typed(matches: Matches) -> None:
    assert matches(fixed.app(), press=("4", "slash", *"!completed flow:etl"))


@pytest.mark.parametrize("size", [(59, 20), (80, 15)], ids=str)
def test_terminal_that_is_too_small(matches: Matches, size: tuple[int, int]) -> None:
    assert matches(fixed.app(), size)


def test_palette(matches: Matches) -> None:
    assert matches(fixed.app(), press=("ctrl+p",))


def test_hostile_text_stays_in_its_cell(matches: Matches) -> None:
    nasty = (
        "[red]x[/red] \x1b[31mred\x1b]0;title\x07 \x00\x08\r\nnext \u202eRTL אבג 漢字漢字 "
        "e\u0301\u0301\u0301\u0301\u0301 \udce9 👩\u200d👩\u200d👧\ufe0f"
    )
    flow = fixed.ETL._replace(name=nasty, description=nasty, path=nasty)
    jobs = [
        fixed.summary(1, fixed.S.FAILED, nasty, params={nasty: nasty}, error=nasty),
        fixed.summary(2, fixed.S.RUNNING, nasty, last_event=nasty, progress=fixed.Progress(1, 2, nasty)),
    ]
    assert matches(fixed.app(jobs, catalogue=Catalogue(fixed.ROOT, (flow,))), press=("4",))

"""What the list of jobs looks like: marks, ranges, views, orders, questions about many, nothing to show."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.tui import fixed

Matches = Callable[..., bool]

THEMES = ["textual-dark", "textual-light"]
RANGE = ("4", "space", "j", "space", "j", "V", "j")


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40), (200, 40)], ids=str)
def test_marks_and_a_range(matches: Matches, size: tuple[int, int]) -> None:
    assert matches(fixed.app(), size, press=RANGE)


def test_marks_and_a_range_in_a_light_theme(matches: Matches) -> None:
    assert matches(fixed.app(theme="textual-light"), press=RANGE)


def test_marks_and_a_range_without_colour(matches: Matches, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert matches(fixed.app(), press=RANGE)


@pytest.mark.parametrize("theme", THEMES)
def test_question_about_many_some_of_them_hidden(matches: Matches, theme: str) -> None:
    keys = ("4", "asterisk", "slash", *"state:!paus", "enter", "X")
    assert matches(fixed.app(theme=theme), press=keys)


def test_question_about_many_on_a_small_screen(matches: Matches) -> None:
    keys = ("4", "asterisk", "slash", *"state:!paus", "enter", "x")
    assert matches(fixed.app(), (60, 16), press=keys)


def test_question_about_running_many_again(matches: Matches) -> None:
    assert matches(fixed.app(), (80, 24), press=("4", "V", "G", "r"))


def test_view_and_filter_and_order(matches: Matches) -> None:
    keys = ("4", "v", "greater_than_sign", "slash", *"etl", "enter")
    assert matches(fixed.app(), (80, 24), press=keys)


@pytest.mark.parametrize("size", [(60, 16), (120, 40)], ids=str)
def test_filter_that_cannot_be_meant_while_it_is_typed(matches: Matches, size: tuple[int, int]) -> None:
    assert matches(fixed.app(), size, press=("4", "slash", *"state:lost folw:etl"))


def test_view_that_hides_all(matches: Matches) -> None:
    assert matches(fixed.app(fixed.JOBS[:2]), (80, 24), press=("4", "v"))


def test_filter_and_view_that_hide_all(matches: Matches) -> None:
    keys = ("4", "v", "slash", *"nothing", "enter")
    assert matches(fixed.app(fixed.JOBS), (80, 24), press=keys)


def test_palette_with_jobs(matches: Matches) -> None:
    assert matches(fixed.app(), press=("ctrl+p", *"etl"))

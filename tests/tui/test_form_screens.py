"""What the start form looks like."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from tests.tui import fixed
from tests.tui.driving import Drive
from tests.tui.forms import Everything, Params, picture_of, settled, start_screen
from tui.screens.start import StartScreen

Matches = Callable[..., bool]
Then = Callable[[Drive, StartScreen], Awaitable[None]]

GIVEN: Mapping[str, Any] = {
    "folder": "/data/orders",
    "day": "2025-06-30",
    "note": "two\nlines",
    "colour": None,
    "token": "hush",
    "tags": ["daily", "a longer one", "and one that is longer still", "so that lines are needed"],
    "database": {"host": "db.example", "login": {"user": "me", "password": "hush"}},
}


def opened(
    values: Mapping[str, Any] | None = None,
    *,
    keys: str = "",
    at: str = "",
    earlier: tuple[Mapping[str, Any], ...] = (),
    then: Then | None = None,
) -> Callable[[Drive], Awaitable[None]]:
    """Open the form, go to a field, press keys."""

    async def go(pilot: Drive) -> None:
        await pilot.pause()
        form = start_screen(Everything, values, earlier)
        await pilot.app.push_screen(form)
        await settled(pilot)
        if at:
            form.set_focus(form.fields[at].editor)
        for key in keys.split():
            await pilot.press(key)
            await settled(pilot)
        if then is not None:
            await then(pilot, form)
        await settled(pilot)

    return go


@pytest.mark.parametrize("size", [(60, 24), (80, 30), (120, 50)], ids=str)
def test_empty_form(matches: Matches, size: tuple[int, int]) -> None:
    assert matches(fixed.app(()), size, run_before=opened())


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light"])
def test_form_that_is_filled(matches: Matches, theme: str) -> None:
    assert matches(fixed.app((), theme=theme), (120, 56), run_before=opened(GIVEN))


@pytest.mark.parametrize("size", [(60, 24), (120, 40)], ids=str)
def test_nested_fields(matches: Matches, size: tuple[int, int]) -> None:
    go = opened(GIVEN, at="database.login.password")
    assert matches(fixed.app(()), size, run_before=go)


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light"])
def test_errors_beside_their_fields(matches: Matches, theme: str) -> None:
    values = {"limit": 0, "ratio": "much", "pattern": "A", "tags": "x", "database": {"login": {}}}
    assert matches(fixed.app((), theme=theme), (80, 50), run_before=opened(values, keys="ctrl+s"))


def test_choices_that_are_open(matches: Matches) -> None:
    assert matches(fixed.app(()), (80, 40), run_before=opened(GIVEN, at="colour", keys="enter"))


def test_earlier_set(matches: Matches) -> None:
    earlier = (GIVEN, {"folder": "/older", "gone": 3})
    go = opened(GIVEN, keys="ctrl+r", earlier=earlier)
    assert matches(fixed.app(()), (80, 30), run_before=go)


def test_field_that_is_emptied(matches: Matches) -> None:
    go = opened(GIVEN, at="note", keys="ctrl+n")
    assert matches(fixed.app(()), (80, 40), run_before=go)


@pytest.mark.parametrize("size", [(60, 24), (120, 40)], ids=str)
def test_flow_that_changed_under_the_form(matches: Matches, size: tuple[int, int]) -> None:
    async def change(pilot: Drive, form: StartScreen) -> None:
        form.flow_changed(picture_of(Params)._replace(name="orders.load"))
        await settled(pilot)

    assert matches(fixed.app(()), size, run_before=opened(GIVEN, then=change))


def test_flow_that_is_gone(matches: Matches) -> None:
    async def change(pilot: Drive, form: StartScreen) -> None:
        form.flow_changed(None)

    assert matches(fixed.app(()), (80, 30), run_before=opened(GIVEN, then=change))


def test_form_without_colour(matches: Matches, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    values = {"limit": 0, "database": {"login": {}}}
    assert matches(fixed.app(()), (80, 40), run_before=opened(values, keys="ctrl+s"))


def test_hostile_text_in_the_form(matches: Matches) -> None:
    nasty = "[red]x[/red] \x1b[31mred\x1b]0;title\x07 \x00\x08 next \u202eRTL אבג 漢字漢字 👩\u200d👧\ufe0f"
    values = {"folder": nasty, "note": nasty + "\n" + nasty, "tags": [nasty], "day": nasty, "colour": nasty}
    assert matches(fixed.app(()), (80, 50), run_before=opened(values, keys="ctrl+s"))

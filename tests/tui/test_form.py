"""The start form with real declarations: what it shows, reads, and keeps to itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field, SecretStr
from textual.app import App

from routilux.params import describe, validate
from tests.tui import fixed
from tests.tui.driving import type_text
from tui.form.fields import ChoiceField, JsonField, SwitchField, TextField
from tui.pictures import FlowPicture
from tui.screens.start import StartScreen

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Params(BaseModel):
    early: int = Field(1, ge=1, le=9)
    name: str
    token: SecretStr = SecretStr("built in")
    colour: Colour | None = Colour.RED
    mode: Literal["fast", "exact"] = "fast"
    sure: bool
    maybe: bool | None = None
    quiet: bool = True
    words: list[str] = ["a"]
    day: date = date(2025, 6, 12)
    folder: Path = Path("/tmp")


def flow_of(declaration: type) -> FlowPicture:
    routines = (fixed.routine("r", "trigger"),)
    return FlowPicture("f", "f.py", 1, "", routines, (), "r", True, describe(declaration), ())


@asynccontextmanager
async def form_of(declaration: type = Params, values: Mapping[str, Any] | None = None) -> AsyncIterator[Any]:
    """A pilot whose app shows the form, and what the form answered with in `pilot.answers`."""
    app = fixed.app(())
    app.animation_level = "none"
    async with app.run_test(size=(100, 50)) as pilot:
        await pilot.pause()
        answers: list[Any] = []
        form = StartScreen(
            flow_of(declaration), lambda given: validate(declaration, "f", given), values=values
        )
        await app.push_screen(form, answers.append)
        await pilot.pause()
        pilot.answers = answers  # type: ignore[attr-defined]
        yield pilot, form


async def test_required_fields_come_first_and_each_has_its_editor() -> None:
    async with form_of() as (_, form):
        assert list(form.fields)[:2] == ["name", "sure"]
        kinds = {name: type(field) for name, field in form.fields.items()}
        assert kinds == {
            "name": TextField, "sure": ChoiceField, "early": TextField, "token": TextField,
            "colour": ChoiceField, "mode": ChoiceField, "maybe": ChoiceField, "quiet": SwitchField,
            "words": JsonField, "day": TextField, "folder": TextField,
        }  # fmt: skip


async def test_an_untouched_form_reads_as_its_defaults() -> None:
    async with form_of(values={"name": "n", "sure": True}) as (_, form):
        reading = form.read()
        assert reading.errors == {}
        assert validate(Params, "f", reading.values) == validate(Params, "f", {"name": "n", "sure": True})


async def test_errors_stand_beside_the_field_that_was_touched_and_go_when_mended() -> None:
    async with form_of() as (pilot, form):
        form.set_focus(form.fields["early"].editor)
        await pilot.press("end", "5")
        await pilot.pause()
        assert "9" in form.fields["early"].error
        assert form.fields["name"].error == "", "nobody has been there yet"
        await pilot.press("backspace", "backspace", "4")
        await pilot.pause()
        assert form.fields["early"].error == ""


async def test_a_start_that_is_not_right_goes_to_the_first_thing_that_is_wrong() -> None:
    async with form_of(values={"name": "n"}) as (pilot, form):
        form.set_focus(form.fields["folder"].editor)
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert form.focused is form.fields["sure"].editor
        assert form.fields["sure"].error
        assert pilot.answers == []


async def test_switches_turn_by_key_and_say_their_state() -> None:
    async with form_of() as (pilot, form):
        switch = form.fields["quiet"].editor
        form.set_focus(switch)
        assert "yes" in str(switch.render())
        await pilot.press("space")
        assert form.fields["quiet"].read() is False
        assert "no" in str(switch.render())
        await pilot.press("right")
        assert form.fields["quiet"].read() is True
        await pilot.click(switch)
        assert form.fields["quiet"].read() is False


async def test_choices_answer_with_their_values() -> None:
    async with form_of(values={"colour": Colour.BLUE, "sure": False}) as (_, form):
        assert form.fields["colour"].read() == "blue"
        assert form.fields["sure"].read() is False
        form.fields["colour"].fill(None)
        assert form.fields["colour"].read() is None


async def test_a_secret_is_not_shown_and_stays_what_it_was() -> None:
    given = validate(Params, "f", {"name": "n", "sure": True, "token": "hush"})
    async with form_of(values=given) as (pilot, form):
        assert form.fields["token"].editor.value == ""
        await pilot.press("ctrl+s")
        await pilot.pause()
        [answer] = pilot.answers
        assert validate(Params, "f", answer)["token"].get_secret_value() == "hush"


async def test_a_secret_can_be_left_to_its_default_and_typed_anew() -> None:
    async with form_of(values={"name": "n", "sure": True}) as (pilot, form):
        assert validate(Params, "f", form.read().values)["token"].get_secret_value() == "built in"
        form.set_focus(form.fields["token"].editor)
        await type_text(pilot, "new")
        assert validate(Params, "f", form.read().values)["token"].get_secret_value() == "new"


async def test_what_a_validator_raises_is_shown_and_nothing_breaks() -> None:
    async with form_of(values={"name": "n", "sure": True}) as (pilot, form):
        form._check = lambda values: 1 / 0
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert form.read().errors == {"": "ZeroDivisionError: division by zero"}
        assert isinstance(pilot.app, App)
        assert pilot.answers == []

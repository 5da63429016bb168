"""The start form with real declarations: what it shows, reads, and keeps to itself."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr, field_validator
from pydantic import Field as PydanticField
from textual import events
from textual.widgets import Static, TextArea

from routilux.exceptions import ParameterError
from routilux.params import validate
from tests.tui.driving import screen_text, type_text, until, until_shown
from tests.tui.forms import Colour, Database, Everything, Params, form_of, picture_of, settled
from tui.form.choice import Choice
from tui.form.editors import Line, Text, TextLine
from tui.form.fields import ChoiceField, GroupField, SwitchField, TextField
from tui.form.toggle import Toggle
from tui.screens.start import StartScreen

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def value(form: StartScreen, name: str) -> Any:
    """What a job would get for a field."""
    return validate(Params, "f", form.read().values)[name]


RIGHT = {"name": "n", "sure": True}


async def test_required_fields_come_first_and_each_has_its_editor() -> None:
    async with form_of() as (_, form):
        assert list(form.fields)[:2] == ["name", "sure"]
        kinds = {name: (type(field), type(field.editor)) for name, field in form.fields.items()}
        assert kinds == {
            "name": (TextField, TextLine), "sure": (ChoiceField, Choice), "early": (TextField, Line),
            "token": (TextField, Line), "colour": (ChoiceField, Choice), "mode": (ChoiceField, Choice),
            "maybe": (ChoiceField, Choice), "quiet": (SwitchField, Toggle), "words": (TextField, Text),
            "day": (TextField, Line), "folder": (TextField, Line),
        }  # fmt: skip


async def test_an_untouched_form_reads_as_what_was_given() -> None:
    async with form_of(values=RIGHT) as (_, form):
        assert form.read().values == RIGHT
        assert form.read().errors == {}


async def test_errors_stand_beside_the_field_that_was_touched_and_go_when_mended() -> None:
    async with form_of() as (pilot, form):
        form.set_focus(form.fields["early"].editor)
        await pilot.press("end", "5")
        await settled(pilot)
        assert "9" in form.fields["early"].error
        assert form.fields["name"].error == "", "nobody has been there yet"
        await pilot.press("backspace", "backspace", "4")
        await settled(pilot)
        assert form.fields["early"].error == ""


async def test_a_start_that_is_not_right_goes_to_the_first_thing_that_is_wrong() -> None:
    async with form_of(values={"name": "n"}) as (pilot, form):
        form.set_focus(form.fields["folder"].editor)
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert form.focused is form.fields["sure"].editor
        assert form.fields["sure"].error == "is required"
        assert form.answers == []  # type: ignore[attr-defined]


async def test_switches_turn_by_key_and_say_their_state() -> None:
    async with form_of(values=RIGHT) as (pilot, form):
        switch = form.fields["quiet"].editor
        assert isinstance(switch, Toggle)
        form.set_focus(switch)
        assert "yes" in str(switch.render())
        await pilot.press("space")
        assert value(form, "quiet") is False
        assert "no" in str(switch.render())
        await pilot.press("right")
        assert value(form, "quiet") is True
        await pilot.click(switch)
        assert value(form, "quiet") is False


async def test_choices_are_made_with_the_keyboard() -> None:
    async with form_of(values={"colour": Colour.BLUE, "name": "n", "sure": False}) as (pilot, form):
        assert value(form, "colour") is Colour.BLUE
        form.set_focus(form.fields["colour"].editor)
        await pilot.press("enter", "end", "enter")
        await settled(pilot)
        assert value(form, "colour") is Colour.RED, "the default stands last"
        await pilot.press("enter", "up", "enter")
        await settled(pilot)
        assert value(form, "colour") is None
        form.set_focus(form.fields["maybe"].editor)
        await pilot.press("enter")
        await settled(pilot)
        await pilot.press("home", "enter")
        await settled(pilot)
        assert value(form, "maybe") is True


@pytest.mark.parametrize(
    ("name", "keys", "after"),
    [
        ("early", "up up", 3),
        ("early", "down", 1),
        ("day", "up", date(2025, 6, 13)),
        ("day", "down down", date(2025, 6, 10)),
    ],
)
async def test_up_and_down_go_to_the_next_value(name: str, keys: str, after: Any) -> None:
    async with form_of(values=RIGHT) as (pilot, form):
        form.set_focus(form.fields[name].editor)
        await pilot.press(*keys.split())
        assert value(form, name) == after


async def test_ctrl_n_empties_a_field_and_says_what_that_means() -> None:
    async with form_of(values=RIGHT | {"folder": Path("/data")}) as (pilot, form):
        form.set_focus(form.fields["folder"].editor)
        await pilot.press("ctrl+n")
        await settled(pilot)
        assert "default: /tmp" in screen_text(pilot)
        assert value(form, "folder") == Path("/tmp")
        form.set_focus(form.fields["name"].editor)
        await pilot.press("ctrl+n")
        await settled(pilot)
        assert form.fields["name"].error == "is required"
        await pilot.press("ctrl+n")
        await settled(pilot)
        assert form.fields["name"].error == ""
        assert "the empty text" in screen_text(pilot)
        assert value(form, "name") == ""


async def test_a_text_may_have_several_lines() -> None:
    async with form_of(values=RIGHT) as (pilot, form):
        form.set_focus(form.fields["name"].editor)
        await pilot.press("end", "ctrl+j", "m")
        assert value(form, "name") == "n\nm"
        form.post_message(events.Paste("a\tb\x1b[31m\nc"))
        await pilot.pause()
        assert value(form, "name") == "n\nma\tb\nc"
        await pilot.press("enter")
        await settled(pilot)
        assert form.answers == [RIGHT | {"name": "n\nma\tb\nc"}]  # type: ignore[attr-defined]


async def test_what_a_terminal_would_act_upon_cannot_be_pasted_into_a_line() -> None:
    async with form_of(values=RIGHT) as (pilot, form):
        form.set_focus(form.fields["folder"].editor)
        form.post_message(events.Paste("/\x1b]0;title\x07x\u202e"))
        await pilot.pause()
        assert value(form, "folder") == Path("/x"), "what is entered is selected, and replaced"


async def test_earlier_values_are_offered_as_one_types() -> None:
    earlier = [RIGHT | {"name": "newest"}, RIGHT | {"name": "older", "early": 7}]
    async with form_of(earlier=earlier) as (pilot, form):
        await type_text(pilot, "ol")
        await pilot.pause()
        assert "older" in screen_text(pilot)
        await pilot.press("right")
        await pilot.pause()
        assert form.read().values["name"] == "older"


async def test_a_path_is_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "orders").mkdir()
    monkeypatch.chdir(tmp_path)
    async with form_of(values=RIGHT) as (pilot, form):
        field = form.fields["folder"].editor
        assert isinstance(field, Line)
        form.set_focus(field)
        field.value = ""
        await type_text(pilot, "ord")
        await until(pilot, lambda: field._suggestion)
        await pilot.press("right")
        assert field.value == "orders/"


async def test_ctrl_r_goes_through_earlier_sets_and_back_to_what_was_typed() -> None:
    earlier = [RIGHT, RIGHT | {"early": 7, "gone": 1}]
    async with form_of(values=earlier[0], earlier=earlier) as (pilot, form):
        assert "set 1 of 2" in screen_text(pilot)
        form.set_focus(form.fields["early"].editor)
        await pilot.press("end", "x")
        await pilot.press("ctrl+r")
        await settled(pilot)
        assert form.read().values == RIGHT | {"early": 7}
        assert "set 2 of 2" in screen_text(pilot)
        assert "the flow does not know it: gone" in screen_text(pilot)
        await pilot.press("ctrl+r")
        await settled(pilot)
        assert form.fields["early"].editor.value == "1x"  # type: ignore[attr-defined]
        assert form.fields["early"].error
        assert "does not know" not in screen_text(pilot)


# ---- secrets


async def test_a_secret_is_not_shown_and_stays_what_it_was() -> None:
    given = validate(Params, "f", RIGHT | {"token": "hush"})
    async with form_of(values=given) as (pilot, form):
        assert form.fields["token"].editor.value == ""  # type: ignore[attr-defined]
        assert "•••• as before" in screen_text(pilot)
        await pilot.press("ctrl+s")
        await settled(pilot)
        [answer] = form.answers  # type: ignore[attr-defined]
        assert validate(Params, "f", answer)["token"] == SecretStr("hush")


async def test_a_secret_can_be_left_to_its_default_and_typed_anew() -> None:
    async with form_of(values=RIGHT) as (pilot, form):
        assert value(form, "token") == SecretStr("built in")
        form.set_focus(form.fields["token"].editor)
        await type_text(pilot, "new")
        await pilot.pause()
        assert "new" not in screen_text(pilot)
        assert "built in" not in screen_text(pilot)
        assert value(form, "token") == SecretStr("new")


async def test_secrets_inside_lists_are_masked_too() -> None:
    class Tokens(BaseModel):
        tokens: list[SecretStr] = []

    async with form_of(Tokens, {"tokens": [SecretStr("hush")]}) as (pilot, form):
        assert "hush" not in screen_text(pilot)
        await type_text(pilot, '["new"]')
        await pilot.pause()
        assert "new" not in screen_text(pilot)
        assert form.read().values == {"tokens": ["new"]}


# ---- nested


async def test_nested_fields_are_read_into_their_object() -> None:
    async with form_of(Everything, {"folder": "/data"}) as (pilot, form):
        assert "database.port" in form.fields
        assert "database.login.user" not in form.fields, "it is none by default"
        form.set_focus(form.fields["database.port"].editor)
        await pilot.press("up")
        await settled(pilot)
        assert form.read().values == {
            "folder": "/data", "database": {"host": "here", "port": 5433, "login": None},
        }  # fmt: skip


async def test_an_error_of_a_nested_field_stands_beside_it_though_it_has_an_alias() -> None:
    class Server(BaseModel):
        host: str = PydanticField(alias="Host")

    class Network(BaseModel):
        server: Server

    async with form_of(Network) as (pilot, form):
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert form.fields["server.host"].error == "is required"
        assert form.focused is form.fields["server.host"].editor


async def test_an_optional_object_is_given_with_its_switch() -> None:
    async with form_of(Everything, {"folder": "/data"}) as (pilot, form):
        form.set_focus(form.fields["database.login"].editor)
        await pilot.press("space")
        await settled(pilot)
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert form.fields["database.login.user"].error == "is required"
        assert form.focused is form.fields["database.login.user"].editor
        await type_text(pilot, "me")
        await pilot.press("tab")
        await type_text(pilot, "hush")
        await pilot.press("ctrl+s")
        await settled(pilot)
        [answer] = form.answers  # type: ignore[attr-defined]
        login = validate(Everything, "f", answer)["database"]["login"]
        assert login == {"user": "me", "password": SecretStr("hush")}


async def test_ctrl_n_takes_an_object_away() -> None:
    values = {"folder": "/data", "database": {"login": {"user": "me", "password": "hush"}}}
    async with form_of(Everything, values) as (pilot, form):
        group = form.fields["database.login"]
        assert isinstance(group, GroupField)
        form.set_focus(group.editor)
        await pilot.press("ctrl+n")
        await settled(pilot)
        assert form.read().values["database"]["login"] is None
        assert "database.login.user" not in form.fields


# ---- what is wrong with the flow


async def test_what_a_validator_raises_is_shown_and_nothing_breaks() -> None:
    class Odd(BaseModel):
        name: str = "x"

        @field_validator("name")
        @classmethod
        def check(cls, value: str) -> str:
            if value != "x":
                raise SystemExit(3)
            return value

    async with form_of(Odd) as (pilot, form):
        await type_text(pilot, "y")
        await pilot.press("ctrl+s")
        await until_shown(pilot, "SystemExit")
        assert form.answers == []  # type: ignore[attr-defined]


async def test_a_validator_that_takes_its_time_holds_nothing_up() -> None:
    free = threading.Event()

    @dataclass
    class Slow:
        name: str = "x"

        def __post_init__(self) -> None:
            if self.name == "slow":
                free.wait()
                raise ValueError("too slow")

    async with form_of(Slow, {"name": ""}) as (pilot, form):
        await type_text(pilot, "slow")
        await pilot.press("ctrl+s")
        await until_shown(pilot, "checking")
        assert form.answers == []  # type: ignore[attr-defined]
        free.set()
        await until_shown(pilot, "too slow")
        assert form.answers == []  # type: ignore[attr-defined]
        await pilot.press("backspace", "enter")
        await settled(pilot)
        assert form.answers == [{"name": "slo"}]  # type: ignore[attr-defined]


# ---- the flow changes under the form


class Later(BaseModel):
    name: str
    sure: bool
    early: int = 5
    more: str = "new one"


async def test_a_flow_that_has_changed_is_said_and_what_was_typed_stays() -> None:
    async with form_of(values=RIGHT) as (pilot, form):
        form.set_focus(form.fields["early"].editor)
        await pilot.press("end", "x")
        form._check = lambda values: validate(Later, "f", values)
        form.flow_changed(picture_of(Later))
        await until(pilot, lambda: "more" in form.fields)
        await settled(pilot)
        shown = screen_text(pilot)
        assert "The flow has changed: more is new; token is gone;" in shown
        assert "more." in str(form.query_one("#form-notice", Static).content)
        assert form.focused is form.fields["early"].editor
        assert form.fields["early"].editor.value == "1x"  # type: ignore[attr-defined]
        assert form.fields["early"].error
        await pilot.press("backspace", "ctrl+s")
        await settled(pilot)
        assert form.answers == [RIGHT | {"early": 1}]  # type: ignore[attr-defined]


async def test_a_flow_that_has_changed_without_its_parameters_is_checked_again() -> None:
    async with form_of(values=RIGHT) as (pilot, form):

        def refuse(values: object) -> None:
            raise ParameterError("f", ())

        form._check = refuse
        editor = form.fields["name"].editor
        form.flow_changed(picture_of(Params))
        await settled(pilot)
        assert "its parameters are the same" in screen_text(pilot)
        assert form.fields["name"].editor is editor
        assert isinstance(editor, TextArea)


async def test_a_flow_that_is_gone_cannot_be_started_until_it_is_back() -> None:
    async with form_of(values=RIGHT) as (pilot, form):
        form.flow_changed(None)
        await settled(pilot)
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert "no longer in the folder" in screen_text(pilot)
        assert form.answers == []  # type: ignore[attr-defined]
        form.flow_changed(picture_of(Params))
        await settled(pilot)
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert form.answers == [RIGHT]  # type: ignore[attr-defined]


def test_the_declarations_of_these_tests_are_right() -> None:
    assert validate(Everything, "f", {"folder": "x"})["database"] == {
        "host": "here", "port": 5432, "login": None,
    }  # fmt: skip
    assert Database().port == 5432

"""JSON in the start form: where the cursor stands when one comes to it, and what typing does there."""

from __future__ import annotations

import pytest
from pydantic import BaseModel
from textual.widgets import TextArea

from tests.tui.driving import type_text
from tests.tui.forms import form_of, settled
from tui.form.fields import TextField
from tui.screens.start import StartScreen

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Options(BaseModel):
    options: dict[str, int] = {}
    words: list[str] = ["daily"]
    many: dict[str, int] = {f"key {number}": number for number in range(20)}


def area(form: StartScreen, name: str) -> TextArea:
    field = form.fields[name]
    assert isinstance(field, TextField)
    assert isinstance(field.editor, TextArea)
    return field.editor


async def test_what_is_typed_takes_the_place_of_what_nobody_has_edited() -> None:
    async with form_of(Options) as (pilot, form):
        await type_text(pilot, '{"a": 1}')
        await pilot.press("tab")
        await type_text(pilot, '["b"]')
        await settled(pilot)
        assert area(form, "options").text == '{"a": 1}'
        assert area(form, "words").text == '["b"]'
        assert form.read().errors == {}


async def test_the_arrows_edit_what_is_there() -> None:
    async with form_of(Options) as (pilot, form):
        await pilot.press("end", "left")
        await type_text(pilot, '"a": 1')
        assert area(form, "options").text == '{"a": 1}'


async def test_what_one_has_typed_is_not_selected_when_one_comes_back() -> None:
    async with form_of(Options) as (pilot, form):
        await pilot.press("end", "left")
        await type_text(pilot, '"a": 1')
        await pilot.press("tab", "shift+tab")
        assert area(form, "options").selection.is_empty
        await type_text(pilot, "2")
        assert area(form, "options").text == '{"a": 12}'


async def test_nothing_is_selected_where_one_is_not() -> None:
    async with form_of(Options) as (pilot, form):
        assert not area(form, "options").selection.is_empty
        assert area(form, "words").selection.is_empty
        await pilot.press("tab")
        assert area(form, "options").selection.is_empty


async def test_a_long_value_is_shown_from_its_beginning() -> None:
    async with form_of(Options) as (pilot, form):
        many = area(form, "many")
        assert many.document.line_count > many.size.height
        assert many.scroll_offset.y == 0
        await pilot.press("tab", "tab")
        assert many.has_focus
        assert many.scroll_offset.y == 0


async def test_a_click_puts_the_cursor_where_it_goes() -> None:
    async with form_of(Options) as (pilot, form):
        await pilot.click(area(form, "words"), offset=(2, 0))
        assert area(form, "words").selection.is_empty
        await type_text(pilot, "x")
        assert "x" in area(form, "words").text
        assert "daily" in area(form, "words").text

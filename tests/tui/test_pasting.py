"""What is pasted into the start form goes in whole, or it is said what did not."""

from __future__ import annotations

import json

import pytest
from pydantic import BaseModel, SecretStr
from textual import events
from textual.widgets import Static

from tests.tui.driving import Drive, app_of, screen_text
from tests.tui.forms import form_of, settled
from tui.form.editors import MOST
from tui.screens.start import StartScreen

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Params(BaseModel):
    name: str = ""
    words: list[str] = []
    token: SecretStr = SecretStr("built in")
    count: int = 1


async def paste(pilot: Drive, form: StartScreen, name: str, text: str) -> str:
    """Paste into a field; the note that stands under it then."""
    form.set_focus(form.fields[name].editor)
    form.post_message(events.Paste(text))
    await settled(pilot)
    note = form.fields[name].query_one(".field-note", Static)
    return str(note.content) if note.display else ""


@pytest.mark.parametrize("name", ["name", "token"])
async def test_a_long_text_goes_in_whole(name: str) -> None:
    async with form_of(Params) as (pilot, form):
        assert await paste(pilot, form, name, "abcde" * 2000) == ""
        assert form.read().values == {name: "abcde" * 2000}


async def test_long_json_goes_in_whole() -> None:
    words = [f"word {number}" for number in range(1000)]
    async with form_of(Params) as (pilot, form):
        form.fields["words"].next_empty()
        assert await paste(pilot, form, "words", json.dumps(words)) == ""
        assert form.read().values == {"words": words}
        assert form.fields["words"].error == ""


async def test_a_secret_of_several_lines_goes_in_whole() -> None:
    key = "-----BEGIN KEY-----\nMIIB\n\tx\x01\u200c\n-----END KEY-----\n"
    async with form_of(Params) as (pilot, form):
        assert "4 lines" in await paste(pilot, form, "token", key.replace("\n", "\r"))
        assert form.read().values == {"token": key}
        assert "MIIB" not in screen_text(pilot)


async def test_the_line_end_behind_a_secret_is_none_of_it() -> None:
    async with form_of(Params) as (pilot, form):
        assert await paste(pilot, form, "token", "hush\r\n") == ""
        assert form.read().values == {"token": "hush"}


async def test_several_lines_do_not_go_where_one_is_wanted() -> None:
    async with form_of(Params) as (pilot, form):
        assert "there are 2 lines" in await paste(pilot, form, "count", "12\n13\n")
        assert form.read().values == {}
        assert await paste(pilot, form, "count", "\n12\n") == ""
        assert form.read().values == {"count": 12}
        assert "1 character" in await paste(pilot, form, "count", "\t3")


PERSIAN = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


@pytest.mark.parametrize(
    ("text", "taken", "said"),
    [
        (PERSIAN, PERSIAN.replace("\u200c", ""), "1 character that cannot be shown here was left out"),
        (FAMILY, FAMILY.replace("\u200d", ""), "2 characters that cannot be shown here were left out"),
        ("a\x1b[31mb\x07", "ab", "6 characters"),
    ],
    ids=["persian", "family", "escape"],
)
async def test_what_cannot_be_shown_is_left_out_and_that_is_said(text: str, taken: str, said: str) -> None:
    async with form_of(Params) as (pilot, form):
        assert said in await paste(pilot, form, "name", text)
        assert form.read().values == {"name": taken}
        # It is of the paste, and goes with the next change.
        await pilot.press("x")
        await settled(pilot)
        assert not form.fields["name"].query_one(".field-note", Static).display


async def test_what_was_copied_in_the_app_is_pasted_with_the_same_care() -> None:
    async with form_of(Params) as (pilot, form):
        app_of(pilot).copy_to_clipboard("a\x1b]0;title\x07b")
        for name in ("name", "count"):
            form.set_focus(form.fields[name].editor)
            await pilot.press("ctrl+v")
            await settled(pilot)
        assert form.read().values["name"] == "ab"
        assert "left out" in screen_text(pilot)


async def test_more_than_can_be_edited_is_refused_aloud() -> None:
    async with form_of(Params) as (pilot, form):
        assert f"not pasted: {MOST + 1:,} characters" in await paste(pilot, form, "name", "x" * (MOST + 1))
        assert form.read().values == {}


async def test_nothing_pasted_is_nothing() -> None:
    async with form_of(Params) as (pilot, form):
        for name in ("name", "token", "count", "words"):
            assert await paste(pilot, form, name, "") == ""
        assert form.read().values == {}

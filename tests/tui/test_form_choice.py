"""A parameter that is one of several: the list of them, and choosing by typing."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import BaseModel
from textual.widgets import OptionList, Select

from tests.tui.driving import screen_text, until
from tests.tui.forms import form_of, settled

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Many(BaseModel):
    what: Literal[
        "none", "spin", "flood", "sleep", "raise", "print", "wait", "log", "emit", "retry", "skip", "hang",
        "fork", "read", "theta",
    ] = "spin"  # fmt: skip


def chosen(form: Any) -> object:
    return form.read().values.get("what")


@pytest.mark.parametrize("first", [[], ["enter"]], ids=["closed", "open"])
async def test_a_typed_letter_chooses(first: list[str]) -> None:
    async with form_of(Many) as (pilot, form):
        # One letter: those of a word count together only if they come quickly.
        await pilot.press(*first, "w", "enter")
        await settled(pilot)
        assert not form.query_one(Select).expanded
        assert chosen(form) == "wait"


@pytest.mark.parametrize("size", [(60, 16), (100, 40)])
async def test_the_options_stand_in_a_frame_within_the_screen(size: tuple[int, int]) -> None:
    async with form_of(Many, size=size) as (pilot, form):
        await pilot.press("enter")
        options = form.query_one(OptionList)
        await until(pilot, lambda: options.region.height)
        assert form.region.contains_region(options.region)
        lines = screen_text(pilot).splitlines()
        top, bottom = lines[options.region.y], lines[options.region.bottom - 1]
        assert top[options.region.x] + top[options.region.right - 1] == "╭╮"
        assert bottom[options.region.x] + bottom[options.region.right - 1] == "╰╯"


async def test_all_options_are_seen_where_there_is_room() -> None:
    async with form_of(Many, size=(100, 40)) as (pilot, _):
        await pilot.press("enter")
        await until(pilot, lambda: all(f"│{word} " in screen_text(pilot) for word in ("none", "theta")))

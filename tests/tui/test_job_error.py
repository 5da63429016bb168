"""The Error tab: the call that failed with its source and variables, what led to it, the data."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from routilux.history import JobError
from tests.tui import fixed, fixed_errors
from tests.tui.driving import Drive, main_of, real_app, screen_text, text_of, until, until_shown
from tui.places import Place
from tui.screens.text import TextScreen
from tui.spans import line_width
from tui.widgets.error_view import ErrorView

Matches = Callable[..., bool]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def errors_of(
    errors: tuple[JobError, ...], size: tuple[int, int] = (120, 60)
) -> AsyncIterator[tuple[Drive, ErrorView]]:
    app = fixed.app()
    app.animation_level = "none"
    app.backend.errors = errors  # type: ignore[attr-defined]
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        await pilot.press("5", "left")
        await pilot.pause()
        yield pilot, main_of(pilot).job_pane.more().error_view


def keys_of(view: ErrorView) -> list[str]:
    return [view.row_key(row) for row in range(view.row_count())]


SEVERAL = fixed_errors.several(fixed.NOW)


@pytest.mark.anyio
async def test_the_failing_call_comes_first_with_its_line_marked_and_its_variables() -> None:
    async with errors_of(SEVERAL[2:]) as (_, view):
        lines = text_of(view).splitlines()
        assert lines[0] == "▌✗ KeyError: 'sku'"
        failing = next(at for at, line in enumerate(lines) if "❱" in line)
        assert lines[failing] == '   ❱ 88 │     return row["sku"].price * rate'
        assert lines[failing + 1] == "        │            ^^^^^^^^^^"
        assert "flows/etl.py:88 in Clean.cost" in lines[failing - 5]
        assert any(line.split() == ["rate", "1.19"] for line in lines)
        assert any("3 more, not kept" in line for line in lines)
        # The caller comes after it, its variables folded.
        assert lines.index(" ▾ flows/etl.py:71 in Clean.logic") > failing
        assert "   ▸ 2 variables" in lines
        assert lines.index(" ▾ data it failed on") > lines.index("   ▸ 2 variables")


@pytest.mark.anyio
async def test_what_failed_the_job_is_read_first_and_n_and_N_step_through_the_others() -> None:
    async with errors_of(SEVERAL) as (pilot, view):
        assert view.error is SEVERAL[2]
        assert "error 3 of 3" in screen_text(pilot)
        await pilot.press("n")
        assert view.error is SEVERAL[0]
        assert "ValueError: old" in text_of(view)
        await pilot.press("N", "N")
        assert view.error is SEVERAL[1]
        assert "error 2 of 3" in view.words
        assert "dealt with, the job went on" in text_of(view)


@pytest.mark.anyio
async def test_groups_causes_notes_and_library_calls_are_told_apart() -> None:
    async with errors_of(SEVERAL[1:2]) as (pilot, view):
        text = text_of(view)
        assert "note: the file is of yesterday" in text
        assert "   one of the group KeyError: 'sku'" in text
        assert " caused by RuntimeError: no tariff" in text
        assert "▸ 2 library calls, json/decoder.py:355 JSONDecoder.raw_decode" in text
        view.choose(next(key for key in keys_of(view) if key.startswith("library:")))
        await pilot.press("enter")
        assert "raise JSONDecodeError(" in text_of(view)
        await pilot.press("enter")
        assert "raise JSONDecodeError(" not in text_of(view)


@pytest.mark.anyio
async def test_plus_unfolds_everything_and_minus_folds_it() -> None:
    async with errors_of(SEVERAL[1:2]) as (pilot, view):
        await pilot.press("minus")
        assert "❱" not in text_of(view)
        assert "1017" not in text_of(view)
        await pilot.press("plus")
        assert "▸" not in text_of(view)
        assert "return decoder.decode(s)" in text_of(view)


@pytest.mark.anyio
async def test_enter_shows_all_of_a_variable_and_escape_goes_back() -> None:
    async with errors_of(SEVERAL[2:]) as (pilot, view):
        view.choose(next(key for key in keys_of(view) if key.endswith(":row")))
        await pilot.press("enter")
        assert isinstance(pilot.app.screen, TextScreen)
        assert "row in Clean.cost" in screen_text(pilot)
        assert "{'name': 'lamp', 'count': 2}" in screen_text(pilot)
        await pilot.press("escape")
        assert main_of(pilot).focused is view


@pytest.mark.anyio
async def test_the_row_under_the_cursor_stays_when_something_above_is_folded() -> None:
    async with errors_of(SEVERAL[2:]) as (_, view):
        view.choose("data:1:0")
        frame = next(key for key in keys_of(view) if key.startswith("frame:"))
        view.folded[frame] = True
        view.write()
        assert view.chosen == "data:1:0"


@pytest.mark.anyio
async def test_an_error_that_is_read_stays_when_others_come_until_one_fails_the_job() -> None:
    async with errors_of(SEVERAL[:1]) as (_, view):
        assert view.error is SEVERAL[0]
        view.show(SEVERAL[:2], None)
        assert view.error is SEVERAL[0]
        assert view.words == "error 1 of 2"
        view.show(SEVERAL, None)
        assert view.error is SEVERAL[2]


@pytest.mark.anyio
async def test_the_place_is_the_line_under_the_cursor_or_else_the_failing_one() -> None:
    async with errors_of(SEVERAL[2:]) as (_, view):
        assert view.place == Place(fixed_errors.ETL, 88)
        view.choose(next(key for key in keys_of(view) if key.endswith(":70")))
        assert view.place == Place(fixed_errors.ETL, 70)
        view.show(SEVERAL[:1], None)
        assert view.place == Place(fixed_errors.ETL, 12)


@pytest.mark.anyio
@pytest.mark.parametrize("columns", [60, 80, 120])
async def test_no_row_is_wider_than_the_pane(columns: int) -> None:
    async with errors_of(SEVERAL[1:2], (columns, 24)) as (pilot, view):
        await pilot.press("plus")
        assert max(line_width(view.line(y)) for y in range(view.line_count())) <= view.columns


@pytest.mark.anyio
async def test_a_job_without_errors_says_so() -> None:
    async with errors_of(()) as (pilot, view):
        assert text_of(view) == "▌no errors"
        await pilot.press("n", "N", "plus", "minus", "enter")
        assert view.error is None


FAILING = """
from routilux import Flow, Routine


class Rude:
    def __repr__(self):
        raise RuntimeError("no")


class Clean(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger")

    def logic(self, trigger):
        rude, text = Rude(), "x" * 1_000_000
        return trigger[0]["sku"]


flow = Flow("orders")
flow.add_routine(Clean(), "clean")
"""


@pytest.mark.anyio
async def test_a_real_failure_shows_its_source_and_variables(tmp_path: Path) -> None:
    (tmp_path / "orders.py").write_text(FAILING)
    async with real_app(tmp_path) as (pilot, runtime):
        await pilot.press("S", "ctrl+s", "5", "left", "z")
        await until(pilot, lambda: runtime.list_jobs() and runtime.list_jobs()[0].is_finished())
        await until_shown(pilot, '❱ 17 │     return trigger[0]["sku"]')
        assert "Rude object>" in screen_text(pilot)
        assert "KeyError: 'sku'" in screen_text(pilot)


@pytest.mark.parametrize(
    ("size", "theme"),
    [
        ((60, 24), "textual-dark"), ((80, 24), "textual-dark"), ((120, 60), "textual-dark"),
        ((120, 60), "textual-light"), ((200, 60), "textual-dark"),
    ],
    ids=str,
)  # fmt: skip
def test_error_pictures(matches: Matches, size: tuple[int, int], theme: str) -> None:
    app = fixed.app(theme=theme)
    app.backend.errors = SEVERAL[2:]  # type: ignore[attr-defined]

    async def go(pilot: Pilot[int]) -> None:
        await pilot.press("5", "left", "z")

    assert matches(app, size, run_before=go)


def test_picture_of_a_group_of_errors(matches: Matches) -> None:
    app = fixed.app()
    app.backend.errors = SEVERAL  # type: ignore[attr-defined]

    async def go(pilot: Pilot[int]) -> None:
        await pilot.press("5", "left", "z", "N")

    assert matches(app, (100, 50), run_before=go)

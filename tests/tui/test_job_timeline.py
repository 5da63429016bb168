"""The Timeline tab under the thumb: zoomed, moved through, scrolled."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot

from tests.tui import fixed, fixed_tabs
from tests.tui.driving import Drive, app_of, main_of, screen_text, text_of
from tests.tui.fixed import FixedBackend, S
from tui.app import RoutiluxApp
from tui.formats import duration
from tui.widgets.timeline_view import Lanes


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def app_with(
    job: fixed.JobSummary, records: list[Any], theme: str = "textual-dark", routines: int = 0
) -> RoutiluxApp:
    """The app with one job that has these records, and for `routines` so many more of them."""

    class Backend(FixedBackend):
        def detail(self, job_id: str) -> Any:
            detail = super().detail(job_id)
            if detail is None:
                return None
            more = tuple(fixed.state(f"extra_{number}", "idle", runs=0) for number in range(routines))
            snapshot = detail.snapshot
            return detail._replace(snapshot=snapshot._replace(routines=snapshot.routines + more))

    backend = Backend([job])
    backend.records = records
    return RoutiluxApp(backend, catalogue=backend.catalogue, clock=fixed.clock, theme=theme)


@asynccontextmanager
async def timeline_of(
    job: fixed.JobSummary, records: list[Any], size: tuple[int, int] = (120, 40), routines: int = 0
) -> AsyncIterator[tuple[Drive, Lanes]]:
    app = app_with(job, records, routines=routines)
    app.animation_level = "none"
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        main_of(pilot).job_pane.go_to_tab("Timeline")
        await pilot.press("5")
        await pilot.pause()
        yield pilot, main_of(pilot).job_pane.more().timeline.lanes


RUNNING = fixed.summary(0x1A, S.RUNNING, elapsed=74.0)


@pytest.mark.anyio
async def test_all_of_the_job_is_seen_at_first() -> None:
    async with timeline_of(RUNNING, fixed_tabs.timeline_records()) as (pilot, lanes):
        window = lanes.window()
        assert window.start == 0
        assert window.end >= 74
        shown = text_of(lanes)
        assert [name in shown for name in ("fetch", "clean", "load", "audit")] == [True] * 4
        assert "╷0s" in screen_text(pilot)
        assert "overlaps end in the order they began" in lanes.words
        assert "0 records dropped" in lanes.words


@pytest.mark.anyio
async def test_the_time_a_job_was_paused_is_part_of_its_timeline() -> None:
    paused = RUNNING._replace(elapsed=14.0, paused=60.0)
    async with timeline_of(paused, fixed_tabs.timeline_records()) as (_, lanes):
        assert lanes.window().end >= 74


@pytest.mark.anyio
async def test_all_begins_with_the_oldest_record_that_is_kept_and_says_so() -> None:
    busy = fixed_tabs.timeline_records(1000.0, 10_000)[-20:]
    oldest = (busy[0].timestamp - fixed.NOW).total_seconds() + 1000.0
    async with timeline_of(fixed.summary(0x1A, S.RUNNING, elapsed=1000.0), busy) as (pilot, lanes):
        window = lanes.window()
        assert 0 <= oldest - window.start < window.step
        assert window.end >= 1000.0
        assert window.step < 1000.0 / window.columns
        assert f"all since {duration(oldest)}" in lanes.words
        await pilot.press("plus", "plus", "0")
        assert lanes.window() == window
        await pilot.press("minus")
        assert lanes.window() == window


@pytest.mark.anyio
async def test_plus_and_minus_zoom_and_0_shows_all_again() -> None:
    async with timeline_of(RUNNING, fixed_tabs.timeline_records()) as (pilot, lanes):
        whole = lanes.window()
        await pilot.press("plus", "equals_sign")
        closer = lanes.window()
        assert closer.step < whole.step
        await pilot.press("minus")
        assert closer.step < lanes.window().step < whole.step
        await pilot.press("0")
        assert lanes.window() == whole
        await pilot.press("minus")
        assert lanes.window() == whole


@pytest.mark.anyio
async def test_time_is_gone_through_sideways_and_its_end_is_followed() -> None:
    async with timeline_of(RUNNING, fixed_tabs.timeline_records()) as (pilot, lanes):
        await pilot.press(*["plus"] * 4, *["L"] * 12)
        assert lanes.window().end >= 74
        assert "FOLLOW" in lanes.words
        at_end = lanes.window()
        later = RUNNING._replace(elapsed=90.0)
        app_of(pilot).backend.give([later])  # type: ignore[attr-defined]
        main_of(pilot)._frame()
        assert lanes.window().start > at_end.start
        await pilot.press("H")
        reading = lanes.window()
        assert reading.start < at_end.start + 16
        assert "stays" in lanes.words
        app_of(pilot).backend.give([later._replace(elapsed=120.0)])  # type: ignore[attr-defined]
        main_of(pilot)._frame()
        assert lanes.window() == reading
        await pilot.press("f")
        assert lanes.window().end >= 120
        await pilot.press("f", "shift+left", "shift+right", *["H"] * 40)
        assert lanes.window().start == 0


@pytest.mark.anyio
async def test_ctrl_and_the_wheel_zoom_to_where_the_mouse_is() -> None:
    async with timeline_of(RUNNING, fixed_tabs.timeline_records()) as (pilot, lanes):
        before = lanes.window()
        at = lanes.label_columns + before.columns // 4
        under = before.start + before.step * before.columns // 4
        await pilot._post_mouse_events([events.MouseScrollUp], widget=lanes, offset=(at, 1), control=True)
        await pilot.pause()
        after = lanes.window()
        assert after.step < before.step
        assert abs(after.start + after.step * after.columns / 4 - under) < 3 * after.step


@pytest.mark.anyio
async def test_more_lanes_than_rows_scroll_under_the_axis() -> None:
    async with timeline_of(RUNNING, fixed_tabs.timeline_records(), (80, 24), routines=40) as (pilot, _):
        assert "extra_39" not in screen_text(pilot)
        await pilot.press("G")
        await pilot.pause()
        assert "extra_39" in screen_text(pilot)
        assert "╷0s" in screen_text(pilot)
        await pilot.press("g")
        await pilot.pause()
        assert "fetch" in screen_text(pilot)


@pytest.mark.anyio
async def test_only_new_records_are_asked_for() -> None:
    records = fixed_tabs.timeline_records()
    async with timeline_of(RUNNING, records) as (pilot, lanes):
        assert lanes.next_sequence == len(records)
        asked: list[int] = []
        backend = app_of(pilot).backend
        backend.history = lambda job_id, since: asked.append(since) or []  # type: ignore[method-assign,assignment,func-returns-value]
        backend.give([RUNNING._replace(elapsed=75.0)])  # type: ignore[attr-defined]
        main_of(pilot)._frame()
        assert set(asked) == {len(records)}


Matches = Callable[..., bool]


@pytest.mark.parametrize(
    ("size", "seconds", "theme"),
    [
        ((120, 40), 74.0, "textual-dark"),
        ((80, 24), 74.0, "textual-dark"),
        ((120, 40), 0.1, "textual-light"),
        ((120, 24), 4 * 3600.0, "nord"),
    ],
    ids=str,
)
def test_timeline_pictures(matches: Matches, size: tuple[int, int], seconds: float, theme: str) -> None:
    async def go(pilot: Pilot[int]) -> None:
        await pilot.press("5")
        pilot.app.main.job_pane.go_to_tab("Timeline")  # type: ignore[attr-defined]
        await pilot.pause()

    job = fixed.summary(0x1A, S.RUNNING, elapsed=seconds)
    first = 1200 if theme == "nord" else 0
    assert matches(app_with(job, fixed_tabs.timeline_records(seconds, first), theme), size, run_before=go)


def test_timeline_zoomed_in(matches: Matches) -> None:
    async def go(pilot: Pilot[int]) -> None:
        await pilot.press("5", "z")
        pilot.app.main.job_pane.go_to_tab("Timeline")  # type: ignore[attr-defined]
        await pilot.pause()
        await pilot.press(*["plus"] * 3)

    assert matches(app_with(RUNNING, fixed_tabs.timeline_records()), (100, 30), run_before=go)

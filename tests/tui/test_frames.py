"""The first frame, and frames that give way to keys."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import pytest

from tests.tui import fixed
from tests.tui.driving import app_of, main_of, until, until_shown
from tests.tui.fixed import FixedBackend, S
from tui.app import RoutiluxApp
from tui.pace import Pace
from tui.pictures import Catalogue
from tui.screens import main as main_screen
from tui.screens.asking import Answer, ask
from tui.screens.main import MainScreen
from tui.screens.question import Question
from tui.typing_ahead import TypingAhead
from tui.widgets.flow_list import FlowList
from tui.widgets.prompt import Prompt

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class SlowFolder(FixedBackend):
    """Reads its folder once it is let."""

    def __init__(self) -> None:
        super().__init__((), Catalogue(fixed.ROOT, loading=True))
        self.may_read = threading.Event()

    def load(self) -> Catalogue:
        self.may_read.wait()
        self.catalogue = fixed.CATALOGUE
        return self.catalogue


async def test_a_slow_folder_does_not_keep_the_screen_away_and_is_shown_once_it_is_read() -> None:
    backend = SlowFolder()
    try:
        async with RoutiluxApp(backend, clock=fixed.clock).run_test(size=(120, 40)) as pilot:
            await until_shown(pilot, "4 Jobs")
            assert main_of(pilot).catalogue.loading
            backend.may_read.set()
            await until_shown(pilot, "report.render")
    finally:
        backend.may_read.set()


async def test_flows_that_are_read_within_a_moment_are_in_the_first_frame(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(main_screen, "MOMENT", 30.0)
    frames: list[bool] = []
    show = FlowList.show_catalogue

    def noted(self: FlowList, catalogue: Catalogue) -> None:
        frames.append(catalogue.loading)
        show(self, catalogue)

    monkeypatch.setattr(FlowList, "show_catalogue", noted)
    backend = SlowFolder()
    begin = MainScreen.on_mount

    async def begun(self: MainScreen) -> None:
        # Not before the screen waits for something.
        asyncio.get_running_loop().call_soon(backend.may_read.set)
        await begin(self)

    monkeypatch.setattr(MainScreen, "on_mount", begun)
    async with RoutiluxApp(backend, clock=fixed.clock).run_test(size=(120, 40)) as pilot:
        await until_shown(pilot, "report.render")
    assert not any(frames)


async def test_what_no_first_frame_needs_is_made_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[bool] = []

    def is_made(main: MainScreen) -> bool:
        return bool(main.query(Prompt)) and main.app.stylesheet.has_source(str(Question.CSS_PATH))

    show = MainScreen._show_header

    def noted(self: MainScreen) -> None:
        made.append(is_made(self))
        show(self)

    monkeypatch.setattr(MainScreen, "_show_header", noted)
    async with fixed.app().run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: is_made(main_of(pilot)))
    assert not made[0]


async def test_a_question_before_all_is_ready_looks_as_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MainScreen, "_get_ready", lambda self: None)
    async with fixed.app().run_test(size=(120, 40)) as pilot:
        ask(main_of(pilot), "Quit?", "", [Answer("n", "no", "")], lambda answer: None)
        await until_shown(pilot, "Quit?")
        assert pilot.app.screen.query_one("#question").size.width == 62


async def test_keys_and_other_frames_come_before_the_rest_of_a_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    to_hold, held, go_on = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def hold(seconds: float) -> None:
        if to_hold.is_set():
            held.set()
            await go_on.wait()

    # Somebody has just typed, but not at this very moment.
    monkeypatch.setattr(TypingAhead, "quiet", property(lambda self: 0.5))
    app = fixed.app()
    app.main._pace = Pace(sleep=hold)
    async with app.run_test(size=(120, 40)) as pilot:
        main, backend = main_of(pilot), app_of(pilot).backend
        assert isinstance(backend, FixedBackend)
        await pilot.press("4")
        backend.give([fixed.summary(number, S.RUNNING) for number in range(4)])
        # The next frame is held as soon as it has these jobs.
        to_hold.set()
        await until(pilot, held.is_set)
        before = main.job_table.chosen
        await pilot.press("j")
        assert main.job_table.chosen != before

        backend.give([fixed.summary(2, S.COMPLETED), fixed.summary(3, S.RUNNING)])
        main._frame()
        newest = {job.job_id: job.status for job in backend.picture.jobs}
        assert {job.job_id: job.status for job in main.job_table.rows.rows} == newest
        go_on.set()
        await pilot.pause()
        assert {job.job_id: job.status for job in main.job_table.rows.rows} == newest


async def test_what_changes_while_everything_rests_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main_screen, "WATCHED", -1.0)
    looks: list[bool] = []
    look_again = MainScreen._look_again

    def noted(self: MainScreen, *, rests: bool) -> None:
        looks.append(rests)
        look_again(self, rests=rests)

    monkeypatch.setattr(MainScreen, "_look_again", noted)
    app = fixed.app([fixed.summary(1, S.COMPLETED)])
    backend = app.main.backend
    assert isinstance(backend, FixedBackend)
    async with app.run_test(size=(120, 40)) as pilot:
        for number in (2, 3):
            await until(pilot, lambda: looks[-2:] == [True, True])
            backend.give([*backend.picture.jobs, fixed.summary(number, S.COMPLETED)])
            await until_shown(pilot, f"4 Jobs {number}")
            assert False in looks
            looks.clear()


def test_a_painting_waits_for_a_moment_only_after_the_one_before() -> None:
    code = "import tui.command; from textual.screen import UPDATE_PERIOD; print(UPDATE_PERIOD)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # Up to two periods pass.
    assert 2 * float(done.stdout) < 0.01

"""Leaving while jobs have not ended keeps its word, whatever was answered."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from routilux.snapshot import Progress
from tests.tui import fixed
from tests.tui.driving import Drive, app_of, main_of, orders_of, screen_text, until, until_shown
from tests.tui.fixed import S
from tui.pictures import Catalogue
from tui.saved_jobs import SavedJob
from tui.screens.question import Question
from tui.screens.saved import SavedScreen

pytestmark = pytest.mark.anyio
Matches = Callable[..., bool]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def driven(*statuses: S, refuses: dict[int, str] | None = None) -> AsyncIterator[Drive]:
    """The app with a job of each status, numbered from 1, and quitting has been asked for."""
    app = fixed.app([fixed.summary(at, status) for at, status in enumerate(statuses, 1)])
    app.backend.keeper.refuses = {job(at): why for at, why in (refuses or {}).items()}  # type: ignore[attr-defined]
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await pilot.pause()
        await pilot.press("q")
        yield pilot


def job(number: int) -> str:
    return fixed.summary(number, S.RUNNING).job_id


def give(pilot: Drive, *statuses: S) -> None:
    """The runtime's jobs are in these states now."""
    backend = app_of(pilot).backend
    backend.give([fixed.summary(at, status) for at, status in enumerate(statuses, 1)])  # type: ignore[attr-defined]


async def become(pilot: Drive, *statuses: S) -> None:
    """They are, and the screen has seen it."""
    give(pilot, *statuses)
    main_of(pilot)._frame()
    await pilot.pause()


def left(pilot: Drive) -> bool:
    return pilot.app._exit


# ---- pause and save


async def test_jobs_are_paused_and_saved_before_one_leaves() -> None:
    async with driven(S.RUNNING, S.PAUSED) as pilot:
        await pilot.press("p")
        await until_shown(pilot, "running: clean (running, 2.1 s)")
        assert set(orders_of(pilot)) == {("pause", job(1))}
        await become(pilot, S.PAUSING, S.PAUSED)
        assert isinstance(pilot.app.screen, Question)
        assert not left(pilot)
        await become(pilot, S.PAUSED, S.PAUSED)
        await until(pilot, lambda: left(pilot))
        assert orders_of(pilot)[-1] == ("save", job(1), job(2))
        assert not isinstance(pilot.app.screen, Question)


async def test_what_stands_still_already_is_saved_without_a_further_question() -> None:
    async with driven(S.PAUSED) as pilot:
        await pilot.press("p")
        await until(pilot, lambda: left(pilot))
        assert orders_of(pilot) == [("save", job(1))]


async def test_a_job_that_ends_meanwhile_needs_no_saving() -> None:
    async with driven(S.RUNNING) as pilot:
        await pilot.press("p")
        await become(pilot, S.COMPLETED)
        assert left(pilot)
        assert "save" not in [order[0] for order in orders_of(pilot)]


async def test_a_pause_that_takes_long_can_be_forced() -> None:
    async with driven(S.RUNNING, S.PAUSED) as pilot:
        await pilot.press("p")
        await become(pilot, S.PAUSING, S.PAUSED)
        await pilot.press("f")
        await pilot.pause()
        assert ("cancel", job(1), True) in orders_of(pilot)
        assert not left(pilot)
        await become(pilot, S.CANCELLED, S.PAUSED)
        await until(pilot, lambda: left(pilot))
        assert orders_of(pilot)[-1] == ("save", job(2))


async def test_a_pause_that_takes_long_can_be_left_behind() -> None:
    async with driven(S.RUNNING, S.PAUSED) as pilot:
        await pilot.press("p")
        await become(pilot, S.PAUSING, S.PAUSED)
        await pilot.press("b")
        await until(pilot, lambda: left(pilot))
        assert orders_of(pilot)[-1] == ("save", job(2))


async def test_keys_that_move_between_answers_give_none() -> None:
    async with driven(S.RUNNING) as pilot:
        await pilot.press("p")
        await become(pilot, S.PAUSING)
        await pilot.press("h", "j", "k", "l")
        assert not left(pilot)
        await pilot.press("s")
        await until(pilot, lambda: ("resume", job(1)) in orders_of(pilot))


async def test_staying_lets_run_on_what_was_paused_for_it_and_nothing_else() -> None:
    async with driven(S.RUNNING, S.PAUSED) as pilot:
        await pilot.press("p")
        await become(pilot, S.PAUSING, S.PAUSED)
        await pilot.press("s")
        await pilot.pause()
        assert [order for order in orders_of(pilot) if order[0] == "resume"] == [("resume", job(1))]
        await become(pilot, S.PAUSED, S.PAUSED)
        assert not left(pilot)


async def test_the_question_about_a_long_pause_can_be_closed_and_asked_for_again() -> None:
    async with driven(S.RUNNING) as pilot:
        await pilot.press("p")
        await become(pilot, S.PAUSING)
        await pilot.press("escape")
        await become(pilot, S.PAUSING)
        assert pilot.app.screen is main_of(pilot)
        assert "quits when its jobs are paused" in screen_text(pilot)
        await pilot.press("q")
        assert isinstance(pilot.app.screen, Question)
        await become(pilot, S.PAUSED)
        await until(pilot, lambda: left(pilot))


# ---- what cannot be saved


async def test_a_job_that_cannot_be_saved_says_why_and_nothing_is_lost() -> None:
    async with driven(S.PAUSED, S.PAUSED, refuses={2: "routine 'clean', slot 'raw': a socket"}) as pilot:
        await pilot.press("p")
        await until_shown(pilot, "1 job cannot be saved")
        assert "routine 'clean', slot 'raw': a socket" in screen_text(pilot)
        assert "1 job has been saved" in screen_text(pilot)
        assert not left(pilot)
        await pilot.press("escape")
        # It is no longer saved, for it is here.
        await until(pilot, lambda: orders_of(pilot)[-1] == ("forget", job(1)))
        assert not left(pilot)


async def test_what_was_saved_runs_on_when_it_is_in_no_file_and_the_screen_does_not_wait_for_that() -> None:
    go_on = threading.Event()

    def forget(job_ids: Iterable[str]) -> Mapping[str, str]:
        assert go_on.wait(10)
        return {}

    async with driven(S.RUNNING, S.PAUSED, refuses={2: "a socket"}) as pilot:
        app_of(pilot).backend.keeper.forget = forget  # type: ignore[method-assign]
        await pilot.press("p")
        await become(pilot, S.PAUSED, S.PAUSED)
        await until_shown(pilot, "1 job cannot be saved")
        await pilot.press("s")
        await until(pilot, lambda: pilot.app.screen is main_of(pilot))
        await pilot.press("q")
        await until_shown(pilot, "The files of saved jobs")
        assert not [order for order in orders_of(pilot) if order[0] == "resume"]
        go_on.set()
        await until(pilot, lambda: ("resume", job(1)) in orders_of(pilot))
        await pilot.press("q")
        assert isinstance(pilot.app.screen, Question)
        assert not left(pilot)


async def test_what_cannot_be_saved_may_run_to_its_end_before_one_leaves() -> None:
    async with driven(S.PAUSED, S.PAUSED, refuses={2: "a socket"}) as pilot:
        await pilot.press("p")
        await until_shown(pilot, "cannot be saved")
        resumed: list[str] = []

        def resume(job_id: str) -> bool:
            resumed.append(job_id)
            give(pilot, S.PAUSED, S.RUNNING)
            return True

        app_of(pilot).backend.resume = resume  # type: ignore[method-assign]
        await pilot.press("w")
        await pilot.pause()
        assert resumed == [job(2)]
        assert not left(pilot)
        await become(pilot, S.PAUSED, S.COMPLETED)
        assert left(pilot)
        assert "forget" not in [order[0] for order in orders_of(pilot)]


async def test_what_cannot_be_saved_may_be_cancelled() -> None:
    async with driven(S.PAUSED, S.PAUSED, refuses={2: "a socket"}) as pilot:
        await pilot.press("p")
        await until_shown(pilot, "cannot be saved")
        await pilot.press("c")
        await pilot.pause()
        assert [order for order in orders_of(pilot) if order[0] == "cancel"] == [("cancel", job(2), False)]
        await become(pilot, S.PAUSED, S.CANCELLED)
        assert left(pilot)


# ---- wait


async def test_waiting_saves_the_paused_jobs_in_the_end() -> None:
    async with driven(S.RUNNING, S.PAUSED) as pilot:
        await pilot.press("w")
        await pilot.pause()
        assert orders_of(pilot) == []
        await become(pilot, S.COMPLETED, S.PAUSED)
        await until(pilot, lambda: left(pilot))
        assert orders_of(pilot) == [("save", job(2))]


async def test_waiting_may_turn_into_pausing() -> None:
    async with driven(S.RUNNING) as pilot:
        await pilot.press("w", "q", "p")
        await pilot.pause()
        assert set(orders_of(pilot)) == {("pause", job(1))}


# ---- being offered them again

SAVED = SavedJob(
    Path("/state/a.json"), "a31fbeef00000001", "etl.daily", fixed.NOW - timedelta(hours=9),
    {"day": "2025-06-12"}, 12, 1003, Progress(68, 100),
)  # fmt: skip
CHANGED = SAVED._replace(
    file=Path("/state/b.json"), job_id="b00000000000001a", note="etl.py was changed since"
)
GONE = SAVED._replace(
    file=Path("/state/c.json"), job_id="c00000000000001a", flow_name="[red]old[/red]\x1b[2J",
    progress=None, problem="the flow old is no longer in the folder",
)  # fmt: skip


@asynccontextmanager
async def offered(*jobs: SavedJob) -> AsyncIterator[Drive]:
    app = fixed.app(())
    app.backend.keeper.kept = list(jobs)  # type: ignore[attr-defined]
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        main_of(pilot).catalogue = Catalogue(fixed.ROOT, loading=True)
        main_of(pilot).set_catalogue(fixed.CATALOGUE)
        await until(pilot, lambda: isinstance(pilot.app.screen, SavedScreen) or not jobs)
        await pilot.pause()
        yield pilot


async def test_saved_jobs_are_offered_when_the_folder_was_read_and_only_then() -> None:
    async with offered(SAVED) as pilot:
        await pilot.press("escape")
        main_of(pilot).set_catalogue(fixed.CATALOGUE._replace(generation=13))
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        assert pilot.app.screen is main_of(pilot)
        assert orders_of(pilot) == []


@pytest.mark.parametrize("key", ["c", "enter"])
async def test_all_that_can_be_is_carried_on(key: str) -> None:
    async with offered(SAVED, CHANGED, GONE) as pilot:
        assert "Carry on 2" in screen_text(pilot)
        await pilot.press(key)
        await until_shown(pilot, "2 jobs carried on")
        assert orders_of(pilot) == [("carry_on", SAVED.job_id), ("carry_on", CHANGED.job_id)]


async def test_some_may_be_carried_on() -> None:
    async with offered(SAVED, CHANGED) as pilot:
        await pilot.press("j", "space")
        await until_shown(pilot, "Carry on 1")
        await pilot.press("c")
        await until_shown(pilot, "1 job carried on")
        assert orders_of(pilot) == [("carry_on", SAVED.job_id)]


async def test_a_click_on_the_mark_sets_it_and_the_buttons_act() -> None:
    async with offered(SAVED, CHANGED) as pilot:
        pane = pilot.app.screen.query_one("#saved")
        await pilot.click(pane, offset=(2, 2))
        await until_shown(pilot, "Carry on 1")
        await pilot.click("#saved-carry-on")
        await until_shown(pilot, "1 job carried on")


async def test_discarding_asks_first() -> None:
    async with offered(SAVED, GONE) as pilot:
        await pilot.press("a", "d")
        assert isinstance(pilot.app.screen, Question)
        await pilot.press("escape")
        assert orders_of(pilot) == []
        await pilot.press("K")
        await until(pilot, lambda: isinstance(pilot.app.screen, SavedScreen))
        await pilot.press("a", "d", "y")
        await until_shown(pilot, "2 saved jobs discarded")
        assert orders_of(pilot) == [("discard", SAVED.job_id), ("discard", GONE.job_id)]


async def test_one_that_cannot_be_carried_on_says_why_and_the_others_are() -> None:
    async with offered(SAVED, CHANGED) as pilot:
        app_of(pilot).backend.keeper.refuses = {SAVED.job_id: "another app has it"}  # type: ignore[attr-defined]
        await pilot.press("c")
        await until_shown(pilot, "another app has it")
        assert orders_of(pilot) == [("carry_on", CHANGED.job_id)]


async def test_asking_where_nothing_was_saved_says_so() -> None:
    async with offered() as pilot:
        await pilot.press("K")
        await until_shown(pilot, "No job was saved")


# ---- pictures


def test_question_while_a_pause_takes_long(matches: Matches) -> None:
    assert matches(fixed.app(), press=("q", "p"))


def test_question_about_what_cannot_be_saved(matches: Matches) -> None:
    app = fixed.app([fixed.summary(1, S.PAUSED), fixed.summary(2, S.PAUSED)])
    app.backend.keeper.refuses = {job(2): "routine 'clean', slot 'raw', item 3: a socket is no data"}  # type: ignore[attr-defined]

    async def wait(pilot: Drive) -> None:
        await pilot.press("q", "p")
        await until_shown(pilot, "cannot be saved")

    assert matches(app, run_before=wait)


@pytest.mark.parametrize("size", [(120, 40), (60, 16)], ids=str)
@pytest.mark.parametrize("theme", ["textual-dark", "textual-light"])
def test_saved_jobs(matches: Matches, size: tuple[int, int], theme: str) -> None:
    app = fixed.app((), theme=theme)
    app.backend.keeper.kept = [SAVED, CHANGED, GONE]  # type: ignore[attr-defined]

    async def wait(pilot: Drive) -> None:
        await pilot.press("K")
        await until(pilot, lambda: isinstance(pilot.app.screen, SavedScreen))
        await pilot.pause()

    assert matches(app, size, run_before=wait)

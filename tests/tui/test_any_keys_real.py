"""Whatever is pressed, clicked and resized while real jobs run: nothing breaks, and what is done to a job
is done to the one that was chosen when it was asked for."""

from __future__ import annotations

import random
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from routilux import Runtime
from tests.tui.driving import Drive, app_of, main_of, real_app, screen_text
from tests.tui.test_any_keys import PRESSED, TYPED
from tui.keys import KEYS
from tui.screens.main import MainScreen
from tui.screens.question import Question
from tui.widgets.prompt import Prompt

pytestmark = pytest.mark.anyio

FLOWS = """
from routilux import ErrorHandler, ErrorStrategy, Flow, Routine


class Steps(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger")
        self.define_event("again", ["n"])
        self.define_event("item", ["n"])

    def logic(self, trigger, *, job_state):
        n = trigger[0].get("n", 0)
        print("[red]step[/red]", n)
        job_state.report_progress(n % 100, 100)
        job_state.sleep(0.02)
        self.emit("item", n=n)
        self.emit("again", n=n + 1)


class Sink(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("items", max_queue_length=10)

    def logic(self, items):
        if items[0]["n"] % 20 == 19:
            raise ValueError("every twentieth")


def make(name, strategy):
    flow = Flow(name)
    flow.set_error_handler(ErrorHandler(strategy))
    flow.add_routine(Steps(), "steps")
    flow.add_routine(Sink(), "sink")
    flow.connect("steps", "again", "steps", "trigger")
    flow.connect("steps", "item", "sink", "items")
    return flow


patient = make("patient", ErrorStrategy.CONTINUE)
failing = make("failing", ErrorStrategy.STOP)
"""
STEPS = 40
# Those that leave the app, or lend the screen to another program; those that act on jobs are pressed where
# it is known what they have to hit.
_NOT_PRESSED = {
    "quit", "quit-anywhere", "copy", "edit", "load-edit", "export", "pause", "cancel", "cancel-force",
}  # fmt: skip
_NEVER = {key for entry in KEYS if entry.name in _NOT_PRESSED for key in entry.keys}
KEYS_PRESSED = sorted(set(PRESSED) - _NEVER)
SIZES = ((120, 40), (80, 24), (60, 16), (200, 60), (30, 8))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Orders:
    """What the screen has done to jobs, and what of that was not meant."""

    def __init__(self, pilot: Drive) -> None:
        self.given = 0
        self.wrong: list[str] = []
        # The jobs that stood under the cursor, or were marked, when the key was pressed.
        self.meant: frozenset[str] = frozenset()
        backend = app_of(pilot).backend
        for name in ("pause", "resume", "cancel"):
            setattr(backend, name, self._watched(name, getattr(backend, name)))

    def _watched(self, name: str, order: Callable[..., bool]) -> Callable[..., bool]:
        def watched(job_id: str, **how: bool) -> bool:
            self.given += 1
            if job_id not in self.meant:
                self.wrong.append(f"{name} of {job_id}, meant were {sorted(self.meant)}")
            return order(job_id, **how)

        return watched


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "steps.py").write_text(textwrap.dedent(FLOWS))
    # For the files that random keys have written.
    (elsewhere := tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(elsewhere)
    return tmp_path


def keep_busy(runtime: Runtime, chance: random.Random) -> None:
    """Jobs come, and others fail, above and below the chosen one."""
    if sum(not job.status.is_final for job in runtime.list_jobs()) < 5:
        runtime.exec(chance.choice(["patient", "failing"]))


async def order(pilot: Drive, runtime: Runtime, orders: Orders, chance: random.Random) -> None:
    """Mark some jobs or none, order something, let the rows move, and answer."""
    main = main_of(pilot)
    for _ in range(4):
        if not isinstance(pilot.app.screen, MainScreen) or isinstance(main.focused, Prompt):
            await pilot.press("escape")
    main.job_table.show_all()
    # The jobs that have come since the last frame are there to be chosen.
    main._frame()
    await pilot.pause()
    moves = [(), ("g",), ("g", "j"), ("g", "j", "j"), ("g", "space", "space"), ("g", "V", "j", "V")]
    await pilot.press("4", "U", *chance.choice(moves))
    if main.focused is not main.job_table or main.job_table.chosen is None:
        return
    marked = main.job_table.marks.targets().all
    orders.meant = frozenset(job.job_id for job in marked) or frozenset({main.job_table.chosen})
    await pilot.press(chance.choice("pxX"))
    runtime.exec(chance.choice(["patient", "failing"]))
    main._frame()
    await pilot.pause()
    if isinstance(pilot.app.screen, Question):
        shown = screen_text(pilot)
        assert any(job_id[:6] in shown for job_id in orders.meant) or not main_fits(pilot)
        await pilot.press(chance.choice(["y", "y", "n", "escape"]))
    await pilot.pause()
    if isinstance(pilot.app.screen, Question):
        # It had no such answer.
        await pilot.press("escape")


async def pause_the_only_job(pilot: Drive, runtime: Runtime, orders: Orders) -> None:
    """One order that does not depend on chance: it reaches its job, and is counted."""
    job = runtime.exec("patient")
    main_of(pilot)._frame()
    await pilot.pause()
    orders.meant = frozenset({job.job_id})
    await pilot.press("4", "g", "p")
    assert orders.given == 1


def main_fits(pilot: Drive) -> bool:
    return pilot.app.size.width >= 60 and pilot.app.size.height >= 16


@pytest.mark.parametrize("seed", range(2))
async def test_random_input_while_jobs_run(folder: Path, seed: int) -> None:
    chance = random.Random(seed)
    async with real_app(folder) as (pilot, runtime):
        orders = Orders(pilot)
        await pause_the_only_job(pilot, runtime, orders)
        for _ in range(STEPS):
            keep_busy(runtime, chance)
            what = chance.random()
            if what < 0.35:
                await order(pilot, runtime, orders, chance)
            elif what < 0.85:
                await pilot.press(chance.choice(KEYS_PRESSED if chance.random() < 0.8 else TYPED))
            elif what < 0.9:
                await pilot.resize_terminal(*chance.choice(SIZES))
            else:
                width, height = pilot.app.size
                spot = (chance.randrange(width), chance.randrange(height - 1))
                await pilot.click(offset=spot, times=chance.choice([1, 1, 2]))
        await pilot.resize_terminal(120, 40)
        await pilot.pause()
        assert "routilux" in screen_text(pilot)
        assert orders.wrong == []


async def test_the_watch_over_orders_sees_one_that_was_not_meant(folder: Path) -> None:
    async with real_app(folder) as (pilot, runtime):
        orders = Orders(pilot)
        job = runtime.exec("patient")
        app_of(pilot).backend.cancel(job.job_id)
        assert orders.wrong == [f"cancel of {job.job_id}, meant were []"]

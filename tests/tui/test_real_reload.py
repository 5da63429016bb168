"""The app on a folder that changes under it: open forms, jobs of older code, descriptions that take long."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from tests.tui import fixed
from tests.tui.driving import (
    main_of,
    orders_of,
    real_app,
    screen_text,
    text_of,
    type_text,
    until,
    until_shown,
)
from tui.pictures import Catalogue, FlowPicture
from tui.screens.start import StartScreen
from tui.screens.waiting_screen import WaitingScreen

pytestmark = pytest.mark.anyio

FLOW = """
from dataclasses import dataclass
from routilux import Flow, Routine


@dataclass
class Params:
{fields}


def work(trigger, job_state):
    while trigger[0].get("name") == "long":
        job_state.sleep(60)


flow = Flow("etl", params=Params)
routine = Routine("work")
routine.define_slot("trigger")
routine.set_logic(work)
flow.add_routine(routine)
"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save(tmp_path, "name: str")
    return tmp_path


def save(folder: Path, *fields: str) -> None:
    (folder / "etl.py").write_text(FLOW.format(fields="\n".join(f"    {field}" for field in fields)))


async def test_a_form_that_is_open_follows_its_flow(folder: Path) -> None:
    async with real_app(folder) as (pilot, runtime):
        await pilot.press("s")
        await until(pilot, lambda: isinstance(pilot.app.screen, StartScreen))
        form = pilot.app.screen
        assert isinstance(form, StartScreen)
        await type_text(pilot, "ann")
        save(folder, "name: str", "limit: int")
        await until_shown(pilot, "The flow has changed: limit is new.")
        await until(pilot, lambda: "limit" in form.fields and form.settled)
        assert form.read().values["name"] == "ann", "what was typed stays"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: form.fields["limit"].error)
        assert runtime.list_jobs() == []
        # Its type is another: what is there is checked against that.
        save(folder, "name: int")
        await until_shown(pilot, "limit is gone")
        await until(pilot, lambda: form.settled and form.fields["name"].error)
        (folder / "etl.py").unlink()
        await until_shown(pilot, "The flow is no longer in the folder.")
        await until(pilot, lambda: form.settled)
        assert "has changed" not in screen_text(pilot)
        assert "there is no flow" not in screen_text(pilot)
        save(folder, "name: str")
        await until(pilot, lambda: not form.gone and form.settled and not form.fields["name"].error)
        await pilot.press("ctrl+s")
        await until(pilot, runtime.list_jobs)
        assert runtime.list_jobs()[0].job_state.entry_params == {"name": "ann"}


async def test_a_job_that_runs_older_code_says_so(folder: Path) -> None:
    async with real_app(folder) as (pilot, runtime):
        runtime.exec("etl", {"name": "long"})
        main = main_of(pilot)
        await until_shown(pilot, "▶ running")
        assert "older than" not in text_of(main.job_pane.overview)
        save(folder, "name: str", "limit: int = 1")
        await until(pilot, lambda: "g1, older than g2 of the folder" in text_of(main.job_pane.overview))


async def test_a_run_again_on_save_is_seen(folder: Path) -> None:
    async with real_app(folder) as (pilot, runtime):
        runtime.exec("etl", {"name": "ann"})
        await until_shown(pilot, "✓ completed")
        await pilot.press("a")
        save(folder, "name: str", "limit: int = 1")
        await until(pilot, lambda: len(runtime.list_jobs()) == 2)
        again = runtime.list_jobs()[1]
        await until(pilot, lambda: main_of(pilot).job_table.chosen == again.job_id)
        assert await asyncio.to_thread(again.wait, 20)
        assert again.job_state.entry_params == {"name": "ann", "limit": 1}
        save(folder, "other: str")
        await until_shown(pilot, "etl was not run again")
        assert len(runtime.list_jobs()) == 2
        assert "↻" in screen_text(pilot), "the next save may take them again"


class SlowToDescribe(fixed.FixedBackend):
    """Describes a flow when it is told to."""

    def __init__(self) -> None:
        flow = fixed.ETL._replace(described=False, parameters=())
        super().__init__((), Catalogue(fixed.ROOT, (flow,)))
        self.go_on = threading.Event()
        self.error: Exception | None = None

    def describe(self, flow_name: str) -> FlowPicture | None:
        self.go_on.wait(30)
        if self.error is not None:
            raise self.error
        return fixed.ETL


@pytest.mark.parametrize("key", ["s", "S"])
async def test_a_form_waits_for_its_parameters_and_says_so(key: str) -> None:
    app = fixed.app(())
    backend = app.backend = SlowToDescribe()
    app.main.backend = backend
    app.main.catalogue = backend.catalogue
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press(key)
        await until_shown(pilot, "reading the parameters of etl.daily …")
        backend.go_on.set()
        await until(pilot, lambda: isinstance(pilot.app.screen, StartScreen))
        assert "Where the files are" in screen_text(pilot)


async def test_whoever_does_not_want_to_wait_leaves() -> None:
    app = fixed.app(())
    backend = app.backend = SlowToDescribe()
    app.main.backend = backend
    app.main.catalogue = backend.catalogue
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("s")
        await until(pilot, lambda: isinstance(pilot.app.screen, WaitingScreen))
        await pilot.press("escape")
        assert pilot.app.screen is main_of(pilot)
        backend.go_on.set()
        await pilot.pause()
        assert pilot.app.screen is main_of(pilot)
        assert orders_of(pilot) == []


async def test_a_flow_that_cannot_be_described_says_why() -> None:
    app = fixed.app(())
    backend = app.backend = SlowToDescribe()
    app.main.backend = backend
    app.main.catalogue = backend.catalogue
    backend.error = ValueError("no such type")
    backend.go_on.set()
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await pilot.press("s")
        await until_shown(pilot, "etl.daily cannot be described: no such type")

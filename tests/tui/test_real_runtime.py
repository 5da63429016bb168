"""The app with a runtime that really runs: started by the form, watched, steered, left."""

from __future__ import annotations

import asyncio
import textwrap
from pathlib import Path
from typing import cast

import pytest

from routilux import ExecutionStatus, Job, Runtime
from tests.tui.driving import (
    Drive,
    app_of,
    main_of,
    real_app,
    screen_text,
    text_of,
    type_text,
    until,
    until_shown,
)  # fmt: skip
from tui.example import EXAMPLE
from tui.screens.start import StartScreen

pytestmark = pytest.mark.anyio

FLOWS = """
import contextvars
import logging
import threading
from dataclasses import dataclass, field
from typing import Literal

from routilux import Flow, Routine

# Set by tests that decide when a job goes on.
go_on = threading.Event()


@dataclass
class Params:
    count: int
    mode: Literal["fast", "exact"] = "fast"
    fail: bool = False
    words: list[str] = field(default_factory=lambda: ["a"])


class Source(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger")
        self.define_event("item", ["n"])

    def logic(self, trigger, *, job_state):
        given = trigger[0]
        for n in range(given["count"]):
            self.emit("item", n=n)
            job_state.report_progress(n + 1, given["count"], "items")
        print("said [bold]by[/bold] the source", given["mode"], given["words"])


class Sink(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("items")

    def logic(self, items, *, job_state):
        if job_state.entry_params["fail"]:
            raise ValueError("no such shelf")


flow = Flow("counting", params=Params, description="Counts.")
flow.add_routine(Source(), "source")
flow.add_routine(Sink(), "sink")
flow.connect("source", "item", "sink", "items")


class Waiter(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger")
        self.define_event("next", [])

    def logic(self, trigger, *, job_state):
        while not go_on.wait(0.01):
            job_state.raise_if_cancelled()
        self.emit("next")


class Last(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("last")

    def logic(self, last):
        pass


waiting = Flow("waiting")
waiting.add_routine(Waiter(), "waiter")
waiting.add_routine(Last(), "last")
waiting.connect("waiter", "next", "last", "last")

class Starter(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger")

    def logic(self, trigger):
        def late():
            go_on.wait()
            print("after the end")

        threading.Thread(target=contextvars.copy_context().run, args=(late,), daemon=True).start()


outlived = Flow("outlived")
outlived.add_routine(Starter(), "starter")

broken_params = Flow("nowhere")
nowhere = Routine("nowhere")
nowhere.define_slot("left")
nowhere.define_slot("right")
nowhere.set_logic(lambda left, right: None)
broken_params.add_routine(nowhere)
"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "counting.py").write_text(textwrap.dedent(FLOWS))
    (tmp_path / "broken.py").write_text("x = 1\nimport no_such_module_at_all\n")
    return tmp_path


async def ended(pilot: Drive, job: Job) -> None:
    """Wait for the job in a thread, then for the frame that shows its end."""
    assert await asyncio.to_thread(job.wait, 20)
    await until(pilot, lambda: main_of(pilot).newest_status(job.job_id) is job.status)
    await pilot.pause()


def only_job(runtime: Runtime) -> Job:
    [job] = runtime.list_jobs()
    return job


async def choose(pilot: Drive, flow_name: str) -> None:
    assert main_of(pilot).flow_list.choose(flow_name)
    await pilot.pause()


async def test_a_flow_is_started_with_the_form_and_seen_to_finish(folder: Path) -> None:
    async with real_app(folder) as (pilot, runtime):
        await choose(pilot, "counting")
        await pilot.press("s")
        await until(pilot, lambda: isinstance(pilot.app.screen, StartScreen))
        form = cast(StartScreen, pilot.app.screen)
        await type_text(pilot, "abc")
        await pilot.pause()
        assert form.fields["count"].error
        await pilot.press("ctrl+s")
        assert runtime.list_jobs() == []
        await pilot.press("backspace", "backspace", "backspace")
        await type_text(pilot, "7")
        await pilot.pause()
        assert not form.fields["count"].error
        await pilot.press("ctrl+s")
        await until(pilot, runtime.list_jobs)
        job = only_job(runtime)
        await ended(pilot, job)
        assert job.job_state.entry_params == {"count": 7, "mode": "fast", "fail": False, "words": ["a"]}
        await until_shown(pilot, "✓ completed")
        shown = screen_text(pilot)
        assert "100%" in shown
        assert "count=7" in shown
        await pilot.press("5", "right")
        await until_shown(pilot, "said [bold]by[/bold] the source fast ['a']")
        assert "PRINT" in text_of(main_of(pilot).job_pane.more().log_view)
        await pilot.press("right")
        await until_shown(pilot, "{'n': 6}")


async def test_a_failed_job_shows_its_traceback_and_data(folder: Path) -> None:
    async with real_app(folder) as (pilot, runtime):
        runtime.exec("counting", {"count": 1, "fail": True})
        job = only_job(runtime)
        await ended(pilot, job)
        await pilot.press("5", "left")
        await until_shown(pilot, "no such shelf")
        shown = text_of(main_of(pilot).job_pane.more().error_view)
        assert 'raise ValueError("no such shelf")' in shown
        assert "data it failed on" in shown
        assert "'n': 0" in shown


async def test_exactly_the_same_parameters_run_again(folder: Path) -> None:
    async with real_app(folder) as (pilot, runtime):
        first = runtime.exec("counting", {"count": "3", "words": ["x", "y"]})
        await until(pilot, lambda: main_of(pilot).job_table.chosen == first.job_id)
        await pilot.press("4", "R")
        await until(pilot, lambda: len(runtime.list_jobs()) == 2)
        await pilot.press("g", "r")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: len(runtime.list_jobs()) == 3)
        assert {str(job.job_state.entry_params) for job in runtime.list_jobs()} == {str(first.entry_params)}
        assert await asyncio.to_thread(runtime.wait_until_all_jobs_finished, 20)


async def test_a_job_is_paused_resumed_and_cancelled_by_keys(folder: Path) -> None:
    async with real_app(folder) as (pilot, runtime):
        await choose(pilot, "waiting")
        await pilot.press("S")
        await until(pilot, runtime.list_jobs)
        job = only_job(runtime)
        go_on = job.flow.routines["waiter"].logic.__globals__["go_on"]  # type: ignore[attr-defined]
        await until(pilot, lambda: job.snapshot().routines[0].running)
        await pilot.press("p")
        await until_shown(pilot, "◌ pausing")
        go_on.set()
        assert await asyncio.to_thread(job.wait_until_paused, 20)
        await until_shown(pilot, "‖ paused")
        await pilot.press("p")
        await ended(pilot, job)
        await until_shown(pilot, "✓ completed")
        go_on.clear()
        await pilot.press("S")
        await until(pilot, lambda: len(runtime.list_jobs()) == 2)
        second = runtime.list_jobs()[-1]
        await pilot.press("x", "y")
        await ended(pilot, second)
        assert second.status is ExecutionStatus.CANCELLED
        await until_shown(pilot, "⊘ cancelled")


async def test_what_a_thread_of_the_job_prints_after_its_end_is_shown_too(folder: Path) -> None:
    async with real_app(folder) as (pilot, runtime):
        runtime.exec("outlived")
        job = only_job(runtime)
        go_on = job.flow.routines["starter"].logic.__globals__["go_on"]  # type: ignore[attr-defined]
        await ended(pilot, job)
        await pilot.press("5", "right")
        await until(pilot, lambda: main_of(pilot).job_pane.tab == "Log")
        main = main_of(pilot)
        # Nothing but the line is left that could make a frame.
        await until(pilot, lambda: main.feed.last is not None and not main.feed.last.threads_busy)
        main._frame()
        await until(pilot, lambda: main.job_pane.job_id == job.job_id)
        go_on.set()
        await until_shown(pilot, "after the end")


async def test_quitting_waits_for_what_runs(folder: Path) -> None:
    async with real_app(folder) as (pilot, runtime):
        state = runtime.exec("waiting")
        job = only_job(runtime)
        go_on = job.flow.routines["waiter"].logic.__globals__["go_on"]  # type: ignore[attr-defined]
        await until(pilot, lambda: main_of(pilot).newest_status(state.job_id) is not None)
        await pilot.press("q", "w")
        await until_shown(pilot, "quits when its jobs have ended")
        go_on.set()
        assert await asyncio.to_thread(job.wait, 20)
        await until(pilot, lambda: app_of(pilot)._exit)
        assert job.is_completed()


async def test_broken_files_and_flows_without_entry_are_told(folder: Path) -> None:
    async with real_app(folder) as (pilot, runtime):
        assert "✗ broken.py" in screen_text(pilot)
        assert "line 2 ModuleNotFoundError" in screen_text(pilot)
        await choose(pilot, "nowhere")
        await pilot.press("S")
        await until_shown(pilot, "no entry")
        assert isinstance(pilot.app.screen, StartScreen)
        await pilot.press("ctrl+s")
        await until(pilot, runtime.list_jobs)
        await ended(pilot, only_job(runtime))
        assert "nothing" in " ".join(main_of(pilot).feed.last.jobs[0].notices)  # type: ignore[union-attr]


async def test_nothing_is_painted_and_no_picture_taken_while_nothing_changes(folder: Path) -> None:
    async with real_app(folder) as (pilot, runtime):
        runtime.exec("counting", {"count": 2})
        await ended(pilot, only_job(runtime))
        main = main_of(pilot)
        main._frame()
        await pilot.pause()
        taken, painted = main.feed.pictures_taken, main.job_table.lines_painted
        for _ in range(20):
            main._frame()
            await pilot.pause()
        assert (main.feed.pictures_taken, main.job_table.lines_painted) == (taken, painted)


async def test_a_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    async with real_app(tmp_path / "nowhere") as (pilot, _):
        await until_shown(pilot, "there is no flow folder")


async def test_the_example_of_an_empty_folder_is_a_flow(tmp_path: Path) -> None:
    (tmp_path / "hello.py").write_text("\n".join(EXAMPLE) + "\n")
    async with real_app(tmp_path) as (pilot, runtime):
        await pilot.press("S")
        await until(pilot, runtime.list_jobs)
        job = only_job(runtime)
        await ended(pilot, job)
        assert job.is_completed()
        assert [line.message for line in job.job_state.logs()] == ["hi"]

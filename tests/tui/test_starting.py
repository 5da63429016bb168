"""Starting jobs while a flow's own code, which checks parameters, takes long, hangs, or does worse."""

from __future__ import annotations

import asyncio
import sys
import textwrap
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel, field_validator
from textual import events

from tests.tui import fixed
from tests.tui.driving import Drive, main_of, orders_of, real_app, screen_text, until, until_shown
from tests.tui.forms import form_of
from tui.app import RoutiluxApp
from tui.earlier import REMEMBERED, EarlierSets, same_values
from tui.pictures import Catalogue
from tui.screens import start, waiting
from tui.screens.start import StartScreen
from tui.screens.waiting_screen import WaitingScreen

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class SlowToStart(fixed.FixedBackend):
    """Starts a job when it is told to, or raises `error` then."""

    def __init__(self) -> None:
        super().__init__(())
        self.go_on = threading.Event()
        self.error: BaseException | None = None
        self.remembered["etl.daily"] = [{"day": "2025-06-12", "folder": "/srv"}]

    def start(self, flow_name: str, values: Mapping[str, Any]) -> str:
        self.go_on.wait(30)
        if self.error is not None:
            raise self.error
        return super().start(flow_name, values)


@pytest.fixture
def slow() -> Iterator[SlowToStart]:
    backend = SlowToStart()
    yield backend
    backend.go_on.set()


def app_with(backend: SlowToStart) -> RoutiluxApp:
    app = fixed.app(())
    app.backend = app.main.backend = backend
    return app


async def test_a_start_that_takes_long_leaves_the_screen_alive(slow: SlowToStart) -> None:
    async with app_with(slow).run_test(size=(120, 40), notifications=True) as pilot:
        await pilot.press("j", "S")
        await until_shown(pilot, "etl.daily: checking the parameters …")
        slow.go_on.set()
        await until(pilot, lambda: pilot.app.screen is main_of(pilot))
        assert [order[:2] for order in orders_of(pilot)] == [("start", "etl.daily")]


async def test_whoever_does_not_wait_is_told_what_became_of_the_start(slow: SlowToStart) -> None:
    async with app_with(slow).run_test(size=(120, 40), notifications=True) as pilot:
        await pilot.press("j", "S")
        await until(pilot, lambda: isinstance(pilot.app.screen, WaitingScreen))
        await pilot.press("escape")
        assert pilot.app.screen is main_of(pilot)
        await until_shown(pilot, "etl.daily starts when its parameters have been checked.")
        await pilot.press("q")
        await until_shown(pilot, "Still to be started: etl.daily.")
        await pilot.press("s")
        slow.error = ValueError("no such day")
        slow.go_on.set()
        await until_shown(pilot, "etl.daily was not started: no such day")


async def test_a_check_that_wants_to_end_the_app_does_not(slow: SlowToStart) -> None:
    slow.error = SystemExit(3)
    slow.go_on.set()
    async with app_with(slow).run_test(size=(120, 40), notifications=True) as pilot:
        await pilot.press("j", "S")
        await until_shown(pilot, "etl.daily was not started: SystemExit: 3")


async def test_a_key_that_follows_a_start_goes_to_the_new_job(monkeypatch: pytest.MonkeyPatch) -> None:
    app = fixed.app()
    begun, go_on = threading.Event(), threading.Event()
    backend = app.main.backend
    start_job = backend.start

    def slowly(flow_name: str, values: Mapping[str, Any]) -> str:
        begun.set()
        go_on.wait(30)
        return start_job(flow_name, values)

    monkeypatch.setattr(waiting, "MOMENT", 30.0)
    monkeypatch.setattr(backend, "start", slowly)
    backend.remembered["etl.daily"] = [{"day": "2025-06-12", "folder": "/srv"}]
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("j")
        for key in ("S", "p"):
            app.post_message(events.Key(key, key))
        assert await asyncio.to_thread(begun.wait, 20)
        go_on.set()
        await until(pilot, lambda: len(orders_of(pilot)) == 2)
        assert orders_of(pilot)[1] == ("pause", backend.picture.jobs[-1].job_id)


# ---- forms


class Hanging(BaseModel):
    """Its check hangs on the name x until it is told to go on."""

    hangs: ClassVar[threading.Event] = threading.Event()
    go_on: ClassVar[threading.Event] = threading.Event()
    name: str = "a"

    @field_validator("name")
    @classmethod
    def check_name(cls, name: str) -> str:
        if name == "x":
            cls.hangs.set()
            cls.go_on.wait(30)
            raise ValueError("too late")
        return name


async def test_a_check_that_hangs_does_not_keep_the_next_from_being_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(start, "ENDLESS", 0.01)
    async with form_of(Hanging, {"name": ""}) as (pilot, form):
        try:
            await pilot.press("x")
            assert await asyncio.to_thread(Hanging.hangs.wait, 20)
            await pilot.press("backspace", "y", "ctrl+s")
            await until(pilot, lambda: pilot.app.screen is not form)
            assert form.answers == [{"name": "y"}]  # type: ignore[attr-defined]
        finally:
            Hanging.go_on.set()


async def test_a_check_that_ends_while_a_question_is_open_answers_after_it() -> None:
    app = fixed.app(fixed.JOBS)
    begun, go_on = threading.Event(), threading.Event()
    armed = threading.Event()
    backend = app.main.backend

    def slowly(flow_name: str, values: Mapping[str, Any]) -> None:
        if armed.is_set():
            begun.set()
            go_on.wait(30)

    backend.check = slowly
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("j", "s")
        await until(pilot, lambda: isinstance(pilot.app.screen, StartScreen))
        armed.set()
        await pilot.press("ctrl+s")
        assert await asyncio.to_thread(begun.wait, 20)
        await pilot.press("ctrl+q")
        await until_shown(pilot, "Quit?")
        go_on.set()
        await pilot.pause()
        assert "Quit?" in screen_text(pilot), "the question is still to be answered"
        assert orders_of(pilot) == []
        await pilot.press("s")
        await until(pilot, lambda: orders_of(pilot))
        assert orders_of(pilot)[0][0] == "start"
        assert pilot.app.screen is main_of(pilot)


async def test_what_was_typed_into_a_form_that_is_left_is_there_again() -> None:
    app = fixed.app(())
    app.backend.check = lambda flow_name, values: None  # type: ignore[method-assign]
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("j", "s", *"2025", "escape", "s")
        await until_shown(pilot, "As you left it.")
        form = pilot.app.screen
        assert isinstance(form, StartScreen)
        assert form.read().values["day"] == "2025"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: orders_of(pilot))
        await pilot.press("1", "s")
        await until(pilot, lambda: isinstance(pilot.app.screen, StartScreen))
        assert "As you left it" not in screen_text(pilot)
        await pilot.press("x", "escape")
        # The flow has lost what was typed into, and gained a parameter.
        fewer = [field for field in fixed.ETL.parameters if field.name != "day"]
        backend = app.backend
        assert isinstance(backend, fixed.FixedBackend)
        backend.catalogue = Catalogue(fixed.ROOT, (fixed.ETL._replace(parameters=tuple(fewer)),))
        app.main.take_catalogue()
        await pilot.press("1", "s")
        await until_shown(pilot, "As you left it, but day is gone.")


async def test_what_was_typed_into_a_form_whose_start_failed_is_there_again(slow: SlowToStart) -> None:
    slow.check = lambda flow_name, values: None  # type: ignore[method-assign]
    slow.error = ValueError("the flow has just changed")
    slow.go_on.set()
    app = app_with(slow)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await pilot.press("j", "s", *"-draft", "ctrl+s")
        await until_shown(pilot, "was not started")
        await pilot.press("s")
        await until_shown(pilot, "As you left it.")
        form = pilot.app.screen
        assert isinstance(form, StartScreen)
        assert form.read().values == {"day": "-draft", "folder": "/srv"}


async def comes_back_with(pilot: Drive, *errors: tuple[str, str]) -> None:
    """Leave the form and open it again: what it says is wrong, by field."""
    await pilot.press("escape", "s")
    await until_shown(pilot, "As you left it.")
    form = pilot.app.screen
    assert isinstance(form, StartScreen)
    await until(
        pilot,
        lambda: [(path, field.error) for path, field in form.fields.items() if field.error] == [*errors],
    )


NO_DATE = ("day", "'yesterday' is no date; write it as 2025-06-12")


async def test_a_form_that_comes_back_says_what_is_wrong_as_it_did() -> None:
    app = fixed.app(())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("j", "s", *"yesterday")
        # Twice, and not a word of what nobody has come to.
        await comes_back_with(pilot, NO_DATE)
        await comes_back_with(pilot, NO_DATE)
        await until_shown(pilot, "is no date")
        # A start that was tried has told of everything.
        await pilot.press("ctrl+s")
        await comes_back_with(pilot, NO_DATE, ("folder", "a value is missing"))


async def test_a_field_that_was_emptied_again_is_still_said_to_be_missing() -> None:
    app = fixed.app(())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("j", "s", "x", "backspace", "tab", *"/srv")
        await comes_back_with(pilot, ("day", "a value is missing"))


@pytest.mark.parametrize("turns", range(8))
async def test_a_form_whose_flow_changes_while_it_opens_shows_what_was_given(turns: int) -> None:
    fewer = fixed.ETL._replace(parameters=fixed.ETL.parameters[1:])
    app = fixed.app(())
    async with app.run_test(size=(120, 40)) as pilot:
        form = StartScreen(fewer, lambda values: None, values={"mode": "exact", "folder": "/srv"})
        await app.push_screen(form)
        for flow in (fixed.ETL, fewer):
            for _ in range(turns):
                await asyncio.sleep(0)
            form.flow_changed(flow)
        await pilot.pause()
        await until(pilot, lambda: form.settled)
        assert form.read().values == {"mode": "exact", "folder": "/srv"}


async def test_forms_of_many_jobs_that_cannot_be_opened_say_how_many_were_not_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    flow = fixed.ETL._replace(described=False, parameters=())
    app = fixed.app(fixed.JOBS, catalogue=Catalogue(fixed.ROOT, (flow,)))

    def describe(flow_name: str) -> None:
        raise ValueError("no such type")

    monkeypatch.setattr(app.main.backend, "describe", describe)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await pilot.press("4", "V", "j", "r", "f")
        await until_shown(pilot, "cannot be described: no such type")
        await until_shown(pilot, "2 jobs not started again.")


# ---- exactly the same again

DRIFTS = """
from dataclasses import dataclass
from datetime import timedelta

from pydantic import BaseModel, field_validator

from routilux import Flow, Routine


class Params(BaseModel):
    minutes: int

    @field_validator("minutes")
    @classmethod
    def seconds(cls, value):
        return value * 60


class Logic(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger")

    def logic(self, trigger):
        pass


drifts = Flow("drifts", params=Params)
drifts.add_routine(Logic(), "logic")
"""


async def test_a_re_run_is_given_what_the_job_was_given(tmp_path: Path) -> None:
    (tmp_path / "drifts.py").write_text(textwrap.dedent(DRIFTS))
    async with real_app(tmp_path) as (pilot, runtime):
        await pilot.press("s")
        await until(pilot, lambda: isinstance(pilot.app.screen, StartScreen))
        await pilot.press("2", "ctrl+s")
        await until(pilot, lambda: len(runtime.list_jobs()) == 1)
        for number in (2, 3):
            await pilot.press("R")
            await until(pilot, lambda number=number: len(runtime.list_jobs()) == number)
        await pilot.press("S")
        await until(pilot, lambda: len(runtime.list_jobs()) == 4)
        assert [job.job_state.entry_params for job in runtime.list_jobs()] == [{"minutes": 120}] * 4


# ---- earlier sets


class Array:
    """Answers `==` as an array does."""

    def __eq__(self, other: object) -> Any:
        raise ValueError("the truth value of an array is ambiguous")

    __hash__ = None  # type: ignore[assignment]


def test_values_that_cannot_be_compared_are_remembered_too() -> None:
    sets = EarlierSets()
    array = Array()
    for values in ({"a": array}, {"a": array, "b": 1}, {"a": Array()}, {"a": array}):
        sets.add("flow", values, ())
    assert [len(each) for each in sets.of("flow")] == [1, 1, 2]
    assert sets.of("flow")[0]["a"] is array
    assert not same_values({"a": array}, {"a": Array()})
    assert same_values({"a": [1, {"b": Path("x")}]}, {"a": [1, {"b": Path("x")}]})


def test_sets_added_by_several_threads_are_all_there(tmp_path: Path) -> None:
    sets = EarlierSets(tmp_path / "sets.json")
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [
            threading.Thread(target=lambda n=n: [sets.add("flow", {"n": n, "m": m}, ()) for m in range(4)])
            for n in range(REMEMBERED // 4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    finally:
        sys.setswitchinterval(before)
    sets.close()
    for known in (sets, EarlierSets(tmp_path / "sets.json")):
        assert sorted((each["n"], each["m"]) for each in known.of("flow")) == [
            (n, m) for n in range(REMEMBERED // 4) for m in range(4)
        ]

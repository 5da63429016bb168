"""Running again on save: what starts, with which parameters, and what becomes of the run before."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from routilux import FlowRegistry, Job, Runtime
from routilux.loading import FlowLoader
from tui.given import GivenValues
from tui.reruns import MOST_AT_ONCE, QUICK, Previous, Rerun, Reruns

FLOW = """
from dataclasses import dataclass
from routilux import Flow, Routine
import helper


@dataclass
class Params:
    {name}: str
    limit: int = {limit}
{more}

def work(trigger, job_state):
    job_state.log(helper.greet(trigger[0]["name"]))
    while trigger[0]["name"] == "long":
        job_state.sleep(60)


flow = Flow("etl", params=Params)
routine = Routine("work")
routine.define_slot("trigger")
routine.set_logic(work)
flow.add_routine(routine)
"""
HELPER = "def greet(name):\n    return '{word} ' + name\n"
LIMIT = 30.0


class Desk:
    """A folder with one flow and its helper, reloaded by hand, and what is told of its re-runs."""

    def __init__(self, root: Path, previous: Previous) -> None:
        self.root = root
        self.now = 0.0
        self._told: list[Rerun] = []
        self.flow()
        self.helper("hello")
        registry = FlowRegistry()
        self.runtime = Runtime(4, registry=registry, echo=False)
        self.loader = FlowLoader(root, registry)
        self.loader.reload()
        self.given = GivenValues()
        self.reruns = Reruns(self.runtime, self.loader, self.given, previous, clock=lambda: self.now)

    def flow(self, limit: int = 10, more: str = "", name: str = "name") -> None:
        (self.root / "flow.py").write_text(FLOW.format(limit=limit, more=more, name=name))

    def helper(self, word: str) -> None:
        (self.root / "helper.py").write_text(HELPER.format(word=word))

    def start(self, **values: Any) -> Job:
        job_id = self.runtime.exec("etl", values).job_id
        self.given.add(job_id, values)
        return self.job(job_id)

    def job(self, job_id: str | None) -> Job:
        job = self.runtime.get_job(job_id or "")
        assert job is not None
        return job

    def save(self, change: Callable[[], None]) -> None:
        self.now += QUICK
        change()
        self.loader.reload()

    def told(self) -> Rerun:
        """The next that is told."""
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            self._told += self.reruns.told()
            if self._told:
                return self._told.pop(0)
            threading.Event().wait(0.005)
        raise AssertionError("nothing was told")

    def settled(self) -> list[Rerun]:
        """What is told once the thread has ended, with which nothing more can come."""
        self.reruns.close()
        assert self.reruns._thread is not None
        self.reruns._thread.join(LIMIT)
        return self._told + self.reruns.told()

    def close(self) -> None:
        self.reruns.close()
        self.loader.stop()
        self.runtime.cancel_all_jobs(force=True)
        self.runtime.shutdown(wait=True)


@pytest.fixture
def desk(tmp_path: Path, process_restored: None) -> Iterator[Callable[..., Desk]]:
    made: list[Desk] = []

    def make(previous: Previous = "leave") -> Desk:
        made.append(Desk(tmp_path, previous))
        return made[-1]

    yield make
    for each in made:
        each.close()


def lines_of(job: Job) -> list[str]:
    assert job.wait(LIMIT)
    return [line.message for line in job.job_state.logs()]


def test_a_save_starts_the_last_parameters_again_on_the_new_code(desk: Callable[..., Desk]) -> None:
    it = desk()
    first = it.start(name="ann")
    it.reruns.toggle("etl", dict)
    it.save(lambda: it.helper("bye"))
    told = it.told()
    assert told.previous == first.job_id
    assert lines_of(it.job(told.job_id)) == ["bye ann"]
    assert lines_of(first) == ["hello ann"]
    assert it.job(told.job_id).job_state.generation == it.loader.current.number == told.generation


def test_a_flow_that_was_not_asked_for_is_left_alone(desk: Callable[..., Desk]) -> None:
    it = desk()
    it.start(name="ann")
    assert it.reruns.toggle("etl", dict)
    assert not it.reruns.toggle("etl", dict)
    it.save(lambda: it.helper("bye"))
    assert it.settled() == []
    assert len(it.runtime.list_jobs()) == 1


def test_without_a_job_the_remembered_parameters_count(desk: Callable[..., Desk]) -> None:
    it = desk()
    it.reruns.toggle("etl", lambda: {"name": "remembered"})
    it.save(lambda: it.helper("hi"))
    assert lines_of(it.job(it.told().job_id)) == ["hi remembered"]


def test_a_default_that_nobody_gave_follows_the_new_code(desk: Callable[..., Desk]) -> None:
    it = desk()
    it.start(name="ann")
    it.reruns.toggle("etl", dict)
    it.save(lambda: it.flow(limit=99))
    told = it.told()
    assert it.job(told.job_id).job_state.entry_params == {"name": "ann", "limit": 99}
    it.save(lambda: it.flow(limit=7))
    assert it.job(it.told().job_id).job_state.entry_params == {"name": "ann", "limit": 7}


def test_parameters_that_no_longer_fit_start_nothing_and_are_kept(desk: Callable[..., Desk]) -> None:
    it = desk("cancel")
    first = it.start(name="long")
    it.reruns.toggle("etl", dict)
    it.save(lambda: it.flow(name="title"))
    told = it.told()
    assert told.job_id is None
    assert "name" in told.problem
    assert first.is_running(), "a run is not cancelled for one that does not start"
    it.save(it.flow)
    told = it.told()
    assert it.job(told.job_id).job_state.entry_params["name"] == "long"


@pytest.mark.parametrize(("previous", "cancelled"), [("cancel", True), ("leave", False)])
def test_the_run_before_is_cancelled_or_left_as_configured(
    desk: Callable[..., Desk], previous: Previous, cancelled: bool
) -> None:
    it = desk(previous)
    first = it.start(name="long")
    it.reruns.toggle("etl", dict)
    it.save(lambda: it.helper("bye"))
    told = it.told()
    assert told.cancelled is cancelled
    if cancelled:
        assert first.wait(LIMIT)
        assert first.is_cancelled()
    else:
        assert first.is_running()


def test_saves_in_quick_succession_do_not_pile_up_runs(desk: Callable[..., Desk]) -> None:
    it = desk("leave")
    it.start(name="long")
    it.reruns.toggle("etl", dict)
    for number in range(6):
        it.save(lambda number=number: it.helper(f"word {number}"))  # type: ignore[misc]
        it.now -= QUICK
        told = it.told()
    it.now += QUICK
    running = [job for job in it.runtime.list_jobs() if not job.job_state.cancel_requested]
    assert len(running) == 2, "the one that somebody started, and the newest that a save did"
    assert running[-1].job_id == told.job_id


def test_a_flow_that_causes_its_own_re_runs_is_stopped(desk: Callable[..., Desk]) -> None:
    it = desk()
    it.start(name="ann")
    it.reruns.toggle("etl", dict)
    for number in range(MOST_AT_ONCE):
        it.save(lambda number=number: it.helper(f"word {number}"))  # type: ignore[misc]
        it.now -= QUICK
        assert it.told().job_id is not None
    it.save(lambda: it.helper("once too often"))
    told = it.told()
    assert told.job_id is None
    assert "over and over" in told.problem
    assert it.reruns.flows == frozenset()


def test_a_broken_save_starts_nothing_and_its_fix_does(desk: Callable[..., Desk]) -> None:
    it = desk()
    it.start(name="ann")
    it.reruns.toggle("etl", dict)
    it.save(lambda: (it.root / "helper.py").write_text("def greet(") and None)
    assert it.loader.errors
    it.save(lambda: it.helper("mended"))
    assert lines_of(it.job(it.told().job_id)) == ["mended ann"]
    assert len(it.runtime.list_jobs()) == 2


def test_a_validator_that_raises_anything_is_told(desk: Callable[..., Desk]) -> None:
    it = desk()
    it.start(name="ann")
    it.reruns.toggle("etl", dict)
    more = "\n    def __post_init__(self):\n        raise SystemExit('no')\n"
    it.save(lambda: it.flow(more=more))
    assert it.told().job_id is None
    it.save(it.flow)
    assert it.told().job_id is not None


def test_however_many_saves_come_while_one_starts_one_run_follows(
    desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    it = desk("cancel")
    it.start(name="ann")
    it.reruns.toggle("etl", dict)
    begun, go_on = threading.Event(), threading.Event()
    really = it.runtime.exec

    def slow(*arguments: Any) -> Any:
        begun.set()
        assert go_on.wait(LIMIT)
        return really(*arguments)

    monkeypatch.setattr(it.runtime, "exec", slow)
    it.save(lambda: it.helper("first"))
    assert begun.wait(LIMIT)
    for number in range(5):
        it.save(lambda number=number: it.helper(f"word {number}"))  # type: ignore[misc]
    go_on.set()
    it.told()
    last = it.told()
    assert last.generation == it.loader.current.number
    assert lines_of(it.job(last.job_id)) == ["word 4 ann"]
    assert it.settled() == []
    assert len(it.runtime.list_jobs()) == 3


def test_a_flow_that_is_switched_off_while_it_is_wanted_does_not_run(
    desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    it = desk()
    it.start(name="ann")
    it.reruns.toggle("etl", dict)
    begun, go_on = threading.Event(), threading.Event()
    really = it.runtime.exec

    def slow(*arguments: Any) -> Any:
        begun.set()
        assert go_on.wait(LIMIT)
        return really(*arguments)

    monkeypatch.setattr(it.runtime, "exec", slow)
    it.save(lambda: it.helper("first"))
    assert begun.wait(LIMIT)
    it.save(lambda: it.helper("second"))
    it.reruns.toggle("etl", dict)
    go_on.set()
    it.told()
    assert it.settled() == []
    assert len(it.runtime.list_jobs()) == 2

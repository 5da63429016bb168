"""A job is in its file or runs in an app, never both and never neither."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from routilux import Flow, Job, JobState, Routine
from routilux.exceptions import SerializationError
from tests.helpers import Bench
from tui.keeper import RuntimeKeeper
from tui.saved_jobs import SavedJobs, Taken

ITEMS = 20


class Source(Routine):
    def __init__(self, go_on: threading.Event) -> None:
        super().__init__()
        self.go_on = go_on
        self.reached = threading.Event()
        self.define_slot("trigger")
        self.define_event("item", ["n"])

    def logic(self, trigger: list[Any]) -> None:
        for n in range(ITEMS):
            self.emit("item", n=n)
        self.reached.set()
        self.go_on.wait(20)


class Sink(Routine):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []
        self.define_slot("items", max_queue_length=1000)

    def logic(self, items: list[dict[str, int]]) -> None:
        self.seen.append(items[0]["n"])


class Place:
    """A runtime with one flow, and the saved jobs of a folder: what an app is to saved jobs."""

    def __init__(self, runtime: Bench, folder: Path) -> None:
        self.runtime = runtime
        self.go_on = threading.Event()
        self.flow = Flow("numbers")
        self.source, self.sink = Source(self.go_on), Sink()
        self.flow.add_routine(self.source, "source")
        self.flow.add_routine(self.sink, "sink")
        self.flow.connect("source", "item", "sink", "items")
        self.flows: dict[str, tuple[Flow, Path]] = {"numbers": (self.flow, folder / "nowhere.py")}
        runtime.flows.register_by_name("numbers", self.flow)
        self.files = SavedJobs(folder)
        self.keeper = RuntimeKeeper(runtime, self.files, lambda: self.flows)

    def start(self) -> Job:
        job = self.runtime.get_job(self.runtime.exec("numbers").job_id)
        assert job is not None
        assert self.source.reached.wait(20)
        return job

    def paused(self) -> Job:
        """A job that is paused with items queued or done, in whatever mixture."""
        job = self.start()
        job.pause()
        self.go_on.set()
        assert job.wait_until_paused(20)
        return job


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "jobs"


@pytest.fixture
def places(make_runtime: Callable[..., Bench], folder: Path) -> Iterator[Callable[[], Place]]:
    made: list[Place] = []

    def make() -> Place:
        made.append(Place(make_runtime(2), folder))
        return made[-1]

    yield make
    for place in made:
        place.go_on.set()
        place.keeper.close()


def files_in(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def end(place: Place) -> None:
    """The app is over."""
    place.keeper.close()
    place.runtime.shutdown(wait=False)


def test_a_job_that_was_saved_is_carried_on_and_every_item_is_seen_once(
    places: Callable[[], Place], folder: Path
) -> None:
    first = places()
    job = first.paused()
    assert first.keeper.save([job.job_id]) == {}
    seen = list(first.sink.seen)
    end(first)
    second = places()
    second.go_on.set()
    (saved,) = second.keeper.saved()
    assert (saved.job_id, saved.flow_name, saved.problem) == (job.job_id, "numbers", "")
    assert saved.waiting == ITEMS - len(seen)
    assert second.keeper.carry_on(saved) == job.job_id
    assert files_in(folder) == []
    carried = second.runtime.get_job(job.job_id)
    assert carried is not None
    assert carried.wait(20)
    assert sorted(seen + second.sink.seen) == list(range(ITEMS))


def test_nobody_else_may_have_it_while_the_app_that_saved_it_is_there(places: Callable[[], Place]) -> None:
    first, second = places(), places()
    job = first.paused()
    first.keeper.save([job.job_id])
    assert second.keeper.saved() == []
    first.keeper.close()
    assert len(second.keeper.saved()) == 1


def test_a_saved_job_that_runs_on_here_after_all_is_in_no_file(
    places: Callable[[], Place], folder: Path
) -> None:
    place = places()
    job = place.paused()
    place.keeper.save([job.job_id])
    assert place.keeper.forget([job.job_id]) == {}
    assert files_in(folder) == []
    assert job.resume()
    assert job.wait(20)


def test_a_job_whose_file_another_has_taken_must_not_run_on_here(
    places: Callable[[], Place], folder: Path
) -> None:
    place = places()
    job = place.paused()
    place.keeper.save([job.job_id])
    (folder / files_in(folder)[0]).unlink()
    assert place.keeper.forget([job.job_id]) == {job.job_id: "another app carries it on"}


def test_a_job_is_carried_on_by_one_only(places: Callable[[], Place]) -> None:
    first = places()
    job = first.paused()
    first.keeper.save([job.job_id])
    end(first)
    others = [places() for _ in range(2)]
    listed = [place.keeper.saved()[0] for place in others]
    others[0].keeper.carry_on(listed[0])
    with pytest.raises(Taken):
        others[1].keeper.carry_on(listed[1])
    with pytest.raises(Taken):
        others[1].keeper.discard(listed[1])


def _claim(folder: str, started: Any, results: Any) -> None:
    files = SavedJobs(Path(folder))
    jobs = files.list()
    started.wait()
    for job in jobs:
        try:
            with files.claim(job):
                results.put(job.job_id)
        except (Taken, OSError):
            pass
    results.put(None)


@pytest.mark.stress
def test_many_processes_that_claim_at_once_get_each_job_once(folder: Path) -> None:
    files = SavedJobs(folder)
    ids = [f"job{number}" for number in range(40)]
    for job_id in ids:
        state = JobState(job_id, "numbers")
        state._status = state._status.__class__("paused")
        files.save(state)
    files.close()
    context = multiprocessing.get_context("spawn")
    claimants = 4
    started, results = context.Barrier(claimants), context.Queue()
    processes = [
        context.Process(target=_claim, args=(str(folder), started, results)) for _ in range(claimants)
    ]
    for process in processes:
        process.start()
    got, ended = [], 0
    while ended < claimants:
        result = results.get(timeout=60)
        if result is None:
            ended += 1
        else:
            got.append(result)
    for process in processes:
        process.join()
    assert sorted(got) == sorted(ids)
    assert files_in(folder) == []


def test_a_start_that_fails_leaves_the_job_saved(places: Callable[[], Place]) -> None:
    first = places()
    job = first.paused()
    first.keeper.save([job.job_id])
    end(first)
    second = places()
    second.runtime.flows.clear()
    (saved,) = second.keeper.saved()
    with pytest.raises(ValueError, match="there is no flow 'numbers'"):
        second.keeper.carry_on(saved)
    assert [each.file for each in second.keeper.saved()] == [saved.file]


def test_what_an_app_that_died_had_claimed_is_there_for_the_next(
    places: Callable[[], Place], folder: Path
) -> None:
    first = places()
    job = first.paused()
    first.keeper.save([job.job_id])
    end(first)
    (name,) = files_in(folder)
    os.rename(folder / name, (folder / name).with_suffix(".taken"))
    second = places()
    second.go_on.set()
    (saved,) = second.keeper.saved()
    second.keeper.carry_on(saved)
    assert files_in(folder) == []


def test_a_job_with_data_that_is_no_data_is_refused_with_the_place(
    places: Callable[[], Place], folder: Path
) -> None:
    place = places()
    job = place.paused()
    job.job_state.shared_data["held"] = threading.Lock()
    refused = place.keeper.save([job.job_id])
    assert "shared_data" in refused[job.job_id]
    assert files_in(folder) == []
    with pytest.raises(SerializationError):
        place.files.save(job.job_state)


def test_jobs_whose_flow_is_gone_or_changed_say_so(places: Callable[[], Place]) -> None:
    first = places()
    first.paused()
    job = first.runtime.list_jobs()[0]
    job.job_state.runs["sink"].slots["items"].queue.append(({"n": 99}, "", 0))
    first.keeper.save([job.job_id])
    end(first)
    second = places()
    other = Flow("numbers")
    other.add_routine(Source(second.go_on), "source")
    second.flows["numbers"] = (other, Path(__file__))
    assert "routine sink has no place" in second.keeper.saved()[0].problem
    second.flows.clear()
    assert second.keeper.saved()[0].problem == "the flow numbers is no longer in the folder"


def test_a_flow_whose_file_is_younger_than_the_job_says_so(
    places: Callable[[], Place], tmp_path: Path
) -> None:
    first = places()
    first.keeper.save([first.paused().job_id])
    end(first)
    second = places()
    source = tmp_path / "numbers.py"
    source.write_text("")
    second.flows["numbers"] = (second.flow, source)
    os.utime(source, (4e9, 4e9))
    assert second.keeper.saved()[0].note == "numbers.py was changed since"


@pytest.mark.parametrize("content", ["", "{", '{"format": "routilux-job", "version": 99}', "[]"])
def test_a_damaged_file_is_listed_and_can_be_discarded(
    places: Callable[[], Place], folder: Path, content: str
) -> None:
    folder.mkdir()
    (folder / "damaged.json").write_text(content)
    place = places()
    (saved,) = place.keeper.saved()
    assert "damaged.json" in saved.problem
    place.keeper.discard(saved)
    assert files_in(folder) == []


def test_no_folder_is_no_saved_jobs(tmp_path: Path) -> None:
    assert SavedJobs(tmp_path / "nowhere").list() == []


def test_an_id_that_is_no_file_name_is_saved_all_the_same(folder: Path) -> None:
    files = SavedJobs(folder)
    state = JobState("../a\0b", "numbers")
    state._status = state._status.__class__("paused")
    files.save(state)
    assert [job.job_id for job in files.list()] == []
    files.close()
    assert [job.job_id for job in files.list()] == ["../a\0b"]


# ---- when the app has to end


def test_a_rescue_saves_what_can_be_paused_in_time_and_names_the_rest(
    places: Callable[[], Place], folder: Path
) -> None:
    quick, slow = places(), places()
    job = quick.start()
    quick.go_on.set()
    quick.sink.seen.clear()
    rescued = quick.keeper.rescue(20)
    assert rescued.saved == (job,) or job.is_completed()
    assert rescued.lost == {}
    stuck = slow.start()
    rescued = slow.keeper.rescue(0)
    assert rescued.saved == ()
    assert "source" in rescued.lost[stuck]
    assert stuck.job_id not in "".join(files_in(folder))


def test_a_rescue_names_what_cannot_be_saved(places: Callable[[], Place]) -> None:
    place = places()
    job = place.paused()
    job.job_state.shared_data["held"] = threading.Lock()
    assert "shared_data" in place.keeper.rescue(20).lost[job]

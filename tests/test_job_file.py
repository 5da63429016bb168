"""A job that stands still can be saved and carried on elsewhere: every item not yet consumed is consumed
once."""

from __future__ import annotations

import dataclasses
import enum
import json
import math
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pydantic
import pytest

from routilux import (
    ErrorHandler,
    InvalidTransition,
    JobState,
    Progress,
    SerializationError,
    all_slots_ready_policy,
    batch_size_policy,
    pictures,
)
from tests.helpers import (
    LIMIT,
    Bench,
    Hold,
    chain,
    collects,
    does,
    failed_while_another_runs,
    graph,
    let_pass,
    node,
    source,
)

MakeRuntime = Callable[..., Bench]


def paused(runtime: Bench, *then: Any, values: Any = (0, 1, 2)) -> Any:
    """A job of `first`, whose items wait in what follows, because it was paused before."""
    hold = Hold()

    def logic() -> None:
        hold()
        for value in values:
            first.emit("out", x=value)

    first = does(logic, events=["out"], name="first")
    job = runtime.start(chain(first, *(then or (collects(),))), {"depth": 3})
    hold.reached()
    assert job.pause()
    hold.release()
    assert job.wait_until_paused(LIMIT)
    return job


def reloaded(job: Any, path: Path) -> JobState:
    job.job_state.save(path)
    return JobState.load(path)


def carried_on(make_runtime: MakeRuntime, job: Any, path: Path) -> Any:
    """The job, saved, loaded, and run to its end in another runtime."""
    other = make_runtime().carry_on(job.flow, reloaded(job, path))
    assert other.wait(LIMIT), other.why_not_finished()
    return other


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "job.json"


# ---- in a new process

FLOW_MODULE = '''
import json, sys, threading
from pathlib import Path
from routilux import ErrorHandler, Flow, FlowRegistry, JobState, Routine, Runtime, all_slots_ready_policy
from routilux import batch_size_policy

COUNT = 3000

class Source(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger")
        self.define_event("out", ["x"])

    def logic(self, trigger):
        for x in range(COUNT):
            self.emit("out", x=x)

class Work(Routine):
    """Counts in its own state, writes what it consumed, and goes on."""

    def __init__(self, capacity):
        super().__init__()
        self.define_slot("items", max_queue_length=capacity)
        self.define_event("out", ["x"])

    def logic(self, items, job_state):
        own = job_state.routine_state()
        own["n"] = own.get("n", 0) + 1
        self.emit("out", x=items[0]["x"])

class Join(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("left", max_queue_length=50)
        self.define_slot("right", max_queue_length=50)
        self.define_event("out", ["x"])
        self.set_activation_policy(all_slots_ready_policy())

    def logic(self, left, right, job_state):
        assert left == right, (left, right)
        self.emit("out", x=left[0]["x"])

class Sink(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("items", max_queue_length=20)
        self.set_activation_policy(batch_size_policy(7))

    def logic(self, items, job_state):
        job_state.shared_data.setdefault("got", []).extend(item["x"] for item in items)

def make():
    flow = Flow("counted")
    flow.add_routine(Source(), "source")
    flow.add_routine(Work(10), "one")
    flow.add_routine(Work(300), "other")
    flow.add_routine(Join(), "join")
    flow.add_routine(Sink(), "sink")
    for source, target, slot in [
        ("source", "one", "items"), ("source", "other", "items"),
        ("one", "join", "left"), ("other", "join", "right"), ("join", "sink", "items"),
    ]:
        flow.connect(source, "out", target, slot)
    FlowRegistry.get_instance().register(flow)
    return flow
'''

BEGIN = """
import sys
import flow_module
from routilux import JobState, Runtime

flow_module.make()
with Runtime(int(sys.argv[2])) as runtime:
    state = runtime.exec("counted")
    job = runtime.get_job(state.job_id)
    while len(state.shared_data.get("got", ())) < int(sys.argv[3]):
        assert not job.wait(0.0005)
    job.pause()
    assert job.wait_until_paused(30)
    state.save(sys.argv[1])
    print(len(state.shared_data["got"]))
"""

GO_ON = """
import json, sys
import flow_module
from routilux import JobState, Runtime

flow_module.make()
with Runtime(int(sys.argv[2])) as runtime:
    state = runtime.exec("counted", job_state=JobState.load(sys.argv[1]))
    job = runtime.get_job(state.job_id)
    if len(sys.argv) > 3:
        while len(state.shared_data.get("got", ())) < int(sys.argv[3]):
            assert not job.wait(0.0005)
        job.pause()
        assert job.wait_until_paused(30)
        state.save(sys.argv[1])
    else:
        assert job.wait(60), job.why_not_finished()
        assert job.is_completed(), state.error
        print(json.dumps([state.shared_data["got"], dict(state.leftovers), state.job_id,
                          state.routine_state("one"), state.routine_state("other")]))
"""


def process(folder: Path, script: str, *arguments: object) -> str:
    """Run a script that may import the flow's module, in a process of its own."""
    root = Path(__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(root)])}
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.parametrize("threads", [1, 4])
def test_in_a_new_process_every_item_is_consumed_exactly_once(tmp_path: Path, threads: int) -> None:
    (tmp_path / "flow_module.py").write_text(FLOW_MODULE)
    file = tmp_path / "job.json"
    consumed = int(process(tmp_path, BEGIN, file, threads, 700))
    assert 0 < consumed < 3000
    process(tmp_path, GO_ON, file, threads, 1500)  # and once more on the way
    got, leftovers, job_id, one, other = json.loads(process(tmp_path, GO_ON, file, threads))
    assert got == list(range(3000))
    assert leftovers == {}
    assert job_id == json.loads(file.read_text())["job_id"]
    assert (one, other) == ({"n": 3000}, {"n": 3000})


# ---- what is kept


def test_everything_that_waits_is_worked_on_elsewhere(make_runtime: MakeRuntime, path: Path) -> None:
    job = paused(make_runtime())
    other = carried_on(make_runtime, job, path)
    assert other.is_completed()
    assert other.job_id == job.job_id
    assert other.job_state is not job.job_state
    assert other.job_state.shared_data["got"] == [0, 1, 2]
    assert job.job_state.shared_data == {}
    assert job.is_paused()


def test_a_loaded_state_shows_what_was_saved(runtime: Bench, path: Path) -> None:
    def logic(items: Any, job_state: JobState) -> None:
        job_state.routine_state()["seen"] = items[0]["x"]
        job_state.shared_data["n"] = job_state.shared_data.get("n", 0) + 1
        job_state.report_progress(items[0]["x"], 10, "rows")
        job_state.log("a line")
        if items[0]["x"] == 1:
            runtime.job_of(job_state).pause()
        elif items[0]["x"] == 0:
            raise ValueError("dealt with")

    worker = node(logic, name="worker", handler=ErrorHandler("continue"))
    job = runtime.start(chain(source(range(4)), worker), {"depth": 3})
    assert job.wait_until_paused(LIMIT)
    old, new = job.job_state, reloaded(job, path)
    for name in ("job_id", "flow_name", "status", "entry_params", "generation", "shared_data", "notices"):
        assert getattr(new, name) == getattr(old, name), name
    for name in ("created_at", "started_at", "ended_at"):
        assert getattr(new, name) == getattr(old, name), name
    assert new.get_execution_history() == old.get_execution_history()
    assert new.logs() == old.logs()
    assert dict(new.progress) == {"worker": Progress(1, 10, "rows")}
    assert [error._replace(exception=None) for error in old.errors] == list(new.errors)
    assert new.errors[0].traceback == old.errors[0].traceback
    assert new.errors[0].data_slice == {"items": [{"x": 0}]}
    assert new.routine_state("worker") == {"seen": 1}
    assert new.runs["worker"].slots["items"].items() == old.runs["worker"].slots["items"].items()


def test_counts_history_and_logs_go_on_from_where_they_were(make_runtime: MakeRuntime, path: Path) -> None:
    job = paused(make_runtime(), node(lambda items: print(items[0]["x"]), name="says"))
    before = job.snapshot()
    other = carried_on(make_runtime, job, path)
    after = other.snapshot()
    assert [each.activations for each in after.routines] == [1, 3]
    assert after.history_total == before.history_total + 6
    records = other.job_state.get_execution_history()
    assert [record.sequence for record in records] == list(range(after.history_total))
    assert [record.timestamp for record in records] == sorted(record.timestamp for record in records)
    assert [line.message for line in other.job_state.logs()] == ["0", "1", "2"]
    (slot,) = after.routines[1].slots
    assert (slot.received, slot.consumed) == (3, 3)
    assert other.job_state.started_at == job.job_state.started_at


def test_a_bounded_history_stays_bounded(make_runtime: MakeRuntime, path: Path) -> None:
    runtime = make_runtime()
    job = paused(runtime, values=range(50))
    job.flow.max_history = 5
    short = paused(runtime, values=range(50))
    short_file = path.with_name("short.json")
    del job
    state = reloaded(short, short_file)
    assert len(state.get_execution_history()) <= 1000
    other = make_runtime().carry_on(short.flow, state)
    assert other.wait(LIMIT)
    assert other.snapshot().history_total == 1 + 1 + 50 + 100


def test_a_slice_that_failed_is_carried_on_elsewhere(make_runtime: MakeRuntime, path: Path) -> None:
    bad = {1}

    def logic(items: Any, job_state: JobState) -> None:
        if items[0]["x"] in bad:
            raise ValueError("not yet")
        job_state.shared_data.setdefault("got", []).append(items[0]["x"])

    flow = chain(source(range(4)), node(logic))
    job = make_runtime(1).run(flow)
    assert job.is_failed()
    bad.clear()
    other = carried_on(make_runtime, job, path)
    assert other.is_completed()
    assert other.job_state.shared_data["got"] == [0, 1, 2, 3]


def test_what_waits_to_be_retried_is_carried_on_elsewhere(make_runtime: MakeRuntime, path: Path) -> None:
    bad = {1}

    def logic(items: Any, job_state: JobState) -> None:
        if items[0]["x"] in bad:
            raise ValueError("not yet")
        job_state.shared_data.setdefault("got", []).append(items[0]["x"])

    worker = node(logic, handler=ErrorHandler("retry", retry_delay=3600))
    job = make_runtime(1).start(chain(source(range(4)), worker))
    while len(job.job_state.shared_data.get("got", ())) < 3:
        assert not job.wait(0.001)
    job.pause()
    assert job.wait_until_paused(LIMIT)
    bad.clear()
    other = carried_on(make_runtime, job, path)
    assert other.is_completed()
    assert sorted(other.job_state.shared_data["got"]) == [0, 1, 2, 3]


def test_items_that_a_policy_has_not_taken_yet_are_carried_on(make_runtime: MakeRuntime, path: Path) -> None:
    join = node(
        lambda left, right, job_state: job_state.shared_data.setdefault("got", []).append((left, right)),
        slots=["left", "right"],
        policy=all_slots_ready_policy(),
    )
    hold = Hold()
    first = does(lambda: (first.emit("out", x=1), hold(), first.emit("late", x=2)), events=["out", "late"])
    flow = graph(["first -> join.left", "first.late -> join.right"], first=first, join=join)
    job = make_runtime().start(flow)
    hold.reached()
    job.pause()
    hold.release()
    assert job.wait_until_paused(LIMIT)
    other = carried_on(make_runtime, job, path)
    assert other.job_state.shared_data["got"] == [([{"x": 1}], [{"x": 2}])]


def test_batches_go_on_where_they_were(make_runtime: MakeRuntime, path: Path) -> None:
    job = paused(make_runtime(), collects(policy=batch_size_policy(2)), values=range(5))
    other = carried_on(make_runtime, job, path)
    assert other.job_state.shared_data["got"] == [0, 1, 2, 3, 4]


def test_a_skipped_routine_stays_skipped(make_runtime: MakeRuntime, path: Path) -> None:
    hold = Hold()
    angry = threading.Event()

    def fail() -> None:
        angry.set()
        raise ValueError

    def start() -> None:
        first.emit("out", x=0)
        assert angry.wait(LIMIT)
        hold()
        first.emit("out", x=1)
        first.emit("late", x=2)

    first = does(start, events=["out", "late"])
    skipped = node(fail, handler=ErrorHandler("skip"))

    def late(items: Any) -> None:
        again.emit("out", x=items[0]["x"])

    again = node(late)
    edges = ["first -> skipped", "first.late -> again", "again -> skipped"]
    job = make_runtime().start(graph(edges, first=first, skipped=skipped, again=again))
    hold.reached()
    while job.snapshot().routines[1].state != "skipped":
        assert not job.wait(0.001)
    job.pause()
    hold.release()
    assert job.wait_until_paused(LIMIT)
    other = carried_on(make_runtime, job, path)
    assert other.is_completed()
    picture = other.snapshot().routines[1]
    assert (picture.state, picture.activations, picture.skipped_items) == ("skipped", 1, 2)


def test_a_slot_that_holds_more_than_it_may_is_carried_on_whole(
    make_runtime: MakeRuntime, path: Path
) -> None:
    """While a job is pausing, what runs may put more into a slot than it holds otherwise."""
    job = paused(make_runtime(), collects(capacity=3), values=range(200))
    assert job.snapshot().routines[1].waiting == 200
    other = carried_on(make_runtime, job, path)
    assert other.job_state.shared_data["got"] == list(range(200))


def test_a_job_that_never_ran_anything_can_be_saved(
    one_thread: Bench, make_runtime: MakeRuntime, path: Path
) -> None:
    hold = Hold()
    gate = one_thread.start(graph([], "gate", worker=does(hold)))
    hold.reached()
    job = one_thread.start(chain(source([1, 2]), collects()))
    assert job.pause()
    assert job.is_paused()
    other = carried_on(make_runtime, job, path)
    assert other.job_state.shared_data["got"] == [1, 2]
    hold.release()
    assert gate.wait(LIMIT)


def test_the_time_limit_of_exec_counts_anew_elsewhere(make_runtime: MakeRuntime, path: Path) -> None:
    job = paused(make_runtime())
    other = make_runtime().carry_on(job.flow, reloaded(job, path), timeout=3600)
    assert other.wait(LIMIT)
    assert other.is_completed()


# ---- time


def test_the_time_between_save_and_carrying_on_is_not_the_jobs(make_runtime: MakeRuntime, path: Path) -> None:
    hold = Hold()
    job = make_runtime().start(chain(does(hold, events=["out"], name="first"), collects()))
    hold.reached()
    let_pass(job.job_state, 60)
    assert job.pause()
    hold.release()
    assert job.wait_until_paused(LIMIT)
    let_pass(job.job_state, 30)
    state = reloaded(job, path)
    assert pictures.summarize(state, None).elapsed == job.summary().elapsed
    let_pass(state, 3600)
    other = make_runtime().carry_on(job.flow, state)
    assert other.wait(LIMIT)
    assert 60 <= other.summary().elapsed < 60 + LIMIT
    assert other.summary().paused >= 30


def test_a_failed_job_that_is_carried_on_does_not_count_the_time_between(
    make_runtime: MakeRuntime, path: Path
) -> None:
    mended = False

    def logic(items: Any) -> None:
        if not mended:
            raise ValueError

    job = make_runtime().run(chain(source([1]), node(logic)))
    state = reloaded(job, path)
    let_pass(state, 3600)
    mended = True
    other = make_runtime().carry_on(job.flow, state)
    assert other.wait(LIMIT)
    assert other.is_completed()
    assert other.summary().elapsed < LIMIT


def test_a_file_that_does_not_say_when_the_job_stood_still_is_read(
    make_runtime: MakeRuntime, path: Path
) -> None:
    job = paused(make_runtime())
    job.job_state.save(path)
    tree = json.loads(path.read_text())
    del tree["paused_ns"], tree["stopped_ns"]
    path.write_text(json.dumps(tree))
    state = JobState.load(path)
    let_pass(state, 3600)
    assert 0 < pictures.summarize(state, None).elapsed < LIMIT, "it stood still since its last record"
    other = make_runtime().carry_on(job.flow, state)
    assert other.wait(LIMIT)
    assert other.summary().elapsed < LIMIT


# ---- data


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Point:
    x: int
    y: tuple[int, ...]


class Row(pydantic.BaseModel):
    name: str
    at: date


RICH = [
    datetime(2026, 1, 2, 3, 4, 5, 6, UTC),
    date(2026, 1, 2),
    timedelta(days=1, microseconds=3),
    Decimal("1.10"),
    UUID("12345678123456781234567812345678"),
    Path("some") / "where",
    b"\x00\xff",
    {1, 2, 3},
    (1, (2, "x")),
    Colour.RED,
    Point(1, (2, 3)),
    Row(name="x", at=date(2026, 1, 2)),
    {"nested": [{"tuple": (1, None, True)}]},
    {1: "keys that are no strings"},
    "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    float("inf"),
]


def test_items_of_common_types_survive(make_runtime: MakeRuntime, path: Path) -> None:
    seen: list[Any] = []
    job = paused(make_runtime(), node(lambda items: seen.append(items[0]["x"])), values=RICH)
    other = carried_on(make_runtime, job, path)
    assert other.is_completed()
    assert seen == RICH
    assert [type(each) for each in seen] == [type(each) for each in RICH]


def test_what_logic_keeps_survives_too(make_runtime: MakeRuntime, path: Path) -> None:
    job = paused(make_runtime())
    job.job_state.shared_data["rich"] = list(RICH)
    job.job_state.routine_state("r1")["rich"] = list(RICH)
    state = reloaded(job, path)
    assert state.shared_data == {"rich": RICH}
    assert state.routine_state("r1") == {"rich": RICH}


def test_an_item_that_json_cannot_hold_is_named_with_its_routine_and_slot(runtime: Bench, path: Path) -> None:
    job = paused(runtime, node(lambda items: None, name="join"), values=[1, threading.Lock()])
    with pytest.raises(SerializationError, match=r"routine 'join', slot 'items', item 1.*Lock"):
        job.job_state.save(path)
    assert not path.exists()
    assert list(path.parent.iterdir()) == []
    assert job.is_paused()  # and it can go on
    assert job.resume()
    assert job.wait(LIMIT)
    assert job.is_completed()


def test_shared_data_and_states_that_json_cannot_hold_are_named(runtime: Bench, path: Path) -> None:
    job = paused(runtime)
    job.job_state.shared_data["lock"] = threading.Lock()
    with pytest.raises(SerializationError, match="shared_data"):
        job.job_state.save(path)
    del job.job_state.shared_data["lock"]
    job.job_state.routine_state("r1")["lock"] = threading.Lock()
    with pytest.raises(SerializationError, match="state of routine 'r1'"):
        job.job_state.save(path)


def test_what_is_only_looked_back_at_never_stops_a_save(runtime: Bench, path: Path) -> None:
    """A history that holds what JSON cannot is saved as it prints."""
    job = paused(runtime, collects(), values=[threading.Lock()])
    job.job_state.runs["r1"].slots["items"].consume_all()
    state = reloaded(job, path)
    assert any("lock" in str(record.data) for record in state.get_execution_history())


# ---- the file


def test_the_file_is_json_and_says_what_it_is(runtime: Bench, path: Path) -> None:
    job = paused(runtime)
    job.job_state.save(path)
    tree = json.loads(path.read_text(encoding="utf-8"))
    assert (tree["format"], tree["job_id"], tree["flow_name"]) == ("routilux-job", job.job_id, "flow")
    assert tree["status"] == "paused"
    assert tree["entry_params"] == {"depth": 3}


def test_a_save_replaces_the_file_in_one_step(
    runtime: Bench, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = paused(runtime)
    path.write_text("what was there before")
    monkeypatch.setattr(os, "replace", lambda *paths: (_ for _ in ()).throw(OSError("disk is full")))
    with pytest.raises(OSError, match="disk is full"):
        job.job_state.save(path)
    assert path.read_text() == "what was there before"
    assert list(path.parent.iterdir()) == [path]
    monkeypatch.undo()
    job.job_state.save(path)
    assert JobState.load(path).job_id == job.job_id
    assert list(path.parent.iterdir()) == [path]


def test_a_path_may_be_a_string_or_a_path(runtime: Bench, path: Path) -> None:
    job = paused(runtime)
    job.job_state.save(str(path))
    assert JobState.load(str(path)).job_id == JobState.load(path).job_id == job.job_id


def test_a_relative_path_is_of_the_current_folder(
    runtime: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    job = paused(runtime)
    job.job_state.save("saved_state.json")
    assert JobState.load("saved_state.json").job_id == job.job_id


def test_saving_and_loading_again_changes_nothing(runtime: Bench, path: Path) -> None:
    job = paused(runtime)
    job.job_state.save(path)
    once = path.read_text()
    JobState.load(path).save(path)
    assert path.read_text() == once


def test_what_is_no_saved_job_is_refused_with_the_name_of_the_file(runtime: Bench, path: Path) -> None:
    job = paused(runtime)
    job.job_state.save(path)
    whole = json.loads(path.read_text())
    wrong = {
        "no JSON": path.read_text()[: len(path.read_text()) // 2],
        'no "format"': json.dumps({**whole, "format": "other"}),
        "format version 99": json.dumps({**whole, "version": 99}),
        "no whole saved job": json.dumps({key: value for key, value in whole.items() if key != "routines"}),
        "no saved job": "[]",
    }
    for message, text in wrong.items():
        path.write_text(text)
        with pytest.raises(ValueError, match=message) as caught:
            JobState.load(path)
        assert str(path) in str(caught.value)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="no saved job"):
        JobState.load(path)
    with pytest.raises(FileNotFoundError):
        JobState.load(path.with_name("nowhere.json"))


@pytest.mark.parametrize(
    "key", ["status", "history", "shared_data", "errors", "routines", "created_ns", "paused_ns"]
)
def test_values_of_another_kind_are_refused_too(runtime: Bench, path: Path, key: str) -> None:
    paused(runtime).job_state.save(path)
    tree = json.loads(path.read_text())
    tree[key] = "yesterday" if key.endswith("_ns") else 7
    path.write_text(json.dumps(tree))
    with pytest.raises(ValueError, match="saved job"):
        JobState.load(path)


# ---- what may be saved and carried on


def test_a_job_that_does_not_stand_still_cannot_be_saved(runtime: Bench, path: Path) -> None:
    hold = Hold()
    job = runtime.start(graph(worker=does(hold)))
    hold.reached()
    for change in (lambda: None, job.pause, job.cancel):
        change()
        with pytest.raises(InvalidTransition, match=f"is {job.status} and cannot be saved.*worker"):
            job.job_state.save(path)
    assert not path.exists()
    hold.release()


def test_a_failed_job_of_which_something_still_runs_cannot_be_saved(runtime: Bench, path: Path) -> None:
    job, hold = failed_while_another_runs(runtime)
    with pytest.raises(InvalidTransition, match="cannot be saved"):
        job.job_state.save(path)
    hold.release()
    assert job.wait(LIMIT)
    job.job_state.save(path)
    assert JobState.load(path).status == "failed"


def test_a_job_that_ended_can_be_saved_but_not_carried_on(runtime: Bench, path: Path) -> None:
    job = runtime.run(chain(source([1]), collects()))
    state = reloaded(job, path)
    assert state.status == "completed"
    assert state.shared_data == {"got": [1]}
    with pytest.raises(ValueError, match="is completed; only a paused, failed or interrupted job"):
        runtime.exec("flow", job_state=state)


@pytest.mark.parametrize("end", ["completed", "cancelled"])
def test_a_job_that_ended_is_read_with_what_its_routines_had_done(
    runtime: Bench, path: Path, end: str
) -> None:
    def logic(items: Any, job_state: JobState) -> None:
        job_state.routine_state()["seen"] = items[0]["x"]
        job_state.report_progress(1, 2, "half")
        if end == "cancelled":
            handle.append(runtime.get_job(job_state.job_id).cancel())  # type: ignore[union-attr]

    handle: list[bool] = []
    job = runtime.run(chain(source([7]), node(logic, name="worker")))
    assert job.status == end
    state = reloaded(job, path)
    assert state.routine_state("worker") == {"seen": 7}
    assert state.progress == {"worker": Progress(1, 2, "half")}
    assert pictures.picture(state, None).routines == job.snapshot().routines


def test_progress_that_json_has_no_number_for_is_saved(runtime: Bench, path: Path) -> None:
    def logic(items: Any, job_state: JobState) -> None:
        job_state.report_progress(math.inf, math.inf)
        raise ValueError

    state = reloaded(runtime.run(chain(source([7]), node(logic, name="worker"))), path)
    assert state.progress == {"worker": Progress(math.inf, math.inf)}


def test_a_saved_job_can_be_looked_at_without_a_runtime(runtime: Bench, path: Path) -> None:
    state = reloaded(paused(runtime), path)
    assert state.get_execution_history()
    assert repr(state).endswith("'flow': paused>")


def test_in_the_same_runtime_a_loaded_job_takes_the_place_of_the_paused_one(
    runtime: Bench, path: Path
) -> None:
    job = paused(runtime)
    state = reloaded(job, path)
    other = runtime.carry_on(job.flow, state)
    assert other is not job
    assert runtime.get_job(job.job_id) is other
    assert job.wait(LIMIT)
    assert job.status == "interrupted"
    assert job.resume() is False
    assert other.wait(LIMIT)
    assert other.job_state.shared_data["got"] == [0, 1, 2]
    assert job.job_state.shared_data == {}
    assert [each.job_id for each in runtime.list_jobs()] == [other.job_id]


def test_the_state_of_a_paused_job_resumes_it(runtime: Bench) -> None:
    job = paused(runtime)
    assert runtime.exec("flow", job_state=job.job_state) is job.job_state
    assert runtime.job_of(job.job_state) is job
    assert job.wait(LIMIT)
    assert job.job_state.shared_data["got"] == [0, 1, 2]


def test_a_loaded_job_does_not_take_the_place_of_one_that_runs(runtime: Bench, path: Path) -> None:
    job = paused(runtime)
    state = reloaded(job, path)
    hold = Hold()
    job.flow.routines["r1"].set_logic(lambda items: None)
    assert job.resume()
    assert job.wait(LIMIT)
    running = runtime.start(graph([], "flow", worker=does(hold)))
    hold.reached()
    assert runtime.get_job(state.job_id) is job
    hold.release()
    assert running.wait(LIMIT)


def test_a_flow_that_has_no_place_for_the_items_any_more_says_so(
    make_runtime: MakeRuntime, path: Path
) -> None:
    state = reloaded(paused(make_runtime()), path)
    changed = chain(does(lambda: None, events=["out"], name="first"), collects(name="other"))
    runtime = make_runtime()
    runtime.flows.register(changed)
    with pytest.raises(ValueError, match=r"has no place for 3 items in r1\.items"):
        runtime.exec("flow", job_state=state)
    assert runtime.list_jobs() == []
    assert state.status == "paused"


def test_a_refused_copy_leaves_the_paused_job_as_it_was(runtime: Bench, path: Path) -> None:
    """It must not be given up for a copy that cannot be carried on."""
    job = paused(runtime)
    state = reloaded(job, path)
    runtime.flows.register(chain(does(lambda: None, events=["out"], name="first"), collects(name="other")))
    with pytest.raises(ValueError, match="has no place for"):
        runtime.exec("flow", job_state=state)
    assert job.is_paused()
    assert job.resume()
    assert job.wait(LIMIT)
    assert job.job_state.shared_data["got"] == [0, 1, 2]


def test_a_changed_flow_runs_the_new_code_on_the_old_items(make_runtime: MakeRuntime, path: Path) -> None:
    state = reloaded(paused(make_runtime()), path)

    def negative(items: Any, job_state: JobState) -> None:
        job_state.shared_data.setdefault("got", []).append(-items[0]["x"])

    changed = chain(
        does(lambda: None, events=["out"], name="first"), node(negative), node(negative, name="more")
    )
    job = make_runtime().carry_on(changed, state)
    assert job.wait(LIMIT)
    assert job.job_state.shared_data["got"] == [0, -1, -2]

"""Watching, saving, starting and shutting down while jobs run at full speed, from many threads."""

from __future__ import annotations

import random
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from routilux import ErrorHandler, Flow, Job, JobState, Routine, all_slots_ready_policy
from routilux.exceptions import InvalidTransition, JobCancelled, JobNotActive, SlotQueueFullError
from routilux.snapshot import JobEvent, JobSnapshot
from tests.stress.tools import (
    HANGS,
    ended,
    feeding,
    flow_of,
    in_threads,
    keeping,
    passing,
    routine,
    running,
    start,
    switching,
    until,
)

pytestmark = pytest.mark.stress


# ---- watching


def test_snapshots_at_full_speed_are_whole_and_never_go_backwards() -> None:
    flow = flow_of(
        feeding(4000),
        passing("a", capacity=9, limit=2),
        keeping(capacity=4, when_full="drop_oldest"),
        chain=True,
    )
    with running(flow, 3) as runtime, switching(1e-5):
        job = start(runtime)
        before: Counter[str] = Counter()
        pictures = 0

        for _ in until(job.is_finished):
            pictures += 1
            check_picture(job.snapshot(), before)
            picture = runtime.snapshot()
            assert sum(picture.counts.values()) == len(picture.jobs) == 1
            assert 0 <= picture.threads_busy <= 3
            assert isinstance(job.why_not_finished(), str)
        check_picture(job.snapshot(), before)
        assert ended(job) == "completed"
    assert pictures > 10


def check_picture(picture: JobSnapshot, before: Counter[str]) -> None:
    """Every count fits the others, and none has shrunk."""
    now: Counter[str] = Counter()
    for each in picture.routines:
        now[each.routine_id] = each.activations
        for slot in each.slots:
            assert slot.received == slot.consumed + slot.waiting + slot.dropped + each.skipped_items, slot
            # An item is in before the oldest is out.
            assert 0 <= slot.waiting <= slot.capacity + (slot.dropped > 0)
            now[f"{each.routine_id}.{slot.name}.received"] = slot.received
            now[f"{each.routine_id}.{slot.name}.dropped"] = slot.dropped
    assert all(now[name] >= count for name, count in before.items()), (before, now)
    before.update(now - before)


def test_subscribing_and_unsubscribing_while_jobs_end_neither_loses_nor_doubles_events() -> None:
    flow = flow_of(feeding(2), keeping(), chain=True)
    faithful: list[JobEvent] = []
    started: list[str] = []
    stop = threading.Event()
    with running(flow, 3) as runtime, switching(1e-5):
        runtime.subscribe(faithful.append)

        def come_and_go(who: int) -> None:
            if who < 2:
                for _ in range(100):
                    job = start(runtime)
                    started.append(job.job_id)
                    assert ended(job) == "completed"
                stop.set()
                return
            for _ in until(stop.is_set):
                mine: list[JobEvent] = []
                unsubscribe = runtime.subscribe(mine.append)
                unsubscribe()
                unsubscribe()

        in_threads(4, come_and_go)
        assert runtime.wait_until_all_jobs_finished(HANGS)
    told = Counter((event.job_id, str(event.status), event.ended) for event in faithful)
    expected = [(job_id, *each) for job_id in started for each in (("running", False), ("completed", True))]
    assert told == Counter(expected)


# ---- starting and shutting down


@pytest.mark.parametrize("wait", [True, False])
def test_shutting_down_while_jobs_are_started_lets_each_job_end(wait: bool) -> None:
    """A job is refused, or it ends; no thread stays."""
    before = set(threading.enumerate())
    for number in range(60):
        shut_down_among_starts(wait, number % 7)
    assert not [thread for thread in threading.enumerate() if thread not in before]


def shut_down_among_starts(wait: bool, after: int) -> None:
    flow = flow_of(feeding(20), passing("a", capacity=3), keeping(capacity=2), chain=True)
    jobs: list[Job] = []
    refusals: list[str] = []
    with running(flow, 2) as runtime, switching(1e-5):

        def work(who: int) -> None:
            if who == 0:
                for _ in until(lambda: len(jobs) >= after):
                    pass
                runtime.shutdown(wait=wait)
                return
            for _ in range(12):
                try:
                    jobs.append(start(runtime))
                except RuntimeError as error:
                    refusals.append(str(error))

        in_threads(3, work)
        for job in jobs:
            assert ended(job) in (("completed",) if wait else ("completed", "cancelled"))
        assert runtime.wait_until_all_jobs_finished(HANGS)
        runtime.shutdown()
    assert len(jobs) + len(refusals) == 24
    assert all("shut down" in each for each in refusals)


def test_cancelling_all_jobs_while_they_are_started_and_paused_ends_each_of_them() -> None:
    flow = flow_of(feeding(30), passing("a", capacity=3), keeping(capacity=2), chain=True)
    jobs: list[Job] = []
    over = threading.Event()
    with running(flow, 3) as runtime, switching(1e-5):

        def work(who: int) -> None:
            if who < 2:
                for _ in range(120):
                    jobs.append(start(runtime))
                over.set()
            for _ in until(over.is_set):
                if who == 2:
                    runtime.cancel_all_jobs()
                else:
                    for job in runtime.list_jobs()[-5:]:
                        job.pause()
                        job.resume()

        in_threads(4, work)
        runtime.cancel_all_jobs()
        for job in jobs:
            assert ended(job) in ("completed", "cancelled")
        assert runtime.wait_until_all_jobs_finished(HANGS)


def test_a_job_that_has_failed_can_be_carried_on_as_soon_as_wait_has_returned() -> None:
    failures = iter(range(10_000))

    def logic(trigger: list[dict[str, Any]], job_state: JobState) -> None:
        job_state.shared_data["tries"] = job_state.shared_data.get("tries", 0) + 1
        if next(failures) % 4 != 3:
            raise ValueError("not yet")

    with running(flow_of(routine("source", logic, slots=("trigger",))), 2) as runtime, switching(1e-5):
        for _ in range(150):
            job = start(runtime)
            while ended(job) == "failed":
                job = start(runtime, job_state=job.job_state)
            assert job.status == "completed"
            assert job.job_state.shared_data == {"tries": 4}


def test_of_many_threads_that_carry_one_job_on_one_does() -> None:
    fail = True

    def logic(items: list[dict[str, Any]], job_state: JobState) -> None:
        if fail:
            raise ValueError("not yet")
        job_state.shared_data.setdefault("got", []).append(items[0]["x"])

    with running(flow_of(feeding(3), routine("sink", logic), chain=True), 3) as runtime, switching(1e-5):
        for _ in range(60):
            fail = True
            job = start(runtime)
            assert ended(job) == "failed"
            fail = False
            winners: list[JobState] = []

            def carry_on(who: int, state: JobState = job.job_state, winners: list[Any] = winners) -> None:
                try:
                    winners.append(runtime.exec("flow", job_state=state))
                except ValueError:
                    pass  # it is live, or has ended already

            in_threads(4, carry_on)
            job = runtime.get_job(job.job_id) or job
            assert ended(job) == "completed"
            assert len(winners) == 1
            assert job.job_state.shared_data["got"] == [0, 1, 2]


@pytest.mark.parametrize("how", ["completes", "fails", "is cancelled"])
def test_a_thread_that_waits_for_room_is_told_of_the_end_of_the_job(how: str) -> None:
    """Whatever ends the job, whoever emits from outside any activation is not left waiting."""
    for _ in range(40):
        end_with_emitters_outside(how)


def end_with_emitters_outside(how: str) -> None:
    held, may_end = threading.Event(), threading.Event()
    told: list[str] = []

    def hold(trigger: list[Any]) -> None:
        held.set()
        assert may_end.wait(HANGS)
        if how == "fails":
            raise ValueError("as planned")

    source = routine("source", hold, slots=("trigger",))
    slots, policy = ("left", "right"), all_slots_ready_policy()
    flow = flow_of(source, routine("join", lambda left, right: None, slots=slots, policy=policy, capacity=1))
    flow.connect("source", "out", "join", "left")
    with running(flow, 2) as runtime, switching(1e-5):
        job = start(runtime)
        assert held.wait(HANGS)

        def work(who: int) -> None:
            if who == 2:
                if how == "is cancelled":
                    job.cancel()
                may_end.set()
                return
            try:
                while True:
                    source.emit("out", job_state=job.job_state, x=who)
            except (JobNotActive, SlotQueueFullError, JobCancelled) as error:
                told.append(type(error).__name__)

        in_threads(3, work)
        assert ended(job) in ("completed", "failed", "cancelled")
    assert len(told) == 2


# ---- saving


def test_saving_while_the_job_is_resumed_and_paused_gives_a_whole_job_or_a_refusal(tmp_path: Path) -> None:
    """Every file, carried on elsewhere, comes to the same result as the job itself."""

    def build() -> Flow:
        return flow_of(feeding(400), passing("a", capacity=5), keeping(capacity=3, limit=1), chain=True)

    def round_of(number: int) -> int:
        """How many jobs were saved before they had ended, and carried on."""
        files: list[Path] = []
        with running(build(), 2) as runtime, switching(1e-5):
            job = start(runtime)

            def work(who: int) -> None:
                chance = random.Random(who)
                for count, _ in enumerate(until(job.is_finished)):
                    if who == 0:
                        job.pause()
                        job.wait_until_paused(HANGS)
                        job.resume()
                        continue
                    path = tmp_path / f"{number}-{who}-{count}.json"
                    try:
                        job.job_state.save(path)
                    except InvalidTransition:
                        continue
                    if chance.random() < 0.3 and len(files) < 30:
                        files.append(path)

            in_threads(3, work)
            assert ended(job) == "completed"
            assert sorted(job.job_state.shared_data["got"]) == list(range(400))
        unfinished = 0
        with running(build(), 2) as other:
            for path in files:
                state = JobState.load(path)
                if state.status == "paused":
                    unfinished += 1
                    assert ended(start(other, job_state=state)) == "completed"
                assert sorted(state.shared_data["got"]) == list(range(400))
        return unfinished

    carried_on: list[int] = []
    for _ in until(lambda: sum(carried_on) >= 5):
        carried_on.append(round_of(len(carried_on)))


def test_a_failed_job_is_saved_whole_or_not_at_all(tmp_path: Path) -> None:
    """The failure of one routine finds others at any point of their way from the slot to the logic."""

    def build(bad: bool) -> tuple[Flow, Routine]:
        def fail(items: list[dict[str, Any]]) -> None:
            if bad:
                raise ValueError("as planned")

        flow = flow_of(
            feeding(40),
            routine("bad", fail),
            passing("a", capacity=3, limit=2),
            keeping(handler=ErrorHandler("stop")),
        )
        for source, target in (("source", "a"), ("source", "bad"), ("a", "sink")):
            flow.connect(source, "out", target, "items")
        return flow, flow.routines["bad"]

    path = tmp_path / "job.json"
    with running(build(bad=True)[0], 3) as runtime, running(build(bad=False)[0], 2) as other, switching(1e-5):
        for _ in range(60):
            job = start(runtime)
            for _ in until(job.is_finished):
                try:
                    job.job_state.save(path)
                    break
                except InvalidTransition:
                    pass
            else:
                job.job_state.save(path)
            state = JobState.load(path)
            assert ended(start(other, job_state=state)) == "completed"
            assert sorted(state.shared_data["got"]) == list(range(40))
            assert ended(job) == "failed"

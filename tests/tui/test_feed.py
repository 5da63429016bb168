"""Pictures are taken when something can have changed, and only then."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.tui import fixed
from tests.tui.fixed import FixedBackend, S
from tui.feed import Feed, unfinished


class Clock:
    def __init__(self) -> None:
        self.now = fixed.NOW

    def __call__(self) -> datetime:
        return self.now

    def on(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def feed_of(*states: S) -> tuple[Feed, FixedBackend, Clock]:
    clock = Clock()
    backend = FixedBackend([fixed.summary(number, state) for number, state in enumerate(states)])
    backend.picture = backend.picture._replace(threads_busy=0)
    return Feed(backend, clock), backend, clock


def test_the_first_frame_always_comes_and_no_second_while_nothing_changes() -> None:
    feed, backend, clock = feed_of(S.COMPLETED)
    assert feed.tick(None) is not None
    clock.on(3600)
    assert feed.tick(None) is None
    assert backend.snapshots == 1


def test_a_status_that_changed_makes_a_frame() -> None:
    feed, backend, _ = feed_of(S.COMPLETED)
    feed.tick(None)
    backend.give(fixed.JOBS)
    frame = feed.tick(None)
    assert frame is not None
    assert len(frame.snapshot.jobs) == len(fixed.JOBS)


def test_a_job_that_runs_makes_a_frame_every_time() -> None:
    feed, backend, _ = feed_of(S.COMPLETED, S.RUNNING)
    assert all(feed.tick(None) is not None for _ in range(3))
    assert backend.snapshots == 3


def test_a_paused_job_makes_a_frame_a_second() -> None:
    feed, _, clock = feed_of(S.PAUSED)
    feed.tick(None)
    clock.on(0.5)
    assert feed.tick(None) is None
    clock.on(0.5)
    assert feed.tick(None) is not None


def test_a_thread_that_is_busy_with_what_has_ended_makes_a_frame_a_second() -> None:
    feed, backend, clock = feed_of(S.COMPLETED)
    backend.picture = backend.picture._replace(threads_busy=1)
    feed.tick(None)
    assert feed.tick(None) is None
    clock.on(1)
    backend.picture = backend.picture._replace(threads_busy=0)
    assert feed.tick(None) is not None
    clock.on(1)
    assert feed.tick(None) is None


def test_another_choice_makes_a_frame_and_no_second() -> None:
    feed, _, _ = feed_of(S.COMPLETED)
    feed.tick(None)
    job_id = feed.last.jobs[0].job_id if feed.last is not None else ""
    assert feed.tick(job_id) is not None
    assert feed.tick(job_id) is None


def test_a_line_that_the_chosen_job_logs_after_its_end_makes_a_frame_and_no_second() -> None:
    feed, backend, _ = feed_of(S.COMPLETED)
    job_id = backend.picture.jobs[0].job_id
    feed.tick(job_id)
    assert feed.tick(job_id) is None
    backend.lines = [*backend.lines, fixed.log_lines()[-1]]
    assert feed.tick(job_id) is not None
    assert feed.tick(job_id) is None


def test_how_long_a_job_has_been_pausing_is_counted_from_when_it_was_first_seen() -> None:
    feed, backend, clock = feed_of(S.PAUSING)
    [job] = backend.picture.jobs
    feed.tick(None)
    clock.on(3)
    frame = feed.tick(None)
    assert frame is not None
    assert frame.held_for == {job.job_id: 3.0}
    backend.give([job._replace(status=S.PAUSED)])
    frame = feed.tick(None)
    assert frame is not None
    assert frame.held_for == {}


def test_a_job_ends_once() -> None:
    feed, backend, _ = feed_of(S.RUNNING, S.FAILED)
    feed.tick(None)
    assert feed.newly_ended() == []
    first = backend.picture.jobs[0].job_id
    backend.give([job._replace(status=S.COMPLETED) for job in backend.picture.jobs])
    feed.tick(None)
    assert [job.job_id for job in feed.newly_ended()] == [first]
    feed.tick(first)
    assert feed.newly_ended() == []


def test_a_job_that_came_and_ended_between_two_pictures_has_ended_too() -> None:
    feed, backend, clock = feed_of(S.COMPLETED)
    feed.tick(None)
    clock.on(0.1)
    old = fixed.summary(7, S.FAILED)._replace(ended_at=fixed.NOW - timedelta(days=1))
    quick = fixed.summary(8, S.FAILED)._replace(ended_at=clock.now)
    backend.give([*backend.picture.jobs, old, quick])
    feed.tick(None)
    assert feed.newly_ended() == [quick]


def test_unfinished_are_those_that_have_not_ended() -> None:
    assert [job.status for job in unfinished(fixed.snapshot())] == [
        S.PAUSED, S.PENDING, S.PAUSING, S.CANCELLING, S.RUNNING,
    ]  # fmt: skip
    assert unfinished(None) == []

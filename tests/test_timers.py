"""Calls are made when their time has come, by one thread, in the order they fall due."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator

import pytest

from routilux.timers import Timers
from tests.helpers import LIMIT


@pytest.fixture
def timers() -> Iterator[Timers]:
    timers = Timers("timers-of-a-test")
    yield timers
    thread = timers.stop()
    if thread is not None:
        thread.join(LIMIT)
        assert not thread.is_alive()


def threads_of_the_test() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "timers-of-a-test"]


def test_a_call_is_made_once_with_its_number_and_not_before_its_time(timers: Timers) -> None:
    calls: list[tuple[int, float]] = []
    made = threading.Event()
    started = time.monotonic()

    def function(number: int) -> None:
        calls.append((number, time.monotonic() - started))
        made.set()

    number = timers.call_later(0.05, function)
    assert made.wait(LIMIT)
    assert [each[0] for each in calls] == [number]
    assert calls[0][1] >= 0.05


def test_calls_are_made_in_the_order_they_fall_due(timers: Timers) -> None:
    order: list[str] = []
    done = threading.Event()
    timers.call_later(0.15, lambda number: (order.append("third"), done.set()))
    timers.call_later(0.05, lambda number: order.append("first"))
    timers.call_later(0.10, lambda number: order.append("second"))
    assert done.wait(LIMIT)
    assert order == ["first", "second", "third"]


def test_one_that_is_due_earlier_is_not_kept_waiting_by_one_due_later(timers: Timers) -> None:
    made = threading.Event()
    timers.call_later(3600, lambda number: None)
    timers.call_later(0, lambda number: made.set())
    assert made.wait(LIMIT)


def test_a_cancelled_call_is_not_made(timers: Timers) -> None:
    calls: list[str] = []
    done = threading.Event()
    number = timers.call_later(0.02, lambda number: calls.append("cancelled"))
    timers.call_later(0.05, lambda number: done.set())
    assert timers.cancel(number) is True
    assert timers.cancel(number) is False
    assert done.wait(LIMIT)
    assert calls == []


def test_a_call_that_was_made_or_never_was_cannot_be_cancelled(timers: Timers) -> None:
    made = threading.Event()
    number = timers.call_later(0, lambda number: made.set())
    assert made.wait(LIMIT)
    assert timers.cancel(number) is False
    assert timers.cancel(12345) is False


def test_there_is_no_thread_before_the_first_call_and_one_after_many(timers: Timers) -> None:
    assert threads_of_the_test() == []
    for _ in range(100):
        timers.call_later(3600, lambda number: None)
    assert len(threads_of_the_test()) == 1


def test_cancelled_calls_do_not_pile_up(timers: Timers) -> None:
    for _ in range(10_000):
        timers.cancel(timers.call_later(3600, lambda number: None))
    assert len(timers._heap) < 200
    assert timers._functions == {}


def test_a_call_that_raises_is_logged_and_hurts_no_other(
    timers: Timers, caplog: pytest.LogCaptureFixture
) -> None:
    made = threading.Event()
    with caplog.at_level(logging.ERROR):
        timers.call_later(0, lambda number: 1 / 0)
        timers.call_later(0.01, lambda number: made.set())
        assert made.wait(LIMIT)
    assert "ZeroDivisionError" in caplog.text


def test_a_call_may_arrange_and_cancel_others(timers: Timers) -> None:
    made = threading.Event()
    doomed = timers.call_later(3600, lambda number: None)
    answers: list[bool] = []

    def function(number: int) -> None:
        answers.append(timers.cancel(doomed))
        timers.call_later(0, lambda number: made.set())

    timers.call_later(0, function)
    assert made.wait(LIMIT)
    assert answers == [True]


def test_after_stop_nothing_is_called_any_more() -> None:
    timers = Timers("timers-of-a-test")
    calls: list[int] = []
    timers.call_later(3600, calls.append)
    thread = timers.stop()
    assert thread is not None
    thread.join(LIMIT)
    assert not thread.is_alive()
    timers.call_later(0, calls.append)
    assert threads_of_the_test() == []
    assert calls == []


def test_stopping_what_never_started_has_no_thread() -> None:
    assert Timers("timers-of-a-test").stop() is None


def test_a_delay_beyond_all_bounds_is_no_error(timers: Timers) -> None:
    made = threading.Event()
    number = timers.call_later(float("inf"), lambda number: None)
    timers.call_later(0, lambda number: made.set())
    assert made.wait(LIMIT)
    assert timers.cancel(number) is True


def test_many_threads_may_arrange_calls_at_once(timers: Timers) -> None:
    made = threading.Semaphore(0)

    def arrange() -> None:
        for index in range(200):
            number = timers.call_later(0.001, lambda number: made.release())
            if index % 2 and timers.cancel(number):
                made.release()

    threads = [threading.Thread(target=arrange) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT)
    for _ in range(800):
        assert made.acquire(timeout=LIMIT)
    assert not made.acquire(blocking=False)

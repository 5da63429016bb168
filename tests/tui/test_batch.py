"""An order to many jobs goes to each of them once, and is told as it turned out."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from routilux.snapshot import JobSummary
from tests.tui import fixed
from tests.tui.fixed import S
from tui.batch import AT_ONCE, Batch, Verb

IDS = [fixed.summary(number, S.RUNNING).job_id for number in range(4)]


class Order:
    """A batch of four jobs; those of `refusing` had ended."""

    def __init__(self, verb: Verb = "cancel", refusing: tuple[int, ...] = ()) -> None:
        self.now = fixed.NOW
        self.given: list[str] = []
        self.states = dict.fromkeys(IDS, S.RUNNING)

        def order(job_id: str) -> bool:
            self.given.append(job_id)
            return IDS.index(job_id) not in refusing

        self.batch = Batch(verb, IDS, order, self.clock)
        assert not self.batch.go_on()

    def clock(self) -> datetime:
        return self.now

    def look(self, job_id: str) -> JobSummary | None:
        status = self.states.get(job_id)
        return None if status is None else fixed.summary(IDS.index(job_id), status)

    def news(self, *states: S | None) -> str | None:
        for job_id, status in zip(IDS, states, strict=False):
            if status is None:
                del self.states[job_id]
            else:
                self.states[job_id] = status
        return self.batch.news(self.look)


def test_nothing_is_said_before_it_has_happened() -> None:
    order = Order()
    assert order.given == IDS
    assert order.news() is None
    assert order.news(S.CANCELLING, S.CANCELLED, S.CANCELLED, S.CANCELLED) is None
    assert order.news(S.CANCELLED) == "4 cancelled."
    assert order.batch.done
    assert order.news() is None


@pytest.mark.parametrize(
    ("verb", "states", "refusing", "said"),
    [
        ("cancel", (S.CANCELLED, S.CANCELLED, S.COMPLETED), (3,),
         "2 cancelled, 1 completed instead, 1 had ended."),
        ("cancel", (None, S.CANCELLED, S.FAILED, S.FAILED), (),
         "1 cancelled, 2 failed instead, 1 ended and no longer listed."),
        ("cancel", (), (0, 1, 2, 3), "0 cancelled, 4 had ended."),
        ("pause", (S.PAUSED, S.PAUSED, S.COMPLETED), (3,),
         "2 paused, 1 completed instead, 1 could not be paused."),
        ("resume", (), (3,), "3 resumed, 1 could not be resumed."),
    ],
)  # fmt: skip
def test_what_became_of_it(
    verb: Verb, states: tuple[S | None, ...], refusing: tuple[int, ...], said: str
) -> None:
    assert Order(verb, refusing).news(*states) == said


def test_what_takes_long_is_said_once() -> None:
    order = Order()
    states = (S.CANCELLED, S.CANCELLED, S.CANCELLED, S.CANCELLING)
    assert order.news(*states) is None
    order.now += timedelta(seconds=5)
    assert order.news(*states) == "3 of 4 cancelled; 1 still runs code that has not returned."
    order.now += timedelta(seconds=50)
    assert order.news(*states) is None
    assert order.news(*[S.CANCELLED] * 4) == "4 cancelled."


def test_orders_are_given_in_parts_in_their_order() -> None:
    given: list[str] = []
    ids = [str(number) for number in range(2 * AT_ONCE + 1)]
    batch = Batch("cancel", ids, lambda job_id: given.append(job_id) is None, fixed.clock)
    assert batch.go_on()
    assert given == ids[:AT_ONCE]
    # Not before all have been told.
    assert batch.news(lambda job_id: None) is None
    assert batch.go_on()
    assert not batch.go_on()
    assert given == ids
    assert "0" in batch
    assert batch.news(lambda job_id: None) is not None

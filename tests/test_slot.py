"""A slot is a bounded FIFO queue that counts every item, whatever becomes of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routilux import FlowDefinitionError, Item, Slot, SlotQueueFullError


def filled(*data: Any, **how: Any) -> Slot:
    slot = Slot("right", **how)
    for each in data:
        slot.enqueue(each)
    return slot


def test_items_leave_in_the_order_they_came() -> None:
    slot = filled("a", "b", "c")
    assert [slot.consume_one_new() for _ in range(4)] == ["a", "b", "c", None]


@pytest.mark.parametrize("method", ["consume_all_new", "consume_all"])
def test_all_waiting_items_can_be_taken_at_once_and_only_once(method: str) -> None:
    slot = filled(1, 2, 3)
    assert getattr(slot, method)() == [1, 2, 3]
    assert getattr(slot, method)() == []


def test_a_number_of_items_can_be_taken() -> None:
    slot = filled(1, 2, 3)
    assert slot.consume(2) == [1, 2]
    assert slot.consume(2) == [3]
    assert slot.consume(2) == []


def test_the_latest_item_can_be_taken_in_place_of_all() -> None:
    slot = filled(1, 2, 3)
    assert slot.consume_latest_and_mark_all_consumed() == 3
    assert slot.get_unconsumed_count() == 0
    assert slot.get_consumed_count() == 3
    assert slot.consume_latest_and_mark_all_consumed() is None


def test_looking_consumes_nothing() -> None:
    slot = filled(1, 2, 3)
    assert slot.peek_all_new() == [1, 2, 3]
    assert slot.peek_one_new() == 1
    assert slot.peek_latest() == 3
    assert slot.get_unconsumed_count() == 3
    empty = Slot("empty")
    assert (empty.peek_all_new(), empty.peek_one_new(), empty.peek_latest()) == ([], None, None)


def test_what_is_looked_at_is_a_copy() -> None:
    slot = filled(1, 2)
    slot.peek_all_new().append(3)
    slot.items().clear()
    assert slot.peek_all_new() == [1, 2]


def test_counts_tell_items_that_wait_from_those_that_ever_came() -> None:
    slot = filled(1, 2, 3)
    slot.consume_one_new()
    assert slot.get_unconsumed_count() == 2
    assert slot.get_total_count() == 3
    assert slot.get_consumed_count() == 1


def test_the_state_of_the_queue_is_a_plain_dict_of_all_counts() -> None:
    slot = filled(1, 2, 3, 4, max_queue_length=3, when_full="drop_oldest")
    slot.consume_one_new()
    assert slot.get_queue_state() == {
        "name": "right",
        "unconsumed_count": 2,
        "total_count": 4,
        "consumed_count": 1,
        "dropped_count": 1,
        "skipped_count": 0,
        "max_queue_length": 3,
        "when_full": "drop_oldest",
        "is_full": False,
    }
    slot.enqueue(5)
    assert slot.get_queue_state()["is_full"] is True


def test_an_item_knows_who_emitted_it_and_when() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    slot = Slot("right")
    slot.enqueue({"x": 1}, "reader", moment)
    assert slot.items() == [Item({"x": 1}, "reader", moment)]


def test_times_of_items_are_aware_and_utc_however_they_were_given() -> None:
    elsewhere = datetime(2026, 1, 2, 3, 0, tzinfo=timezone(timedelta(hours=5)))
    local = datetime(2026, 1, 2, 3, 0)
    slot = Slot("right")
    slot.enqueue(1, emitted_at=elsewhere)
    slot.enqueue(2, emitted_at=local)
    first, second = (item.emitted_at for item in slot.items())
    assert first == elsewhere
    assert first.isoformat() == "2026-01-01T22:00:00+00:00"
    assert second == local.astimezone(UTC)
    assert second.tzinfo is UTC


def test_an_item_without_a_time_is_of_now() -> None:
    before = datetime.now(UTC)
    (item,) = filled(1).items()
    assert before - timedelta(milliseconds=1) <= item.emitted_at <= datetime.now(UTC)


def test_a_full_slot_of_no_job_says_so_instead_of_waiting() -> None:
    slot = filled(1, 2, max_queue_length=2)
    with pytest.raises(SlotQueueFullError, match=r"'right' is full \(2 items\)") as caught:
        slot.enqueue(3)
    assert caught.value.data == 3
    assert slot.peek_all_new() == [1, 2]
    assert slot.get_total_count() == 2


def test_a_full_slot_may_drop_the_oldest_item() -> None:
    slot = filled(1, 2, max_queue_length=2, when_full="drop_oldest")
    slot.enqueue(3)
    assert slot.peek_all_new() == [2, 3]
    assert (slot.dropped, slot.get_total_count(), slot.get_consumed_count()) == (1, 3, 0)


def test_a_full_slot_may_drop_the_newest_item() -> None:
    slot = Slot("right", max_queue_length=2, when_full="drop_newest")
    assert [slot.enqueue(each) for each in (1, 2, 3)] == [True, True, False]
    assert slot.peek_all_new() == [1, 2]
    assert (slot.dropped, slot.get_total_count(), slot.get_consumed_count()) == (1, 3, 0)


@pytest.mark.parametrize("length", [0, -1, 1.5, "10", None])
def test_a_slot_holds_at_least_one_item(length: Any) -> None:
    with pytest.raises(FlowDefinitionError, match=r"'right'.*max_queue_length.*whole number of at least 1"):
        Slot("right", max_queue_length=length)


def test_what_a_full_slot_does_is_one_of_three() -> None:
    with pytest.raises(FlowDefinitionError, match="'right': when_full is 'explode'; it must be") as caught:
        Slot("right", when_full="explode")
    for choice in ("'wait'", "'drop_oldest'", "'drop_newest'"):
        assert choice in str(caught.value)


def test_a_slot_prints_what_it_holds() -> None:
    assert repr(filled(1, 2, max_queue_length=9)) == "<Slot 'right': 2 of 9 waiting, 2 received>"


def test_what_was_taken_on_trial_goes_back_in_its_old_order() -> None:
    slot = filled(1, 2, 3, 4)
    slot.taken = []
    slot.consume_one_new()
    slot.consume(2)
    slot.put_back()
    slot.taken = None
    assert slot.consume_all_new() == [1, 2, 3, 4]


@given(
    length=st.integers(1, 5),
    when_full=st.sampled_from(["wait", "drop_oldest", "drop_newest"]),
    steps=st.lists(st.sampled_from(["put", "put", "one", "all", "two", "latest"]), max_size=60),
)
def test_every_item_is_accounted_for(length: int, when_full: str, steps: list[str]) -> None:
    slot = Slot("right", max_queue_length=length, when_full=when_full)
    put = 0
    refused = 0
    taken: list[Any] = []
    for step in steps:
        if step == "put":
            try:
                slot.enqueue(put)
            except SlotQueueFullError:
                refused += 1
            put += 1
        elif step == "one":
            taken += [data] if (data := slot.consume_one_new()) is not None else []
        elif step == "all":
            taken += slot.consume_all_new()
        elif step == "two":
            taken += slot.consume(2)
        elif (data := slot.consume_latest_and_mark_all_consumed()) is not None:
            taken.append(data)
        waiting = slot.get_unconsumed_count()
        assert waiting <= length
        assert slot.get_total_count() == put - refused
        assert slot.get_total_count() == slot.get_consumed_count() + waiting + slot.dropped
    taken += slot.consume_all_new()
    assert taken == sorted(set(taken))  # in order, and nothing twice

"""Slots: the named inputs of a routine, each a bounded FIFO queue of items."""

from __future__ import annotations

import time
from collections import deque
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Literal, NamedTuple, TypeAlias

from routilux.exceptions import FlowDefinitionError, SlotQueueFullError

WhenFull: TypeAlias = Literal["wait", "drop_oldest", "drop_newest"]
# (data, who emitted it, nanoseconds since the epoch): a bare tuple, because one is made per hop.
RawItem: TypeAlias = tuple[Any, str, int]

DEFAULT_QUEUE_LENGTH = 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def from_ns(ns: int) -> datetime:
    """The aware UTC datetime of nanoseconds since the epoch."""
    return _EPOCH + timedelta(microseconds=ns // 1000)


def to_ns(moment: datetime) -> int:
    """Nanoseconds since the epoch; a naive datetime is taken as local time."""
    return (moment.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1) * 1000


class Item(NamedTuple):
    """One piece of data that waits in a slot."""

    data: Any
    emitted_from: str
    emitted_at: datetime


def count_items(number: int) -> str:
    """`1 item`, `2 items`"""
    return f"{number} item" if number == 1 else f"{number} items"


class Slot:
    """A named input of a routine: a bounded FIFO queue of items.

    The slots of a `Routine` are prototypes; every job has its own, which is what policies get.
    `when_full` says what a full slot does: make the emitter "wait", "drop_oldest" or "drop_newest".

    An item that is consumed leaves the slot, so "new" and "unconsumed" mean the same here.

    Threads: any number may put items in (the engine does so under the job's lock), one at a
    time may consume (the engine asks one policy of a routine at a time).
    """

    __slots__ = (
        "__weakref__",
        "capacity",
        "dropped",
        "name",
        "queue",
        "received",
        "skipped",
        "taken",
        "when_full",
    )

    def __init__(
        self, name: str, *, max_queue_length: int = DEFAULT_QUEUE_LENGTH, when_full: str = "wait"
    ) -> None:
        if not isinstance(max_queue_length, int) or max_queue_length < 1:
            raise FlowDefinitionError(
                f"slot {name!r}: max_queue_length is {max_queue_length!r}; it must be a whole "
                f"number of at least 1"
            )
        if when_full not in ("wait", "drop_oldest", "drop_newest"):
            raise FlowDefinitionError(
                f"slot {name!r}: when_full is {when_full!r}; it must be 'wait', 'drop_oldest', 'drop_newest'"
            )
        self.name = name
        self.capacity = max_queue_length
        self.when_full = when_full
        self.queue: deque[RawItem] = deque()
        # received counts every item that came, whatever became of it:
        # received == consumed + waiting + dropped + skipped (tests/stress/test_properties.py).
        self.received = 0
        self.dropped = 0
        self.skipped = 0
        # While a policy is asked: what it has taken, so that it can be put back. None otherwise.
        self.taken: list[RawItem] | None = None

    def fresh(self) -> Slot:
        """An empty slot like this one, for a job. Written out, because one is made per slot and job."""
        slot = Slot.__new__(Slot)
        slot.name = self.name
        slot.capacity = self.capacity
        slot.when_full = self.when_full
        slot.queue = deque()
        slot.received = slot.dropped = slot.skipped = 0
        slot.taken = None
        return slot

    # ---- putting in

    def enqueue(self, data: Any, emitted_from: str = "", emitted_at: datetime | None = None) -> bool:
        """Put one item in; for slots that belong to no job, such as in tests of policies.

        Answers False when the item was dropped. A full slot that would make its emitter wait
        raises `SlotQueueFullError`: there is no job here that could drain it.
        """
        ns = time.time_ns() if emitted_at is None else to_ns(emitted_at)
        if len(self.queue) < self.capacity:
            self.received += 1
            self.queue.append((data, emitted_from, ns))
            return True
        if self.when_full == "wait":
            raise SlotQueueFullError(
                f"slot {self.name!r} is full ({count_items(self.capacity)}) "
                "and belongs to no job to drain it",
                data=data,
            )
        return self.put_when_full((data, emitted_from, ns))

    def put_when_full(self, item: RawItem) -> bool:
        """Put an item into a full slot that drops; answers whether the item itself went in."""
        self.received += 1
        if self.when_full == "drop_newest":
            self.dropped += 1
            return False
        # In before out: a policy that saw n items meanwhile still finds n.
        self.queue.append(item)
        if len(self.queue) > self.capacity:
            try:
                self.queue.popleft()
                self.dropped += 1
            except IndexError:
                pass  # a policy has consumed everything just now, and nothing was lost
        return True

    # ---- consuming

    def consume_one_new(self) -> Any:
        """Take the oldest item's data; None where nothing waits."""
        taken = self._take(min(1, len(self.queue)))
        return taken[0] if taken else None

    def consume_all_new(self) -> list[Any]:
        """Take the data of everything that waits, oldest first."""
        return self._take(len(self.queue))

    def consume_all(self) -> list[Any]:
        """The same as `consume_all_new`: consumed items do not stay in a slot."""
        return self._take(len(self.queue))

    def consume(self, count: int) -> list[Any]:
        """Take the data of the `count` oldest items, or of all where fewer wait."""
        return self._take(min(count, len(self.queue)))

    def consume_latest_and_mark_all_consumed(self) -> Any:
        """Take everything and answer with the newest item's data; None where nothing waits."""
        taken = self._take(len(self.queue))
        return taken[-1] if taken else None

    def _take(self, count: int) -> list[Any]:
        popleft = self.queue.popleft
        items: list[RawItem] = []
        try:
            for _ in range(count):
                items.append(popleft())  # what was taken before an IndexError counts
        except IndexError:
            pass  # a full slot that drops its oldest item was faster
        if self.taken is not None:
            self.taken += items
        return [item[0] for item in items]

    def put_back(self) -> None:
        """Undo what was consumed since `taken` was last set to a list."""
        if self.taken:
            self.queue.extendleft(reversed(self.taken))
            self.taken = []

    # ---- looking

    def peek_all_new(self) -> list[Any]:
        """The data of everything that waits, oldest first; nothing is consumed."""
        return [item[0] for item in list(self.queue)]

    def peek_one_new(self) -> Any:
        """The oldest waiting item's data, or None; nothing is consumed."""
        items = list(self.queue)
        return items[0][0] if items else None

    def peek_latest(self) -> Any:
        """The newest waiting item's data, or None; nothing is consumed."""
        items = list(self.queue)
        return items[-1][0] if items else None

    def items(self) -> list[Item]:
        """Everything that waits, with who emitted it and when; nothing is consumed."""
        return [Item(data, source, from_ns(ns)) for data, source, ns in list(self.queue)]

    def oldest(self, count: int) -> tuple[Item, ...]:
        """The first `count` of `items`; costs what it answers with."""
        # A policy that consumes meanwhile makes the iteration fail: the whole queue is copied in one step.
        try:
            raw = list(islice(self.queue, count))
        except RuntimeError:
            raw = list(self.queue)[:count]
        return tuple(Item(data, source, from_ns(ns)) for data, source, ns in raw)

    def get_unconsumed_count(self) -> int:
        """How many items wait."""
        return len(self.queue)

    def get_total_count(self) -> int:
        """How many items have ever come, consumed, waiting and dropped ones together."""
        return self.received

    def get_consumed_count(self) -> int:
        """How many items were consumed."""
        return self.received - self.dropped - self.skipped - len(self.queue)

    def get_queue_state(self) -> dict[str, Any]:
        """The counts and limits of the slot, as a plain dict."""
        waiting = len(self.queue)
        return {
            "name": self.name,
            "unconsumed_count": waiting,
            "total_count": self.received,
            "consumed_count": self.get_consumed_count(),
            "dropped_count": self.dropped,
            "skipped_count": self.skipped,
            "max_queue_length": self.capacity,
            "when_full": self.when_full,
            "is_full": waiting >= self.capacity,
        }

    def __repr__(self) -> str:
        return f"<Slot {self.name!r}: {len(self.queue)} of {self.capacity} waiting, {self.received} received>"

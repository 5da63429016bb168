"""Texts that are read beside the screen: kept, read once more, forgotten."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Hashable

import pytest

from tui.foreign import ForeignCode
from tui.readings import Readings, Text

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Value:
    """Something whose text the foreign code would have to be waited for, until it may go on."""

    def __init__(self, words: str) -> None:
        self.words = words
        self.go_on = threading.Event()
        self.asked = 0
        self._kind = type("Kind", (), {})
        self._foreign = ForeignCode(patience=2)

    def write(self) -> str:
        return self._foreign.text(self._kind, self._repr, 100)

    def _repr(self) -> str:
        self.asked += 1
        self.go_on.wait(60)
        return self.words


class Told:
    """The keys that were told, one at a time."""

    def __init__(self) -> None:
        self.keys: asyncio.Queue[Hashable] = asyncio.Queue()

    def __call__(self, key: Hashable) -> None:
        self.keys.put_nowait(key)

    async def next(self) -> Hashable:
        return await asyncio.wait_for(self.keys.get(), 20)


async def test_a_text_that_is_not_there_is_read_and_then_told() -> None:
    told, value = Told(), Value("words")
    readings = Readings(told, most=10, keeps_all=False)
    assert readings.of("key", value.write) == Text("…", False)
    assert readings.unread == 1
    value.go_on.set()
    assert await told.next() == "key"
    asked = value.asked
    assert readings.of("key", value.write) == Text("words", True)
    assert value.asked == asked
    assert readings.unread == 0


async def test_what_was_asked_for_last_is_read_first() -> None:
    told = Told()
    readings = Readings(told, most=10, keeps_all=False)
    values = [Value(str(number)) for number in range(3)]
    for number, value in enumerate(values):
        readings.of(number, value.write)
        value.go_on.set()
    assert [await told.next() for _ in values] == [2, 1, 0]


async def test_what_was_asked_for_before_it_was_cleared_is_not_told() -> None:
    told, before, after = Told(), Value("before"), Value("after")
    readings = Readings(told, most=10, keeps_all=False)
    readings.of("key", before.write)
    await asyncio.sleep(0)  # it is being read
    readings.clear()
    readings.of("key", after.write)
    before.go_on.set()
    after.go_on.set()
    await told.next()
    assert readings.of("key", after.write) == Text("after", True)
    assert told.keys.empty()


async def test_values_that_may_differ_are_read_once_more_but_not_all_the_time() -> None:
    now = 0.0
    told, value = Told(), Value("old")
    readings = Readings(told, most=10, keeps_all=False, clock=lambda: now)
    readings.of("key", value.write)
    await asyncio.sleep(0)
    now = 1.0
    value.go_on.set()
    await told.next()
    await asyncio.sleep(0)
    value.words = "new"
    asked = value.asked
    now = 5.0
    readings.values_may_differ()
    assert readings.of("key", value.write).text == "old"
    await asyncio.sleep(0)
    assert value.asked == asked
    now = 11.0
    readings.values_may_differ()
    assert readings.of("key", value.write).text == "old"
    await told.next()
    assert readings.of("key", value.write).text == "new"


async def test_so_many_texts_are_kept_and_no_more() -> None:
    readings = Readings(Told(), most=2, keeps_all=True)
    written: list[int] = []

    def write(number: int) -> str:
        written.append(number)
        return str(number)

    for number in (1, 2, 3, 3, 2, 1):
        readings.of(number, lambda number=number: write(number))  # type: ignore[misc]
    assert written == [1, 2, 3, 1]

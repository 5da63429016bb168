"""Threads print lines in many pieces while others read: every picture is whole, every line comes once."""

from __future__ import annotations

import contextvars
import re
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from routilux import JobState
from tests.helpers import LIMIT, Bench, graph, node, source

pytestmark = pytest.mark.stress

ITEMS = 500
LINES = 2000
LAST = 5
# A mark of its printer, a line's number, how far the line is; that is written apart.
_LINE = re.compile(r"(\w+):(\d+):(\d?)")


def say(mark: str, number: int, *, end: str) -> None:
    """A line in the manner of a progress bar, at the end in its last state."""
    for done in range(LAST + 1):
        sys.stdout.write(f"\r{mark}:{number}:")
        sys.stdout.write(str(done))
    sys.stdout.write(end)


class Reader:
    """Takes pictures of the log and the unfinished lines as a screen does, and checks each."""

    def __init__(self, state: JobState, seen: threading.Semaphore) -> None:
        self._state = state
        # Released when an unfinished line was seen for the first time.
        self._seen: threading.Semaphore | None = seen
        self._next = 0
        # Mark -> how many lines of it are logged.
        self.logged: dict[str, int] = {}
        # Mark -> the number of its unfinished line in the picture before.
        self._stood: dict[str, int] = {}

    def look(self) -> None:
        unfinished = self._state.unfinished_lines()
        lines = self._state.logs_since(self._next)
        if unfinished:
            lines = [line for line in lines if line.sequence < unfinished[0].sequence]
        for line in lines:
            assert line.sequence == self._next
            self._next += 1
            mark, number, done = self._parts(line.message)
            assert number == self.logged.get(mark, 0), "a line was lost, or came twice"
            assert done == str(LAST), "it was logged before its end"
            self.logged[mark] = number + 1
        stands = {mark: number for mark, number, _ in map(self._parts, (line.message for line in unfinished))}
        for mark, number in stands.items():
            assert number == self.logged.get(mark, 0), "both logged and unfinished, or lost"
        for mark, number in self._stood.items():
            assert mark in stands or self.logged.get(mark, 0) > number, "neither logged nor unfinished"
        self._stood = stands
        if unfinished and self._seen is not None:
            self._seen.release()
            self._seen = None

    @staticmethod
    def _parts(message: str) -> tuple[str, int, str]:
        whole = _LINE.fullmatch(message)
        assert whole is not None, f"torn: {message!r}"
        return whole[1], int(whole[2]), whole[3]


def test_every_picture_is_whole_and_every_line_comes_once(
    runtime: Bench, often_switching: Callable[[float], None]
) -> None:
    often_switching(1e-5)
    stop, seen = threading.Event(), threading.Semaphore(0)
    failures: list[BaseException] = []

    def by_activations(items: list[dict[str, Any]]) -> None:
        number = items[0]["x"]
        # The end of the activation ends the line where it does not itself.
        say(f"item{number}", 0, end="\n" if number % 2 else "")

    def by_threads(items: list[dict[str, Any]]) -> None:
        if items[0]["x"]:
            return
        sys.stdout.write("logic:0:0")
        assert all(seen.acquire(timeout=LIMIT) for _ in range(2))

        def work(mark: str) -> None:
            for number in range(LINES):
                say(mark, number, end="\n")

        threads = [
            threading.Thread(target=contextvars.copy_context().run, args=(work, f"thread{each}"))
            for each in range(3)
        ]
        for thread in threads:
            thread.start()
        work("logic")
        for thread in threads:
            thread.join(LIMIT)

    flow = graph(
        ["s -> a", "s -> b"],
        s=source(range(ITEMS)),
        a=node(by_activations, concurrency=3),
        b=node(by_threads),
    )
    job = runtime.start(flow)
    readers = [Reader(job.job_state, seen) for _ in range(2)]

    def read(reader: Reader) -> None:
        try:
            while not stop.is_set():
                reader.look()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=read, args=(reader,)) for reader in readers]
    for thread in threads:
        thread.start()
    assert job.wait(LIMIT)
    stop.set()
    for thread in threads:
        thread.join(LIMIT)
    assert failures == []
    expected = {f"item{number}": 1 for number in range(ITEMS)}
    expected |= dict.fromkeys(("logic", "thread0", "thread1", "thread2"), LINES)
    for reader in readers:
        reader.look()
        assert reader.logged == expected
    assert job.job_state.unfinished_lines() == []

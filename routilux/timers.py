"""One thread that calls functions when their time has come."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable

from routilux.own_log import own_log


class Timers:
    """A heap of due calls and, while there are any, one thread that waits for the next.

    Functions run in that thread, one after another: they must be short and must not block.
    All methods may be called from any thread.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._numbers = itertools.count(1)
        self._changed = threading.Condition(threading.Lock())
        # Guarded by _changed. A cancelled timer stays in the heap, without its function, until its
        # time has come or half of the heap is such.
        self._heap: list[tuple[float, int]] = []
        self._functions: dict[int, Callable[[int], None]] = {}
        self._thread: threading.Thread | None = None
        self._stopped = False

    def call_later(self, seconds: float, function: Callable[[int], None]) -> int:
        """Call `function(number)` after `seconds`; answers with the number, for `cancel`."""
        number = next(self._numbers)
        due = time.monotonic() + min(seconds, threading.TIMEOUT_MAX)
        with self._changed:
            if self._stopped:
                return number
            self._functions[number] = function
            heapq.heappush(self._heap, (due, number))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
            elif self._heap[0][1] == number:
                self._changed.notify()
        return number

    def cancel(self, number: int) -> bool:
        """Forget a call; False where it has begun, or was never there."""
        with self._changed:
            known = self._functions.pop(number, None) is not None
            if len(self._heap) > 64 and len(self._heap) > 2 * len(self._functions):
                self._heap = [entry for entry in self._heap if entry[1] in self._functions]
                heapq.heapify(self._heap)
            return known

    def stop(self) -> threading.Thread | None:
        """Forget all calls and end the thread; answers with it, for joining."""
        with self._changed:
            self._stopped = True
            self._functions.clear()
            self._heap.clear()
            self._changed.notify()
            return self._thread

    def _run(self) -> None:
        while True:
            with self._changed:
                function = None
                while function is None:
                    if self._stopped:
                        return
                    if not self._heap:
                        self._changed.wait()
                        continue
                    due, number = self._heap[0]
                    if number not in self._functions:
                        heapq.heappop(self._heap)
                    elif (wait := due - time.monotonic()) > 0:
                        self._changed.wait(wait)
                    else:
                        heapq.heappop(self._heap)
                        function = self._functions.pop(number)
            try:
                function(number)
            except Exception:
                own_log(__name__).exception("a timer of %s raised", self._name)
            del function

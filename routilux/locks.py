"""Taking a short lock without queueing up for it.

A thread that blocks on a lock is given it while it does not hold the interpreter lock. Until it
gets that too, everyone else who wants the lock blocks in turn, and soon every visit costs two
switches of threads: a convoy, four times slower than no contention at all (tests/benchmarks).
So the engine's hot paths try, and where they fail let the other thread run: the holder of a
short lock is at most one turn of the interpreter lock away from releasing it. Blocking is the last
resort. Occasional visitors (`pause`, snapshots) simply block: they get the lock sooner that way,
and there are too few of them for a convoy.
"""

from __future__ import annotations

import threading
import time
from typing import Final

_TURNS: Final = 50


def acquire_contended(lock: threading.Lock) -> None:
    """Acquire a lock that `lock.acquire(False)` has just failed to acquire. Blocks."""
    for _ in range(_TURNS):
        time.sleep(0)  # gives the interpreter lock away, and no more
        if lock.acquire(False):
            return
    lock.acquire()

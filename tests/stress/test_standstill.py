"""What would stop the whole process, if it were wrong: so it runs in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.stress

PAUSING = """
import gc, sys, threading, time
from tests.stress.test_concurrency import Endless
from tests.stress.tools import running, start, switching

class Garbage:
    def __init__(self):
        self.me = self
    def __del__(self):
        time.sleep(0)  # Python code in the midst of a collection, which gives the interpreter away

def litter():
    while not over.is_set():
        Garbage()
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()

over = threading.Event()
endless = Endless(3, 0)
with running(endless.flow, 3, cpu_permits=None) as runtime, switching(1e-5):
    job = start(runtime)
    threads = [threading.Thread(target=litter) for _ in range(2)]
    threads += [threading.Thread(target=over.wait) for _ in range(50)]  # whose frames are collected too
    for thread in threads:
        thread.start()
    gc.set_threshold(30)
    for _ in range(1500):
        assert job.pause()
        assert job.wait_until_paused()
        assert job.resume()
    gc.set_threshold(700)
    over.set()
    for thread in threads:
        thread.join()
    job.cancel()
print("done")
"""


def test_pausing_while_threads_end_and_garbage_is_collected_never_stands_still() -> None:
    """CPython holds a lock while it tells where each thread is; see routilux/threshold.py."""
    done = subprocess.run([sys.executable, "-c", PAUSING], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr, done.returncode) == ("done\n", "", 0)

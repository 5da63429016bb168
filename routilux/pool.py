"""The shared thread pool: which job's task comes next, and which thread is woken for it.

Waking a sleeping thread is what costs, so at most one wake is under way at a time: a thread that
has woken and taken its task wakes the next one if there is more to do. So a ready task never waits
behind a body that blocks, and a busy pool is never woken for nothing.

Jobs take turns: the queue holds each job that has ready tasks once, however many they are.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from routilux.cpu_gate import CpuGate
from routilux.locks import acquire_contended
from routilux.own_log import own_log

if TYPE_CHECKING:
    from routilux.event_loop import EventLoop
    from routilux.timers import Timers
    from routilux.unit import Unit


class Pool:
    """Threads that run tasks of jobs. All public methods may be called from any thread."""

    def __init__(self, size: int, timers: Timers, cpu_permits: int | None) -> None:
        self.size = size
        # Guards everything here, and the `tasks`, `listed` of loops and `listed` of units.
        self._lock = threading.Lock()
        # Jobs that have ready tasks. Others may look whether it is empty, as a hint.
        self.queue: deque[EventLoop] = deque()
        # A lock per sleeping thread, which it waits to acquire; the last to sleep is the first to wake.
        self._sleeping: list[threading.Lock] = []
        self._waking = False
        self._threads: list[threading.Thread] = []
        self._stopping = False
        self._gate = CpuGate(cpu_permits, timers, self._admitted)

    def push(self, loop: EventLoop, units: list[Unit | None]) -> None:
        """Put units into the loop's task queue; a unit that is there already is not put in twice."""
        lock = self._lock
        if not lock.acquire(False):
            acquire_contended(lock)
        try:
            for unit in units:
                if unit is not None:
                    if unit.listed:
                        continue
                    unit.listed = True
                loop.tasks.append(unit)
            if loop.tasks and not loop.listed:
                loop.listed = True
                self.queue.append(loop)
            if not self._waking and self.queue:
                self._wake()
        finally:
            lock.release()

    def _wake(self) -> None:
        """Wake a thread, or start one. `RuntimeError` if there is none and none can be. Under the lock."""
        if self._sleeping:
            self._waking = True
            self._sleeping.pop().release()
        elif len(self._threads) < self.size and not self._stopping:
            self._waking = True
            thread = threading.Thread(target=self._work, name=f"routilux-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            try:
                thread.start()
            except RuntimeError:  # the system has no more; the next push tries anew
                self._threads.pop()
                self._waking = False
                if not self._threads:
                    raise

    def has_idle_thread(self) -> bool:
        """Whether a thread sleeps, or could still be started. A hint; takes no lock."""
        return bool(self._sleeping) or len(self._threads) < self.size

    @property
    def busy(self) -> int:
        """How many threads are at work. A hint."""
        return max(0, len(self._threads) - len(self._sleeping))

    def stop(self) -> list[threading.Thread]:
        """Let the threads end once nothing is ready; answers with them, for joining."""
        with self._lock:
            self._stopping = True
            for lock in self._sleeping:
                lock.release()
            self._sleeping.clear()
            return list(self._threads)

    def _work(self) -> None:
        lock = self._lock
        bell = threading.Lock()
        bell.acquire()
        woken = True
        while True:
            task: tuple[EventLoop, Unit | None] | None = None
            if not lock.acquire(False):
                acquire_contended(lock)
            try:
                if woken:
                    self._waking = woken = False
                if self.queue:
                    task = self._take()
                    if self.queue and not self._waking:
                        self._wake()
                elif self._stopping:
                    return
                else:
                    self._sleeping.append(bell)
            finally:
                lock.release()
            if task is None:
                bell.acquire()
                woken = True
                continue
            loop, unit = task
            try:
                if unit is None or unit.plan.cpu.exempt:
                    loop.run_task(unit)
                else:
                    self._run_measured(loop, unit)
            except BaseException:
                # Errors of user code never come here: it is the engine's own, and other jobs go on.
                own_log(__name__).exception("job %s: the engine failed", loop.state.job_id)
            # A sleeping thread must not keep the last job it worked for alive.
            del task, loop, unit

    def _take(self) -> tuple[EventLoop, Unit | None]:
        """The next task of the job whose turn it is. Under the lock."""
        loop = self.queue.popleft()
        unit = loop.tasks.pop(0)
        if unit is not None:
            unit.listed = False
        if loop.tasks:
            self.queue.append(loop)
        else:
            loop.listed = False
        return loop, unit

    def _run_measured(self, loop: EventLoop, unit: Unit) -> None:
        """Run a task under the CPU gate, and learn what it costs."""
        use = unit.plan.cpu
        begin = time.perf_counter()
        if not self._gate.reserved and use.is_light(begin):
            # What the job books anyway tells whether it stays so.
            before_ns = unit.time_ns
            count = loop.run_task(unit)
            if count:
                wall = (unit.time_ns - before_ns) / count / 1e9
                if wall > 3 * use.wall:
                    use.trusted_until = 0.0
                if wall > use.WORTH_MEASURING or not use.wall:
                    use.learn(wall, None, 0.0)
            return
        permit = self._gate.enter(loop, unit, use)
        if permit is None:
            return  # it waits for a permit, and `_admitted` puts it back
        count = 0
        begin, cpu, all_cpu = time.perf_counter(), time.thread_time(), time.process_time()
        try:
            count = loop.run_task(unit)
        finally:
            if permit:
                self._gate.leave(permit)
        if count:
            end = time.perf_counter()
            wall, cpu = end - begin, time.thread_time() - cpu
            idle = wall - (time.process_time() - all_cpu)
            use.learn(wall / count, cpu / count, idle / count, end)

    def _admitted(self, loop: EventLoop, unit: Unit) -> None:
        self.push(loop, [unit])

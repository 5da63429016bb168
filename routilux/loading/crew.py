"""The threads that import a folder's modules: one, or as many as it takes for one that hangs not to
hold up the others."""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Iterable
from typing import Final

from routilux.interrupts import Interruptible
from routilux.loading.errors import LoadError
from routilux.loading.frames import user_part
from routilux.loading.masks import of_thread
from routilux.loading.modules import Modules
from routilux.loading.versions import ModuleVersion, State
from routilux.outcomes import forget_frames

# After so many seconds on one module a thread is no longer waited for before others are published.
PATIENCE: Final = 0.1
_MOST_THREADS: Final = 16
# How often an import that was given up, and swallows the exception, is told again.
_TELLINGS: Final = 20


class ImportAbandoned(BaseException):
    """Raised inside an import that nobody waits for any more. Not an Exception, to get past handlers."""


class _Worker:
    """One thread. All but `thread` is guarded by the lock of the modules."""

    def __init__(self) -> None:
        self.thread = threading.Thread(target=lambda: None)
        # Set by the thread, before it can be given up.
        self.guard: Interruptible | None = None
        self.since = time.monotonic()
        self.told_slow = False
        self.given_up = False
        self.tellings = 0


class Crew:
    """Imports modules in threads of its own.

    `news`, on the lock of the modules, is notified when one of the threads ends.
    """

    def __init__(self, modules: Modules, *, time_limit: float, slow_after: float) -> None:
        self._time_limit = time_limit
        self._slow_after = slow_after
        self.lock = modules.lock
        # Shares the lock, so that those who wait for one module are not woken by every other.
        self.news = threading.Condition(modules.lock)
        # Guarded by the lock.
        self._modules = modules
        self._todo: deque[str] = deque()
        self._workers: list[_Worker] = []
        self._abandoned: list[_Worker] = []

    def begin(self, modules: Modules, names: Iterable[str], useless: Iterable[ModuleVersion]) -> None:
        """Import these, in place of what has not begun; give up those that became useless."""
        with self.lock:
            self._modules = modules
            self._todo = deque(names)
            threads = {version.thread for version in useless}
            for worker in list(self._workers):
                if worker.thread.ident in threads:
                    self._give_up(worker)
            self._add_worker_if_needed(time.monotonic())

    def is_idle(self) -> bool:
        """Whether everything has been decided. Under the lock."""
        return not self._todo and not self._workers

    def is_settled(self) -> bool:
        """Whether nothing will come of it soon: what is left lasts. Under the lock."""
        now = time.monotonic()
        return not self._todo and all(now - worker.since >= PATIENCE for worker in self._workers)

    def importing(self) -> tuple[str, ...]:
        """The files whose import is under way, in order. Under the lock."""
        return tuple(sorted({each.path for worker in self._workers for each in self._running(worker)}))

    def next_time(self) -> float | None:
        """When `tend` has to be called next, on the clock of `time.monotonic`. Under the lock."""
        times = []
        for worker in self._workers:
            now = time.monotonic()
            after = [
                worker.since + PATIENCE,
                worker.since + self._slow_after,
                worker.since + self._time_limit,
            ]
            times += [each for each in after if each > now][:1] or [now + PATIENCE]
        if self._abandoned:
            times.append(time.monotonic() + PATIENCE)
        return min(times, default=None)

    def tend(self) -> list[str]:
        """Start another thread where the others hang, and end what has taken too long.

        Answers with the files that have become slow.
        """
        slow: list[str] = []
        with self.lock:
            now = time.monotonic()
            self._add_worker_if_needed(now)
            for worker in list(self._workers):
                if worker.thread.ident in self._modules.waiting:
                    continue  # the one it waits for is told instead
                running = self._running(worker)
                if now - worker.since >= self._time_limit:
                    self._time_out(worker, running)
                elif now - worker.since >= self._slow_after and not worker.told_slow:
                    worker.told_slow = True
                    slow += [version.path for version in running[-1:]]
            for worker in list(self._abandoned):
                if not worker.thread.is_alive() or worker.tellings >= _TELLINGS:
                    self._abandoned.remove(worker)
                else:
                    self._tell(worker)
        return slow

    def stop(self) -> None:
        """Begin nothing more, and give up what runs."""
        with self.lock:
            self._todo.clear()
            for worker in list(self._workers):
                for version in self._running(worker):
                    version.state = State.ABANDONED
                self._give_up(worker)
            self._modules.changed.notify_all()

    # ---- the threads

    def _add_worker_if_needed(self, now: float) -> None:
        if (
            self._todo
            and len(self._workers) < _MOST_THREADS
            and all(now - worker.since >= PATIENCE for worker in self._workers)
        ):
            worker = _Worker()
            worker.thread = threading.Thread(
                target=self._work, args=(worker,), name="routilux-import", daemon=True
            )
            self._workers.append(worker)
            worker.thread.start()

    def _work(self, worker: _Worker) -> None:
        # Masked, as it begins, for all that is not the modules' own code.
        worker.guard = of_thread.guard = Interruptible(threading.get_ident())
        while True:
            with self.lock:
                if worker.given_up:
                    return
                if not self._todo:
                    self._workers.remove(worker)
                    self.news.notify_all()
                    return
                name, modules = self._todo.popleft(), self._modules
                worker.since, worker.told_slow = time.monotonic(), False
            try:
                modules.load(name)
            except BaseException as error:
                # It is told by the version that raised it.
                forget_frames(error)

    def _running(self, worker: _Worker) -> list[ModuleVersion]:
        """What the thread executes, innermost last. Under the lock."""
        return [
            version
            for version in self._modules.attempts.values()
            if version.state is State.RUNNING and version.thread == worker.thread.ident
        ]

    def _time_out(self, worker: _Worker, running: list[ModuleVersion]) -> None:
        """Under the lock."""
        frame = sys._current_frames().get(worker.thread.ident or 0)
        stack = [] if frame is None else list(traceback.walk_stack(frame))[::-1]
        error = ImportError(f"the import took longer than {self._time_limit:g} s")
        for version in running:
            lines = [line for each, line in stack if each.f_code.co_filename is version.file]
            line = lines[-1] if lines else None
            version.error = error
            if version is running[-1]:
                text = "".join(traceback.StackSummary.extract(iter(stack)).format())
                text = user_part(f"Traceback (most recent call last):\n{text}")
                message = f"{error}, and was given up"
                version.problem = LoadError("timeout", version.path, line, message, text)
            else:
                culprit = running[-1].path
                message = f"blocked by {culprit}"
                version.problem = LoadError("blocked", version.path, line, message, blocked_by=culprit)
            version.state = State.FAILED
        self._give_up(worker)
        self._modules.changed.notify_all()

    def _give_up(self, worker: _Worker) -> None:
        """Under the lock."""
        worker.given_up = True
        self._workers.remove(worker)
        self._abandoned.append(worker)
        self._tell(worker)
        self.news.notify_all()

    def _tell(self, worker: _Worker) -> None:
        worker.tellings += 1
        if worker.guard is not None:
            worker.guard.interrupt(ImportAbandoned())

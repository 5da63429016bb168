"""The flow folder as generations, each published in one step, and always the newest."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final

from routilux import log_capture
from routilux.loading.core import FolderCore
from routilux.loading.crew import Crew
from routilux.loading.errors import LoadError
from routilux.loading.generation import FlowEvent, FlowVersion, Generation, LoadRecord
from routilux.loading.output import OutputLine
from routilux.loading.watching import Watcher
from routilux.registry import FlowRegistry

_log = logging.getLogger(__name__)
# Seconds between two looks at a folder that changes all over.
_LOOK_AGAIN: Final = 0.03


class FlowLoader:
    """Keeps the flows of a folder as they are on disk, in a registry and as an immutable catalogue.

    `registry` is where the flows are registered; None: the one of the process. All times are in
    seconds: `import_timeout` is the longest a file's import may take, `slow_after` when it is told to be
    slow, `settle` how long bad news (an error, a flow that is gone) is held back, since a file may be caught
    half-written, and `heartbeat` how often the folder is looked at where no event told of a change.

    Files are imported in threads of the loader's own, and what they print, warn and log is kept in
    `output`. Running jobs keep the code they started with. All methods may be called from any thread,
    and what the properties answer with never changes.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        registry: FlowRegistry | None = None,
        *,
        import_timeout: float = 10.0,
        slow_after: float = 1.0,
        settle: float = 0.15,
        heartbeat: float = 1.0,
    ) -> None:
        self._core = FolderCore(root, registry, settle=settle, captures=True)
        self._heartbeat = heartbeat
        self._crew = Crew(self._core.world.modules, time_limit=import_timeout, slow_after=slow_after)
        # Held for one step of looking, accepting and publishing. Never while modules are imported, nor
        # while subscribers are called.
        self._turn = threading.Lock()
        # Guarded by the lock of the crew, whose `news` is notified when they change.
        self._hinted = False
        self._stopping = False
        # Guarded by _turn: whether something may have come of the last steps, and must be published.
        self._unpublished = False
        # Whether imports were under way at the last step.
        self._was_busy = False
        self._installed = False
        self._threads: list[threading.Thread] = []
        # Set under the lock of _crew, while not _stopping.
        self._watcher: Watcher | None = None
        # Guards the three below. Events are delivered in order, by one thread at a time: they are put into
        # the queue under _turn, in the turn that made them, and taken out after it.
        self._delivery = threading.Lock()
        self._subscribers: tuple[Callable[[FlowEvent], object], ...] = ()
        self._events: deque[FlowEvent] = deque()
        self._delivering = False

    # ---- for readers

    @property
    def root(self) -> Path:
        """The folder, absolute."""
        return self._core.root

    @property
    def current(self) -> Generation:
        """The newest generation; number 0, and empty, before the first load."""
        return self._core.generation

    @property
    def catalog(self) -> Mapping[str, FlowVersion]:
        """The flows in service by name. Immutable; replaced as a whole."""
        return self._core.generation.flows

    @property
    def errors(self) -> Mapping[str, LoadError]:
        """What is wrong, by path relative to the root. Immutable; replaced as a whole."""
        return self._core.generation.errors

    @property
    def records(self) -> tuple[LoadRecord, ...]:
        """The last loads, oldest first, each with what it did and how long it took."""
        return self._core.records

    @property
    def output(self) -> Mapping[str, tuple[OutputLine, ...]]:
        """What files put out when they were last imported, by path relative to the root."""
        return self._core.output

    @property
    def importing(self) -> tuple[str, ...]:
        """The files whose import is under way, by path relative to the root. What comes of them is in a
        later generation."""
        with self._crew.lock:
            return self._crew.importing()

    def subscribe(self, callback: Callable[[FlowEvent], object]) -> Callable[[], None]:
        """Have `callback` called with every event; answers how to unsubscribe.

        It is called in a thread of the loader or of `reload`, after the event has taken effect, in order,
        and must not block. One that raises is logged and dropped.
        """
        with self._delivery:
            self._subscribers = (*self._subscribers, callback)

        def unsubscribe() -> None:
            with self._delivery:
                self._subscribers = tuple(each for each in self._subscribers if each is not callback)

        return unsubscribe

    # ---- starting, stopping

    def start(self, *, watch: bool = True) -> None:
        """Load the folder and watch it until `stop`. Returns when the first generation is published.

        Without `watch` changes are found at a heartbeat only, until `watch` is called.
        Files whose import lasts, and all that waits for them, come with a later one. A folder that is
        missing is an error of the path "."; it is loaded as soon as it is there.
        """
        with self._turn:
            if self._threads:
                return
            self._install()
            with self._crew.lock:
                self._stopping = False
            first = threading.Event()
            thread = threading.Thread(target=self._run, args=(first,), name="routilux-loader", daemon=True)
            self._threads.append(thread)
            thread.start()
        if watch:
            self.watch()
        first.wait()

    def watch(self) -> None:
        """Have the file system tell of changes, if the loader was started and was not stopped."""
        with self._crew.lock:
            if self._threads and not self._stopping and self._watcher is None:
                self._watcher = Watcher(self._core.root, self._hint)
                self._watcher.start()

    def stop(self) -> None:
        """End the watching. What is loaded stays registered, and jobs go on. May be called again."""
        with self._crew.lock:
            self._stopping = True
            self._crew.news.notify_all()
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.stop()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join()
        self._threads.clear()
        self._crew.stop()
        with self._turn:
            if self._installed:
                self._installed = False
                self._core.world.uninstall()
                log_capture.uninstall(self._core)

    def __enter__(self) -> FlowLoader:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _install(self) -> None:
        """Under _turn."""
        if not self._installed:
            self._installed = True
            self._core.world.install()
        log_capture.install(self._core, echo=False)

    # ---- loading

    def reload(self) -> Generation | None:
        """Look at the folder, load what has changed, and publish it, errors too; None if nothing has.

        Blocks until every import has ended or was given up. Nothing is held back: who asks has saved.
        """
        with self._turn:
            self._install()
            self._tell(self._look(force=True))
            nothing = not self._unpublished and not self._core.holds
        self._deliver()
        if nothing:
            with self._crew.lock:
                if self._crew.is_idle():
                    return None
        while True:
            with self._crew.lock:
                self._crew.news.wait_for(self._crew.is_idle, self._seconds_to(self._crew.next_time()))
                idle = self._crew.is_idle()
            with self._turn:
                self._tell(self._tend())
                if idle:
                    self._core.ended = time.monotonic()
                    self._tell(self._publish(force=True))
            self._deliver()
            if idle:
                return self._core.generation

    def _look(self, *, force: bool) -> list[FlowEvent]:
        """Accept what has changed, and have it imported. Under _turn."""
        accepted = self._core.accept(force=force)
        if accepted is not None:
            log_capture.keep_installed()
            names, useless = accepted
            self._crew.begin(self._core.world.modules, names, useless)
            self._unpublished = True
        return self._tend()

    def _tend(self) -> list[FlowEvent]:
        number = self._core.generation.number
        return [FlowEvent("slow", number, None, path) for path in self._crew.tend()]

    def _publish(self, *, force: bool) -> tuple[FlowEvent, ...]:
        """Under _turn."""
        new, self._unpublished = force and self._unpublished, False
        return self._core.publish(force=force, new=new) or ()

    # ---- the loader's own thread

    def _hint(self) -> None:
        with self._crew.lock:
            self._hinted = True
            self._crew.news.notify_all()

    def _run(self, first: threading.Event) -> None:
        try:
            while True:
                try:
                    until = self._step()
                except Exception:
                    # Whatever it was, the next look at the folder may do better.
                    _log.exception("the flow folder %s could not be loaded", self._core.root)
                    until = time.monotonic() + self._heartbeat
                if not self._core.is_new:
                    first.set()
                if not self._wait_until(until):
                    return
        finally:
            first.set()

    def _step(self) -> float:
        """Look at the folder, publish what has come of it, and answer with when to do so again."""
        with self._turn:
            first = self._core.is_new
            self._tell(self._look(force=first))
            with self._crew.lock:
                settled, idle = self._crew.is_settled(), self._crew.is_idle()
            if settled and (self._unpublished or self._was_busy):
                self._core.ended = time.monotonic()
            # Something has ended since, or what is held back may count now.
            if settled and (self._unpublished or self._was_busy or self._core.holds or first):
                self._tell(self._publish(force=first))
            self._was_busy = not idle
            watcher = self._watcher  # which `stop` takes away
            if watcher is not None:
                watcher.check()
            due = self._core.next_due()
            soon = time.monotonic() + _LOOK_AGAIN if self._core.look_again else None
        self._deliver()
        with self._crew.lock:
            times = (time.monotonic() + self._heartbeat, due, soon, self._crew.next_time())
        return min(each for each in times if each is not None)

    def _wait_until(self, moment: float) -> bool:
        """Wait for a hint, for the end of the imports, or for a moment. False once it has to stop."""
        with self._crew.lock:
            busy = self._was_busy
            # A loop and not wait_for, since time may end it as well.
            while not (self._stopping or self._hinted or (busy and self._crew.is_idle())):
                if not self._crew.news.wait(self._seconds_to(moment)):
                    break
            self._hinted = False
            return not self._stopping

    @staticmethod
    def _seconds_to(moment: float | None) -> float | None:
        return None if moment is None else max(0.0, moment - time.monotonic())

    # ---- telling

    def _tell(self, events: Iterable[FlowEvent]) -> None:
        """Have events delivered after all before them. Under _turn, which is what orders them."""
        with self._delivery:
            self._events.extend(events)

    def _deliver(self) -> None:
        """Call the subscribers, unless another thread is at it, which then delivers these as well."""
        with self._delivery:
            if self._delivering:
                return
            self._delivering = True
        while True:
            with self._delivery:
                if not self._events:
                    self._delivering = False
                    return
                event = self._events.popleft()
                subscribers = self._subscribers
            for subscriber in subscribers:
                try:
                    subscriber(event)
                except Exception:
                    _log.exception("a subscriber raised and is dropped: %s", object.__repr__(subscriber))
                    with self._delivery:
                        self._subscribers = tuple(
                            each for each in self._subscribers if each is not subscriber
                        )

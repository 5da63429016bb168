"""The end of the process: by a signal, by a closed terminal, or because the user has left.

Whatever ends the app, jobs that have not ended are paused and saved as far as that goes within GRACE, and
the terminal is given back first.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final, NoReturn

from tui.guard import mend_process
from tui.job_words import job_name, jobs_were
from tui.keeper import Rescued
from tui.spans import clean

# How long jobs are waited for that have to be paused, in seconds; whoever sends SIGTERM often sends SIGKILL
# ten seconds later.
GRACE: Final = 5.0
# How long the app has to leave the screen once a signal has come. After that it is left without the app.
_LEAVE: Final = 3.0
# How long what flows have started may still take in the end.
_LAST: Final = 3.0
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Leaves the alternate screen, shows the cursor, and ends every mode of mouse, keys and paste.
_LEFT: Final = (
    "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l\x1b[?2004l\x1b[?2026l\x1b[?2048l"
    "\x1b[?1004l\x1b[<u\x1b[?7h\x1b[?1049l\x1b[?25h\x1b[0m"
)


class Ending:
    """Hears the signals from before the app begins until the process has ended.

    The first one ends the app as if one had left, by what `by` was given. A second SIGINT or SIGTERM ends the
    process at once. A terminal that is closed may send SIGHUP several times, which counts once.
    """

    def __init__(self, keys: int, screen: int, at_last: Callable[[], object]) -> None:
        self._keys = keys
        self._screen = screen
        # What is to be done with the jobs; for when the app cannot be left.
        self._at_last = at_last
        self._leave: Callable[[int], object] | None = None
        self._left = threading.Event()
        # The first signal that came, and how many that are meant to end the process.
        self.number = 0
        self._demands = 0
        try:
            self._modes: list[Any] | None = termios.tcgetattr(keys)
        except termios.error:
            self._modes = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Within the block signals are heard."""
        before = {number: signal.signal(number, self._heard) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def by(self, leave: Callable[[int], object]) -> None:
        """Leave by this, which is told the exit code, in the main thread."""
        self._leave = leave
        if self.number:
            leave(self.exit_code)

    def left(self) -> None:
        """The app has left the screen."""
        self._left.set()

    @property
    def exit_code(self) -> int:
        """What the process tells its caller where a signal has ended it; 0 where none has."""
        return 128 + self.number if self.number else 0

    def _heard(self, number: int, frame: FrameType | None) -> None:
        if number != signal.SIGHUP:
            self._demands += 1
        if self._demands > 1:
            self.give_back()
            os._exit(128 + number)
        if not self.number:
            self.number = number
            threading.Thread(target=self._watch, name="ending", daemon=True).start()
            if self._leave is not None and not self._left.is_set():
                self._leave(128 + number)

    def _watch(self) -> None:
        """Where the app does not leave in time, its terminal being gone or itself being stuck, do without."""
        if not self._left.wait(_LEAVE):
            self.give_back()
            try:
                # The standard error is the terminal again, if there still is one.
                os.dup2(self._screen, 2)
                sys.stderr = open(2, "w", errors="replace", closefd=False)  # noqa: SIM115
                self._at_last()
            finally:
                os._exit(self.exit_code)

    def give_back(self) -> None:
        """Give the terminal back as it was, without the app."""
        with contextlib.suppress(OSError):
            os.write(self._screen, _LEFT.encode())
        if self._modes is not None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self._keys, termios.TCSANOW, self._modes)


def say_rescued(rescued: Rescued) -> None:
    """Say what has become of the jobs, where anybody may read it."""
    lines = []
    if rescued.saved:
        count = jobs_were(len(rescued.saved))
        lines.append(f"{count} saved, and will be offered when the app is opened again.")
    for job, why in rescued.lost.items():
        lines.append(f"not saved: {job_name(job)}: {why}")
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.writelines(clean(line) + "\n" for line in lines)
        sys.stderr.flush()


def end_process(code: int) -> NoReturn:
    """End the process. Python waits for threads that flows have started, and runs what they have asked to be
    run in the end; all of that gets a moment, and no more."""
    mend_process()
    threading.Thread(target=_end_anyway, args=(code,), name="ending", daemon=True).start()
    sys.exit(code)


def _end_anyway(code: int) -> None:
    time.sleep(_LAST)
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write("What flows have started and not ended (threads, exit handlers) is left behind.\n")
        sys.stderr.flush()
        sys.stdout.flush()
    os._exit(code)

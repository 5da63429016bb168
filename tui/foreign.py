"""Asking objects of other people's classes for their text, without waiting long for any of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Final, NamedTuple
from weakref import WeakKeyDictionary

# How long one text is waited for; where nobody waits for it at the screen, so many times as long.
_PATIENCE: Final = 0.1
_AT_LEISURE: Final = 10
# A class that took longer is left alone for so long, and each time for twice as long.
_REST: Final = 5.0
# In passing so many seconds are spent at once, and of the time after that this part.
_ALLOWANCE: Final = 0.05
_SHARE: Final = 0.1
# A class that took longer is not asked in passing for the time of a rest.
_QUICK: Final = 0.01

# What stands for a text that was not waited for.
LEFT_OUT: Final = "…"


class Reading:
    """How texts are read. `left_out`: some would have to be waited for; `refused`: some are waited for by
    nobody any more, for now."""

    __slots__ = ("hurried", "left_out", "refused")

    def __init__(self, hurried: bool) -> None:
        self.hurried = hurried
        self.left_out = False
        self.refused = False


class Glance(NamedTuple):
    """What was read in passing. `whole`: nothing was left out; `lasting`: it need not be read once more."""

    text: str
    whole: bool
    lasting: bool


class _Now(threading.local):
    reading: Reading | None = None


_now = _Now()


@contextmanager
def _reading(hurried: bool) -> Iterator[Reading]:
    before, _now.reading = _now.reading, Reading(hurried)
    try:
        yield _now.reading
    finally:
        _now.reading = before


def in_passing(write: Callable[[], str]) -> Glance:
    """What `write` writes, with LEFT_OUT where a text would hold up the screen."""
    with _reading(hurried=True) as reading:
        text = write()
    return Glance(text, not reading.left_out, not (reading.left_out or reading.refused))


def at_leisure(write: Callable[[], str]) -> str:
    """What `write` writes, for a thread that nobody waits for at the screen."""
    with _reading(hurried=False):
        return write()


class ForeignCode:
    """Runs what others wrote in threads of its own. May be asked in any thread, in passing in the screen's.

    A call that does not return in time is given up with its thread, and nobody waits for it again.
    """

    def __init__(self, patience: float = _PATIENCE, clock: Callable[[], float] = time.monotonic) -> None:
        self._patience = patience
        self._clock = clock
        # One for each thread that asks, so that none waits for what another one asked.
        self._helpers = threading.local()
        # Guards what follows. Weak: classes of old generations have to go.
        self._lock = threading.Lock()
        # Class -> (not to be asked before, for how long it was left alone).
        self._slow: WeakKeyDictionary[type, tuple[float, float]] = WeakKeyDictionary()
        # Class -> not to be asked in passing before.
        self._dear: WeakKeyDictionary[type, float] = WeakKeyDictionary()
        # Seconds that may be spent in passing, as of then.
        self._allowance = _ALLOWANCE
        self._allowed_at = clock()

    def text(self, kind: type, write: Callable[[], str], limit: int) -> str:
        """What `write` answers, cut to `limit`; what it raises, or that it takes too long, in words."""
        reading = _now.reading
        hurried = reading is not None and reading.hurried
        begun = self._clock()
        with self._lock:
            until, rest = self._slow.get(kind, (0.0, _REST / 2))
            asks = not hurried or (begun >= self._dear.get(kind, begun) and self._allowed(begun) >= _QUICK)
        name = kind.__name__
        if begun < until:
            if reading is not None:
                reading.refused = True
            return f"<{name} whose repr takes too long>"
        if not asks:
            return _left_out(reading)
        patience = self._patience * (_AT_LEISURE if reading is not None and not hurried else 1)
        answer = self._ask(write, min(patience, _ALLOWANCE) if hurried else patience)
        now = self._clock()
        if hurried:
            with self._lock:
                self._allowance -= now - begun
                if answer is None or now - begun > _QUICK:
                    self._dear[kind] = now + _REST
            if answer is None:
                return _left_out(reading)
        if answer is None:
            with self._lock:
                self._slow[kind] = (now + 2 * rest, 2 * rest)
            return f"<{name} whose repr takes too long>"
        if isinstance(answer, Exception):
            return f"<{name} whose repr raises {type(answer).__name__}>"
        return answer if len(answer) <= limit else f"{answer[:limit]}…"

    def _allowed(self, now: float) -> float:
        """The seconds that may be spent in passing now. Under the lock."""
        self._allowance = min(_ALLOWANCE, self._allowance + _SHARE * (now - self._allowed_at))
        self._allowed_at = now
        return self._allowance

    def _ask(self, write: Callable[[], str], patience: float) -> str | Exception | None:
        """The answer, or what was raised instead; None where neither came in time."""
        helper: _Helper | None = getattr(self._helpers, "helper", None)
        if helper is None:
            helper = self._helpers.helper = _Helper()
        question = _Question(write)
        helper.questions.put(question)
        if question.answered.wait(patience):
            return question.answer
        # Its thread ends when the call returns, if it ever does.
        self._helpers.helper = None
        return None


def _left_out(reading: Reading | None) -> str:
    if reading is not None:
        reading.left_out = True
    return LEFT_OUT


class _Question:
    """What is asked of the helping thread, and its answer."""

    __slots__ = ("answer", "answered", "write")

    def __init__(self, write: Callable[[], str]) -> None:
        self.write: Callable[[], str] | None = write
        self.answered = threading.Event()
        self.answer: str | Exception = ""


class _Helper:
    """A thread that answers questions until nobody can ask it any more."""

    def __init__(self) -> None:
        self.questions: SimpleQueue[_Question | None] = SimpleQueue()
        threading.Thread(target=_answer, args=(self.questions,), name="repr", daemon=True).start()

    def __del__(self) -> None:
        self.questions.put(None)


def _answer(questions: SimpleQueue[_Question | None]) -> None:
    while (question := questions.get()) is not None:
        try:
            write = question.write
            answer = write() if write is not None else ""
            question.answer = answer if isinstance(answer, str) else TypeError("no text")
        except Exception as error:
            question.answer = error.with_traceback(None)
        except BaseException:
            # A sys.exit in a __repr__ ends nothing.
            question.answer = RuntimeError("not an Exception")
        # Nothing of the object stays with this thread.
        write = question.write = None
        question.answered.set()
        del question

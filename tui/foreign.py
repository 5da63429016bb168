"""Asking objects of other people's classes for their text, without waiting long for any of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Final
from weakref import WeakKeyDictionary

# How long the screen waits for one text.
_PATIENCE: Final = 0.1
# A class that took longer is left alone for so long, and each time for twice as long.
_REST: Final = 5.0


class _Question:
    """What is asked of the helping thread, and its answer."""

    __slots__ = ("answer", "answered", "write")

    def __init__(self, write: Callable[[], str]) -> None:
        self.write: Callable[[], str] | None = write
        self.answered = threading.Event()
        self.answer: str | Exception = ""


class ForeignCode:
    """Runs what others wrote in a thread of its own. For one thread, the screen's.

    A call that does not return in time is given up with its thread, and nobody waits for it again.
    """

    def __init__(self, patience: float = _PATIENCE, clock: Callable[[], float] = time.monotonic) -> None:
        self._patience = patience
        self._clock = clock
        self._questions: SimpleQueue[_Question | None] | None = None
        # Class -> (not to be asked before, for how long it was left alone). Weak: classes of old
        # generations have to go.
        self._slow: WeakKeyDictionary[type, tuple[float, float]] = WeakKeyDictionary()

    def text(self, kind: type, write: Callable[[], str], limit: int) -> str:
        """What `write` answers, cut to `limit`; what it raises, or that it takes too long, in words."""
        name = kind.__name__
        until, rest = self._slow.get(kind, (0.0, _REST / 2))
        if self._clock() < until:
            return f"<{name} whose repr takes too long>"
        question = _Question(write)
        if self._questions is None:
            self._questions = SimpleQueue()
            threading.Thread(target=_answer, args=(self._questions,), name="repr", daemon=True).start()
        self._questions.put(question)
        if not question.answered.wait(self._patience):
            # The thread ends when the call returns, if it ever does.
            self._questions.put(None)
            self._questions = None
            self._slow[kind] = (self._clock() + 2 * rest, 2 * rest)
            return f"<{name} whose repr takes too long>"
        answer = question.answer
        if isinstance(answer, Exception):
            return f"<{name} whose repr raises {type(answer).__name__}>"
        return answer if len(answer) <= limit else f"{answer[:limit]}…"


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

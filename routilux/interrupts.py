"""Raising an exception inside the Python code of another thread, and only where that is harmless.

CPython delivers such an exception between two bytecodes of the thread, wherever it is. It must
never land in the engine's own code, which would be left half done. So every activation has a
`mask`: above 0 while the engine works on its behalf (`emit`, `sleep`) or its author asked for it
(`shielded`). The rules, told as the race they settle:

- The sender first writes `wanted`, then reads `mask`, and sends only if that is 0.
- The receiver first raises `mask`, then reads `wanted`.

Whoever comes second sees what the first has written, as the interpreter lock orders them. If the
receiver finds `wanted` set, an exception may be under way: it waits until the sender is done
(`_sending`), takes back what has not arrived, and raises at a place of its own choosing. Until it
has that, the exception may arrive: at the first bytecode of each function it calls. There is never
more than one under way, so who raises the mask tries once more where it does (`collect`).
Proved by tests/test_interrupts.py and tests/stress/test_interrupts.py.
"""

from __future__ import annotations

import threading

from routilux.exceptions import ActivationInterrupted, JobCancelled

# Held by a sender from its reading of `mask` until the exception is on its way.
_sending = threading.Lock()


class Interruptible:
    """The part of an activation that forced cancels and timeouts deal with.

    Only the activation's own thread changes `masked`; senders set `wanted`, that thread clears it.
    """

    __slots__ = ("masked", "sent", "thread_id", "wanted")

    def __init__(self, thread_id: int) -> None:
        self.thread_id = thread_id
        # Starts masked: unmasked only around the logic.
        self.masked = 1
        self.wanted: BaseException | None = None
        # Guarded by _sending: an exception was sent and has not been taken back.
        self.sent = False

    def interrupt(self, error: BaseException) -> None:
        """Have `error` raised in the activation, at once or when its mask ends. Any thread."""
        with _sending:
            self.wanted = error
            if self.masked == 0:
                self.sent = True
                set_async_exception(self.thread_id, ActivationInterrupted)

    def mask(self) -> None:
        """Hold interrupts back until `unmask`; nests. The activation's own thread only."""
        self.masked += 1
        if self.wanted is not None and self.masked == 1:
            try:
                self.collect()
            except ActivationInterrupted:
                self.collect()

    def unmask(self) -> None:
        """End the innermost mask; the outermost raises what was held back."""
        self.masked -= 1
        if self.wanted is not None and self.masked == 0:
            self.raise_wanted()

    def raise_wanted(self) -> None:
        """Raise, here and now, what was wanted while the mask was up."""
        self.masked = 1
        try:
            self.collect()
        except ActivationInterrupted:
            self.collect()
        error = self.claim()
        self.masked = 0
        raise error

    def close(self) -> BaseException | None:
        """For when the logic has returned and `masked` is 1: nothing arrives from here on.

        Answers with an interrupt that came too late to be raised in the logic, if there is one. To be
        called again where it raises `ActivationInterrupted`, as `collect` is.
        """
        self.collect()
        return self.claim() if self.wanted is not None else None

    def claim(self) -> BaseException:
        """The error that was wanted; it is then no longer wanted."""
        error, self.wanted = self.wanted, None
        return error if error is not None else JobCancelled()

    def collect(self) -> None:
        """With the mask up: wait for a sender, and make sure that nothing it sent arrives any more.

        Raises `ActivationInterrupted` where that arrives on the way in; then call it once more.
        """
        while True:
            try:
                with _sending:
                    if self.sent:
                        self.sent = False
                        set_async_exception(self.thread_id, None)
                return
            except ActivationInterrupted:
                # It arrived here, which is as good as taking it back.
                continue


def set_async_exception(thread_id: int, kind: type[BaseException] | None) -> None:
    """Have `kind` raised in the Python code of a thread; None takes back what has not arrived."""
    # Here and not at the top: ctypes costs start-up time, and few jobs are ever forced.
    import ctypes

    exception = ctypes.py_object(kind) if kind is not None else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread_id), exception)

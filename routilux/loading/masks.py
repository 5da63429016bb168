"""When an import that is given up may be interrupted: in the modules' own code, never in the loader's."""

from __future__ import annotations

import threading

from routilux.exceptions import ActivationInterrupted
from routilux.interrupts import Interruptible


# Set in threads whose imports may be given up. Masked (1) while the loader works, unmasked (0) in the
# modules' own code: an exception from another thread must never land where a lock is being taken.
class _OfThread(threading.local):
    guard: Interruptible | None = None


of_thread = _OfThread()


def hold() -> None:
    """From the modules' own code to the loader's: nothing arrives from here on."""
    current = of_thread.guard
    while current is not None:
        try:
            current.masked = 1
            if current.wanted is not None:
                current.collect()
            return
        except ActivationInterrupted:
            pass  # it arrived on the way in; `wanted` is still set, and raised on the way back


def release() -> None:
    """Back to the modules' own code; raises what came meanwhile."""
    current = of_thread.guard
    if current is not None:
        current.masked = 0
        if current.wanted is not None:
            current.raise_wanted()

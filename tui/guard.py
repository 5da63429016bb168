"""What flows may have changed in the process, and the app cannot do without."""

from __future__ import annotations

import sys
from typing import Final

# Seconds a thread that computes may keep the interpreter from the screen: while somebody types, ...
HURRY: Final = 0.0005
# ... and once nobody has for QUIET seconds. Switching often takes a fifth of the work of short jobs.
EASE: Final = 0.005
QUIET: Final = 5.0


def hurry() -> None:
    """Somebody types."""
    if sys.getswitchinterval() != HURRY:
        sys.setswitchinterval(HURRY)


def mend_process(quiet: float = 0.0) -> None:
    """Put back what was changed. The app does so every second, and once more in the end.

    `quiet` is for how many seconds there has been no input.
    """
    if quiet < QUIET:
        hurry()
    elif sys.getswitchinterval() != EASE:
        sys.setswitchinterval(EASE)
    hooks: tuple[object, object] = (sys.excepthook, sys.unraisablehook)
    # Without the first no thread can be started.
    if not callable(hooks[0]):
        sys.excepthook = sys.__excepthook__
    if not callable(hooks[1]):
        sys.unraisablehook = sys.__unraisablehook__

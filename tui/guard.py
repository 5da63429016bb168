"""What flows may have changed in the process, and the app cannot do without."""

from __future__ import annotations

import sys
from typing import Final

# How long a thread that computes may keep the interpreter from the screen. The library leaves it alone.
SWITCH_INTERVAL: Final = 0.0005


def mend_process() -> None:
    """Put back what was changed. The app does so every second, and once more in the end."""
    if sys.getswitchinterval() != SWITCH_INTERVAL:
        sys.setswitchinterval(SWITCH_INTERVAL)
    hooks: tuple[object, object] = (sys.excepthook, sys.unraisablehook)
    # Without the first no thread can be started.
    if not callable(hooks[0]):
        sys.excepthook = sys.__excepthook__
    if not callable(hooks[1]):
        sys.unraisablehook = sys.__unraisablehook__

"""Which part of a traceback is the user's own code."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_FRAME = re.compile(r'  File "(?P<path>[^"]+)", line \d+, in ')
_HEADING = "Traceback (most recent call last):"


@cache
def _installed_roots() -> tuple[Path, ...]:
    # Not before it is asked for: an app would start later.
    import sysconfig

    paths = sysconfig.get_paths()
    return tuple({Path(paths[name]).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")})


def is_installed(path: str | Path) -> bool:
    """Whether a file belongs to Python itself or to an installed package."""
    resolved = Path(path).resolve()
    return any(resolved.is_relative_to(root) for root in _installed_roots())


def _is_library(path: str) -> bool:
    if path.startswith("<frozen "):
        return True
    if path.startswith("<"):
        return False
    return is_installed(path) or Path(path).resolve().is_relative_to(Path(__file__).resolve().parents[1])


def user_part(traceback: str) -> str:
    """The text of a traceback without the frames of Python, of installed packages and of this library.

    What is said about the exceptions themselves stays, and so does the place of a syntax error.
    """
    kept: list[str] = []
    dropping = False
    for line in traceback.splitlines():
        frame = _FRAME.match(line)
        if frame:
            dropping = _is_library(frame["path"])
        elif dropping and not line.startswith(("    ", "  [Previous line repeated")):
            dropping = False
        if not dropping:
            kept.append(line)
    # A heading whose frames are all gone says nothing.
    lines = (
        line
        for line, following in zip(kept, [*kept[1:], ""], strict=True)
        if line != _HEADING or following.startswith('  File "')
    )
    return "\n".join(lines)

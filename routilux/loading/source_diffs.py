"""The texts of a file before and after a load, and their difference when somebody asks for it."""

from __future__ import annotations

import difflib
import importlib.util
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from routilux.loading.tree import Source

# Of a longer diff the rest is left out; texts that are longer are not compared line by line, which would
# take seconds.
_MOST_LINES: Final = 2000
_MOST_COMPARED: Final = 20_000


@dataclass(frozen=True)
class SourceChange:
    """One file as it was and as it is; None where there is none. `path` is relative to the root.

    Holds the two texts and nothing of the modules that were made of them.
    """

    path: str
    before: Source | None
    now: Source | None

    @cached_property
    def text(self) -> str:
        """The unified diff, empty where the lines are the same. Worked out when first asked for."""
        old, new = _lines(self.before), _lines(self.now)
        heading = [f"--- {self.path} (before)", f"+++ {self.path} (now)"]
        if len(old) + len(new) > _MOST_COMPARED:
            return "\n".join([*heading, f"too long to be compared: {len(old):,} lines and {len(new):,}"])
        lines = list(
            difflib.unified_diff(old, new, f"{self.path} (before)", f"{self.path} (now)", lineterm="")
        )
        if len(lines) > _MOST_LINES:
            lines = [*lines[:_MOST_LINES], f"... and {len(lines) - _MOST_LINES:,} more lines"]
        return "\n".join(lines)


def _lines(source: Source | None) -> list[str]:
    if source is None:
        return []
    try:
        return importlib.util.decode_source(source.content).split("\n")
    except (SyntaxError, ValueError, LookupError):
        return source.content.decode("utf-8", "backslashreplace").split("\n")

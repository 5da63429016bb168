"""The sources that run, for whoever shows lines of them: tracebacks, debuggers, `inspect`."""

from __future__ import annotations

import importlib.util
import linecache
from importlib.machinery import SourceFileLoader
from typing import Any


class VersionedPath(str):
    """The path of a file, as a key that is its own for each version of the file.

    It reads as the path and equals it, so that breakpoints hit, but two versions differ: `linecache`
    holds the lines of every version that is alive beside one another. Code objects have it as their
    `co_filename`, which is how the traceback of an old job finds the lines that ran.
    """

    __slots__ = ()

    # The very function of str: tools such as tracemalloc ask for it where no Python code may run.
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        if isinstance(other, VersionedPath):
            return self is other
        return str.__eq__(self, other) if isinstance(other, str) else NotImplemented

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __reduce__(self) -> tuple[Any, ...]:
        return str, (str.__str__(self),)


def keep_lines(file: VersionedPath, content: bytes) -> str | None:
    """Have `linecache` answer for this version, whatever is on disk; None if it cannot be decoded."""
    try:
        text = importlib.util.decode_source(content)
    except (SyntaxError, ValueError, LookupError):
        return None
    # Not splitlines, which takes form feeds and others for ends of lines; Python does not.
    lines = [f"{line}\n" for line in text.split("\n")]
    known = linecache.cache.get(str.__str__(file))
    if known is not None and (len(known) == 1 or known[1] is not None):
        # Read from disk under the plain path, which equals every version, and would stand for all.
        linecache.cache.pop(str.__str__(file), None)
    # Without a time it is never taken for out of date.
    linecache.cache[file] = (len(content), None, lines, file)
    return text


def forget_lines(file: VersionedPath) -> None:
    """Undo `keep_lines`, or its attempt. Takes no lock: the collector calls it, in any thread."""
    linecache.cache.pop(file, None)


class LoadedSource(SourceFileLoader):
    """The `__loader__` of a module: answers with the source that was loaded, and never uses a cache."""

    def __init__(self, name: str, path: str, content: bytes) -> None:
        super().__init__(name, path)
        self._content = content

    def get_data(self, path: str) -> bytes:
        return self._content if path == self.path else super().get_data(path)

    def path_stats(self, path: str) -> dict[str, float]:
        # Without these the compiled cache is neither read nor written. It is keyed by whole seconds
        # and size, and serves stale code after two quick saves.
        raise OSError("flow modules are not cached")

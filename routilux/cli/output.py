"""Standard output whose reader may leave early, as `head` does."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import TracebackType
from typing import Any, TextIO, cast


class Output:
    """Within `with`, stands in for `sys.stdout`: what nobody reads any more is dropped, and `left` says so.

    So a job that prints to a closed pipe does not fail by it, and is cancelled by who looks at `left`.
    Any thread may write. Leaving the `with` block flushes; should it then turn out that the reader has
    left, `left` says that, too. A process whose reader has left has no `sys.stdout` from then on.
    """

    def __init__(self) -> None:
        self._stream: TextIO | None = None
        self.left = False

    def __enter__(self) -> Output:
        # A process without a console has None, and prints go nowhere.
        if sys.stdout is not None:
            self._stream = sys.stdout
            sys.stdout = self.as_stream()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._stream is not None:
            self.flush()
            # What is still in the buffer of one that was left would make Python complain at exit.
            sys.stdout = None if self.left else self._stream

    def as_stream(self) -> TextIO:
        """Itself, for who wants a text stream."""
        return cast(TextIO, self)

    def write(self, text: str) -> int:
        if self._stream is not None and not self.left:
            try:
                return self._stream.write(text)
            except BrokenPipeError:
                self.left = True
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        if self._stream is not None and not self.left:
            try:
                self._stream.flush()
            except BrokenPipeError:
                self.left = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

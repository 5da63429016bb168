"""The log of a job: bounded, and formatted line by line as it is seen."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import tzinfo
from typing import ClassVar, Final

from textual.binding import BindingType
from textual.message import Message

from routilux.history import LogLine
from tui.formats import clock_time
from tui.keys import bindings_of
from tui.spans import Line, clean, fit, plain, width
from tui.widgets.lines import LinePane

MAX_LINES: Final = 20_000
_ROLES: Final = {
    "DEBUG": "muted", "WARNING": "warning", "ERROR": "failed", "CRITICAL": "failed", "STDERR": "warning",
}  # fmt: skip
_SHOWN: Final = {"WARNING": "WARN", "CRITICAL": "CRIT"}
# What the key for the level goes through: a name and the levels that are shown, empty for all.
LEVELS: Final[tuple[tuple[str, frozenset[str]], ...]] = (
    ("all", frozenset()),
    ("warnings", frozenset({"WARNING", "ERROR", "CRITICAL", "STDERR"})),
    ("errors", frozenset({"ERROR", "CRITICAL"})),
)


class LogView(LinePane):
    """The Log tab. Follows the newest line until one scrolls up, and again from the end."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("log")]
    SCOPES: ClassVar[frozenset[str]] = frozenset({"lines", "log"})

    class Changed(Message):
        """What the log says of itself (follow mode, level, counts) has changed."""

    def __init__(self, *, id: str | None = None, max_lines: int = MAX_LINES) -> None:
        super().__init__(id=id)
        self._zone: tzinfo | None = None
        self._max_lines = max_lines
        # One entry per line on the screen: the record and which line of its message.
        self._kept: deque[tuple[LogLine, str]] = deque()
        self._shown: deque[tuple[LogLine, str]] = self._kept
        self._forgotten = 0
        # The sequence number of the line that comes next.
        self._next = 0
        self._level = 0
        self._follow = True
        self._widest = 0
        # Scrolling that this class does itself does not end the following.
        self._own_scroll = False

    # ---- what it is given

    def clear(self, zone: tzinfo | None) -> None:
        """Another job is chosen."""
        self._zone = zone
        self._kept.clear()
        self._shown = self._kept if not self._level else deque()
        self._forgotten = 0
        self._next = 0
        self._widest = 0
        self._follow = True
        self._scroll(0)
        self.lines_changed()
        self.post_message(self.Changed())

    def append(self, lines: Sequence[LogLine]) -> None:
        """Add what was logged since. Lines beyond the limit are forgotten, the oldest first."""
        if not lines:
            return
        wanted = LEVELS[self._level][1]
        gone = 0
        # A job may log more between two frames than it keeps.
        self._forgotten += lines[0].sequence - self._next
        self._next = lines[-1].sequence + 1
        for line in lines:
            for text in line.message.splitlines() or [""]:
                entry = (line, text)
                self._kept.append(entry)
                if wanted and line.level in wanted:
                    self._shown.append(entry)
        while len(self._kept) > self._max_lines:
            entry = self._kept.popleft()
            self._forgotten += 1
            if not wanted:
                gone += 1
            elif self._shown and self._shown[0] is entry:
                self._shown.popleft()
                gone += 1
        self._settle(gone)

    # ---- what it tells

    @property
    def following(self) -> bool:
        return self._follow

    @property
    def words(self) -> str:
        """Follow mode, level and how much is no longer kept, for the pane's border."""
        parts = ["FOLLOW" if self._follow else "scrolled"]
        if self._level:
            parts.append(f"level: {LEVELS[self._level][0]}")
        if self._forgotten:
            parts.append(f"{self._forgotten:,} older lines not kept")
        return " · ".join(parts)

    # ---- lines

    def line_count(self) -> int:
        return len(self._shown) or 1

    def content_width(self) -> int:
        return self._widest

    def line(self, y: int) -> Line:
        if not self._shown:
            return ((" nothing logged" if not self._level else " nothing at this level", "muted"),)
        record, text = self._shown[y]
        role = _ROLES.get(record.level, "text")
        level = _SHOWN.get(record.level, record.level)
        line = (
            (f" {clock_time(record.timestamp, self._zone)} ", "muted"),
            (fit(level, 7), role if role != "text" else "muted"),
            (fit(record.routine_id or "-", 12) + " ", "strong"),
            (clean(text), role),
        )
        # The width grows as lines are seen: measuring what nobody looks at would cost more than showing it.
        self._widest = max(self._widest, 29 + width(line[-1][0]))
        return line

    def _settle(self, gone: int) -> None:
        """After lines came and went: stay at the end, or on the lines that are being read."""
        top = self.scroll_offset.y
        self.lines_changed()
        if self._follow:
            self._scroll(self.max_scroll_y)
        elif gone and top:
            self._scroll(max(0, top - gone))
        elif gone:
            self.refresh()

    def _scroll(self, y: int) -> None:
        self._own_scroll = True
        try:
            # By force: the scrollbar comes a moment after the lines that need it.
            self.scroll_to(y=y, animate=False, force=True)
        finally:
            self._own_scroll = False

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if not self._own_scroll and round(old_value) != round(new_value):
            self._set_follow(new_value >= self.max_scroll_y)

    def on_resize(self) -> None:
        self.lines_changed()
        if self._follow:
            self._scroll(self.max_scroll_y)

    def _set_follow(self, follow: bool) -> None:
        if follow != self._follow:
            self._follow = follow
            self.post_message(self.Changed())

    # ---- keys

    def action_follow(self) -> None:
        """Follow, or stay where one is."""
        self._set_follow(not self._follow)
        if self._follow:
            self._scroll(self.max_scroll_y)

    def action_bottom(self) -> None:
        self._scroll(self.max_scroll_y)
        self._set_follow(True)

    def action_level(self) -> None:
        """Go on to the next level."""
        self._level = (self._level + 1) % len(LEVELS)
        wanted = LEVELS[self._level][1]
        at_level = (entry for entry in self._kept if entry[0].level in wanted)
        self._shown = deque(at_level) if wanted else self._kept
        self.lines_changed()
        self.refresh()
        self._scroll(self.max_scroll_y if self._follow else 0)
        self.post_message(self.Changed())

    def text(self) -> str:
        """All lines that are shown, for tests and for copying."""
        return "\n".join(plain(self.line(y)).rstrip() for y in range(self.line_count()))

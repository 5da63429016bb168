"""The log of a job: followed, searched, filtered and wrapped, and formatted line by line as it is seen."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, tzinfo
from typing import ClassVar, Final

from textual.binding import BindingType
from textual.message import Message

from routilux.history import LogLine
from tui.filters import Filter, Term
from tui.formats import clock_time
from tui.glyphs import LEVEL_ROLES, LEVEL_WORDS
from tui.keys import bindings_of, key_named
from tui.log_rows import GAP, LEVELS, MAX_LINES, LogRows, Row
from tui.spans import Line, Span, fit, plain, width, wrap
from tui.widgets.lines import LinePane

# The routine's column; the narrow one where there are fewer columns than _ROOMY.
_ROUTINE: Final = 12
_ROUTINE_NARROW: Final = 8
_ROOMY: Final = 72
# Time, level, the gaps between.
_HEAD: Final = 18
# Lines per second are counted over about so long.
_RATE_SECONDS: Final = 2.0


class LogView(LinePane):
    """The Log tab. Follows the newest line until one scrolls up, and again from the end."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("log")]
    SCOPES: ClassVar[frozenset[str]] = frozenset({"lines", "log"})
    PURPOSE: ClassVar[str] = "search"

    class Changed(Message):
        """What the log says of itself (follow mode, filters, counts) has changed."""

    def __init__(self, *, id: str | None = None, max_lines: int = MAX_LINES) -> None:
        super().__init__(id=id)
        self._zone: tzinfo | None = None
        self.rows = LogRows(max_lines)
        self._follow = True
        self._wrap = False
        # The row of the match that was gone to last, and the message it belongs to.
        self._hit: int | None = None
        # (when, how many lines had been logged by then), for the rate; None once nothing more comes.
        self._counts: deque[tuple[datetime, int]] | None = deque()
        # Scrolling that this class does itself does not end the following.
        self._own_scroll = False

    # ---- what it is given

    def clear(self, zone: tzinfo | None) -> None:
        """Another job is chosen."""
        self._zone = zone
        self.rows.clear()
        self._hit = None
        self._counts = deque()
        self._follow = True
        self._scroll(0)
        self.lines_changed()
        self.post_message(self.Changed())

    def append(self, lines: Sequence[LogLine], unfinished: Sequence[LogLine] = ()) -> None:
        """Add what was logged since, and show the lines that are not ended yet, as they stand, below it.

        Lines beyond the limits are forgotten, the oldest first.
        """
        rows = self.rows
        if lines or [*unfinished] != rows.unfinished:
            gone = rows.append(lines, unfinished)
            if self._hit is not None and not (self._hit >= rows.first and rows.is_hit(self._hit)):
                self._hit = None
            self._settle(gone)

    def count(self, now: datetime, total: int, *, ended: bool) -> None:
        """How many lines the job had logged by `now`; no more will come once it has ended."""
        if ended:
            self._counts = None
            return
        if self._counts is None:
            self._counts = deque()
        if not self._counts or now > self._counts[-1][0]:
            self._counts.append((now, total))
        while len(self._counts) > 2 and (now - self._counts[1][0]).total_seconds() >= _RATE_SECONDS:
            self._counts.popleft()

    # ---- what it tells

    @property
    def following(self) -> bool:
        return self._follow

    @property
    def wrapping(self) -> bool:
        return self._wrap

    @property
    def words(self) -> str:
        """Follow mode, what is found and hidden, what hides it, rate, how much is dropped, for the border."""
        rows = self.rows
        parts = ["FOLLOW" if self._follow else "stays"]
        if rows.needle:
            where = f"{rows.hit_number(self._hit):,}/" if self._hit is not None else ""
            found = f"{where}{rows.hits:,} × {rows.needle}" if rows.hits else f"no {rows.needle}"
            more = " more" if rows.hits else ""
            parts.append(f"{found}, {rows.hidden_hits:,}{more} hidden" if rows.hidden_hits else found)
        parts += self.filters
        if self._wrap:
            parts.append("wrap")
        if self._counts is not None:
            parts.append(f"{self._rate():,.0f}/s")
        parts.append(f"{rows.dropped:,} dropped")
        return " · ".join(parts)

    @property
    def filters(self) -> list[str]:
        """What hides lines, in words."""
        rows = self.rows
        level = [f"level: {LEVELS[rows.level][0]}"] if rows.level else []
        return level + ([f"routine: {rows.routine_id or 'none'}"] if rows.routine_id is not None else [])

    def _rate(self) -> float:
        if not self._counts or len(self._counts) < 2:
            return 0.0
        (since, before), (now, total) = self._counts[0], self._counts[-1]
        return (total - before) / (now - since).total_seconds()

    def copied(self) -> str:
        """The match that was gone to, or else the lines in view, in full."""
        if self._hit is not None and self._hit >= self.rows.first:
            return self.rows.rows[self._hit - self.rows.first][0].text
        top = self.scroll_offset.y
        seen = range(top, min(top + self.size.height, len(self.rows.rows)))
        return "\n".join(plain(self.line(y)).strip() for y in seen)

    @property
    def routine_in_view(self) -> str | None:
        """The routine of the match that was gone to, or of the newest line in view."""
        rows = self.rows.rows
        at = self.scroll_offset.y + self.size.height - 1 if self._hit is None else self._hit - self.rows.first
        return rows[min(at, len(rows) - 1)][0].routine_id or None if rows else None

    # ---- lines

    def line_count(self) -> int:
        return len(self.rows.rows) or len(self._nothing())

    def content_width(self) -> int:
        return 0 if self._wrap else self._head() + self.rows.widest

    def line(self, y: int) -> Line:
        rows = self.rows
        if not rows.rows:
            return self._nothing()[y]
        row = rows.rows[y]
        entry, start, end = row
        role = LEVEL_ROLES.get(entry.level, "text")
        head = self._head()
        if entry.level == GAP:
            return ((" " * head + entry.text, "warning"),)
        spans: list[Span]
        if entry.first and start == 0:
            level = LEVEL_WORDS.get(entry.level, entry.level)
            spans = [
                (f" {clock_time(entry.timestamp, self._zone)} ", "muted"),
                (fit(level, 7), role if role != "text" else "muted"),
                (fit(entry.routine_id or "-", head - _HEAD) + " ", "strong"),
            ]
        else:
            spans = [(" " * head, "text")]
        if rows.needle:
            spans += self._marked(row, role, y + rows.first == self._hit)
        else:
            spans.append((entry.text[start:end], role))
        return spans

    def _nothing(self) -> list[Line]:
        """What stands here while no line does: what hides them, and the keys that end it."""
        kept = self.rows.kept
        if not kept or not self.filters:
            return [((" nothing logged", "muted"),)]
        hide = f"hide{'s' * (len(self.filters) == 1)} {kept:,} line{'s' * (kept != 1)}"
        said = [f"{' and '.join(self.filters)} {hide}", f"{key_named('back').shown} shows them"]
        return [((f" {part}", "muted"),) for each in said for part in wrap(each, max(self.columns - 1, 8))]

    def _head(self) -> int:
        """How many columns stand before the text."""
        return _HEAD + (_ROUTINE if self.columns >= _ROOMY else _ROUTINE_NARROW)

    def _marked(self, row: Row, role: str, here: bool) -> list[Span]:
        """The text of a row with what is looked for marked."""
        entry, start, end = row
        spans: list[Span] = []
        at = start
        for first, last in self.rows.matches(entry.text):
            first, last = max(first, start), min(last, end)
            if first < last:
                spans += [(entry.text[at:first], role)] if first > at else []
                spans.append((entry.text[first:last], "match-here" if here else "match"))
                at = last
        return [*spans, (entry.text[at:end], role)]

    def _settle(self, gone: int) -> None:
        """After lines came and went: stay at the end, or on the lines that are being read."""
        top = self.scroll_offset.y
        with self._scrolling():
            # Where there are fewer lines than before, for one that was not ended has been wiped away.
            self.lines_changed()
        if self._follow:
            self._scroll(self.max_scroll_y)
        elif gone and top:
            self._scroll(max(0, top - gone))
        elif gone:
            self.refresh()

    def _scroll(self, y: int) -> None:
        with self._scrolling():
            # By force: the scrollbar comes a moment after the lines that need it.
            self.scroll_to(y=y, animate=False, force=True)

    @contextmanager
    def _scrolling(self) -> Iterator[None]:
        """What scrolls in the block is not the user."""
        self._own_scroll = True
        try:
            yield
        finally:
            self._own_scroll = False

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if not self._own_scroll and round(old_value) != round(new_value):
            self._set_follow(new_value >= self.max_scroll_y)

    def on_resize(self) -> None:
        if self._wrap and self.rows.columns != self._text_columns():
            self._arrange()
        self.lines_changed()
        if self._follow:
            self._scroll(self.max_scroll_y)

    def _text_columns(self) -> int:
        return max(10, self.columns - self._head())

    def _set_follow(self, follow: bool) -> None:
        if follow != self._follow:
            self._follow = follow
            self.post_message(self.Changed())

    def _arrange(self, *, level: int | None = None, routine: tuple[str | None] | None = None) -> None:
        """Show others of the lines, or the same otherwise; the one that is read stays in view."""
        rows = self.rows
        top = self.scroll_offset.y
        reading = rows.rows[top][0].sequence if top < len(rows.rows) else 0
        found = rows.rows[self._hit - rows.first][0].sequence if self._hit is not None else None
        rows.arrange(level=level, routine=routine, columns=self._text_columns() if self._wrap else 0)
        self._hit = None
        if found is not None:
            row = rows.first + rows.row_at(found)
            # A match may stand in a later row of its message.
            self._hit = row if rows.is_hit(row) else rows.next_hit(row)
        self.lines_changed()
        self.refresh()
        self._scroll(self.max_scroll_y if self._follow else rows.row_at(reading))
        self.post_message(self.Changed())

    # ---- searching

    @property
    def filter(self) -> Filter:
        """What is looked for, in the form of a filter with one term."""
        needle = self.rows.needle
        return Filter(needle, (Term("", needle, True),) if needle else ())

    def set_filter(self, text: str) -> None:
        """Look for `text`, and go to where it stands next; every change is given as it is typed."""
        rows = self.rows
        start = rows.first + (len(rows.rows) if self._follow else self.scroll_offset.y)
        if self._hit is not None:
            start = self._hit
        rows.search(text)
        self._hit = None
        # The first from where one reads, or else the last before.
        found = rows.next_hit(start - 1)
        self._go_to(found if found is None or found >= start else rows.next_hit(start, back=True))
        self.refresh()
        self.post_message(self.Changed())

    def _go_to(self, row: int | None) -> None:
        if row is None:
            return
        self._hit = row
        self._set_follow(False)
        y = row - self.rows.first
        top, height = self.scroll_offset.y, self.size.height
        if not top <= y < top + height:
            self._scroll(max(0, y - height // 2))
        text = self.rows.rows[y][0].text
        first = next(self.rows.matches(text), (0, 0))
        if not self._wrap:
            at = self._head() + width(text[: first[1]])
            self.scroll_to(x=at - self.columns // 2 if at > self.columns else 0, animate=False, force=True)
        self.refresh()
        self.post_message(self.Changed())

    def action_search_next(self) -> None:
        seen = self._hit_in_view()
        self._go_to(self.rows.next_hit(self.rows.first + self.scroll_offset.y - 1 if seen is None else seen))

    def action_search_previous(self) -> None:
        seen = self._hit_in_view()
        self._go_to(
            self.rows.next_hit(self.rows.first + self.scroll_offset.y if seen is None else seen, back=True)
        )

    def _hit_in_view(self) -> int | None:
        """The match that was gone to; once it is out of view the search goes on from what one reads."""
        top = self.rows.first + self.scroll_offset.y
        return self._hit if self._hit is not None and top <= self._hit < top + self.size.height else None

    # ---- keys

    def step_back(self) -> bool:
        """Show the lines of all levels and routines again; False where they are shown."""
        if not self.filters:
            return False
        self._arrange(level=0, routine=(None,))
        return True

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
        self._arrange(level=(self.rows.level + 1) % len(LEVELS))

    def action_routine(self) -> None:
        """Go on to the lines of the next routine, and after the last to those of all."""
        known: list[str | None] = [None, *self.rows.routines]
        self._arrange(routine=(known[(known.index(self.rows.routine_id) + 1) % len(known)],))

    def action_wrap(self) -> None:
        """Break long lines, or let them run out to the right."""
        self._wrap = not self._wrap
        if self._wrap:
            self.scroll_to(x=0, animate=False, force=True)
        self._arrange()

    def text(self) -> str:
        """All lines that are shown, for tests and for copying."""
        return "\n".join(plain(self.line(y)).rstrip() for y in range(self.line_count()))

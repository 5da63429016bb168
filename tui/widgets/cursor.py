"""Lists with a chosen row. The choice is a key, not a position: it stays on its row when rows move."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final

from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Region
from textual.message import Message

from tui.keys import bindings_of
from tui.spans import Line, Span, plain
from tui.widgets.lines import LinePane

MARK: Final[Span] = ("▌", "title")
NO_MARK: Final[Span] = (" ", "text")


class CursorPane(LinePane, inherit_bindings=False):
    """Rows of one or more lines, one of them chosen.

    A subclass answers `row_count`, `row_key` and `row_line`, and where rows take several lines also
    `line_count`, `row_of_line` and `lines_of_row`. After its rows changed it calls `rows_changed`.
    The first column belongs to the mark of the chosen row.
    """

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("list")]
    SCOPES: ClassVar[frozenset[str]] = frozenset({"list"})

    class Moved(Message):
        """Another row is chosen; `key` is None where there is none."""

        def __init__(self, pane: CursorPane, key: str | None) -> None:
            super().__init__()
            self.pane = pane
            self.key = key

        @property
        def control(self) -> CursorPane:
            return self.pane

    class Entered(Message):
        """The chosen row was opened, by enter or by a double click."""

        def __init__(self, pane: CursorPane, key: str) -> None:
            super().__init__()
            self.pane = pane
            self.key = key

        @property
        def control(self) -> CursorPane:
            return self.pane

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._chosen: str | None = None
        # What was chosen last by somebody; and the same while there are no rows, for when they come back.
        self._meant: str | None = None
        self._missed: str | None = None
        # The row of _chosen when rows_changed last looked, or where it was before it vanished.
        self._at = 0

    # ---- what a subclass answers

    def row_count(self) -> int:
        raise NotImplementedError

    def row_key(self, row: int) -> str:
        raise NotImplementedError

    def row_line(self, y: int) -> Line:
        """A line without its first column."""
        raise NotImplementedError

    def row_of_key(self, key: str) -> int | None:
        """Where a key is now. Looks where it was first."""
        count = self.row_count()
        for row in (self._at, self._at + 1, self._at - 1):
            if 0 <= row < count and self.row_key(row) == key:
                return row
        return next((row for row in range(count) if self.row_key(row) == key), None)

    def text_of(self, key: str) -> tuple[str, Callable[[], str]] | None:
        """A title, and what writes the whole text of a row that has more to say. That may take long."""
        return None

    def row_of_line(self, y: int) -> int:
        return y

    def lines_of_row(self, row: int) -> range:
        return range(row, row + 1)

    def line_count(self) -> int:
        return self.row_count()

    def line(self, y: int) -> Line:
        return (MARK if self._is_chosen(y) else NO_MARK, *self.row_line(y))

    def _is_chosen(self, y: int) -> bool:
        return self._chosen is not None and self.row_of_line(y) == self._at

    # ---- the choice

    @property
    def chosen(self) -> str | None:
        """The key of the chosen row."""
        return self._chosen

    @property
    def chosen_row(self) -> int | None:
        return self._at if self._chosen is not None else None

    def choose(self, key: str | None) -> bool:
        """Choose a row by its key and bring it into view; False where there is no such row."""
        row = self.row_of_key(key) if key is not None else None
        if row is None:
            return False
        self._go(row)
        return True

    def rows_changed(self) -> None:
        """The rows are others now: keep the choice on its key, else on the row that took its place."""
        count = self.row_count()
        old_chosen, old_at = self._chosen, self._at
        kept = self._chosen if self._chosen is not None else self._missed
        self._missed = None if count else self._meant
        row = self.row_of_key(kept) if kept is not None else None
        if row is None:
            row = min(self._at, count - 1)
        self._chosen = self.row_key(row) if count else None
        moved_by = max(row, 0) - self._at
        self._at = max(row, 0)
        self.lines_changed()
        if moved_by and self._chosen == old_chosen:
            self._ride_along(old_at)
        if old_at != self._at or old_chosen != self._chosen:
            self._refresh_row(old_at)
            self._refresh_row(self._at)
        if self._chosen != old_chosen:
            self._show_row()
            self.post_message(self.Moved(self, self._chosen))

    def _ride_along(self, old_at: int) -> None:
        """Scroll with the chosen row when rows came or went above it, unless the top is in view."""
        top = self.scroll_offset.y
        height = self.size.height - self.head_lines
        was_seen = any(top <= y < top + height for y in self._lines_at(old_at))
        seen = any(top <= y < top + height for y in self._lines_at(self._at))
        if was_seen and (top > 0 or not seen):
            moved = self._lines_at(self._at).start - self._lines_at(old_at).start
            self.scroll_to(y=top + moved, animate=False)

    def _lines_at(self, row: int) -> range:
        return self.lines_of_row(row) if row < self.row_count() else range(row, row + 1)

    def _go(self, row: int) -> None:
        count = self.row_count()
        if not count:
            return
        row = min(max(row, 0), count - 1)
        key = self.row_key(row)
        old_at, old_chosen = self._at, self._chosen
        self._at, self._chosen, self._meant = row, key, key
        self._refresh_row(old_at)
        self._refresh_row(row)
        self._show_row()
        if key != old_chosen:
            self.post_message(self.Moved(self, key))

    def _refresh_row(self, row: int) -> None:
        if 0 <= row < self.row_count():
            lines = self.lines_of_row(row)
            self.refresh_lines(lines.start, len(lines))

    def _show_row(self) -> None:
        if self._chosen is not None and self.size.height:
            lines = self.lines_of_row(self._at)
            # Lines below the head are as much further down; the head must not hide the last ones.
            region = Region(0, lines.start, max(1, self.columns), len(lines) + self.head_lines)
            self.scroll_to_region(region, animate=False, force=True, x_axis=False)

    def overlay(self, y: int) -> Style | None:
        if y >= self.line_count() or not self._is_chosen(y):
            return None
        # Only what the cursor's style says itself: it is laid over the roles' own.
        return self.overlay_of("cursor" if self.has_focus else "cursor-blurred")

    def on_focus(self) -> None:
        self._refresh_row(self._at)

    def on_blur(self) -> None:
        self._refresh_row(self._at)

    def on_resize(self) -> None:
        self.lines_changed()
        self._show_row()

    def copied(self) -> str | Callable[[], str]:
        """What is copied where nothing is selected: the chosen row."""
        if self._chosen is None:
            return ""
        return "\n".join(plain(self.row_line(y)).strip() for y in self.lines_of_row(self._at))

    # ---- keys and mouse

    def action_up(self) -> None:
        self._go(self._at - 1)

    def action_down(self) -> None:
        self._go(self._at + 1)

    def action_top(self) -> None:
        self._go(0)

    def action_bottom(self) -> None:
        self._go(self.row_count() - 1)

    @property
    def _page(self) -> int:
        return max(1, self.size.height - self.head_lines - 1)

    def action_page_up(self) -> None:
        self._go(self._at - self._page)

    def action_page_down(self) -> None:
        self._go(self._at + self._page)

    def action_enter(self) -> None:
        if self._chosen is not None:
            self.post_message(self.Entered(self, self._chosen))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        y = offset.y + self.scroll_offset.y - self.head_lines
        if offset.y < self.head_lines:
            self.head_clicked(offset.x)
        elif y < self.line_count() and not self.row_clicked(self.row_of_line(y), offset.x, event):
            self._go(self.row_of_line(y))
            if event.chain == 2:
                self.action_enter()

    def head_clicked(self, x: int) -> None:
        """The head was clicked, `x` columns from its left edge."""

    def row_clicked(self, row: int, x: int, event: events.Click) -> bool:
        """A row was clicked, `x` columns from its left edge.

        True where that has been dealt with; otherwise the row is chosen.
        """
        return False

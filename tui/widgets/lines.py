"""Panes of lines on Textual's line API: only what is seen is made, only what differs is painted."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.style import Style
from textual.binding import BindingType
from textual.content import Content
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from tui.keys import bindings_of
from tui.spans import BLANK, Line, clean, line_width, plain, strip_of
from tui.widgets.roles import Roles


class LinePane(Roles, ScrollView, can_focus=True, inherit_bindings=False):
    """Lines one can scroll through and select text from with the mouse.

    A subclass answers `line_count` and `line(y)`, and calls `lines_changed` when their answers may
    have changed. Lines are cut at the right edge unless the subclass answers a `content_width`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("lines")]
    SCOPES: ClassVar[frozenset[str]] = frozenset({"lines"})
    # What a text is for that is typed for it, where it takes one.
    PURPOSE: ClassVar[str] = "filter"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        # What was painted last, by line; says which lines a new picture changes.
        self._painted: dict[int, Line] = {}
        self._painted_head: dict[int, Line] = {}
        # Full paints of one line, for tests that count them.
        self.lines_painted = 0

    # ---- what a subclass answers

    def line_count(self) -> int:
        raise NotImplementedError

    def line(self, y: int) -> Line:
        raise NotImplementedError

    def content_width(self) -> int:
        """How wide the widest line is, where the pane scrolls sideways; 0 where lines are cut."""
        return 0

    def overlay(self, y: int) -> Style | None:
        """What is laid over the roles of a line; None for nothing."""
        return None

    @property
    def words(self) -> str:
        """What it says of itself where the border of the job's pane has room."""
        return ""

    @property
    def head_lines(self) -> int:
        """How many lines stand above the others and do not scroll."""
        return 0

    def head_line(self, y: int) -> Line:
        raise NotImplementedError

    # ---- what a subclass calls

    @property
    def columns(self) -> int:
        """How wide a line may be; the column of the scrollbar is always kept free."""
        return self.scrollable_content_region.width

    def lines_changed(self) -> None:
        """Paint what differs from what was painted last."""
        count, head = self.line_count(), self.head_lines
        self._extend_to(Size(self.content_width(), count + head))
        for y in range(head):
            if self._painted_head.get(y) != tuple(self.head_line(y)):
                self.refresh(Region(0, y, self.size.width, 1))
        if head != len(self._painted_head):
            self._painted_head.clear()
            self.refresh()
        top = self.scroll_offset.y
        for y in range(top, top + self.size.height - head):
            line = self.line(y) if y < count else BLANK
            if self._painted.get(y) != tuple(line):
                self.refresh_line(y)
        # Some panes learn how wide their lines are only when they make them.
        self._extend_to(Size(self.content_width(), count + head))

    def refresh_lines(self, y_start: int, line_count: int = 1) -> None:
        # The head stands above the lines.
        super().refresh_lines(y_start + self.head_lines, line_count)

    def refresh_line(self, y: int) -> None:
        super().refresh_line(y + self.head_lines)

    def _extend_to(self, size: Size) -> None:
        """Have so much to scroll through.

        Assigning `virtual_size` would lay the whole screen out anew, for every line of a log. But nothing of
        it depends on how long a pane's text is, other than the pane's own scrollbars; and one of those that
        comes or goes asks for a layout itself.
        """
        if size != self.virtual_size:
            self.set_reactive(LinePane.virtual_size, size)
            self._scroll_update(size)

    # ---- painting

    def render_line(self, y: int) -> Strip:
        x, top = self.scroll_offset
        head = self.head_lines
        if y < head:
            self._painted_head[y] = tuple(self.head_line(y))
            return strip_of(self._painted_head[y], self.style_of, self.columns)
        at = top + y - head
        line = self.line(at) if at < self.line_count() else BLANK
        if y == head and len(self._painted) > 4 * self.size.height:
            self._painted.clear()
        self._painted[at] = tuple(line)
        self.lines_painted += 1
        columns = max(self.columns, self.content_width())
        strip = strip_of(line, self.style_of, columns, self.overlay(at))
        selection = self.text_selection
        if selection is not None:
            strip = self._with_selection(strip, selection, at)
        return strip.crop(x, x + self.columns).apply_offsets(x, at)

    def _with_selection(self, strip: Strip, selection: Selection, y: int) -> Strip:
        span = selection.get_span(y)
        if span is None:
            return strip
        start, end = span
        text = strip.text
        end = len(text) if end == -1 else min(end, len(text))
        start = min(start, end)
        cells = [strip.index_to_cell_position(index) for index in (start, end)]
        before, inside, after = strip.divide([*cells, strip.cell_length])
        marked = inside.apply_style(self.screen.get_component_rich_style("screen--selection"))
        return Strip.join([before, marked, after])

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        text = "\n".join(plain(self.line(y)) for y in range(self.line_count()))
        return selection.extract(text), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        self.refresh()

    def copied(self) -> str | Callable[[], str]:
        """What is copied where nothing is selected: all of it, or what writes it, which may take long."""
        return "\n".join(plain(self.line(y)).strip() for y in range(self.line_count())).strip()

    # ---- moving

    def action_up(self) -> None:
        self.scroll_relative(y=-1, animate=False)

    def action_down(self) -> None:
        self.scroll_relative(y=1, animate=False)

    def action_left(self) -> None:
        self.scroll_relative(x=-8, animate=False)

    def action_right(self) -> None:
        self.scroll_relative(x=8, animate=False)

    def action_top(self) -> None:
        self.scroll_to(y=0, animate=False)

    def action_bottom(self) -> None:
        self.scroll_to(y=self.max_scroll_y, animate=False)

    def action_page_up(self) -> None:
        self.scroll_relative(y=-max(1, self.size.height - 1), animate=False)

    def action_page_down(self) -> None:
        self.scroll_relative(y=max(1, self.size.height - 1), animate=False)

    # ---- the border

    def set_title(self, title: str, subtitle: str = "") -> None:
        """The border's texts. They may hold anything; what did not change is not painted again."""
        texts = (clean(title), clean(subtitle))
        if texts != getattr(self, "_titles", None):
            self._titles = texts
            self.border_title = Content(texts[0]).markup
            self.border_subtitle = Content(texts[1]).markup


class TextPane(LinePane):
    """Lines that are made all at once, for texts of some hundred lines."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: list[Line] = []
        self._widest = 0

    def line_count(self) -> int:
        return len(self._lines)

    def line(self, y: int) -> Line:
        return self._lines[y]

    def content_width(self) -> int:
        return self._widest

    def set_lines(self, lines: list[Line], *, sideways: bool = False) -> None:
        """Show these lines; `sideways` lets one scroll to what does not fit."""
        self._lines = lines
        self._widest = max((line_width(line) for line in lines), default=0) if sideways else 0
        self.lines_changed()

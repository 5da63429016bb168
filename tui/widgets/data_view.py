"""What a job holds, as a tree one unfolds: parameters, shared data, routine states, queued items."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import tzinfo
from functools import partial
from typing import Any, ClassVar

from textual.binding import BindingType

from tui.formats import one_line, pretty
from tui.job_data import roots_of
from tui.keys import bindings_of
from tui.pictures import JobData
from tui.readings import Readings
from tui.spans import Line, Span, cut, line_width
from tui.tree import FIRST, MORE, Branch, Node, Path, children, has_children, kind_words, rows_of
from tui.widgets.cursor import CursorPane


class DataView(CursorPane):
    """The Data tab. The key of a row is its path in the tree, so that the choice stays where it is."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("tree")]
    SCOPES: ClassVar[frozenset[str]] = frozenset({"list", "tree"})

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._zone: tzinfo | None = None
        self._data: JobData | None = None
        self._rows: list[Node] = []
        # What was unfolded or folded by hand; everything else is as `_is_open` says.
        self._opened: dict[Path, bool] = {}
        # Of which containers more than the first elements are shown.
        self._shown: dict[Path, int] = {}
        # By path, value and room: another value in its place is another text.
        self._texts = Readings(self._text_came, most=2_000, keeps_all=False)

    # ---- what it is given

    def clear(self, zone: tzinfo | None) -> None:
        """Another job is chosen. What was unfolded in one is likely wanted in the next."""
        self._zone = zone
        self._texts.clear()
        self.show(None)

    def show(self, data: JobData | None) -> None:
        """The job's data now."""
        self._data = data
        self._texts.values_may_differ()
        self._build()

    def _text_came(self, key: Hashable) -> None:
        self.lines_changed()

    def _build(self) -> None:
        roots = roots_of(self._data, self._zone) if self._data is not None else []
        self._rows = rows_of(roots, self._is_open, self._shown)
        self.rows_changed()

    def _is_open(self, path: Path, value: Any) -> bool:
        opened = self._opened.get(path)
        return len(path) == 1 if opened is None else opened

    # ---- rows

    def row_count(self) -> int:
        return len(self._rows)

    def row_key(self, row: int) -> str:
        return repr(self._rows[row].path)

    def line_count(self) -> int:
        return len(self._rows) or 1

    def line(self, y: int) -> Line:
        return super().line(y) if self._rows else ((" nothing to show", "muted"),)

    def row_line(self, y: int) -> Line:
        node = self._rows[y]
        mark = " " if node.open is None else "▾" if node.open else "▸"
        spans: list[Span] = [("  " * node.depth + mark + " ", "muted")]
        room = self.columns - 1 - line_width(spans)
        if node.note:
            return (*spans, (cut(node.note, room), "muted"))
        value = node.value
        if type(value) is Branch:
            # An empty one has nothing to unfold, and says so.
            words = kind_words(value) if value.children or value.count else "none"
            title = "title" if node.depth == 0 else "strong"
            return (
                *spans,
                (cut(node.label, room), title),
                (cut(f" {words} {value.note}".rstrip(), 60), "muted"),
            )
        label = cut(node.label, max(12, room // 2))
        spans.append((label, "title" if node.depth == 0 else "key"))
        spans.append((": ", "muted"))
        rest = max(self.columns - 1 - line_width(spans), 0)
        if node.open:
            return (*spans, (cut(kind_words(value), rest), "muted"))
        key = (node.path, id(value), rest)
        text = self._texts.of(key, partial(one_line, value, rest + 20)).text
        return (*spans, (cut(text, rest), "text"))

    @property
    def words(self) -> str:
        return "enter unfolds" if self._rows else ""

    def text_of(self, key: str) -> tuple[str, Callable[[], str]] | None:
        """A title, and what writes the whole text of one row, as far as it is written."""
        row = self.row_of_key(key)
        if row is None:
            return None
        node = self._rows[row]
        return node.label, partial(str, node.note) if node.note else partial(_whole, node.value)

    def copied(self) -> str | Callable[[], str]:
        """All of the value of the chosen row."""
        text = self.text_of(self.chosen) if self.chosen is not None else None
        return "" if text is None else text[1]

    # ---- keys

    def action_enter(self) -> None:
        """Unfold or fold the row, show more of what was cut, or the whole of a value in a window."""
        if self.chosen_row is None:
            return
        node = self._rows[self.chosen_row]
        if node.more:
            path = node.path[:-1]
            self._shown[path] = self._shown.get(path, FIRST) + MORE
            self._build()
        elif node.open is None:
            super().action_enter()
        else:
            self._fold(node.path, not node.open)

    def _fold(self, path: Path, open_it: bool) -> None:
        self._opened[path] = open_it
        self._build()
        self.refresh()

    def action_fold(self) -> None:
        """Fold the row; of one that cannot be, what it is in."""
        if self.chosen_row is None:
            return
        node = self._rows[self.chosen_row]
        path = node.path if node.open else node.path[:-1]
        if path:
            self._fold(path, False)
            self.choose(repr(path))

    def action_unfold(self) -> None:
        """Unfold the row, and all that is in it."""
        if self.chosen_row is None:
            return
        node = self._rows[self.chosen_row]
        if node.open is None:
            return
        self._opened[node.path] = True
        if type(node.value) is Branch:
            self._opened.update({(*node.path, name): True for name, _ in node.value.children[:FIRST]})
        else:
            try:
                for at, (name, child) in zip(range(FIRST), children(node.value), strict=False):
                    if has_children(child):
                        self._opened[*node.path, (at, name)] = True
            except RuntimeError:
                pass  # it changed while it was read, and is unfolded as far as that
        self._build()
        self.refresh()


def _whole(value: Any) -> str:
    """A text as it is; everything else as Python would write it."""
    if type(value) is Branch:
        return "\n".join(f"{name}: {pretty(each, 20_000)}" for name, each in value.children[:FIRST])
    return value[:200_000] if type(value) is str else pretty(value)

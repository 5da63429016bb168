"""A text one goes through line by line: lines that can be folded, opened, copied, edited."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from rich.style import Style

from tui.doc_rows import DocRow
from tui.spans import Line, plain
from tui.widgets.cursor import NO_MARK, CursorPane


class DocPane(CursorPane):
    """Rows of one line each. A subclass makes them in `rows`, and calls `write` when they are others."""

    ALLOW_SELECT = True

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._rows: list[DocRow] = []
        # What was folded or unfolded by hand; all else is as `make_rows` would have it.
        self.folded: dict[str, bool] = {}

    def make_rows(self, columns: int) -> Sequence[DocRow]:
        """The rows, each of at most `columns`."""
        raise NotImplementedError

    def write(self) -> None:
        """Make the rows anew, and paint what differs."""
        self._rows = list(self.make_rows(max(self.columns - 2, 20)))
        self.rows_changed()

    def on_resize(self) -> None:
        self.write()
        super().on_resize()

    # ---- rows

    def row_count(self) -> int:
        return len(self._rows)

    def row_key(self, row: int) -> str:
        return self._rows[row].key

    def line(self, y: int) -> Line:
        # Where one is not, one reads a text and not a list.
        return super().line(y) if self.has_focus else (NO_MARK, *self.row_line(y))

    def overlay(self, y: int) -> Style | None:
        return super().overlay(y) if self.has_focus else None

    def row_line(self, y: int) -> Line:
        return self._rows[y].line

    @property
    def row(self) -> DocRow | None:
        """The row under the cursor."""
        return self._rows[self._at] if self.chosen is not None and self._at < len(self._rows) else None

    def copied(self) -> str:
        """What is copied where nothing is selected."""
        return (self.row.copies or plain(self.row.line).strip()) if self.row is not None else ""

    def text_of(self, key: str) -> tuple[str, Callable[[], str]] | None:
        row = self.row_of_key(key)
        whole = self._rows[row].whole if row is not None else None
        return None if whole is None else (whole[0], partial(str, whole[1]))

    # ---- keys

    def action_enter(self) -> None:
        """Fold or unfold, or show all of what the row is about."""
        row = self.row
        if row is not None and row.folds:
            self.folded[row.folds] = not self.folded.get(row.folds, self.is_folded(row.folds))
            self.write()
            self.refresh()
        else:
            super().action_enter()

    def is_folded(self, name: str) -> bool:
        """Whether something is folded that nobody has touched."""
        return False

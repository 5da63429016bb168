"""What each save did: the loads of the flow folder, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from routilux.loading import LoadRecord
from tui.reload_rows import LoadRow, lasting, place_of, rows_of
from tui.spans import Line, wrap
from tui.widgets.cursor import CursorPane


class ReloadList(CursorPane):
    """Pane 2. While nobody looks into it, its newest row is the chosen one."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, classes="pane")
        self._loads: Sequence[LoadRecord] = ()
        self._zone: tzinfo | None = None
        self._watched = True
        self._importing: tuple[str, ...] = ()
        # The rows of each load that is shown, made once for as long as it lasts, and once for after.
        self._made: dict[tuple[int, bool], list[LoadRow]] = {}
        self._rows: list[LoadRow] = []
        # The first line of each row, and one more for the end of the last.
        self._starts: list[int] = [0]
        self._row_at: list[int] = []

    def show(
        self,
        loads: Sequence[LoadRecord],
        zone: tzinfo | None,
        *,
        watched: bool = True,
        importing: tuple[str, ...] = (),
    ) -> None:
        """The loads, oldest first, with times in `zone`; `watched` says whether more are to come, and
        `importing` which files are being imported now."""
        self._watched = watched
        newest = loads[-1].generation if loads else 0
        self.set_title("2 Reloads", f"g{newest}" if newest else "")
        if loads is self._loads and (zone, importing) == (self._zone, self._importing):
            return
        if zone != self._zone:
            self._made.clear()
        self._loads, self._zone, self._importing = loads, zone, importing
        last = lasting(loads, importing)
        keys = [(id(load), id(load) in last) for load in loads]
        self._made = {
            key: self._made.get(key) or rows_of(load, zone, lasts=key[1])
            for key, load in zip(keys, loads, strict=True)
        }
        self._rows = [row for key in reversed(keys) for row in self._made[key]]
        self._starts, self._row_at = [0], []
        for number, row in enumerate(self._rows):
            self._row_at += [number] * len(row.lines)
            self._starts.append(self._starts[-1] + len(row.lines))
        if self._rows and not self.has_focus:
            self._chosen, self._at = None, 0
            self.scroll_to(y=0, animate=False)
        self.rows_changed()

    @property
    def row(self) -> LoadRow | None:
        """The chosen row."""
        return self._rows[self._at] if self.chosen is not None and self._at < len(self._rows) else None

    @property
    def place(self) -> tuple[str, int] | None:
        """The file, relative to the folder, and the line that the chosen row leads to."""
        return None if self.row is None else place_of(self.row)

    # ---- rows

    def row_count(self) -> int:
        return len(self._rows)

    def row_key(self, row: int) -> str:
        return self._rows[row].key

    def row_of_line(self, y: int) -> int:
        return self._row_at[y]

    def lines_of_row(self, row: int) -> range:
        return range(self._starts[row], self._starts[row + 1])

    def line_count(self) -> int:
        return len(self._row_at) or len(self._nothing())

    def line(self, y: int) -> Line:
        return super().line(y) if self._row_at else self._nothing()[y]

    def row_line(self, y: int) -> Line:
        number = self._row_at[y]
        return self._rows[number].lines[y - self._starts[number]].fitted(self.columns - 1)

    def _nothing(self) -> list[Line]:
        said = (
            "What a save changes is told here."
            if self._watched
            else "The folder was loaded once: --no-reload."
        )
        return [((f" {part}", "muted"),) for part in wrap(said, max(self.columns - 2, 8))]

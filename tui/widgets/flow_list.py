"""The flows of the folder, with how many of their jobs are in which state, and the files that are broken."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from routilux.loading import LoadError
from routilux.status import ExecutionStatus
from tui.filters import Filter, parse_filter
from tui.glyphs import count_spans
from tui.keys import key_named
from tui.pictures import Catalogue, FlowPicture
from tui.spans import BLANK, Line, cut, fit, line_width, wrap
from tui.widgets.cursor import CursorPane

FIELDS: Final = frozenset({"flow", "file"})
# Flow and file names cannot hold it, so that keys of flows and of files never meet.
_FILE: Final = "\0"
_DONE: Final = frozenset({ExecutionStatus.COMPLETED, ExecutionStatus.CANCELLED})


class FlowList(CursorPane):
    """Pane 1. The key of a flow is its name."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, classes="pane")
        self._catalogue = Catalogue(Path())
        self._rows: list[FlowPicture | LoadError] = []
        # The first line of each row, and one more for the end of the last.
        self._starts: list[int] = [0]
        self._row_at: list[int] = []
        self._counts: Mapping[str, Mapping[ExecutionStatus, int]] = {}
        self._reruns: frozenset[str] = frozenset()
        self._filter = Filter()
        self._when_empty: list[Line] = []

    # ---- what it is given

    def show_catalogue(self, catalogue: Catalogue) -> None:
        """The folder was read."""
        self._catalogue = catalogue
        self._arrange()

    def show_when_empty(self, lines: list[Line]) -> None:
        """What stands here where the folder has no flows."""
        self._when_empty = lines
        self.lines_changed()

    def show_counts(self, counts: Mapping[str, Mapping[ExecutionStatus, int]]) -> None:
        """How many jobs of each flow are in which state."""
        self._counts = counts
        self.lines_changed()

    def show_reruns(self, flows: frozenset[str]) -> None:
        """The flows that run again on save."""
        self._reruns = flows
        self.lines_changed()

    @property
    def filter(self) -> Filter:
        return self._filter

    def set_filter(self, text: str) -> None:
        """What is chosen stays if it passes, unless there is a flow of just this name."""
        before = self.chosen
        self._filter = parse_filter(text, FIELDS)
        self._arrange()
        wanted = text.strip().lower()
        names = [row.name for row in self._rows if isinstance(row, FlowPicture)]
        same = [name for name in names if name.lower() == wanted]
        if same:
            self.choose(same[0])
        elif wanted and before is not None and self.row_of_key(before) is None:
            # What is named so rather than what is in a file that is named so.
            begin = [name for name in names if name.lower().startswith(wanted)]
            hold = [name for name in names if wanted in name.lower()]
            self.choose(next(iter([*begin, *hold, *names]), None))

    @property
    def chosen_flow(self) -> FlowPicture | None:
        row = self._chosen_item()
        return row if isinstance(row, FlowPicture) else None

    @property
    def chosen_file(self) -> LoadError | None:
        row = self._chosen_item()
        return row if isinstance(row, LoadError) else None

    def _chosen_item(self) -> FlowPicture | LoadError | None:
        return self._rows[self._at] if self.chosen is not None and self._at < len(self._rows) else None

    # ---- rows

    def _arrange(self) -> None:
        catalogue = self._catalogue
        rows: list[FlowPicture | LoadError] = [*catalogue.flows, *catalogue.broken]
        self._rows = [row for row in rows if self._passes(row)]
        self._starts, self._row_at = [0], []
        for number, row in enumerate(self._rows):
            lines = 1 if isinstance(row, FlowPicture) else 2
            self._row_at += [number] * lines
            self._starts.append(self._starts[-1] + lines)
        shown = sum(isinstance(row, FlowPicture) for row in self._rows)
        count = f"{shown}/{len(catalogue.flows)}" if self._filter else f"{len(catalogue.flows)}"
        broken = f" · {len(catalogue.broken)} broken" if catalogue.broken else ""
        importing = f" · {len(catalogue.importing)} importing" if catalogue.importing else ""
        self.set_title(f"1 Flows {count}{broken}{importing}", f"/{self._filter.text}" if self._filter else "")
        self.rows_changed()

    def _passes(self, row: FlowPicture | LoadError) -> bool:
        if not self._filter:
            return True
        name = row.name if isinstance(row, FlowPicture) else row.message
        return self._filter.passes({"flow": name.lower(), "file": row.path.lower()})

    def row_count(self) -> int:
        return len(self._rows)

    def row_key(self, row: int) -> str:
        item = self._rows[row]
        return item.name if isinstance(item, FlowPicture) else _FILE + item.path

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
        row = self._rows[number]
        columns = self.columns - 1
        if isinstance(row, FlowPicture):
            return self._flow_line(row, columns)
        if y == self._starts[number]:
            return (("✗ ", "failed"), (cut(f"{row.path} {row.kind}", columns - 2), "text"))
        where = "" if row.lineno is None else f"line {row.lineno} "
        return (("  " + cut(where + row.message, columns - 2), "failed"),)

    def _flow_line(self, flow: FlowPicture, columns: int) -> Line:
        counts = count_spans(self._counts.get(flow.name, {}), skip=_DONE)
        mark: Line = (("! ", "warning"),) if flow.hindrances else ()
        if flow.breakage is not None:
            mark = (("✗ ", "failed"),)
        again: Line = ((" ↻", "running"),) if flow.name in self._reruns else ()
        generation: Line = (*again, (f" g{flow.generation}", "muted")) if flow.generation else again
        gap = " " if counts else ""
        after: Line = (*generation, (gap, "text"), *counts)
        room = columns - line_width((*mark, *after))
        if room < 8:
            after = (*again, (gap, "text"), *counts)
            room = columns - line_width((*mark, *after))
        return (*mark, (fit(flow.name, max(room, 1)), "strong"), *after)

    def _nothing(self) -> list[Line]:
        columns = max(self.columns - 1, 8)
        if self._filter:
            said = wrap(f"No flow passes the filter /{self._filter.text}", columns)
            return [((f" {part}", "muted"),) for part in (*said, f"{key_named('back').first} clears it")]
        if self._catalogue.loading:
            return [((" reading the folder …", "muted"),)]
        nothing = " none yet" if self._catalogue.importing else " no flows"
        return self._when_empty or [((nothing, "muted"),), BLANK]

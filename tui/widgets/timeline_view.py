"""The activations of a job as bars over time, a lane per routine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message

from routilux.history import ExecutionRecord
from routilux.snapshot import JobSnapshot, RoutineSnapshot
from routilux.status import ExecutionStatus
from tui.formats import duration
from tui.glyphs import routine_look, routines_of
from tui.keys import bindings_of
from tui.spans import BLANK, Line, fit
from tui.timeline import Lane, Timeline
from tui.timeline_cells import Cells, Window, axis_line, fitting_step, ground, next_step
from tui.widgets.bars import LineBar
from tui.widgets.lines import LinePane

# Beyond so many activations at once a lane shows how many more there are.
_MOST_ROWS: Final = 12
# From so many columns on a lane says how often it ran and how long.
_ROOMY: Final = 100


class Lanes(LinePane):
    """The lanes themselves; they scroll under the time axis."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("timeline")]
    SCOPES: ClassVar[frozenset[str]] = frozenset({"lines", "timeline"})

    class Changed(Message):
        """Another part of the time is seen."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._snapshot: JobSnapshot | None = None
        self._timeline: Timeline | None = None
        self._now = 0.0
        # Seconds a column; None where all that is kept of the job is to be seen.
        self._step: float | None = None
        self._start = 0.0
        # Whether the newest stays in view.
        self._follow = True
        # A lane and a row of it for each line.
        self._rows: list[tuple[Lane, int]] = []
        # By routine and row: what is laid out already.
        self._cells: dict[tuple[str, int], Cells] = {}

    # ---- what it is given

    def clear(self) -> None:
        """Another job is chosen. The zoom stays behind: jobs differ by orders of magnitude."""
        self._snapshot = self._timeline = None
        self._step, self._start, self._follow = None, 0.0, True
        self._now = 0.0
        self._rows = []
        self._cells.clear()
        self.scroll_to(y=0, animate=False, force=True)
        self._changed()

    @property
    def next_sequence(self) -> int:
        """The number of the record to go on from."""
        return self._timeline.next if self._timeline is not None else 0

    def show(self, snapshot: JobSnapshot, records: Sequence[ExecutionRecord]) -> None:
        """The job now, and the records since `next_sequence`."""
        began = snapshot.summary.started_at
        if began is None:
            return
        if self._timeline is None or self._timeline.began != began:
            # A job that is carried on begins anew.
            self._timeline = Timeline(began)
        timeline = self._timeline
        timeline.add(records)
        self._snapshot = snapshot._replace(routines=routines_of(snapshot))
        self._now = snapshot.summary.elapsed + snapshot.summary.paused
        for routine in snapshot.routines:
            if routine.running_since is not None:
                since = (routine.running_since - began).total_seconds()
                timeline.running(routine.routine_id, since)
        if snapshot.status.is_final:
            timeline.stop(self._now, known=snapshot.status is not ExecutionStatus.INTERRUPTED)
        names = [routine.routine_id for routine in snapshot.routines]
        names += [name for name in timeline.lanes if name not in names]
        lanes = [timeline.lane(name) for name in names]
        self._rows = [(lane, row) for lane in lanes for row in range(min(len(lane.rows), _MOST_ROWS))]
        self._changed()

    def _changed(self) -> None:
        self.lines_changed()
        self.post_message(self.Changed())

    # ---- what it tells

    @property
    def words(self) -> str:
        """The scale, and what is not known, for the pane's border."""
        if self._timeline is None:
            return ""
        window = self.window()
        kept = self._timeline.kept_from
        whole = f"all since {duration(kept)}" if kept else "all"
        parts = [f"1 column = {_short(window.step)}", whole if self._step is None else "zoomed"]
        if self._step is not None and self._live:
            parts[1] = "FOLLOW" if self._follow else "stays"
        forgotten = sum(lane.forgotten for lane in self._timeline.lanes.values())
        parts.append(f"{self._timeline.missed:,} records dropped")
        if forgotten:
            parts.append(f"{forgotten:,} bars dropped")
        if any(len(lane.rows) > 1 for lane in self._timeline.lanes.values()):
            parts.append("overlaps end in the order they began")
        return " · ".join(parts)

    @property
    def _live(self) -> bool:
        return self._snapshot is not None and not self._snapshot.status.is_final

    @property
    def label_columns(self) -> int:
        """How wide the names of the lanes stand before the bars."""
        names = [len(lane.routine_id) for lane, _ in self._rows]
        return min(max(names, default=0) + 4, max(10, self.columns // 4))

    @property
    def _sum_columns(self) -> int:
        return 16 if self.columns >= _ROOMY else 0

    def window(self) -> Window:
        """What of the time is seen now."""
        columns = max(self.columns - self.label_columns - self._sum_columns - 1, 8)
        kept = self._timeline.kept_from if self._timeline is not None else 0.0
        # One column is for the part of it that the first begins with.
        whole = fitting_step(self._now - kept, columns - 1) if kept else fitting_step(self._now, columns)
        if self._step is None or self._step >= whole:
            return Window(int(kept / whole) * whole, whole, columns)
        span = self._step * columns
        # A few columns stay free to the right, so that one sees the newest grow.
        last = max(0.0, self._now - span + 2 * self._step)
        start = last if self._follow else min(max(self._start, 0.0), last)
        # In whole columns, so that what stands still does not flicker while time goes on.
        return Window(int(start / self._step) * self._step, self._step, columns)

    # ---- lines

    def line_count(self) -> int:
        return len(self._rows) or 1

    def line(self, y: int) -> Line:
        if not self._rows or self._timeline is None:
            return ((" nothing has run yet", "muted"),)
        lane, row = self._rows[y]
        window = self.window()
        gaps = self._timeline.gaps
        if lane.forgotten:
            gaps = [*gaps, (0.0, lane.forgotten_until)]
        cells = self._cells.get((lane.routine_id, row))
        if cells is None or not cells.fits(lane.rows[row], window):
            cells = self._cells[lane.routine_id, row] = Cells(lane.rows[row], window)
        bars = cells.line(lane.points if row == 0 else (), self._now, ground(window, gaps))
        return (*self._label(lane, row), *bars, *self._sum(lane, row))

    def _label(self, lane: Lane, row: int) -> Line:
        columns = self.label_columns
        if row:
            more = len(lane.rows) - _MOST_ROWS
            text = f"+{more}" if row == _MOST_ROWS - 1 and more > 0 else ""
            return ((fit(text, columns, right=True), "muted"),)
        state = self._routine(lane)
        look = routine_look(state.state if state is not None else "idle")
        return ((f" {look.glyph} ", look.role), (fit(lane.routine_id, columns - 4) + " ", "strong"))

    def _sum(self, lane: Lane, row: int) -> Line:
        state = self._routine(lane)
        if not self._sum_columns or row or state is None:
            return BLANK
        times = f"{state.activations:,}×"
        return ((f" {times:>7} {duration(state.time_in_logic):>6}", "muted"),)

    def _routine(self, lane: Lane) -> RoutineSnapshot | None:
        routines = self._snapshot.routines if self._snapshot is not None else ()
        return next((each for each in routines if each.routine_id == lane.routine_id), None)

    def axis(self) -> Line:
        """The time axis that belongs to what is seen."""
        if not self._rows:
            return BLANK
        return ((" " * self.label_columns, "text"), *axis_line(self.window()))

    # ---- moving through time

    def _see(self, start: float, step: float | None) -> None:
        self._step, self._start, self._follow = step, start, False
        window = self.window()
        if self._step is not None and window.step != self._step:
            self._step = None
        self._follow = window.end >= self._now
        self._changed()

    def _zoom(self, *, finer: bool, at: float | None = None) -> None:
        """Zoom, and keep what is seen at the fraction `at` of the window in its place."""
        window = self.window()
        if at is None:
            at = 1.0 if self._follow and self._live and self._step is not None else 0.5
        step = next_step(window.step, finer=finer)
        fixed = window.start + at * window.step * window.columns
        self._see(fixed - at * step * window.columns, step)

    def action_zoom_in(self) -> None:
        self._zoom(finer=True)

    def action_zoom_out(self) -> None:
        self._zoom(finer=False)

    def action_zoom_all(self) -> None:
        self._see(0.0, None)

    def action_left(self) -> None:
        self._pan(-0.25)

    def action_right(self) -> None:
        self._pan(0.25)

    def _pan(self, part: float) -> None:
        window = self.window()
        if self._step is not None:
            # To the end and no further; there it follows again.
            self._see(window.start + part * window.step * window.columns, self._step)

    def action_follow(self) -> None:
        """Let the newest stay in view, or let time go on without."""
        window = self.window()
        self._start = window.start
        self._follow = not self._follow
        self._step = window.step if self._step is None else self._step
        self._changed()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, finer=True)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, finer=False)

    def _wheel(self, event: events.MouseEvent, *, finer: bool) -> None:
        """With ctrl the wheel zooms to where the mouse is."""
        if event.ctrl:
            event.stop()
            event.prevent_default()
            window = self.window()
            at = (event.x - self.label_columns) / window.columns
            self._zoom(finer=finer, at=min(max(at, 0.0), 1.0))

    def on_resize(self) -> None:
        self._changed()


class TimelineView(Vertical):
    """The Timeline tab: the axis stays while the lanes scroll."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.axis = LineBar(id="axis")
        self.lanes = Lanes(id="lanes")

    def compose(self) -> ComposeResult:
        yield self.axis
        yield self.lanes

    def on_lanes_changed(self) -> None:
        self.axis.show(self.lanes.axis())


def _short(seconds: float) -> str:
    """The time of a column: `20 ms`, `1.5 s`, `5 min`."""
    for size, unit in ((86_400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"

"""The flow of a job, drawn with what each routine does now and how much waits in its slots."""

from __future__ import annotations

from textual.message import Message

from routilux.snapshot import JobSnapshot
from tui.glyphs import routine_look, routines_of
from tui.graph_lines import Layouts, States, graph_drawing
from tui.pictures import FlowPicture
from tui.spans import Line, Span
from tui.widgets.flow_view import graph_lines
from tui.widgets.lines import TextPane


class GraphView(TextPane):
    """The Graph tab. Where the drawing does not fit, the same is told as a tree."""

    class Changed(Message):
        """It is drawn in another size, perhaps in another way."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._flow: FlowPicture | None = None
        self._snapshot: JobSnapshot | None = None
        self._layouts: Layouts = {}
        self._drawn = False

    def show(self, flow: FlowPicture | None, snapshot: JobSnapshot | None) -> None:
        """The job's own flow, and where its routines stand now."""
        if flow is not self._flow:
            self._layouts.clear()
            self.scroll_to(y=0, animate=False)
        self._flow, self._snapshot = flow, snapshot
        self._write()

    def on_resize(self) -> None:
        self._write()
        self.post_message(self.Changed())

    @property
    def words(self) -> str:
        """What the drawing is, for the pane's border."""
        if self._flow is None:
            return ""
        count = len(self._flow.routines)
        routines = f"{count} routine{'s' * (count != 1)}"
        return routines if self._drawn else f"{routines} · as a tree: too wide to be drawn"

    def _write(self) -> None:
        if self._flow is None or self._snapshot is None:
            self.set_lines([])
            return
        states = {routine.routine_id: routine for routine in routines_of(self._snapshot)}
        columns = self.columns - 2
        ended = self._snapshot.status.is_final
        waiting = "left" if ended else "wait"
        lines = graph_drawing(self._flow, columns, states, self._layouts, waiting=waiting)
        self._drawn = lines is not None
        if lines is None:
            lines = list(live_tree(self._flow, states, columns, "left" if ended else "waiting"))
        self.set_lines([((" ", "text"), *line) for line in lines])


def live_tree(flow: FlowPicture, states: States, columns: int, waiting: str) -> list[Line]:
    """The tree of the Flow pane with a state before every routine, and behind its name how many items are
    `waiting`, in that word."""
    lines: list[Line] = []
    for line in graph_lines(flow, columns - 14):
        name = next((text for text, role in line if role == "strong"), None)
        state = states.get(name) if name is not None else None
        if state is None:
            lines.append(line)
            continue
        look = routine_look(state.state)
        spans: list[Span] = [(f"{look.glyph} ", look.role), *line[1:]]
        if state.waiting:
            full = any(slot.waiting >= slot.capacity for slot in state.slots)
            spans.append(
                (
                    f"  {state.waiting:,} {waiting}",
                    "warning" if full else "text",
                )
            )
        lines.append(spans)
    return lines

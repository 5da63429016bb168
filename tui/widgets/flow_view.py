"""Pane 3: what the chosen flow is made of, what it takes, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import tzinfo

from routilux.loading import LoadError, OutputLine
from routilux.params import ParameterField
from routilux.snapshot import RuntimeSnapshot
from routilux.validation import Finding
from tui.file_lines import breakage_lines, output_lines
from tui.flow_statistics import FlowStatistics, Statistics, statistics_lines
from tui.graph_lines import graph_drawing
from tui.parameters import default_words, type_words
from tui.pictures import FlowPicture, RoutinePicture, order_of
from tui.spans import BLANK, Line, Span, clean, clean_lines, cut, line_width, wrap
from tui.widgets.lines import TextPane

_LEVELS = {"error": ("✗", "failed"), "warning": ("!", "warning"), "info": ("i", "muted")}


class FlowView(TextPane):
    """Shows a flow, or why a file of the folder declares none."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, classes="pane")
        self._shown: FlowPicture | LoadError | None = None
        self._snapshot: RuntimeSnapshot | None = None
        self._statistics = FlowStatistics()
        # The statistics that were written last.
        self._written: Statistics | None = None
        self._output: Sequence[OutputLine] = ()
        self._zone: tzinfo | None = None

    def show(
        self,
        shown: FlowPicture | LoadError | None,
        output: Sequence[OutputLine] = (),
        zone: tzinfo | None = None,
    ) -> None:
        """The choice in the list of flows has changed, or what it stands for, or what its file put out."""
        if _name(shown) != _name(self._shown):
            self.scroll_to(y=0, animate=False)
        self._shown, self._output, self._zone = shown, output, zone
        self._write()

    def show_snapshot(self, snapshot: RuntimeSnapshot) -> None:
        """The jobs of this frame, of which those that have ended make the statistics."""
        self._snapshot = snapshot
        shown = self._shown
        if isinstance(shown, FlowPicture) and self._statistics.of(snapshot, shown.name) != self._written:
            self._write()

    def on_resize(self) -> None:
        self._write()

    def _write(self) -> None:
        columns = max(self.columns - 2, 16)
        if isinstance(self._shown, FlowPicture):
            self.set_title(f"3 {self._shown.name}", f"{self._shown.path}:{self._shown.lineno}")
            self._written = self._statistics.of(self._snapshot, self._shown.name)
            lines = flow_lines(self._shown, columns, self._written)
            broken = breakage_lines(self._shown, columns, self._zone)
            self._set([*broken, BLANK, *lines] if broken else lines, columns)
        elif self._shown is not None:
            self.set_title(f"3 {self._shown.path}", self._shown.kind)
            self._set(broken_lines(self._shown, columns), columns)
        else:
            self.set_title("3 Flow")
            self.set_lines([])

    def _set(self, lines: list[Line], columns: int) -> None:
        output = output_lines(self._output, columns)
        lines = [*lines, BLANK, *output] if output else lines
        self.set_lines([indented(line) for line in lines])


def _name(shown: FlowPicture | LoadError | None) -> str | None:
    return shown.name if isinstance(shown, FlowPicture) else None if shown is None else shown.path


def indented(line: Line) -> Line:
    return ((" ", "text"), *line)


def flow_lines(flow: FlowPicture, columns: int, statistics: Statistics | None = None) -> list[Line]:
    """Everything about a flow, on lines of at most `columns`."""
    lines: list[Line] = []
    if flow.description:
        for paragraph in clean_lines(flow.description.strip(), 40):
            lines += [((part, "text"),) for part in wrap(paragraph, columns)]
        lines.append(BLANK)
    serious = tuple(finding for finding in flow.findings if finding.level != "info")
    if serious:
        lines += [*findings_lines(serious, columns), BLANK]
    if statistics is not None:
        lines += [*statistics_lines(statistics, columns), BLANK]
    drawing = graph_drawing(flow, columns) if len(flow.routines) > 1 else None
    if drawing is not None:
        lines += [(("graph", "title"),), *drawing, BLANK]
    lines += [(("routines", "title"),), *graph_lines(flow, columns), BLANK, (("parameters", "title"),)]
    if flow.parameters:
        for field in flow.parameters:
            lines += parameter_lines(field, columns)
    elif not flow.described:
        lines.append((("are being read …", "muted"),))
    else:
        lines.append((("none" if flow.declared else "any: none are declared", "muted"),))
    remarks = tuple(finding for finding in flow.findings if finding.level == "info")
    if remarks:
        lines += [BLANK, (("remarks", "title"),), *findings_lines(remarks, columns)]
    return lines


def parameter_lines(field: ParameterField, columns: int) -> list[Line]:
    """A parameter's name, type and default, and under it what it is for."""
    lines: list[Line] = []
    name = clean(field.name)
    first, *rest = wrap(f"{name} {type_words(field)} · {default_words(field)}", columns, indent="  ")
    lines.append(((first[: len(name)], "strong"), (first[len(name) :], "muted")))
    lines += [((part, "muted"),) for part in rest]
    if field.description:
        lines += [(("  " + part, "text"),) for part in wrap(field.description, columns - 2)]
    return lines


def findings_lines(findings: tuple[Finding, ...], columns: int) -> list[Line]:
    """What validation found, the worst first, each with what to do."""
    lines: list[Line] = []
    for finding in findings:
        mark, role = _LEVELS[finding.level]
        said = wrap(f"{finding.level}: {finding.where}: {finding.message}", columns - 2)
        lines += [((f"{mark} " if at == 0 else "  ", role), (part, role)) for at, part in enumerate(said)]
        lines += [(("  " + part, "muted"),) for part in wrap(finding.remedy, columns - 2)]
    return lines


def broken_lines(broken: LoadError, columns: int) -> list[Line]:
    """Why a file declares no flows, and the traceback of its import."""
    where = "" if broken.lineno is None else f"line {broken.lineno}: "
    lines: list[Line] = [((part, "failed"),) for part in wrap(where + broken.message, columns)]
    if broken.blocked_by:
        lines += [((part, "muted"),) for part in wrap("mend that file first", columns)]
    if broken.traceback:
        lines.append(BLANK)
        for text in clean_lines(broken.traceback.rstrip(), 200):
            lines += [((part, "code"),) for part in wrap(text, columns, indent="    ")]
    return lines


def graph_lines(flow: FlowPicture, columns: int) -> Iterator[Line]:
    """The graph as text: the routines in the order items reach them, under each what it feeds.

    `▷` marks the entry, `↺` a connection that leads back up.
    """
    order = order_of(flow)
    place = {routine_id: index for index, routine_id in enumerate(order)}
    by_id = {routine.routine_id: routine for routine in flow.routines}
    fed = {connection.target_id for connection in flow.connections}
    for routine_id in order:
        routine = by_id[routine_id]
        yield _head(routine, columns, entry=routine_id == flow.entry, reached=routine_id in fed)
        edges = list(_edges(flow, by_id, routine, place))
        for at, spans in enumerate(edges):
            branch = "└ " if at == len(edges) - 1 else "├ "
            yield (("  " + branch, "muted"), *spans)


def _head(routine: RoutinePicture, columns: int, *, entry: bool, reached: bool) -> Line:
    spans: list[Span] = [("▷ " if entry else "  ", "running"), (routine.routine_id, "strong")]
    if routine.concurrency > 1:
        spans.append((f" ×{routine.concurrency}", "muted"))
    if not entry and not reached:
        spans.append((" (nothing leads here)", "warning"))
    room = columns - line_width(spans) - 2
    if routine.about and room >= 12:
        spans.append((f"  {cut(routine.about, room)}", "muted"))
    return spans


def _edges(
    flow: FlowPicture, by_id: dict[str, RoutinePicture], routine: RoutinePicture, place: dict[str, int]
) -> Iterator[Line]:
    for event in routine.events:
        targets = [c for c in flow.connections if (c.source_id, c.event_name) == (routine.routine_id, event)]
        if not targets:
            yield ((event, "text"), (" → nowhere", "muted"))
        for connection in targets:
            target = connection.target_id
            if len(by_id[target].slots) > 1:
                target += f".{connection.slot_name}"
            back = place[connection.target_id] <= place[routine.routine_id]
            yield ((event, "text"), (" ↺ " if back else " → ", "muted"), (target, "text"))

"""A flow drawn as boxes and lines, with the state of a job in it or without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from routilux.snapshot import RoutineSnapshot, SlotSnapshot
from tui.glyphs import routine_look
from tui.graph_layout import Layout, Spot, lay_out
from tui.pictures import FlowPicture, RoutinePicture
from tui.spans import Line, Span, clean, cut, width

# Lines of a cell: up, down, left, right.
_UP, _DOWN, _LEFT, _RIGHT = 1, 2, 4, 8
_LINES: Final = {
    _UP: "│", _DOWN: "│", _UP | _DOWN: "│", _LEFT: "─", _RIGHT: "─", _LEFT | _RIGHT: "─",
    _DOWN | _RIGHT: "╭", _DOWN | _LEFT: "╮", _UP | _RIGHT: "╰", _UP | _LEFT: "╯",
    _UP | _DOWN | _RIGHT: "├", _UP | _DOWN | _LEFT: "┤", _DOWN | _LEFT | _RIGHT: "┬",
    _UP | _LEFT | _RIGHT: "┴", 15: "┼",
}  # fmt: skip
_LONGEST: Final = 24
_LONGEST_NARROW: Final = 12

States = Mapping[str, RoutineSnapshot]


# By whether it is roomy: the flow and the widths of its boxes, and how they are laid out.
Layouts = dict[bool, tuple[FlowPicture, dict[str, int], Layout]]


def graph_drawing(
    flow: FlowPicture,
    columns: int,
    states: States | None = None,
    known: Layouts | None = None,
    *,
    waiting: str = "wait",
) -> list[Line] | None:
    """The drawing on at most so many columns, roomy or narrow; None where it fits in neither way.

    `waiting` is the word for what the items in the slots do.
    `known` keeps the layouts between two drawings of the same flow.
    """
    known = {} if known is None else known
    for roomy in (True, False):
        texts = {each.routine_id: _texts(flow, each, states, waiting, roomy=roomy) for each in flow.routines}
        widths = {name: max(_text_width(line) for line in lines) + 4 for name, lines in texts.items()}
        before = known.get(roomy)
        if before is not None and before[0] is flow and before[1] == widths:
            layout = before[2]
        else:
            layout = lay_out(flow, widths)
            known[roomy] = (flow, widths, layout)
        if layout.columns <= columns:
            return _Drawing(flow, layout, texts, states or {}, roomy=roomy).lines()
    return None


def _text_width(line: Line) -> int:
    return sum(width(text) for text, _ in line)


def _texts(
    flow: FlowPicture, routine: RoutinePicture, states: States | None, waiting: str, *, roomy: bool
) -> list[Line]:
    """What stands in the box of a routine."""
    name = cut(routine.routine_id, _LONGEST if roomy else _LONGEST_NARROW)
    spans: list[Span] = []
    state = states.get(routine.routine_id) if states is not None else None
    if state is not None:
        look = routine_look(state.state)
        spans.append((f"{look.glyph} ", look.role))
    elif routine.routine_id == flow.entry:
        spans.append(("▷ ", "running"))
    spans.append((name, "strong"))
    if routine.concurrency > 1 and roomy:
        spans.append((f" ×{routine.concurrency}", "muted"))
    if any(c.source_id == c.target_id == routine.routine_id for c in flow.connections):
        spans.append((" ↺", "code"))
    if state is None:
        return [spans]
    full = any(slot.waiting >= slot.capacity for slot in state.slots)
    if not roomy:
        return [[*spans, (f" {state.waiting:,}", "warning" if full else "muted")] if state.waiting else spans]
    runs = f"{state.activations:,} run{'s' * (state.activations != 1)}"
    # As wide with few items as with many, so that the drawing does not move while they come and go.
    count: Span = (
        f" · {state.waiting:>5,} {waiting}",
        "warning" if full else "text" if state.waiting else "muted",
    )
    return [spans, [(runs.rjust(10), "muted"), count]]


class _Drawing:
    """Lines of characters with a role each."""

    def __init__(
        self,
        flow: FlowPicture,
        layout: Layout,
        texts: Mapping[str, list[Line]],
        states: States,
        *,
        roomy: bool,
    ) -> None:
        self._flow = flow
        self._layout = layout
        self._texts = texts
        self._states = states
        self._roomy = roomy
        self._cells: list[list[Span]] = []
        # Directions of lines, and whether the way leads back up.
        self._bits: dict[tuple[int, int], int] = {}
        self._back: set[tuple[int, int]] = set()

    def lines(self) -> list[Line]:
        layout = self._layout
        inner = max((len(lines) for lines in self._texts.values()), default=1)
        tops: list[int] = []
        channels: list[int] = []
        y = 0
        for number in range(len(layout.channels)):
            channels.append(y)
            if layout.channels[number]:
                y += layout.tracks(number) + (2 if self._roomy else 1)
            if number < len(layout.layers):
                tops.append(y)
                y += inner + 2
        self._cells = [[(" ", "text")] * layout.columns for _ in range(y)]
        for number, channel in enumerate(layout.channels):
            self._channel(number, channels[number])
            for net in channel:
                if net.side is not None and net.spot is not None:
                    lower = self._turn(channels[number], net.track)
                    _, _, to = next(way for way in layout.ways if way[0] == net.side)
                    entering = [
                        each for each in layout.channels[to] if each.spot is None and each.side == net.side
                    ]
                    upper = min(self._turn(channels[to], each.track) for each in entering)
                    self._down(net.side, upper, lower, back=True)
        for layer, top in zip(layout.layers, tops, strict=True):
            for spot in layer:
                if not spot.name:
                    self._pass(spot, top, inner + 2)
        self._put_lines()
        for layer, top in zip(layout.layers, tops, strict=True):
            for spot in layer:
                if spot.name:
                    self._box(spot, top, inner)
        for number in range(len(layout.layers)):
            self._arrows(number, tops[number] - 1)
            if self._roomy:
                self._events(number, tops[number] + inner + 2)
        return [_joined(row) for row in self._cells]

    # ---- lines

    def _turn(self, top: int, track: int) -> int:
        return top + track + (1 if self._roomy else 0)

    def _channel(self, number: int, top: int) -> None:
        height = self._layout.tracks(number) + (2 if self._roomy else 1)
        for net in self._layout.channels[number]:
            back = net.side is not None
            ends = [spot.tops[slot] for spot, slot in net.targets]
            if net.track < 0:
                self._down(ends[0], top - 1, top + height, back=back)
                continue
            y = self._turn(top, net.track)
            self._across(min(net.columns()), max(net.columns()), y, back=back and not ends)
            if net.source is not None:
                self._down(net.source, top - 1, y, back=back and not ends)
            for end in ends:
                self._down(end, y, top + height, back=back and net.spot is None)

    def _pass(self, spot: Spot, top: int, height: int) -> None:
        """The way of a connection through a layer; it may step aside by a column on it."""
        entry, leave = spot.tops[""], spot.bottoms.get("", spot.tops[""])
        self._down(entry, top - 1, top + 1, back=False)
        if entry != leave:
            self._across(min(entry, leave), max(entry, leave), top + 1, back=False)
        self._down(leave, top + 1, top + height, back=False)

    def _down(self, x: int, start: int, end: int, *, back: bool) -> None:
        for y in range(start, end + 1):
            self._mark(x, y, (_UP if y > start else 0) | (_DOWN if y < end else 0), back)

    def _across(self, start: int, end: int, y: int, *, back: bool) -> None:
        for x in range(start, end + 1):
            self._mark(x, y, (_LEFT if x > start else 0) | (_RIGHT if x < end else 0), back)

    def _mark(self, x: int, y: int, bits: int, back: bool) -> None:
        if 0 <= y < len(self._cells) and 0 <= x < self._layout.columns:
            self._bits[x, y] = self._bits.get((x, y), 0) | bits
            if back:
                self._back.add((x, y))

    def _put_lines(self) -> None:
        for (x, y), bits in self._bits.items():
            if bits:
                self._cells[y][x] = (_LINES[bits], "code" if (x, y) in self._back else "edge")

    # ---- boxes and words

    def _box(self, spot: Spot, top: int, inner: int) -> None:
        state = self._states.get(spot.name)
        role = routine_look(state.state).role if state is not None else "box"
        last = spot.width - 2
        self._write(spot.x, top, (("┌" + "─" * last + "┐", role),))
        texts = self._texts[spot.name]
        for at in range(inner):
            text: Line = texts[at] if at < len(texts) else ()
            # One blank after the border; what is left over goes to the right.
            fill = last - 1 - _text_width(text)
            self._write(spot.x, top + 1 + at, (("│ ", role), *text, (" " * fill + "│", role)))
        self._write(spot.x, top + 1 + inner, (("└" + "─" * last + "┘", role),))
        for column in spot.bottoms.values():
            self._cells[top + 1 + inner][column] = ("┬", role)

    def _write(self, x: int, y: int, line: Line) -> None:
        for text, role in line:
            for char in text:
                self._cells[y][x] = (char, role)
                x += 1
                if width(char) == 2:
                    # The second column of a wide character.
                    self._cells[y][x] = ("", role)
                    x += 1

    def _arrows(self, number: int, y: int) -> None:
        for spot in self._layout.layers[number]:
            if not spot.name:
                continue
            state = self._states.get(spot.name)
            slots = {slot.name: slot for slot in state.slots} if state is not None else {}
            for name, column in spot.tops.items():
                slot = slots.get(name)
                waits = slot is not None and slot.waiting > 0
                role = "edge" if not waits else "warning" if _is_full(slot) else "strong"
                self._cells[y][column] = ("▼", role)
                many = sum(
                    each.routine_id == spot.name and len(each.slots) > 1 for each in self._flow.routines
                )
                depth = f"{slot.waiting:,}" if slot is not None and slot.waiting else ""
                words = [f" {name} {depth}".rstrip()] if many and self._roomy else []
                self._say(
                    column + 1, y, [*words, f" {depth}"] if depth else words, role if waits else "muted"
                )

    def _events(self, number: int, y: int) -> None:
        for spot in self._layout.layers[number]:
            if spot.name and y < len(self._cells):
                for name, column in spot.bottoms.items():
                    self._say(column + 1, y, [f" {name}"], "muted")

    def _say(self, x: int, y: int, choices: Sequence[str], role: str) -> None:
        """Write the first of the texts for which there is room."""
        row = self._cells[y]
        free = 0
        while x + free < len(row) and row[x + free][0] == " ":
            free += 1
        for text in choices:
            text = clean(text)
            if width(text) < free or (width(text) == free and x + free == len(row)):
                self._write(x, y, ((text, role),))
                return


def _is_full(slot: SlotSnapshot | None) -> bool:
    return slot is not None and slot.waiting >= slot.capacity


def _joined(row: list[Span]) -> Line:
    spans: list[Span] = []
    for text, role in row:
        if spans and spans[-1][1] == role:
            spans[-1] = (spans[-1][0] + text, role)
        else:
            spans.append((text, role))
    return spans

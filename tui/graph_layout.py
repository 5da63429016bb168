"""Where the routines and connections of a flow stand when it is drawn from top to bottom.

Routines stand in layers, each below all that feed it. A connection leaves at the bottom of its routine,
turns in the channel between two layers, and enters at the top of its target; one that passes a layer
goes through a gap there. Connections that lead back up go round on the right.

What leaves one event, and what enters one slot, shares a line. Lines of different ones never run over
one another: they only cross.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Final, NamedTuple

from tui.pictures import FlowPicture

GAP: Final = 3
_SWEEPS: Final = 8


@dataclass(eq=False)
class Spot:
    """What stands in a layer: a routine, or the gap that a connection passes through (`name` "")."""

    name: str
    layer: int
    width: int
    x: int = 0
    above: list[Spot] = field(default_factory=list)
    below: list[Spot] = field(default_factory=list)
    # Slot -> column at the top, event -> column at the bottom; a gap has one of each, named "".
    tops: dict[str, int] = field(default_factory=dict)
    bottoms: dict[str, int] = field(default_factory=dict)

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


@dataclass(eq=False)
class Net:
    """A line of one channel: from a column at its top to columns at its bottom.

    `side` is the column of the way round for what leads back up: the net leaves to it, or comes from it.
    """

    spot: Spot | None
    event: str
    targets: list[tuple[Spot, str]] = field(default_factory=list)
    side: int | None = None
    track: int = -1

    @property
    def source(self) -> int | None:
        return self.spot.bottoms[self.event] if self.spot is not None else None

    def columns(self) -> list[int]:
        ends = [spot.tops[slot] for spot, slot in self.targets]
        return [*ends, *(end for end in (self.source, self.side) if end is not None)]


class Layout(NamedTuple):
    """The layers, and above each layer (and below the last) the lines of the channel there."""

    layers: list[list[Spot]]
    channels: list[list[Net]]
    # Column of the way round, channel it comes from (lower), channel it goes to (upper).
    ways: list[tuple[int, int, int]]
    columns: int
    loops: frozenset[str]

    def tracks(self, channel: int) -> int:
        return max((net.track + 1 for net in self.channels[channel]), default=0)


def lay_out(flow: FlowPicture, widths: Mapping[str, int]) -> Layout:
    """Find a place for everything. `widths` are those of the routines' boxes."""
    order = _order(flow)
    place = {name: at for at, name in enumerate(order)}
    forward = [c for c in flow.connections if place[c.source_id] < place[c.target_id]]
    back = [c for c in flow.connections if place[c.source_id] > place[c.target_id]]
    loops = frozenset(c.source_id for c in flow.connections if c.source_id == c.target_id)
    level = dict.fromkeys(order, 0)
    for name in order:
        for c in forward:
            if c.source_id == name:
                level[c.target_id] = max(level[c.target_id], level[name] + 1)
    spots = {name: Spot(name, level[name], _width(flow, name, widths[name])) for name in order}
    layers: list[list[Spot]] = [[] for _ in range(max(level.values(), default=0) + 1)]
    for name in order:
        layers[level[name]].append(spots[name])
    # Channel n is above layer n.
    channels: list[list[Net]] = [[] for _ in range(len(layers) + 1)]
    nets: dict[tuple[Spot, str], Net] = {}

    def net_of(spot: Spot, event: str) -> Net:
        net = nets.get((spot, event))
        if net is None:
            net = nets[spot, event] = Net(spot, event)
            spot.bottoms[event] = 0
            channels[spot.layer + 1].append(net)
        return net

    gaps: dict[tuple[str, str, int], Spot] = {}
    for c in forward:
        spot, event = spots[c.source_id], c.event_name
        target = spots[c.target_id]
        for layer in range(spot.layer + 1, target.layer):
            gap = gaps.get((c.source_id, c.event_name, layer))
            if gap is None:
                gap = gaps[c.source_id, c.event_name, layer] = Spot("", layer, 1)
                gap.tops[""] = 0
                layers[layer].append(gap)
                net_of(spot, event).targets.append((gap, ""))
                spot.below.append(gap)
                gap.above.append(spot)
            spot, event = gap, ""
        target.tops.setdefault(c.slot_name, 0)
        net_of(spot, event).targets.append((target, c.slot_name))
        spot.below.append(target)
        target.above.append(spot)
    for c in back:
        spots[c.target_id].tops.setdefault(c.slot_name, 0)
    _sort(layers)
    _spread(layers)
    columns = max((spot.x + spot.width for layer in layers for spot in layer), default=0)
    ways: list[tuple[int, int, int]] = []
    for c in back:
        leaving = net_of(spots[c.source_id], c.event_name)
        if leaving.side is not None:
            # One way for all that an event leads back to.
            at = next(at for at, way in enumerate(ways) if way[0] == leaving.side)
            ways[at] = (leaving.side, ways[at][1], min(ways[at][2], level[c.target_id]))
        else:
            leaving.side = columns + 1 + 2 * len(ways)
            ways.append((leaving.side, level[c.source_id] + 1, level[c.target_id]))
        entering = Net(None, "", [(spots[c.target_id], c.slot_name)], leaving.side)
        channels[level[c.target_id]].append(entering)
    leads_to = {(net.spot, net.event): _mean(spot.middle for spot, _ in net.targets) for net in nets.values()}
    comes_from: dict[tuple[Spot, str], list[float]] = {}
    for net in nets.values():
        for spot, slot in net.targets:
            comes_from.setdefault((spot, slot), []).append(net.spot.middle if net.spot is not None else 0.0)
    for row in layers:
        for spot in row:
            # Ends in the order of where their lines go, so that these cross as little as may be.
            spot.bottoms = _sorted({name: leads_to[spot, name] for name in spot.bottoms})
            spot.tops = _sorted({name: _mean(comes_from.get((spot, name), ())) for name in spot.tops})
            _ports(spot)
    for number, channel in enumerate(channels):
        _straighten(channel, layers[number] if number < len(layers) else [])
        _assign_tracks(channel)
    columns = max([columns, *(way[0] + 1 for way in ways)])
    return Layout(layers, channels, ways, columns, loops)


def _order(flow: FlowPicture) -> list[str]:
    """The routines so that every connection leads on, but for those that close a cycle."""
    follows: dict[str, list[str]] = {routine.routine_id: [] for routine in flow.routines}
    for c in flow.connections:
        follows[c.source_id].append(c.target_id)
    seen: set[str] = set()
    done: list[str] = []
    roots = [name for name in reversed(follows) if name != flow.entry]
    for root in [*([flow.entry] if flow.entry is not None else []), *roots]:
        path = [root] if root not in seen else []
        while path:
            seen.add(path[-1])
            onward = next((each for each in reversed(follows[path[-1]]) if each not in seen), None)
            if onward is None:
                done.append(path.pop())
            else:
                path.append(onward)
    return done[::-1]


def _mean(columns: Iterable[float]) -> float:
    """Where lines go on average; what has only the way round on the right comes last."""
    known = list(columns)
    return sum(known) / len(known) if known else inf


def _sorted(places: Mapping[str, float]) -> dict[str, int]:
    """The names in the order of their places, their columns yet to be found."""
    return dict.fromkeys(sorted(places, key=lambda name: places[name]), 0)


def _width(flow: FlowPicture, name: str, wanted: int) -> int:
    """A box is at least so wide that its lines stand apart."""
    leaving = {c.event_name for c in flow.connections if c.source_id == name != c.target_id}
    entering = {c.slot_name for c in flow.connections if c.target_id == name != c.source_id}
    return max(wanted, 2 * max(len(leaving), len(entering)) + 3)


def _sort(layers: list[list[Spot]]) -> None:
    """Put what is connected below one another, from above and from below in turns."""
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        for layer in layers if down else reversed(layers):
            at = {id(spot): index for each in layers for index, spot in enumerate(each)}

            def key(spot: Spot, at: dict[int, int] = at, down: bool = down) -> float:
                near = spot.above if down else spot.below
                return sum(at[id(each)] for each in near) / len(near) if near else at[id(spot)]

            layer.sort(key=key)


def _spread(layers: list[list[Spot]]) -> None:
    """Give every spot a column, near the middle of what it is connected with."""
    for layer in layers:
        x = 0
        for spot in layer:
            spot.x = x
            x += spot.width + GAP
    for sweep in range(_SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            wanted: list[int] = []
            for spot in layer:
                near = spot.above if sweep % 2 == 0 else spot.below
                near = near or spot.above or spot.below
                middle = sum(each.middle for each in near) / len(near) if near else spot.middle
                wanted.append(round(middle - spot.width / 2))
            # Pushed to the right as far as needed, pushed to the left as far as needed: half way between.
            right: list[int] = []
            for at, want in enumerate(wanted):
                right.append(max(want, right[-1] + layer[at - 1].width + GAP) if right else want)
            left: list[int] = []
            for at in reversed(range(len(layer))):
                left.append(min(wanted[at], left[-1] - layer[at].width - GAP) if left else wanted[at])
            for spot, low, high in zip(layer, reversed(left), right, strict=True):
                spot.x = (low + high) // 2
    first = min((spot.x for layer in layers for spot in layer), default=0)
    for layer in layers:
        for spot in layer:
            spot.x -= first
            if not spot.name:
                # As all ends at the top of a layer; there is room for it.
                spot.x += (spot.x + 1) % 2


def _ports(spot: Spot) -> None:
    """Spread the ends of lines over a box: those at the top in odd columns, those at the bottom in even."""
    for ends, odd in ((spot.tops, 1), (spot.bottoms, 0)):
        if not spot.name:
            for name in ends:
                ends[name] = spot.x
            continue
        inner = spot.width - 2
        for at, name in enumerate(ends):
            column = spot.x + 1 + (2 * at + 1) * inner // (2 * len(ends))
            column += (column + odd) % 2
            ends[name] = min(column, spot.x + spot.width - 2 - (spot.x + spot.width - 2 + odd) % 2)


def _straighten(channel: list[Net], layer: list[Spot]) -> None:
    """Let lines go straight down where nothing is in the way, and keep the ends of others apart."""
    for net in channel:
        if net.spot is None or net.side is not None or len(net.targets) != 1:
            continue
        [(target, slot)] = net.targets
        fed = sum((target, slot) in other.targets for other in channel)
        if fed != 1:
            continue
        taken = {column for other in channel if other is not net for column in other.columns()}
        low = max(_low(net.spot), _low(target))
        high = min(_high(net.spot), _high(target))
        middle = (net.spot.middle + target.middle) / 2
        free = [
            column
            for column in range(low, high + 1)
            if not taken & {column - 1, column, column + 1}
            and _keeps_order(net.spot.bottoms, net.event, column)
            and _keeps_order(target.tops, slot, column)
        ]
        if free:
            best = min(free, key=lambda column: abs(column + 0.5 - middle))
            net.spot.bottoms[net.event] = target.tops[slot] = best
    # A gap has no odd or even columns to choose from: where it meets the end of another line it makes way.
    for net in channel:
        if net.spot is not None and not net.spot.name:
            own = {spot.tops[slot] for spot, slot in net.targets} if len(net.targets) == 1 else set()
            taken = {column for other in channel if other is not net for column in other.columns()} - own
            for column in (net.spot.x, net.spot.x - 1, net.spot.x + 1, net.spot.x + 2, net.spot.x - 2):
                if column not in taken and column >= 0:
                    net.spot.bottoms[""] = column
                    break


def _low(spot: Spot) -> int:
    return spot.x + 1 if spot.name else spot.x


def _high(spot: Spot) -> int:
    return spot.x + spot.width - 2 if spot.name else spot.x


def _keeps_order(ends: Mapping[str, int], name: str, column: int) -> bool:
    """Whether the ends of a box stay apart, and in their order, with one of them in another column."""
    names = list(ends)
    at = names.index(name)
    return all(
        ends[other] + 2 <= column if number < at else ends[other] >= column + 2
        for number, other in enumerate(names)
        if other != name
    )


def _assign_tracks(channel: list[Net]) -> None:
    """Give every line that turns a row of its own, or one it shares with lines beside it."""
    rows: list[list[tuple[int, int]]] = []
    turning = [net for net in channel if min(net.columns()) < max(net.columns())]
    for net in sorted(turning, key=lambda net: (min(net.columns()), max(net.columns()))):
        low, high = min(net.columns()), max(net.columns())
        for number, row in enumerate(rows):
            if all(high < start - 1 or low > end + 1 for start, end in row):
                net.track = number
                row.append((low, high))
                break
        else:
            net.track = len(rows)
            rows.append([(low, high)])

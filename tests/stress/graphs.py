"""Descriptions of random flows, and what they must come to.

`book.build` makes a flow of a `Graph`; `reference` says, with a plain queue and no threads, what
each of its nodes has to handle.
"""

from __future__ import annotations

import itertools
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace


class Planned(Exception):
    """The failure that a graph has planned for an item."""


@dataclass(frozen=True)
class SlotSpec:
    capacity: int = 1000
    when_full: str = "wait"


@dataclass(frozen=True)
class Node:
    """One routine. For each item it takes, and each of its events, it emits `fan` items."""

    policy: str = "immediate"
    batch: int = 1
    slots: tuple[SlotSpec, ...] = (SlotSpec(),)
    events: int = 1
    fan: int = 1
    limit: int = 1
    handler: str = "stop"
    # So many of a hundred items make their first activation fail.
    failures: int = 0
    # Whether a policy of the library is wrapped into one that looks at the slots.
    watched: bool = False

    @property
    def takes_everything(self) -> bool:
        """Whether, when the job has completed, nothing is left in its slots."""
        return self.policy not in ("all", "batch-keep")

    @property
    def may_starve(self) -> bool:
        """Whether a full slot of it may wait for what never comes."""
        if self.policy == "quiet" or (self.policy in ("all", "batch", "batch-keep") and len(self.slots) > 1):
            return True
        return self.policy.startswith("batch") and any(slot.capacity < self.batch for slot in self.slots)


@dataclass(frozen=True)
class Graph:
    """Node 0 is the entry. Edges are (source, event, target, slot), by their numbers."""

    nodes: tuple[Node, ...]
    edges: tuple[tuple[int, int, int, int], ...]
    items: int = 10  # how many the entry emits per event
    hops: int = 3  # how often an item may lead to others

    @property
    def cyclic(self) -> bool:
        reached = [self.successors(index) for index in range(len(self.nodes))]
        for _ in self.nodes:
            for index, known in enumerate(reached):
                reached[index] = known.union(*(reached[each] for each in known))
        return any(index in known for index, known in enumerate(reached))

    def successors(self, index: int) -> set[int]:
        return {target for source, _, target, _ in self.edges if source == index}

    @property
    def may_stick(self) -> bool:
        """Whether `SlotQueueFullError` may be the right end of it."""
        waits = any(slot.when_full == "wait" for node in self.nodes for slot in node.slots)
        return waits and (self.cyclic or any(node.may_starve for node in self.nodes))

    @property
    def exact(self) -> bool:
        """Whether every order of activations leads to the same result."""
        return all(
            node.takes_everything
            and all(slot.when_full == "wait" for slot in node.slots)
            and (
                node.failures == 0
                or node.handler in ("stop", "retry")
                or (node.handler == "continue" and node.policy == "immediate")
            )
            for node in self.nodes
        )

    @property
    def plans_failures(self) -> bool:
        return any(node.failures for node in self.nodes)

    def targets(self, source: int, event: int) -> Iterator[tuple[int, int]]:
        for edge in self.edges:
            if edge[:2] == (source, event):
                yield edge[2:]


def child(value: int, source: int, event: int, number: int) -> int:
    return (value * 31 + source * 7 + event * 3 + number + 1) % 1_000_003


def fails(graph: Graph, index: int, value: int) -> bool:
    return (value * 2_654_435_761 + index * 40_503) % 99_991 % 100 < graph.nodes[index].failures


def reference(graph: Graph, most: int = 1_000_000) -> list[Counter[int]] | None:
    """The values that each node handles, one after another; None where they are more than `most`."""
    handled: list[Counter[int]] = [Counter() for _ in graph.nodes]
    waiting: deque[tuple[int, int, int]] = deque([(0, 1, graph.hops)])
    total = 0
    while waiting:
        index, value, hops = waiting.popleft()
        total += 1
        if total > most:
            return None
        node = graph.nodes[index]
        if node.handler == "continue" and total > 1 and fails(graph, index, value):
            continue
        handled[index][value] += 1
        for event, number in emissions(graph, index, hops, entry=total == 1):
            for target, _ in graph.targets(index, event):
                waiting.append((target, child(value, index, event, number), hops - 1))
    return handled


def emissions(graph: Graph, index: int, hops: int, *, entry: bool) -> Iterable[tuple[int, int]]:
    """(event, number) of what a node emits for one item."""
    if hops <= 0:
        return ()
    count = graph.items if entry else graph.nodes[index].fan
    return itertools.product(range(graph.nodes[index].events), range(count))


def bounded(graph: Graph, most: int) -> Graph:
    """The graph, with fewer hops or items where it would come to more than `most` activations."""
    while graph.hops > 1 and reference(graph, most) is None:
        graph = replace(graph, hops=graph.hops - 1)
    while graph.items > 1 and reference(graph, most) is None:
        graph = replace(graph, items=graph.items // 2)
    return graph

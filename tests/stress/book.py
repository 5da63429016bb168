"""The book that accounts for each item of a random flow, and the logics and policies that keep it."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from routilux import (
    ActivationPolicy,
    ErrorHandler,
    Flow,
    JobState,
    Routine,
    all_slots_ready_policy,
    batch_size_policy,
    custom_policy,
    immediate_policy,
    time_interval_policy,
)
from routilux.activation_policies import when_quiet_policy
from routilux.context import current_activation
from routilux.event_loop import EventLoop
from routilux.routine_run import RoutineRun
from routilux.status import RESUMABLE
from tests.stress.graphs import Graph, Planned, child, emissions, fails

Where = tuple[int, int]  # (node, slot)


@dataclass
class Book:
    """What the logics and policies of one graph have seen, over all jobs that carry one another on."""

    graph: Graph
    pool_size: int
    # Guards all that follows, but for what is said otherwise.
    lock: Any = field(default_factory=threading.Lock)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    # Item number -> (source, event); entered before the emit, and again when it has returned.
    begun: dict[int, Where] = field(default_factory=dict)
    returned: set[int] = field(default_factory=set)
    # (node, slot) -> the items whose activation came to its end, and those of one that failed.
    done: dict[Where, list[int]] = field(default_factory=dict)
    failed: dict[Where, set[int]] = field(default_factory=dict)
    handled: list[Counter[int]] = field(default_factory=list)
    # Items that have made their activation fail, and will not do so again: (node, item).
    spent: set[Where] = field(default_factory=set)
    activations: int = 0
    running: Counter[int] = field(default_factory=Counter)
    unblocked: int = 0
    # What must not have happened, in words.
    faults: list[str] = field(default_factory=list)
    # (source, event, node, slot) -> the sequence number of the last item that came over it.
    last: dict[tuple[int, int, int, int], int] = field(default_factory=dict)
    sequence: Counter[Where] = field(default_factory=Counter)
    taken: set[tuple[int, int, int]] = field(default_factory=set)
    # Whether a gate was ever shut, so that slots may hold more than their capacity.
    gate_was_shut: bool = False
    # Forced interrupts arrive between any two lines, also of this book's own.
    forced: bool = False
    # Called with the number of each activation, in its logic.
    at_activation: Callable[[int], None] | None = None
    loop: EventLoop | None = None

    def __post_init__(self) -> None:
        self.handled = [Counter() for _ in self.graph.nodes]

    @contextmanager
    def activation(self, index: int) -> Iterator[None]:
        """Count an activation while it runs."""
        with self.lock:
            self.activations += 1
            number = self.activations
            self.running[index] += 1
            self.unblocked += 1
            self._check_counts(index)
        lane: Any = current_activation.get()
        self.loop = lane.loop
        try:
            if self.at_activation is not None:
                self.at_activation(number)
            yield
        finally:
            with self.lock:
                self.running[index] -= 1
                self.unblocked -= 1

    def _check_counts(self, index: int) -> None:
        if self.forced:
            return
        if self.running[index] > self.graph.nodes[index].limit:
            self.faults.append(f"{self.running[index]} activations of node {index} at once")
        if self.unblocked > self.pool_size:
            self.faults.append(f"{self.unblocked} activations at once on {self.pool_size} threads")

    def emit(self, routine: Routine, index: int, event: int, hops: int, value: int) -> None:
        with self.lock:
            number = next(self.numbers)
            self.sequence[index, event] += 1
            sequence = self.sequence[index, event]
            self.begun[number] = (index, event)
            self.unblocked -= 1
        try:
            routine.emit(f"e{event}", i=number, s=sequence, f=index, e=event, h=hops, v=value)
            self.returned.add(number)
        finally:
            with self.lock:
                self.unblocked += 1
                self._check_counts(index)

    def take(self, index: int, slot: int, items: list[dict[str, Any]]) -> None:
        """Check the order of the items that a node took; for one thread per node at a time."""
        for item in items:
            if "f" not in item or (index, slot, item["i"]) in self.taken:
                continue  # the entry's, or one whose activation is tried again
            self.taken.add((index, slot, item["i"]))
            way = (item["f"], item["e"], index, slot)
            if self.graph.nodes[item["f"]].limit == 1:
                if item["s"] <= self.last.get(way, 0):
                    self.faults.append(f"item {item['s']} after {self.last[way]} on the way {way}")
                self.last[way] = item["s"]

    # ---- accounts

    def check(self, state: JobState) -> None:
        """Settle the account of every slot of a job that stands still."""
        assert not self.faults, self.faults[:3]
        if not self.forced:
            assert self.unblocked == 0, f"{self.unblocked} activations run in a job that is {state.status}"
        runs = self._runs(state)
        if runs is None:
            return  # nothing of it has ever run
        with state._lock:  # a retry may come due in a paused job, which moves it
            for index, node in enumerate(self.graph.nodes):
                for slot in range(len(node.slots)):
                    self._check_slot(runs[f"n{index}"], index, slot)

    def _runs(self, state: JobState) -> dict[str, RoutineRun] | None:
        if state.status in RESUMABLE and state.runs:
            return dict(state.runs)
        if self.loop is None or self.loop.state is not state:
            return None
        return {unit.routine_id: unit for unit in self.loop.units}

    def _check_slot(self, run: RoutineRun, index: int, number: int) -> None:
        name = slot_name(index, number)
        slot = run.slots[name]
        where = f"{run.routine_id}.{name}"
        node = self.graph.nodes[index]
        waiting = [item[0]["i"] for item in slot.queue]
        slices = [task[1] for task in run.parked] + [task[1] for task, _ in run.retrying.values()]
        parked = [item["i"] for each in slices for item in each.get(name, [])]
        done = self.done.get((index, number), [])
        kept = set(waiting) | set(parked) | set(done)
        failed = self.failed.get((index, number), set()) - kept
        if node.handler in ("stop", "retry") and not self.forced:
            assert not failed, f"{where}: the failed items {failed} are gone"
        places = Counter([*waiting, *parked, *set(done), *failed])
        twice = {item for item, times in places.items() if times > 1}
        if self.forced:  # an interrupt came after the last line of a logic: it runs again
            twice -= set(done) & set(parked)
        assert not twice, f"{where}: items {sorted(twice)[:5]} are in two places"
        assert len(done) == len(set(done)) or self.forced, f"{where}: items were consumed twice"
        sent = {item for item, way in self.begun.items() if (*way, index, number) in self.graph.edges}
        arrived = sent & self.returned
        if (index, number) == (0, 0):
            sent, arrived = sent | {0}, arrived | {0}
        assert set(places) <= sent, f"{where}: items out of nowhere: {sorted(set(places) - sent)[:5]}"
        missing = arrived - set(places)
        lost = slot.dropped + slot.skipped
        if not self.forced:
            account = f"{where}: received {slot.received}, done {len(done)}, failed {len(failed)}, waiting "
            account += f"{len(waiting)}, parked {len(parked)}, dropped {slot.dropped}, skipped {slot.skipped}"
            assert slot.received == len(places) + lost, account
        assert len(missing) <= lost, f"{where}: {sorted(missing)[:5]} are missing; {lost} dropped or skipped"
        assert len(arrived) <= slot.received <= len(sent), f"{where}: received {slot.received} of {len(sent)}"
        if node.slots[number].when_full == "wait":
            assert slot.dropped == 0, where
        if node.handler != "skip":
            assert slot.skipped == 0, where


def slot_name(index: int, slot: int) -> str:
    return "trigger" if (index, slot) == (0, 0) else f"s{slot}"


class Watching:
    """A policy of the library, with a look at the slots before and at what it takes."""

    def __init__(self, policy: Any, book: Book, index: int) -> None:
        self._policy = policy
        self._book = book
        self._index = index
        # While a gate is shut, or where a job might be stuck, slots take more than they hold.
        self._bounded = not book.gate_was_shut and not book.graph.may_stick
        for name in ("ask_again_in", "when_quiet"):
            if hasattr(policy, name):
                setattr(self, name, getattr(policy, name))

    def __call__(self, slots: Any, job_state: Any) -> Any:
        book = self._book
        for number, slot in enumerate(slots.values()):
            waiting = slot.get_unconsumed_count()
            spec = book.graph.nodes[self._index].slots[number]
            # A dropping slot takes the new item in before it lets the oldest go.
            most = spec.capacity + (spec.when_full == "drop_oldest")
            if waiting > most and self._bounded and job_state.status == "running":
                where = f"slot {number} of node {self._index}"
                book.faults.append(f"{waiting} items in {where}, which holds {most}")
        answer = self._policy(slots, job_state)
        if answer[0]:
            for number, name in enumerate(slots):
                book.take(self._index, number, answer[1].get(name, []))
        return answer


def policy_of(book: Book, index: int) -> ActivationPolicy:
    node = book.graph.nodes[index]
    make: dict[str, Callable[[], Any]] = {
        "immediate": immediate_policy,
        "all": all_slots_ready_policy,
        "batch": lambda: batch_size_policy(node.batch),
        "batch-keep": lambda: batch_size_policy(node.batch, hand_over_remainder=False),
        "interval": lambda: time_interval_policy(0.001 * node.batch),
        "quiet": when_quiet_policy,
        "custom": lambda: custom_policy(
            lambda slots, job_state: any(slot.get_unconsumed_count() for slot in slots.values())
        ),
    }
    policy: Any = make[node.policy]()
    return Watching(policy, book, index) if node.watched else policy


class Worker(Routine):
    """A node at work: enters what it takes, fails where that is planned, and emits."""

    def __init__(self, book: Book, index: int) -> None:
        super().__init__(f"n{index}")
        node = book.graph.nodes[index]
        self.book = book
        self.index = index
        for number, spec in enumerate(node.slots):
            self.define_slot(
                slot_name(index, number), max_queue_length=spec.capacity, when_full=spec.when_full
            )
        for event in range(node.events):
            self.define_event(f"e{event}", list("isfehv"))
        self.set_activation_policy(policy_of(book, index))
        self.set_max_concurrency(node.limit)
        self.set_error_handler(
            ErrorHandler(node.handler, max_retries=2, retry_delay=0.0005, retry_backoff=1.0)
        )

    def logic(self, *lists: list[dict[str, Any]], job_state: JobState) -> None:
        book, index = self.book, self.index
        node = book.graph.nodes[index]
        with book.activation(index):
            entered = [(number, item) for number, items in enumerate(lists) for item in items]
            if node.limit == 1 and not node.watched and not node.failures:
                for number, items in enumerate(lists):
                    book.take(index, number, items)
            try:
                self._fail(entered)
                for _, item in entered:
                    value, hops = item["v"], item["h"]
                    for event, count in emissions(book.graph, index, hops, entry=item["i"] == 0):
                        book.emit(self, index, event, hops - 1, child(value, index, event, count))
            except Exception:
                with book.lock:
                    for number, item in entered:
                        book.failed.setdefault((index, number), set()).add(item["i"])
                raise
            with book.lock:
                for number, item in entered:
                    book.done.setdefault((index, number), []).append(item["i"])
                    book.handled[index][item["v"]] += 1

    def _fail(self, entered: list[tuple[int, dict[str, Any]]]) -> None:
        """Raise if the graph has planned so, once per item."""
        graph, index = self.book.graph, self.index
        planned = {
            (index, item["i"])
            for _, item in entered
            if item["i"] and fails(graph, index, item["v"]) and (index, item["i"]) not in self.book.spent
        }
        if planned:
            self.book.spent |= planned
            raise Planned(f"node {index}")


def build(book: Book) -> Flow:
    """A new flow, named `graph`, that keeps this book."""
    flow = Flow("graph")
    for index in range(len(book.graph.nodes)):
        flow.add_routine(Worker(book, index))
    for source, event, target, slot in book.graph.edges:
        flow.connect(f"n{source}", f"e{event}", f"n{target}", slot_name(target, slot))
    return flow


def entry(graph: Graph) -> dict[str, int]:
    return {"i": 0, "v": 1, "h": graph.hops}

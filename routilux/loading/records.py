"""The records of the last loads, and no more of them than memory is worth."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Final

from routilux.loading.generation import FlowEvent, LoadRecord

_MOST_RECORDS: Final = 500
_MOST_EVENTS: Final = 20_000
# Bytes of the sources that are kept for diffs.
_MOST_SOURCE: Final = 16_000_000


class Records:
    """Adds one record after another. For one thread; what it answers with is immutable.

    The oldest are dropped, at the latest after 500 records or 20,000 events. Of those that stay, the
    oldest lose the sources of their diffs when all sources together exceed 16 MB; the newest keeps its own.
    """

    def __init__(self) -> None:
        self._records: deque[LoadRecord] = deque()
        # Those of them that have not lost their sources are the last of `_records`; with their bytes.
        self._sizes: deque[int] = deque()
        self._events = 0
        self._source = 0

    def add(self, record: LoadRecord) -> tuple[LoadRecord, ...]:
        """All that are kept, oldest first, this one included."""
        self._records.append(record)
        self._sizes.append(_source_size(record))
        self._events += len(record.events)
        self._source += self._sizes[-1]
        while self._source > _MOST_SOURCE and len(self._sizes) > 1:
            at = len(self._records) - len(self._sizes)
            self._records[at] = _without_sources(self._records[at])
            self._source -= self._sizes.popleft()
        while len(self._records) > 1 and (len(self._records) > _MOST_RECORDS or self._events > _MOST_EVENTS):
            if len(self._sizes) == len(self._records):
                self._source -= self._sizes.popleft()
            self._events -= len(self._records.popleft().events)
        return tuple(self._records)


def _source_size(record: LoadRecord) -> int:
    """Each text once: those of a helper are part of the diff of every flow that imports it."""
    texts = {
        id(source): len(source.content)
        for event in record.events
        if event.diff is not None
        for change in event.diff.sources
        for source in (change.before, change.now)
        if source is not None
    }
    return sum(texts.values())


def _without_sources(record: LoadRecord) -> LoadRecord:
    return record._replace(events=tuple(_without_source(event) for event in record.events))


def _without_source(event: FlowEvent) -> FlowEvent:
    if event.diff is None or not event.diff.sources:
        return event
    return event._replace(diff=replace(event.diff, sources=()))

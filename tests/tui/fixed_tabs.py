"""Fixed pictures for the tabs of a job: what happened over time, what it holds, how it failed."""

from __future__ import annotations

from datetime import timedelta

from routilux.history import ENDED, FAILED, RETRIED, SKIPPED, STARTED, ExecutionRecord
from tests.tui import fixed


def timeline_records(seconds: float = 74.0, first: int = 0) -> list[ExecutionRecord]:
    """A job of `seconds`: one fetch, cleans that overlap, a load that fails twice and still runs."""
    began = fixed.NOW - timedelta(seconds=seconds)
    part = seconds / 74
    what: list[tuple[float, str, str]] = [(0.2, "fetch", STARTED), (9.5, "fetch", ENDED)]
    for number in range(14):
        start = 4 + number * 3.1
        what += [(start, "clean", STARTED), (start + 2 + (number * 7) % 11, "clean", ENDED)]
    what += [(at + 0.01 * each, "audit", (STARTED, ENDED)[each]) for at in range(12, 40) for each in (0, 1)]
    what += [
        (20, "load", STARTED), (22, "load", FAILED), (22, "load", RETRIED), (22, "load", ENDED),
        (30, "load", STARTED), (34, "load", FAILED), (34, "load", ENDED), (36, "load", SKIPPED),
        (64, "load", STARTED),
    ]  # fmt: skip
    what.sort(key=lambda each: each[0])
    return [
        ExecutionRecord(first + at, began + timedelta(seconds=moment * part), routine, name, None)
        for at, (moment, routine, name) in enumerate(what)
    ]

"""Diffs are worked out when they are asked for, and records keep no more than memory is worth."""

from __future__ import annotations

import difflib
import gc
import weakref
from datetime import UTC, datetime

import pytest

from routilux.loading import FlowDiff, FlowEvent, LoadRecord
from routilux.loading.records import Records
from routilux.loading.source_diffs import SourceChange
from routilux.loading.tree import Source
from tests.loading.conftest import MakeFolder
from tests.loading.files import flow


def _change(path: str, old: bytes, new: bytes) -> SourceChange:
    return SourceChange(path, Source(old, "old"), Source(new, "new"))


def _record(number: int, events: int = 1, size: int = 1) -> LoadRecord:
    diff = FlowDiff(sources=(_change("etl.py", b"a" * size, b"b" * size),))
    told = (FlowEvent("changed", number, "etl", "etl.py", diff),) * events
    return LoadRecord(number, datetime.now(UTC), 1.0, ("etl.py",), told)


def test_a_load_compares_no_sources_and_whoever_asks_does_once(
    folder: MakeFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = []
    real = difflib.unified_diff

    def counted(*args: object, **kinds: object) -> object:
        compared.append(args)
        return real(*args, **kinds)  # type: ignore[arg-type]

    monkeypatch.setattr(difflib, "unified_diff", counted)
    made = folder({"etl.py": flow("etl")})
    made.loader.reload()
    made.write("etl.py", flow("etl") + "x = 1\n")
    made.loader.reload()
    assert not compared
    diff = made.loader.records[-1].events[0].diff
    assert diff is not None
    assert diff.source.startswith("--- etl.py (before)\n+++ etl.py (now)\n")
    assert "+x = 1" in diff.source
    assert len(compared) == 1


def test_a_diff_that_nobody_has_asked_for_keeps_no_old_code_alive(folder: MakeFolder) -> None:
    made = folder({"etl.py": flow("etl")})
    made.loader.reload()
    gone = weakref.ref(made.loader.catalog["etl"].flow)
    made.write("etl.py", flow("etl") + "x = 1\n")
    made.loader.reload()
    gc.collect()
    assert gone() is None
    diff = made.events[-1].diff
    assert diff is not None
    assert "+x = 1" in diff.source


def test_a_file_of_very_many_lines_is_not_compared() -> None:
    change = _change("etl.py", b"x\n" * 15_000, b"y\n" * 15_000)
    assert change.text.splitlines()[2] == "too long to be compared: 15,001 lines and 15,001"


def test_records_and_their_events_are_bounded() -> None:
    records = Records()
    for number in range(600):
        kept = records.add(_record(number))
    assert [record.generation for record in kept] == list(range(100, 600))
    for number in range(600, 604):
        kept = records.add(_record(number, events=6000))
    assert [record.generation for record in kept] == [601, 602, 603]
    kept = records.add(_record(604, events=50_000))
    assert [record.generation for record in kept] == [604]


def test_the_sources_of_the_oldest_diffs_are_dropped_first_and_the_newest_stay() -> None:
    records = Records()
    for number in range(5):
        kept = records.add(_record(number, events=300, size=3_000_000))
    sources = [[bool(event.diff and event.diff.sources) for event in record.events] for record in kept]
    assert [set(each) for each in sources] == [{False}, {False}, {False}, {True}, {True}]
    kept = records.add(_record(5, size=30_000_000))
    assert [bool(record.events[0].diff and record.events[0].diff.sources) for record in kept] == [
        False, False, False, False, False, True,
    ]  # fmt: skip
    assert [len(record.events) for record in kept] == [300] * 5 + [1]

"""Values in words."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routilux.params import ParameterField
from routilux.snapshot import Progress
from routilux.status import ExecutionStatus
from tui.formats import (
    bar,
    clock_time,
    duration,
    number,
    one_line,
    parameters_line,
    pretty,
    progress_words,
)
from tui.glyphs import ROUTINE, STATUS, count_spans, routine_look, status_span
from tui.parameters import default_words, type_words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0s"), (0.00001, "<1ms"), (0.0005, "<1ms"), (0.0006, "1ms"), (0.02, "20ms"), (0.44, "440ms"),
        (0.9994, "999ms"), (0.9996, "1.0s"), (1.44, "1.4s"), (9.94, "9.9s"), (9.96, "10s"), (59.4, "59s"),
        (59.6, "1m00s"), (74, "1m14s"), (3599, "59m59s"), (3600, "1h00m"), (5025, "1h23m"),
        (86_400 * 3 + 7200, "3d02h"), (-1, "-"), (float("nan"), "-"), (float("inf"), "-"),
    ],
)  # fmt: skip
def test_duration(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@given(st.floats(0, 86_400 * 99))
def test_a_duration_fits_its_column(seconds: float) -> None:
    assert len(duration(seconds)) <= 6


def test_time_is_that_of_the_user() -> None:
    moment = datetime(2025, 1, 1, 12, 30, tzinfo=UTC)
    assert clock_time(moment, timezone(timedelta(hours=2))) == "14:30:00"


@pytest.mark.parametrize(
    ("value", "words"),
    [(3412, "3,412"), (0.5, "0.5"), (2.0, "2"), (float("nan"), "nan"), (float("inf"), "inf"), ("x", "x")],
)
def test_number(value: Any, words: str) -> None:
    assert number(value) == words


def test_progress_in_words() -> None:
    assert progress_words(Progress(3412, 5000, "rows")) == "3,412 of 5,000 rows"
    assert progress_words(Progress(7)) == "7"


@given(st.floats(-1, 2), st.integers(0, 20))
def test_a_bar_is_as_wide_as_it_was_asked_to_be(fraction: float, columns: int) -> None:
    assert sum(len(text) for text, _ in bar(fraction, columns)) == columns


class Colour(enum.Enum):
    RED = "red"


@dataclass
class Point:
    x: int
    y: Any


class Rude:
    def __repr__(self) -> str:
        raise RuntimeError("no")


class Endless:
    def __repr__(self) -> str:
        return "x" * 10_000_000


def test_parameters_on_one_line() -> None:
    values = {
        "folder": Path("/a b"),
        "day": date(2025, 6, 12),
        "colour": Colour.RED,
        "n": 3,
        "s": "",
        "l": ["x"],
    }
    assert parameters_line(values) == "folder=/a b day=2025-06-12 colour=red n=3 s=\"\" l=['x']"


def test_data_is_written_whatever_its_repr_does() -> None:
    assert one_line({"a": Rude(), "b": [1, (2,)], "c": {3}}) == (
        "{'a': <Rude whose repr raises RuntimeError>, 'b': [1, (2,)], 'c': {3}}"
    )
    assert one_line(Point(1, Rude())) == "Point(x=1, y=<Rude whose repr raises RuntimeError>)"
    assert one_line([]) == "[]"
    assert one_line(set()) == "set()"
    assert len(one_line(Endless(), 100)) < 130


def test_huge_data_costs_no_more_than_what_is_shown() -> None:
    assert len(one_line("y" * 100_000_000, 100)) < 140
    assert len(one_line(b"y" * 100_000_000, 100)) < 140
    assert len(one_line([0] * 10_000_000, 100)) < 140
    assert len(pretty(dict.fromkeys(range(10000), "z" * 1000), 5000)) < 7000


def test_data_that_holds_itself_comes_to_an_end() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert "…" in one_line(endless)


def test_pretty_is_one_element_a_line() -> None:
    assert pretty({"rows": [{"a": 1}, []]}) == "{\n  'rows': [\n    {\n      'a': 1\n    },\n    []\n  ]\n}"


def test_every_state_has_a_glyph_and_a_word_of_its_own() -> None:
    assert set(STATUS) == set(ExecutionStatus)
    assert len({look.word for look in STATUS.values()}) == len(STATUS)
    assert {look.glyph for look in STATUS.values()} == set("·▶◌‖✓✗⊘?")
    assert len({look.word for look in ROUTINE.values()}) == len(ROUTINE)
    # Those two never stand in one picture.
    assert len({look.glyph for name, look in ROUTINE.items() if name != "has run"}) == len(ROUTINE) - 1
    assert routine_look("dreaming").word == "dreaming"
    assert status_span(ExecutionStatus.RUNNING, 12) == ("▶ running   ", "running")


def test_counts_leave_out_what_nobody_is_in() -> None:
    counts = {ExecutionStatus.FAILED: 4, ExecutionStatus.RUNNING: 1200, ExecutionStatus.PAUSED: 0}
    assert "".join(text for text, _ in count_spans(counts)) == "▶1,200 ✗4"


def test_no_two_counts_have_the_same_glyph() -> None:
    pausing = ExecutionStatus.PAUSING
    counts = {
        ExecutionStatus.CANCELLING: 1,
        ExecutionStatus.RUNNING: 2,
        pausing: 3,
        ExecutionStatus.PAUSED: 4,
    }
    assert "".join(text for text, _ in count_spans(counts)) == "▶2 ◌4 ‖4"
    assert "".join(text for text, _ in count_spans(counts, skip=frozenset({pausing}))) == "▶2 ◌1 ‖4"


@pytest.mark.parametrize(
    ("field", "kind", "default"),
    [
        (ParameterField("a", "int", "int", minimum=1, maximum=5000), "int 1..5,000", "required"),
        (
            ParameterField("a", "float", "float", False, 0.5, minimum=0, exclusive_minimum=True),
            "float > 0",
            "default 0.5",
        ),
        (ParameterField("a", "str", "str", False, "x", max_length=9), "str ≤ 9 characters", "default x"),
        (
            ParameterField("a", "list", "list[int]", False, [], min_length=1),
            "list[int] ≥ 1 elements",
            "default []",
        ),
        (
            ParameterField("a", "choice", "Literal", False, "b", choices=("a", "b")),
            "one of a, b",
            "default b",
        ),
        (ParameterField("a", "bool", "bool", False, True), "bool", "default yes"),
        (
            ParameterField("a", "int", "int | None", False, None, multiple_of=4),
            "int | None a multiple of 4",
            "optional",
        ),
        (ParameterField("a", "str", "str", False, "hush", secret=True), "str", "default ••••"),
        (
            ParameterField("a", "int", "int", minimum=0, maximum=9, exclusive_maximum=True),
            "int ≥ 0, < 9",
            "required",
        ),
    ],
)
def test_parameters_in_words(field: ParameterField, kind: str, default: str) -> None:
    assert type_words(field) == kind
    assert default_words(field) == default

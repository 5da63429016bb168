"""From parameters to text and back: what validates in the form validates in `exec`, and is the same."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from routilux.exceptions import FieldError, ParameterError
from routilux.params import describe, validate
from tui.form.editors import complete_path
from tui.form.entries import TextEntry
from tui.form.values import ABSENT, errors_of, json_text, read_json


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Inner(BaseModel):
    host: str = "here"
    port: int = Field(80, ge=1)


class Params(BaseModel):
    count: int
    ratio: float = 0.5
    name: str = "x"
    note: str | None = None
    folder: Path = Path(".")
    day: date = date(2025, 6, 12)
    at: datetime | None = None
    mode: Literal["fast", "exact"] = "fast"
    colour: Colour = Colour.RED
    maybe: int | None = 3
    words: list[str] = ["a"]
    table: dict[str, int] = {}
    inner: Inner = Inner()


FIELDS = {each.name: each for each in describe(Params)}


def typed(name: str, text: str) -> Any:
    """What a field means whose text was replaced by `text`."""
    entry = TextEntry(FIELDS[name])
    entry.type("x")
    entry.type(text)
    return entry.read()


def test_what_an_empty_field_means() -> None:
    assert typed("count", " ") is ABSENT
    assert typed("ratio", "") is ABSENT
    assert typed("note", "") is None
    assert typed("maybe", "") is None
    assert typed("name", "") == ""
    assert typed("words", "") is ABSENT
    with pytest.raises(ParameterError, match="count"):
        validate(Params, "f", {})


def test_nothing_goes_through_what_it_may_mean() -> None:
    note = TextEntry(FIELDS["note"])
    assert note.empty_words() == "default: none"
    seen = []
    for _ in range(3):
        note.next_empty()
        seen.append((note.empty_words(), note.read()))
    assert seen == [("none", None), ("the empty text", ""), ("default: none", ABSENT)]
    count = TextEntry(FIELDS["ratio"])
    count.type("2")
    count.next_empty()
    assert (count.text, count.empty_words(), count.read()) == ("", "default: 0.5", ABSENT)


def test_blanks_are_a_text_but_no_number() -> None:
    assert typed("name", "  ") == "  "
    assert typed("count", "  ") is ABSENT


def test_text_that_cannot_be_shown_stays_until_it_is_edited() -> None:
    entry = TextEntry(FIELDS["note"])
    entry.fill("\x1b[31mred")
    assert (entry.text, entry.clipped, entry.read()) == ("red", True, "\x1b[31mred")
    entry.type("red!")
    assert entry.read() == "red!"


@pytest.mark.parametrize(
    ("name", "text", "by", "after"),
    [
        ("count", "7", 1, "8"), ("count", "", 1, "0"), ("ratio", "1.5", -1, "0.5"), ("count", "x", 1, "x"),
        ("day", "2025-06-30", 1, "2025-07-01"), ("at", "2025-06-12T08:00:00", -1, "2025-06-11T08:00:00"),
        ("note", "7", 1, "7"), ("day", "9999-12-31", 1, "9999-12-31"),
    ],
)  # fmt: skip
def test_a_step_goes_to_the_next_value(name: str, text: str, by: int, after: str) -> None:
    entry = TextEntry(FIELDS[name])
    entry.type(text)
    assert entry.step(by) == (after != text)
    assert entry.text == after


def test_a_step_stays_within_the_bounds() -> None:
    port = TextEntry(FIELDS["inner"].fields[1])
    assert port.text == "80"
    port.type("1")
    assert not port.step(-1)
    assert port.step(1)
    assert port.read() == 2


def test_what_cannot_be_understood_is_said_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="JSON"):
        typed("words", "a, b")


@pytest.mark.parametrize(
    ("text", "values", "error"),
    [
        ("", {}, ""),
        ('{"a": [1]}', {"a": [1]}, ""),
        ('{"a": }', {}, "line 1, column 7"),
        ("[1]", {}, "an object"),
        ("[" * 100_000, {}, "recursion"),
    ],
)
def test_json_of_undeclared_parameters(text: str, values: dict[str, Any], error: str) -> None:
    reading = read_json(text)
    assert reading.values == values
    assert error in reading.errors.get("", "")


def test_json_text_takes_what_json_does_not_know() -> None:
    assert json_text({"p": Path("/a"), "c": Colour.RED, "d": date(2025, 1, 2), "s": (1, 2)}) == (
        '{"p": "/a", "c": "red", "d": "2025-01-02", "s": [1, 2]}'
    )
    assert json_text([{3}, b"x", timedelta(days=1), Decimal("1.10")]) == '[[3], "x", "P1D", "1.10"]'


def test_json_text_has_nothing_in_it_that_a_terminal_would_act_upon() -> None:
    text = json_text({"a": "\x1b[31m\u202e\ud800 \x9b é漢"})
    assert text == '{"a": "\\u001b[31m\\u202e\\ud800 \\u009b é漢"}'
    assert json.loads(text) == {"a": "\x1b[31m\u202e\ud800 \x9b é漢"}


def test_errors_go_to_their_fields() -> None:
    error = ParameterError(
        "f", (FieldError("count", "missing"), FieldError("inner.port", "too low"), FieldError("q", "unknown"))
    )
    assert errors_of(error, list(FIELDS)) == {
        "count": "missing",
        "inner": "port: too low",
        "": "q: unknown",
    }
    assert errors_of(RuntimeError("odd"), frozenset()) == {"": "RuntimeError: odd"}


def test_paths_are_completed(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "orders.csv").touch()
    assert complete_path(f"{tmp_path}/da") == f"{tmp_path}/data/"
    assert complete_path(f"{tmp_path}/data/o") == f"{tmp_path}/data/orders.csv"
    assert complete_path(f"{tmp_path}/data/") is None
    assert complete_path(f"{tmp_path}/nowhere/x") is None

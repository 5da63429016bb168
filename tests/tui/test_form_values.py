"""From parameters to text and back: what validates in the form validates in `exec`, and is the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from routilux.exceptions import FieldError, ParameterError
from routilux.params import describe, validate
from tui.form.fields import complete_path
from tui.form.values import ABSENT, errors_of, json_text, read_json, text_of, value_of


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

VALUES = st.fixed_dictionaries(
    {"count": st.integers(-5, 10**12)},
    optional={
        "ratio": st.floats(allow_nan=False, allow_infinity=False),
        "name": st.text(st.characters(exclude_categories=("Cs",)), max_size=8),
        "note": st.sampled_from([None, "none", "yes", "1"]),
        "folder": st.sampled_from([Path("/a b/c"), Path("x")]),
        "day": st.dates(),
        "at": st.none() | st.datetimes(),
        "mode": st.sampled_from(["fast", "exact"]),
        "colour": st.sampled_from(list(Colour)),
        "maybe": st.none() | st.integers(),
        "words": st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=4), max_size=3),
        "table": st.dictionaries(st.text("abc", max_size=3), st.integers(), max_size=3),
        "inner": st.fixed_dictionaries({"host": st.just("there"), "port": st.integers(1, 9)}),
    },
)


def typed(values: dict[str, Any]) -> dict[str, Any]:
    """What the form reads when these values stand in it."""
    read: dict[str, Any] = {}
    for name, each in FIELDS.items():
        value = value_of(each, text_of(each, values.get(name, each.default)))
        if value is not ABSENT:
            read[name] = value
    return read


@given(VALUES)
def test_values_survive_the_form(values: dict[str, Any]) -> None:
    given = validate(Params, "f", values)
    # An empty text of a str that is not required stands for "", blanks as such; see value_of.
    if values.get("name", "x").strip() != values.get("name", "x"):
        given.pop("name")
    again = validate(Params, "f", typed(given))
    assert {name: again[name] for name in given} == given


def test_nothing_typed_leaves_a_field_to_its_default_or_says_that_it_is_missing() -> None:
    assert value_of(FIELDS["count"], " ") is ABSENT
    assert value_of(FIELDS["ratio"], "") is ABSENT
    assert value_of(FIELDS["note"], "") is ABSENT
    assert value_of(FIELDS["maybe"], "") is None
    assert value_of(FIELDS["name"], "") == ""
    with pytest.raises(ParameterError, match="count"):
        validate(Params, "f", {})


def test_what_cannot_be_understood_is_said_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="JSON"):
        value_of(FIELDS["words"], "a, b")


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


def test_errors_go_to_their_fields() -> None:
    error = ParameterError(
        "f", (FieldError("count", "missing"), FieldError("inner.port", "too low"), FieldError("q", "unknown"))
    )
    assert errors_of(error, frozenset(FIELDS)) == {
        "count": "missing",
        "inner": "inner.port: too low",
        "": "q: unknown",
    }
    assert errors_of(RuntimeError("odd"), frozenset()) == {"": "RuntimeError: odd"}


@dataclass
class Plain:
    items: list[int] = field(default_factory=list)


def test_a_list_that_is_emptied_is_the_default() -> None:
    [items] = describe(Plain)
    assert value_of(items, "") is ABSENT


def test_paths_are_completed(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "orders.csv").touch()
    assert complete_path(f"{tmp_path}/da") == f"{tmp_path}/data/"
    assert complete_path(f"{tmp_path}/data/o") == f"{tmp_path}/data/orders.csv"
    assert complete_path(f"{tmp_path}/data/") is None
    assert complete_path(f"{tmp_path}/nowhere/x") is None

"""Data as a tree: bounded, safe whatever it holds, secrets hidden."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque, namedtuple
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from tui.foreign import ForeignCode
from tui.formats import one_line, pretty
from tui.tree import FIRST, Node, Path, has_children, kind_words, rows_of, size_of


def rows(value: Any, **how: Any) -> list[Node]:
    """Everything under `value`, unfolded."""
    return rows_of([("root", value)], lambda path, value: True, how.pop("shown", {}), **how)


def labels(value: Any) -> list[str]:
    return [node.label for node in rows(value)[1:]]


class Model(BaseModel):
    name: str
    secret: SecretStr


@dataclass
class Record:
    number: int
    hidden: str = field(default="hush", repr=False)


@dataclass
class Own:
    password: str

    def __repr__(self) -> str:
        return "<Own>"


class Bare:
    def __init__(self) -> None:
        self.a = 1


Pair = namedtuple("Pair", "left right")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": 1, 2: "b"}, ["'a'", "2"]),
        ([7, 8], ["0", "1"]),
        ((7,), ["0"]),
        (deque([7]), ["0"]),
        ({7}, ["·"]),
        (OrderedDict(x=1), ["'x'"]),
        (MappingProxyType({"x": 1}), ["'x'"]),
        (Pair(1, 2), ["left", "right"]),
        (Model(name="n", secret=SecretStr("hush")), ["name", "secret"]),
        (Record(1), ["number"]),
        (Bare(), ["a"]),
        (Own("hush"), []),
        ("text", []),
        (None, []),
        ([], []),
        (Record, []),
    ],
)
def test_what_is_in_a_value(value: Any, expected: list[str]) -> None:
    assert labels(value) == expected
    assert has_children(value) == bool(expected)
    assert size_of(value) == len(expected)


def test_secrets_are_shown_nowhere() -> None:
    for value in (
        Model(name="n", secret=SecretStr("hush")),
        {"x": SecretStr("hush")},
        Record(1),
        Own("hush"),
    ):
        shown = [one_line(value), pretty(value), *(one_line(node.value) for node in rows(value))]
        assert not any("hush" in text for text in shown)


def test_what_holds_itself_is_told_and_not_unfolded_for_ever() -> None:
    ring: dict[str, Any] = {}
    ring["inner"] = [ring]
    assert [node.note for node in rows(ring)] == ["", "", "↻ holds itself"]


def test_only_so_many_elements_are_looked_at_and_the_others_counted() -> None:
    found = rows(list(range(1_000_000)))
    assert len(found) == FIRST + 2
    assert (found[-1].note, found[-1].more) == (f"… {1_000_000 - FIRST:,} more", 1_000_000 - FIRST)
    path: Path = ("root",)
    assert len(rows(list(range(1_000_000)), shown={path: 500})) == 502


def test_the_whole_tree_is_bounded() -> None:
    wide = {number: dict.fromkeys(range(50)) for number in range(90)}
    found = rows(wide, most=1000)
    assert len(found) == 1001
    assert "cut" in found[-1].note


def test_paths_are_unique_even_where_names_are_alike() -> None:
    class Same:
        def __repr__(self) -> str:
            return "same"

    found = rows({Same(): [1], Same(): [2]})
    assert len({node.path for node in found}) == len(found) == 5


def test_what_another_thread_changes_meanwhile_is_told() -> None:
    moving = {"a": [1], "b": [2]}

    def grows(path: Path, value: Any) -> bool:
        # As another thread would, while the elements are gone through.
        if path != ("root",):
            moving["c"] = [3]
        return True

    found = rows_of([("root", moving)], grows, {})
    assert found[-1].note == "… changed while it was read"
    assert [node.label for node in found] == ["root", "'a'", "0", ""]


def test_a_subclass_is_read_past_what_it_makes_of_its_methods() -> None:
    class Lying(dict[str, int]):
        def __len__(self) -> int:
            raise RuntimeError("no")

        def items(self) -> Any:
            raise RuntimeError("no")

    assert labels(Lying(a=1)) == ["'a'"]
    assert kind_words(Lying(a=1)) == "Lying of 1"


# ---- other people's repr


class Slow:
    calls = 0
    go_on = threading.Event()

    def __repr__(self) -> str:
        type(self).calls += 1
        self.go_on.wait(20)
        return "at last"


def test_a_repr_that_takes_long_is_not_waited_for_and_not_asked_again_soon() -> None:
    now = [0.0]
    foreign = ForeignCode(patience=0.02, clock=lambda: now[0])
    slow = Slow()
    for _ in range(5):
        assert foreign.text(Slow, lambda: repr(slow), 100) == "<Slow whose repr takes too long>"
    assert Slow.calls == 1
    # Others are answered meanwhile.
    assert foreign.text(Bare, lambda: "bare", 100) == "bare"
    now[0] = 6.0
    assert foreign.text(Slow, lambda: repr(slow), 100) == "<Slow whose repr takes too long>"
    assert Slow.calls == 2
    Slow.go_on.set()
    now[0] = 100.0
    assert ForeignCode(patience=20).text(Slow, lambda: repr(slow), 100) == "at last"


class Leaving:
    def __repr__(self) -> str:
        raise SystemExit(1)


class Wordless:
    def __repr__(self) -> str:
        return None  # type: ignore[return-value]


def test_whatever_a_repr_does_it_is_told_in_words() -> None:
    assert one_line(Leaving()) == "<Leaving whose repr raises RuntimeError>"
    assert one_line(Wordless()) == "<Wordless whose repr raises TypeError>"
    assert one_line([Leaving(), 1]).endswith(", 1]")
    assert "digits" in one_line(10**10_000)

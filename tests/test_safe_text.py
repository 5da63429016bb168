"""Texts of values: much as Python writes them, bounded, and without running any of their code."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePosixPath
from typing import Any, NoReturn

import pytest
from pydantic import BaseModel, SecretBytes, SecretStr

from routilux.safe_text import HIDDEN, Secrets, text_of


class Colour(Enum):
    RED = 1


Point = namedtuple("Point", "x y")


@dataclass
class Order:
    number: int
    password: str = field(default="hush", repr=False)


class Model(BaseModel):
    a: int = 1
    token: SecretStr = SecretStr("sesame")


class Slotted:
    __slots__ = ("left", "unset")

    def __init__(self) -> None:
        self.left = 1


class Plain:
    def __init__(self) -> None:
        self._hidden = 1
        self.shown = 2


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"), (True, "True"), (1.5, "1.5"), ("a'b\n", '"a\'b\\n"'), (b"x", "b'x'"),
        ([1, "a"], "[1, 'a']"), ((1,), "(1,)"), ({"k": (1, 2)}, "{'k': (1, 2)}"), (set(), "set()"),
        (frozenset({1}), "frozenset({1})"), (deque([1, 2]), "deque([1, 2])"),
        (Counter(a=2), "Counter({'a': 2})"), (OrderedDict(a=1), "OrderedDict({'a': 1})"),
        (defaultdict(list, a=[]), "defaultdict({'a': []})"), (Point(1, 2), "Point(x=1, y=2)"),
        (date(2025, 6, 12), "datetime.date(2025, 6, 12)"), (timedelta(0), "datetime.timedelta(0)"),
        (Decimal("1.5"), "Decimal('1.5')"), (PurePosixPath("/a"), "PurePosixPath('/a')"),
        (Colour.RED, "Colour.RED"), (Order(7), "Order(number=7)"), (Model(), f"Model(a=1, token={HIDDEN})"),
        (Slotted(), "Slotted(left=1)"), (Plain(), "Plain(shown=2, _hidden=1)"),
        (ValueError("no", 3), "ValueError('no', 3)"), (len, "<function len>"), (time, "<module time>"),
        (int, "<class builtins.int>"), (object(), "<object object>"), (range(3), "range(0, 3)"),
        (bytearray(b"abc"), "<bytearray of 3 bytes>"), (10**1000, "<int of 3,322 bits>"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)  # fmt: skip
def test_values_are_written_much_as_python_writes_them(value: Any, text: str) -> None:
    assert text_of(value, 400) == text


class Trap(dict[Any, Any]):
    """Whatever of it is run, the test fails."""

    def __init__(self) -> None:
        super().__init__(a=1)
        dict.__setattr__(self, "b", 2)

    def fail(self, *arguments: Any) -> NoReturn:
        pytest.fail("code of the value was run")

    __repr__ = __str__ = __len__ = __iter__ = __getattribute__ = __getitem__ = __eq__ = __hash__ = fail
    __format__ = __bool__ = __contains__ = items = keys = values = __class_getitem__ = fail  # type: ignore[assignment]


class Ambush:
    """The same for an object."""

    def __init__(self) -> None:
        object.__setattr__(self, "a", 1)

    def fail(self, *arguments: Any) -> NoReturn:
        pytest.fail("code of the value was run")

    __repr__ = __str__ = __getattribute__ = __eq__ = __hash__ = __dir__ = __bool__ = fail  # type: ignore[assignment]


def test_no_code_of_a_value_is_run() -> None:
    assert text_of(Trap(), 400) == "Trap({'a': 1})"
    assert text_of(Ambush(), 400) == "Ambush(a=1)"
    assert text_of([{"k": Ambush()}], 400) == "[{'k': Ambush(a=1)}]"


def test_a_class_that_plays_with_its_attributes_hurts_nobody() -> None:
    class Liar:
        @property
        def __dict__(self) -> Any:
            raise SystemExit

    assert text_of(Liar(), 400).endswith("Liar object>")


def test_texts_are_bounded_whatever_the_value_is() -> None:
    big = "x" * 10_000_000
    for value in (big, [big] * 1000, {big: big}, big.encode(), list(range(1_000_000)), [[[[[[[[1]]]]]]]]):
        assert len(text_of(value, 400)) < 500
    assert text_of(list(range(100)), 400).endswith("29, … 70 more]")
    assert "(10,000,000 in all)" in text_of(big, 400)


def test_what_holds_itself_is_said_so() -> None:
    ring: list[Any] = [1]
    ring.append(ring)
    assert text_of(ring, 400) == "[1, <holds itself>]"


def test_secrets_are_found_wherever_parameters_hold_them() -> None:
    secrets = Secrets.of(
        {"token": SecretStr("open sesame"), "deep": [{"key": SecretBytes(b"hunter2")}], "day": "today"}
    )
    assert secrets.names == {"token", "key"}
    assert set(secrets.texts) == {"open sesame", "hunter2"}


def test_a_secret_without_a_name_hides_nothing_but_itself() -> None:
    secrets = Secrets.of({1: SecretStr("open sesame")})  # type: ignore[dict-item]  # as a job may have left it
    assert text_of(["day", "open sesame"], 400, secrets) == f"['day', {HIDDEN}]"


def test_secrets_are_looked_for_without_asking_the_keys_for_their_text() -> None:
    parameters: dict[Any, Any] = {}

    class Key:
        def __str__(self) -> str:
            # As the job would that these are of, at the same time.
            parameters["more"] = 1
            raise LookupError

    parameters.update({Key(): {Key(): 1}, "token": SecretStr("open sesame")})
    assert Secrets.of(parameters).names == {"token"}


@pytest.mark.parametrize(
    "value",
    [
        "open sesame", b"open sesame", "Bearer open sesame", ["open sesame"], {"a": "open sesame"},
        {"open sesame": 1}, SecretStr("open sesame"), "x" * 195 + "open sesame", "open sesame" * 40,
        Plain, {"token": "derived from it"}, ValueError("no open sesame"),
    ],
    ids=repr,
)  # fmt: skip
def test_secrets_do_not_leak(value: Any) -> None:
    secrets = Secrets.of({"token": SecretStr("open sesame")})
    text = text_of(value, 400, secrets)
    assert "sesame" not in text
    assert "derived" not in text


def test_a_variable_by_the_name_of_a_secret_is_hidden() -> None:
    secrets = Secrets.of({"token": SecretStr("open sesame")})
    assert text_of("open", 400, secrets, "token") == HIDDEN
    assert text_of("open", 400, secrets, "other") == "'open'"


def test_a_secret_too_short_to_be_looked_for_is_hidden_where_it_stands_alone() -> None:
    secrets = Secrets.of({"pin": SecretStr("12")})
    assert text_of(["12", 12, "1234"], 400, secrets) == f"[{HIDDEN}, {HIDDEN}, '1234']"

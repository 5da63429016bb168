from __future__ import annotations

import dataclasses
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pydantic import BaseModel

from routilux.cli.report import plain


class Colour(Enum):
    RED = "red"


class Point(NamedTuple):
    x: int
    y: int


@dataclasses.dataclass
class Box:
    corner: Point
    colour: Colour


class Model(BaseModel):
    where: Path


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (float("inf"), None),
        (Colour.RED, "red"),
        (Box(Point(1, 2), Colour.RED), {"corner": {"x": 1, "y": 2}, "colour": "red"}),
        (Model(where=Path("a")), {"where": "a"}),
        ({3, 1, 2}, [1, 2, 3]),
        ((1, [2]), [1, [2]]),
        ({1: date(2025, 6, 12), Colour.RED: Decimal("1.10")}, {"1": "2025-06-12", "red": "1.10"}),
        (datetime(2025, 6, 12, tzinfo=UTC), "2025-06-12T00:00:00+00:00"),
        ("caf\udce9", "caf\\udce9"),
        (b"x", "b'x'"),
    ],
)
def test_whatever_a_job_leaves_becomes_json(value: Any, expected: Any) -> None:
    assert plain(value) == expected
    json.dumps(plain(value), allow_nan=False)

"""Fixed pictures for the tabs of a job: what happened over time, what it holds, how it failed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from pydantic import SecretStr

from routilux.history import ENDED, FAILED, RETRIED, SKIPPED, STARTED, ExecutionRecord
from routilux.slot import Item
from routilux.snapshot import RoutineData, SlotItems
from tests.tui import fixed
from tui.pictures import JobData


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


class Rude:
    """Has a repr that raises."""

    def __repr__(self) -> str:
        raise RuntimeError("no")


@dataclass
class Order:
    number: int
    note: str
    lines: list[str]
    password: str = field(default="hush", repr=False)


def job_data() -> JobData:
    """What a job may hold: nested, long, secret, cyclic, rude."""
    cycle: dict[str, Any] = {"name": "a ring"}
    cycle["next"] = cycle
    moment = fixed.NOW - timedelta(seconds=3)
    orders = tuple(Item({"row": {"order": 1017 + at, "count": 2}}, "clean", moment) for at in range(3))
    return JobData(
        {"day": date(2025, 6, 12), "limit": 1000, "token": SecretStr("do not show")},
        {
            "totals": {"rows": 3412, "bad": 2},
            "big": "x" * 100_000_000,
            "numbers": list(range(100_000)),
            "ring": cycle,
            "rude": Rude(),
            "order": Order(1017, "[b]no markup[/b]", ["lamp", "漢字"]),
            "text": "first line\nsecond line\x1b[31m",
        },
        (
            RoutineData("fetch", None, (SlotItems("trigger", 0, 1000, ()),), ()),
            RoutineData("clean", {"seen": 9, "last": {"sku": None}}, (SlotItems("rows", 0, 1000, ()),), ()),
            RoutineData("load", None, (SlotItems("good", 1000, 1000, orders),), ({"totals": [{"n": 1}]},)),
        ),
    )

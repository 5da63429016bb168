"""Fixed failures for the Error tab."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from routilux.history import JobError
from routilux.raised import Raised, RaisedFrame

ETL = "/srv/flows/etl.py"
COST = RaisedFrame(
    ETL, 88, "Clean.cost", False, 84,
    (
        "    def cost(self, row):",
        "        # 漢字: what is not known has no price",
        "        rate = 1.19 if self.taxed else None",
        '        name = f"{row["name"]!r}"',
        '        return row["sku"].price * rate',
        "",
        "    @property",
        "    def taxed(self): return True",
    ),
    (15, 25),
    (
        ("self", "Clean(limit=1000)"),
        ("row", "{'name': 'lamp', 'count': 2}"),
        ("rate", "1.19"),
        ("note", "'\\x1b[31mred \x1b[31m[b]bold[/b] \u202eevil'"),
        ("token", "••••"),
    ),
    3,
)  # fmt: skip
LOGIC = RaisedFrame(
    ETL, 71, "Clean.logic", False, 70,
    ("        for row in rows:", "            total += self.cost(row)", "        self.emit('good', n=total)"),
    (21, 35), (("rows", "[{'name': 'lamp', 'count': 2}]"), ("total", "0")),
)  # fmt: skip
LIBRARY = (
    RaisedFrame("/usr/lib/python3.11/json/__init__.py", 346, "loads", True, 346,
                ("    return decoder.decode(s)",)),
    RaisedFrame("/usr/lib/python3.11/json/decoder.py", 355, "JSONDecoder.raw_decode", True, 355,
                ("        raise JSONDecodeError('Expecting value', s, err.value) from None",)),
)  # fmt: skip
RAISED = (Raised("", 0, "KeyError", "'sku'", (), (LOGIC, COST)),)
CHAINED = (
    Raised("", 0, "ExceptionGroup", "two rows (2 sub-exceptions)", ("the file is of yesterday",), (LOGIC,)),
    Raised("member", 1, "KeyError", "'sku'", (), (LOGIC, COST)),
    Raised("member", 1, "JSONDecodeError", "Expecting value: line 1 column 1", (), (LOGIC, *LIBRARY)),
    Raised("cause", 0, "RuntimeError", "no tariff", (), (COST,)),
)


def several(now: datetime) -> tuple[JobError, ...]:
    """Two that the job survived, then one that failed it; the first is without its frames."""
    data: dict[str, list[Any]] = {"rows": [{"order": 1017}]}
    plain = (
        f'Traceback (most recent call last):\n  File "{ETL}", line 12, in logic\n    x = 1\nValueError: old\n'
    )
    return (
        JobError("clean", "old", "ValueError", plain, data, now - timedelta(seconds=9), False),
        JobError(
            "audit", "two rows", "ExceptionGroup", "", data, now - timedelta(seconds=5), False, None, CHAINED
        ),
        JobError("clean", "'sku'", "KeyError", "", data, now, True, None, RAISED),
    )

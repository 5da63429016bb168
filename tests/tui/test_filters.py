"""Filters as one types them."""

from __future__ import annotations

import pytest

from tui.filters import parse_filter

JOB = {"id": "a31f", "flow": "etl.daily", "state": "failed", "params": "day=06-12", "error": "keyerror 'sku'"}


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("", True), ("  ", True), ("etl", True), ("ETL", True), ("report", False), ("state:failed", True),
        ("state:completed", False), ("state:!completed", True), ("!state:failed", False), ("!report", True),
        ("etl sku", True), ("etl !sku", False), ("flow:sku", False), ("day=06-12", True), ("state:", True),
        ("http://x", False), ("!", True), ("!state:!failed", True),
    ],
)  # fmt: skip
def test_what_passes(text: str, passes: bool) -> None:
    assert parse_filter(text, frozenset(JOB)).passes(JOB) is passes


def test_a_filter_without_terms_is_none() -> None:
    assert not parse_filter(" ! state: ", frozenset(JOB))
    assert parse_filter("x", frozenset())

"""Filters as one types them."""

from __future__ import annotations

import pytest

from tui.filters import parse_filter

JOB = {
    "id": "a31f",
    "flow": "etl.daily",
    "state": "failed",
    "params": "day=06-12",
    "error": "keyerror 'sku' x",
}
STATES = {"state": ("running", "failed", "completed")}


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("", True), ("  ", True), ("etl", True), ("ETL", True), ("report", False), ("state:failed", True),
        ("state:completed", False), ("state:!completed", True), ("!state:failed", False), ("!report", True),
        ("etl sku", True), ("etl !sku", False), ("flow:sku", False), ("day=06-12", True), ("state:", True),
        ("http://x", False), ("!", True), ("!state:!failed", True),
        ('"\'sku\' x"', True), ('"x sku"', False), ('error:"\'sku\' x"', True), ('!"sku x"', True),
        ('flow:!"etl d"', True), ('"sku', True), ("\"'sku' ", True), ('""', True), ('flow:"etl" sku', True),
        ('"state:failed"', False), ('"a b', False),
    ],
)  # fmt: skip
def test_what_passes(text: str, passes: bool) -> None:
    assert parse_filter(text, frozenset(JOB)).passes(JOB) is passes


def test_a_filter_without_terms_is_none() -> None:
    assert not parse_filter(' ! state: "" ', frozenset(JOB))
    assert parse_filter("x", frozenset())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("state:failed", ""), ("state:fa", ""), ("state:", ""), ("flow:anything", ""), ('"folw:etl"', ""),
        ("12:30", ""),
        ("state:lost", "no state begins with “lost”: there are running, failed, completed"),
        ("state:!faild", "no state begins with “faild”: did you mean failed?"),
        ("folw:etl", "folw: is no field and is searched as text; did you mean flow:?"),
        ("http://x",
         "http: is no field and is searched as text; there are error:, flow:, id:, params:, state:"),
    ],
)  # fmt: skip
def test_what_can_hardly_be_meant_is_explained(text: str, problem: str) -> None:
    assert parse_filter(text, frozenset(JOB), STATES).problem == problem

"""Copies of parameters share nothing with them that could be changed, as far as they are plain data."""

from __future__ import annotations

import copy
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routilux import plain_copy as module
from routilux.plain_copy import plain_copy

scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text())
plain: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner),
        st.lists(inner).map(tuple),
        st.dictionaries(st.text(), inner),
        st.sets(st.integers()),
    ),
)


def mutable_parts(value: Any) -> list[Any]:
    """The lists, dicts and sets anywhere in a value."""
    found = [value] if isinstance(value, (list, dict, set)) else []
    if isinstance(value, (list, tuple)):
        found += [part for each in value for part in mutable_parts(each)]
    if isinstance(value, dict):
        found += [part for each in value.values() for part in mutable_parts(each)]
    return found


@given(st.dictionaries(st.text(), plain))
def test_a_copy_is_equal_and_shares_nothing_that_could_be_changed(values: dict[str, Any]) -> None:
    before = copy.deepcopy(values)
    copied = plain_copy(values)
    assert copied == before
    parts = mutable_parts(values)  # kept, so that no id is given twice
    assert {id(part) for part in parts}.isdisjoint(id(part) for part in mutable_parts(copied))


def test_objects_that_are_no_plain_data_are_shared() -> None:
    class Words(list[str]):
        pass

    held = object()
    words = Words(["a"])
    copied = plain_copy({"held": [held], "words": words})
    assert copied["held"][0] is held
    assert copied["words"] is words


def test_data_that_leads_back_to_itself_is_copied_too() -> None:
    ring: list[Any] = []
    ring.append(({"ring": ring},))
    copied = plain_copy({"ring": ring})["ring"]
    assert copied is not ring
    assert copied[0][0]["ring"] is copied


def test_what_is_nested_too_deeply_to_be_copied_is_shared() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert plain_copy({"deep": deep})["deep"] is deep
    while deep:  # taken apart by hand: comparing or freeing it at once would recurse as deeply
        deep = deep.pop()


def test_what_another_thread_changes_meanwhile_is_copied_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    rows: dict[str, Any] = {"a": [1], "b": [2]}
    step = module._copied

    def meanwhile(value: Any, known: Any) -> Any:
        # As another thread would, between any two elements.
        rows[f"more {len(rows)}"] = [3]
        return step(value, known)

    monkeypatch.setattr(module, "_copied", meanwhile)
    copied = plain_copy(MappingProxyType({"rows": rows}))["rows"]
    assert (copied["a"], copied["b"]) == ([1], [2])

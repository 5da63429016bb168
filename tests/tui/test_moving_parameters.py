"""Parameters that their running job changes while they are looked at."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from types import MappingProxyType
from typing import Any

import pytest

from tests.tui.forms import Params, picture_of
from tui.form.draft import Draft
from tui.form.values import json_text
from tui.formats import parameters_line
from tui.job_data import roots_of
from tui.pictures import JobData
from tui.tree import rows_of


class Key(str):
    """Whoever asks it anything finds its parameters changed meanwhile, as by another thread."""

    parameters: dict[Any, Any] | None = None

    def _change(self) -> None:
        if self.parameters is not None:
            self.parameters[f"more {len(self.parameters)}"] = 1

    def __hash__(self) -> int:
        self._change()
        return str.__hash__(self)

    def __eq__(self, other: object) -> bool:
        return str.__eq__(self, other)

    def __str__(self) -> str:
        self._change()
        return "key"

    __repr__ = __str__


class Value:
    def __init__(self, parameters: dict[Any, Any]) -> None:
        self.parameters = parameters

    def __repr__(self) -> str:
        self.parameters[f"more {len(self.parameters)}"] = 1
        return "value"


@pytest.fixture
def moving() -> dict[Any, Any]:
    parameters: dict[Any, Any] = {}
    key = Key("key")
    parameters[key] = Value(parameters)
    parameters["last"] = Value(parameters)
    key.parameters = parameters
    return parameters


def test_they_are_written_on_one_line(moving: dict[Any, Any]) -> None:
    assert parameters_line(MappingProxyType(moving)) == "key=value last=value"


def test_the_data_tab_shows_them(moving: dict[Any, Any]) -> None:
    data = JobData(moving, {}, ())
    rows = rows_of(roots_of(data, UTC), lambda path, value: True, {})
    assert [row.label for row in rows][:3] == ["parameters", "key", "last"]


def test_a_form_is_filled_with_them(moving: dict[Any, Any]) -> None:
    view: Mapping[str, Any] = MappingProxyType(moving)
    assert Draft(picture_of(Params), view).unknown[:2] == ("key", "last")


def test_a_form_holds_on_to_what_they_were(moving: dict[Any, Any]) -> None:
    words = ["a"]
    draft = Draft(picture_of(Params), {"name": "n", "sure": True, "words": words})
    words.append("b")
    assert draft.read().values["words"] == ["a"]
    assert type(json_text(moving)) is str

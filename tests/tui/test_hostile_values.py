"""Values of classes that raise wherever one looks: they are shown all the same, and hold nothing up."""

from __future__ import annotations

import textwrap
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from routilux.params import ParameterField
from tests.tui import hostile
from tests.tui.driving import main_of, real_app, screen_text, text_of, until, until_shown
from tui.form.values import errors_of, json_text
from tui.form.values import text_of as edited_text
from tui.formats import brief, number, one_line, parameters_line, pretty
from tui.tree import kind_words, rows_of

NAMES = tuple(hostile.values())


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    hostile.RAN.clear()


def ran_here() -> list[str]:
    """What ran of the values' classes in the thread that only looks at them."""
    return [what for what, thread in hostile.RAN if thread == threading.current_thread().name]


def as_parameters(value: Any) -> str:
    return parameters_line({"p": value})


def nested(value: Any) -> str:
    return pretty([{"a": (value, 1)}])


@pytest.mark.parametrize("write", [brief, one_line, pretty, as_parameters, nested, number])
@pytest.mark.parametrize("name", NAMES)
def test_every_value_has_a_text(name: str, write: Callable[[Any], str]) -> None:
    text = write(hostile.values()[name])
    assert type(text) is str
    assert text
    if write is not number:
        # `number` is for what routines report, and that is a number.
        assert ran_here() == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("row", "Row(number=7, related=<not read>)"), ("text", "words"), ("member", "red"),
        ("wordless", "<Wordless whose repr raises LookupError>"),
    ],
)  # fmt: skip
def test_what_can_be_read_without_the_class_is(name: str, text: str) -> None:
    assert brief(hostile.values()[name]) == text


def test_one_that_cannot_be_read_hides_none_of_its_neighbours() -> None:
    assert one_line([hostile.Unhashable(), 1]).endswith(", 1]")


@pytest.mark.parametrize("name", NAMES)
def test_the_tree_runs_no_code_of_the_values(name: str) -> None:
    value = hostile.values()[name]
    rows = rows_of([("root", [value])], lambda path, value: True, {})
    words = [kind_words(row.value) for row in rows]
    assert len(words) >= 2
    assert ran_here() == []


def test_what_the_tree_unfolds_is_what_the_built_in_classes_hold() -> None:
    found = hostile.values()
    labels = {
        name: [row.label for row in rows_of([("root", value)], lambda path, value: True, {})[1:]]
        for name, value in found.items()
    }
    assert labels["row"] == ["number", "related"]
    assert labels["mapped"] == labels["view"] == ["'a'"]


@pytest.mark.parametrize("kind", ["str", "path", "date", "list", "choice"])
@pytest.mark.parametrize("name", NAMES)
def test_the_form_has_a_text_to_edit_for_every_value(name: str, kind: str) -> None:
    value = hostile.values()[name]
    assert type(edited_text(ParameterField("p", kind, kind), value)) is str
    assert type(json_text({"a": [value]})) is str


def test_an_exception_that_has_no_text_is_told_all_the_same() -> None:
    class Speechless(Exception):
        def __str__(self) -> str:
            raise LookupError

    assert "Speechless" in errors_of(Speechless(), [])[""]


# ---- on the screen

FLOW = """
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from routilux import Flow, Routine
from tests.tui import hostile


class Params(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    wordless: Annotated[hostile.Wordless, BeforeValidator(lambda value: hostile.Wordless())] = Field(
        "x", validate_default=True
    )


class Source(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger")
        self.define_event("out", ["row"])

    def logic(self, trigger, *, job_state):
        job_state.shared_data.update(hostile.values())
        self.emit("out", row=hostile.Row())


flow = Flow("odd", params=Params)
flow.add_routine(Source(), "source")
"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
async def test_a_job_that_holds_them_can_be_looked_at_and_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    root = tmp_path / "flows"
    root.mkdir()
    (root / "odd.py").write_text(textwrap.dedent(FLOW))
    async with real_app(root) as (pilot, runtime):
        main = main_of(pilot)
        await until(pilot, lambda: main.catalogue.described and main.flow_list.chosen_flow)
        await pilot.press("S")
        await until(pilot, lambda: [job.status for job in runtime.list_jobs()] == ["completed"])
        await pilot.press("5", "z")
        main.job_pane.go_to_tab("History")
        await until_shown(pilot, "Row(number=7, related=<not read>)")
        main.job_pane.go_to_tab("Data")
        await until_shown(pilot, "proxy")
        assert "<not read>" in text_of(main.job_pane.more().data)
        await pilot.press("r")
        await until_shown(pilot, "<Wordless whose repr raises LookupError>")
        assert "Re-run" in screen_text(pilot)

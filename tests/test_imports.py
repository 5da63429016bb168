"""What an import brings along, seen in a fresh interpreter."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


def imported_by(statement: str) -> set[str]:
    """The modules that are there after a statement, in a new process."""
    code = f"{statement}\nimport sys, json\nprint(json.dumps(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    modules: list[str] = json.loads(run.stdout)
    return set(modules)


@pytest.mark.parametrize(
    "heavy",
    [
        "textual",
        "tui",
        "rich",
        "pydantic",
        "click",
        "sqlite3",
        "asyncio",
        "watchfiles",
        "platformdirs",
        "pathlib",
        "inspect",
        "routilux.failures",
    ],
)
def test_the_library_stays_light(heavy: str) -> None:
    assert heavy not in imported_by("import routilux")


def test_the_command_line_loads_no_interface() -> None:
    modules = imported_by("import routilux.cli")
    assert "click" in modules
    assert not {"textual", "tui", "rich", "pydantic", "sqlite3"} & modules


def test_loading_a_folder_needs_nothing_but_the_library() -> None:
    assert not {"textual", "tui", "rich", "pydantic", "click"} & imported_by("import routilux.loading")


def test_a_flow_without_declared_parameters_never_needs_pydantic() -> None:
    statement = """
from routilux import Flow, FlowRegistry, Routine, Runtime
flow = Flow("one")
routine = Routine()
routine.set_logic(lambda: None)
flow.add_routine(routine, "one")
FlowRegistry.get_instance().register(flow)
with Runtime(2) as runtime:
    state = runtime.exec("one", {"any": "thing"})
    assert runtime.get_job(state.job_id).wait(30)
"""
    assert "pydantic" not in imported_by(statement)


@pytest.mark.parametrize(
    "later",
    [
        "click",
        "importlib.abc",
        "pydantic",
        "routilux.codec",
        "shlex",
        "sysconfig",
        "tui.editor",
        "tui.error_rows",
        "tui.export",
        "tui.form.draft",
        "tui.lending",
        "tui.palette",
        "tui.screens.dialog",
        "tui.screens.exporting",
        "tui.screens.question",
        "tui.screens.text",
        "tui.screens.start",
        "tui.screens.saved",
        "tui.screens.messages",
        "tui.screens.export",
        "tui.widgets.more_tabs",
        "tui.widgets.prompt",
        "tui.timeline",
        "tui.tree",
    ],
)
def test_the_first_frame_waits_for_no_import_that_it_does_not_need(later: str) -> None:
    assert later not in imported_by("import tui.opening")


def test_the_interface_is_built_on_the_library() -> None:
    assert {"routilux", "textual"} <= imported_by("import tui.app")

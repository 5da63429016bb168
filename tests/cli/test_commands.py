from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.running import Run

# ---- list


def test_list_shows_each_flow_in_a_line(routilux: Run) -> None:
    result = routilux("list")
    assert result.exit_code == 0
    assert [line.split()[:2] for line in result.stdout.splitlines()] == [
        ["any", "any.py:12"],
        ["demo", "no_entry.py:13"],
        ["fail", "fail.py:22"],
        ["greet", "greet.py:29"],
        ["wait", "wait.py:23"],
    ]
    assert "Greet somebody." in result.stdout
    assert "At length" not in result.stdout


def test_list_tells_what_did_not_load(routilux: Run, project: Path) -> None:
    (project / "flows" / "bad.py").write_text("import nothing_of_the_kind\n")
    result = routilux("list")
    assert result.exit_code == 0
    assert "bad.py:1: ModuleNotFoundError: No module named 'nothing_of_the_kind'" in result.stderr
    assert "greet" in result.stdout


def test_list_as_json(routilux: Run, project: Path) -> None:
    (project / "flows" / "bad.py").write_text("print('noise')\ndef broken(:\n")
    result = routilux("list", "--json")
    document = json.loads(result.stdout)
    assert [flow["name"] for flow in document["flows"]] == ["any", "demo", "fail", "greet", "wait"]
    name = next(flow for flow in document["flows"] if flow["name"] == "greet")["parameters"][0]
    assert (name["name"], name["kind"], name["required"], name["description"]) == (
        "name",
        "str",
        True,
        "whom to greet",
    )
    assert [(error["kind"], error["path"], error["lineno"]) for error in document["errors"]] == [
        ("syntax", "bad.py", 2)
    ]


def test_what_modules_print_does_not_reach_stdout(routilux: Run, project: Path) -> None:
    (project / "flows" / "noisy.py").write_text("print('noise')\n")
    result = routilux("list", "--json")
    json.loads(result.stdout)
    assert "noise" in result.stderr


# ---- the flow folder


def test_the_folder_is_the_one_that_is_named(routilux: Run, project: Path) -> None:
    (project / "flows").rename(project / "elsewhere")
    assert "greet" in routilux("list", "elsewhere").stdout
    assert routilux("run", "greet", "--flows", "elsewhere", "--name", "x").exit_code == 0
    assert routilux("run", "greet", "--name", "x", "--flows=elsewhere").exit_code == 0
    assert routilux("run", "--flows", "elsewhere", "greet", "--name", "x").exit_code == 0


def test_the_folder_is_the_one_that_the_nearest_pyproject_names(
    routilux: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "flows").rename(project / "elsewhere")
    (project / "pyproject.toml").write_text('[tool.routilux]\nflows = "elsewhere"\n')
    (project / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(project / "a" / "b")
    assert "greet" in routilux("list").stdout


@pytest.mark.parametrize(
    ("pyproject", "message"),
    [
        (None, "there is no flow folder"),
        ("[tool.routilux]\nflows = 'nowhere'", "there is no flow folder"),
        ("[tool.routilux]\nflows = 3", '[tool.routilux] flows is 3; it must name a folder, such as "flows"'),
        ("tool = 3", "tool is 3; it must be a table"),
        ("[tool", "pyproject.toml cannot be read: "),
    ],
)
def test_a_folder_that_cannot_be_told_is_a_usage_error(
    routilux: Run, project: Path, pyproject: str | None, message: str
) -> None:
    (project / "flows").rename(project / "elsewhere")
    if pyproject is not None:
        (project / "pyproject.toml").write_text(pyproject)
    result = routilux("list")
    assert result.exit_code == 2
    assert message in result.stderr


# ---- validate


def test_validate_tells_findings_and_fails_on_errors(routilux: Run) -> None:
    result = routilux("validate", "demo")
    assert result.exit_code == 1
    assert result.stdout.startswith("error: demo: the flow has no entry")
    document = json.loads(routilux("validate", "demo", "--json").stdout)
    assert document[0]["code"] == "no-entry"


def test_validate_of_a_good_flow_succeeds(routilux: Run) -> None:
    assert routilux("validate", "greet").exit_code == 0
    assert routilux("validate", "nothing").exit_code == 2

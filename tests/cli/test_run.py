from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest

from tests.cli.running import Run, refused, report

# ---- run: what it takes


def test_run_prints_what_the_job_prints(routilux: Run) -> None:
    result = routilux("run", "greet", "--name", "you", "--count", "2")
    assert (result.exit_code, result.stdout) == (0, "hello you\nhello you\n")
    assert result.stderr.splitlines()[-1].startswith("✓ greet completed after 0.")


def test_every_parameter_is_an_option(routilux: Run) -> None:
    options = [
        "--name",
        "x",
        "--count",
        "0",
        "--loud",
        "--tone",
        "cold",
        "--tags",
        "a",
        "--tags",
        "b",
        "--where",
        "y",
    ]
    assert report(routilux("run", "greet", "--json", *options)) == {
        "name": "x",
        "count": 0,
        "loud": True,
        "tone": "cold",
        "tags": ["a", "b"],
        "timeout": 5.0,
        "where": "y",
    }


def test_a_list_may_be_json_and_a_bool_may_be_denied(routilux: Run) -> None:
    found = report(routilux("run", "greet", "--json", "--name", "x", "--tags", '["a", "b,c"]', "--no-loud"))
    assert (found["tags"], found["loud"]) == (["a", "b,c"], False)


def test_a_parameter_whose_option_is_taken_is_given_by_param(routilux: Run) -> None:
    args = ["run", "greet", "--json", "--timeout", "60", "--param", "timeout=7", "--param", "name=x=y"]
    found = report(routilux(*args))
    assert (found["timeout"], found["name"]) == (7.0, "x=y")


def test_options_take_precedence_over_param_and_param_over_the_file(routilux: Run, project: Path) -> None:
    (project / "p.json").write_text('{"name": "file", "count": 0, "tone": "cold"}')
    args = ["--params-file", "p.json", "--param", "name=param", "--param", "tone=warm", "--name", "option"]
    found = report(routilux("run", "greet", "--json", *args))
    assert (found["name"], found["tone"], found["count"]) == ("option", "warm", 0)


def test_parameters_may_come_from_stdin(routilux: Run) -> None:
    found = report(routilux("run", "greet", "--json", "--params-file", "-", stdin='{"name": "in"}'))
    assert found["name"] == "in"


def test_a_flow_that_declares_none_takes_any_and_reads_json(routilux: Run) -> None:
    pairs = ["--param", "n=3", "--param", "s=abc", "--param", 'd={"a": [null]}', "--param", 't="4"']
    assert report(routilux("run", "any", "--json", *pairs)) == {
        "n": 3,
        "s": "abc",
        "d": {"a": [None]},
        "t": "4",
    }


def test_help_shows_the_parameters_of_the_flow(routilux: Run) -> None:
    text = routilux("run", "greet", "--help").stdout
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "greet: Greet somebody." in text
    assert "Parameters of greet:" in lines
    assert "--name TEXT whom to greet [required]" in lines
    assert "--count INTEGER [default: 1]" in lines
    assert any(line.startswith("--loud / --no-loud") for line in lines)
    assert "--tone [warm|cold] [default: warm]" in lines
    assert "--param timeout=NUMBER [default: 5.0]" in lines
    assert any(line.startswith("--timeout SECONDS") for line in lines)


def test_help_without_a_flow_says_how_to_get_more(routilux: Run) -> None:
    result = routilux("run", "--help")
    assert result.exit_code == 0
    assert "routilux run FLOW --help" in result.stdout


# ---- run: usage errors, after which nothing was started


def test_bad_parameters_are_told_one_per_line(routilux: Run) -> None:
    text = refused(routilux("run", "greet", "--json", "--count", "many", "--tone", "hot", "--tags", "[1"))
    lines = text.splitlines()
    assert lines[0] == "Error: greet was not started: 4 parameters are wrong"
    assert sorted(line.split(":")[0].strip() for line in lines[1:]) == ["count", "name", "tags", "tone"]


def test_an_unknown_parameter_is_told_with_the_nearest(routilux: Run) -> None:
    assert "--count" in refused(routilux("run", "greet", "--name", "x", "--cuont", "3"))
    assert "count" in refused(routilux("run", "greet", "--name", "x", "--param", "cuont=3"))


def test_an_unknown_flow_is_told_with_the_nearest_and_all(routilux: Run) -> None:
    text = refused(routilux("run", "gret"))
    assert "there is no flow 'gret'" in text
    assert "did you mean 'greet'?" in text
    assert "flows: any, demo, fail, greet, wait" in text


def test_a_flow_whose_module_is_broken_is_told_with_its_error(routilux: Run, project: Path) -> None:
    (project / "flows" / "score.py").write_text("x = 1\nx.nothing\n")
    text = refused(routilux("run", "score"))
    assert "there is no flow 'score', since score.py could not be loaded" in text
    assert "score.py:2: AttributeError: 'int' object has no attribute 'nothing'" in text
    assert "    x.nothing" in text
    assert "score.py:2: " in refused(routilux("run", "other"))


def test_a_declaration_that_cannot_be_used_is_the_author_s_error(routilux: Run, project: Path) -> None:
    source = """
        from dataclasses import dataclass
        from routilux import Flow

        @dataclass
        class Params:
            x: "Nowhere"

        flow = Flow("odd", params=Params)
    """
    (project / "flows" / "odd.py").write_text(textwrap.dedent(source))
    text = refused(routilux("run", "odd"))
    assert "odd.py:9: flow 'odd' cannot be described: " in text
    assert "Nowhere" in text
    document = json.loads(routilux("list", "--json").stdout)
    assert [error["lineno"] for error in document["errors"]] == [9]
    assert "odd" not in [flow["name"] for flow in document["flows"]]
    assert "odd" in routilux("list").stdout


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--param", "name"], "--param takes name=value, not 'name'"),
        (["--params-file", "nowhere.json"], "--params-file nowhere.json cannot be read"),
        (["--params-file", "list.json"], "--params-file list.json must hold an object"),
        (["--params-file", "bad.json"], "--params-file bad.json is no JSON"),
        (["--timeout", "0"], "--timeout"),
        (["--workers", "0"], "--workers"),
    ],
)
def test_bad_options_are_usage_errors(routilux: Run, project: Path, args: list[str], message: str) -> None:
    (project / "list.json").write_text("[]")
    (project / "bad.json").write_text("{")
    assert message in refused(routilux("run", "greet", *args))


def test_no_flow_is_a_usage_error(routilux: Run) -> None:
    assert "FLOW" in refused(routilux("run"))


# ---- run: how it ends


def test_a_failed_job_is_told_with_routine_place_and_data(routilux: Run, project: Path) -> None:
    result = routilux("run", "fail")
    assert result.exit_code == 1
    assert "Routine 'parse' failed: JSONDecodeError: " in result.stderr
    assert f'File "{project / "flows" / "fail.py"}", line 20, in logic' in result.stderr
    assert "json/decoder.py" not in result.stderr
    assert "{'parts': [{'number': 17}]}" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("✗ fail failed after 0.")


def test_json_is_one_document_and_nothing_else(routilux: Run) -> None:
    result = routilux("run", "fail", "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert (document["flow"], document["status"], document["report"]) == ("fail", "failed", None)
    (error,) = document["errors"]
    assert (error["routine_id"], error["exception_type"], error["fatal"]) == (
        "parse",
        "JSONDecodeError",
        True,
    )
    assert error["data_slice"] == {"parts": [{"number": 17}]}
    assert document["routines"]["split"]["activations"] == 1
    assert document["duration"] >= document["routines"]["split"]["time_in_logic"] >= 0


def test_a_job_that_prints_leaves_json_alone(routilux: Run) -> None:
    result = routilux("run", "greet", "--json", "--name", "x")
    assert json.loads(result.stdout)["status"] == "completed"
    assert "hello x" in result.stderr


def test_a_flow_where_nothing_runs_says_so(routilux: Run) -> None:
    result = routilux("run", "demo", "--param", "data=test")
    assert result.exit_code == 0
    assert "nothing runs" in result.stderr
    assert "define a slot 'trigger'" in result.stderr
    assert "data" in result.stderr
    assert json.loads(routilux("run", "demo", "--json").stdout)["notices"]


def test_a_time_limit_fails_the_job_and_says_which(routilux: Run) -> None:
    result = routilux("run", "wait", "--timeout", "0.05")
    assert result.exit_code == 1
    assert "ran longer than its limit of 0.05 s" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("✗ wait failed after 0.")

"""Files that are written whole or not at all, and what stands in them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from routilux.history import LogLine
from routilux.safe_text import Secrets
from tests.tui import fixed, fixed_errors
from tests.tui.fixed_tabs import job_data
from tui import export
from tui.export import default_name, error_pieces, history_pieces, log_pieces, write_new
from tui.job_json import as_json, data_tree, job_tree, tree_of

NONE = Secrets()


def test_a_file_is_written_with_the_rights_that_files_have(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    assert write_new(path, ["a", "é\n"]) == 4
    assert path.read_text() == "aé\n"
    plain = tmp_path / "plain"
    plain.touch()
    assert path.stat().st_mode == plain.stat().st_mode
    assert sorted(os.listdir(tmp_path)) == ["log.txt", "plain"]


def test_nothing_is_overwritten_unless_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text("precious")
    with pytest.raises(FileExistsError):
        write_new(path, ["new"])
    assert path.read_text() == "precious"
    write_new(path, ["new"], over=True)
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["log.txt"]


def test_a_file_that_comes_into_being_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"

    def pieces() -> Iterator[str]:
        yield "new"
        path.write_text("precious")

    with pytest.raises(FileExistsError):
        write_new(path, pieces())
    assert path.read_text() == "precious"


def test_nothing_is_left_behind_where_writing_fails(tmp_path: Path) -> None:
    def pieces() -> Iterator[str]:
        yield "some"
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write_new(tmp_path / "log.txt", pieces())
    assert os.listdir(tmp_path) == []


def test_a_file_system_without_hard_links_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*paths: Any) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(export.os, "link", refuse)
    write_new(tmp_path / "a", ["x"])
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "a", ["y"])
    assert (tmp_path / "a").read_text() == "x"


def test_the_log_is_written_as_lines_or_as_json() -> None:
    lines = [
        LogLine(5, fixed.NOW, "INFO", "clean", "one\ntwo"),
        LogLine(6, fixed.NOW, "PRINT", "", "\ud800é"),
    ]
    text = "".join(log_pieces(lines, 5, UTC, ".txt"))
    assert text.splitlines() == [
        "# 5 earlier lines are no longer kept",
        "2025-06-12 12:04:55.000+00:00 INFO     clean        one",
        "        two",
        "2025-06-12 12:04:55.000+00:00 PRINT    -            \ud800é",
    ]
    trees = [json.loads(piece) for piece in log_pieces(lines, 5, UTC, ".jsonl")]
    assert [tree["message"] for tree in trees] == ["one\ntwo", "\ud800é"]


def test_what_no_encoding_holds_is_written_by_its_number(tmp_path: Path) -> None:
    write_new(tmp_path / "a", ["\ud800"])
    assert (tmp_path / "a").read_text() == "\\ud800"


def test_the_history_is_written_as_json_lines() -> None:
    trees = [json.loads(piece) for piece in history_pieces(fixed.records(), NONE)]
    assert len(trees) == 40
    assert trees[0]["data"] == {"rows": [{"order": 1017, "count": 2}]}
    assert trees[0]["at"].startswith("2025-06-12T12:04:15")


def test_errors_are_written_as_tracebacks() -> None:
    text = "".join(error_pieces(fixed_errors.several(fixed.NOW)))
    assert "ValueError: old" in text
    assert "(failed the job)" in text


class Opaque:
    def __repr__(self) -> str:
        raise SystemExit


@pytest.mark.parametrize(
    ("value", "tree"),
    [
        ({"a": [1, None]}, {"a": [1, None]}),
        (fixed.NOW.date(), {"$type": "date", "value": "2025-06-12"}),
        ({"a": 1, "b": Opaque()}, {"a": 1, "b": {"$text": "<tests.tui.test_export.Opaque object>"}}),
        (
            [fixed.NOW.date(), SecretStr("hush")],
            [{"$type": "date", "value": "2025-06-12"}, {"$text": "••••"}],
        ),
    ],
    ids=["plain", "tagged", "opaque", "secret"],
)
def test_values_are_encoded_as_the_project_does_and_the_rest_in_words(value: Any, tree: Any) -> None:
    assert tree_of(value, NONE) == tree


def test_a_value_that_holds_itself_ends_somewhere() -> None:
    ring: list[Any] = []
    ring.append(ring)
    assert len(json.dumps(tree_of(ring, NONE))) < 1000


def test_the_data_of_a_job_is_json_without_its_secrets() -> None:
    data = job_data()
    data.shared["copied"] = {"token": "do not show", "header": "Bearer do not show"}  # type: ignore[index]
    secrets = Secrets.of(data.parameters)
    text = as_json(data_tree(data, secrets), secrets)
    assert "do not show" not in text
    tree = json.loads(text)
    assert tree["parameters"]["limit"] == 1000
    assert tree["queued_items"]["load.good"]["waiting"] == 1000
    assert tree["queued_items"]["load.good"]["items"][0]["data"] == {"row": {"order": 1017, "count": 2}}


def test_a_whole_job_is_json() -> None:
    detail = fixed.detail(fixed.JOBS[2])
    tree = json.loads(
        as_json(job_tree(detail.snapshot, None, detail.errors, fixed.records(), fixed.log_lines()), NONE)
    )
    assert tree["flow"] == "etl.daily"
    assert tree["status"] == "failed"
    assert tree["errors"][1]["type"] == "KeyError"
    assert len(tree["history"]) == len(tree["log"]) == 40
    assert tree["history_dropped"] == 1


@pytest.mark.parametrize(
    ("flow", "name"),
    [("etl.daily", "a31f22-etl.daily-log.txt"), ("../../etc/passwd", "a31f22-etc_passwd-log.txt"),
     ("a b\n\x1b[31m", "a31f22-a_b_31m-log.txt"), ("", "a31f22-flow-log.txt")],
)  # fmt: skip
def test_the_name_that_is_offered_is_one_for_a_file(flow: str, name: str) -> None:
    assert default_name("a31f22beef", flow, "log", ".txt") == name

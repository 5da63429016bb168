"""Where the flows are."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.config import ConfigError, flows_folder


def test_the_folder_given_counts_most(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.routilux]\nflows = "other"\n')
    assert flows_folder("mine", tmp_path) == tmp_path / "mine"
    assert flows_folder("/abs", tmp_path) == Path("/abs")


def test_the_configured_folder_is_relative_to_its_file(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.routilux]\nflows = "work/flows"\n')
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert flows_folder(None, below) == tmp_path / "work" / "flows"


def test_without_configuration_it_is_flows_beside_one(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n')
    assert flows_folder(None, tmp_path) == tmp_path / "flows"


@pytest.mark.parametrize("text", ["[tool.routilux]\nflows = 3\n", "[tool]\nroutilux = 1\n", "[", "\udcff"])
def test_a_file_that_is_wrong_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigError, match=r"pyproject\.toml"):
        flows_folder(None, tmp_path)

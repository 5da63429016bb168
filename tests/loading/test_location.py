"""Where the flows are."""

from __future__ import annotations

from pathlib import Path

import pytest

from routilux.loading.location import ConfigurationError, flow_folder, locate, user_config_file


def user_says(text: str) -> Path:
    file = user_config_file()
    file.parent.mkdir(parents=True)
    file.write_text(text)
    return file


def test_the_folder_given_counts_most(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.routilux]\nflows = "other"\n')
    assert flow_folder("mine", tmp_path) == tmp_path / "mine"
    assert flow_folder("/abs", tmp_path) == Path("/abs")


def test_the_configured_folder_is_relative_to_its_file(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.routilux]\nflows = "work/flows"\n')
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert locate(None, below) == (tmp_path / "work" / "flows", str(tmp_path / "pyproject.toml"))


def test_without_configuration_it_is_flows_where_one_is(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n')
    assert locate(None, tmp_path) == (tmp_path / "flows", "default")


def test_the_users_folder_counts_where_there_is_no_other(tmp_path: Path) -> None:
    file = user_says('flows = "mine"\n')
    assert locate(None, tmp_path) == (file.parent / "mine", str(file))
    (tmp_path / "flows").mkdir()
    assert locate(None, tmp_path) == (tmp_path / "flows", "default")


@pytest.mark.parametrize("text", ["[tool.routilux]\nflows = 3\n", "[tool]\nroutilux = 1\n", "[", "\udcff"])
def test_a_file_that_is_wrong_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigurationError, match=r"pyproject\.toml"):
        flow_folder(None, tmp_path)

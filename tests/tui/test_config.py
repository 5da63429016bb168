"""Settings of the project and of the user: which of them count, and what is said of wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from routilux.loading.location import ConfigurationError, user_config_file
from tui.config import Configured, configure, help_text, rows
from tui.settings import COLUMNS, SETTINGS, Settings


def project(folder: Path, text: str) -> Path:
    file = folder / "pyproject.toml"
    file.write_text(f"[tool.routilux]\n{text}\n")
    return file


def user(text: str) -> Path:
    file = user_config_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def keys_of(configured: Configured, action: str) -> tuple[str, ...]:
    return next(key.keys for key in configured.keys if key.name == action)


def test_nothing_configured_is_a_configuration(tmp_path: Path) -> None:
    found = configure(None, tmp_path)
    assert found.root == tmp_path / "flows"
    assert found.settings == Settings()
    assert set(found.sources.values()) == {"default"}


def test_what_belongs_to_the_project_is_as_the_project_says(tmp_path: Path) -> None:
    file = project(tmp_path, 'flows = "work"\nworkers = 3\nrerun = "cancel"\ntheme = "nord"')
    user('flows = "/mine"\nworkers = 7\nrerun = "leave"\n')
    found = configure(None, tmp_path)
    assert found.root == tmp_path / "work"
    assert (found.settings.workers, found.settings.rerun, found.settings.theme) == (3, "cancel", "nord")
    assert found.sources == dict.fromkeys(("flows", "workers", "rerun", "theme"), str(file))


def test_what_is_a_matter_of_taste_is_as_the_user_says(tmp_path: Path) -> None:
    project(tmp_path, 'theme = "nord"\ncolumns = ["id", "flow"]\nkeys = {cancel = "ctrl+x", pause = "P"}')
    file = user('theme = "dracula"\ncolumns = ["flow"]\nkeys = {cancel = ["C", "delete"]}')
    found = configure(None, tmp_path)
    assert (found.settings.theme, found.settings.columns) == ("dracula", ("flow",))
    assert keys_of(found, "cancel") == ("C", "delete")
    assert keys_of(found, "pause") == ("P",)
    assert found.sources["keys.cancel"] == str(file)
    assert found.sources["keys.pause"].endswith("pyproject.toml")


def test_the_folder_that_is_named_counts_most(tmp_path: Path) -> None:
    project(tmp_path, 'flows = "work"')
    assert configure("mine", tmp_path).root == tmp_path / "mine"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("flow = 'x'", "there is no setting 'flow': did you mean flows?"),
        ("frobnicate = 1", "there is no setting 'frobnicate': there are flows, workers"),
        ("flows = 3", 'flows is 3; it must be a folder, such as "flows"'),
        ("workers = 0", "workers is 0; it must be a whole number from 1 to 1000"),
        ('workers = "4"', "workers is '4'; it must be a whole number from 1 to 1000"),
        ('theme = "nrod"', "theme: there is no theme 'nrod': did you mean 'nord'?"),
        ('columns = ["flw"]', f"columns: there is no column 'flw'; there are {', '.join(COLUMNS)}"),
        ('columns = ["id", "id"]', "columns: a column is named twice"),
        ('columns = "id"', "columns is 'id'; it must be a list of names out of"),
        ('rerun = "maybe"', 'rerun is \'maybe\'; it must be "cancel" or "leave"'),
        ("keys = 3", "keys is 3; it must be a table"),
        ("keys = {cancel = 3}", 'keys: cancel is 3; it must be a key such as "ctrl+x"'),
        ("keys = {cancel = []}", "keys: cancel has no key"),
        ('keys = {cancl = "x"}', "keys: there is no action 'cancl': did you mean 'cancel'?"),
        ('keys = {cancel = "ctlr+x"}', "keys: cancel: 'ctlr+x' is no key"),
        ('keys = {cancel = "s"}', "keys: 's' would do both start and cancel (everywhere)"),
    ],
)
def test_what_is_wrong_is_said_with_file_key_and_remedy(tmp_path: Path, text: str, said: str) -> None:
    for file in (project(tmp_path, text), user(text)):
        with pytest.raises(ConfigurationError) as caught:
            configure(None, tmp_path)
        assert str(file) in str(caught.value)
        assert said in str(caught.value)
        file.unlink()


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    project(tmp_path, 'workers = -1\nfoo = 1\nrerun = "x"')
    with pytest.raises(ConfigurationError) as caught:
        configure(None, tmp_path)
    assert len(str(caught.value).splitlines()) == 3


def test_keys_of_both_files_together_must_not_clash(tmp_path: Path) -> None:
    project(tmp_path, 'keys = {cancel = "C"}')
    user('keys = {pause = "C"}')
    with pytest.raises(ConfigurationError, match="'C' would do both pause and cancel"):
        configure(None, tmp_path)


@pytest.mark.parametrize("text", ["[", "\udcff"])
def test_a_file_that_is_no_toml_is_named(tmp_path: Path, text: str) -> None:
    for file in (tmp_path / "pyproject.toml", user("")):
        file.write_bytes(text.encode("utf-8", "surrogateescape"))
        with pytest.raises(ConfigurationError, match=f"{file.name} cannot be read"):
            configure(None, tmp_path)
        file.unlink()


def test_every_setting_is_in_the_help_and_among_those_in_effect(tmp_path: Path) -> None:
    said = help_text()
    project(tmp_path, 'keys = {cancel = "ctrl+x"}')
    shown = {row.name: row for row in rows(configure(None, tmp_path), {"theme": ("nord", "command line")})}
    for name in SETTINGS:
        assert f"  {name} " in said
        assert name in shown or name == "keys"
    assert str(user_config_file()) in said
    assert shown["theme"][1:] == ("nord", "command line")
    assert shown["keys.cancel"].value == "ctrl+x"
    assert shown["keys.cancel"].source.endswith("pyproject.toml")
    assert shown["keys.start"].source == "default"

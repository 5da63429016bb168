"""Where the flow folder is, and the files that configure it: the one place that reads them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import platformdirs

DEFAULT_FOLDER: Final = "flows"
APP: Final = "routilux"


class ConfigurationError(ValueError):
    """A configuration that cannot be used; the message names the file, the key and what would be right."""


class ConfigTable(NamedTuple):
    """What one file says. `header` is how the file calls the table, "" where it is the whole file."""

    file: Path
    header: str
    values: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.file}: {self.header}" if self.header else f"{self.file}:"


def user_config_file() -> Path:
    """The user's own configuration, which need not exist."""
    return platformdirs.user_config_path(APP) / "config.toml"


def project_table(here: Path | None = None) -> ConfigTable | None:
    """`[tool.routilux]` of the nearest pyproject.toml, in `here` or above; None where there is no file.

    Raises `ConfigurationError` for a file that is no TOML or cannot be read.
    """
    here = (Path.cwd() if here is None else here).absolute()
    for folder in (here, *here.parents):
        file = folder / "pyproject.toml"
        if file.is_file():
            table = _read(file)
            for key in ("tool", "routilux"):
                table = table.get(key, {})
                if not isinstance(table, dict):
                    raise ConfigurationError(f"{file}: {key} is {table!r}; it must be a table")
            return ConfigTable(file, "[tool.routilux]", table)
    return None


def user_table() -> ConfigTable | None:
    """The user's configuration; None where there is none. Raises as `project_table` does."""
    file = user_config_file()
    try:
        there = file.is_file()
    except OSError:
        return None
    return ConfigTable(file, "", _read(file)) if there else None


def flow_folder(given: str | Path | None = None, here: Path | None = None) -> Path:
    """The folder to read flows from; see `locate`. Absolute; it need not exist."""
    return locate(given, here)[0]


def locate(given: str | Path | None = None, here: Path | None = None) -> tuple[Path, str]:
    """The flow folder, and in words who says so.

    The one `given`; else `flows` of the nearest pyproject.toml; else a folder `flows` in `here`, if there
    is one; else `flows` of the user's configuration; else `flows` in `here` all the same. A configured
    folder is relative to its file. `here` is the working folder by default. Raises `ConfigurationError`.
    """
    here = (Path.cwd() if here is None else here).absolute()
    if given is not None:
        return here / Path(given).expanduser(), "command line"
    project = project_table(here)
    found = _configured(project)
    if found is not None and project is not None:
        return found, str(project.file)
    default = here / DEFAULT_FOLDER
    if not default.is_dir():
        user = user_table()
        found = _configured(user)
        if found is not None and user is not None:
            return found, str(user.file)
    return default, "default"


def _configured(table: ConfigTable | None) -> Path | None:
    flows = None if table is None else table.values.get("flows")
    if table is None or flows is None:
        return None
    if not isinstance(flows, str) or not flows:
        raise ConfigurationError(f'{table} flows is {flows!r}; it must name a folder, such as "flows"')
    return table.file.parent / Path(flows).expanduser()


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{file} cannot be read: {error}") from error

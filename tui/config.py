"""Where the flows are, as `[tool.routilux]` of a pyproject.toml says."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

DEFAULT_FOLDER: Final = "flows"


class ConfigError(Exception):
    """A pyproject.toml that cannot be used; the message names it and what would be right."""


def flows_folder(given: str | None, here: Path) -> Path:
    """The folder to open: the one given, else the configured one, else `./flows`.

    A configured folder is relative to its pyproject.toml, which is looked for in `here` and above.
    """
    if given is not None:
        return (here / Path(given).expanduser()).absolute()
    for folder in (here, *here.parents):
        file = folder / "pyproject.toml"
        if file.is_file():
            configured = _table(file).get("flows")
            if configured is None:
                break
            if not isinstance(configured, str):
                raise ConfigError(f'{file}: [tool.routilux] flows is {configured!r}; it must be like "flows"')
            return (folder / Path(configured).expanduser()).absolute()
    return (here / DEFAULT_FOLDER).absolute()


def _table(file: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads(file.read_text("utf-8")).get("tool", {}).get("routilux", {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{file} cannot be read: {error}") from error
    if not isinstance(table, dict):
        raise ConfigError(f"{file}: tool.routilux is {table!r}; it must be a table")
    return table

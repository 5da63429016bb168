"""Where the flow folder is."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

DEFAULT_FOLDER: Final = "flows"


class ConfigurationError(ValueError):
    """A pyproject.toml that cannot be used; the message names it and what would be right."""


def flow_folder(given: str | Path | None = None, here: Path | None = None) -> Path:
    """The folder `given`; else what the nearest pyproject.toml says; else `flows` in `here`.

    `here` is the working folder by default. The nearest pyproject.toml is the one in `here` or in
    the closest folder above; its `[tool.routilux] flows` is relative to it. The answer is absolute,
    and need not exist. Raises `ConfigurationError`.
    """
    here = (Path.cwd() if here is None else here).absolute()
    if given is not None:
        return here / Path(given).expanduser()
    file = next(
        (file for folder in (here, *here.parents) if (file := folder / "pyproject.toml").is_file()), None
    )
    configured = None if file is None else _table(file).get("flows")
    if file is None or configured is None:
        return here / DEFAULT_FOLDER
    if not isinstance(configured, str):
        raise ConfigurationError(f'{file}: [tool.routilux] flows is {configured!r}; it must be like "flows"')
    return file.parent / Path(configured).expanduser()


def _table(file: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{file} cannot be read: {error}") from error
    for key in ("tool", "routilux"):
        table = table.get(key, {})
        if not isinstance(table, dict):
            raise ConfigurationError(f"{file}: {key} is {table!r}; it must be a table")
    return table

"""What the user has configured: `[tool.routilux]` of the project, and the user's own config.toml.

Both files take the same settings. What belongs to the project (`flows`, `workers`, `rerun`) is as the
project's file says, what is a matter of taste (`theme`, `keys`, `columns`) as the user's file says; the
other file counts where that one is silent. Keys are taken action by action. What is given on the command
line counts most.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from routilux.loading.location import (
    ConfigTable,
    ConfigurationError,
    locate,
    project_table,
    user_config_file,
    user_table,
)
from tui.keymap import KeymapError, remap
from tui.keys import KEYS, Key, shown_key
from tui.settings import SETTINGS, Settings, check

_PROJECTS: Final = frozenset({"flows", "workers", "rerun"})


class Configured(NamedTuple):
    """The settings in effect. `sources` says of each who said so; of a key by `keys.` and its action."""

    root: Path
    settings: Settings
    keys: tuple[Key, ...]
    sources: Mapping[str, str]


def configure(given: str | None, here: Path) -> Configured:
    """What counts in `here` where the folder `given` is named on the command line.

    Raises `ConfigurationError` with a line for everything that is wrong.
    """
    tables = [table for table in (project_table(here), user_table()) if table is not None]
    said = [(table, _checked(table)) for table in tables]
    root, by = locate(given, here)
    sources: dict[str, str] = {"flows": by}
    values: dict[str, Any] = {}
    keys: dict[str, tuple[str, ...]] = {}
    # The later of both tables is the user's.
    for table, settings in said:
        for name in settings.keys() - {"flows", "keys"}:
            if name not in values or name not in _PROJECTS:
                values[name] = settings[name]
                sources[name] = str(table.file)
        for action, wanted in settings.get("keys", {}).items():
            keys[action] = wanted
            sources[f"keys.{action}"] = str(table.file)
    return Configured(root, Settings(**values, keys=keys), _remapped(keys, said), sources)


def _remapped(
    keys: Mapping[str, tuple[str, ...]], said: Sequence[tuple[ConfigTable, Mapping[str, Any]]]
) -> tuple[Key, ...]:
    for table, settings in said:
        try:
            remap(settings.get("keys", {}))
        except KeymapError as error:
            raise ConfigurationError(f"{table} keys: {error}") from None
    try:
        return remap(keys)
    except KeymapError as error:
        files = " and ".join(str(table.file) for table, _ in said)
        raise ConfigurationError(f"{files}: keys: {error}") from None


def _checked(table: ConfigTable) -> dict[str, Any]:
    values, wrong = check(table.values)
    if wrong:
        raise ConfigurationError("\n".join(f"{table} {line}" for line in wrong))
    return values


# ---- what is in effect


class Row(NamedTuple):
    """A setting as `--show-config` prints it."""

    name: str
    value: str
    source: str


def rows(configured: Configured, overrides: Mapping[str, tuple[str, str]]) -> list[Row]:
    """Every setting, and every key; `overrides` are values and sources that count more than the files."""
    settings, sources = configured.settings, configured.sources
    values = {
        "flows": str(configured.root),
        "workers": str(settings.workers),
        "theme": settings.theme or "textual-dark",
        "columns": ", ".join(settings.columns) or "those that fit",
        "rerun": settings.rerun,
    }
    shown = []
    for name, value in values.items():
        value, source = overrides.get(name, (value, sources.get(name, "default")))
        shown.append(Row(name, value, source))
    for key, plain in zip(configured.keys, KEYS, strict=True):
        source = sources.get(f"keys.{key.name}", "default" if key == plain else "")
        shown.append(Row(f"keys.{key.name}", ", ".join(shown_key(each) for each in key.keys), source))
    return shown


def help_text() -> str:
    """What `--help` says of the configuration."""
    lines = ["Configuration: [tool.routilux] of the nearest pyproject.toml, and", f"{user_config_file()}", ""]
    lines += [f"  {name:<9}{setting.about}" for name, setting in SETTINGS.items()]
    return "\n".join(lines)

"""What the user has configured: `[tool.routilux]` of the project, and the user's own config.toml.

Both files take the same settings. What belongs to the project (`flows`, `workers`, `rerun`) is as the
project's file says, what is a matter of taste (`theme`, `keys`, `columns`) as the user's file says; the
other file counts where that one is silent. Keys are taken action by action. What is given on the command
line counts most.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from textual.theme import BUILTIN_THEMES

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

COLUMNS: Final = ("state", "id", "flow", "params", "generation", "elapsed", "progress", "last")
_PROJECTS: Final = frozenset({"flows", "workers", "rerun"})


class Settings(BaseModel):
    """The settings that a file may hold."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    flows: str | None = Field(default=None, description="the folder of flows, relative to the file")
    workers: int = Field(default=10, ge=1, le=1000, description="how many threads run jobs")
    theme: str | None = Field(
        default=None, description="the colours, such as nord; one chosen in the app counts more"
    )
    columns: tuple[str, ...] = Field(
        default=(),
        description=f"the columns of the job table, in order: {', '.join(COLUMNS)}; [] for those that fit",
    )
    rerun: Literal["cancel", "leave"] = Field(
        default="leave", description="what a re-run upon a save does with the run before: cancel or leave"
    )
    keys: Mapping[str, tuple[str, ...]] = Field(
        default={}, description='other keys: [tool.routilux.keys] cancel = "ctrl+x" or ["x", "delete"]'
    )

    @field_validator("theme")
    @classmethod
    def _known_theme(cls, theme: str | None) -> str | None:
        if theme is not None:
            check_theme(theme)
        return theme

    @field_validator("columns", mode="before")
    @classmethod
    def _known_columns(cls, columns: object) -> object:
        if not isinstance(columns, (list, tuple)):
            return columns
        for column in columns:
            if column not in COLUMNS:
                raise ValueError(f"there is no column {column!r}; there are {', '.join(COLUMNS)}")
        if len(set(columns)) != len(columns):
            raise ValueError("a column is named twice")
        return tuple(columns)

    @field_validator("keys", mode="before")
    @classmethod
    def _lists_of_keys(cls, keys: object) -> object:
        if not isinstance(keys, Mapping):
            return keys
        lists = {}
        for action, given in keys.items():
            several = [given] if isinstance(given, str) else given
            if not isinstance(several, list) or not all(isinstance(key, str) for key in several):
                raise ValueError(
                    f'{action} is {given!r}; it must be a key such as "ctrl+x", or a list of them'
                )
            lists[action] = tuple(several)
        return lists


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
        for name in settings.model_fields_set - {"flows", "keys"}:
            if name not in values or name not in _PROJECTS:
                values[name] = getattr(settings, name)
                sources[name] = str(table.file)
        for action, wanted in settings.keys.items():
            keys[action] = wanted
            sources[f"keys.{action}"] = str(table.file)
    return Configured(
        root, Settings().model_copy(update={**values, "keys": keys}), _remapped(keys, said), sources
    )


def _remapped(
    keys: Mapping[str, tuple[str, ...]], said: Sequence[tuple[ConfigTable, Settings]]
) -> tuple[Key, ...]:
    for table, settings in said:
        try:
            remap(settings.keys)
        except KeymapError as error:
            raise ConfigurationError(f"{table} keys: {error}") from None
    try:
        return remap(keys)
    except KeymapError as error:
        files = " and ".join(str(table.file) for table, _ in said)
        raise ConfigurationError(f"{files}: keys: {error}") from None


def check_theme(name: str) -> None:
    """Raise ValueError unless there is such a theme."""
    if name not in BUILTIN_THEMES:
        near = difflib.get_close_matches(name, BUILTIN_THEMES, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"there is no theme {name!r}: {hint}there are {', '.join(sorted(BUILTIN_THEMES))}")


# ---- what is wrong with a file


def _checked(table: ConfigTable) -> Settings:
    try:
        return Settings.model_validate(dict(table.values))
    except ValidationError as error:
        lines = [f"{table} {line}" for problem in error.errors() for line in _in_words(problem)]
        raise ConfigurationError("\n".join(lines)) from None


_MUST_BE: Final = {
    "flows": 'a folder, such as "flows"',
    "workers": "a whole number from 1 to 1000",
    "theme": 'the name of a theme, such as "nord"',
    "columns": f"a list of names out of {', '.join(COLUMNS)}",
    "rerun": '"cancel" or "leave"',
    "keys": 'a table such as keys = {cancel = "ctrl+x"}',
}


def _in_words(problem: Mapping[str, Any]) -> Iterator[str]:
    name = str(problem["loc"][0]) if problem["loc"] else ""
    if problem["type"] == "extra_forbidden":
        near = difflib.get_close_matches(name, Settings.model_fields, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(Settings.model_fields)}"
        yield f"there is no setting {name!r}: {hint}"
    elif problem["type"] == "value_error":
        yield f"{name}: {problem['ctx']['error']}"
    else:
        value = problem["input"]
        yield f"{name} is {value!r}; it must be {_MUST_BE.get(name, problem['msg'])}"


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
    lines += [f"  {name:<9}{field.description}" for name, field in Settings.model_fields.items()]
    return "\n".join(lines)

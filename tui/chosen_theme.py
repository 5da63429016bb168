"""Which colours the app has: named now, or chosen before and remembered, or configured."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from textual.theme import BUILTIN_THEMES

from tui.settings import check_theme
from tui.state import read_state, state_folder, write_state

DEFAULT_THEME: Final = "textual-dark"
ENVIRONMENT: Final = "TEXTUAL_THEME"


def state_file() -> Path:
    """Where the choice is remembered."""
    return state_folder() / "app.json"


def theme_in_effect(
    named: str | None, configured: str | None, environment: Mapping[str, str]
) -> tuple[str, str]:
    """The theme, and in words who says so ("" for the configuration, or nobody).

    The one `named` on the command line; else that of TEXTUAL_THEME; else the one that was chosen in the
    app, unless the configuration has been changed since; else the configured one. ValueError for a
    theme of the environment that does not exist.
    """
    if named is not None:
        return named, "command line"
    wanted = environment.get(ENVIRONMENT, "")
    if wanted:
        # Textual takes the first that it knows.
        names = [name.strip() for name in wanted.split(",")]
        known = [name for name in names if name in BUILTIN_THEMES]
        if not known:
            try:
                check_theme(names[0])
            except ValueError as error:
                raise ValueError(f"{ENVIRONMENT}: {error}") from None
        return known[0], ENVIRONMENT
    remembered = read_state(state_file()).get("theme")
    if isinstance(remembered, dict) and remembered.get("instead_of") == configured:
        chosen = remembered.get("chosen")
        if isinstance(chosen, str) and chosen in BUILTIN_THEMES:
            return chosen, f"chosen in the app, {state_file()}"
    return configured or DEFAULT_THEME, ""


def remember_theme(chosen: str, configured: str | None) -> None:
    """Remember a choice for as long as the configuration says what it says now. May raise `OSError`."""
    file = state_file()
    held = read_state(file)
    write_state(file, {**held, "theme": {"chosen": chosen, "instead_of": configured}})

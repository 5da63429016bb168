"""Flow folders in a line or two."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from routilux.loading import Generation

# Writes files, given by name, into a folder and loads it.
Load: TypeAlias = Callable[..., Generation]


def flow(name: str, variable: str = "flow") -> str:
    """The source of a module that declares a flow in its third line."""
    return f"from routilux import Flow\n\n{variable} = Flow({name!r})\n"


def write(root: Path, files: dict[str, str]) -> None:
    """Write files, given by name; their sources may be indented."""
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text), encoding="utf-8")


def places(loaded: Generation) -> dict[str, str]:
    """Where each flow is declared."""
    return {name: f"{each.path}:{each.lineno}" for name, each in loaded.flows.items()}

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from routilux import FlowRegistry
from routilux.loading import Generation, load_folder
from tests.loading.files import Load, write
from tests.loading.watching import Folder

MakeFolder: TypeAlias = Callable[..., Folder]


@pytest.fixture
def load(tmp_path: Path, process_restored: None) -> Load:
    """Write files into a folder `flows` and load it, with a registry of its own."""

    def load(files: dict[str, str], root: Path = tmp_path / "flows") -> Generation:
        root.mkdir(exist_ok=True)
        write(root, files)
        return load_folder(root, FlowRegistry())

    return load


@pytest.fixture(autouse=True)
def compiled_files_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on the machines of users: many a test environment turns it off, and hides what is stale."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)


@pytest.fixture
def folder(tmp_path: Path, process_restored: None) -> Iterator[MakeFolder]:
    """Makes a folder `flows` with these files, under a loader that has not been started."""
    made: list[Folder] = []

    def make(files: dict[str, str] | None = None, root: Path = tmp_path / "flows", **how: Any) -> Folder:
        root.mkdir(exist_ok=True)
        write(root, files or {})
        made.append(Folder(root, **how))
        return made[-1]

    yield make
    for each in made:
        each.loader.stop()


@pytest.fixture
def watched(folder: MakeFolder) -> MakeFolder:
    """Makes a folder `flows` with these files, under a loader that watches it."""

    def make(files: dict[str, str] | None = None, **how: Any) -> Folder:
        made = folder(files, **how)
        made.loader.start()
        return made

    return make

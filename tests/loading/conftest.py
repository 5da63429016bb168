from __future__ import annotations

from pathlib import Path

import pytest

from routilux import FlowRegistry
from routilux.loading import LoadedFolder, load_folder
from tests.loading.files import Load, write


@pytest.fixture
def load(tmp_path: Path, process_restored: None) -> Load:
    """Write files into a folder `flows` and load it, with a registry of its own."""

    def load(files: dict[str, str], root: Path = tmp_path / "flows") -> LoadedFolder:
        root.mkdir(exist_ok=True)
        write(root, files)
        return load_folder(root, FlowRegistry())

    return load

"""The flow folder: its modules, the flows they declare, and what is wrong with them."""

from __future__ import annotations

from routilux.loading.errors import LoadError
from routilux.loading.folder import LoadedFlow, LoadedFolder, load_folder

__all__ = ["LoadError", "LoadedFlow", "LoadedFolder", "load_folder"]

"""The flow folder: its modules, the flows they declare, and what is wrong with them."""

from __future__ import annotations

from routilux.loading.errors import LoadError
from routilux.loading.folder import load_folder
from routilux.loading.generation import FlowDiff, FlowEvent, FlowVersion, Generation, LoadRecord
from routilux.loading.loader import FlowLoader
from routilux.loading.output import OutputLine

__all__ = [
    "FlowDiff",
    "FlowEvent",
    "FlowLoader",
    "FlowVersion",
    "Generation",
    "LoadError",
    "LoadRecord",
    "OutputLine",
    "load_folder",
]

"""The command line `routilux`."""

from __future__ import annotations

from routilux.cli.commands import main

__all__ = ["main"]

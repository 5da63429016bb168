"""Connections: which event feeds which slot."""

from __future__ import annotations

from typing import NamedTuple


class Connection(NamedTuple):
    """Items of one event go into one slot. Many to many; a flow holds each at most once."""

    source_id: str
    event_name: str
    target_id: str
    slot_name: str

    def __str__(self) -> str:
        return f"{self.source_id}.{self.event_name} -> {self.target_id}.{self.slot_name}"

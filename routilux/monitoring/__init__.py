"""Watching: the registry of flows."""

from routilux.monitoring.flow_registry import FlowRegistry

__all__ = ["FlowRegistry"]

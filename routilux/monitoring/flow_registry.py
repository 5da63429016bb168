"""Where the flow registry is imported from; `routilux.registry` holds it, below the runtime that reads it."""

from routilux.registry import FlowRegistry

__all__ = ["FlowRegistry"]

"""The flows that can be started by name."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any, ClassVar

from routilux.flow import Flow

# While a module of a flow folder is executed: what it registers with the registry of the process, which
# takes effect only if the module loads. It sees its own registrations.
staged: ContextVar[dict[str, Flow] | None] = ContextVar("routilux_staged", default=None)


class FlowRegistry:
    """Name -> Flow. `get_instance()` is the one of the process; runtimes may have their own.

    Registering a name that exists replaces it; jobs that run keep the flow they started with.
    All methods may be called from any thread.
    """

    _instance: ClassVar[FlowRegistry | None] = None
    _instance_lock: ClassVar[threading.Lock] = threading.Lock()  # guards _instance

    def __init__(self) -> None:
        # Guards _flows, and is held for single operations on it only.
        self._lock = threading.Lock()
        self._flows: dict[str, Flow] = {}

    @classmethod
    def get_instance(cls) -> FlowRegistry:
        """The registry of this process, made when first asked for."""
        with cls._instance_lock:
            if cls._instance is None:
                cls._instance = cls()
            return cls._instance

    def register(self, flow: Flow) -> None:
        """Register a flow under its own id."""
        self._check(flow)
        self.register_by_name(flow.flow_id, flow)

    def register_by_name(self, name: str, flow: Flow) -> None:
        """Register a flow under `name`, in place of what was there."""
        self._check(flow)
        if not isinstance(name, str) or not name:
            raise ValueError(f"cannot register {flow!r} as {name!r}: a name is a string that is not empty")
        stage = self._stage()
        if stage is not None:
            stage[name] = flow
            return
        with self._lock:
            self._flows[name] = flow

    def _stage(self) -> dict[str, Flow] | None:
        """Where the running code's registrations go instead of here."""
        return staged.get() if self is FlowRegistry._instance else None

    @staticmethod
    def _check(flow: object) -> None:
        if not isinstance(flow, Flow):
            raise TypeError(f"the registry takes a Flow, not {flow!r}")

    def get(self, flow_id: str) -> Flow | None:
        """The flow with that id, under whatever name it is registered."""
        flows = self._all()
        flow = flows.get(flow_id)
        if flow is not None and flow.flow_id == flow_id:
            return flow
        return next((each for each in flows.values() if each.flow_id == flow_id), None)

    def get_by_name(self, name: str) -> Flow | None:
        """The flow registered under that name."""
        stage = self._stage()
        if stage and name in stage:
            return stage[name]
        with self._lock:
            return self._flows.get(name)

    def list_names(self) -> list[str]:
        """All names, sorted."""
        return sorted(self._all())

    def _all(self) -> dict[str, Flow]:
        with self._lock:
            return {**self._flows, **(self._stage() or {})}

    def unregister(self, name: str) -> bool:
        """Forget a name; False where it was not registered."""
        stage = self._stage()
        if stage is not None:
            # A module that is only being loaded takes nothing away from the others.
            return stage.pop(name, None) is not None
        with self._lock:
            return self._flows.pop(name, None) is not None

    def clear(self) -> None:
        """Forget all names."""
        stage = self._stage()
        if stage is not None:
            stage.clear()
            return
        with self._lock:
            self._flows.clear()

    def __repr__(self) -> str:
        return f"<FlowRegistry: {len(self.list_names())} flows>"

    def __rich_repr__(self) -> Iterable[Any]:
        with self._lock:
            yield "flows", dict(self._flows)

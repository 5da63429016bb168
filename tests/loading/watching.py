"""A flow folder under a loader, and waiting for what the loader tells."""

from __future__ import annotations

import os
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from routilux import FlowRegistry
from routilux.loading import FlowEvent, FlowLoader

# Far longer than anything here takes, for machines under load.
LIMIT = 30.0


class Folder:
    """A folder with a loader, the events it told, and a registry of its own."""

    def __init__(self, root: Path, **how: Any) -> None:
        self.root = root
        self.registry = FlowRegistry()
        self.loader = FlowLoader(root, self.registry, **how)
        self._news = threading.Condition()
        self.events: list[FlowEvent] = []
        self.loader.subscribe(self._note)

    def _note(self, event: FlowEvent) -> None:
        with self._news:
            self.events.append(event)
            self._news.notify_all()

    def write(self, path: str, text: str | bytes) -> None:
        """Write one file, as an editor that writes in place does."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else textwrap.dedent(text).encode())

    def replace(self, path: str, text: str) -> None:
        """Write one file, as an editor that writes beside it and renames does."""
        file = self.root / path
        other = file.with_name(f".{file.name}.swp")
        other.write_text(textwrap.dedent(text))
        os.replace(other, file)

    def until(self, condition: Callable[[], object], what: str = "") -> None:
        """Wait until a condition holds; it is asked again with every event, and now and then."""
        limit = time.monotonic() + LIMIT
        with self._news:
            while not condition():
                self._news.wait(0.05)
                if time.monotonic() > limit:
                    raise AssertionError(
                        f"{what or 'it'} did not happen; {dict(self.loader.catalog)}, "
                        f"{dict(self.loader.errors)}, {self.events[-20:]}"
                    )

    def until_event(self, kind: str, *, flow: str | None = None, path: str | None = None) -> FlowEvent:
        """Wait for an event, and forget it and all before it."""

        def matching() -> list[FlowEvent]:
            return [
                event
                for event in self.events
                if event.kind == kind
                and (flow is None or event.flow == flow)
                and (path is None or event.path == path)
            ]

        self.until(matching, f"{kind} {flow or path or ''}")
        with self._news:
            found = matching()[0]
            del self.events[: self.events.index(found) + 1]
        return found

    def value(self, flow_name: str) -> Any:
        """The attribute `value` of a flow in service."""
        return self.loader.catalog[flow_name].flow.value  # type: ignore[attr-defined]


def flow_with(value: str, name: str = "etl", before: str = "") -> str:
    """The source of a module whose flow has the attribute `value`."""
    return f"{before}\nfrom routilux import Flow\nflow = Flow({name!r})\nflow.value = {value}\n"

"""The parameter sets that jobs of each flow were started with, kept over restarts; secrets are not."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final

from routilux.params import ParameterField
from tui.state import read_state, write_state

# How many parameter sets are remembered per flow, and of how many flows in a folder.
REMEMBERED: Final = 20
MOST_FLOWS: Final = 200
# A set that takes more characters is remembered until the app ends, and not written.
LARGEST: Final = 64 * 1024
# How long the end waits for the last of it to be written, in seconds.
_PATIENCE: Final = 1.0


class EarlierSets:
    """The sets of the flows of one folder. For any thread; `of` may have to read the file, and both `of` and
    `add` ask values of a flow's own classes what they are.

    `file` is where they are kept; None keeps them until the app ends. A file that is damaged counts as
    none, and one that cannot be written changes nothing.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        # Guards _sets and _writer.
        self._lock = threading.Lock()
        # The newest first.
        self._sets: dict[str, list[Mapping[str, Any]]] = {}
        self._writer: threading.Thread | None = None
        # The flows whose sets are to be written, and their declared parameters; None ends the writer.
        self._wanted: SimpleQueue[tuple[str, Sequence[ParameterField]] | None] = SimpleQueue()

    def of(self, flow_name: str) -> Sequence[Mapping[str, Any]]:
        """The sets of a flow, the newest first."""
        with self._lock:
            known = self._sets.get(flow_name)
        if known is None:
            known = self._read(flow_name)
            with self._lock:
                known = self._sets.setdefault(flow_name, known)
        return tuple(known)

    def add(self, flow_name: str, values: Mapping[str, Any], fields: Iterable[ParameterField]) -> None:
        """A job was started with these values; `fields` are the flow's declared parameters."""
        same = [id(each) for each in self.of(flow_name) if same_values(each, values)]
        with self._lock:
            others = [each for each in self._sets[flow_name] if id(each) not in same]
            self._sets[flow_name] = [dict(values), *others][:REMEMBERED]
            if self._file is None:
                return
            self._wanted.put((flow_name, tuple(fields)))
            if self._writer is None:
                self._writer = threading.Thread(target=self._write_all, name="earlier-sets", daemon=True)
                self._writer.start()

    def close(self) -> None:
        """Wait a moment for what is still to be written."""
        with self._lock:
            writer, self._writer = self._writer, None
        if writer is not None:
            self._wanted.put(None)
            writer.join(_PATIENCE)

    def _read(self, flow_name: str) -> list[Mapping[str, Any]]:
        flows = read_state(self._file).get("flows") if self._file is not None else None
        trees = flows.get(flow_name) if isinstance(flows, dict) else None
        # Not before there is something to read: the first frame would wait for it.
        from routilux.codec import from_jsonable

        found: list[Mapping[str, Any]] = []
        for tree in trees if isinstance(trees, list) else ():
            try:
                values = from_jsonable(tree, "an earlier set of parameters")
            except Exception:
                # A class of the flow's that is another by now; anything may come of reading it.
                continue
            if isinstance(values, dict):
                found.append(values)
        return found[:REMEMBERED]

    def _write_all(self) -> None:
        while (wanted := self._wanted.get()) is not None:
            changed = dict([wanted])
            ending = False
            try:
                while (more := self._wanted.get_nowait()) is not None:
                    changed[more[0]] = more[1]
                ending = True
            except Empty:
                pass
            self._write(changed)
            if ending:
                return

    def _write(self, changed: Mapping[str, Sequence[ParameterField]]) -> None:
        assert self._file is not None
        held = read_state(self._file).get("flows")
        flows = held if isinstance(held, dict) else {}
        for name, declared in changed.items():
            # The flow that was used last stands last.
            flows.pop(name, None)
            trees = [_tree(each, declared) for each in self.of(name)]
            flows[name] = [tree for tree in trees if tree is not None]
        for name in list(flows)[:-MOST_FLOWS]:
            del flows[name]
        try:
            write_state(self._file, {"version": 1, "flows": flows})
        except (OSError, ValueError):
            # Without a place to write to, the sets are known until the app ends.
            return


def same_values(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two sets are the same. Their values are not compared themselves: `==` may raise, or answer with
    an array."""
    if one.keys() != other.keys():
        return False
    # Not before there is something to compare: the first frame would wait for it.
    from routilux.codec import to_jsonable

    try:
        return all(
            value is other[name] or to_jsonable(value, name) == to_jsonable(other[name], name)
            for name, value in one.items()
        )
    except Exception:
        return False


def _tree(values: Mapping[str, Any], fields: Sequence[ParameterField]) -> Any:
    """What is written of a set; None where it cannot or should not be."""
    # Not before there is something to write: the first frame would wait for it.
    import json

    from routilux.codec import to_jsonable

    try:
        tree = to_jsonable(without_secrets(values, fields), "an earlier set of parameters")
        return tree if len(json.dumps(tree)) <= LARGEST else None
    except Exception:
        # Values of a flow's own classes say what they hold, or raise whatever they like.
        return None


def without_secrets(values: Mapping[str, Any], fields: Sequence[ParameterField]) -> dict[str, Any]:
    """The values without those of parameters that are declared as secret, at any depth."""
    declared = {field.name: field for field in fields}
    kept = {}
    for name, value in values.items():
        field = declared.get(name)
        if field is not None and field.secret:
            continue
        inner = field.fields if field is not None else ()
        kept[name] = without_secrets(value, inner) if inner and isinstance(value, Mapping) else value
    return kept

"""What changed between two versions of a flow, in the flow's own terms."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from itertools import islice
from types import CodeType, FunctionType, MappingProxyType, MethodType, ModuleType
from typing import Any, Final, TypeAlias

from routilux.connection import Connection
from routilux.flow import Flow
from routilux.loading.generation import FlowDiff
from routilux.loading.source_diffs import SourceChange
from routilux.loading.versions import FlowModule
from routilux.routine import Routine

_PLAIN: Final = (int, float, complex, str, bytes, bool, type(None))
# Of what is longer, the rest goes unseen.
_MOST_PARTS: Final = 20_000
_MOST_ENTRIES: Final = 200
_MOST_CHARACTERS: Final = 2000


class Outline:
    """What is compared of a flow: its connections, and a digest of each routine. Holds nothing of the flow.

    `package` is the name of the folder's package, by which its own functions and classes are known.
    """

    __slots__ = ("connections", "routines")

    def __init__(self, flow: Flow, package: str) -> None:
        self.connections: tuple[Connection, ...] = flow.connections
        kinds: dict[type, _Kind] = {}
        self.routines: dict[str, str] = {
            name: _digest(routine, package, kinds) for name, routine in flow.routines.items()
        }


def compare(old: Outline, new: Outline, sources: tuple[SourceChange, ...]) -> FlowDiff:
    """What differs between two versions of a flow. `sources` are its files."""
    return FlowDiff(
        routines_added=tuple(name for name in new.routines if name not in old.routines),
        routines_removed=tuple(name for name in old.routines if name not in new.routines),
        routines_changed=tuple(
            name
            for name, digest in new.routines.items()
            if name in old.routines and old.routines[name] != digest
        ),
        connections_added=tuple(each for each in new.connections if each not in old.connections),
        connections_removed=tuple(each for each in old.connections if each not in new.connections),
        sources=sources,
    )


# By id: a number to refer to a thing by, and the thing itself, so that no other gets its id meanwhile.
_Told: TypeAlias = "dict[int, tuple[int, Any]]"
# Of a class: the digest of its description, and what is told there already.
_Kind: TypeAlias = "tuple[str, _Told]"


def _digest(routine: Routine, package: str, kinds: dict[type, _Kind]) -> str:
    """`kinds` keeps what is known of classes, which routines of a flow have in common."""
    kind = type(routine)
    if kind not in kinds:
        of_kind = _Description(package, {})
        of_kind.add(kind)
        kinds[kind] = (_hash(of_kind.parts), of_kind.told)
    digest, told = kinds[kind]
    description = _Description(package, told.copy())
    description.add_routine(routine)
    return _hash([digest, *description.parts])


def _hash(parts: list[str]) -> str:
    text = "\0".join(parts)
    return hashlib.blake2b(text.encode("utf-8", "backslashreplace"), digest_size=16).hexdigest()


class _Description:
    """Puts what makes up a routine into words that are the same wherever the routine does the same.

    `told` is what was described elsewhere, and need not be again.
    """

    def __init__(self, package: str, told: _Told) -> None:
        self.parts: list[str] = []
        self.told = told
        self._package = package

    def add_routine(self, routine: Routine) -> None:
        for slot in routine.slots.values():
            self.parts.append(f"slot {slot.name} {slot.capacity} {slot.when_full}")
        for event in routine.events.values():
            self.parts.append(f"event {event.name} {event.output_params}")
        self.parts.append(f"{routine.max_concurrency} {routine.timeout} {routine.cpu_gate}")
        for value in (routine.activation_policy, routine.error_handler, dict(routine.config)):
            self.add(value)
        self.add(routine._logic)
        self.add({name: value for name, value in vars(routine).items() if name not in _OWN})

    def add(self, value: Any) -> None:
        """Whatever it is, and all that it refers to."""
        parts = self.parts
        if isinstance(value, (str, bytes)):
            parts.append(f"{len(value)} {value[:_MOST_CHARACTERS]!r}")
            return
        if isinstance(value, _PLAIN):
            parts.append(f"{type(value).__name__} {value!r}")
            return
        told = self.told.get(id(value))
        if told is not None:
            parts.append(f"#{told[0]}")
            return
        if len(parts) >= _MOST_PARTS:
            return
        self.told[id(value)] = (len(self.told), value)
        if isinstance(value, FunctionType):
            self._add_function(value)
        elif isinstance(value, MethodType):
            self.add(value.__func__)
            self.add(value.__self__)
        elif isinstance(value, (staticmethod, classmethod)):
            self.add(value.__func__)
        elif isinstance(value, property):
            for function in (value.fget, value.fset, value.fdel):
                self.add(function)
        elif isinstance(value, type):
            self._add_class(value)
        elif isinstance(value, (dict, MappingProxyType)):
            parts.append(f"dict {len(value)}")
            for key, each in islice(list(value.items()), _MOST_ENTRIES):
                self.add(key)
                self.add(each)
        elif isinstance(value, (list, tuple)):
            parts.append(f"{type(value).__name__} {len(value)}")
            for each in islice(value, _MOST_ENTRIES):
                self.add(each)
        elif isinstance(value, (set, frozenset)):
            parts.append(f"set {len(value)}")
            parts += sorted(repr(each) for each in islice(value, _MOST_ENTRIES) if isinstance(each, _PLAIN))
        elif isinstance(value, ModuleType):
            parts.append(value.__name__)
        else:
            parts.append(type(value).__qualname__)
            if self._is_of_folder(type(value).__module__) or type(value).__module__.startswith("routilux."):
                self.add(type(value))
                self.add(getattr(value, "__dict__", {}))

    def _add_class(self, kind: type) -> None:
        self.parts.append(kind.__qualname__)
        for base in kind.__mro__:
            if self._is_of_folder(base.__module__):
                self.parts.append(base.__qualname__)
                for name, value in list(vars(base).items()):
                    if name not in _OF_EVERY_CLASS:
                        self.parts.append(name)
                        self.add(value)

    def _add_function(self, function: FunctionType) -> None:
        self.parts.append(function.__qualname__)
        if self._is_of_folder(function.__globals__.get("__name__")):
            self._add_code(function.__code__, function.__globals__)
            for value in (function.__defaults__, function.__kwdefaults__):
                self.add(value)
        for cell in function.__closure__ or ():
            try:
                self.add(cell.cell_contents)
            except ValueError:
                self.parts.append("empty")

    def _add_code(self, code: CodeType, globals: dict[str, Any]) -> None:
        self.parts += (code.co_code.hex(), f"{code.co_names} {code.co_varnames} {code.co_freevars}")
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                self._add_code(constant, globals)
            else:
                self.parts.append(repr(constant))
        for name in code.co_names:
            if name in globals:
                self._add_global(globals[name], code.co_names)

    def _add_global(self, value: Any, names: Iterable[str]) -> None:
        if isinstance(value, FlowModule):
            # `helpers.clean(...)`: of a module only what is named beside it.
            for name in names:
                if name in vars(value):
                    self.add(vars(value)[name])
        else:
            self.add(value)

    def _is_of_folder(self, module: object) -> bool:
        return isinstance(module, str) and module.partition(".")[0] == self._package


_OWN: Final = frozenset(vars(Routine()))
_OF_EVERY_CLASS: Final = frozenset({"__module__", "__dict__", "__weakref__", "__firstlineno__"})

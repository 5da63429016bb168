"""What changed between two versions of a flow, in the flow's own terms."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from types import CodeType, FunctionType, MappingProxyType, MethodType, ModuleType
from typing import Any, Final

from routilux.connection import Connection
from routilux.flow import Flow
from routilux.loading.generation import FlowDiff
from routilux.loading.modules import FlowModule
from routilux.loading.source_diffs import SourceChange
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
        kinds: dict[type, str] = {}
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


def _digest(routine: Routine, package: str, kinds: dict[type, str]) -> str:
    """`kinds` keeps the digests of classes, which routines of a flow have in common."""
    kind = type(routine)
    if kind not in kinds:
        kinds[kind] = _hash(_Description(package).of(kind))
    return _hash(chain((kinds[kind],), _Description(package).of_routine(routine)))


def _hash(parts: Iterable[str]) -> str:
    text = "\0".join(islice(parts, _MOST_PARTS))
    return hashlib.blake2b(text.encode("utf-8", "backslashreplace"), digest_size=16).hexdigest()


class _Description:
    """Puts what makes up a routine into words that are the same wherever the routine does the same."""

    def __init__(self, package: str) -> None:
        self._package = package
        self._seen: set[int] = set()

    def of_routine(self, routine: Routine) -> Iterator[str]:
        for slot in routine.slots.values():
            yield f"slot {slot.name} {slot.capacity} {slot.when_full}"
        for event in routine.events.values():
            yield f"event {event.name} {event.output_params}"
        yield f"{routine.max_concurrency} {routine.timeout} {routine.cpu_gate}"
        for value in (routine.activation_policy, routine.error_handler, dict(routine.config)):
            yield from self._of(value)
        yield from self._of(routine._logic)
        yield from self._of({name: value for name, value in vars(routine).items() if name not in _OWN})

    def of(self, value: Any) -> Iterator[str]:
        """Whatever it is, and all that it refers to."""
        return self._of(value)

    def _of(self, value: Any) -> Iterator[str]:
        if isinstance(value, (str, bytes)):
            yield f"{len(value)} {value[:_MOST_CHARACTERS]!r}"
            return
        if isinstance(value, _PLAIN):
            yield f"{type(value).__name__} {value!r}"
            return
        if id(value) in self._seen:
            return
        self._seen.add(id(value))
        if isinstance(value, FunctionType):
            yield from self._of_function(value)
        elif isinstance(value, MethodType):
            yield from self._of(value.__func__)
            yield from self._of(value.__self__)
        elif isinstance(value, (staticmethod, classmethod)):
            yield from self._of(value.__func__)
        elif isinstance(value, property):
            for function in (value.fget, value.fset, value.fdel):
                yield from self._of(function)
        elif isinstance(value, type):
            yield from self._of_class(value)
        elif isinstance(value, (dict, MappingProxyType)):
            yield f"dict {len(value)}"
            for key, each in islice(list(value.items()), _MOST_ENTRIES):
                yield from self._of(key)
                yield from self._of(each)
        elif isinstance(value, (list, tuple)):
            yield f"{type(value).__name__} {len(value)}"
            for each in islice(value, _MOST_ENTRIES):
                yield from self._of(each)
        elif isinstance(value, (set, frozenset)):
            yield f"set {len(value)}"
            yield from sorted(repr(each) for each in islice(value, _MOST_ENTRIES) if isinstance(each, _PLAIN))
        elif isinstance(value, ModuleType):
            yield value.__name__
        else:
            yield type(value).__qualname__
            if self._is_of_folder(type(value).__module__) or type(value).__module__.startswith("routilux."):
                yield from self._of(type(value))
                yield from self._of(getattr(value, "__dict__", {}))

    def _of_class(self, kind: type) -> Iterator[str]:
        yield kind.__qualname__
        for base in kind.__mro__:
            if self._is_of_folder(base.__module__):
                yield base.__qualname__
                for name, value in list(vars(base).items()):
                    if name not in _OF_EVERY_CLASS:
                        yield name
                        yield from self._of(value)

    def _of_function(self, function: FunctionType) -> Iterator[str]:
        yield function.__qualname__
        if self._is_of_folder(function.__globals__.get("__name__")):
            yield from self._of_code(function.__code__, function.__globals__)
            for value in (function.__defaults__, function.__kwdefaults__):
                yield from self._of(value)
        for cell in function.__closure__ or ():
            try:
                yield from self._of(cell.cell_contents)
            except ValueError:
                yield "empty"

    def _of_code(self, code: CodeType, globals: dict[str, Any]) -> Iterator[str]:
        yield code.co_code.hex()
        yield f"{code.co_names} {code.co_varnames} {code.co_freevars}"
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                yield from self._of_code(constant, globals)
            else:
                yield repr(constant)
        for name in code.co_names:
            if name in globals:
                yield from self._of_global(globals[name], code.co_names)

    def _of_global(self, value: Any, names: Iterable[str]) -> Iterator[str]:
        if isinstance(value, FlowModule):
            # `helpers.clean(...)`: of a module only what is named beside it.
            for name in names:
                if name in vars(value):
                    yield from self._of(vars(value)[name])
        else:
            yield from self._of(value)

    def _is_of_folder(self, module: object) -> bool:
        return isinstance(module, str) and module.partition(".")[0] == self._package


_OWN: Final = frozenset(vars(Routine()))
_OF_EVERY_CLASS: Final = frozenset({"__module__", "__dict__", "__weakref__", "__firstlineno__"})

"""What a value is and holds, found without running any code of its class or of its metaclass.

So nothing here raises or takes its time because of what the class makes of `__class__`,
`__getattribute__`, descriptors or `__mro__`.
"""

from __future__ import annotations

import dataclasses
from types import FunctionType, GetSetDescriptorType, MemberDescriptorType
from typing import Any, Final

# How `type` itself answers, whatever a metaclass makes of these names.
_NAME: Final[Any] = type.__dict__["__name__"]
_MODULE: Final[Any] = type.__dict__["__module__"]
_MRO: Final[Any] = type.__dict__["__mro__"]
_NAMESPACE: Final[Any] = type.__dict__["__dict__"]


class _Unread:
    def __repr__(self) -> str:
        return "<not read>"


# In place of a field that is not there, or that code of its class would have to fetch.
UNREAD: Final = _Unread()


def name_of(kind: type) -> str:
    """The name of a class."""
    return str(_NAME.__get__(kind))


def declared(kind: type, name: str, otherwise: Any = None) -> Any:
    """What a class or one of its bases says of `name`, as it stands there; `otherwise` where none does."""
    for base in _MRO.__get__(kind):
        namespace = _NAMESPACE.__get__(base)
        if name in namespace:
            return namespace[name]
    return otherwise


def hides(kind: type) -> bool:
    """Whether values of a class are secrets."""
    return declared(kind, "get_secret_value") is not None


def attributes(value: Any) -> dict[str, Any] | None:
    """What stands in the `__dict__` of an object, itself and no copy; None for one that has none.

    Objects of built-in classes, such as functions and modules, count as having none.
    """
    kind = type(value)
    if _MODULE.__get__(kind) == "builtins" or type(declared(kind, "__dict__")) is not GetSetDescriptorType:
        return None
    found = object.__getattribute__(value, "__dict__")
    return found if type(found) is dict else None


def writes_fields(kind: type) -> bool:
    """Whether a class is a dataclass that writes its fields, and not something of its own instead."""
    if type(declared(kind, "__dataclass_fields__")) is not dict:
        return False
    own = declared(kind, "__repr__")
    return type(own) is FunctionType and hasattr(own, "__wrapped__")


def dataclass_fields(value: Any) -> dict[str, Any]:
    """The fields that a dataclass writes in its repr, with their values or `UNREAD`."""
    kind = type(value)
    # A copy, because another thread may be changing it.
    found = dict(attributes(value) or {})
    return {
        name: found[name] if name in found else _from_class(value, kind, name)
        for name, each in declared(kind, "__dataclass_fields__").items()
        if type(each) is dataclasses.Field and each.repr and _is_field(each)
    }


def _is_field(said: Any) -> bool:
    """Not so are the ClassVar and InitVar that dataclasses notes among the fields."""
    return said._field_type is dataclasses._FIELD  # type: ignore[attr-defined]  # `fields` asks the class


def _from_class(value: Any, kind: type, name: str) -> Any:
    """A field that stands in a slot, or was left to the value that its class has."""
    member = declared(kind, name, UNREAD)
    if type(member) is MemberDescriptorType:
        try:
            return member.__get__(value)
        except AttributeError:
            return UNREAD
    # A descriptor is code.
    return member if declared(type(member), "__get__") is None else UNREAD

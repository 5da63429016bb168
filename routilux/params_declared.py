"""What a declaration says, the same for models, dataclasses and TypedDicts.

Pydantic is imported inside the functions that need it; see `routilux.params`.
"""

from __future__ import annotations

import reprlib
import sys
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property, reduce
from operator import or_
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, NotRequired, Required, Union, get_args, get_origin

from routilux.exceptions import FlowDefinitionError
from routilux.params_types import full_name, is_declaration, is_model, is_root_model, is_typed_dict

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo


def check_declaration(declaration: Any) -> None:
    """Raise FlowDefinitionError unless `declaration` is of one of the three kinds, or None.

    Types inside are looked at by `describe` and `validate` only, as they may be defined later.
    """
    right = (
        "params is a pydantic model, a dataclass or a TypedDict, such as "
        "`class Params(pydantic.BaseModel): folder: Path`, or None"
    )
    if declaration is None or (is_declaration(declaration) and not is_root_model(declaration)):
        return
    if is_declaration(declaration):
        raise FlowDefinitionError(
            f"{full_name(declaration)} is a RootModel, whose value has no name; {right}"
        )
    if is_declaration(type(declaration)):
        name = type(declaration).__qualname__
        raise FlowDefinitionError(f"params is an instance of {name}; pass the class itself: params={name}")
    raise FlowDefinitionError(f"params cannot be {reprlib.repr(declaration)}; {right}")


class _Declared:
    """A declaration as pydantic's FieldInfos, one per parameter, and the check of values against it."""

    def __init__(self, declaration: Any) -> None:
        self._declaration = declaration
        if is_model(declaration):
            if not declaration.__pydantic_complete__:
                declaration.model_rebuild()
            self.infos: dict[str, FieldInfo] = declaration.model_fields
            config: Mapping[str, Any] = declaration.model_config
        elif is_typed_dict(declaration):
            self.infos = {name: _typed_dict_info(hint) for name, hint in _qualified(declaration).items()}
            config = getattr(declaration, "__pydantic_config__", {})
        else:
            self.infos, config = _dataclass_infos(declaration), {}
        self.allows_extra = config.get("extra") == "allow"
        # Every key that a parameter can be given by -> the name of its field.
        self.names = {key: name for name, info in self.infos.items() for key in (*_aliases(info), name)}

    def field_at(self, location: Sequence[Any]) -> tuple[str, int] | None:
        """The field that the beginning of one of pydantic's locations means, and how many parts that is."""
        for name, info in self.infos.items():
            for path in (*_alias_paths(info), [name]):
                if list(location[: len(path)]) == path:
                    return name, len(path)
        return None

    @cached_property
    def check(self) -> Callable[[Mapping[str, Any]], Any]:
        """Validates values, which become an instance of the declaration (a dict, of a TypedDict)."""
        from pydantic import TypeAdapter  # see the module's docstring

        with _blame(self._declaration):
            adapter = TypeAdapter(_for_pydantic(self._declaration))
        return lambda values: adapter.validate_python(dict(values), by_alias=True, by_name=True)


def declared_by(declaration: Any) -> _Declared:
    # Kept on the class itself, so that it goes when the class goes: a flow folder is loaded many times.
    kept = vars(declaration).get("__routilux_declared__") if isinstance(declaration, type) else None
    if not isinstance(kept, _Declared):
        check_declaration(declaration)
        with _blame(declaration):
            kept = _Declared(declaration)
        declaration.__routilux_declared__ = kept
    return kept


@contextmanager
def _blame(declaration: Any) -> Iterator[None]:
    """Turn what goes wrong with annotations, which are the user's, into a FlowDefinitionError."""
    try:
        yield
    except Exception as error:
        raise FlowDefinitionError(
            f"the parameters {full_name(declaration)} cannot be used: {type(error).__name__}: {error}"
        ) from error


def _dataclass_infos(declaration: Any) -> dict[str, FieldInfo]:
    from dataclasses import InitVar  # both cost start-up time; flows without parameters need neither

    from pydantic.fields import FieldInfo

    if hasattr(declaration, "__pydantic_fields__"):
        found = declaration.__pydantic_fields__
        return {name: info for name, info in found.items() if info.init is not False}
    hints = typing.get_type_hints(declaration, include_extras=True)
    infos = {}
    for name, field in declaration.__dataclass_fields__.items():
        hint = hints[name]
        if not field.init or typing.ClassVar in (hint, get_origin(hint)):
            continue
        hint = hint.type if isinstance(hint, InitVar) else hint
        default = field.default if isinstance(field.default, FieldInfo) else field
        infos[name] = info = FieldInfo.from_annotated_attribute(hint, default)
        told = field.metadata.get("description") or field.metadata.get("doc") or getattr(field, "doc", None)
        info.description = told or info.description
    return infos


def _qualified(declaration: Any) -> dict[str, Any]:
    """The annotations of a TypedDict, each inside Required[...] or NotRequired[...]."""
    from typing_extensions import ReadOnly  # comes with pydantic

    def split(hint: Any) -> tuple[Any, Any]:
        origin, args = get_origin(hint), get_args(hint)
        if origin is Annotated:
            inner, qualifier = split(args[0])
            return Annotated[(inner, *args[1:])], qualifier
        if origin in (Required, NotRequired, ReadOnly):
            inner, qualifier = split(args[0])
            return inner, qualifier if origin is ReadOnly else origin
        return hint, None

    hints = {}
    for name, hint in typing.get_type_hints(declaration, include_extras=True).items():
        inner, qualifier = split(hint)
        # Where annotations are strings, __required_keys__ does not know the qualifiers.
        qualifier = qualifier or (Required if name in declaration.__required_keys__ else NotRequired)
        hints[name] = qualifier[inner]
    return hints


def _typed_dict_info(hint: Any) -> FieldInfo:
    from pydantic.fields import FieldInfo  # see the module's docstring

    info = FieldInfo.from_annotation(get_args(hint)[0])
    if get_origin(hint) is NotRequired and info.is_required():
        info.default = None
    return info


def _for_pydantic(annotation: Any) -> Any:
    """`annotation` with each `typing.TypedDict` as one of typing_extensions: the only ones pydantic
    takes before Python 3.12."""
    if sys.version_info >= (3, 12):
        return annotation
    if is_typed_dict(annotation) and type(annotation).__module__ == "typing":
        import typing_extensions  # comes with pydantic

        hints = {name: _for_pydantic(hint) for name, hint in _qualified(annotation).items()}
        make: Any = typing_extensions.TypedDict
        made = make(annotation.__name__, hints)
        made.__pydantic_config__ = getattr(annotation, "__pydantic_config__", {})
        return made
    origin, args = get_origin(annotation), get_args(annotation)
    inner = tuple(map(_for_pydantic, args))
    if all(new is old for new, old in zip(inner, args, strict=True)):
        return annotation
    if origin in (Union, UnionType):
        return reduce(or_, inner)
    return origin[inner if len(inner) > 1 else inner[0]]


def _aliases(info: FieldInfo) -> list[str]:
    """The keys besides its name that a field can be given by."""
    return [path[0] for path in _alias_paths(info) if isinstance(path[0], str)]


def _alias_paths(info: FieldInfo) -> list[list[Any]]:
    """Where pydantic looks for a field besides its name: keys, one inside the other."""
    alias = info.validation_alias or info.alias
    choices = getattr(alias, "choices", [alias])
    return [getattr(choice, "path", [choice]) for choice in choices]

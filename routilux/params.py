"""A flow's declared parameters: what they are, and the check of the values a job is started with.

A declaration is a pydantic model, a dataclass or a TypedDict; None stands for a flow that takes any dict.
Pydantic validates all three. It is imported inside the functions that need it, because importing it costs
more than the whole library, and flows without declared parameters never use it.
"""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, get_args, get_origin

from routilux.exceptions import FieldError, FlowDefinitionError, ParameterError
from routilux.params_declared import check_declaration, declared_by
from routilux.params_types import (
    Core,
    as_text,
    common_kind,
    full_name,
    is_declaration,
    is_root_model,
    is_typed_dict,
    kind_of,
    take_apart,
)
from routilux.params_values import field_errors, find_unknown, hides_secret, named_values, plain_value

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

__all__ = ["ParameterField", "allows_others", "check_declaration", "coerce_text", "describe", "validate"]


class ParameterField(NamedTuple):
    """One declared parameter, for a form or an option of a command line.

    `kind` is one of "bool", "int", "float", "str", "path", "date", "datetime", "choice", "list", "dict"
    and "object" (named values inside). `annotation` is the type as text ("int | None"); `nullable` says
    whether None is among its values. `default` and `choices` are values that `validate` takes: of an enum
    they are the values of its members, of a nested model a dict. `default` is None if `required`, and
    where the default is worked out from other parameters. A bound is exclusive where it says so.
    `secret` says that nobody is to read the value, or some of what is in it. `fields` are those of an
    "object" whose names are known, each of them a parameter in its turn. `absent` says that a job gets
    nothing by this name where it is not given.
    """

    name: str
    kind: str
    annotation: str
    required: bool = True
    default: Any = None
    description: str = ""
    choices: tuple[Any, ...] | None = None
    minimum: Any = None
    maximum: Any = None
    min_length: int | None = None
    max_length: int | None = None
    multiple_of: float | None = None
    secret: bool = False
    nullable: bool = False
    exclusive_minimum: bool = False
    exclusive_maximum: bool = False
    pattern: str | None = None
    fields: tuple[ParameterField, ...] = ()
    absent: bool = False


def describe(declaration: Any) -> tuple[ParameterField, ...]:
    """The parameters that `declaration` declares, in their order; none for None.

    Raises FlowDefinitionError for what is no declaration, or whose types cannot be resolved.
    Factories of defaults are called.
    """
    if declaration is None:
        return ()
    return _parameters(declaration, ())


def allows_others(declaration: Any) -> bool:
    """Whether a job may also be given parameters that `declaration` does not name."""
    return declaration is None or declared_by(declaration).allows_extra


def validate(declaration: Any, flow_name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters a job of `flow_name` gets for `values`: converted, checked, with defaults filled in.

    Field name -> Python value, as a new dict; nested models, dataclasses and TypedDicts are dicts. A
    parameter may be given by its name or by an alias. Without a declaration any dict with str keys passes.

    Raises ParameterError with an error per field for values that do not validate, including those the
    declaration does not know (unless it is a model that allows extra ones, which then pass), and
    FlowDefinitionError where the declaration itself is at fault.
    """
    given: Any = values
    if not isinstance(given, Mapping):
        problem = f"parameters are given as a dict, not as {reprlib.repr(given)}"
        raise ParameterError(flow_name, (FieldError("", problem, given),))
    strange = [key for key in values if not isinstance(key, str)]
    if strange:
        problem = "the name of a parameter is a str"
        raise ParameterError(flow_name, tuple(FieldError(repr(key), problem, values[key]) for key in strange))
    if declaration is None:
        return dict(values)

    from pydantic import ValidationError  # see the module's docstring

    check = declared_by(declaration).check
    unknown: dict[str, FieldError] = {}
    find_unknown(declaration, values, (), unknown)
    failed: dict[str, FieldError] = {}
    try:
        validated = check(values)
    except ValidationError as error:
        failed = field_errors(declaration, values, error)
    except Exception as error:
        raise FlowDefinitionError(
            f"checking the parameters of flow {flow_name!r} against {full_name(declaration)} raised "
            f"{type(error).__name__}: {error}; a validator reports bad values with ValueError"
        ) from error
    if failed or unknown:
        raise ParameterError(flow_name, tuple((failed | unknown).values()))
    return {name: plain_value(value) for name, value in named_values(validated).items()}


def coerce_text(field: ParameterField, text: str) -> Any:
    """What a person means who typed `text` for `field`, for `validate` to check.

    A list, dict or object is read as JSON, a bool by the usual words; a choice is recognised by its text;
    where the field may be None, nothing, "none" and "null" say so (a str or path keeps the words).
    A number, date or path that is written as Python writes it becomes that, so that strict declarations
    take it. All else stays text. Raises ValueError, in a sentence for that person.
    """
    word = text.strip().lower()
    if field.kind == "choice":
        for choice in field.choices or ():
            if str(choice) == text:
                return choice
    if (
        field.nullable
        and field.kind != "str"
        and (not word or (field.kind != "path" and word in _NONE_WORDS))
    ):
        return None
    if field.kind == "bool":
        if word not in _BOOL_WORDS:
            raise ValueError(
                f"{text!r} is neither yes nor no: write yes or no, true or false, on or off, 1 or 0"
            )
        return _BOOL_WORDS[word]
    if field.kind in _JSON_KINDS:
        return _from_json(field.kind, text)
    return _exactly(field.kind, text)


def _exactly(kind: str, text: str) -> Any:
    """The value of which `text` is the text, or else the text itself."""
    from datetime import date, datetime  # here with pathlib: they cost start-up time
    from pathlib import Path

    readers: dict[str, tuple[tuple[Callable[[str], Any], Callable[[Any], str]], ...]] = {
        "int": ((int, str),),
        "float": ((int, str), (float, repr)),
        "date": ((date.fromisoformat, date.isoformat),),
        "datetime": ((datetime.fromisoformat, datetime.isoformat),),
        "path": ((Path, str),),
    }
    for read, write in readers.get(kind, ()):
        try:
            value = read(text)
            if write(value) == text:
                return value
        except ValueError:  # no such value, or longer than Python converts
            pass
    return text


_NONE_WORDS: Final = frozenset({"none", "null"})


_BOOL_WORDS: Final = dict.fromkeys(("yes", "y", "true", "t", "on", "1"), True) | dict.fromkeys(
    ("no", "n", "false", "f", "off", "0"), False
)


_JSON_KINDS: Final[dict[str, tuple[tuple[type, ...], str]]] = {
    "list": ((list,), 'a list is written as JSON, such as ["a", "b"]'),
    "dict": ((dict,), 'a dict is written as JSON, such as {"key": "value"}'),
    "object": ((dict, list), 'an object is written as JSON, such as {"name": "value"}'),
}


def _from_json(kind: str, text: str) -> Any:
    import json  # here, because it costs start-up time

    types, right = _JSON_KINDS[kind]
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{reprlib.repr(text)} is no JSON ({error}): {right}") from error
    if not isinstance(value, types):
        raise ValueError(f"{reprlib.repr(text)} is no {kind}: {right}")
    return value


# So deep are objects taken apart; further inside they are written as JSON.
_DEEPEST: Final = 4


def _parameters(declaration: Any, around: tuple[Any, ...]) -> tuple[ParameterField, ...]:
    """The parameters of a declaration that is nested in those `around` it."""
    inside = (*around, declaration)
    found = [_parameter(name, info, inside) for name, info in declared_by(declaration).infos.items()]
    if is_typed_dict(declaration):
        found = [each._replace(absent=not each.required and each.default is None) for each in found]
    return tuple(found)


def _parameter(name: str, info: FieldInfo, inside: tuple[Any, ...]) -> ParameterField:
    core = take_apart(info.annotation)
    kind = common_kind({kind_of(found) for found in core.types})
    nested = core.types[0] if len(core.types) == 1 else None
    fields: tuple[ParameterField, ...] = ()
    known = is_declaration(nested) and not is_root_model(nested) and nested not in inside
    if known and len(inside) < _DEEPEST and not declared_by(nested).allows_extra:
        fields = _parameters(nested, inside)
    bounds, description = _bounds(info, core)
    low_open, high_open = "gt" in bounds, "lt" in bounds
    low, high = bounds.get("gt", bounds.get("ge")), bounds.get("lt", bounds.get("le"))
    if kind == "int" and low_open:
        low, low_open = int(bounds["gt"]) + 1, False
    if kind == "int" and high_open:
        high, high_open = int(bounds["lt"]) - 1, False
    pattern = bounds.get("pattern")
    return ParameterField(
        name=name,
        kind=kind,
        annotation=as_text(info.annotation),
        required=info.is_required(),
        default=_default(info, core),
        description=description.strip(),
        choices=_choices(core) if kind == "choice" else None,
        minimum=low,
        maximum=high,
        min_length=bounds.get("min_length"),
        max_length=bounds.get("max_length"),
        multiple_of=bounds.get("multiple_of"),
        secret=not fields and hides_secret(info.annotation),
        nullable=core.nullable,
        exclusive_minimum=low_open,
        exclusive_maximum=high_open,
        pattern=getattr(pattern, "pattern", pattern),
        fields=fields,
    )


_BOUNDS: Final = ("ge", "gt", "le", "lt", "min_length", "max_length", "multiple_of", "pattern")


def _bounds(info: FieldInfo, core: Core) -> tuple[dict[str, Any], str]:
    """What `Annotated` and `Field` say: the bounds by their names, and the description."""
    bounds: dict[str, Any] = {}
    description = info.description or ""
    # A Field(...) inside a Union has metadata of its own.
    inner = [one for found in core.metadata for one in (found, *getattr(found, "metadata", ()))]
    for found in (*info.metadata, *inner):
        for bound in _BOUNDS:
            if getattr(found, bound, None) is not None:
                bounds[bound] = getattr(found, bound)
        told = found if isinstance(found, str) else getattr(found, "documentation", None)
        description = description or told or getattr(found, "description", None) or ""
    return bounds, description


def _choices(core: Core) -> tuple[Any, ...]:
    found = []
    for choice in core.types:
        values = get_args(choice) if get_origin(choice) is Literal else [member.value for member in choice]
        found += [value for value in values if value is not None]
    return tuple(found)


def _default(info: FieldInfo, core: Core) -> Any:
    if info.is_required() or info.default_factory_takes_validated_data:
        return None
    try:
        # Of Literal[Colour.RED] the member itself is the value, of Colour its value will do.
        enums = any(get_origin(found) is Literal for found in core.types)
        return plain_value(info.get_default(call_default_factory=True), enums=enums)
    except Exception:  # a factory of the user's; `validate` will tell, if the default is ever needed
        return None

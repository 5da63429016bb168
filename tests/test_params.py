"""What a flow declares is described for forms, and what a job is given is checked against it."""

from __future__ import annotations

import dataclasses
import enum
import gc
import subprocess
import sys
import typing
import weakref
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, NewType
from uuid import UUID

import annotated_types
import pydantic
import pytest
import typing_extensions
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, SecretStr
from typing_extensions import Doc

from routilux.exceptions import FieldError, FlowDefinitionError, ParameterError
from routilux.params import (
    ParameterField,
    allows_others,
    check_declaration,
    coerce_text,
    describe,
    validate,
)


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Speed(enum.Enum):
    SLOW = 1
    FAST = 2


class Db(BaseModel):
    host: str
    port: int = Field(default=5432, ge=1)
    password: SecretStr | None = None


@dataclasses.dataclass
class Box:
    width: int
    height: int = 1


class Label(typing_extensions.TypedDict, total=False):
    text: typing.Required[str]
    colour: Colour


class Coordinates(NamedTuple):
    x: int
    y: int


class Numbers(pydantic.RootModel[list[int]]):
    pass


Seconds = NewType("Seconds", float)


class ModelParams(BaseModel):
    folder: Path = Field(description="where to look")
    workers: int = Field(default=4, ge=1, le=64)
    pattern: Annotated[str, Doc("which files")] = "*"
    tags: list[str] = Field(default_factory=list)


@dataclasses.dataclass
class DataParams:
    folder: Path = dataclasses.field(metadata={"description": "where to look"})
    workers: Annotated[int, Field(ge=1, le=64)] = 4
    pattern: Annotated[str, "which files"] = "*"
    tags: list[str] = dataclasses.field(default_factory=list)


class DictParams(typing.TypedDict):
    folder: Annotated[Path, "where to look"]
    workers: Annotated[int, annotated_types.Interval(ge=1, le=64), Field(default=4)]
    pattern: Annotated[str, Field(default="*"), Doc("which files")]
    tags: Annotated[list[str], Field(default_factory=list)]


ALL_KINDS = pytest.mark.parametrize("declaration", [ModelParams, DataParams, DictParams])


def field_of(annotation: Any, **settings: Any) -> ParameterField:
    """The one parameter of a model that declares `annotation`."""
    settings.setdefault("default", ...)
    (field,) = describe(pydantic.create_model("Made", it=(annotation, Field(**settings))))
    return field


def errors_of(declaration: Any, values: Any) -> dict[str, str]:
    with pytest.raises(ParameterError) as caught:
        validate(declaration, "etl", values)
    assert len({error.field for error in caught.value.errors}) == len(caught.value.errors)
    return {error.field: error.message for error in caught.value.errors}


# --- describe ----------------------------------------------------------------------------------------------


@ALL_KINDS
def test_all_three_kinds_of_declaration_are_described_alike(declaration: Any) -> None:
    folder, workers, pattern, tags = describe(declaration)
    assert folder == ParameterField("folder", "path", "Path", True, description="where to look")
    assert workers == ParameterField("workers", "int", "int", False, 4, minimum=1, maximum=64)
    assert pattern == ParameterField("pattern", "str", "str", False, "*", description="which files")
    assert tags == ParameterField("tags", "list", "list[str]", False, [])


def test_no_declaration_has_no_parameters() -> None:
    assert describe(None) == ()


KINDS: list[tuple[Any, str, str]] = [
    (bool, "bool", "bool"),
    (int, "int", "int"),
    (pydantic.PositiveInt, "int", "int"),
    (float, "float", "float"),
    (Decimal, "float", "Decimal"),
    (int | float, "float", "int | float"),
    (Seconds, "float", "Seconds"),
    (str, "str", "str"),
    (bytes, "str", "bytes"),
    (UUID, "str", "UUID"),
    (int | str, "str", "int | str"),
    (Any, "str", "Any"),
    (pydantic.HttpUrl, "str", "HttpUrl"),
    (Path, "path", "Path"),
    (pydantic.FilePath, "path", "Path"),
    (pydantic.DirectoryPath | None, "path", "Path | None"),
    (date, "date", "date"),
    (datetime, "datetime", "datetime"),
    (Literal["a", "b"], "choice", "'a' | 'b'"),
    (Colour, "choice", "Colour"),
    (Colour | None, "choice", "Colour | None"),
    (Literal["auto"] | int, "str", "'auto' | int"),
    (list, "list", "list"),
    (list[Path], "list", "list[Path]"),
    (set[int], "list", "set[int]"),
    (tuple[int, ...], "list", "tuple[int, ...]"),
    (Sequence[str], "list", "Sequence[str]"),
    (dict, "dict", "dict"),
    (dict[str, int], "dict", "dict[str, int]"),
    (Mapping[str, list[int]], "dict", "Mapping[str, list[int]]"),
    (Db, "object", "Db"),
    (Box | None, "object", "Box | None"),
    (typing_extensions.TypedDict("TD", {"x": int}), "object", "TD"),
    (Coordinates, "object", "Coordinates"),
    (list[int] | dict[str, int], "object", "list[int] | dict[str, int]"),
    (typing.Optional[int], "int", "int | None"),  # noqa: UP045
]


@pytest.mark.parametrize(("annotation", "kind", "text"), KINDS, ids=[f"{k[2]} is {k[1]}" for k in KINDS])
def test_each_type_has_its_kind_and_a_readable_name(annotation: Any, kind: str, text: str) -> None:
    field = field_of(annotation)
    assert (field.kind, field.annotation) == (kind, text)
    assert field.nullable is text.endswith("| None")


BOUNDS: list[tuple[Any, dict[str, Any]]] = [
    (Annotated[int, Field(ge=1, le=9)], {"minimum": 1, "maximum": 9}),
    (Annotated[int, Field(gt=0, lt=10)], {"minimum": 1, "maximum": 9}),
    (Annotated[int, Field(gt=0.0)], {"minimum": 1}),
    (
        Annotated[float, Field(gt=0, lt=1)],
        {"minimum": 0, "maximum": 1, "exclusive_minimum": True, "exclusive_maximum": True},
    ),
    (Annotated[int, annotated_types.Interval(ge=2, lt=5)], {"minimum": 2, "maximum": 4}),
    (Annotated[int, Field(multiple_of=5)], {"multiple_of": 5}),
    (Annotated[str, Field(min_length=2, max_length=3)], {"min_length": 2, "max_length": 3}),
    (Annotated[str, pydantic.StringConstraints(min_length=2)], {"min_length": 2}),
    (Annotated[list[int], annotated_types.Len(1, 3)], {"min_length": 1, "max_length": 3}),
    (pydantic.PositiveInt | None, {"minimum": 1}),
    (Annotated[int, Field(ge=1)] | None, {"minimum": 1}),
    (pydantic.conint(ge=3), {"minimum": 3}),
    (Annotated[date, Field(ge=date(2024, 1, 1))], {"minimum": date(2024, 1, 1)}),
    (list[Annotated[int, Field(ge=3)]], {"minimum": None}),
]


@pytest.mark.parametrize(("annotation", "bounds"), BOUNDS, ids=lambda value: str(value)[:60])
def test_bounds_are_found(annotation: Any, bounds: dict[str, Any]) -> None:
    field = field_of(annotation)
    assert {name: getattr(field, name) for name in bounds} == bounds


def test_bounds_of_a_field_count_too() -> None:
    assert field_of(int, ge=2, lt=9) == ParameterField("it", "int", "int", minimum=2, maximum=8)


CHOICES: list[tuple[Any, tuple[Any, ...]]] = [
    (Literal["a", "b"], ("a", "b")),
    (Literal["a", None], ("a",)),
    (Literal["a"] | Literal[2], ("a", 2)),
    (Colour, ("red", "blue")),
    (Speed | None, (1, 2)),
    (Literal[Speed.FAST, 7], (Speed.FAST, 7)),
]


@pytest.mark.parametrize(("annotation", "choices"), CHOICES, ids=str)
def test_choices_are_values_that_validate_takes(annotation: Any, choices: tuple[Any, ...]) -> None:
    model = pydantic.create_model("Made", it=annotation)
    (field,) = describe(model)
    assert field.choices == choices
    for choice in choices:
        validate(model, "etl", {"it": choice})


def test_defaults_are_values_that_validate_takes() -> None:
    class Params(BaseModel):
        colour: Colour = Colour.RED
        db: Db = Db(host="here")
        colours: list[Colour] = Field(default_factory=lambda: [Colour.BLUE])
        later: str = Field(default_factory=lambda values: str(values["colour"]))
        broken: str = Field(default_factory=lambda: str(1 / 0))
        nothing: int | None = None
        literal: Literal[Colour.RED] = Colour.RED

    defaults = {field.name: field.default for field in describe(Params)}
    assert defaults == {
        "colour": "red",
        "db": {"host": "here", "port": 5432, "password": None},
        "colours": ["blue"],
        "later": None,
        "broken": None,
        "nothing": None,
        "literal": Colour.RED,
    }
    assert not any(field.required for field in describe(Params))


@pytest.mark.parametrize(
    ("annotation", "secret"),
    [(SecretStr, True), (pydantic.SecretBytes | None, True), (pydantic.Secret[int], True), (str, False)],
    ids=str,
)
def test_secrets_are_marked(annotation: Any, secret: bool) -> None:
    field = field_of(annotation)
    assert (field.kind, field.secret) == ("str", secret)


def test_descriptions_come_from_wherever_one_writes_them() -> None:
    @dataclasses.dataclass
    class Params:
        a: Annotated[int, Field(description="of Field")] = 1
        b: Annotated[int, Doc("of Doc")] = 1
        c: Annotated[int, "a text"] = 1
        d: int = dataclasses.field(default=1, metadata={"description": "of metadata"})
        e: int = dataclasses.field(default=1, metadata={"doc": "of doc"})
        f: Annotated[int, "inside"] | None = None
        g: Annotated[int, Field(description="in a union")] | None = None
        h: int = 1

    told = [field.description for field in describe(Params)]
    assert told == ["of Field", "of Doc", "a text", "of metadata", "of doc", "inside", "in a union", ""]


def test_what_a_typed_dict_does_not_require_is_not_required() -> None:
    class Base(typing.TypedDict):
        a: int
        b: typing.NotRequired[int]

    class Params(Base, total=False):
        c: int
        d: typing.Required[int]
        e: Annotated[typing.NotRequired[int], "text"]

    assert {field.name: field.required for field in describe(Params)} == {
        "a": True,
        "b": False,
        "c": False,
        "d": True,
        "e": False,
    }
    assert validate(Params, "etl", {"a": "1", "d": 2}) == {"a": 1, "d": 2}
    assert errors_of(Params, {"b": 1}) == {"a": "is required", "d": "is required"}


def test_only_what_init_takes_is_a_parameter_of_a_dataclass() -> None:
    @dataclasses.dataclass
    class Params:
        a: int
        seed: dataclasses.InitVar[int]
        made: int = dataclasses.field(init=False)
        shared: typing.ClassVar[int] = 1

        def __post_init__(self, seed: int) -> None:
            self.made = self.a + seed

    assert [(field.name, field.annotation) for field in describe(Params)] == [("a", "int"), ("seed", "int")]
    assert validate(Params, "etl", {"a": "1", "seed": "2"}) == {"a": 1, "made": 3}
    assert list(errors_of(Params, {"a": 1, "seed": 2, "made": 3})) == ["made"]


def test_a_pydantic_dataclass_is_a_dataclass() -> None:
    @pydantic.dataclasses.dataclass
    class Params:
        a: int = Field(ge=1, description="text", alias="A")
        made: int = dataclasses.field(init=False, default=4)

    assert describe(Params) == (ParameterField("a", "int", "int", minimum=1, description="text"),)
    assert validate(Params, "etl", {"a": 2}) == validate(Params, "etl", {"A": 2}) == {"a": 2, "made": 4}


def test_a_dataclass_may_have_pydantic_fields_as_defaults() -> None:
    @dataclasses.dataclass
    class Params:
        a: int = Field(default=3, ge=1, description="text")

    (field,) = describe(Params)
    assert field == ParameterField("a", "int", "int", False, 3, minimum=1, description="text")
    assert validate(Params, "etl", {}) == {"a": 3}


class Early(BaseModel):
    later: Late


def test_a_type_defined_later_in_the_module_is_found() -> None:
    assert describe(Early)[0].choices == ("x",)


Late = Literal["x"]


# --- declarations ------------------------------------------------------------------------------------------

WRONG: list[tuple[Any, str]] = [
    (dict, "params cannot be <class 'dict'>; params is a pydantic model, a dataclass or a TypedDict"),
    ({"a": int}, "params cannot be"),
    (int, "params cannot be"),
    ("Params", "params cannot be 'Params'"),
    (Coordinates, "params cannot be"),
    (Db(host="x"), "params is an instance of Db; pass the class itself: params=Db"),
    (Box(1), "params is an instance of Box"),
    (Numbers, "test_params.Numbers is a RootModel, whose value has no name"),
]


@pytest.mark.parametrize(("declaration", "message"), WRONG, ids=[message[:40] for _, message in WRONG])
def test_what_is_no_declaration_is_refused_with_what_is_right(declaration: Any, message: str) -> None:
    for function in (check_declaration, describe, lambda it: validate(it, "etl", {})):
        with pytest.raises(FlowDefinitionError, match=message):
            function(declaration)


@ALL_KINDS
def test_a_declaration_is_taken(declaration: Any) -> None:
    check_declaration(declaration)
    check_declaration(None)


def test_types_that_cannot_be_resolved_are_the_authors_fault() -> None:
    @dataclasses.dataclass
    class Params:
        a: Missing  # noqa: F821

    for function in (describe, lambda it: validate(it, "etl", {"a": 1})):
        with pytest.raises(FlowDefinitionError, match=r"Params cannot be used: NameError: name 'Missing'"):
            function(Params)


def test_types_that_pydantic_does_not_know_are_the_authors_fault() -> None:
    class Opaque:
        pass

    params = dataclasses.make_dataclass("Params", [("a", Opaque)])
    with pytest.raises(FlowDefinitionError, match=r"Params cannot be used: .*Opaque"):
        validate(params, "etl", {"a": 1})


def test_a_validator_that_breaks_is_the_authors_fault() -> None:
    class Params(BaseModel):
        a: int

        @pydantic.field_validator("a")
        @classmethod
        def check(cls, value: int) -> int:
            raise KeyError("oops")

    with pytest.raises(FlowDefinitionError, match=r"flow 'etl' against .*Params raised KeyError: 'oops'"):
        validate(Params, "etl", {"a": 1})


# --- validate ----------------------------------------------------------------------------------------------


@ALL_KINDS
def test_all_three_kinds_convert_and_fill_in_defaults(declaration: Any) -> None:
    values = validate(declaration, "etl", {"folder": "data", "workers": "8"})
    assert values == {"folder": Path("data"), "workers": 8, "pattern": "*", "tags": []}
    assert type(values) is dict


@ALL_KINDS
def test_all_three_kinds_tell_every_error_at_once(declaration: Any) -> None:
    assert errors_of(declaration, {"workers": "many", "patern": "x", "zzz": 1}) == {
        "folder": "is required",
        "workers": "should be a valid integer, not 'many'",
        "patern": "there is no such parameter; did you mean 'pattern'?",
        "zzz": "there is no such parameter; there is folder, workers, pattern, tags",
    }
    assert errors_of(declaration, {"folder": "x", "workers": 0}) == {
        "workers": "should be greater than or equal to 1, not 0"
    }


def test_without_a_declaration_any_dict_passes_as_a_copy() -> None:
    given = {"a": object()}
    values = validate(None, "etl", given)
    assert values == given
    assert values is not given


@pytest.mark.parametrize("declaration", [None, ModelParams])
def test_what_is_no_dict_with_names_is_refused(declaration: Any) -> None:
    assert errors_of(declaration, [1]) == {"": "parameters are given as a dict, not as [1]"}
    assert errors_of(declaration, {1: 2, "folder": "x"}) == {"1": "the name of a parameter is a str"}


def test_the_error_names_the_flow_and_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="flow 'etl'") as caught:
        validate(ModelParams, "etl", {})
    assert isinstance(caught.value, ParameterError)
    assert caught.value.flow_name == "etl"
    assert caught.value.errors == (FieldError("folder", "is required"),)


class Nested(BaseModel):
    db: Db
    boxes: list[Box] = []
    labels: dict[str, Label] = {}
    pair: Coordinates = Coordinates(1, 2)
    numbers: Numbers = Numbers([1])
    colour: Colour = Colour.RED
    key: SecretStr = SecretStr("x")
    when: date | None = None


def test_nested_declarations_become_dicts_and_other_values_stay() -> None:
    given = {
        "db": {"host": "h"},
        "boxes": [{"width": "2"}, Box(3)],
        "labels": {"a": {"text": "t", "colour": "blue"}},
        "when": "2024-05-01",
    }
    assert validate(Nested, "etl", given) == {
        "db": {"host": "h", "port": 5432, "password": None},
        "boxes": [{"width": 2, "height": 1}, {"width": 3, "height": 1}],
        "labels": {"a": {"text": "t", "colour": Colour.BLUE}},
        "pair": Coordinates(1, 2),
        "numbers": [1],
        "colour": Colour.RED,
        "key": SecretStr("x"),
        "when": date(2024, 5, 1),
    }


def test_models_in_a_set_become_a_list_of_dicts() -> None:
    class Frozen(BaseModel, frozen=True):
        a: int

    class Params(BaseModel):
        some: set[Frozen]
        plain: set[int] = {1}

    assert validate(Params, "etl", {"some": [{"a": 1}]}) == {"some": [{"a": 1}], "plain": {1}}


def test_typed_dicts_of_typing_work_inside_one_another() -> None:
    class Inner(typing.TypedDict):
        x: int
        y: typing.NotRequired[int]

    params = typing.TypedDict(  # noqa: UP013 - the names of the function are not to be seen from the module
        "Params",
        {
            "one": Inner,
            "some": "list[Inner] | None",
            "named": typing.NotRequired[dict[str, Annotated[Inner, "text"]]],
            "mode": Literal["a"],
        },
    )
    params.__annotations__["some"] = list[Inner] | None
    values = {"one": {"x": "1"}, "some": [{"x": "2", "y": "3"}], "named": {"k": {"x": "4"}}, "mode": "a"}
    assert validate(params, "etl", values) == {
        "one": {"x": 1},
        "some": [{"x": 2, "y": 3}],
        "named": {"k": {"x": 4}},
        "mode": "a",
    }
    assert errors_of(params, {"one": {"z": 1}, "some": None, "mode": "a"}) == {
        "one.x": "is required",
        "one.z": "there is no such parameter; there is x, y",
    }


def test_errors_of_nested_values_are_dotted() -> None:
    given = {
        "db": {"port": 0, "hots": "h"},
        "boxes": [{"width": 1}, {"width": "wide", "hight": 2}],
        "labels": {"a": {"colour": "green"}},
        "pair": [1],
    }
    assert errors_of(Nested, given) == {
        "db.host": "is required",
        "db.port": "should be greater than or equal to 1, not 0",
        "db.hots": "there is no such parameter; did you mean 'host'?",
        "boxes.1.width": "should be a valid integer, not 'wide'",
        "boxes.1.hight": "there is no such parameter; did you mean 'height'?",
        "labels.a.text": "is required",
        "labels.a.colour": "should be 'red' or 'blue', not 'green'",
        "pair.1": "is required",
    }


MESSAGES: list[tuple[Any, Any, str]] = [
    (int, None, "should be a valid integer, not None"),
    (int, 1.5, "should be a valid integer, got a number with a fractional part, not 1.5"),
    (bool, "maybe", "should be a valid boolean, not 'maybe'"),
    (date, "yesterday", "should be a valid date or datetime, not 'yesterday'"),
    (Literal["a", "b"], "c", "should be 'a' or 'b', not 'c'"),
    (Speed, 3, "should be 1 or 2, not 3"),
    (int | date, "x", "should be a valid integer or a valid date or datetime, not 'x'"),
    (int | list[int], ["x"], "should be a valid integer"),
    (Annotated[str, Field(min_length=2)], "a", "should have at least 2 characters, not 'a'"),
    (Annotated[list[int], Field(min_length=1)], [], "should have at least 1 item after validation, not 0"),
    (pydantic.FilePath, "no/such", "does not point to a file"),
    (Box, 3, "should be a dictionary or an instance of Box"),
    (str, "x" * 1000, ""),
]


@pytest.mark.parametrize(
    ("annotation", "value", "message"), MESSAGES, ids=[f"{m[1]!r:.20}: {m[2]}" for m in MESSAGES]
)
def test_messages_say_what_is_wrong_and_what_would_be_right(
    annotation: Any, value: Any, message: str
) -> None:
    model = pydantic.create_model("Made", it=annotation)
    if not message:
        assert validate(model, "etl", {"it": value}) == {"it": value}
        return
    assert errors_of(model, {"it": value})["it"].startswith(message)


def test_an_error_holds_the_value_it_is_about() -> None:
    with pytest.raises(ParameterError) as caught:
        validate(ModelParams, "etl", {"folder": "x", "workers": "many"})
    assert caught.value.errors == (FieldError("workers", "should be a valid integer, not 'many'", "many"),)


def test_errors_of_the_whole_model_have_no_field() -> None:
    class Params(BaseModel):
        low: int
        high: int

        @pydantic.model_validator(mode="after")
        def check(self) -> Params:
            if self.low > self.high:
                raise ValueError("low is above high")
            return self

    @dataclasses.dataclass
    class DataclassParams:
        low: int
        high: int

        def __post_init__(self) -> None:
            if self.low > self.high:
                raise AssertionError("low is above high")

    for declaration in (Params, DataclassParams):
        assert errors_of(declaration, {"low": 2, "high": "1"}) == {"": "low is above high"}


class Aliased(BaseModel):
    number: int = Field(alias="no", ge=0)
    many: list[int] = Field(
        default=[], validation_alias=pydantic.AliasChoices("all", pydantic.AliasPath("deep", "list"))
    )
    inner: Nested | None = None


@pytest.mark.parametrize(
    "given",
    [{"no": "1", "many": [2]}, {"number": 1, "all": [2]}, {"number": 1, "deep": {"list": [2]}}],
    ids=str,
)
def test_a_parameter_is_taken_by_its_name_and_by_its_alias(given: dict[str, Any]) -> None:
    assert validate(Aliased, "etl", given) == {"number": 1, "many": [2], "inner": None}


class Server(BaseModel):
    port: int = Field(alias="Port", gt=0)
    host: str = Field(alias="Host")
    user: str = Field("me", validation_alias=pydantic.AliasPath("login", "user"))


class Named(BaseModel):
    kind: Literal["named"]
    name: str = Field(alias="Name")


class Servers(pydantic.RootModel[list[Server]]):
    pass


class Network(BaseModel):
    server: Server | None = None
    many: list[Server] = []
    by_name: dict[str, list[Server]] = {}
    either: Server | Named | None = None
    pair: tuple[int, Server] | None = None
    root: Servers | None = None


WRONG = {"Port": -1}
SAID = {"port": "should be greater than 0, not -1", "host": "is required"}


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"server": WRONG}, "server"),
        ({"server": {"port": -1}}, "server"),
        ({"many": [{"Port": 1, "Host": "h"}, WRONG]}, "many.1"),
        ({"by_name": {"Host": [WRONG]}}, "by_name.Host.0"),
        ({"pair": (1, WRONG)}, "pair.1"),
        ({"root": [WRONG]}, "root.0"),
    ],
)
def test_errors_of_nested_fields_speak_of_the_names_too(given: dict[str, Any], place: str) -> None:
    assert errors_of(Network, given) == {f"{place}.{name}": said for name, said in SAID.items()}


def test_errors_of_nested_fields_have_their_names_in_unions_and_behind_paths_of_aliases() -> None:
    found = errors_of(Network, {"either": WRONG, "server": {"Port": 1, "Host": "h", "login": {"user": 3}}})
    assert set(found) == {"either.port", "either.host", "either.kind", "either.name", "server.user"}


def test_errors_speak_of_the_name_whatever_alias_was_given() -> None:
    assert errors_of(Aliased, {"no": -1}) == {"number": "should be greater than or equal to 0, not -1"}
    assert errors_of(Aliased, {}) == {"number": "is required"}
    assert errors_of(Aliased, {"no": 1, "number": 2}) == {"number": "is given twice, as 'no' and as 'number'"}


def test_a_model_that_allows_extra_parameters_gets_them() -> None:
    class Params(BaseModel, extra="allow"):
        a: int
        inner: Inner | None = None

    assert validate(Params, "etl", {"a": "1", "b": [2]}) == {"a": 1, "inner": None, "b": [2]}
    assert list(errors_of(Params, {"a": 1, "inner": {"x": 1, "y": 2}})) == ["inner.y"]


class Inner(BaseModel):
    x: int


def test_a_model_that_forbids_extra_parameters_gets_the_same_error() -> None:
    class Params(BaseModel, extra="forbid"):
        folder: str

    assert errors_of(Params, {"folder": "x", "fodler": 1}) == {
        "fodler": "there is no such parameter; did you mean 'folder'?"
    }


def test_a_flow_whose_declaration_is_empty_takes_nothing() -> None:
    class Params(BaseModel):
        pass

    assert validate(Params, "etl", {}) == {}
    assert errors_of(Params, {"a": 1}) == {"a": "there is no such parameter; there is none at all"}


def test_secrets_are_in_no_error() -> None:
    class Login(BaseModel):
        user: str
        password: SecretStr = Field(min_length=99)

        @pydantic.model_validator(mode="before")
        @classmethod
        def check(cls, values: dict[str, Any]) -> dict[str, Any]:
            if values.get("user") == "nobody":
                raise ValueError("nobody may not log in")
            return values

    class Params(BaseModel):
        key: Annotated[SecretStr, Field(min_length=99)]
        login: Login
        logins: list[Login] = []

    given = {
        "key": "hunter2",
        "login": {"user": "nobody", "password": "hunter2"},
        "logins": [{"user": "a", "password": "hunter2"}],
    }
    with pytest.raises(ParameterError) as caught:
        validate(Params, "etl", given)
    assert {error.field for error in caught.value.errors} == {"key", "login", "logins.0.password"}
    assert "hunter2" not in repr(caught.value.errors)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_any_json_is_a_type_like_another() -> None:
    class Params(BaseModel):
        data: pydantic.JsonValue

    assert [(field.kind, field.annotation) for field in describe(Params)] == [("str", "JsonValue")]
    assert validate(Params, "etl", {"data": {"a": [1, None]}}) == {"data": {"a": [1, None]}}
    assert list(errors_of(Params, {"data": {1}})) == ["data"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the type statement came with Python 3.12")
def test_a_type_that_refers_to_itself_is_no_endless_loop() -> None:
    namespace: dict[str, Any] = {}
    exec("type Tree = list[Tree] | int", namespace)
    params = pydantic.create_model("Params", tree=namespace["Tree"])
    assert [field.annotation for field in describe(params)] == ["Tree"]
    assert validate(params, "etl", {"tree": [["1"]]}) == {"tree": [[1]]}
    assert "tree" in errors_of(params, {"tree": ["x"]})


def test_a_strict_declaration_stays_strict() -> None:
    class Params(BaseModel, strict=True):
        a: int

    assert list(errors_of(Params, {"a": "1"})) == ["a"]


def test_the_given_values_stay_as_they_are() -> None:
    given = {"folder": "x", "tags": ["a"]}
    values = validate(ModelParams, "etl", given)
    values["tags"].append("b")
    assert given == {"folder": "x", "tags": ["a"]}
    assert validate(ModelParams, "etl", {"folder": "x"})["tags"] == []


def test_a_declaration_goes_when_nothing_else_holds_it() -> None:
    def use() -> list[weakref.ref[Any]]:
        @dataclasses.dataclass
        class Data:
            a: int = 1

        class Model(BaseModel):
            a: int = 1

        params = typing.TypedDict("Dict", {"a": int})  # noqa: UP013
        made = [Data, Model, params]
        for declaration in made:
            describe(declaration)
            validate(declaration, "etl", {"a": "1"})
        return [weakref.ref(declaration) for declaration in made]

    dropped = use()
    gc.collect()
    assert [reference() for reference in dropped] == [None, None, None]


def test_a_subclass_is_a_declaration_of_its_own() -> None:
    class Base(BaseModel):
        a: int = 1

    assert validate(Base, "etl", {}) == {"a": 1}

    class Sub(Base):
        b: int = 2

    assert validate(Sub, "etl", {}) == {"a": 1, "b": 2}


# --- coerce_text -------------------------------------------------------------------------------------------


def typed(kind: str, **more: Any) -> ParameterField:
    return ParameterField("it", kind, kind, **more)


TYPED: list[tuple[ParameterField, str, Any]] = [
    (typed("str"), " as it is ", " as it is "),
    (typed("str", nullable=True), "none", "none"),
    (typed("int"), "5", 5),
    (typed("int"), "05", "05"),
    (typed("int"), "", ""),
    (typed("int"), "9" * 5000, "9" * 5000),
    (typed("float"), "5", 5),
    (typed("float"), "0.1", 0.1),
    (typed("float"), "0.10", "0.10"),
    (typed("date"), "2025-06-12", date(2025, 6, 12)),
    (typed("date"), "20250612", "20250612"),
    (typed("datetime"), "2025-06-12T08:00:00", datetime(2025, 6, 12, 8)),
    (typed("datetime"), "2025-06-12", "2025-06-12"),
    (typed("int", nullable=True), "", None),
    (typed("int", nullable=True), " None ", None),
    (typed("date", nullable=True), "null", None),
    (typed("path"), "a/b", Path("a/b")),
    (typed("path"), "a//b", "a//b"),
    (typed("path", nullable=True), "none", Path("none")),
    (typed("path", nullable=True), "", None),
    (typed("bool"), "Yes", True),
    (typed("bool"), "off", False),
    (typed("bool"), " 1 ", True),
    (typed("bool", nullable=True), "", None),
    (typed("choice", choices=("a", 2)), "a", "a"),
    (typed("choice", choices=("a", 2)), "2", 2),
    (typed("choice", choices=("a", 2)), "c", "c"),
    (typed("choice", choices=("none",), nullable=True), "none", "none"),
    (typed("choice", choices=("a",), nullable=True), "none", None),
    (typed("list"), '["a", 1]', ["a", 1]),
    (typed("list", nullable=True), "null", None),
    (typed("dict"), '{"a": [1]}', {"a": [1]}),
    (typed("object"), '{"a": 1}', {"a": 1}),
    (typed("object"), "[1, 2]", [1, 2]),
]


@pytest.mark.parametrize(("field", "text", "value"), TYPED, ids=[f"{f.kind} {t!r}" for f, t, _ in TYPED])
def test_typed_text_becomes_what_it_means(field: ParameterField, text: str, value: object) -> None:
    found = coerce_text(field, text)
    assert found == value
    assert type(found) is type(value)


UNREADABLE: list[tuple[str, str, str]] = [
    ("bool", "maybe", "'maybe' is neither yes nor no: write yes or no"),
    ("bool", "", "'' is neither yes nor no"),
    ("list", "a, b", r"'a, b' is no JSON \(.*\): a list is written as JSON, such as \[\"a\", \"b\"\]"),
    ("list", '{"a": 1}', "is no list: a list is written as JSON"),
    ("dict", "[1]", "is no dict: a dict is written as JSON"),
    ("dict", "", "is no JSON"),
    ("object", "5", "is no object"),
    ("list", "[" * 100_000, "is no JSON"),
]


@pytest.mark.parametrize(("kind", "text", "message"), UNREADABLE, ids=[u[2][:40] for u in UNREADABLE])
def test_text_that_cannot_be_read_is_an_error_in_a_sentence(kind: str, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        coerce_text(typed(kind), text)
    assert len(str(caught.value)) < 200


@given(
    st.fixed_dictionaries(
        {
            "folder": st.text(min_size=1, max_size=5),
            "workers": st.integers(1, 64),
            "tags": st.lists(st.text()),
        }
    )
)
def test_what_was_validated_validates_again_to_the_same(values: dict[str, Any]) -> None:
    for declaration in (ModelParams, DataParams, DictParams):
        once = validate(declaration, "etl", values)
        assert validate(declaration, "etl", once) == once


def test_pydantic_is_imported_only_for_declared_parameters() -> None:
    code = (
        "import sys, dataclasses\n"
        "from routilux.params import check_declaration, describe, validate\n"
        "@dataclasses.dataclass\n"
        "class P: a: int = 1\n"
        "check_declaration(P); describe(None); validate(None, 'f', {'a': 1})\n"
        "print('pydantic' in sys.modules, end=' ')\n"
        "describe(P)\n"
        "print('pydantic' in sys.modules)\n"
    )
    path = str(Path(__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": path}, capture_output=True, text=True
    )
    assert done.stdout.split() == ["False", "True"], done.stderr


# --- what a form needs -------------------------------------------------------------------------------------


class Login(BaseModel):
    user: str
    password: SecretStr


class Server(BaseModel):
    login: Login | None = None
    mirror: Server | None = None


class Open(BaseModel, extra="allow"):
    a: int = 1


def test_the_fields_of_nested_declarations_are_described() -> None:
    (field,) = describe(pydantic.create_model("Made", server=(Server, ...)))
    login, mirror = field.fields
    assert [(each.name, each.secret) for each in login.fields] == [("user", False), ("password", True)]
    assert (login.nullable, login.secret) == (True, False)
    assert (mirror.fields, mirror.secret) == ((), True), "it holds itself, and so a secret"


def test_objects_whose_names_are_not_all_known_have_no_fields() -> None:
    assert field_of(Open).fields == ()
    assert field_of(Login | Server).fields == ()
    assert field_of(list[Login]).fields == ()


@pytest.mark.parametrize(
    "annotation",
    [list[SecretStr], dict[str, SecretStr] | None, list[Login], tuple[int, pydantic.Secret[int]]],
)
def test_what_may_hold_a_secret_is_a_secret(annotation: Any) -> None:
    assert field_of(annotation).secret


def test_patterns_are_found() -> None:
    assert field_of(Annotated[str, Field(pattern="^a")]).pattern == "^a"
    assert field_of(Annotated[str, pydantic.StringConstraints(pattern="^b")] | None).pattern == "^b"


def test_what_is_absent_where_it_is_not_given_is_told() -> None:
    class Params(typing.TypedDict):
        a: int
        b: typing.NotRequired[int]

    assert [field.absent for field in describe(Params)] == [False, True]
    assert [field.absent for field in describe(Open)] == [False]


def test_other_parameters_are_allowed_by_few() -> None:
    assert allows_others(None)
    assert allows_others(Open)
    assert not allows_others(Server)

"""A parameter set that the start form accepts is accepted by `exec`, and the other way round."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, NotRequired

import pydantic
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, SecretStr
from typing_extensions import TypedDict

from routilux import Flow, FlowRegistry, Routine, Runtime
from routilux.exceptions import ParameterError
from routilux.params import allows_others, describe, validate
from tests.tui import fixed
from tui.form.draft import Draft
from tui.form.entries import ChoiceEntry, Empty, Entry, GroupEntry, SwitchEntry, TextEntry
from tui.form.values import ABSENT, text_of
from tui.pictures import FlowPicture


class Colour(Enum):
    RED = "red"
    BLUE = 2


class Speed(str, Enum):
    FAST = "fast"
    SLOW = ""


class Kind(NamedTuple):
    """A type that can be declared, and values of it."""

    annotation: Any
    values: st.SearchStrategy[Any]


TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=6)


@st.composite
def bounded_ints(draw: Any) -> Kind:
    least, most = sorted(draw(st.tuples(st.integers(-9, 9), st.integers(-9, 10**19))))
    strict = draw(st.booleans())
    return Kind(Annotated[int, Field(ge=least, le=most, strict=strict)], st.integers(least - 1, most + 1))


KINDS = st.one_of(
    bounded_ints(),
    st.sampled_from(
        [
            Kind(bool, st.booleans()),
            Kind(int, st.integers() | st.just("7")),
            Kind(float, st.floats(allow_nan=False) | st.integers(-5, 5)),
            Kind(str, TEXT | st.sampled_from(["", " ", "none", "null", "a\nb", "\t", "\x1b[31mred"])),
            Kind(Annotated[str, Field(pattern=r"^[a-c]*$", max_length=3)], st.text("abcd", max_size=4)),
            Kind(Literal["fast", 1, True, "1", ""], st.sampled_from(["fast", 1, True, "1", "", 0])),
            Kind(Colour, st.sampled_from([*Colour, "red", 2, "2", "green"])),
            Kind(Speed, st.sampled_from([*Speed, "fast", ""])),
            Kind(list[int], st.lists(st.integers() | st.just("x"), max_size=3)),
            Kind(list[str], st.lists(TEXT, max_size=3)),
            Kind(set[Colour], st.sets(st.sampled_from(Colour))),
            Kind(dict[str, float], st.dictionaries(TEXT, st.floats(allow_nan=False), max_size=2)),
            Kind(dict[int, date], st.dictionaries(st.integers(), st.dates(), max_size=2)),
            Kind(date, st.dates() | st.just("2025-02-30")),
            Kind(datetime, st.datetimes() | st.datetimes(timezones=st.timezones())),
            Kind(Path, st.sampled_from([Path("/a b/c"), Path(), "x//y", "none"])),
            Kind(SecretStr, TEXT.map(SecretStr) | TEXT),
            Kind(list[SecretStr], st.lists(st.just("hush"), max_size=2)),
        ]
    ),
)
ANYTHING = st.none() | st.sampled_from([True, 0, "", "x", [], {}, {"a": 1}, 1.5])


@st.composite
def declarations(draw: Any, depth: int = 1) -> tuple[type, st.SearchStrategy[dict[str, Any]]]:
    """A declaration, and values that are given for it."""
    fields: dict[str, tuple[Any, Any]] = {}
    values: dict[str, st.SearchStrategy[Any]] = {}
    for number in range(draw(st.integers(0 if depth < 1 else 1, 3))):
        nested = depth > 0 and draw(st.integers(0, 3)) == 0
        kind = Kind(*draw(declarations(depth - 1))) if nested else draw(KINDS)
        annotation, of = kind
        if draw(st.booleans()):
            annotation, of = annotation | None, of | st.none()
        has_default = draw(st.booleans())
        name = f"p{number}"
        default = draw(of) if has_default and draw(st.booleans()) else None
        if default is not None:
            default = converted(kind.annotation, default, nested)
        fields[name] = (annotation, default if has_default else ...)
        values[name] = of | ANYTHING if draw(st.integers(0, 5)) == 0 else of
    made = draw(st.sampled_from([_model, _model, _dataclass, _typed_dict]))(fields)
    given = st.fixed_dictionaries({}, optional=values)
    return made, given if draw(st.booleans()) else st.fixed_dictionaries(values)


def converted(annotation: Any, default: Any, nested: bool) -> Any:
    """A default as it is once validated, for nobody validates it; None where it is none of its type.

    A form cannot tell `red` left alone from `red` chosen, though only the latter is converted.
    """
    if nested:
        return taken(annotation, default)
    try:
        return pydantic.TypeAdapter(annotation).validate_python(default)
    except pydantic.ValidationError:
        return None


def _model(fields: dict[str, tuple[Any, Any]]) -> type:
    return pydantic.create_model("Made", **fields)  # type: ignore[call-overload,no-any-return]


def _dataclass(fields: dict[str, tuple[Any, Any]]) -> type:
    made = []
    for name, (annotation, default) in fields.items():
        if default is ...:
            made.append((name, annotation, dataclasses.field(kw_only=True)))
        else:
            factory = partial(_same, default)
            made.append((name, annotation, dataclasses.field(kw_only=True, default_factory=factory)))
    return dataclasses.make_dataclass("Made", made)


def _same(value: Any) -> Any:
    return value


def _typed_dict(fields: dict[str, tuple[Any, Any]]) -> type:
    hints = {
        name: annotation if default is ... else NotRequired[annotation]
        for name, (annotation, default) in fields.items()
    }
    return TypedDict("Made", hints)  # type: ignore[operator,no-any-return]


def picture_of(declaration: type) -> FlowPicture:
    routines = (fixed.routine("r", "trigger"),)
    others = allows_others(declaration)
    return FlowPicture("f", "f.py", 1, "", routines, (), "r", True, describe(declaration), (), others)


def taken(declaration: type, values: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a job gets for these values; None where they are refused."""
    try:
        return validate(declaration, "f", values)
    except ParameterError:
        return None


def accepted(declaration: type, draft: Draft) -> dict[str, Any] | None:
    """What a job gets for what stands in the form; None where the form says that something is wrong."""
    reading = draft.read()
    try:
        validate(declaration, "f", reading.values)
    except ParameterError:
        return None
    return None if reading.errors else validate(declaration, "f", reading.values)


MODELS = declarations().flatmap(lambda made: st.tuples(st.just(made[0]), made[1]))
PATIENT = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)


@PATIENT
@given(MODELS)
def test_a_set_that_is_filled_in_is_read_as_it_is(made: tuple[type, dict[str, Any]]) -> None:
    declaration, values = made
    expected = taken(declaration, values)
    event("taken" if expected is not None else "refused")
    draft = Draft(picture_of(declaration), values)
    found = accepted(declaration, draft)
    if expected is None and found is not None:
        # The fields of a required object are shown, and so it is given: that was all that was missing.
        assert draft.read().values != values
    else:
        assert found == expected


@PATIENT
@given(MODELS)
def test_a_set_that_exec_takes_can_be_typed(made: tuple[type, dict[str, Any]]) -> None:
    declaration, values = made
    expected = taken(declaration, values)
    if expected is None:
        return
    draft = Draft(picture_of(declaration))
    # What a job gets is what one has in mind: exec also takes True where an int is meant.
    for name, entry in draft.entries.items():
        enter(entry, expected[name] if name in values else ABSENT)
    assert draft.read().errors == {}
    assert accepted(declaration, draft) == expected


def enter(entry: Entry, value: Any) -> None:
    """Do with an entry what somebody does who wants it to be `value`."""
    if isinstance(entry, GroupEntry):
        if value in (None, ABSENT) and (value is None or entry.parameter.default is None):
            for _ in range(3):
                if entry.on or entry.off is not {None: Empty.NONE, ABSENT: Empty.LEFT}[value]:
                    entry.next_empty()
        else:
            entry.turn(True)
        if isinstance(value, Mapping):
            for name, inner in entry.entries.items():
                enter(inner, value.get(name, ABSENT))
    elif isinstance(entry, SwitchEntry):
        entry.on = entry.parameter.default if value is ABSENT else value
    elif isinstance(entry, ChoiceEntry):
        choose(entry, value)
    elif isinstance(entry, TextEntry):
        type_in(entry, value)


def choose(entry: ChoiceEntry, value: Any) -> None:
    wanted = getattr(value, "value", value) if isinstance(value, Enum) else value
    for at, each in enumerate(entry.values):
        if each is wanted or (type(each) is type(wanted) and each == wanted):
            entry.at = at


def revealed(value: Any) -> Any:
    if isinstance(value, list):
        return [revealed(each) for each in value]
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def type_in(entry: TextEntry, value: Any) -> None:
    value = revealed(value)
    text = "" if value is ABSENT else text_of(entry.parameter, value)
    if text:
        entry.type(text)
        return
    meaning = {ABSENT: Empty.LEFT, None: Empty.NONE}.get(value, Empty.TEXT) if not value else Empty.TEXT
    if value is ABSENT:
        meaning = Empty.LEFT
    entry.type("x")
    entry.next_empty()
    for _ in entry.meanings():
        if entry.empty is not meaning:
            entry.next_empty()


TYPED = st.sampled_from(
    ["", " ", "0", "-1", "7", "1.5", "x", "abc", "none", "[1]", '["a"]', "{", "{}", "2025-06-12", "yes"]
)


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    with Runtime(1, registry=FlowRegistry(), echo=False) as runtime:
        yield runtime


@PATIENT
@given(made=MODELS, data=st.data())
def test_whatever_is_typed_the_form_and_exec_agree(
    runtime: Runtime, made: tuple[type, dict[str, Any]], data: st.DataObject
) -> None:
    declaration, values = made
    draft = Draft(picture_of(declaration), values)
    for name, entry in draft.entries.items():
        scribble(entry, data, name)
    flow = Flow("f", params=declaration)
    routine = Routine("r")
    routine.define_slot("trigger")
    routine.set_logic(lambda items: None)
    flow.add_routine(routine)
    runtime._registry.register_by_name("f", flow)
    reading = draft.read()
    if reading.errors:
        return
    found = accepted(declaration, draft)
    event("accepted" if found is not None else "refused")
    if found is None:
        with pytest.raises(ValueError, match="do not validate"):
            runtime.exec("f", dict(reading.values))
    else:
        state = runtime.exec("f", dict(reading.values))
        assert dict(state.entry_params) == found


def scribble(entry: Entry, data: st.DataObject, name: str) -> None:
    if isinstance(entry, GroupEntry):
        entry.turn(not entry.optional or data.draw(st.booleans(), label=name))
        for inner_name, inner in entry.entries.items():
            scribble(inner, data, f"{name}.{inner_name}")
    elif isinstance(entry, SwitchEntry):
        entry.on = data.draw(st.booleans(), label=name)
    elif isinstance(entry, ChoiceEntry):
        entry.at = data.draw(st.integers(0, len(entry.values) - 1), label=name)
    elif isinstance(entry, TextEntry) and data.draw(st.booleans(), label=f"{name} is edited"):
        entry.type(data.draw(TYPED, label=name))
        for _ in range(data.draw(st.integers(0, 3), label="times nothing")):
            entry.next_empty()


@PATIENT
@given(MODELS)
def test_a_flow_that_was_loaded_anew_keeps_what_was_typed(made: tuple[type, dict[str, Any]]) -> None:
    declaration, values = made
    flow = picture_of(declaration)
    before = Draft(flow, values)
    after = Draft(flow)
    after.take_over(before)
    assert accepted(declaration, after) == accepted(declaration, before)


class Open(BaseModel, extra="allow"):
    known: int = 1


def test_parameters_that_nobody_declared_are_kept_where_they_are_allowed() -> None:
    values = {"known": 2, "unknown": [3]}
    assert accepted(Open, Draft(picture_of(Open), values)) == values


def test_parameters_that_the_flow_does_not_know_are_left_out_and_named() -> None:
    declaration = pydantic.create_model("Made", known=(int, 1))
    draft = Draft(picture_of(declaration), {"known": 2, "gone": 3})
    assert draft.unknown == ("gone",)
    assert accepted(declaration, draft) == {"known": 2}

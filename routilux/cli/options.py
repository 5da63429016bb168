"""A flow's declared parameters as options of the command line."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from routilux.exceptions import FieldError, ParameterError
from routilux.flow import Flow
from routilux.params import ParameterField, coerce_text, validate

_METAVARS = {
    "int": "INTEGER",
    "float": "NUMBER",
    "str": "TEXT",
    "path": "PATH",
    "date": "YYYY-MM-DD",
    "datetime": "DATETIME",
    "list": "VALUE",
    "dict": "JSON",
    "object": "JSON",
}


class ParameterOption(click.Option):
    """The option of one parameter. What it is given is validated by the flow's declaration, not here."""

    def __init__(self, field: ParameterField, number: int) -> None:
        self.field = field
        name = field.name.replace("_", "-")
        declarations = [f"parameter_{number}"]
        if field.kind == "bool":
            super().__init__([*declarations, f"--{name}/--no-{name}"], default=None, help=describe(field))
            return
        super().__init__(
            [*declarations, f"--{name}"],
            multiple=field.kind == "list",
            metavar=metavar(field),
            help=describe(field),
        )


def metavar(field: ParameterField) -> str:
    """What stands for the value in the help."""
    if field.choices:
        return f"[{'|'.join(str(choice) for choice in field.choices)}]"
    return _METAVARS.get(field.kind, "TEXT")


def describe(field: ParameterField) -> str:
    """The parameter in a line: its description, bounds, and its default or that it is required."""
    notes = []
    if field.kind == "list":
        notes.append("repeat it, or give a JSON list")
    if field.minimum is not None:
        notes.append(f"{'more than' if field.exclusive_minimum else 'at least'} {field.minimum}")
    if field.maximum is not None:
        notes.append(f"{'less than' if field.exclusive_maximum else 'at most'} {field.maximum}")
    if field.required:
        notes.append("required")
    elif field.default not in (None, "", [], {}):
        notes.append(f"default: {'***' if field.secret else as_text(field.default)}")
    return f"{field.description}  [{'; '.join(notes)}]".strip() if notes else field.description


def as_text(value: Any) -> str:
    """A default as one would type it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, dict, tuple)):
        return json.dumps(value, default=str)
    return str(value)


def make_options(
    fields: Iterable[ParameterField], taken: Iterable[click.Parameter]
) -> tuple[list[ParameterOption], list[ParameterField]]:
    """An option per parameter, and the parameters whose option the command has for itself.

    The latter are given with `--param name=value` only.
    """
    used = {name for parameter in taken for name in (*parameter.opts, *parameter.secondary_opts)}
    options: list[ParameterOption] = []
    without: list[ParameterField] = []
    for number, field in enumerate(fields):
        option = ParameterOption(field, number)
        names = {*option.opts, *option.secondary_opts}
        if names & used:
            without.append(field)
        else:
            used |= names
            options.append(option)
    return options, without


def collect(
    flow: Flow,
    flow_name: str,
    params_file: Path | None,
    pairs: Iterable[str],
    given: Mapping[str, str | bool | Sequence[str]],
) -> dict[str, Any]:
    """The entry parameters: the file's, then those of `--param`, then those of options of their own.

    `given` are the latter by name. Raises `click.UsageError` for what cannot be read as parameters
    at all, and `ParameterError`, for every field that is wrong, if the text of one cannot be read.
    """
    known = {field.name: field for field in flow.parameters}
    values: dict[str, Any] = _read_file(params_file) if params_file is not None else {}
    texts: dict[str, list[str]] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise click.UsageError(f"--param takes name=value, not {pair!r}")
        texts.setdefault(name, []).append(text)
    unreadable: dict[str, FieldError] = {}
    for name, value in {**texts, **given}.items():
        try:
            values[name] = _read(known.get(name), value, declared=flow.params is not None)
        except ValueError as error:
            unreadable[name] = FieldError(name, str(error), value)
    if unreadable:
        raise ParameterError(
            flow_name, (*unreadable.values(), *_other_errors(flow, flow_name, values, unreadable))
        )
    return values


def _other_errors(
    flow: Flow, flow_name: str, values: Mapping[str, Any], but: Container[str]
) -> Iterator[FieldError]:
    try:
        validate(flow.params, flow_name, values)
    except ParameterError as error:
        yield from (each for each in error.errors if each.field not in but)


def _read(field: ParameterField | None, value: str | bool | Sequence[str], *, declared: bool) -> Any:
    """What was typed, as far as the declaration cannot make it out of text itself. May raise ValueError."""
    if isinstance(value, bool):
        return value
    texts = [value] if isinstance(value, str) else value
    if field is None:
        # Of an unknown name the declaration will say so; without one, JSON tells numbers from text.
        return texts[-1] if declared else _json_or_text(texts[-1])
    if field.kind == "list" and not (len(texts) == 1 and texts[0].lstrip().startswith("[")):
        return [_json_or_text(text) if text.lstrip().startswith("{") else text for text in texts]
    return coerce_text(field, texts[-1])


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _read_file(file: Path) -> dict[str, Any]:
    try:
        with click.open_file(str(file), encoding="utf-8") as stream:
            values = json.load(stream)
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"--params-file {file} cannot be read: {error}") from error
    except json.JSONDecodeError as error:
        raise click.UsageError(f"--params-file {file} is no JSON: {error}") from error
    if not isinstance(values, dict):
        raise click.UsageError(f"--params-file {file} must hold an object of parameters, not {values!r:.60}")
    return values

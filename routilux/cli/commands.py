"""The commands: `routilux list`, `run` and `validate`."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from routilux.cli import rerunning, running
from routilux.cli.choosing import Refused, choose, full_text, load
from routilux.cli.options import ParameterOption, collect, describe, make_options, metavar
from routilux.cli.report import as_document, in_words, plain
from routilux.exceptions import FlowDefinitionError, ParameterError
from routilux.job import Job
from routilux.loading import FlowVersion, Generation, LoadError
from routilux.loading.location import flow_folder
from routilux.params import ParameterField
from routilux.validation import Finding

_FLOWS = click.option(
    "--flows",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The flow folder.  [default: what pyproject.toml says under tool.routilux, else flows]",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, for machines.")


class Commands(click.Group):
    """The commands. One whose reader has left, as `head` does, ends with the code for that."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            sys.stdout = None  # or Python would complain once more at exit
            ctx.exit(running.LEFT)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="routilux-tui", prog_name="routilux")
def cli() -> None:
    """Run event-driven workflows from a folder of Python modules."""
    # Below the root logger's level a record is never made, so that no job's log could hold it. With a
    # handler of any kind, records go to those logs only, and warnings not to stderr as well.
    logging.getLogger().setLevel(logging.INFO)
    logging.getLogger().addHandler(logging.NullHandler())


def main() -> None:
    """The entry point: run the command line of this process, and exit."""
    try:
        sys.exit(cli(prog_name="routilux", standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted before a job was started", err=True)
        sys.exit(running.INTERRUPTED)


# ---- list


@cli.command("list", short_help="List the flows of a folder.")
@click.argument("folder", required=False, metavar="[DIR]", type=click.Path(path_type=Path))
@_JSON
def list_flows(folder: Path | None, as_json: bool) -> None:
    """List the flows of a folder, and the files that could not be loaded."""
    loaded = load(folder)
    if as_json:
        click.echo(json.dumps(plain(_listing(loaded)), indent=2, ensure_ascii=False))
        return
    width = max((len(name) for name in loaded.flows), default=0)
    for flow in loaded.flows.values():
        place = f"{flow.path}:{flow.lineno}"
        click.echo(f"{flow.name:<{width}}  {place:<24}  {_first_line(flow.flow.description)}".rstrip())
    if not loaded.flows:
        click.echo(f"no flows in {loaded.root}", err=True)
    for error in loaded.errors.values():
        click.echo("\n".join(["not loaded:", *full_text(error)]), err=True)


def _listing(folder: Generation) -> dict[str, Any]:
    flows, errors = [], [error._asdict() for error in folder.errors.values()]
    for flow in folder.flows.values():
        about = {
            "name": flow.name,
            "description": flow.flow.description,
            "path": flow.path,
            "lineno": flow.lineno,
        }
        try:
            parameters = [_parameter(field) for field in flow.flow.parameters]
        except FlowDefinitionError as error:
            errors.append(_undescribable(flow, error)._asdict())
        else:
            flows.append({**about, "routines": list(flow.flow.routines), "parameters": parameters})
    return {"root": str(folder.root), "flows": flows, "errors": errors}


def _undescribable(flow: FlowVersion, error: FlowDefinitionError) -> LoadError:
    return LoadError("exception", flow.path, flow.lineno, f"flow {flow.name!r} cannot be described: {error}")


def _parameter(field: ParameterField) -> dict[str, Any]:
    names = ("name", "kind", "annotation", "required", "description", "choices", "minimum", "maximum")
    default = None if field.required or field.secret else field.default
    return {**{name: getattr(field, name) for name in names}, "default": default}


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else ""


# ---- validate


@cli.command()
@click.argument("flow")
@_FLOWS
@_JSON
def validate(flow: str, flows: Path | None, as_json: bool) -> None:
    """Say what is wrong or doubtful with FLOW. Exits with 1 if there are errors."""
    chosen = choose(load(flows), flow)
    findings = chosen.flow.validate()
    if as_json:
        click.echo(json.dumps([plain(finding) for finding in findings], indent=2, ensure_ascii=False))
    else:
        for finding in findings:
            click.echo(str(finding))
        if not findings:
            click.echo(f"{chosen.name}: nothing to mend")
    if any(finding.level == "error" for finding in findings):
        click.get_current_context().exit(1)


# ---- run


class RunCommand(click.Command):
    """`run`, with the parameters of the flow that it is given as further options."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        name, flows, waits = self._look_ahead(args)
        if name is not None and not ctx.resilient_parsing:
            ctx.obj = self._describable(self._chosen(load(flows), name, waits))
        return super().parse_args(ctx, args)

    def _chosen(self, folder: Generation, name: str, waits: bool) -> FlowVersion:
        """The flow of that name; one that a broken file may declare is waited for, if it `waits`."""
        try:
            return choose(folder, name)
        except Refused as refused:
            if not (waits and folder.errors):
                raise
            return rerunning.wait_for_flow(folder.root, name, refused.message)

    def _look_ahead(self, args: list[str]) -> tuple[str | None, Path | None, bool]:
        """FLOW, --flows, and whether to wait for FLOW, whatever else there is.

        Only with them are the other options known.
        """
        scout = click.Command("run", params=self.params, add_help_option=False)
        found = scout.make_context(
            "run",
            list(args),
            resilient_parsing=True,
            ignore_unknown_options=True,
            allow_extra_args=True,
        ).params
        name = found.get("flow")
        waits = bool(found.get("watch")) and not {"-h", "--help"} & set(args)
        return (None if name is None or name.startswith("-") else name), found.get("flows"), waits

    def _describable(self, chosen: FlowVersion) -> FlowVersion:
        try:
            chosen.flow.parameters  # noqa: B018 (asked for later, many times)
        except FlowDefinitionError as error:
            raise Refused(str(_undescribable(chosen, error))) from error
        return chosen

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        own = super().get_params(ctx)
        if not isinstance(ctx.obj, FlowVersion):
            return own
        return [*own, *make_options(ctx.obj.flow.parameters, own)[0]]

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_help_text(ctx, formatter)
        if isinstance(ctx.obj, FlowVersion):
            formatter.write_paragraph()
            with formatter.indentation():
                formatter.write_text(f"{ctx.obj.name}: {ctx.obj.flow.description or 'no description'}")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if isinstance(ctx.obj, FlowVersion):
            rows = list(_parameter_rows(ctx, ctx.obj.flow.parameters, super().get_params(ctx)))
            with formatter.section(f"Parameters of {ctx.obj.name}"):
                formatter.write_dl(rows or [("--param NAME=VALUE", "The flow declares none and takes any.")])
        records = [
            record
            for parameter in super().get_params(ctx)
            if not isinstance(parameter, click.Argument)
            and (record := parameter.get_help_record(ctx)) is not None
        ]
        with formatter.section("Options"):
            formatter.write_dl(records)


def _parameter_rows(
    ctx: click.Context, fields: tuple[ParameterField, ...], own: list[click.Parameter]
) -> Iterator[tuple[str, str]]:
    options, without = make_options(fields, own)
    for option in options:
        record = option.get_help_record(ctx)
        if record is not None:
            yield record
    for field in without:
        yield f"--param {field.name}={metavar(field)}", describe(field)


@cli.command(
    "run",
    cls=RunCommand,
    epilog="routilux run FLOW --help shows the parameters of FLOW, each of which is an option, too.",
)
@click.argument("flow")
@_FLOWS
@click.option("--param", "pairs", metavar="NAME=VALUE", multiple=True, help="One parameter; may be repeated.")
@click.option(
    "--params-file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Parameters as a JSON object; - is stdin. Options take precedence.",
)
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    help="How long the job may take.",
)
@click.option(
    "--workers",
    metavar="N",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="How many threads run the job.",
)
@click.option("--watch", is_flag=True, help="Run again whenever a save changes FLOW; ctrl-c ends.")
@_JSON
@click.option("-v", "--verbose", is_flag=True, help="Show what the job logs, not only from warnings up.")
@click.pass_context
def run(
    ctx: click.Context,
    /,
    flow: str,
    flows: Path | None,
    pairs: tuple[str, ...],
    params_file: Path | None,
    timeout: float | None,
    workers: int,
    watch: bool,
    as_json: bool,
    verbose: bool,
    **values: Any,
) -> None:
    """Run FLOW and wait for its end.

    What the job prints goes to stdout, everything else to stderr. Exits with 0 if the job
    completed, 1 if it failed, 2 if nothing was started, 130 if it was interrupted: ctrl-c cancels,
    a second one forces. Where stdout is closed before the end, the job is cancelled, and the exit
    code is 141.
    """
    chosen: FlowVersion = ctx.obj
    findings = chosen.flow.validate()
    for finding in findings:
        if finding.level != "info":
            click.echo(str(finding), err=True)
    try:
        entry_params = collect(chosen.flow, chosen.name, params_file, pairs, _given(ctx, values))
        if watch:
            if as_json:
                raise click.UsageError(
                    "--watch runs many jobs, and --json tells of one; leave one of them out"
                )
            ctx.exit(
                rerunning.run_again_and_again(
                    flow_folder(flows),
                    chosen.name,
                    entry_params,
                    workers=workers,
                    timeout=timeout,
                    verbose=verbose,
                )
            )
        job = running.run_job(
            chosen.name, entry_params, workers=workers, timeout=timeout, silent=as_json, verbose=verbose
        )
    except ParameterError as error:
        raise Refused(_parameter_errors(chosen.name, error)) from error
    except FlowDefinitionError as error:
        raise Refused(str(error)) from error
    _tell(job, findings, as_json)
    ctx.exit(running.exit_code(job))


def _given(ctx: click.Context, values: dict[str, Any]) -> dict[str, Any]:
    """What the parameters' own options were given, by the parameters' names."""
    options = [option for option in ctx.command.get_params(ctx) if isinstance(option, ParameterOption)]
    found = {option.field.name: values.get(option.name or "") for option in options}
    return {name: value for name, value in found.items() if value is not None and value != ()}


def _parameter_errors(flow_name: str, error: ParameterError) -> str:
    count = len(error.errors)
    wrong = "a parameter is wrong" if count == 1 else f"{count} parameters are wrong"
    return "\n".join([f"{flow_name} was not started: {wrong}", *(f"  {each}" for each in error.errors)])


def _tell(job: Job, findings: list[Finding], as_json: bool) -> None:
    """Say what became of the job: in words on stderr, or as a document on stdout."""
    snapshot = job.snapshot()
    for line in in_words(job, snapshot):
        click.echo(line, err=True)
    if as_json:
        click.echo(as_document(job, snapshot, findings))

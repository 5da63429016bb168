"""`routilux-tui [DIR]`: open a folder of flows in the terminal."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click
from click.core import ParameterSource
from textual.theme import BUILTIN_THEMES

from tui.chosen_theme import theme_in_effect
from tui.config import Row, configure, help_text, rows
from tui.ending import end_process
from tui.opening import has_terminal, run
from tui.serve import serve


class _Command(click.Command):
    """Its help ends with the settings that may be configured."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write("\n" + help_text() + "\n")


@click.command(
    cls=_Command, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.argument("folder", metavar="[DIR]", required=False)
@click.option(
    "--workers", type=click.IntRange(1, 1000), help="Threads for jobs.  [default: as configured, else 10]"
)
@click.option("--theme", type=click.Choice(sorted(BUILTIN_THEMES)), metavar="NAME", help="Such as nord.")
@click.option("--no-reload", is_flag=True, help="Load the folder once; what is saved later counts not.")
@click.option("--serve", "served", is_flag=True, help="Serve the app to browsers instead of opening it here.")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="With --serve: the address to listen on."
)
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="With --serve: its port."
)
@click.option("--show-config", is_flag=True, help="Print the settings in effect and who says so, and exit.")
@click.version_option(package_name="routilux-tui", prog_name="routilux-tui")
@click.pass_context
def main(
    context: click.Context,
    folder: str | None,
    workers: int | None,
    theme: str | None,
    no_reload: bool,
    served: bool,
    host: str,
    port: int,
    show_config: bool,
) -> None:
    """Open the folder DIR of flows: start their jobs, watch and steer them.

    Without DIR it is the one that is configured as `flows`, else ./flows. Inside, ? shows every key.
    """
    try:
        configured = configure(folder, Path.cwd())
        colours, by = theme_in_effect(theme, configured.settings.theme, os.environ)
    except ValueError as error:
        raise Misconfigured(str(error)) from None
    if show_config:
        overrides = {"theme": (colours, by)} if by else {}
        if workers is not None:
            overrides["workers"] = (str(workers), "command line")
        _print_rows(rows(configured, overrides))
        return
    if folder is not None and not configured.root.is_dir():
        raise click.UsageError(f"there is no folder {configured.root}")
    if served:
        serve(passed_on(context), host, port)
        return
    if not has_terminal():
        raise click.ClickException("the app needs a terminal; `routilux run` works without one")
    end_process(run(configured, workers or configured.settings.workers, colours, reload=not no_reload))


class Misconfigured(click.ClickException):
    """The configuration is wrong; nothing was opened."""

    exit_code = 2


def _print_rows(shown: Sequence[Row]) -> None:
    names, values = (max(len(text) for text in column) for column in list(zip(*shown, strict=True))[:2])
    for row in shown:
        click.echo(f"{row.name:<{names}}  {row.value:<{values}}  {row.source}".rstrip())


def passed_on(context: click.Context) -> list[str]:
    """The arguments that were given, for the app that is served: all but those about serving."""
    options: list[str] = []
    arguments: list[str] = []
    for parameter in context.command.params:
        name = parameter.name or ""
        value = context.params.get(name)
        given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if value is None or not given or name in ("served", "host", "port"):
            continue
        if isinstance(parameter, click.Argument):
            arguments = ["--", str(value)]
        elif isinstance(parameter, click.Option) and parameter.is_flag:
            options.append(parameter.opts[-1] if value else parameter.secondary_opts[-1])
        else:
            options += [parameter.opts[-1], str(value)]
    return options + arguments

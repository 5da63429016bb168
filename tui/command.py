"""`routilux-tui [DIR]`: open a folder of flows in the terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from click.core import ParameterSource
from textual.theme import BUILTIN_THEMES

from routilux.loading import FlowLoader
from routilux.runtime import Runtime
from tui.app import RoutiluxApp, local_now
from tui.backend import RuntimeBackend
from tui.chosen_theme import remember_theme, theme_in_effect
from tui.config import Configured, Row, configure, help_text, rows
from tui.earlier import EarlierSets
from tui.ending import GRACE, Ending, end_process, say_rescued
from tui.folder import FlowFolder
from tui.job_records import records_for_jobs
from tui.serve import end_with_page, in_browser, serve
from tui.state import name_for, state_folder
from tui.sweeper import Sweeper
from tui.terminal import own_terminal


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
    if not in_browser() and not (sys.stdin.isatty() and sys.stderr.isatty()):
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


def run(configured: Configured, workers: int, theme: str, *, reload: bool = True) -> int:
    """Run the app until the user leaves, and answer with the exit code."""
    sweeper = Sweeper()
    root = configured.root
    runtime = Runtime(workers, echo=False)
    earlier = EarlierSets(state_folder() / "earlier" / f"{name_for(root)}.json")
    folder = FlowFolder(FlowLoader(root), watch=reload)
    backend = RuntimeBackend(runtime, folder, earlier=earlier, rerun=configured.settings.rerun)

    def rescue() -> None:
        say_rescued(backend.keeper.rescue(GRACE))

    # In a browser the driver writes to the standard output, else to the standard error.
    screen = 1 if in_browser() else 2
    ending = Ending(os.dup(0), os.dup(screen), rescue)
    with ending.listening(), records_for_jobs():
        try:
            with own_terminal(local_now, screen=screen) as terminal:
                if in_browser():
                    end_with_page(terminal.keys)
                app = RoutiluxApp(
                    backend,
                    theme=theme,
                    terminal=terminal,
                    keys=configured.keys,
                    columns=configured.settings.columns,
                    remember_theme=lambda chosen: remember_theme(chosen, configured.settings.theme),
                    sweeper=sweeper,
                )
                ending.by(app.end)
                try:
                    app.run()
                finally:
                    ending.left()
            code = ending.exit_code or app.return_code or 0
            if code:
                # Nobody has said what is to become of the jobs: the app was ended, or has died.
                rescue()
        except BaseException:
            # Not even its own handling of errors has ended it.
            rescue()
            raise
        finally:
            backend.close()
    return code

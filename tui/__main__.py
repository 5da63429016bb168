"""`routilux-tui [DIR]`: open a folder of flows in the terminal."""

from __future__ import annotations

import signal
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click
from textual.theme import BUILTIN_THEMES

from routilux.loading import load_folder
from routilux.runtime import Runtime
from tui.app import RoutiluxApp, local_now
from tui.backend import RuntimeBackend
from tui.config import ConfigError, flows_folder
from tui.terminal import own_terminal


def _version() -> str:
    try:
        return version("routilux-tui")
    except PackageNotFoundError:
        return "unknown (not installed)"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", metavar="[DIR]", required=False)
@click.option(
    "--workers", type=click.IntRange(1, 1000), default=10, show_default=True, help="Threads for jobs."
)
@click.option("--theme", type=click.Choice(sorted(BUILTIN_THEMES)), metavar="NAME", help="Such as nord.")
@click.version_option(_version(), prog_name="routilux-tui")
def main(folder: str | None, workers: int, theme: str | None) -> None:
    """Open the folder DIR of flows: start their jobs, watch and steer them.

    Without DIR it is the one that `flows` in [tool.routilux] of the nearest pyproject.toml names,
    else ./flows. Inside, ? shows every key.
    """
    try:
        root = flows_folder(folder, Path.cwd())
    except ConfigError as error:
        raise click.ClickException(str(error)) from None
    if folder is not None and not root.is_dir():
        raise click.UsageError(f"there is no folder {root}")
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise click.ClickException("the app needs a terminal; `routilux run` works without one")
    sys.exit(run(root, workers, theme))


def run(root: Path, workers: int, theme: str | None) -> int:
    """Run the app until the user leaves, and answer with the exit code."""
    runtime = Runtime(workers, echo=False)
    backend = RuntimeBackend(runtime, root, lambda: load_folder(root))
    try:
        with own_terminal(local_now) as terminal:
            app = RoutiluxApp(
                backend, theme=theme, signals=(signal.SIGTERM, signal.SIGHUP), terminal=terminal
            )
            app.run()
    finally:
        # What still runs is in daemon threads: it is asked to end, and not waited for.
        backend.close()
    return app.return_code or 0


if __name__ == "__main__":
    main()

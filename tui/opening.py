"""Opening a folder in the terminal: what the command does, once it is known with which settings."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from routilux.loading import FlowLoader
from routilux.runtime import Runtime
from tui.app import RoutiluxApp, local_now
from tui.backend import RuntimeBackend
from tui.chosen_theme import remember_theme, theme_in_effect
from tui.config import Configured, configure
from tui.earlier import EarlierSets
from tui.ending import GRACE, Ending, end_process, say_rescued
from tui.folder import FlowFolder
from tui.job_records import records_for_jobs
from tui.serve import end_with_page, in_browser
from tui.state import name_for, state_folder
from tui.sweeper import Sweeper
from tui.terminal import own_terminal


def has_terminal() -> bool:
    """Whether the app has something to show itself on."""
    return in_browser() or (sys.stdin.isatty() and sys.stderr.isatty())


def open_as_configured(folder: str | None) -> None:
    """Open a folder with all settings as they are configured, and end the process when the user leaves.

    Returns where that cannot be; the command says why.
    """
    try:
        configured = configure(folder, Path.cwd())
        theme, _ = theme_in_effect(None, configured.settings.theme, os.environ)
    except ValueError:
        return
    if has_terminal() and (folder is None or configured.root.is_dir()):
        end_process(run(configured, configured.settings.workers, theme))


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

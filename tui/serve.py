"""`routilux-tui --serve`: the app in a browser, a process of its own for each page."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

EXTRA: Final = "routilux-tui[serve]"
_WEB: Final = Path(__file__).parent / "web"
# The driver that textual-serve tells the app to use.
_WEB_DRIVER: Final = "WebDriver"


def in_browser() -> bool:
    """Whether this process is the app of a page: it has no terminal, but pipes to the server."""
    return os.environ.get("TEXTUAL_DRIVER", "").endswith(_WEB_DRIVER)


def end_with_page(keys: int) -> None:
    """Get SIGHUP, as from a terminal that is closed, when nobody is left who could send keys."""

    def watch() -> None:
        poll = select.poll()
        # Without asking for anything one is told of the hang-up only.
        poll.register(keys, 0)
        poll.poll()
        os.kill(os.getpid(), signal.SIGHUP)

    threading.Thread(target=watch, name="end-with-page", daemon=True).start()


def serve(arguments: Sequence[str], host: str, port: int) -> None:
    """Serve `routilux-tui` with these arguments until interrupted.

    Raises ClickException where that cannot be: without the extra, or where the port is taken.
    """
    # Not before it is asked for: the first frame would wait for it.
    import shlex

    import click

    from tui.doorkeeper import hosts_for

    try:
        from tui.server import Server  # here, because hardly anybody needs it, and it is an extra
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.split(".")[0] == "tui":
            raise
        raise click.ClickException(
            f"--serve needs textual-serve, which is not installed ({error}): pip install '{EXTRA}'"
        ) from None
    # Without `exec` there would be a shell between the server and the app.
    command = "exec " + shlex.join([sys.executable, "-m", "tui", *arguments])
    try:
        Server(command, host, port, hosts_for(host), _WEB).serve()
    except OSError as error:
        raise click.ClickException(f"cannot serve on {host} port {port}: {error.strerror}") from None

"""The server behind `--serve`: textual-serve with a page that needs nothing from elsewhere, and a doorkeeper.

Imported by tui.serve alone: textual-serve is an extra.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from aiohttp import web
from textual_serve.server import Server as TextualServer

from tui.doorkeeper import refusal

# Seconds that pages have to end their processes in.
SHUTDOWN: Final = 5.0


class Server(TextualServer):
    """Starts `command` for each page that is opened."""

    def __init__(self, command: str, host: str, port: int, hosts: frozenset[str] | None, page: Path) -> None:
        super().__init__(command, host=host, port=port, title="routilux-tui", templates_path=page)
        self._hosts = hosts

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(self._doorkeeper())
        return app

    def _doorkeeper(self) -> Callable[..., Awaitable[web.StreamResponse]]:
        @web.middleware
        async def check(
            request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
        ) -> web.StreamResponse:
            why = refusal(request.headers.get("Host"), request.headers.get("Origin"), self._hosts)
            if why:
                raise web.HTTPForbidden(text=why)
            response = await handler(request)
            if request.path == "/":
                # A browser that keeps the page for its back button keeps the app's process as well.
                response.headers["Cache-Control"] = "no-store"
            return response

        return check

    async def on_startup(self, app: web.Application) -> None:
        """Nothing is said here: the port may be taken yet."""

    def serve(self, debug: bool = False) -> None:
        """Serve until SIGINT or SIGTERM; the processes of all pages end with it."""
        web.run_app(
            self._make_app(),
            host=self.host,
            port=self.port,
            print=lambda *_: self._announce(),
            access_log=None,
            shutdown_timeout=SHUTDOWN,
        )

    def _announce(self) -> None:
        host = f"[{self.host}]" if ":" in self.host else self.host
        said = f"routilux-tui is at http://{host}:{self.port} (ctrl-c ends it)\n"
        if self._hosts is None:
            said += "Whoever reaches this address can start flows; nobody is asked for a password.\n"
        sys.stderr.write(said)
        sys.stderr.flush()

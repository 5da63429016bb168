"""A web server on the loopback interface that behaves as a test tells it to, and keeps count."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple

Page = Callable[["Visit"], None]


class Seen(NamedTuple):
    """A request, and when it came (monotonic seconds)."""

    method: str
    path: str
    host: str
    at: float


class Visit(BaseHTTPRequestHandler):
    """One request. A page answers it with `answer`, or with silence."""

    protocol_version = "HTTP/1.1"
    server: _Server
    timeout = 30

    def answer(self, status: int, headers: Mapping[str, str] | None = None, body: bytes = b"hello") -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def hang_up(self) -> None:
        """Close the connection as it is."""
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def do_GET(self) -> None:
        self.server.site._serve(self)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the site keeps its own record."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    site: Site

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gave up is what some tests are about."""


class Site:
    """`with Site() as site: site.pages["/x"] = lambda visit: visit.answer(404)`.

    `released` is set when the site closes, so that pages which hang on it come to their end.
    """

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.released = threading.Event()
        self._lock = threading.Lock()
        # Guarded by _lock.
        self._seen: list[Seen] = []
        self._now: Counter[str] = Counter()
        self._most: Counter[str] = Counter()
        self._server = _Server(("127.0.0.1", 0), Visit)
        self._server.site = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), name="site")

    def __enter__(self) -> Site:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        """The URL of a page; the site answers to any name that leads to 127.0.0.1."""
        return f"http://{host}:{self._server.server_port}{path}"

    def answers(self, path: str, *statuses: int, **headers: str) -> None:
        """Answer with these statuses in turn, and with the last one from then on."""
        waiting = list(statuses)

        def page(visit: Visit) -> None:
            with self._lock:
                status = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            visit.answer(status, {name.replace("_", "-"): value for name, value in headers.items()})

        self.pages[path] = page

    def redirects(self, path: str, to: str, status: int = 301) -> None:
        """Send whoever asks for `path` to `to`, a path or a URL."""
        self.pages[path] = lambda visit: visit.answer(status, {"Location": to})

    def hangs(self, path: str) -> threading.Event:
        """Never answer; the event says that somebody waits."""
        reached = threading.Event()

        def page(visit: Visit) -> None:
            reached.set()
            self.released.wait(60)
            visit.close_connection = True

        self.pages[path] = page
        return reached

    def seen(self, path: str | None = None) -> list[Seen]:
        """The requests so far, in the order they came."""
        with self._lock:
            return [request for request in self._seen if path in (None, request.path)]

    def methods(self, path: str) -> list[str]:
        """How a page was asked for, each time."""
        return [request.method for request in self.seen(path)]

    def most_at_once(self, host: str = "127.0.0.1") -> int:
        """The greatest number of requests to `host` that were being answered at the same time."""
        with self._lock:
            return self._most[host]

    def _serve(self, visit: Visit) -> None:
        host = visit.headers["Host"].partition(":")[0]
        path = visit.path
        with self._lock:
            self._seen.append(Seen(visit.command, path, host, time.monotonic()))
            self._now[host] += 1
            self._most[host] = max(self._most[host], self._now[host])
        try:
            self.pages.get(path, _not_found)(visit)
        finally:
            with self._lock:
                self._now[host] -= 1


def _not_found(visit: Visit) -> None:
    visit.answer(404)

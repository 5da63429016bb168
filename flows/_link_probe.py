"""Asking one server about one link: what `check_links` does over HTTP, without the flow around it."""

from __future__ import annotations

import functools
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final, Literal, TypedDict
from urllib.parse import urldefrag

import httpx

MAX_HOPS: Final = 10
# Servers that do not like HEAD answer it with one of these; a GET then tells the truth.
_HEAD_IS_NO_PROOF: Final = frozenset({400, 403, 404, 405, 406, 501})
_TEMPORARY: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


class Probe(TypedDict):
    """A link on its way to an answer. Plain data: it waits in slots and is saved with its job."""

    url: str  # as it stands in the source, without #fragment
    at: str  # what to ask for next: the link, or where redirects have led
    hops: list[tuple[int, str]]  # the redirects so far: status, and where to
    attempt: int
    requests: int


class Outcome(TypedDict):
    """What came of a probe.

    "moved": it goes on at another host. "again": it may be different later, not before `after`
    seconds if the server says so; with `hold`, that goes for all of the host.
    """

    kind: Literal["ok", "broken", "moved", "again"]
    status: int | None
    reason: str
    after: float | None
    hold: bool
    requests: int


def new_probe(url: str) -> Probe:
    """A link that nobody has asked for yet."""
    return Probe(url=url, at=url, hops=[], attempt=0, requests=0)


def host_of(url: str) -> str:
    """The host that a URL asks for. `ValueError` says what is wrong with the URL."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise ValueError(f"not a valid URL: {error}") from None
    if parsed.scheme not in ("http", "https"):
        raise ValueError("not an http or https URL")
    if not parsed.host:
        raise ValueError("not a valid URL: it names no host")
    return parsed.host


@functools.cache
def _tls() -> ssl.SSLContext:
    # Reading the certificates takes tens of milliseconds; a context may be shared by all clients.
    return httpx.create_ssl_context()


def make_client(timeout: float, user_agent: str) -> httpx.Client:
    """A client for the links of one host; the caller closes it."""
    return httpx.Client(
        verify=_tls(),
        timeout=timeout,
        headers={"user-agent": user_agent, "accept": "*/*"},
        limits=httpx.Limits(max_connections=1),
    )


def ask(
    client: httpx.Client, probe: Probe, *, follow_redirects: bool = True, accept: frozenset[int] = frozenset()
) -> Outcome:
    """Send what it takes to know about `probe`, with redirects as far as they stay on its host.

    HEAD first, GET where that is no proof, and GET at once in every further attempt. Of a body no
    more is read than came with the header. Redirects are added to `probe`. Never raises for what
    the server or the network does.
    """
    requests = 0

    def outcome(
        kind: Literal["ok", "broken", "moved", "again"],
        reason: str = "",
        status: int | None = None,
        after: float | None = None,
        hold: bool = False,
    ) -> Outcome:
        return Outcome(kind=kind, status=status, reason=reason, after=after, hold=hold, requests=requests)

    try:
        client.cookies.clear()
        host = host_of(probe["at"])
        request = client.build_request("GET" if probe["attempt"] else "HEAD", probe["at"])
        while True:
            requests += 1
            try:
                response = client.send(request, stream=True)
            except httpx.InvalidURL as error:
                return outcome("broken", f"redirects to what is no URL: {error}")
            if request.method == "HEAD":
                response.read()  # nothing; but only so can the connection be used again
            response.close()
            status = response.status_code
            if request.method == "HEAD" and status in _HEAD_IS_NO_PROOF and status not in accept:
                request = client.build_request("GET", request.url)
                continue
            if response.next_request is None:
                break
            to, _ = urldefrag(str(response.next_request.url))
            probe["hops"].append((status, to))
            if not follow_redirects:
                return outcome("ok", status=status)
            if len(probe["hops"]) > MAX_HOPS:
                return outcome("broken", _too_many(probe), status)
            probe["at"] = to
            if not to.startswith(("http://", "https://")):
                return outcome("broken", "redirects to what is no http or https URL", status)
            if host_of(to) != host:
                return outcome("moved", status=status)
            request = response.next_request
    except httpx.TimeoutException as error:
        what = "connection" if isinstance(error, httpx.ConnectTimeout) else "answer"
        return outcome("again", f"no {what} within {client.timeout.connect:g} s")
    except httpx.TransportError as error:
        return outcome("broken" if _is_final(error) else "again", str(error) or type(error).__name__)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        return outcome("broken", str(error) or type(error).__name__)

    if status < 400 or status in accept:
        return outcome("ok", status=status)
    if status in _TEMPORARY:
        after = retry_after(response.headers)
        hold = status == 429 or (status == 503 and after is not None)
        return outcome("again", in_words(status), status, after, hold)
    return outcome("broken", in_words(status), status)


def in_words(status: int) -> str:
    """Such as "404 Not Found"."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """The seconds that a Retry-After header asks for, given as such or as a date; None without one."""
    text = headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - (time.time() if now is None else now))
    except ValueError:
        return None


def _too_many(probe: Probe) -> str:
    seen = [probe["url"], *(to for _, to in probe["hops"])]
    return "redirects in a loop" if len(set(seen)) < len(seen) else f"more than {MAX_HOPS} redirects"


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _is_final(error: httpx.TransportError) -> bool:
    """Whether trying again is no use: an unknown name, a bad certificate, no HTTP at all."""
    if isinstance(error, httpx.UnsupportedProtocol):
        return True
    return any(
        isinstance(cause, ssl.SSLCertVerificationError)
        or (isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_NONAME)
        for cause in _causes(error)
    )

"""Who may talk to an app that is served to browsers."""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import urlsplit

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def hosts_for(host: str) -> frozenset[str] | None:
    """The names that requests may call this server by; None where any will do.

    A page from elsewhere could have its name lead to the loopback address: by that name it is refused.
    """
    return _LOOPBACK | {host} if _is_loopback(host) else None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def refusal(host: str | None, origin: str | None, hosts: frozenset[str] | None) -> str:
    """Why a request is refused, or "". `host` and `origin` are its headers.

    Whoever can talk to the app can start flows. A browser would let any page that one looks at do so.
    """
    name = urlsplit(f"//{host or ''}").hostname
    if hosts is not None and name not in hosts:
        return f"this server is not called {name}"
    if origin is not None and urlsplit(origin).netloc != host:
        return f"pages from {origin} have no business here"
    return ""

"""What the destinations in a file mean: URLs to ask for, other files, or nothing that can be checked."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag

from flows._link_probe import host_of

_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")


class Filter:
    """What `allow` and `ignore` leave out."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._allow = re.compile(params["allow"] or "")
        self._ignore = [re.compile(pattern) for pattern in params["ignore"]]

    def why_not(self, url: str) -> str:
        """Why the link is left out; empty if it is not."""
        if not self._allow.search(url):
            return "not allowed"
        return "ignored" if any(pattern.search(url) for pattern in self._ignore) else ""


def listed_urls(text: str) -> Iterator[tuple[str, int]]:
    """The URLs of a text with one on a line, and their lines."""
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if line and not line.startswith("#"):
            yield line, number


def classify(target: str, page: Path | None, root: Path) -> dict[str, Any] | None:
    """`url` to report a link as, and the `reason` it is broken for: "" if it is not, None if that has
    to be asked. None altogether for what is not checked: parts of the same page, mailto: and such.

    `page` is the Markdown file it stands in; None for a list of URLs, where nothing else may stand.
    `root` is what "/" at the beginning of a path means.
    """
    if target.startswith("//"):
        target = f"https:{target}"
    url, _ = urldefrag(target)
    if url.lower().startswith(("http://", "https://")):
        try:
            host_of(url)
        except ValueError as error:
            return {"url": url, "reason": str(error)}
        return {"url": url, "reason": None}
    if page is None:
        return {"url": target, "reason": "not an http or https URL"}
    if _SCHEME.match(target) or not url:
        return None
    path = url.partition("?")[0]
    base = root if path.startswith("/") else page.parent
    choices = [base / text.lstrip("/") for text in (path, unquote(path))]
    known = next((choice for choice in choices if _exists(choice)), None)
    reason = "" if known else "no such file"
    return {"url": os.path.normpath(known or choices[-1]), "reason": reason}


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False

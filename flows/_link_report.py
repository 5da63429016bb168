"""What `check_links` knows of each link, and the report made of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from flows._link_probe import Outcome, Probe
from flows._report import plural, printable, problem_lines, problems
from routilux import JobState

_PERMANENT: Final = frozenset({301, 308})
_PLACES_SHOWN: Final = 5


class KnownLinks:
    """Every link with the places it stands at and, once known, what became of it.

    Works on a plain dict, the state of a routine: `links` maps each URL to its `places` and its
    `result`, which is None until it is settled.
    """

    def __init__(self, state: dict[str, Any]) -> None:
        self._state = state
        self._links: dict[str, dict[str, Any]] = state.setdefault("links", {})
        for count in ("done", "broken", "requests"):
            state.setdefault(count, 0)

    @property
    def total(self) -> int:
        """How many different links there are so far."""
        return len(self._links)

    @property
    def done(self) -> int:
        """How many of them are settled."""
        return int(self._state["done"])

    @property
    def broken(self) -> int:
        """How many of them are broken."""
        return int(self._state["broken"])

    def add(self, url: str, place: str, reason: str | None) -> None:
        """Take note of a link. `reason` is what it is broken for, "" if it is known to be fine, None if
        that has to be asked."""
        link = self._links.setdefault(url, {"places": [], "result": None})
        link["places"].append(place)
        if reason is not None and link["result"] is None:
            self._settle(url, {"reason": reason, "status": None, "hops": [], "attempts": 0})

    def settle(self, probe: Probe, outcome: Outcome) -> None:
        """The link's last word: "ok", or broken for the outcome's reason."""
        reason = "" if outcome["kind"] == "ok" else outcome["reason"]
        if reason and probe["at"] != probe["url"]:
            reason += f", at {probe['at']}"
        attempts = probe["attempt"] + 1
        result = {"reason": reason, "status": outcome["status"], "hops": probe["hops"], "attempts": attempts}
        self._settle(probe["url"], result)
        self._state["requests"] += probe["requests"]

    def _settle(self, url: str, result: dict[str, Any]) -> None:
        self._links[url]["result"] = result
        self._state["done"] += 1
        self._state["broken"] += bool(result["reason"])


def make_report(job_state: JobState) -> dict[str, Any]:
    """The report of a job in which all links are settled."""
    find, extract, collect = (job_state.routine_state(name) for name in ("find", "extract", "collect"))
    links: Mapping[str, dict[str, Any]] = collect.get("links", {})
    broken, redirected = [], []
    for url, link in links.items():
        result = link["result"]
        if result["reason"]:
            broken.append(
                {
                    "url": url,
                    "reason": result["reason"],
                    "status": result["status"],
                    "attempts": result["attempts"],
                    "places": link["places"],
                }
            )
        elif result["hops"]:
            redirected.append(
                {
                    "url": url,
                    "to": result["hops"][-1][1],
                    "instead": _instead(result["hops"]),
                    "hops": [list(hop) for hop in result["hops"]],
                    "places": link["places"],
                }
            )
    started = job_state.started_at or job_state.created_at
    seconds = (datetime.now(UTC) - started).total_seconds()
    return {
        "source": str(job_state.entry_params["source"]),
        "files": find["files"],
        "links": len(links),
        "places": sum(len(link["places"]) for link in links.values()),
        "ok": len(links) - len(broken) - len(redirected),
        "redirected": sorted(redirected, key=lambda link: (not link["instead"], link["url"])),
        "broken": sorted(broken, key=lambda link: (link["reason"], link["url"])),
        "left_out": dict(sorted(extract.items())),
        "requests": collect.get("requests", 0),
        "seconds": round(seconds, 3),
        "links_per_second": round(len(links) / seconds, 1) if seconds > 0 else 0.0,
        "problems": problems(job_state),
    }


def _instead(hops: list[tuple[int, str]]) -> str | None:
    """Where to point instead: as far as the redirects are permanent, from the first on."""
    instead = None
    for status, to in hops:
        if status not in _PERMANENT:
            break
        instead = to
    return instead


def as_text(report: dict[str, Any]) -> str:
    """The report for people to read."""
    lines: list[str] = []
    if report["broken"]:
        lines.append("broken")
        for link in report["broken"]:
            lines += [f"  {link['url']}", f"      {link['reason']}{_tried(link)}", *_places(link)]
        lines.append("")
    moved = [link for link in report["redirected"] if link["instead"]]
    if moved:
        lines.append("moved for good, and better mended")
        for link in moved:
            lines += [f"  {link['url']}", f"      -> {link['instead']}", *_places(link)]
        lines.append("")
    files, links = plural(report["files"], "file"), plural(report["links"], "link")
    lines += [
        f"{report['source']}: {links} in {files}, {plural(report['places'], 'place')}",
        f"  {report['ok']:>8,} ok",
        f"  {len(report['redirected']):>8,} redirected, {len(moved):,} of them for good",
        f"  {len(report['broken']):>8,} broken",
        *(f"  {count:>8,} left out: {why}" for why, count in report["left_out"].items()),
        f"  {plural(report['requests'], 'request')} in {report['seconds']:.1f} s,"
        f" {report['links_per_second']:,} links a second",
        *problem_lines(report["problems"]),
    ]
    return "\n".join(printable(line) for line in lines)


def _tried(link: Mapping[str, Any]) -> str:
    return f" ({link['attempts']} attempts)" if link["attempts"] > 1 else ""


def _places(link: Mapping[str, Any]) -> list[str]:
    places = link["places"]
    lines = [f"      {place}" for place in places[:_PLACES_SHOWN]]
    if len(places) > _PLACES_SHOWN:
        lines.append(f"      ... and {len(places) - _PLACES_SHOWN:,} more places")
    return lines

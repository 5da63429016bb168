"""Reading lines of web access logs, and summing them up in bounded memory. Pure functions, no routines.

A summary is a plain dict that JSON can hold. `summarise` makes one of a piece of log, `merge` adds one to
another.

The tables that could grow without bound (paths, talkers, hours) keep the keys with the highest counts,
after the algorithm called Space-Saving, in the form that can be merged: beside each count stands by how
much it may be too high at most, and `floor` is the most that any key which was let go can have had. While a
log has fewer different keys than the table may keep, every count is exact. With `keep` entries and n
requests, no count is off by more than n / keep.
"""

from __future__ import annotations

import heapq
import math
import re
from datetime import datetime
from typing import Any, Final

Summary = dict[str, Any]
Table = dict[str, Any]

# An example of a malformed line is cut to this length, and so is a path.
LONGEST_EXAMPLE: Final = 160
LONGEST_PATH: Final = 300
EXAMPLES_KEPT: Final = 10
HOURS_KEPT: Final = 20_000  # more than two years

NO_REQUEST: Final = "(no request)"
NOT_HTTP: Final = "(not HTTP)"

_MONTHS: Final = {
    name: f"{number:02}"
    for number, name in enumerate(
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], start=1
    )
}

_QUOTED: Final = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
# host ident user [time] "request" status bytes "referer" "agent" ...; the common format ends with the bytes
_LINE: Final = re.compile(
    r"(\S+) \S+ (?:\S+|.*?) "
    r"\[(\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d):(\d\d:\d\d) [+-]\d{4}\] "
    rf'"({_QUOTED[1:-1]})" (\d{{3}}) (\d+|-)'
    rf"(?: {_QUOTED} {_QUOTED}(?: (.*))?)?\s*"
)
_VIRTUAL_HOST: Final = re.compile(r"\S+ ")
_REQUEST: Final = re.compile(r"[A-Za-z][\w-]* (\S+)(?: HTTP/\d(?:\.\d)?)?")
_WITH_SCHEME: Final = re.compile(r"[a-zA-Z][\w+.-]*://[^/?#]*")
_TIME: Final = re.compile(r'(?:^|.* )"?(?:\w+=)?(\d+(?:\.\d+)?)(us|ms|s)?"?$')

_SECONDS_PER: Final = {"s": 1.0, "ms": 1e-3, "us": 1e-6}

# Times are counted in classes a tenth wide, so a percentile is right within five percent.
_CLASS_WIDTH: Final = math.log(1.1)


def path_of(request: str, keep_query: bool = False) -> str:
    """The path of a request line, without its query: `GET /a?b=1 HTTP/1.1` asks for `/a`."""
    if request in ("-", ""):
        return NO_REQUEST
    found = _REQUEST.fullmatch(request)
    if found is None:
        return NOT_HTTP
    path = found[1]
    if "://" in path:
        path = _WITH_SCHEME.sub("", path, count=1) or "/"
    if not keep_query:
        path = path.partition("?")[0].partition("#")[0]
    if len(path) > LONGEST_PATH:
        path = path[:LONGEST_PATH] + "…"
    return path or "/"


def seconds_of(rest: str | None, unit: str) -> float | None:
    """The request time at the end of a line, in seconds, or None where there is none.

    `unit` is "s", "ms", "us", or "auto": then a number with a point is in seconds, as nginx's
    `$request_time`, and a whole number in microseconds, as Apache's `%D`. A unit written behind the number
    always counts.
    """
    if not rest:
        return None
    found = _TIME.match(rest.rstrip())
    if found is None:
        return None
    number, written = found.groups()
    if written:
        unit = written
    elif unit == "auto":
        unit = "s" if "." in number else "us"
    return float(number) * _SECONDS_PER[unit]


def hour_of(stamp: str) -> str | None:
    """`10/Oct/2000:13` as `2000-10-10 13:00`, or None if there is no such hour."""
    day, month, year, hour = stamp[:2], _MONTHS.get(stamp[3:6]), stamp[7:11], stamp[12:]
    try:
        datetime(int(year), int(month or 0), int(day), int(hour))
    except ValueError:
        return None
    return f"{year}-{month}-{day} {hour}:00"


def new_summary() -> Summary:
    """The sums of nothing."""
    return {
        "requests": 0,
        "bytes": 0,
        "statuses": {},
        "paths": new_table(),
        "talkers": new_table(),
        "hours": new_table(),
        "timed": 0,
        "microseconds": 0,
        "times": {},  # class of time -> count
        "slowest": [],  # a heap of [seconds, when, status, host, path]; the least slow first
        "malformed": 0,
        "examples": [],  # [where, line]
    }


def summarise(
    text: str,
    *,
    where: str = "",
    first_line: int = 1,
    virtual_hosts: bool = False,
    time_unit: str = "auto",
    keep_query: bool = False,
    slowest: int = 10,
) -> Summary:
    """The sums of the lines of `text`. Empty lines do not count; lines of another form count as malformed.

    A row of a table is [count, too high by, bytes, errors], for paths also how many requests were timed, and
    their microseconds, whole ones, since sums of floats would depend on the order of the pieces. Errors are
    answers of 500 and above.
    """
    statuses: dict[str, int] = {}
    times: dict[str, int] = {}
    paths: dict[str, list[Any]] = {}
    talkers: dict[str, list[Any]] = {}
    hours: dict[str, list[Any]] = {}
    heap: list[list[Any]] = []
    examples: list[list[str]] = []
    malformed = 0
    # The same words come again and again: what was worked out for one is looked up for the next.
    path_of_request: dict[str, str] = {}
    times_of_rest: dict[str | None, tuple[float, str] | None] = {None: None, "": None}
    last_stamp = ""
    hour = ""
    hour_row: list[int] | None = None
    match = _LINE.fullmatch
    for number, line in enumerate(text.split("\n"), start=first_line):
        found = match(_VIRTUAL_HOST.sub("", line, count=1) if virtual_hosts else line)
        if found is not None:
            host, stamp, minute, request, status, size, rest = found.groups()
            # Lines come in the order of time: most are of the same hour as the one before.
            if stamp != last_stamp:
                last_stamp, hour = stamp, hour_of(stamp) or ""
                hour_row = hours.setdefault(hour, [0, 0, 0, 0]) if hour else None
        if found is None or hour_row is None:
            if line.strip():
                malformed += 1
                if malformed <= EXAMPLES_KEPT:
                    examples.append([f"{where}:{number}", line.rstrip("\r")[:LONGEST_EXAMPLE]])
            continue
        path = path_of_request.get(request)
        if path is None:
            path = path_of_request[request] = path_of(request, keep_query)
        try:
            timing = times_of_rest[rest]
        except KeyError:
            timing = times_of_rest[rest] = _timing(rest, time_unit)
        length = 0 if size == "-" else int(size)
        error = 1 if status >= "500" else 0
        statuses[status] = statuses.get(status, 0) + 1
        hour_row[0] += 1
        hour_row[2] += length
        hour_row[3] += error
        if host in talkers:
            row = talkers[host]
            row[0] += 1
            row[2] += length
            row[3] += error
        else:
            talkers[host] = [1, 0, length, error]
        if path in paths:
            row = paths[path]
            row[0] += 1
            row[2] += length
            row[3] += error
        else:
            row = paths[path] = [1, 0, length, error, 0, 0]
        if timing is not None:
            seconds, kind = timing
            row[4] += 1
            row[5] += round(seconds * 1e6)
            times[kind] = times.get(kind, 0) + 1
            if len(heap) < slowest:
                heapq.heappush(heap, [seconds, f"{hour[:13]}:{minute}", status, host, path])
            elif heap and seconds >= heap[0][0]:
                heapq.heappushpop(heap, [seconds, f"{hour[:13]}:{minute}", status, host, path])
    return {
        "requests": sum(statuses.values()),
        "bytes": sum(row[2] for row in hours.values()),
        "statuses": statuses,
        "paths": {"floor": 0, "rows": paths},
        "talkers": {"floor": 0, "rows": talkers},
        "hours": {"floor": 0, "rows": hours},
        "timed": sum(times.values()),
        "microseconds": sum(row[5] for row in paths.values()),
        "times": times,
        "slowest": heap,
        "malformed": malformed,
        "examples": examples,
    }


def _timing(rest: str | None, unit: str) -> tuple[float, str] | None:
    seconds = seconds_of(rest, unit)
    return None if seconds is None else (seconds, time_class(seconds))


def time_class(seconds: float) -> str:
    """The class a request time is counted in, as JSON can hold it for a key."""
    return str(math.floor(math.log(seconds) / _CLASS_WIDTH)) if seconds > 0 else "-"


def percentile(times: dict[str, int], share: float) -> float | None:
    """The time within which `share` (0 to 1) of the requests were answered, within five percent."""
    total = sum(times.values())
    if not total:
        return None
    ordered = sorted((-math.inf if kind == "-" else int(kind), count) for kind, count in times.items())
    left = share * total
    for kind, count in ordered:
        left -= count
        if left <= 0:
            return 0.0 if kind == -math.inf else math.exp((kind + 0.5) * _CLASS_WIDTH)
    return None


def merge(total: Summary, part: Summary, *, keep: int, slowest: int) -> None:
    """Add the sums of `part` to `total`. Tables keep `keep` rows at least and twice as many at most."""
    for name in ("requests", "bytes", "timed", "microseconds", "malformed"):
        total[name] += part[name]
    for name in ("statuses", "times"):
        counts = total[name]
        for key, count in part[name].items():
            counts[key] = counts.get(key, 0) + count
    for name, most in (("paths", keep), ("talkers", keep), ("hours", HOURS_KEPT)):
        add_to_table(total[name], part[name]["rows"], most)
    for one in part["slowest"]:
        if len(total["slowest"]) < slowest:
            heapq.heappush(total["slowest"], one)
        else:
            heapq.heappushpop(total["slowest"], one)
    examples = sorted(total["examples"] + part["examples"], key=_place)
    total["examples"] = examples[:EXAMPLES_KEPT]


def _place(example: list[str]) -> tuple[str, int]:
    file, _, line = example[0].rpartition(":")
    return file, int(line)


def new_table() -> Table:
    """A table of the highest counts, empty. `rows`: key -> [count, too high by at most, further sums...]."""
    return {"floor": 0, "rows": {}}


def add_to_table(table: Table, rows: dict[str, list[Any]], keep: int) -> None:
    """Add exact `rows` to a table, and let the smallest go when it holds more than twice `keep`.

    Holds: for a key in the table, count - too_high <= the true count <= count; for any other, the true
    count is at most `floor`; and keep * floor is at most the sum of all that was ever added.
    """
    kept, floor = table["rows"], table["floor"]
    for key, row in rows.items():
        mine = kept.get(key)
        if mine is None:
            kept[key] = [row[0] + floor, floor, *row[2:]]
        else:
            mine[0] += row[0]
            for column in range(2, len(row)):
                mine[column] += row[column]
    if len(kept) > 2 * keep:
        ordered = sorted(kept.items(), key=lambda item: (-item[1][0], item[0]))
        table["floor"] = ordered[keep][1][0]
        table["rows"] = dict(ordered[:keep])


def highest(table: Table, most: int, column: int = 0) -> list[tuple[str, list[Any]]]:
    """The `most` rows with the highest counts, or sums of a `column`, the highest first."""
    return heapq.nsmallest(most, table["rows"].items(), key=lambda item: (-item[1][column], item[0]))


def totals(total: Summary, most: int) -> dict[str, Any]:
    """What a report says of a summary, with `most` rows of each ranking. Times are in seconds."""
    failing = [(key, row) for key, row in highest(total["paths"], most, column=3) if row[3]]
    return {
        "requests": total["requests"],
        "bytes": total["bytes"],
        "statuses": dict(sorted(total["statuses"].items())),
        "hours": [
            {"hour": hour, "requests": row[0], "bytes": row[2], "errors": row[3]}
            for hour, row in sorted(total["hours"]["rows"].items())
        ],
        "paths": [_path_row(key, row) for key, row in highest(total["paths"], most)],
        "paths_not_kept_had_at_most": total["paths"]["floor"],
        "failing_paths": [_path_row(key, row) for key, row in failing],
        "talkers": [_row("host", key, row) for key, row in highest(total["talkers"], most)],
        "talkers_not_kept_had_at_most": total["talkers"]["floor"],
        "timed": total["timed"],
        "mean_seconds": _mean(total["microseconds"], total["timed"]),
        "seconds_within": {
            f"{share:.1%}".replace(".0%", "%"): _rounded(percentile(total["times"], share))
            for share in (0.5, 0.9, 0.99, 0.999)
        },
        "slowest": [
            {"seconds": seconds, "at": at, "status": status, "host": host, "path": path}
            for seconds, at, status, host, path in sorted(total["slowest"], reverse=True)
        ],
        "malformed": total["malformed"],
        "malformed_examples": [{"where": where, "line": line} for where, line in total["examples"]],
    }


def _row(name: str, key: str, row: list[Any]) -> dict[str, Any]:
    return {name: key, "requests": row[0], "too_high_by": row[1], "bytes": row[2], "errors": row[3]}


def _path_row(key: str, row: list[Any]) -> dict[str, Any]:
    return _row("path", key, row) | {"mean_seconds": _mean(row[5], row[4])}


def _mean(microseconds: int, count: int) -> float | None:
    return round(microseconds / count / 1e6, 6) if count else None


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)

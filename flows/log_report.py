"""Report on web access logs: who asked for what, when, how it was answered, and what was slow.

    routilux run log_report --param logs=/var/log/nginx/access.log routilux run log_report --param
    'logs=["/var/log/nginx/access.log*", "old/*.gz"]' --param output=report.json

Reads the combined format (and the common one) of nginx and Apache, plain or gzip; a request time at the end
of the line (nginx `$request_time`, Apache `%D`) is used if it is there. Counts requests, bytes, statuses,
paths, talkers and hours, and finds the slowest requests and the paths with the most server errors.

How it works. The log is cut into pieces of about 256 KiB at line ends; pieces are summed up one by one, and
the sums are added together:

    read ──> summarise ──> merge
      └────────────────────────> report (when all is quiet)

`read` takes one piece per activation and sends itself an item to go on, which holds the place it has
reached. So a log of any size runs in constant memory, and the job can be paused between any two pieces,
saved, and carried on. The slots are short: when summing up is slower than reading, reading waits.

Paths, talkers and hours are counted in tables of bounded size. While there are no more different ones than
`keep`, every count is exact; beyond that the report says by how much a count may be too high. Lines of
another form are counted, with examples. A file that cannot be read to its end is listed as a problem; the
others still count.
"""

from __future__ import annotations

import glob
import os
import zlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from flows import _access_log as access_log
from flows._log_files import beginning, read_piece
from flows._report import (
    OutputFile,
    bar,
    forget,
    human_bytes,
    note_problem,
    plural,
    portable,
    printable,
    problem_lines,
    problems,
    publish,
    shorten,
    table,
)
from routilux import Flow, JobState, Routine
from routilux.activation_policies import immediate_policy, when_quiet_policy

PIECE_SIZE: Final = 256 * 1024


def _a_list(value: Any) -> Any:
    values = [value] if isinstance(value, str | Path) else value
    return (
        [str(one) if isinstance(one, Path) else one for one in values] if isinstance(values, list) else values
    )


def _that_match(patterns: list[str]) -> list[str]:
    if not find_logs(patterns):
        raise ValueError(f"no file matches {', '.join(map(repr, patterns))}")
    return patterns


class Parameters(BaseModel):
    """Which logs to read and how, and where the report goes."""

    model_config = ConfigDict(extra="forbid")

    logs: Annotated[list[str], BeforeValidator(_a_list), AfterValidator(_that_match)] = Field(
        min_length=1, description="log files, as paths or globs; files that begin like gzip are unpacked"
    )
    log_format: Literal["combined", "vhost_combined"] = Field(
        default="combined", description="vhost_combined: each line begins with the virtual host"
    )
    time_unit: Literal["auto", "s", "ms", "us"] = Field(
        default="auto",
        description="unit of the request time at the end of a line; auto: 0.12 is in seconds, 120000 in µs",
    )
    keep_query: bool = Field(default=False, description="count /a?x=1 and /a?x=2 as different paths")
    top: int = Field(
        default=10, ge=1, le=1_000, description="how many paths, talkers and slow requests to show"
    )
    keep: int = Field(
        default=10_000, ge=100, le=1_000_000, description="how many paths and talkers to count at once"
    )
    output: OutputFile = Field(default=None, description="a file to write the report to, as JSON")


def find_logs(patterns: list[str]) -> list[str]:
    """The files that `patterns` name, each once, in the order of their names within a pattern."""
    found: dict[str, str] = {}
    for pattern in patterns:
        pattern = os.path.expanduser(pattern)
        names = [pattern] if os.path.exists(pattern) else sorted(glob.glob(pattern, recursive=True))
        for name in names:
            if os.path.isfile(name):
                found.setdefault(os.path.realpath(name), os.path.abspath(name))
    return list(found.values())


class Read(Routine):
    """Reads the logs, a piece per activation. Its state is the list of files and the place it has reached."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", max_queue_length=1)
        self.define_slot("next", max_queue_length=1)
        self.define_event("piece", ["text", "where", "first_line"])
        self.define_event("next", ["file", "offset"])
        self.define_event("finished", ["files", "size"])
        self.set_activation_policy(immediate_policy())
        self.set_cpu_gate(False)  # reading and unpacking release the interpreter lock

    def logic(
        self, trigger: list[dict[str, Any]], _next: list[dict[str, Any]], *, job_state: JobState
    ) -> None:
        state = job_state.routine_state()
        if trigger:
            files = find_logs(trigger[0]["logs"])
            sizes = [os.path.getsize(name) for name in files]
            state.update(files=files, sizes=sizes, number=0, place=beginning())
        if state["number"] == len(state["files"]):
            self.emit("finished", files=state["files"], size=sum(state["sizes"]))
            return
        name, place = state["files"][state["number"]], state["place"]
        piece = None
        try:
            piece = read_piece(name, place, PIECE_SIZE, owner=job_state.job_id)
        except (OSError, EOFError, zlib.error) as error:
            note_problem(job_state, name, error)
        if piece is not None and piece.text:
            self.emit("piece", text=piece.text, where=name, first_line=place["line"])
        if piece is not None and piece.problem:
            note_problem(job_state, name, f"read up to line {piece.next_place['line']:,}: {piece.problem}")
        done = sum(state["sizes"][: state["number"]])
        if piece is None or piece.problem:
            done += state["sizes"][state["number"]]
            state.update(number=state["number"] + 1, place=beginning())
        else:
            done += piece.position
            state["place"] = piece.next_place
        total = max(done, sum(state["sizes"]))
        job_state.report_progress(done, total, f"{human_bytes(done)} of {human_bytes(total)}")
        self.emit("next", file=name, offset=place["offset"])


class Summarise(Routine):
    """Sums up one piece of a log."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("pieces", max_queue_length=4)
        self.define_event("summary", ["summary"])
        self.set_activation_policy(immediate_policy())
        # Pieces do not depend on one another. Under an interpreter lock the CPU gate lets them take turns.
        self.set_max_concurrency(4)

    def logic(self, pieces: list[dict[str, Any]], *, job_state: JobState) -> None:
        params = job_state.entry_params
        for piece in pieces:
            job_state.raise_if_cancelled()
            summary = access_log.summarise(
                piece["text"],
                where=piece["where"],
                first_line=piece["first_line"],
                virtual_hosts=params["log_format"] == "vhost_combined",
                time_unit=params["time_unit"],
                keep_query=params["keep_query"],
                slowest=params["top"],
            )
            self.emit("summary", summary=summary)


class Merge(Routine):
    """Adds the sums together, in its state."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("summaries", max_queue_length=8)
        self.set_activation_policy(immediate_policy())

    def logic(self, summaries: list[dict[str, Any]], *, job_state: JobState) -> None:
        params = job_state.entry_params
        total = job_state.routine_state().setdefault("total", access_log.new_summary())
        for item in summaries:
            access_log.merge(total, item["summary"], keep=params["keep"], slowest=params["top"])
        job_state.report_progress(total["requests"], message="requests")


class Report(Routine):
    """Makes the report when the logs are read to their end and everything is merged."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("finished", max_queue_length=1)
        self.set_activation_policy(when_quiet_policy())

    def logic(self, finished: list[dict[str, Any]], *, job_state: JobState) -> None:
        params = job_state.entry_params
        total = job_state.routine_state("merge").get("total", access_log.new_summary())
        report = {
            "logs": [portable(name) for name in finished[0]["files"]],
            "size": finished[0]["size"],
            **access_log.totals(total, params["top"]),
            "problems": problems(job_state),
        }
        publish(job_state, report, as_text(report), params["output"])
        forget(job_state, "merge")


def periods(hours: list[dict[str, Any]]) -> tuple[str, list[list[Any]]]:
    """Requests, bytes and errors by hour, day or month, whichever gives a table of bearable length.

    Hours and days in which nothing was asked are there too: a gap is news.
    """
    first, last = (datetime.fromisoformat(hours[i]["hour"]) for i in (0, -1))
    if last - first < timedelta(hours=72):
        title, digits, step = "hour", 16, timedelta(hours=1)
    elif last - first < timedelta(days=62):
        title, digits, step = "day", 10, timedelta(days=1)
    else:
        title, digits, step = "month", 7, None
    rows: dict[str, list[Any]] = {}
    while step and first.isoformat(" ")[:digits] <= last.isoformat(" ")[:digits]:
        name = first.isoformat(" ")[:digits]
        rows[name] = [name, 0, 0, 0]
        first += step
    for hour in hours:
        name = hour["hour"][:digits]
        row = rows.setdefault(name, [name, 0, 0, 0])
        for column, key in enumerate(("requests", "bytes", "errors"), start=1):
            row[column] += hour[key]
    return title, list(rows.values())


def as_text(report: dict[str, Any]) -> str:
    """The report for a reader."""
    lines = [
        f"{plural(report['requests'], 'request')} in {plural(len(report['logs']), 'log')} "
        f"({human_bytes(report['size'])} on disk), {human_bytes(report['bytes'])} sent"
    ]
    if report["requests"]:
        first, last = report["hours"][0]["hour"], report["hours"][-1]["hour"]
        lines.append(f"from {first} to {last[:13]}:59, in the time of the logs")
        lines += ["", "Statuses", _statuses(report), "", _periods(report["hours"])]
        timed = bool(report["timed"])
        lines += ["", "Paths asked for most", _paths(report["paths"], timed)]
        lines += _bound(report["paths"], report["paths_not_kept_had_at_most"], "path")
        if report["failing_paths"]:
            lines += ["", "Paths with most server errors", _paths(report["failing_paths"], timed)]
        lines += ["", "Top talkers", _talkers(report["talkers"])]
        lines += _bound(report["talkers"], report["talkers_not_kept_had_at_most"], "talker")
    if report["timed"]:
        lines += ["", _times(report), "", "Slowest requests", _slowest(report["slowest"])]
    if report["malformed"]:
        lines += ["", f"{plural(report['malformed'], 'line')} of another form, such as"]
        examples = report["malformed_examples"][:5]
        lines += [f"  {printable(one['where'])}: {printable(one['line'])}" for one in examples]
    return "\n".join(lines + problem_lines(report["problems"]))


def _statuses(report: dict[str, Any]) -> str:
    greatest = max(report["statuses"].values())
    return table(
        ["status", ">requests", ">share", ""],
        [
            [status, count, f"{count / report['requests']:.1%}", bar(count, greatest)]
            for status, count in report["statuses"].items()
        ],
    )


def _periods(hours: list[dict[str, Any]]) -> str:
    title, rows = periods(hours)
    greatest = max(row[1] for row in rows)
    shown = [
        [name, count, human_bytes(sent), errors, bar(count, greatest)] for name, count, sent, errors in rows
    ]
    return f"Requests by {title}\n" + table([title, ">requests", ">sent", ">errors", ""], shown)


def _paths(rows: list[dict[str, Any]], timed: bool) -> str:
    columns = [">requests", ">sent", ">errors", *([">mean time"] if timed else []), "path"]
    return table(
        columns,
        [
            [
                _count(row),
                human_bytes(row["bytes"]),
                row["errors"],
                *([human_seconds(row["mean_seconds"])] if timed else []),
                _path(row["path"], 70),
            ]
            for row in rows
        ],
    )


def _talkers(rows: list[dict[str, Any]]) -> str:
    return table(
        [">requests", ">sent", ">errors", "host"],
        [[_count(row), human_bytes(row["bytes"]), row["errors"], row["host"]] for row in rows],
    )


def _count(row: dict[str, Any]) -> str:
    return f"{row['requests']:,}" + (f" (-{row['too_high_by']:,})" if row["too_high_by"] else "")


def _bound(rows: list[dict[str, Any]], floor: int, what: str) -> list[str]:
    if not floor:
        return []
    lines = ["  (-n): n too high at most"] if any(row["too_high_by"] for row in rows) else []
    return [*lines, f"  more {what}s than could be counted; one that is left out had {floor:,} at most"]


def _path(path: str, width: int) -> str:
    return shorten(printable(path), width)


def _times(report: dict[str, Any]) -> str:
    within = ", ".join(
        f"{share} within {human_seconds(seconds)}" for share, seconds in report["seconds_within"].items()
    )
    return f"Request time: {human_seconds(report['mean_seconds'])} on average, {within}"


def _slowest(rows: list[dict[str, Any]]) -> str:
    shown = [
        [human_seconds(row["seconds"]), row["at"], row["status"], row["host"], _path(row["path"], 60)]
        for row in rows
    ]
    return table([">time", "at", "status", "host", "path"], shown)


def human_seconds(seconds: float | None) -> str:
    """A duration as a person reads it: "340 µs", "12 ms", "1.25 s"."""
    if seconds is None:
        return "-"
    if seconds >= 1:
        return f"{seconds:,.2f} s"
    if seconds >= 1e-3:
        return f"{seconds * 1e3:.3g} ms"
    return f"{seconds * 1e6:.3g} µs" if seconds else "0"


flow = Flow(
    "log_report",
    params=Parameters,
    description="Report on web access logs: statuses, paths, hours, talkers, errors and slow requests.",
    max_history=100,  # a record keeps the item it tells of, and these are large
)
flow.add_routine(Read(), "read")
flow.add_routine(Summarise(), "summarise")
flow.add_routine(Merge(), "merge")
flow.add_routine(Report(), "report")

flow.connect("read", "next", "read", "next")
flow.connect("read", "piece", "summarise", "pieces")
flow.connect("summarise", "summary", "merge", "summaries")
flow.connect("read", "finished", "report", "finished")

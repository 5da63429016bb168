"""`log_report` on logs whose truth is known: what is counted, how memory is bounded, what goes wrong."""

from __future__ import annotations

import gzip
import json
import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows import _access_log, _log_files, log_report
from flows._access_log import (
    add_to_table,
    highest,
    new_table,
    path_of,
    percentile,
    seconds_of,
    summarise,
    time_class,
)
from flows._log_files import beginning, read_piece
from flows.log_report import flow, human_seconds, periods
from routilux import ParameterError
from tests.flows.running import calls_after_cancel, printed, report_in_two_parts, report_of, run, runtime_of

AGENT = '"https://example.org/?q=\\"x\\"" "Mozilla/5.0 (X11; Linux x86_64)"'


def line(
    path: str = "/",
    *,
    host: str = "192.0.2.1",
    at: str = "10/Oct/2023:13:55:36 +0200",
    status: int = 200,
    size: int | str = 100,
    rest: str = " " + AGENT,
) -> str:
    return f'{host} - - [{at}] "GET {path} HTTP/1.1" {status} {size}{rest}\n'


class Truth:
    """A log of requests made at random, and the counts that a report of it must have."""

    def __init__(self, seed: int, requests: int) -> None:
        rng = random.Random(seed)
        self.requests = requests
        self.bytes = 0
        self.statuses: Counter[str] = Counter()
        self.paths: Counter[str] = Counter()
        self.hosts: Counter[str] = Counter()
        self.hours: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        self.times: list[float] = []
        self.malformed = 0
        lines = []
        for number in range(requests):
            minutes = number * 50 * 60 // requests  # fifty hours
            day, hour, minute = 10 + minutes // 1440, minutes // 60 % 24, minutes % 60
            host = rng.choice([f"10.0.0.{rng.randrange(40)}", f"2001:db8::{rng.randrange(16):x}", "::1"])
            path = f"/page/{int(rng.paretovariate(0.8)) % 500}"
            status = rng.choice([200] * 6 + [304, 404, 500, 503])
            size = rng.choice([0, rng.randrange(100_000)])
            seconds = round(rng.expovariate(3), 3)
            query = rng.choice(["", "?a=1", "?b=%20&c", "#top"])
            rest = f" {AGENT} {seconds:.3f}"
            at = f"{day}/Oct/2023:{hour:02}:{minute:02}:{rng.randrange(60):02} +0000"
            lines.append(line(path + query, host=host, at=at, status=status, size=size or "-", rest=rest))
            self.bytes += size
            self.statuses[str(status)] += 1
            self.paths[path] += 1
            self.hosts[host] += 1
            of_hour = self.hours[f"2023-10-{day} {hour:02}:00"]
            of_hour[0] += 1
            of_hour[1] += size
            of_hour[2] += status >= 500
            self.times.append(seconds)
            if rng.random() < 0.02:
                lines.append(
                    rng.choice(["garbage\n", "\x16\x03\x01\n", line()[:40] + "\n", "\n", "x" * 3000 + "\n"])
                )
                self.malformed += lines[-1] != "\n"
        self.text = "".join(lines)

    def check(self, report: dict[str, Any]) -> None:
        assert report["requests"] == self.requests
        assert report["bytes"] == self.bytes
        assert report["statuses"] == dict(sorted(self.statuses.items()))
        assert report["malformed"] == self.malformed
        assert [
            (row["hour"], [row["requests"], row["bytes"], row["errors"]]) for row in report["hours"]
        ] == sorted(self.hours.items())
        top = len(report["paths"])
        assert [(row["path"], row["requests"]) for row in report["paths"]] == ranked(self.paths, top)
        assert [(row["host"], row["requests"]) for row in report["talkers"]] == ranked(self.hosts, top)
        assert report["timed"] == self.requests
        assert report["mean_seconds"] == pytest.approx(sum(self.times) / self.requests, abs=1e-6)
        assert [row["seconds"] for row in report["slowest"]] == sorted(self.times, reverse=True)[:top]
        ordered = sorted(self.times)
        for share, key in ((0.5, "50%"), (0.9, "90%"), (0.99, "99%"), (0.999, "99.9%")):
            truth = ordered[math.ceil(share * self.requests) - 1]
            assert report["seconds_within"][key] == pytest.approx(truth, rel=0.06)


def ranked(counts: Counter[str], most: int) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most]


# ---- whole logs


@pytest.mark.parametrize("threads", [1, 8])
def test_the_report_of_a_log_is_the_truth(
    tmp_path: Path, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_report, "PIECE_SIZE", 20_000)
    truth = Truth(seed=1, requests=6_000)
    (tmp_path / "access.log").write_text(truth.text)
    truth.check(report_of(flow, threads, logs=str(tmp_path / "access.log"), top=12))


def test_rotated_logs_plain_and_packed_are_one(tmp_path: Path) -> None:
    truth = Truth(seed=2, requests=4_000)
    lines = truth.text.splitlines(keepends=True)
    (tmp_path / "access.log").write_text("".join(lines[3_000:]))
    (tmp_path / "access.log.1").write_text("".join(lines[1_000:3_000]))
    with gzip.open(tmp_path / "access.log.2.gz", "wt") as file:
        file.write("".join(lines[:500]))
    with gzip.open(tmp_path / "access.log.2.gz", "at") as file:  # two members, as `cat a.gz b.gz` makes them
        file.write("".join(lines[500:1_000]))
    report = report_of(flow, logs=[str(tmp_path / "access.log*"), str(tmp_path / "access.log")])
    truth.check(report)
    assert [Path(name).name for name in report["logs"]] == ["access.log", "access.log.1", "access.log.2.gz"]


def test_the_report_is_printed_and_written_as_json(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(Truth(seed=3, requests=500).text)
    state = run(flow, logs=tmp_path / "log", output=tmp_path / "report.json")
    report = state.shared_data["report"]
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8")) == report
    text = printed(state)
    for title in ("Statuses", "Requests by hour", "Paths asked for most", "Top talkers", "Slowest requests"):
        assert f"\n{title}\n" in text
    assert "  2023-10-10 00:00" in text
    assert "of another form" in text
    assert "too high" not in text


def test_an_empty_log_has_a_report_too(tmp_path: Path) -> None:
    (tmp_path / "log").touch()
    state = run(flow, logs=[str(tmp_path / "log")])
    assert state.shared_data["report"]["requests"] == 0
    assert printed(state).startswith("0 requests in 1 log")


# ---- one line


def rows_of(*lines: str, **how: Any) -> dict[str, Any]:
    return _access_log.totals(summarise("".join(lines), **how), 10)


def test_the_common_format_lacks_referer_and_agent() -> None:
    assert rows_of('192.0.2.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a.gif HTTP/1.0" 200 2326\n')[
        "paths"
    ] == [
        {"path": "/a.gif", "requests": 1, "too_high_by": 0, "bytes": 2326, "errors": 0, "mean_seconds": None}
    ]


@pytest.mark.parametrize(
    "host", ["2001:db8::1", "::1", "::ffff:192.0.2.1", "host.example.org", "fe80::1%eth0"]
)
def test_a_host_may_be_an_address_of_either_kind_or_a_name(host: str) -> None:
    assert rows_of(line(host=host))["talkers"][0]["host"] == host


@pytest.mark.parametrize(
    "text",
    [
        '192.0.2.1 - a user [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 1\n',
        '192.0.2.1 - - [10/Oct/2000:13:55:36 -0700] "GET /?\\"quoted\\" HTTP/1.0" 200 1 "-" "a \\"b\\" c"\n',
        '192.0.2.1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/2.0" 200 1 "-" "agent" "-"\r\n',
        '192.0.2.1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/2.0" 200 1 "-" "caf\\xe9 \u2028"\n',
    ],
)
def test_lines_of_real_servers_are_understood(text: str) -> None:
    totals = rows_of(text)
    assert (totals["requests"], totals["malformed"], totals["paths"][0]["path"]) == (1, 0, "/")


@pytest.mark.parametrize(
    "text",
    [
        "garbage",
        '192.0.2.1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200',
        '192.0.2.1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0 200 1',
        '192.0.2.1 - - [31/Feb/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 1',
        '192.0.2.1 - - [10/Okt/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 1',
        '192.0.2.1 - - [10/Oct/2000:24:55:36 -0700] "GET / HTTP/1.0" 200 1',
        '192.0.2.1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 20 1',
        '- - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 1',
        '192.0.2.1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 1 "-" "cut o',
    ],
)
def test_other_lines_are_counted_and_shown(text: str) -> None:
    totals = rows_of(line(), "\n", text + "\n", line(), where="log", first_line=7)
    assert (totals["requests"], totals["malformed"]) == (2, 1)
    assert totals["malformed_examples"] == [{"where": "log:9", "line": text}]


def test_a_line_of_any_length_takes_linear_time() -> None:
    for text in ('"' * 50_000, "a " * 50_000, '\\"' * 50_000, "[" * 50_000, line()[:-2] + ' "' * 50_000):
        rows_of(text)


@pytest.mark.parametrize(
    ("request_line", "path"),
    [
        ("GET /a?b=1#c HTTP/1.1", "/a"),
        ("GET /a#c HTTP/1.1", "/a"),
        ("GET /", "/"),
        ("GET ?a HTTP/1.1", "/"),
        ("GET http://example.org/a?b HTTP/1.1", "/a"),
        ("GET http://example.org HTTP/1.1", "/"),
        ("CONNECT example.org:443 HTTP/1.1", "example.org:443"),
        ("OPTIONS * HTTP/1.0", "*"),
        ("M-SEARCH /x HTTP/1.1", "/x"),
        ("GET /" + "a" * 400 + " HTTP/1.1", "/" + "a" * 299 + "…"),
        ("-", "(no request)"),
        ("", "(no request)"),
        ("\\x16\\x03\\x01", "(not HTTP)"),
        ("GET /a b HTTP/1.1", "(not HTTP)"),
    ],
)
def test_the_path_of_a_request(request_line: str, path: str) -> None:
    assert path_of(request_line) == path


def test_queries_are_kept_on_request() -> None:
    assert path_of("GET /a?b=1 HTTP/1.1", keep_query=True) == "/a?b=1"


@pytest.mark.parametrize(
    ("rest", "unit", "seconds"),
    [
        ("0.250", "auto", 0.25),
        ("250000", "auto", 0.25),
        ("250", "ms", 0.25),
        ("0.25", "ms", 0.00025),
        ("3", "s", 3.0),
        ("250ms", "s", 0.25),
        ('"-" 0.250', "auto", 0.25),
        ('"0.250"', "auto", 0.25),
        ("rt=0.250", "auto", 0.25),
        ('"-" "-"', "auto", None),
        ("-", "auto", None),
        ("1.2.3", "auto", None),
        (None, "auto", None),
    ],
)
def test_the_request_time_at_the_end_of_a_line(rest: str | None, unit: str, seconds: float | None) -> None:
    assert seconds_of(rest, unit) == (seconds if seconds is None else pytest.approx(seconds))


def test_the_time_unit_is_a_parameter(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(line(rest=f" {AGENT} 1500"))
    assert report_of(flow, logs=[tmp_path / "log"])["mean_seconds"] == 0.0015
    assert report_of(flow, logs=[tmp_path / "log"], time_unit="ms")["mean_seconds"] == 1.5


def test_a_virtual_host_before_the_line_is_a_format_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("www.example.org:443 " + line("/a", host="::1"))
    report = report_of(flow, logs=[tmp_path / "log"], log_format="vhost_combined")
    assert (report["talkers"][0]["host"], report["paths"][0]["path"]) == ("::1", "/a")


def test_failing_paths_are_those_with_server_errors() -> None:
    totals = rows_of(
        line("/a", status=500),
        line("/a"),
        line("/b", status=404),
        line("/c", status=503),
        line("/a", status=599),
    )
    assert [(row["path"], row["errors"]) for row in totals["failing_paths"]] == [("/a", 2), ("/c", 1)]


# ---- bounded tables


@given(
    keys=st.lists(st.integers(0, 60).map(str), max_size=400),
    keep=st.integers(1, 12),
    piece=st.integers(1, 30),
)
@settings(max_examples=300, deadline=None)
def test_a_table_keeps_its_bounds_and_its_promises(keys: list[str], keep: int, piece: int) -> None:
    kept = new_table()
    for start in range(0, len(keys), piece):
        rows = {key: [count, 0, count] for key, count in Counter(keys[start : start + piece]).items()}
        add_to_table(kept, rows, keep)
        assert len(kept["rows"]) <= 2 * keep
    truth = Counter(keys)
    for key, (count, too_high, *_) in kept["rows"].items():
        assert count - too_high <= truth[key] <= count
    assert all(truth[key] <= kept["floor"] for key in truth if key not in kept["rows"])
    assert kept["floor"] * keep <= len(keys)
    if len(truth) <= 2 * keep:
        assert {key: row[0] for key, row in highest(kept, 100)} == dict(truth)


def test_heavy_talkers_are_found_among_more_hosts_than_are_kept(tmp_path: Path) -> None:
    rng = random.Random(4)
    hosts = [f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}" for number in range(5_000)]
    hosts += ["192.0.2.1"] * 900 + ["192.0.2.2"] * 600
    rng.shuffle(hosts)
    (tmp_path / "log").write_text("".join(line(host=host) for host in hosts))
    state = run(flow, logs=[tmp_path / "log"], keep=100, top=2)
    report = state.shared_data["report"]
    for row, (host, truth) in zip(report["talkers"], [("192.0.2.1", 900), ("192.0.2.2", 600)], strict=True):
        assert row["host"] == host
        assert row["requests"] - row["too_high_by"] <= truth <= row["requests"]
    assert 0 < report["talkers_not_kept_had_at_most"] <= len(hosts) / 100
    assert report["requests"] == len(hosts)
    assert "more talkers than could be counted" in printed(state)


def test_percentiles_are_right_within_five_percent() -> None:
    rng = random.Random(5)
    times = [rng.lognormvariate(-2, 1.5) for _ in range(20_000)] + [0.0] * 10
    classes = Counter(time_class(seconds) for seconds in times)
    times.sort()
    for share in (0.01, 0.5, 0.9, 0.999):
        assert percentile(classes, share) == pytest.approx(times[math.ceil(share * len(times)) - 1], rel=0.05)
    assert percentile({"-": 3}, 0.5) == 0.0
    assert percentile({}, 0.5) is None


@pytest.mark.parametrize(
    ("hours", "title", "count"),
    [
        (["2023-10-10 22:00", "2023-10-11 02:00"], "hour", 5),
        (["2023-10-10 22:00", "2023-10-20 02:00"], "day", 11),
        (["2022-10-10 22:00", "2023-10-20 02:00", "2023-10-20 03:00"], "month", 2),
    ],
)
def test_hours_are_shown_by_hour_day_or_month_gaps_included(hours: list[str], title: str, count: int) -> None:
    found, rows = periods([{"hour": hour, "requests": 1, "bytes": 2, "errors": 0} for hour in hours])
    assert (found, len(rows), sum(row[1] for row in rows)) == (title, count, len(hours))


def test_durations_are_made_for_reading() -> None:
    assert [human_seconds(seconds) for seconds in (None, 0, 0.00034, 0.0123, 1.25, 3600)] == [
        *("-", "0", "340 µs", "12.3 ms", "1.25 s", "3,600.00 s"),
    ]


# ---- reading in pieces


def pieces_of(path: Path, size: int, *, forget: bool = False) -> Iterable[_log_files.Piece]:
    place = beginning()
    while (piece := read_piece(str(path), place, size, owner="test")) is not None:
        yield piece
        if piece.problem:
            return
        place = piece.next_place
        if forget:
            close_streams()


def close_streams() -> None:
    """As in another process, where none is open."""
    while _log_files._streams:
        _log_files._streams.popitem()[1].close()


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("size", [1, 50, 1_000, 10**9])
def test_pieces_are_whole_lines_and_together_the_log(tmp_path: Path, packed: bool, size: int) -> None:
    text = "".join(f"line {number} é\n" for number in range(100)) + "no end"
    path = tmp_path / "log"
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    for forget in (False, True):
        pieces = list(pieces_of(path, size, forget=forget))
        assert "".join(piece.text for piece in pieces) == text
        assert all(piece.text.endswith("\n") for piece in pieces[:-1])
        assert pieces[-1].next_place == {"offset": len(text.encode()), "line": 101}
        assert pieces[-1].position == path.stat().st_size
        assert not any(piece.problem for piece in pieces)
    assert not _log_files._streams


def test_streams_that_nobody_reads_on_are_closed_in_the_end(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "log", "wt") as file:
        file.write("line\n" * 100)
    for owner in range(20):
        assert read_piece(str(tmp_path / "log"), beginning(), 10, owner=str(owner))
    assert len(_log_files._streams) == _log_files.STREAMS_KEPT
    close_streams()


def test_a_line_without_an_end_does_not_fill_the_memory(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"x" * 1_000_000 + b"\n" + line().encode())
    pieces = list(pieces_of(tmp_path / "log", 1_000))
    assert max(len(piece.text) for piece in pieces) <= 1_000 + _log_files.LONGEST_LINE
    report = report_of(flow, logs=[tmp_path / "log"])
    assert report["requests"] == 1
    assert report["malformed"] > 0


# ---- what goes wrong


def test_a_log_that_ends_too_soon_counts_as_far_as_it_goes(tmp_path: Path) -> None:
    rng = random.Random(6)
    text = "".join(line(f"/{rng.random()}") for _ in range(20_000))
    packed = gzip.compress(text.encode())
    (tmp_path / "a.gz").write_bytes(packed[: len(packed) * 3 // 4])
    (tmp_path / "b.log").write_text(line() * 10)
    state = run(flow, logs=[str(tmp_path / "*")])
    report = state.shared_data["report"]
    assert 10_000 < report["requests"] < 20_010
    assert report["statuses"] == {"200": report["requests"]}
    [problem] = report["problems"]["first"]
    assert problem["where"] == str(tmp_path / "a.gz")
    assert "end-of-stream" in problem["what"]
    assert "1 problem;" in printed(state)


def test_a_log_that_vanishes_is_a_problem_and_the_others_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_text(line())
    (tmp_path / "b").write_text(line())
    read = _log_files.read_piece

    def vanishing(name: str, *args: Any, **keywords: Any) -> Any:
        (tmp_path / "a").unlink(missing_ok=True)
        return read(name, *args, **keywords)

    monkeypatch.setattr(log_report, "read_piece", vanishing)
    report = report_of(flow, logs=[str(tmp_path / "*")])
    assert report["requests"] == 1
    assert report["problems"]["first"] == [
        {"where": str(tmp_path / "a"), "what": "No such file or directory"}
    ]


def test_bytes_that_are_no_text_are_shown_in_escapes(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(line("/caf").encode().replace(b"/caf", b"/caf\xe9") + b"\xff\x1b[2J\n")
    state = run(flow, logs=[tmp_path / "log"])
    report = state.shared_data["report"]
    assert report["paths"][0]["path"] == "/caf\\xe9"
    assert report["malformed_examples"][0]["line"] == "\\xff\x1b[2J"
    assert "\x1b" not in printed(state)


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({}, "logs"),
        ({"logs": []}, "logs"),
        ({"logs": ["/no/such/log"]}, "logs"),
        ({"logs": [__file__], "keep": 1}, "keep"),
        ({"logs": [__file__], "time_unit": "h"}, "time_unit"),
    ],
)
def test_wrong_parameters_start_no_job(params: dict[str, Any], field: str) -> None:
    with runtime_of(flow) as runtime:
        with pytest.raises(ParameterError) as raised:
            runtime.exec("log_report", params)
        assert [error.field for error in raised.value.errors] == [field]
        assert runtime.list_jobs() == []


# ---- steering


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("owner", "name"), [(log_report, "read_piece"), (_access_log, "summarise"), (_access_log, "merge")]
)
@pytest.mark.parametrize("number", [1, 17])
def test_a_paused_and_saved_job_is_carried_on_to_the_same_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packed: bool, owner: Any, name: str, number: int
) -> None:
    monkeypatch.setattr(log_report, "PIECE_SIZE", 5_000)
    truth = Truth(seed=7, requests=2_000)
    log = tmp_path / "access.log"
    log.write_bytes(gzip.compress(truth.text.encode()) if packed else truth.text.encode())
    undisturbed = report_of(flow, logs=[log])
    truth.check(undisturbed)
    close_streams()
    assert report_in_two_parts(flow, tmp_path / "job.json", owner, name, number, logs=[log]) == undisturbed


def test_a_cancelled_job_stops_reading_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_report, "PIECE_SIZE", 1_000)
    (tmp_path / "log").write_text(line() * 5_000)
    assert calls_after_cancel(flow, log_report, "read_piece", 5, logs=[tmp_path / "log"]) == 0
    assert calls_after_cancel(flow, _access_log, "summarise", 5, logs=[tmp_path / "log"]) <= 3


def test_progress_is_in_bytes_and_reaches_its_total(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "a.gz", "wt") as file:
        file.write(line() * 1_000)
    (tmp_path / "b").write_text(line() * 1_000)
    state = run(flow, logs=[str(tmp_path / "*")])
    size = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert (state.progress["read"].done, state.progress["read"].total) == (size, size)
    assert state.progress["merge"].done == 2_000


def test_the_flow_has_nothing_to_find_fault_with() -> None:
    assert [str(finding) for finding in flow.validate() if finding.level != "info"] == []

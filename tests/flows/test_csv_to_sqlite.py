"""`csv_to_sqlite` on files whose truth is known: what is loaded, what is rejected, and why."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows import _csv_table, csv_to_sqlite
from flows._csv_records import Position, Record, Records, is_clean, open_text, sniff_delimiter
from flows._csv_types import check_type, converter
from routilux import FlowRegistry, JobState, Runtime
from routilux.exceptions import ParameterError


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    registry = FlowRegistry()
    registry.register(csv_to_sqlite.flow)
    with Runtime(thread_pool_size=3, registry=registry, echo=False) as runtime:
        yield runtime


class Loaded:
    """A CSV file in a folder of its own, loaded by a job that has ended."""

    def __init__(self, runtime: Runtime, folder: Path, content: str | bytes, **params: Any) -> None:
        self.source = folder / "data.csv"
        self.database = folder / "data.db"
        self.rejects_file = folder / "data.csv.rejects.csv"
        self.source.write_bytes(content.encode() if isinstance(content, str) else content)
        self.state = runtime.exec(
            "csv_to_sqlite", {"source": self.source, "database": self.database, **params}
        )
        job = runtime.get_job(self.state.job_id)
        assert job is not None
        assert job.wait(60), job.why_not_finished()

    @property
    def report(self) -> dict[str, Any]:
        assert self.state.status == "completed", self.state.error
        report: dict[str, Any] = self.state.shared_data["report"]
        return report

    @property
    def error(self) -> str:
        assert self.state.status == "failed"
        assert self.state.error is not None
        return self.state.error.message

    def rows(self, table: str = "data") -> list[tuple[Any, ...]]:
        return table_rows(self.database, table)

    def rejects(self) -> list[list[str]]:
        with self.rejects_file.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            header, *rows = csv.reader(file)
        assert header == ["line", "column", "value", "reason", "row"]
        return rows


def table_rows(database: Path, table: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(f"SELECT * FROM {_csv_table.quoted(table)} ORDER BY rowid").fetchall()


@pytest.fixture
def load(runtime: Runtime, tmp_path: Path) -> Callable[..., Loaded]:
    return lambda content, **params: Loaded(runtime, tmp_path, content, **params)


Load = Callable[..., Loaded]


# ---- records


def records_of(text: str, delimiter: str = ",") -> list[Record]:
    records = Records(io.StringIO(text, newline=""), delimiter)
    found = []
    while record := records.read():
        found.append(record)
    return found


def test_a_record_knows_the_line_it_starts_at_and_its_text() -> None:
    assert records_of('a,b\r\n"1\r\n2",x\r\n\r\nlast,""') == [
        Record(1, "a,b", ["a", "b"], ""),
        Record(2, '"1\r\n2",x', ["1\r\n2", "x"], ""),
        Record(4, "", [], ""),
        Record(5, 'last,""', ["last", ""], ""),
    ]


def test_a_quote_that_is_never_closed_costs_its_own_line_only() -> None:
    first, broken, *rest = records_of('1,a\n2,"b\n3,c\n4,d\n')
    assert first.fields == ["1", "a"]
    assert broken == Record(2, '2,"b', [], "a quote is opened and not closed")
    assert rest == [Record(3, "3,c", ["3", "c"], ""), Record(4, "4,d", ["4", "d"], "")]


def test_a_quote_that_is_closed_by_another_rows_quote_costs_its_own_line_only() -> None:
    records = records_of('1,"5 inch\n2,"ok"\n3,c\n')
    assert [record.line for record in records] == [1, 2, 3]
    assert [record.fields for record in records] == [[], ["2", "ok"], ["3", "c"]]
    assert records[0].problem == "text after a closing quote"


def test_a_stray_quote_in_a_large_file_holds_a_bounded_part_of_it() -> None:
    file = io.StringIO('0,"x\n' + "1,a\n" * 200_000, newline="")
    records = Records(file, ",")
    broken = records.read()
    assert broken is not None
    assert broken.problem
    assert file.tell() < 2 * csv.field_size_limit()
    count = 0
    while record := records.read():
        assert record.fields == ["1", "a"]
        count += 1
    assert count == 200_000


cells = st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8))


@settings(deadline=None, max_examples=60)
@given(
    rows=st.lists(cells, max_size=30),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    stride=st.integers(1, 7),
)
def test_strides_that_stop_anywhere_read_the_same_as_one(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], encoding: str, line_end: str, stride: int
) -> None:
    path = tmp_path_factory.mktemp("strides") / "x.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, lineterminator=line_end, quoting=csv.QUOTE_ALL).writerows(rows)

    read: list[list[str]] = []
    lines = []
    position: Position | None = Position(0, 0)
    while position is not None:
        with open_text(path, encoding) as file:
            file.seek(position.cookie)
            records = Records(file, ",", position.lines)
            for _ in range(stride):
                record = records.read()
                if record is None:
                    position = None
                    break
                read.append(record.fields)
                lines.append(record.line)
            else:
                position = records.position()

    assert read == rows
    assert lines == sorted(set(lines))


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b,c\n1,2,3\n", ","),
        ("a;b;c\n1,5;2,5;3,5\n", ";"),
        ("a\tb\n1,2\t3,4\n", "\t"),
        ("a|b\n1|2\n", "|"),
        ("name;note\nx;one, two, three\ny;four, five\n", ";"),
        ("only\n1\n", ","),
        ("", ","),
        ('a,b\n"1;2;3",4\n', ","),
    ],
)
def test_the_delimiter_is_what_parts_records_evenly(tmp_path: Path, text: str, delimiter: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text)
    assert sniff_delimiter(path, "utf-8") == delimiter


# ---- types


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("int", " 42 ", 42),
        ("int", "-7", -7),
        ("int", "9223372036854775807", 2**63 - 1),
        ("float", "1.5e3", 1500.0),
        ("float", ".5", 0.5),
        ("decimal", "1.10", "1.10"),
        ("decimal", "0.1000000000000000000001", "0.1000000000000000000001"),
        ("bool", "Yes", 1),
        ("bool", "0", 0),
        ("date", "2024-02-29", "2024-02-29"),
        ("datetime", "2024-02-29T12:30:00Z", "2024-02-29 12:30:00+00:00"),
        ("text", "", ""),
        ("text", " x ", " x "),
        ("text?", "", None),
        ("text?", " ", " "),
        ("int?", "", None),
        ("date?", "  ", None),
        ("int?", "3", 3),
    ],
)
def test_valid_text_becomes_a_value(kind: str, text: str, value: object) -> None:
    assert converter(kind)(text) == value


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        ("int", "4.0", "not a whole number"),
        ("int", "1_000", "not a whole number"),
        ("int", "٣", "not a whole number"),
        ("int", "9223372036854775808", "does not fit into 64 bits"),
        ("int", "1" * 10_000, "does not fit into 64 bits"),
        ("int", "", "empty"),
        ("float", "nan", "not a number"),
        ("float", "1e999", "too large for a number"),
        ("decimal", "Infinity", "not a number"),
        ("bool", "maybe", "not true or false"),
        ("date", "2023-02-29", "not a date such as 2024-12-31"),
        ("date", "31.12.2024", "not a date such as 2024-12-31"),
        ("datetime?", "noon", "not a time such as 2024-12-31T23:59:00"),
    ],
)
def test_text_that_is_not_valid_is_refused_with_a_reason(kind: str, text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        converter(kind)(text)


def test_an_unknown_type_is_said_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown type 'integer'; use one of text, int, float"):
        check_type("integer")


def test_is_clean_tells_undecoded_bytes() -> None:
    assert is_clean("grün 🌲")
    assert not is_clean(b"gr\xfcn".decode("utf-8", "surrogateescape"))


# ---- whole files

ORDERS = (
    "\ufeffid,name,amount,paid,ordered,note\r\n"
    '1,"Müller, Anna",19.90,yes,2024-01-31,"two\r\nlines"\r\n'
    "\r\n"
    "2,Jürgen,,no,2024-02-01,\r\n"
    "x,Ada,1,yes,2024-02-01,bad id\r\n"
    "4,Bob,1,yes\r\n"
    "5,Cid,1,yes,2024-02-01,note,surplus\r\n"
    "6,Dee,1,perhaps,2024-02-30,two faults\r\n"
    '7,"Eve ""E"" 🌲",0.10,1,2024-02-29,ok\r\n'
)
TYPES = {
    "id": "int",
    "name": "text",
    "amount": "decimal?",
    "paid": "bool",
    "ordered": "date",
    "note": "text?",
}


def test_rows_that_fit_are_loaded_and_the_others_rejected_with_reasons(load: Load) -> None:
    loaded = load(ORDERS, columns=TYPES)

    assert loaded.rows() == [
        (1, "Müller, Anna", "19.90", 1, "2024-01-31", "two\r\nlines"),
        (2, "Jürgen", None, 0, "2024-02-01", None),
        (7, 'Eve "E" 🌲', "0.10", 1, "2024-02-29", "ok"),
    ]
    assert loaded.rejects() == [
        ["6", "id", "x", "not a whole number", "x,Ada,1,yes,2024-02-01,bad id"],
        ["7", "", "4 of 6", "too few fields", "4,Bob,1,yes"],
        ["8", "", "7 of 6", "too many fields", "5,Cid,1,yes,2024-02-01,note,surplus"],
        ["9", "paid", "perhaps", "not true or false", "6,Dee,1,perhaps,2024-02-30,two faults"],
    ]
    report = loaded.report
    assert (report["rows_read"], report["rows_loaded"], report["rows_rejected"]) == (7, 3, 4)
    assert report["blank_lines"] == 1
    assert report["reasons"] == {
        "id: not a whole number": 1,
        "paid: not true or false": 1,
        "too few fields": 1,
        "too many fields": 1,
    }


def test_without_columns_the_header_decides_and_everything_is_text(load: Load) -> None:
    loaded = load("b;a;\n01;x;9\n")
    assert loaded.report["columns"] == {"b": "text", "a": "text", "column_3": "text"}
    assert loaded.report["delimiter"] == ";"
    assert loaded.rows() == [("01", "x", "9")]


def test_columns_are_matched_by_name_not_by_place(load: Load) -> None:
    loaded = load("b,a\n2,1\n", columns={"a": "int", "b": "int"})
    assert loaded.rows() == [(1, 2)]


def test_a_file_with_a_header_only_gives_an_empty_table(load: Load) -> None:
    loaded = load("a,b\n")
    assert loaded.rows() == []
    assert loaded.report["rows_read"] == 0


def test_names_that_look_like_sql_are_only_names(load: Load) -> None:
    weird = 'we"ird; drop'
    content = io.StringIO()
    csv.writer(content).writerows([[weird, "select", "a'b"], ["1", "2", "3"]])
    loaded = load(content.getvalue(), table='t"; DROP TABLE x; --')
    assert loaded.rows('t"; DROP TABLE x; --') == [("1", "2", "3")]
    with closing(sqlite3.connect(loaded.database)) as connection:
        connection.row_factory = sqlite3.Row
        row = connection.execute('SELECT * FROM "t""; DROP TABLE x; --"').fetchone()
    assert row.keys() == [weird, "select", "a'b"]


def test_bytes_in_another_encoding_are_rejected_and_kept_as_they_are(load: Load) -> None:
    loaded = load(b"a,b\n1,gr\xfcn\n2,gr\xc3\xbcn\n")
    assert loaded.rows() == [("2", "grün")]
    assert loaded.report["reasons"] == {"bytes that are not utf-8-sig": 1}
    assert b"1,gr\xfcn" in loaded.rejects_file.read_bytes()


def test_a_file_in_another_encoding_is_read_in_it(load: Load) -> None:
    assert load("a,b\n1,grün\n".encode("utf-16"), encoding="utf-16").rows() == [("1", "grün")]


def test_a_stray_quote_is_rejected_and_the_rest_loaded(load: Load) -> None:
    rows = "".join(f"{number},x\n" for number in range(2, 500))
    loaded = load(f'a,b\n1,"5 inch\n{rows}', batch_size=10)
    assert [row[0] for row in loaded.rows()] == [str(number) for number in range(2, 500)]
    assert loaded.rejects() == [["2", "", "", "a quote is opened and not closed", '1,"5 inch']]


def test_rejects_that_were_mended_can_be_appended(load: Load, tmp_path: Path) -> None:
    load("a,b\n1,x\ny,2\n", columns={"a": "int", "b": "text"})
    loaded = load("a,b\n3,z\n", columns={"a": "int", "b": "text"}, if_exists="append")
    assert loaded.rows() == [(1, "x"), (3, "z")]


def test_rows_that_the_tables_constraints_refuse_are_rejected(load: Load, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "data.db")) as connection:
        connection.execute("CREATE TABLE data (a INTEGER PRIMARY KEY, b TEXT CHECK (b <> 'bad'), c TEXT)")
    loaded = load("a,b\n1,x\n1,again\n2,bad\n3,y\n", columns={"a": "int", "b": "text"}, if_exists="append")
    assert loaded.rows() == [(1, "x", None), (3, "y", None)]
    assert [(row[0], row[4]) for row in loaded.rejects()] == [("3", "1,again"), ("4", "2,bad")]
    assert loaded.report["rows_rejected"] == 2
    assert "UNIQUE constraint failed: data.a" in loaded.report["reasons"]


def test_replace_puts_a_new_table_in_place_of_the_old(load: Load) -> None:
    load("a\n1\n")
    assert load("b\n2\n3\n", if_exists="replace").rows() == [("2",), ("3",)]


def test_the_report_is_written_as_json_and_printed(load: Load, tmp_path: Path) -> None:
    loaded = load(ORDERS, columns=TYPES, output=tmp_path / "report.json")
    assert json.loads((tmp_path / "report.json").read_text()) == loaded.report
    printed = "\n".join(line.message for line in loaded.state.logs("report"))
    assert "3 rows loaded in 1 batch" in printed
    assert "4 rows rejected, see" in printed
    assert "too few fields" in printed


# ---- what is refused before anything is written


@pytest.mark.parametrize(
    ("content", "params", "message"),
    [
        ("", {}, "the file is empty; its first line must name the columns"),
        ("a,b\n1,2\n", {"columns": {"a": "int", "c": "int"}}, "lacks 'c'; the header has 'b', which"),
        ("a,A,b\n1,2,3\n", {}, "columns named more than once: 'a'"),
        ('a,"b\n1,2\n', {}, "data.csv:1: the header cannot be read: a quote is opened and not closed"),
        ("a\n1\n", {"table": "sqlite_x"}, "SQLite does not allow this name"),
        (b"\xff\xfea,b\n", {}, "the header cannot be read: bytes that are not utf-8-sig"),
    ],
)
def test_a_wrong_source_is_refused_before_anything_is_written(
    load: Load, content: str | bytes, params: dict[str, Any], message: str
) -> None:
    loaded = load(content, **params)
    assert message in loaded.error
    assert not loaded.database.exists()
    assert not loaded.rejects_file.exists()


def test_a_table_that_exists_is_left_alone(load: Load) -> None:
    load("a\n1\n")
    loaded = load("a\n2\n")
    assert "exists already; choose another table, or if_exists=replace or append" in loaded.error
    assert loaded.rows() == [("1",)]


def test_appending_to_a_table_without_the_column_is_refused(load: Load) -> None:
    load("a,b\n1,2\n")
    loaded = load("a,c\n1,2\n", if_exists="append")
    assert "has no column 'c'; it has 'a', 'b'" in loaded.error
    assert loaded.rows() == [("1", "2")]


def test_a_file_that_is_no_database_is_left_alone(load: Load, tmp_path: Path) -> None:
    (tmp_path / "data.db").write_bytes(b"precious notes" * 100)
    loaded = load("a\n1\n")
    assert "file is not a database" in loaded.error
    assert loaded.database.read_bytes() == b"precious notes" * 100


def test_a_view_of_the_name_is_not_replaced(load: Load, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "data.db")) as connection:
        connection.execute("CREATE VIEW data AS SELECT 1 AS a")
    assert "there is a view of that name" in load("a\n1\n", if_exists="replace").error


def test_source_and_rejects_must_be_two_files(load: Load, tmp_path: Path) -> None:
    loaded = load("a\n1\n", rejects=tmp_path / "data.csv")
    assert "source and rejects are the same file" in loaded.error
    assert loaded.source.read_text() == "a\n1\n"


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"source": "no/where.csv"}, "source"),
        ({"rejects": "no/where.csv"}, "rejects"),
        ({"columns": {"a": "integer"}}, "columns"),
        ({"delimiter": "::"}, "delimiter"),
        ({"encoding": "utf-9"}, "encoding"),
        ({"batch_size": 1}, "batch_size"),
    ],
)
def test_wrong_parameters_start_nothing(
    runtime: Runtime, tmp_path: Path, params: dict[str, Any], field: str
) -> None:
    (tmp_path / "a.csv").write_text("a\n1\n")
    with pytest.raises(ParameterError) as caught:
        runtime.exec("csv_to_sqlite", {"source": tmp_path / "a.csv", "database": tmp_path / "a.db", **params})
    assert [error.field.partition(".")[0] for error in caught.value.errors] == [field]
    assert runtime.list_jobs() == []


# ---- any table

good_rows = st.tuples(st.integers(-(2**63), 2**63 - 1), st.text(st.characters(exclude_categories=["Cs"])))
bad_rows = st.sampled_from([["x", "y"], ["1"], ["1", "2", "3"], ["", "z"], ["1.5", ""]])


@settings(deadline=None, max_examples=25)
@given(rows=st.lists(st.one_of(good_rows, bad_rows), max_size=60), delimiter=st.sampled_from(",;\t|"))
def test_every_row_is_either_loaded_or_rejected(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any], delimiter: str
) -> None:
    content = io.StringIO()
    csv.writer(content, quoting=csv.QUOTE_ALL, delimiter=delimiter).writerows([("n", "t"), *rows])
    registry = FlowRegistry()
    registry.register(csv_to_sqlite.flow)
    with Runtime(thread_pool_size=2, registry=registry, echo=False) as runtime:
        loaded = Loaded(
            runtime,
            tmp_path_factory.mktemp("any"),
            content.getvalue(),
            columns={"n": "int", "t": "text"},
            delimiter=delimiter,
            batch_size=10,
        )
    good = [row for row in rows if isinstance(row, tuple)]
    assert loaded.rows() == good
    assert loaded.report["rows_loaded"] == len(good)
    texts = [reject[4] for reject in loaded.rejects()]
    originals = [next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)) for text in texts]
    assert originals == [row for row in rows if isinstance(row, list)]


# ---- large files, and jobs that stop on the way


def large_csv(path: Path, rows: int, *, bad_every: int = 0) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "name", "amount", "day"])
        for number in range(rows):
            amount = "?" if bad_every and number % bad_every == 0 else f"{number / 100:.2f}"
            writer.writerow([number, f"name, of {number}", amount, f"2024-01-{number % 28 + 1:02}"])


LARGE_TYPES = {"id": "int", "name": "text", "amount": "float", "day": "date"}


def exec_large(runtime: Runtime, folder: Path, **params: Any) -> JobState:
    return runtime.exec(
        "csv_to_sqlite",
        {
            "source": folder / "large.csv",
            "database": folder / "large.db",
            "table": "t",
            "columns": LARGE_TYPES,
            **params,
        },
    )


def peak_memory(runtime: Runtime, folder: Path, rows: int) -> tuple[dict[str, Any], int]:
    large_csv(folder / "large.csv", rows, bad_every=50)
    tracemalloc.start()
    try:
        state = exec_large(runtime, folder, if_exists="replace")
        job = runtime.get_job(state.job_id)
        assert job is not None
        assert job.wait(100), job.why_not_finished()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert state.status == "completed", state.error
    return state.shared_data["report"], peak


def test_a_large_file_is_loaded_in_constant_memory(runtime: Runtime, tmp_path: Path) -> None:
    _, small = peak_memory(runtime, tmp_path, 25_000)
    report, large = peak_memory(runtime, tmp_path, 200_000)
    assert report["rows_read"] == 200_000
    assert report["rows_rejected"] == 4_000
    assert report["rows_loaded"] == 196_000
    with closing(sqlite3.connect(tmp_path / "large.db")) as connection:
        counts = connection.execute("SELECT count(*), count(DISTINCT id) FROM t").fetchone()
    assert counts == (196_000, 196_000)
    assert large < 1.5 * small, (small, large)


class Gate:
    """Lets so many calls of `insert` through, and holds the next one until told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()
        self._left = after
        monkeypatch.setattr(csv_to_sqlite, "insert", self)

    def __call__(self, plan: Any, rows: Any) -> Any:
        if self._left == 0:
            self.reached.set()
            assert self.opened.wait(30)
        self._left -= 1
        return _csv_table.insert(plan, rows)


def test_a_cancelled_job_leaves_whole_batches(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large_csv(tmp_path / "large.csv", 5_000)
    gate = Gate(monkeypatch, after=3)
    state = exec_large(runtime, tmp_path, batch_size=100)
    job = runtime.get_job(state.job_id)
    assert job is not None
    assert gate.reached.wait(30)
    assert job.cancel()
    gate.opened.set()
    assert job.wait(30)
    assert state.status == "cancelled"
    assert [row[0] for row in table_rows(tmp_path / "large.db", "t")] == list(range(400))
    with closing(sqlite3.connect(tmp_path / "large.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_batch_that_fails_is_not_written_in_part(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large_csv(tmp_path / "large.csv", 1_000)
    calls = 0

    def insert(plan: Any, rows: list[Any]) -> Any:
        nonlocal calls
        calls += 1
        # A value SQLite cannot hold, in the middle of the third batch.
        return _csv_table.insert(plan, [*rows[:50], (0, "", [{}] * 4), *rows[50:]] if calls == 3 else rows)

    monkeypatch.setattr(csv_to_sqlite, "insert", insert)
    state = exec_large(runtime, tmp_path, batch_size=100)
    job = runtime.get_job(state.job_id)
    assert job is not None
    assert job.wait(30)
    assert state.status == "failed"
    assert len(table_rows(tmp_path / "large.db", "t")) == 200


def test_a_locked_database_is_tried_again(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large_csv(tmp_path / "large.csv", 300)
    calls = 0

    def insert(plan: Any, rows: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise sqlite3.OperationalError("database is locked")
        return _csv_table.insert(plan, rows)

    monkeypatch.setattr(csv_to_sqlite, "insert", insert)
    state = exec_large(runtime, tmp_path, batch_size=100)
    job = runtime.get_job(state.job_id)
    assert job is not None
    assert job.wait(30)
    assert state.status == "completed", state.error
    assert calls == 4
    # The batches behind the one that waited need not wait as well.
    assert sorted(row[0] for row in table_rows(tmp_path / "large.db", "t")) == list(range(300))


def test_a_job_that_is_paused_saved_and_carried_on_gives_the_same_database(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large_csv(tmp_path / "large.csv", 5_000, bad_every=7)
    gate = Gate(monkeypatch, after=5)
    state = exec_large(runtime, tmp_path, batch_size=100)
    job = runtime.get_job(state.job_id)
    assert job is not None
    assert gate.reached.wait(30)
    assert job.pause()
    gate.opened.set()
    assert job.wait_until_paused(30)
    read_so_far = state.routine_state("read")["rows"]
    assert 0 < read_so_far < 5_000
    state.save(tmp_path / "job.json")
    # As if the process had ended here.
    job.cancel()

    registry = FlowRegistry()
    registry.register(csv_to_sqlite.build_flow())
    with Runtime(thread_pool_size=2, registry=registry, echo=False) as other:
        carried_on = other.exec("csv_to_sqlite", job_state=JobState.load(tmp_path / "job.json"))
        assert other.wait_until_all_jobs_finished(60)
    assert carried_on.status == "completed", carried_on.error
    expected = [number for number in range(5_000) if number % 7]
    assert [row[0] for row in table_rows(tmp_path / "large.db", "t")] == expected
    report = carried_on.shared_data["report"]
    assert (report["rows_read"], report["rows_loaded"]) == (5_000, len(expected))
    with (tmp_path / "large.csv.rejects.csv").open(newline="") as file:
        assert [int(row["line"]) for row in csv.DictReader(file)] == list(range(2, 5_002, 7))


def test_a_file_that_became_shorter_meanwhile_is_an_error(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large_csv(tmp_path / "large.csv", 5_000)
    gate = Gate(monkeypatch, after=1)
    state = exec_large(runtime, tmp_path, batch_size=100)
    job = runtime.get_job(state.job_id)
    assert job is not None
    assert gate.reached.wait(30)
    assert job.pause()
    gate.opened.set()
    assert job.wait_until_paused(30)
    (tmp_path / "large.csv").write_text("id,name,amount,day\n")
    assert job.resume()
    assert job.wait(30)
    assert state.status == "failed"
    assert state.error is not None
    assert "became shorter while it was read" in state.error.message


def test_the_flow_has_nothing_to_find_fault_with() -> None:
    assert [finding for finding in csv_to_sqlite.flow.validate() if finding.level != "info"] == []

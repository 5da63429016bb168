"""The two ends of `csv_to_sqlite`: the plan made from the header, and the table in SQLite."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypedDict

from flows._csv_records import Position, Record, Records, is_clean, open_text, sniff_delimiter
from flows._csv_types import Value, sql_type

# (line, text, values in the order of the table's columns)
ValidRow = tuple[int, str, list[Value]]
# (line, column, value, reason, text): a line of the rejects file
Reject = tuple[int, str, str, str, str]

# How long a locked database is waited for by a thread; after that the engine tries again later.
_BUSY_SECONDS = 1.0


class Plan(TypedDict):
    """What a job has decided before its first row. Plain data, so that it is saved with the job."""

    source: str
    size: int
    encoding: str
    delimiter: str
    batch_size: int
    database: str
    table: str
    if_exists: str
    # In the order of the table: the name, the type, and the index of its field in a row.
    columns: list[tuple[str, str, int]]
    fields: int
    # Where the first row is: behind the header.
    start: list[int]
    rejects: str


def make_plan(params: Mapping[str, Any]) -> Plan:
    """Check everything that can be checked without writing. Raises `ValueError` with what is wrong."""
    source: Path = params["source"]
    database: Path = params["database"]
    rejects: Path = params["rejects"] or source.with_name(source.name + ".rejects.csv")
    if database.is_dir() or not database.absolute().parent.is_dir():
        raise ValueError(f"database {database}: its folder does not exist, or it is a folder itself")
    paths = {"source": source, "database": database, "rejects": rejects, "output": params["output"]}
    seen: dict[Path, str] = {}
    for name, path in paths.items():
        if path is not None and (other := seen.setdefault(path.resolve(), name)) != name:
            raise ValueError(f"{other} and {name} are the same file, {path}")
    table = params["table"] or source.stem
    if table.lower().startswith("sqlite_") or "\0" in table:
        raise ValueError(f"table {table!r}: SQLite does not allow this name")

    encoding = params["encoding"]
    try:
        delimiter = params["delimiter"] or sniff_delimiter(source, encoding)
        header, start = _read_header(source, encoding, delimiter)
    except UnicodeError as error:
        raise ValueError(f"{source}: is not encoded as {encoding}: {error}") from None
    columns = _match_columns(source, header, params["columns"])
    plan = Plan(
        source=str(source),
        size=source.stat().st_size,
        encoding=encoding,
        delimiter=delimiter,
        batch_size=params["batch_size"],
        database=str(database),
        table=table,
        if_exists=params["if_exists"],
        columns=columns,
        fields=len(header),
        start=list(start),
        rejects=str(rejects),
    )
    _check_table(plan)
    return plan


def _read_header(source: Path, encoding: str, delimiter: str) -> tuple[list[str], Position]:
    with open_text(source, encoding) as file:
        records = Records(file, delimiter)
        header = records.read()
        while header is not None and not header.fields and not header.problem:
            header = records.read()
        if header is None:
            raise ValueError(f"{source}: the file is empty; its first line must name the columns")
        if header.problem or not is_clean(header.text):
            problem = header.problem or f"bytes that are not {encoding}"
            raise ValueError(f"{source}:{header.line}: the header cannot be read: {problem}")
        return _names(source, header), records.position()


def _names(source: Path, header: Record) -> list[str]:
    names = [name.strip() or f"column_{number}" for number, name in enumerate(header.fields, 1)]
    # SQLite does not tell column names apart by case.
    twice = [name for name, count in Counter(name.lower() for name in names).items() if count > 1]
    if twice:
        raise ValueError(f"{source}:{header.line}: columns named more than once: {_listed(twice)}")
    if any("\0" in name for name in names):
        raise ValueError(f"{source}:{header.line}: a column's name holds a zero byte")
    return names


def _match_columns(
    source: Path, header: list[str], declared: Mapping[str, str]
) -> list[tuple[str, str, int]]:
    if not declared:
        return [(name, "text", index) for index, name in enumerate(header)]
    missing = [name for name in declared if name not in header]
    extra = [name for name in header if name not in declared]
    if missing or extra:
        parts = [f"the header lacks {_listed(missing)}"] if missing else []
        parts += [f"the header has {_listed(extra)}, which `columns` does not declare"] if extra else []
        raise ValueError(f"{source}: {'; '.join(parts)}. The header is: {_listed(header)}")
    return [(name, kind, header.index(name)) for name, kind in declared.items()]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names)


# ---- the database


def quoted(name: str) -> str:
    """`name` as an SQL identifier, whatever characters it has."""
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def _transaction(plan: Plan) -> Iterator[sqlite3.Connection]:
    """A connection of its own with an open transaction: committed at the end, rolled back on any error."""
    database = sqlite3.connect(plan["database"], timeout=_BUSY_SECONDS, isolation_level=None)
    with closing(database) as connection:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _check_table(plan: Plan) -> None:
    if not Path(plan["database"]).exists():
        return
    with closing(sqlite3.connect(plan["database"], timeout=_BUSY_SECONDS)) as connection:
        try:
            kind = connection.execute(
                "SELECT type FROM sqlite_master WHERE lower(name) = lower(?)", (plan["table"],)
            ).fetchone()
            existing = [row[1] for row in connection.execute(f"PRAGMA table_info({quoted(plan['table'])})")]
        except sqlite3.DatabaseError as error:
            raise ValueError(f"database {plan['database']}: {error}") from None
    if kind is None:
        return
    where = f"table {plan['table']!r} of {plan['database']}"
    if kind[0] != "table":
        raise ValueError(f"{where} is no table: there is a {kind[0]} of that name")
    if plan["if_exists"] == "fail":
        raise ValueError(f"{where} exists already; choose another table, or if_exists=replace or append")
    if plan["if_exists"] == "append":
        known = {name.lower() for name in existing}
        missing = [name for name, _, _ in plan["columns"] if name.lower() not in known]
        if missing:
            raise ValueError(f"{where} has no column {_listed(missing)}; it has {_listed(existing)}")


def make_table(plan: Plan) -> None:
    """Make the table as `if_exists` says: anew, or leave the one that is there."""
    columns = ", ".join(f"{quoted(name)} {sql_type(kind)}" for name, kind, _ in plan["columns"])
    table = quoted(plan["table"])
    with _transaction(plan) as connection:
        if plan["if_exists"] == "replace":
            connection.execute(f"DROP TABLE IF EXISTS {table}")
        unless_there = "IF NOT EXISTS " if plan["if_exists"] == "append" else ""
        connection.execute(f"CREATE TABLE {unless_there}{table} ({columns})")


def insert(plan: Plan, rows: list[ValidRow]) -> list[Reject]:
    """Write `rows` in one transaction; answer with those that the table's own constraints refuse."""
    names = ", ".join(quoted(name) for name, _, _ in plan["columns"])
    places = ", ".join("?" * len(plan["columns"]))
    statement = f"INSERT INTO {quoted(plan['table'])} ({names}) VALUES ({places})"
    try:
        with _transaction(plan) as connection:
            connection.executemany(statement, (values for _, _, values in rows))
        return []
    except sqlite3.IntegrityError:
        # Some row is refused, and SQLite does not say which: once more, one by one.
        refused: list[Reject] = []
        with _transaction(plan) as connection:
            for line, text, values in rows:
                try:
                    connection.execute(statement, values)
                except sqlite3.IntegrityError as error:
                    refused.append((line, "", "", str(error), text))
        return refused

"""Load a large CSV file into a SQLite table, and keep what does not fit in a second file.

    routilux run csv_to_sqlite --param source=orders.csv --param database=orders.db \\
        --param 'columns={"id": "int", "ordered": "date", "amount": "decimal?", "note": "text"}'

Every row is checked against the declared column types: int, float, decimal, bool, date, datetime
and text; a ``?`` behind the type lets the field be empty, which becomes NULL. Without `columns`
the header decides and everything is text. Rows that do not fit go to a rejects file (by default
``orders.csv.rejects.csv``) with their line, the first column that is wrong, its value, the reason
and the row as it stands in the source, so that they can be mended and loaded with
``--param if_exists=append``. A wrong header, a table that exists already or a file that is no
database is said before anything is written.

Decimals, dates and times are stored as text (exactly as precise as in the file), bools as 0 and 1.

As a flow:

    read --rows--> validate --valid--> load --refused--> reject
     ^ |               |                                   ^
     '-' next          '------------rejected---------------'

    read --finished--> report, when everything else is quiet

`read` reads one batch of rows in an activation, hands it on in ten chunks, and then sends itself the
position it has come to. So the place in the file is an item in a slot: the job can be paused, saved
and carried on, and uses the same memory for a file of any size, because full slots make `read` wait.
`load` takes ten chunks at a time (`batch_size_policy`) and writes them in one transaction with a
connection of its own, so a job that is cancelled or fails leaves whole batches behind, never half
of one. A database that another program has locked is tried again a few times, without holding a
thread. A file that grows while it is loaded is read to its new end.
"""

from __future__ import annotations

import csv
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, field_validator

from flows._csv_records import Position, Records, is_clean, open_text
from flows._csv_table import Plan, Reject, ValidRow, insert, make_plan, make_table
from flows._csv_types import Value, check_type, converter
from flows._report import OutputFile, plural, printable, publish
from routilux import ErrorHandler, ErrorStrategy, Flow, JobState, Routine
from routilux.activation_policies import batch_size_policy, immediate_policy, when_quiet_policy

# A policy is fixed when the flow is built, the batch size is a parameter: so an item is not a row
# but a chunk of a tenth of a batch, and ten items make a batch.
CHUNKS_PER_BATCH = 10


def _existing_file(path: Path) -> Path:
    path = path.expanduser()
    if not path.is_file():
        raise ValueError(f"{str(path)!r} is {'not a file' if path.exists() else 'not there'}")
    return path


class CsvToSqliteParams(BaseModel):
    """What to load, and where to."""

    source: Annotated[Path, AfterValidator(_existing_file)] = Field(description="the CSV file")
    database: Annotated[Path, AfterValidator(Path.expanduser)] = Field(
        description="the SQLite database; it is made where it does not exist"
    )
    table: str | None = Field(None, description="the table; named after the file unless given", min_length=1)
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="column -> int, float, decimal, bool, date, datetime or text, with a ? where it may be"
        " empty; none at all: every column of the header, as text",
    )
    delimiter: str | None = Field(
        None, description="what parts the fields (one character, or 'tab'); found out unless given"
    )
    encoding: str = Field("utf-8-sig", description="how the file is encoded")
    batch_size: int = Field(1000, ge=10, le=100_000, description="rows written in one transaction, at most")
    rejects: OutputFile = Field(
        None, description="the CSV file for rows that do not fit; <source>.rejects.csv unless given"
    )
    if_exists: Literal["fail", "replace", "append"] = Field(
        "fail", description="what to do when the table exists; replace drops it once the header is found good"
    )
    output: OutputFile = Field(None, description="write the report to this file, as JSON")

    @field_validator("columns")
    @classmethod
    def _known_types(cls, columns: dict[str, str]) -> dict[str, str]:
        for name, kind in columns.items():
            try:
                check_type(kind)
            except ValueError as error:
                raise ValueError(f"column {name!r}: {error}") from None
        return columns

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, delimiter: str | None) -> str | None:
        delimiter = {"tab": "\t", "\\t": "\t"}.get(delimiter or "", delimiter)
        if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
            raise ValueError("must be one character, and no quote or line end")
        return delimiter

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, encoding: str) -> str:
        try:
            "".encode(encoding)
        except LookupError:
            raise ValueError(f"unknown encoding {encoding!r}") from None
        return encoding


def _plan(job_state: JobState) -> Plan:
    """What `read` found out at the start; nobody changes it afterwards."""
    plan: Plan = job_state.shared_data["plan"]
    return plan


class Read(Routine):
    """Reads a batch of rows and sends itself the position it has come to."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", max_queue_length=1)
        self.define_slot("position", max_queue_length=1)
        self.define_event("rows", ["rows"])
        self.define_event("next", ["cookie", "lines"])
        self.define_event("finished")
        self.set_activation_policy(immediate_policy())

    def logic(
        self, trigger: list[dict[str, Any]], position: list[dict[str, Any]], *, job_state: JobState
    ) -> None:
        for params in trigger:
            plan = make_plan(params)
            with open(plan["rejects"], "w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerow(["line", "column", "value", "reason", "row"])
            make_table(plan)
            job_state.shared_data["plan"] = plan
            self._read_batch(Position(*plan["start"]), job_state)
        for item in position:
            self._read_batch(Position(**item), job_state)

    def _read_batch(self, start: Position, job_state: JobState) -> None:
        plan, state = _plan(job_state), job_state.routine_state()
        rows: list[tuple[int, str, list[str], str]] = []
        source = Path(plan["source"])
        with open_text(source, plan["encoding"]) as file:
            size = source.stat().st_size
            if size < plan["size"]:
                raise ValueError(f"{source}: the file became shorter while it was read")
            file.seek(start.cookie)
            records = Records(file, plan["delimiter"], start.lines)
            record = records.read()
            while record is not None:
                if record.fields or record.problem:
                    rows.append((record.line, record.text, record.fields, record.problem))
                else:
                    state["blank_lines"] = state.get("blank_lines", 0) + 1
                if len(rows) >= plan["batch_size"] and records.can_stop:
                    break
                record = records.read()
            stop = records.position()
            done = min(file.buffer.tell(), size)

        # Only now, with the file closed: from here on nothing fails, and emit may wait for room.
        state["rows"] = state.get("rows", 0) + len(rows)
        job_state.report_progress(done, size, f"{state['rows']:,} rows")
        size_of_chunk = -(-plan["batch_size"] // CHUNKS_PER_BATCH)
        for first in range(0, len(rows), size_of_chunk):
            self.emit("rows", rows=rows[first : first + size_of_chunk])
        if record is None:
            self.emit("finished")
        else:
            self.emit("next", cookie=stop.cookie, lines=stop.lines)


class Validate(Routine):
    """Checks rows against the declared types."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("rows", max_queue_length=2 * CHUNKS_PER_BATCH)
        self.define_event("valid", ["rows"])
        self.define_event("rejected", ["rows"])
        self.set_activation_policy(immediate_policy())

    def logic(self, chunks: list[dict[str, Any]], *, job_state: JobState) -> None:
        check = RowCheck(_plan(job_state))
        for chunk in chunks:
            valid: list[ValidRow] = []
            rejected: list[Reject] = []
            for row in chunk["rows"]:
                check.sort_in(row, valid, rejected)
            if valid:
                self.emit("valid", rows=valid)
            if rejected:
                self.emit("rejected", rows=rejected)


class RowCheck:
    """Whether a row fits the plan; the first thing that is wrong with it counts."""

    def __init__(self, plan: Plan) -> None:
        self._fields = plan["fields"]
        self._encoding = plan["encoding"]
        self._columns = [(name, index, converter(kind)) for name, kind, index in plan["columns"]]

    def sort_in(
        self, row: tuple[int, str, list[str], str], valid: list[ValidRow], rejected: list[Reject]
    ) -> None:
        """Append the row to one of the two lists."""
        line, text, fields, problem = row
        column = value = ""
        try:
            if problem:
                raise ValueError(problem)
            if not is_clean(text):
                raise ValueError(f"bytes that are not {self._encoding}")
            if len(fields) != self._fields:
                value = f"{len(fields)} of {self._fields}"
                raise ValueError("too few fields" if len(fields) < self._fields else "too many fields")
            values: list[Value] = []
            for name, index, convert in self._columns:
                column, value = name, fields[index]
                values.append(convert(value))
        except ValueError as error:
            rejected.append((line, column, value, str(error), text))
        else:
            valid.append((line, text, values))


class Load(Routine):
    """Writes a batch in one transaction."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("rows", max_queue_length=2 * CHUNKS_PER_BATCH)
        self.define_event("refused", ["rows"])
        self.set_activation_policy(batch_size_policy(CHUNKS_PER_BATCH))
        # Nothing is written of a batch that failed, so it may be tried again: mostly another
        # program has locked the database.
        self.set_error_handler(
            ErrorHandler(
                ErrorStrategy.RETRY,
                max_retries=5,
                retry_delay=0.5,
                retryable_exceptions=(sqlite3.OperationalError,),
            )
        )

    def logic(self, chunks: list[dict[str, Any]], *, job_state: JobState) -> None:
        rows: list[ValidRow] = [row for chunk in chunks for row in chunk["rows"]]
        state = job_state.routine_state()
        # Forced cancel must not come between the commit and its being counted.
        with job_state.shielded():
            refused = insert(_plan(job_state), rows)
            state["rows"] = state.get("rows", 0) + len(rows) - len(refused)
            state["batches"] = state.get("batches", 0) + 1
        job_state.report_progress(state["rows"], None, f"{state['batches']:,} batches")
        if refused:
            self.emit("refused", rows=refused)


class RejectRows(Routine):
    """Writes rejected rows to the rejects file and counts the reasons."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("rows", max_queue_length=2 * CHUNKS_PER_BATCH)
        self.set_activation_policy(immediate_policy())

    def logic(self, chunks: list[dict[str, Any]], *, job_state: JobState) -> None:
        rows: list[Reject] = [row for chunk in chunks for row in chunk["rows"]]
        state = job_state.routine_state()
        reasons = state.setdefault("reasons", {})
        with job_state.shielded():
            # Bytes that could not be decoded are written as they were.
            with open(
                _plan(job_state)["rejects"], "a", encoding="utf-8", errors="surrogateescape", newline=""
            ) as file:
                csv.writer(file).writerows(rows)
            state["rows"] = state.get("rows", 0) + len(rows)
            for _, column, _, reason, _ in rows:
                key = f"{column}: {reason}" if column else reason
                reasons[key] = reasons.get(key, 0) + 1
        job_state.report_progress(state["rows"], None, f"{len(reasons)} reasons")


class Report(Routine):
    """Adds up, once everything is read, loaded and rejected."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("finished", max_queue_length=1)
        self.set_activation_policy(when_quiet_policy())

    def logic(self, finished: list[dict[str, Any]], *, job_state: JobState) -> None:
        plan = _plan(job_state)
        read, load, reject = (job_state.routine_state(name) for name in ("read", "load", "reject"))
        loaded, rejected = load.get("rows", 0), reject.get("rows", 0)
        if read["rows"] != loaded + rejected:
            raise RuntimeError(f"{read['rows']} rows were read, but {loaded} loaded and {rejected} rejected")
        started = job_state.started_at or job_state.created_at
        seconds = (datetime.now(UTC) - started).total_seconds()
        reasons = sorted(reject.get("reasons", {}).items(), key=lambda pair: (-pair[1], pair[0]))
        report = {
            "source": plan["source"],
            "database": plan["database"],
            "table": plan["table"],
            "delimiter": plan["delimiter"],
            "columns": {name: kind for name, kind, _ in plan["columns"]},
            "rows_read": read["rows"],
            "rows_loaded": loaded,
            "rows_rejected": rejected,
            "blank_lines": read.get("blank_lines", 0),
            "batches": load.get("batches", 0),
            "reasons": dict(reasons),
            "rejects_file": plan["rejects"],
            "seconds": round(seconds, 3),
            "rows_per_second": round(read["rows"] / seconds) if seconds > 0 else 0,
        }
        publish(job_state, report, as_text(report), job_state.entry_params["output"])


def as_text(report: dict[str, Any]) -> str:
    """The report for people to read."""
    where = f"{report['source']} -> {report['database']}, table {report['table']}"
    rejects = f", see {report['rejects_file']}" if report["rows_rejected"] else ""
    lines = [
        printable(where),
        f"  {report['rows_read']:>12,} rows read in {report['seconds']:.1f} s"
        f" ({report['rows_per_second']:,} a second)",
        f"  {report['rows_loaded']:>12,} rows loaded in {plural(report['batches'], 'batch', 'batches')}",
        f"  {report['rows_rejected']:>12,} rows rejected{printable(rejects)}",
    ]
    lines += [f"  {count:>12,}   {printable(reason)}" for reason, count in report["reasons"].items()]
    return "\n".join(lines)


def build_flow() -> Flow:
    """The flow, see the module's docstring."""
    flow = Flow(
        "csv_to_sqlite",
        params=CsvToSqliteParams,
        description="Load a large CSV file into a SQLite table; rows that do not fit go to a second file",
        # A record of the history holds on to the rows it tells of: a hundred are some ten thousand rows.
        max_history=100,
    )
    flow.add_routine(Read(), "read")
    flow.add_routine(Validate(), "validate")
    flow.add_routine(Load(), "load")
    flow.add_routine(RejectRows(), "reject")
    flow.add_routine(Report(), "report")
    flow.connect("read", "next", "read", "position")
    flow.connect("read", "rows", "validate", "rows")
    flow.connect("read", "finished", "report", "finished")
    flow.connect("validate", "valid", "load", "rows")
    flow.connect("validate", "rejected", "reject", "rows")
    flow.connect("load", "refused", "reject", "rows")
    return flow


flow = build_flow()

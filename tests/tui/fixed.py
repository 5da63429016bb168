"""Pictures that never change, and a backend that shows them and notes what it is told to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from routilux.connection import Connection
from routilux.exceptions import FieldError, ParameterError
from routilux.history import ExecutionRecord, JobError, LogLine
from routilux.loading import FlowDiff, FlowEvent, LoadError, LoadRecord
from routilux.loading.source_diffs import SourceChange
from routilux.loading.tree import Source
from routilux.params import ParameterField
from routilux.snapshot import (
    JobSnapshot,
    JobSummary,
    Progress,
    RoutineSnapshot,
    RuntimeSnapshot,
    SlotSnapshot,
)
from routilux.status import ExecutionStatus as S
from routilux.validation import Finding
from tests.tui.fixed_errors import RAISED
from tui.app import RoutiluxApp
from tui.pictures import Breakage, Catalogue, FlowPicture, JobData, JobDetail, RoutinePicture
from tui.reruns import Rerun
from tui.saved_jobs import SavedJob

NOW = datetime(2025, 6, 12, 12, 4, 55, tzinfo=UTC)
ROOT = Path("/srv/flows")


def clock() -> datetime:
    return NOW


def routine(routine_id: str, slots: str = "items", events: str = "", concurrency: int = 1) -> RoutinePicture:
    return RoutinePicture(routine_id, tuple(slots.split()), tuple(events.split()), concurrency, "")


ETL = FlowPicture(
    name="etl.daily",
    path="etl.py",
    lineno=12,
    description="Fetches the orders of a day, cleans them and loads them into the warehouse.",
    routines=(
        routine("fetch", "trigger", "rows totals"),
        routine("clean", "rows", "good bad again", 4),
        routine("load", "good totals", "loaded"),
        routine("audit", "bad"),
    ),
    connections=(
        Connection("fetch", "rows", "clean", "rows"),
        Connection("fetch", "totals", "load", "totals"),
        Connection("clean", "good", "load", "good"),
        Connection("clean", "bad", "audit", "bad"),
        Connection("clean", "again", "clean", "rows"),
    ),
    entry="fetch",
    declared=True,
    parameters=(
        ParameterField("day", "date", "date", description="The day to load"),
        ParameterField("folder", "path", "Path", description="Where the files are"),
        ParameterField(
            "limit", "int", "int", False, 1000, "At most so many rows", minimum=1, maximum=100_000
        ),
        ParameterField("mode", "choice", "Literal", False, "fast", "How closely to look", ("fast", "exact")),
        ParameterField("dry_run", "bool", "bool", False, False, "Do everything but write"),
        ParameterField("tags", "list", "list[str]", False, ["daily"], "Put on every row"),
        ParameterField(
            "token", "str", "str | None", False, None, "For the warehouse", secret=True, nullable=True
        ),
    ),
    findings=(
        Finding(
            "warning",
            "endless-cycle",
            "clean -> clean",
            "nothing leaves this cycle",
            "stop emitting some time",
        ),
        Finding(
            "info", "unconnected-event", "load.loaded", "no slot is connected to this event", "connect it"
        ),
    ),
)
FREE = FlowPicture(
    name="report.render",
    path="reports/render.py",
    lineno=3,
    description="",
    routines=(routine("render", "trigger"),),
    connections=(),
    entry="render",
    declared=False,
    parameters=(),
    findings=(),
    others=True,
)
NO_ENTRY = FlowPicture(
    name="backfill",
    path="etl.py",
    lineno=40,
    description="Has no entry.",
    routines=(routine("collect", "left right"),),
    connections=(),
    entry=None,
    declared=True,
    parameters=(),
    findings=(
        Finding(
            "error",
            "no-entry",
            "backfill",
            "the flow has no entry, so that nothing runs",
            "define a slot 'trigger'",
        ),
    ),
)


def source_with(logic: str) -> Source:
    """A file whose line 85 and those after it are these."""
    return Source(("# etl\n" * 83 + "class Clean(Routine):\n" + logic).encode(), str(len(logic)))


_BEFORE = """\
    def logic(self, rows):
        for row in rows:
            price = row["price"]
            self.emit("good", row=row)
        self.emit("again")"""
_AFTER = """\
    def logic(self, rows):
        for row in rows:
            price = row["sku"].price
            if price < 0:
                self.emit("bad", row=row)
            self.emit("good", row=row)
        self.emit("again")"""
DIFF = FlowDiff(
    routines_added=("audit",),
    routines_changed=("clean",),
    connections_added=(Connection("clean", "bad", "audit", "bad"),),
    sources=(SourceChange("etl.py", source_with(_BEFORE), source_with(_AFTER)),),
)


def load(generation: int, ago: float, *events: FlowEvent, paths: tuple[str, ...] = ()) -> LoadRecord:
    """A load that was published so many seconds ago."""
    return LoadRecord(generation, NOW - timedelta(seconds=ago), 31.0, paths, events)


BROKEN = LoadError(
    "exception",
    "score.py",
    41,
    "NameError: name 'pd' is not defined",
    'Traceback (most recent call last):\n  File "/srv/flows/score.py", line 41, in <module>\n'
    "    frame = pd.DataFrame()\n            ^^\nNameError: name 'pd' is not defined\n",
)
CATALOGUE = Catalogue(
    ROOT,
    (NO_ENTRY._replace(generation=12), ETL._replace(generation=12), FREE._replace(generation=9)),
    (BROKEN,),
    generation=12,
    breakages=MappingProxyType({"score.py": Breakage(BROKEN, 11, NOW - timedelta(seconds=105))}),
    loads=(
        load(1, 900, *(FlowEvent("added", 1, name, f"{name}.py") for name in ("backfill", "etl", "render"))),
        load(11, 105, FlowEvent("broken", 11, None, "score.py", error=BROKEN), paths=("score.py",)),
        load(12, 2, FlowEvent("changed", 12, "etl.daily", "etl.py", DIFF), paths=("etl.py",)),
    ),
)


def summary(
    number: int,
    status: S,
    flow_name: str = "etl.daily",
    *,
    elapsed: float = 74.0,
    params: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    last_event: str = "clean good",
    error: str = "",
    notices: tuple[str, ...] = (),
) -> JobSummary:
    started = NOW - timedelta(seconds=elapsed)
    return JobSummary(
        job_id=f"{number:04x}beef{number:08x}",
        flow_name=flow_name,
        status=status,
        entry_params=MappingProxyType(
            {"day": "2025-06-12", "limit": 1000} if params is None else dict(params)
        ),
        generation=1,
        created_at=started,
        started_at=None if status is S.PENDING else started,
        ended_at=NOW if status.is_final else None,
        elapsed=0.0 if status is S.PENDING else elapsed,
        activations=25,
        running=1,
        waiting=3,
        dropped=0,
        errors=1 if error else 0,
        progress=progress,
        last_event=last_event,
        error=error,
        notices=notices,
    )


JOBS = (
    summary(0x11, S.COMPLETED, elapsed=5025.0, progress=Progress(10, 10)),
    summary(
        0x12,
        S.COMPLETED,
        "backfill",
        elapsed=0.02,
        params={},
        last_event="",
        notices=("nothing ran: no entry",),
    ),
    summary(0x13, S.FAILED, elapsed=12.4, error="clean: KeyError: 'sku'", progress=Progress(3, 10)),
    summary(0x14, S.CANCELLED, elapsed=3.25),
    summary(0x15, S.INTERRUPTED, elapsed=86_400 * 3 + 7200),
    summary(0x16, S.PAUSED, "report.render", elapsed=1476, params={"id": 77}, last_event="render started"),
    summary(0x17, S.PENDING, "report.render", params={"id": 78}, last_event=""),
    summary(0x18, S.PAUSING, progress=Progress(500, None, "rows")),
    summary(0x19, S.CANCELLING, elapsed=61),
    summary(0x1A, S.RUNNING, progress=Progress(3412, 5000, "rows"), last_event="load activation_started"),
)
RUNNING_ID = JOBS[-1].job_id
FAILED_ID = JOBS[2].job_id


def snapshot(jobs: Sequence[JobSummary] = JOBS, *, busy: int = 6) -> RuntimeSnapshot:
    counts: dict[S, int] = {}
    for job in jobs:
        counts[job.status] = counts.get(job.status, 0) + 1
    return RuntimeSnapshot(NOW, 10, busy, tuple(jobs), MappingProxyType(counts))


def slot(name: str, waiting: int = 0, capacity: int = 1000, dropped: int = 0) -> SlotSnapshot:
    return SlotSnapshot(name, waiting, capacity, waiting + dropped + 9, 9, dropped)


def state(
    routine_id: str,
    state: str,
    *,
    runs: int = 9,
    slots: tuple[SlotSnapshot, ...] = (),
    errors: int = 0,
    retries: int = 0,
    seconds: float = 12.1,
    progress: Progress | None = None,
) -> RoutineSnapshot:
    since = NOW - timedelta(seconds=2.1) if state == "running" else None
    running = 1 if state == "running" else 0
    return RoutineSnapshot(
        routine_id, state, runs, running, slots, 0, errors, retries, seconds, since, progress
    )


def detail(job: JobSummary) -> JobDetail:
    errors: tuple[JobError, ...] = ()
    if job.errors:
        trace = (
            "Traceback (most recent call last):\n"
            '  File "/srv/flows/etl.py", line 88, in logic\n'
            '    price = row["sku"].price\n'
            "            ~~~^^^^^^^\n"
            "KeyError: 'sku'\n"
        )
        data = {"rows": [{"order": 1017, "lines": [{"name": "lamp", "count": 2}], "day": NOW.date()}]}
        errors = (
            JobError("clean", "price is negative", "ValueError", "", {}, NOW - timedelta(seconds=9), False),
            JobError("clean", "'sku'", "KeyError", trace, data, NOW, True, None, RAISED),
        )
    routines = (
        state("fetch", "done", runs=12, slots=(slot("trigger"),)),
        state(
            "clean", "running", slots=(slot("rows", 3),), seconds=31, progress=Progress(3412, 5000, "rows")
        ),
        state("load", "waiting", runs=0, slots=(slot("good", 1000), slot("totals")), seconds=0),
        state("audit", "retrying", runs=2, slots=(slot("bad", 2, 10, 14),), errors=3, retries=2, seconds=0.4),
    )
    waits = (
        ""
        if job.status.is_final
        else f"{job.status.value}: clean (running, 2.1 s); audit (attempt 2 is due in 4.0 s)"
    )
    left = {"load.good": 1000} if job.status.is_final else {}
    return JobDetail(JobSnapshot(job, routines, waits, 41, 1, 40, 0, MappingProxyType(left)), errors)


def log_lines(count: int = 40) -> list[LogLine]:
    levels = ("INFO", "PRINT", "WARNING", "DEBUG", "ERROR", "STDERR", "CRITICAL")
    return [
        LogLine(
            number,
            NOW - timedelta(seconds=count - number),
            levels[number % len(levels)],
            ("fetch", "clean", "")[number % 3],
            f"line {number}: sku missing, used fallback" + (" and\na second line" if number % 9 == 8 else ""),
        )
        for number in range(count)
    ]


def records() -> list[ExecutionRecord]:
    kinds: tuple[tuple[str, Any], ...] = (
        ("activation_started", {"rows": [{"order": 1017, "count": 2}]}),
        ("good", {"row": {"order": 1017}}),
        ("activation_ended", None),
        ("activation_failed", "KeyError: 'sku'"),
        ("retry_scheduled", "KeyError: 'sku'"),
        ("routine_skipped", 3),
    )
    return [
        ExecutionRecord(1 + at, NOW - timedelta(seconds=40 - at), "clean", *kinds[at % len(kinds)])
        for at in range(40)
    ]


class FixedKeeper:
    """Saves nothing. `refuses` are the reasons it gives, by job; `kept` what it says was saved."""

    def __init__(self, orders: list[tuple[Any, ...]]) -> None:
        self.orders = orders
        self.refuses: dict[str, str] = {}
        self.kept: list[SavedJob] = []

    def save(self, job_ids: Iterable[str]) -> Mapping[str, str]:
        job_ids = list(job_ids)
        self.orders.append(("save", *job_ids))
        return {job_id: self.refuses[job_id] for job_id in job_ids if job_id in self.refuses}

    def forget(self, job_ids: Iterable[str]) -> Mapping[str, str]:
        self.orders.append(("forget", *sorted(job_ids)))
        return {}

    def saved(self) -> Sequence[SavedJob]:
        return self.kept

    def carry_on(self, job: SavedJob) -> str:
        if job.job_id in self.refuses:
            raise ValueError(self.refuses[job.job_id])
        self.orders.append(("carry_on", job.job_id))
        return job.job_id

    def discard(self, job: SavedJob) -> None:
        self.orders.append(("discard", job.job_id))

    def close(self) -> None:
        pass


class FixedBackend:
    """Shows one snapshot until it is given another. `orders` are the calls that would change something."""

    root = ROOT

    def __init__(self, jobs: Sequence[JobSummary] = JOBS, catalogue: Catalogue = CATALOGUE) -> None:
        self.picture = snapshot(jobs)
        self.catalogue = catalogue
        self.orders: list[tuple[Any, ...]] = []
        # Jobs that answer False to whatever they are told.
        self.refusing: set[str] = set()
        self.remembered: dict[str, list[Mapping[str, Any]]] = {}
        self.snapshots = 0
        self.on_save: set[str] = set()
        self.reruns_told: list[Rerun] = []
        self._changed = True
        self.lines = log_lines()
        self.standing: Sequence[LogLine] = ()
        self.records = records()
        self.drawn = ETL
        self.errors: tuple[JobError, ...] | None = None
        self.held = JobData({"day": "2025-06-12"}, {}, ())
        self.keeper = FixedKeeper(self.orders)

    def give(self, jobs: Sequence[JobSummary]) -> None:
        """The runtime's next picture."""
        self.picture = snapshot(jobs)
        self._changed = True

    def load(self) -> Catalogue:
        return self.catalogue

    def catalogue_shown(self) -> None: ...

    def describe(self, flow_name: str) -> FlowPicture | None:
        return self.catalogue.flow(flow_name)

    def changed(self) -> bool:
        changed, self._changed = self._changed, False
        return changed

    def snapshot(self) -> RuntimeSnapshot:
        self.snapshots += 1
        return self.picture

    def detail(self, job_id: str) -> JobDetail | None:
        job = next((job for job in self.picture.jobs if job.job_id == job_id), None)
        told = None if job is None else detail(job)
        return told if told is None or self.errors is None else told._replace(errors=self.errors)

    def log(self, job_id: str, since: int) -> Sequence[LogLine]:
        return self.lines[since:]

    def unfinished(self, job_id: str) -> Sequence[LogLine]:
        return self.standing

    def log_total(self, job_id: str) -> int:
        return len(self.lines)

    def history(self, job_id: str, since: int) -> Sequence[ExecutionRecord]:
        return [record for record in self.records if record.sequence >= since]

    def graph(self, job_id: str) -> FlowPicture | None:
        return self.drawn

    def data(self, job_id: str) -> JobData | None:
        return self.held

    def check(self, flow_name: str, values: Mapping[str, Any]) -> None:
        errors = []
        if flow_name == "etl.daily":
            errors = [
                FieldError(name, "a value is missing") for name in ("day", "folder") if name not in values
            ]
            if values.get("day") == "yesterday":
                errors.append(
                    FieldError("day", "'yesterday' is no date; write it as 2025-06-12", "yesterday")
                )
            if not str(values.get("limit", 1)).isdigit():
                errors.append(FieldError("limit", "'ab' is no whole number", values["limit"]))
        if errors:
            raise ParameterError(flow_name, tuple(errors))

    def start(self, flow_name: str, values: Mapping[str, Any]) -> str:
        # What jobs have was good when they were started.
        if not values or values not in [job.entry_params for job in self.picture.jobs]:
            self.check(flow_name, values)
        self.orders.append(("start", flow_name, dict(values)))
        job = summary(0x20 + len(self.orders), S.RUNNING, flow_name, elapsed=0.1, params=values)
        self.remembered.setdefault(flow_name, []).insert(0, dict(values))
        self.give((*self.picture.jobs, job))
        return job.job_id

    def given(self, job: JobSummary) -> Mapping[str, Any]:
        return job.entry_params

    @property
    def reruns(self) -> frozenset[str]:
        return frozenset(self.on_save)

    def toggle_rerun(self, flow_name: str) -> bool:
        self.orders.append(("toggle_rerun", flow_name))
        self.on_save ^= {flow_name}
        return flow_name in self.on_save

    def rerun_news(self) -> Sequence[Rerun]:
        news, self.reruns_told = self.reruns_told, []
        return news

    def earlier(self, flow_name: str) -> Sequence[Mapping[str, Any]]:
        return self.remembered.get(flow_name, [])

    def pause(self, job_id: str) -> bool:
        self.orders.append(("pause", job_id))
        return job_id not in self.refusing

    def resume(self, job_id: str) -> bool:
        self.orders.append(("resume", job_id))
        return job_id not in self.refusing

    def cancel(self, job_id: str, *, force: bool = False) -> bool:
        self.orders.append(("cancel", job_id, force))
        return job_id not in self.refusing

    def close(self) -> None:
        self.orders.append(("close",))


def app(
    jobs: Sequence[JobSummary] = JOBS, *, catalogue: Catalogue = CATALOGUE, theme: str = "textual-dark"
) -> RoutiluxApp:
    """The app on fixed data; its backend is `app.backend`."""
    return RoutiluxApp(FixedBackend(jobs, catalogue), catalogue=catalogue, clock=clock, theme=theme)

"""All jobs of one snapshot, a row each, the newest first."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from routilux.snapshot import JobSummary, Progress, RuntimeSnapshot
from routilux.status import ExecutionStatus
from tui.filters import Filter, parse_filter
from tui.formats import bar, brief, duration, parameters_line, short_id
from tui.glyphs import STATUS, WIDEST_STATUS, status_span
from tui.keys import key_named
from tui.spans import BLANK, Line, Span, fit, wrap
from tui.widgets.cursor import CursorPane

FIELDS: Final = frozenset({"id", "flow", "state", "params", "error"})
# The engine's own events in fewer words: "hash activation_started" is "hash started".
_LAST: Final = re.compile(" (?:activation|routine)_(started|ended|failed|skipped)$")


class Columns(NamedTuple):
    """How wide each column is; 0 where there is no room for it."""

    flow: int
    params: int
    elapsed: int
    bar: int
    percent: int
    last: int


def arrange(columns: int, widest_flow: int, *, progress: bool, params: bool) -> Columns:
    """Share a row out: state, id, flow and elapsed always, then progress, parameters, last event."""
    room = columns - (WIDEST_STATUS + 1) - (6 + 1) - (7 + 1)
    flow = min(max(widest_flow, 4), max(8, room // 3))
    room -= flow + 1
    percent = 5 if progress and room >= 5 else 0
    room -= percent
    width = 0
    if percent and room >= 24:
        width = 10 if room >= 60 else 5
        room -= width + 1
    first = min(40, room // 2) if params and room >= 22 else 0
    room -= first + (1 if first else 0)
    return Columns(flow, first, 7, width, percent, max(room, 0))


class JobTable(CursorPane):
    """Pane 4. The key of a row is the job's id."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, classes="pane")
        self._snapshot: RuntimeSnapshot | None = None
        self._rows: Sequence[JobSummary] = ()
        self._held: Mapping[str, float] = MappingProxyType({})
        self._filter = Filter()
        # Job id -> a summary and what is searched of it, while there is a filter: making that is what costs.
        self._texts: dict[str, tuple[JobSummary, Mapping[str, str]]] = {}
        self._columns = arrange(80, 12, progress=False, params=True)
        self._headed: tuple[int, ...] = ()
        self._no_jobs: list[Line] = []

    # ---- what it is given

    def show(self, snapshot: RuntimeSnapshot, held_for: Mapping[str, float]) -> None:
        """Show the jobs of a snapshot; only rows that differ are painted."""
        self._snapshot = snapshot
        self._held = held_for
        self._arrange()

    def show_when_empty(self, lines: list[Line]) -> None:
        """What stands here while there are no jobs."""
        self._no_jobs = lines
        self.lines_changed()

    @property
    def filter(self) -> Filter:
        return self._filter

    def set_filter(self, text: str) -> None:
        self._filter = parse_filter(text, FIELDS)
        if not self._filter:
            self._texts.clear()
        self._arrange()

    @property
    def chosen_job(self) -> JobSummary | None:
        return self._rows[self._at] if self.chosen is not None and self._at < len(self._rows) else None

    def copied(self) -> str:
        """The whole id of the chosen job."""
        return self.chosen or ""

    # ---- rows

    def _arrange(self) -> None:
        jobs = self._snapshot.jobs if self._snapshot is not None else ()
        if self._filter:
            rows = [job for job in reversed(jobs) if self._passes(job)]
            if len(self._texts) > 2 * len(jobs):
                alive = {job.job_id for job in jobs}
                self._texts = {key: value for key, value in self._texts.items() if key in alive}
            self._rows = rows
        else:
            self._rows = jobs[::-1]
        total = f"{len(self._rows)}/{len(jobs)}" if self._filter else f"{len(jobs)}"
        self.set_title(f"4 Jobs {total}", f"/{self._filter.text}" if self._filter else "")
        self._measure()
        self.rows_changed()

    def _measure(self) -> None:
        """The columns follow what the visible rows need, and change rarely."""
        seen = self._rows[: self.size.height * 4 + 50]
        widest = max((len(job.flow_name) for job in seen), default=0)
        progress = any(job.progress is not None for job in seen)
        params = any(job.entry_params for job in seen)
        columns = arrange(self.columns - 1, min(widest, 24), progress=progress, params=params)
        if columns != self._columns:
            self._columns = columns
            self.refresh()

    def on_resize(self) -> None:
        self._measure()
        super().on_resize()

    def _passes(self, job: JobSummary) -> bool:
        known = self._texts.get(job.job_id)
        if known is None or known[0] is not job:
            known = self._texts[job.job_id] = (job, _searched(job))
        return self._filter.passes(known[1])

    def row_count(self) -> int:
        return len(self._rows)

    def row_key(self, row: int) -> str:
        return self._rows[row].job_id

    def line_count(self) -> int:
        return len(self._rows) or len(self._nothing())

    def line(self, y: int) -> Line:
        return super().line(y) if self._rows else self._nothing()[y]

    def row_line(self, y: int) -> Line:
        job = self._rows[y]
        columns = self._columns
        spans: list[Span] = [
            status_span(job.status, WIDEST_STATUS + 1),
            (short_id(job.job_id).ljust(7), "muted"),
            (fit(job.flow_name, columns.flow) + " ", "strong"),
        ]
        if columns.params:
            spans.append((fit(parameters_line(job.entry_params), columns.params) + " ", "muted"))
        spans.append((duration(job.elapsed).rjust(columns.elapsed) + " ", "text"))
        spans.extend(self._progress(job.progress))
        if columns.last:
            spans.append(self._last(job, columns.last))
        return spans

    def _progress(self, progress: Progress | None) -> Line:
        columns = self._columns
        if not columns.percent:
            return ()
        fraction = progress.fraction if progress is not None else None
        if fraction is None:
            done = "" if progress is None else brief(progress.done)
            return ((fit(done, columns.bar + columns.percent + (1 if columns.bar else 0) - 1) + " ", "text"),)
        percent = (f"{fraction:.0%}".rjust(columns.percent - 1) + " ", "text")
        return (*bar(fraction, columns.bar), (" ", "text"), percent) if columns.bar else (percent,)

    def _last(self, job: JobSummary, columns: int) -> Span:
        if job.error and job.status in (ExecutionStatus.FAILED, ExecutionStatus.CANCELLING):
            return fit(job.error, columns), "failed"
        held = self._held.get(job.job_id)
        if held is not None:
            return fit(f"{STATUS[job.status].word} for {duration(held)}", columns), "muted"
        if job.notices:
            return fit(job.notices[-1], columns), "warning"
        return fit(_LAST.sub(r" \1", job.last_event), columns), "muted"

    def _nothing(self) -> list[Line]:
        if self._filter:
            columns = max(self.columns - 1, 8)
            total = len(self._snapshot.jobs) if self._snapshot is not None else 0
            said = wrap(f"No job passes the filter /{self._filter.text}, which hides {total:,}", columns)
            return [((f" {part}", "muted"),) for part in (*said, f"{key_named('back').first} clears it")]
        return self._no_jobs or [((" no jobs yet", "muted"),), BLANK]


def _searched(job: JobSummary) -> Mapping[str, str]:
    """What a filter looks at, by field, in lower case."""
    return {
        "id": job.job_id.lower(),
        "flow": job.flow_name.lower(),
        "state": job.status.value,
        "params": parameters_line(job.entry_params).lower(),
        "error": f"{job.error} {job.last_event}".lower(),
    }

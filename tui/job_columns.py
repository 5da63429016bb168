"""The columns of the job table: which of them fit, and what stands in each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from routilux.snapshot import JobSummary, Progress
from routilux.status import ExecutionStatus
from tui.formats import bar, brief, duration, short_id
from tui.glyphs import STATUS, WIDEST_STATUS, status_span
from tui.job_search import last_event
from tui.ranking import Sort
from tui.spans import Line, Span, fit

# From so many columns on the state is said in a word besides its glyph.
_WORDS: Final = 96
_ID: Final = 6
_ELAPSED: Final = 7
_PERCENT: Final = 4
_WIDEST_FLOW: Final = 24
_USUAL_PARAMS: Final = 40
_LEAST_LAST: Final = 24
_STEP: Final = 8
_S: Final = ExecutionStatus


class Needs(NamedTuple):
    """What the jobs that are seen have to show. `generation`: the width of the greatest; 0: none is known.
    `params_width` and `last`: the width of the longest parameters, and about that of what happened last."""

    flow: int = 4
    params: bool = True
    generation: int = 0
    progress: bool = False
    params_width: int = 0
    last: int = 0

    def and_widths(self, params: int, last: int) -> Needs:
        """What a row with texts of such widths needs, and those others. What happened last changes all the
        time, and is counted in steps: no column is to move with each character."""
        last = -(-last // _STEP) * _STEP
        return self._replace(params_width=max(self.params_width, params), last=max(self.last, last))

    def and_of(self, jobs: Sequence[JobSummary]) -> Needs:
        """What these need and those others."""
        newest = max((job.generation or 0 for job in jobs), default=0)
        return self._replace(
            flow=max(self.flow, min(max((len(job.flow_name) for job in jobs), default=0), _WIDEST_FLOW)),
            params=self.params or any(job.entry_params for job in jobs),
            generation=max(self.generation, len(str(newest)) if newest else 0),
            progress=self.progress or any(job.progress is not None for job in jobs),
        )


class Column(NamedTuple):
    """`name` is also what its title sorts by. One column is free after each."""

    name: str
    title: str
    width: int


def arrange(columns: int, needs: Needs) -> tuple[Column, ...]:
    """Share a row out: state, id, flow and elapsed always; then what is known of generation, progress,
    parameters, and the rest for what happened last."""
    state = WIDEST_STATUS if columns >= _WORDS else 1
    room = columns - (state + 1) - (_ID + 1) - (_ELAPSED + 1)
    flow = min(max(needs.flow, 4), max(8, room // 3))
    room -= flow + 1
    generation = needs.generation if room >= 30 else 0
    room -= generation + 1 if generation else 0
    progress = 0
    if needs.progress and room >= 16:
        progress = _PERCENT + (11 if room >= 52 else 6 if room >= 34 else 0)
        room -= progress + 1
    params = min(_USUAL_PARAMS, room // 2) if needs.params and room >= 24 else 0
    if params == _USUAL_PARAMS:
        # More of what is left where they need it, and what happened last does not.
        params = max(params, min(needs.params_width, room - 1 - max(needs.last, _LEAST_LAST)))
    room -= params + 1 if params else 0
    chosen = [
        Column("state", "state" if state > 1 else "S", state),
        Column("started", "id", _ID),
        Column("flow", "flow", flow),
        Column("parameters", "parameters" if params >= 12 else "params", params),
        Column("generation", "gen" if generation >= 3 else "g", generation),
        Column("elapsed", "elapsed", _ELAPSED),
        Column("progress", "progress" if progress >= 8 else "done", progress),
        Column("", "last event", room if room >= 6 else 0),
    ]
    return tuple(column for column in chosen if column.width)


# As a configuration names them, where that differs from what the list sorts by.
_CALLED: Final = {"id": "started", "params": "parameters", "last": ""}
# Who takes the room of those that are left out, the first that is there.
_TAKERS: Final = ("", "parameters", "flow")


def pick(columns: Sequence[Column], wanted: Sequence[str]) -> tuple[Column, ...]:
    """Those of the columns that are wanted, in that order; all of them where nothing is said. A wanted
    column that does not fit stays away."""
    if not wanted:
        return tuple(columns)
    by_name = {column.name: column for column in columns}
    picked = [by_name[name] for name in (_CALLED.get(each, each) for each in wanted) if name in by_name]
    spare = sum(column.width + 1 for column in columns if column not in picked)
    taker = next((name for name in _TAKERS if any(column.name == name for column in picked)), None)
    return tuple(
        column._replace(width=column.width + spare) if column.name == taker else column for column in picked
    )


def head(columns: Sequence[Column], sort: Sort) -> Line:
    """The titles; the one that is sorted by says so, but for the id's, which no job is sorted by: it stands
    for the time when the job was started, which the border names."""
    spans: list[Span] = []
    for column in columns:
        sorted_by = column.name == sort.by != "started"
        title = column.title
        if sorted_by:
            arrow = "▼" if sort.down else "▲"
            title = f"{title[: max(0, column.width - 1)]}{arrow}"
        right = column.name in ("elapsed", "generation")
        spans.append((fit(title, column.width, right=right), "title" if sorted_by else "muted"))
        spans.append((" ", "muted"))
    return spans


def column_at(columns: Sequence[Column], x: int) -> Column | None:
    """The column at a distance from the first."""
    for column in columns:
        if x <= column.width:
            return column if x >= 0 else None
        x -= column.width + 1
    return None


def cells(job: JobSummary, columns: Sequence[Column], params: str, held: float | None) -> Line:
    """A row. `held`: for how many seconds the job has been pausing or cancelling."""
    spans: list[Span] = []
    worded = True
    for name, _, width in columns:
        if name == "state":
            worded = width > 1
            spans.append(status_span(job.status, width))
        elif name == "started":
            spans.append((short_id(job.job_id).ljust(width), "muted"))
        elif name == "flow":
            spans.append((fit(job.flow_name, width), "strong"))
        elif name == "parameters":
            spans.append((fit(params, width), "muted"))
        elif name == "generation":
            number = "" if job.generation is None else str(job.generation)
            spans.append((fit(number, width, right=True), "muted"))
        elif name == "elapsed":
            spans.append((duration(job.elapsed).rjust(width), "text"))
        elif name == "progress":
            spans += _progress(job.progress, width)
        else:
            text, role = last_words(job, held, worded=worded)
            spans.append((fit(text, width), role))
        spans.append((" ", "text"))
    return spans


def _progress(progress: Progress | None, width: int) -> Line:
    fraction = progress.fraction if progress is not None else None
    if fraction is None:
        return ((fit("" if progress is None else brief(progress.done), width), "text"),)
    percent = (f"{fraction:.0%}".rjust(_PERCENT), "text")
    room = width - _PERCENT - 1
    return (*bar(fraction, room), (" ", "text"), percent) if room > 0 else (percent,)


def last_words(job: JobSummary, held: float | None, *, worded: bool) -> Span:
    """What went wrong, is waited for, or happened last. `worded`: the state stands there in a word."""
    word = STATUS[job.status].word
    if job.error and job.status in (_S.FAILED, _S.CANCELLING):
        return job.error, "failed"
    if held is not None:
        return f"{word} for {duration(held)}", "muted"
    if job.notices:
        return job.notices[-1], "warning"
    event = last_event(job)
    if job.status is _S.PAUSED and event:
        return f"paused at {event.partition(' ')[0]}", "paused"
    if job.status is _S.RUNNING and not job.running and job.waiting:
        several = "s wait" if job.waiting > 1 else " waits"
        return f"{job.waiting:,} item{several}", "muted"
    if not worded and (job.status in _TOLD or not event):
        event = f"{word}: {event}" if event else word
    return event, "muted"


# States whose glyph alone would leave one guessing.
_TOLD: Final[frozenset[ExecutionStatus]] = frozenset(
    {_S.PENDING, _S.PAUSING, _S.CANCELLING, _S.INTERRUPTED, _S.CANCELLED}
)

"""What the main screen can write to a file, or copy as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from routilux.safe_text import Secrets
from tui.backend import Backend
from tui.export import Export, default_name, error_pieces, history_pieces, log_pieces
from tui.job_json import as_json, data_tree, job_tree
from tui.widgets.job_pane import JobPane


def export_of(backend: Backend, job_id: str, pane: JobPane, tab: str) -> Export | None:
    """The log in the Log tab, the history, the data, the errors in theirs; elsewhere the whole job.

    Of log and history what their filters show. None where the job is no longer there.
    """
    detail = backend.detail(job_id)
    if detail is None:
        return None
    summary = detail.snapshot.summary
    secrets = Secrets.of(summary.entry_params)
    name = partial(default_name, job_id, summary.flow_name)
    if tab == "Log":
        view, lines = pane.more().log_view, backend.log(job_id, 0)
        shown = [line for line in lines if view.rows.passes(line)] if view.filters else lines
        what = _narrowed("the log", len(shown), len(lines), "lines", " · ".join(view.filters))
        count = _count(len(shown), "line", detail.snapshot.log_dropped)
        pieces = partial(log_pieces, shown, detail.snapshot.log_dropped, summary.created_at.tzinfo)
        return Export(what, name("log", ".txt"), count, pieces)
    if tab in ("History", "Timeline"):
        records, dropped = backend.history(job_id, 0), detail.snapshot.history_dropped
        what, total, narrowed = "the history", len(records), pane.more().history.filter
        if tab == "History" and narrowed:
            records = [record for record in records if pane.more().history.passes(record)]
            what = _narrowed(what, len(records), total, "records", f"/{narrowed.text}")
        count = _count(len(records), "record", dropped)
        return Export(what, name("history", ".jsonl"), count, lambda _: history_pieces(records, secrets))
    if tab == "Data":
        data = backend.data(job_id)
        if data is None:
            return None
        return Export(
            "the data",
            name("data", ".json"),
            "the data",
            lambda _: [as_json(data_tree(data, secrets), secrets)],
        )
    if tab == "Error":
        count = _count(len(detail.errors), "error", 0)
        return Export("the errors", name("errors", ".txt"), count, lambda _: error_pieces(detail.errors))
    text = job_text(backend, job_id)
    return Export("the whole job", name("job", ".json"), "the job", lambda _: _lazily(text))


def job_text(backend: Backend, job_id: str) -> partial[str]:
    """What makes the job's JSON, with all it needs of the runtime fetched here, in the screen's thread."""
    detail = backend.detail(job_id)
    if detail is None:
        return partial(str)
    data = backend.data(job_id)
    history, log = backend.history(job_id, 0), backend.log(job_id, 0)
    secrets = Secrets.of(detail.snapshot.summary.entry_params)

    def make() -> str:
        return as_json(job_tree(detail.snapshot, data, detail.errors, history, log), secrets)

    return partial(make)


def _lazily(text: partial[str]) -> Iterator[str]:
    yield text()


def _narrowed(what: str, shown: int, total: int, unit: str, by: str) -> str:
    """What is exported, with what of it a filter leaves: `the log: 3 of 40 lines, level: errors`."""
    return f"{what}: {shown:,} of {total:,} {unit}, {by}" if by else what


def _count(number: int, what: str, dropped: int) -> str:
    said = f"{number:,} {what}{'s' * (number != 1)}"
    return f"{said}, {dropped:,} older ones are no longer kept," if dropped else said

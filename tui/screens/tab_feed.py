"""Brings the shown tab of the chosen job what it alone needs, when that can have changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from tui.backend import Backend
from tui.pictures import JobDetail
from tui.widgets.job_pane import JobPane
from tui.widgets.overview import RECENT


class TabFeed:
    """Asked once a frame, in the screen's thread."""

    def __init__(self, backend: Backend, pane: JobPane, clock: Callable[[], datetime]) -> None:
        self._backend = backend
        self._pane = pane
        self._clock = clock

    def bring(self, detail: JobDetail | None) -> None:
        """Bring what is new since the last time."""
        if detail is None or detail.snapshot.job_id != self._pane.job_id:
            return
        if self._pane.tab == "Overview":
            self._bring_recent(detail)
        elif self._pane.tab == "Log":
            self._bring_log(detail)
        elif self._pane.tab == "History":
            self._bring_history(detail)
        elif self._pane.tab == "Timeline":
            self._bring_timeline(detail)
        elif self._pane.tab == "Graph":
            self._pane.show_graph(self._backend.graph(detail.snapshot.job_id), detail.snapshot)
        elif self._pane.tab == "Data":
            self._pane.show_data(self._backend.data(detail.snapshot.job_id))

    def _bring_recent(self, detail: JobDetail) -> None:
        snapshot = detail.snapshot
        if snapshot.log_total != self._pane.recent_total:
            # More than are shown: those that repeat one another take one row.
            since = max(0, snapshot.log_total - 5 * RECENT)
            self._pane.show_recent(self._backend.log(snapshot.job_id, since), snapshot.log_total)

    def _bring_log(self, detail: JobDetail) -> None:
        snapshot, pane = detail.snapshot, self._pane
        pane.more().log_view.count(self._clock(), snapshot.log_total, ended=snapshot.status.is_final)
        # In this order: a line that ends in between comes with the next frame, and stands here until then.
        unfinished = self._backend.unfinished(snapshot.job_id)
        lines = self._backend.log(snapshot.job_id, pane.log_sequence)
        if unfinished:
            lines = [line for line in lines if line.sequence < unfinished[0].sequence]
        pane.show_log(lines, unfinished)

    def _bring_history(self, detail: JobDetail) -> None:
        snapshot, view = detail.snapshot, self._pane.more().history
        if snapshot.history_total > view.next_sequence:
            records = self._backend.history(snapshot.job_id, view.next_sequence)
            self._pane.show_history(records, snapshot.history_dropped)

    def _bring_timeline(self, detail: JobDetail) -> None:
        snapshot, lanes = detail.snapshot, self._pane.more().timeline.lanes
        records = self._backend.history(snapshot.job_id, lanes.next_sequence)
        self._pane.show_timeline(snapshot, records)

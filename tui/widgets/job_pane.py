"""Pane 5: the chosen job, in tabs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING, ClassVar, Final, Protocol

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import ContentSwitcher

from routilux.history import ExecutionRecord, LogLine
from routilux.snapshot import JobSnapshot
from tui.filters import Filter
from tui.formats import short_id
from tui.keys import bindings_of
from tui.pictures import FlowPicture, JobData, JobDetail
from tui.spans import clean, cut
from tui.widgets.bars import TabBar
from tui.widgets.cursor import CursorPane
from tui.widgets.doc import DocPane
from tui.widgets.lines import LinePane
from tui.widgets.overview import Overview

if TYPE_CHECKING:
    from tui.widgets.more_tabs import MoreTabs

TABS: Final = ("Overview", "Log", "History", "Timeline", "Graph", "Data", "Error")


class Filtered(Protocol):
    """What takes a filter, or a text to search; `PURPOSE` says which."""

    PURPOSE: ClassVar[str]

    @property
    def filter(self) -> Filter: ...

    def set_filter(self, text: str) -> None: ...


class JobPane(Vertical, inherit_bindings=False):
    """The tabs of one job. Whoever feeds it asks `tab` and `log_sequence` for what to bring.

    All but the Overview are made, and their modules imported, when something asks for the first of them: no
    first frame waits for them.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("job")]

    class TabChanged(Message):
        """Another tab is shown and wants its data."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, classes="pane")
        self._tab = TABS[0]
        self._job_id: str | None = None
        self._zone: tzinfo | None = None
        self._title = ""
        self._words = ""
        self.overview = Overview(id="overview")
        self._more: MoreTabs | None = None
        self.log_sequence = 0
        self.recent_total = 0

    def compose(self) -> ComposeResult:
        yield TabBar(id="tabs")
        with ContentSwitcher(initial="overview", id="tab-content"):
            yield self.overview

    def more(self) -> MoreTabs:
        """The other tabs. The first time this takes a moment."""
        if self._more is None:
            from tui.widgets.more_tabs import MoreTabs

            self._more = more = MoreTabs()
            for widget in more.widgets:
                widget.display = False
            self.query_one(ContentSwitcher).mount(*more.widgets)
            more.clear(self._zone)
        return self._more

    # ---- what it is given

    def show_job(self, job_id: str | None, zone: tzinfo | None) -> None:
        """Another job is chosen: forget what was known of the one before."""
        if job_id == self._job_id:
            return
        self._job_id, self._zone = job_id, zone
        self.log_sequence = 0
        self.overview.forget(zone)
        self.recent_total = 0
        if job_id is None:
            self.overview.show(None)
        if self._more is not None:
            self._more.clear(zone)
        self._label(None)

    def show_detail(self, detail: JobDetail | None) -> None:
        """The job's picture of this frame."""
        self._label(detail)
        self.overview.show(detail)
        errors = () if detail is None else detail.errors
        if self._tab == "Error":
            self.more().error_view.show(errors, self._zone)
        self._show_tabs()

    def show_log(self, lines: Sequence[LogLine], unfinished: Sequence[LogLine] = ()) -> None:
        """What was logged since the last time, and the lines that are not ended yet."""
        if lines:
            self.log_sequence = lines[-1].sequence + 1
        self.more().log_view.append(lines, unfinished)
        self._show_tabs()

    def show_recent(self, lines: Sequence[LogLine], total: int) -> None:
        """The newest lines of the log, for the Overview, and how many were ever logged."""
        self.recent_total = total
        self.overview.show_recent(lines, self._zone)

    def show_history(self, records: Sequence[ExecutionRecord], dropped: int) -> None:
        """The records that were made since; `dropped` older ones are no longer kept."""
        self.more().history.append(records, dropped)
        self._show_tabs()

    def show_timeline(self, snapshot: JobSnapshot, records: Sequence[ExecutionRecord]) -> None:
        """The job now, and the records that were made since."""
        self.more().timeline.lanes.show(snapshot, records)
        self._show_tabs()

    def show_graph(self, flow: FlowPicture | None, snapshot: JobSnapshot) -> None:
        """The job's flow, and where its routines stand."""
        self.more().graph.show(flow, snapshot)
        self._show_tabs()

    def show_data(self, data: JobData | None) -> None:
        """What the job holds."""
        self.more().data.show(data)
        self._show_tabs()

    # ---- tabs

    @property
    def job_id(self) -> str | None:
        return self._job_id

    @property
    def tab(self) -> str:
        return self._tab

    @property
    def content(self) -> LinePane:
        """The widget of the shown tab."""
        return self.overview if self._tab == TABS[0] else self.more().contents[self._tab]

    @property
    def filtered(self) -> Filtered | None:
        """The shown tab, where it can be filtered or searched."""
        return None if self._tab == TABS[0] else self.more().filtered.get(self._tab)

    def go_to_tab(self, name: str) -> None:
        """Show a tab; the focus goes with it if it was in this pane."""
        if name == self._tab:
            return
        had_focus = self.has_focus_within
        self.more()
        self._tab = name
        self.query_one(ContentSwitcher).current = name.lower()
        if had_focus:
            self.screen.set_focus(self.content)
        self._show_tabs()
        self.post_message(self.TabChanged())

    @property
    def routine_looked_at(self) -> str | None:
        """The routine that the row under the cursor is about."""
        match self._tab:
            case "Log":
                return self.more().log_view.routine_in_view
            case "History":
                record = self.more().history.chosen_record
                return record.routine_id if record is not None else None
            case _:
                row = self.content.row if isinstance(self.content, DocPane) else None
                return row.routine or None if row is not None else None

    def action_next_tab(self) -> None:
        self.go_to_tab(TABS[(TABS.index(self._tab) + 1) % len(TABS)])

    def action_previous_tab(self) -> None:
        self.go_to_tab(TABS[(TABS.index(self._tab) - 1) % len(TABS)])

    def on_cursor_pane_entered(self, event: CursorPane.Entered) -> None:
        """From a routine of the Overview to what it did; from a record to its data."""
        row = self.overview.row
        more = self._more
        if more is not None and event.pane is more.history and not more.history_tab.is_open:
            event.stop()
            more.history_tab.open()
        elif event.pane is self.overview and row is not None and row.routine:
            event.stop()
            self.go_to_tab("History")
            self.more().history.set_filter(f"routine:{row.routine}")
            self._show_tabs()

    def on_cursor_pane_moved(self, event: CursorPane.Moved) -> None:
        if self._more is not None and event.pane is self._more.history:
            self._more.history_tab.show()

    def on_history_view_changed(self) -> None:
        self._show_tabs()

    def step_back(self) -> bool:
        """Leave what was opened inside of the shown tab, or show what its keys have hidden; False where
        nothing was."""
        if self._tab == "Log" and not self.more().log_view.filter:
            return self.more().log_view.step_back()
        return self._tab == "History" and self.more().history_tab.close()

    def on_mount(self) -> None:
        self._label(None)

    def on_resize(self) -> None:
        self._show_tabs()

    def on_log_view_changed(self) -> None:
        self._show_tabs()

    def on_error_view_changed(self) -> None:
        self._show_tabs()

    def on_lanes_changed(self) -> None:
        self._show_tabs()

    def on_graph_view_changed(self) -> None:
        self._show_tabs()

    def _show_tabs(self) -> None:
        self.query_one(TabBar).show_tabs(TABS, self._tab, self.go_to_tab)
        words = cut(self.content.words, max(self.size.width - 4, 8))
        if words != self._words:
            self._words = words
            self.border_subtitle = Content(words).markup

    def _label(self, detail: JobDetail | None) -> None:
        title = "5 Job"
        if detail is not None:
            title = f"5 {short_id(detail.snapshot.job_id)} {detail.snapshot.summary.flow_name}"
        elif self._job_id is not None:
            title = f"5 {short_id(self._job_id)}"
        if title != self._title:
            self._title = title
            self.border_title = Content(clean(title)).markup

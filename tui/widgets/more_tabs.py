"""The tabs of a job besides its Overview."""

from __future__ import annotations

from datetime import tzinfo

from textual.widget import Widget

from tui.widgets.data_view import DataView
from tui.widgets.error_view import ErrorView
from tui.widgets.graph_view import GraphView
from tui.widgets.history_tab import HistoryTab
from tui.widgets.history_view import HistoryView
from tui.widgets.lines import LinePane
from tui.widgets.log_view import LogView
from tui.widgets.timeline_view import TimelineView


class MoreTabs:
    """The widgets of the tabs, for a job that is chosen or none."""

    def __init__(self) -> None:
        self.log_view = LogView(id="log")
        self.history = HistoryView(id="records")
        self.history_tab = HistoryTab(self.history, id="history")
        self.timeline = TimelineView(id="timeline")
        self.graph = GraphView(id="graph")
        self.data = DataView(id="data")
        self.error_view = ErrorView(id="error")

    @property
    def widgets(self) -> tuple[Widget, ...]:
        """What is shown for each tab."""
        return (self.log_view, self.history_tab, self.timeline, self.graph, self.data, self.error_view)

    @property
    def contents(self) -> dict[str, LinePane]:
        """What has the focus in each tab."""
        return {
            "Log": self.log_view,
            "History": self.history,
            "Timeline": self.timeline.lanes,
            "Graph": self.graph,
            "Data": self.data,
            "Error": self.error_view,
        }

    @property
    def filtered(self) -> dict[str, LogView | HistoryView]:
        """The tabs that can be filtered or searched."""
        return {"Log": self.log_view, "History": self.history}

    def clear(self, zone: tzinfo | None) -> None:
        """Another job is chosen: forget what was known of the one before."""
        self.log_view.clear(zone)
        self.history.clear(zone)
        self.timeline.lanes.clear()
        self.graph.show(None, None)
        self.data.clear(zone)
        self.error_view.show((), zone)

"""Which panes of the main screen are seen, and in which of them one is."""

from __future__ import annotations

from typing import Final

from textual import events
from textual.widget import Widget
from textual.widgets import Static

from tui.formats import short_id
from tui.keys import Key, footer_of
from tui.screens.part import Part
from tui.widgets.bars import Breadcrumb, KeyBar
from tui.widgets.flow_list import FlowList
from tui.widgets.flow_view import FlowView
from tui.widgets.job_pane import JobPane
from tui.widgets.job_table import JobTable
from tui.widgets.reload_list import ReloadList

LEAST: Final = (60, 16)
# Fewer columns stack the panes; from so many lines on, all of them fit above one another.
TWO_COLUMNS: Final = 110
ALL_STACKED: Final = 44
# With fewer lines a column shows one pane only.
TWO_PANES: Final = 22
# With fewer, the column of three shows two.
THREE_PANES: Final = 30
ORDER: Final = ("flows", "reloads", "flow", "jobs", "job")
COLUMN: Final = {"flows": "left", "reloads": "left", "flow": "left", "jobs": "right", "job": "right"}


class ArrangingScreen(Part):
    """The part of the main screen that moves between the panes, and fits them to the size of the terminal."""

    flow_list: FlowList
    reload_list: ReloadList
    flow_view: FlowView
    job_table: JobTable
    job_pane: JobPane

    def __init__(self) -> None:
        super().__init__()
        self._pane = "flows"
        self._last_in = {"left": "flows", "right": "jobs"}
        self._zoomed = False

    @property
    def narrow(self) -> bool:
        return self.size.width < TWO_COLUMNS

    @property
    def pane(self) -> str:
        """The pane that has the focus, or had it last."""
        return self._pane

    def widget_of(self, pane: str) -> Widget:
        widgets: dict[str, Widget] = {
            "flows": self.flow_list,
            "reloads": self.reload_list,
            "flow": self.flow_view,
            "jobs": self.job_table,
            "job": self.job_pane,
        }
        return widgets[pane]

    def action_pane(self, name: str) -> None:
        """Go to a pane; on a narrow screen it comes into view."""
        self._enter(name)
        target = self.job_pane.content if name == "job" else self.widget_of(name)
        # At once, and not with Widget.focus, which comes after keys that were typed together.
        self.set_focus(target, scroll_visible=False)

    def _enter(self, name: str) -> None:
        self._pane = name
        self._last_in[COLUMN[name]] = name
        self.fit_panes()

    def action_next_pane(self) -> None:
        self.action_pane(ORDER[(ORDER.index(self._pane) + 1) % len(ORDER)])

    def action_previous_pane(self) -> None:
        self.action_pane(ORDER[(ORDER.index(self._pane) - 1) % len(ORDER)])

    def action_zoom(self) -> None:
        self._zoomed = not self._zoomed
        self.fit_panes()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        inside = next((each.id for each in event.widget.ancestors_with_self if each.id in ORDER), None)
        if inside is not None and inside != self._pane:
            self._enter(inside)
        self.show_where()

    def fit_panes(self) -> None:
        """Decide which panes are seen, from the size, the zoom and where one is."""
        columns, lines = self.size
        too_small = columns < LEAST[0] or lines < LEAST[1]
        stacked_all = self.narrow and lines >= ALL_STACKED and not self._zoomed
        here = COLUMN[self._pane]
        self.query_one("#body").display = not too_small
        self.query_one("#keys").display = not too_small
        message = self.query_one("#too-small", Static)
        message.display = too_small
        if too_small:
            message.update(f"routilux needs {LEAST[0]}x{LEAST[1]}; this terminal has {columns}x{lines}")
        self.query_one(Breadcrumb).display = self.narrow and not too_small
        self.set_class(self.narrow, "-narrow")
        for column in ("left", "right"):
            alone = self._zoomed or (self.narrow and not stacked_all)
            self.query_one(f"#{column}").display = column == here or not alone
            one = self._zoomed or lines < TWO_PANES
            for pane in ORDER:
                if COLUMN[pane] == column:
                    shown = self._pane if column == here else self._last_in[column]
                    hidden = pane == ("flow" if shown == "reloads" else "reloads") and lines < THREE_PANES
                    self.widget_of(pane).display = pane == shown if one else not hidden
        for pane in ORDER:
            self.widget_of(pane).set_class(pane == self._pane, "-here")
        self.show_where()

    def show_where(self) -> None:
        """The footer for what has the focus, and on narrow screens the way to it."""
        self.query_one(KeyBar).show_keys(footer_of(self._pane, self.scopes()), self._press)
        if self.narrow:
            flow, job = self.flow_list.chosen_flow, self.job_table.chosen
            crumbs = [
                ("flows", "1 Flows"),
                ("reloads", "2 Reloads"),
                ("flow", f"3 {flow.name}" if flow is not None else "3 Flow"),
                ("jobs", "4 Jobs"),
                ("job", f"5 {short_id(job)}" if job is not None else "5 Job"),
            ]
            self.query_one(Breadcrumb).show_path(crumbs, self._pane, self.action_pane)

    def scopes(self) -> frozenset[str]:
        """The scopes of the keys that do something where the focus is."""
        focused = self.focused
        scopes = {"main"}
        if focused is not None:
            for widget in focused.ancestors_with_self:
                scopes |= getattr(widget, "SCOPES", frozenset())
            if self.job_pane in focused.ancestors_with_self:
                scopes.add("job")
        return frozenset(scopes)

    def _press(self, key: Key) -> None:
        """A key of the footer was clicked."""
        self.app.simulate_key(key.keys[0])

"""The main screen: flows on the left, jobs and the chosen job on the right."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import ClassVar, Final, cast

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Static

from routilux.snapshot import JobSummary, RuntimeSnapshot
from routilux.status import ExecutionStatus
from tui.backend import Backend
from tui.ended import EndedNews
from tui.feed import Feed
from tui.keys import bindings_of
from tui.marks import Targets
from tui.messages import Messages
from tui.pace import WATCHED, Pace
from tui.pictures import Catalogue, FlowPicture, Frame
from tui.places import Place, shown_folder
from tui.screens.arranging import COLUMN, ArrangingScreen
from tui.screens.bulk import BulkScreen
from tui.screens.filtering import FilteringScreen
from tui.screens.leaving import leaving_words
from tui.screens.reloading import ReloadingScreen
from tui.screens.tab_feed import TabFeed
from tui.typing_ahead import TypingAhead
from tui.widgets.bars import Breadcrumb, Header, KeyBar
from tui.widgets.cursor import CursorPane
from tui.widgets.flow_list import FlowList
from tui.widgets.flow_view import FlowView
from tui.widgets.job_pane import Filtered, JobPane
from tui.widgets.job_table import JobTable
from tui.widgets.lines import LinePane
from tui.widgets.reload_list import ReloadList

FRAME: Final = 0.1
# So many seconds between looks where nothing changes and nobody types.
FRAME_AT_REST: Final = 0.2
# So many seconds the first frame waits for the flow folder.
MOMENT: Final = 0.1
# The pane one goes back to.
BEHIND: Final = {"flow": "flows", "reloads": "flows", "job": "jobs"}


class MainScreen(
    ArrangingScreen, BulkScreen, ReloadingScreen, FilteringScreen, Screen[None], inherit_bindings=False
):
    """Feeds the panes a frame at a time, and does what is about more than one of them."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("main")]

    def __init__(
        self,
        backend: Backend,
        clock: Callable[[], datetime],
        *,
        catalogue: Catalogue | None = None,
        messages: Messages | None = None,
    ) -> None:
        super().__init__()
        self.backend = backend
        self.messages = messages or Messages(clock)
        self.catalogue = catalogue or Catalogue(backend.root, loading=True)
        self._clock = clock
        self.feed = Feed(backend, clock)
        self._ended = EndedNews(clock)
        self._header = Header(id="header")
        self.flow_list = FlowList(id="flows")
        self.reload_list = ReloadList(id="reloads")
        self.flow_view = FlowView(id="flow")
        self.job_table = JobTable(id="jobs")
        self.job_pane = JobPane(id="job")
        self._folder_is_read = asyncio.Event()
        # What the header was made from last.
        self._headed: tuple[object, ...] | None = None
        self._wanted_job = None
        self._pace = Pace()
        # Whether the last look found anything new, and whether one looks less often.
        self._changes = True
        self._rests = False
        # What is left of the frame that is being taken.
        self._underway: Iterator[None] = iter(())
        self._tabs = TabFeed(backend, self.job_pane, clock)

    def compose(self) -> ComposeResult:
        yield self._header
        yield Breadcrumb(id="breadcrumb")
        with Horizontal(id="body"):
            with Vertical(id="left", classes="column"):
                yield self.flow_list
                yield self.reload_list
                yield self.flow_view
            with Vertical(id="right", classes="column"):
                yield self.job_table
                yield self.job_pane
        yield Static("", id="too-small", markup=False)
        yield KeyBar(id="keys")

    async def on_mount(self) -> None:
        if self.catalogue.loading:
            # Flows that are read within a moment are in the first frame, which need not be painted twice.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._folder_is_read.wait(), MOMENT)
        self.fit_panes()
        self.set_focus(self.flow_list)
        if self.backend.catalogue.loading or not self.catalogue.loading:
            self.show_catalogue()  # one that was read meanwhile is for the frame
        self._frame()
        self._looks = self.set_interval(FRAME, self._frame_if_due)
        self._looks_at_rest = self.set_interval(FRAME_AT_REST, self._frame_if_due, pause=True)
        self.call_after_refresh(self._get_ready)

    def _get_ready(self) -> None:
        """Make what the first frame did not need, so that it is there when a key asks for it."""
        from tui.screens.dialog import read_styles

        self.job_pane.more()
        self.prompt()
        read_styles(self.app)

    def folder_read(self) -> None:
        """The backend has read the flow folder for the first time."""
        self._folder_is_read.set()
        if self.is_mounted:
            self.take_catalogue()

    # ---- feeding

    async def _frame_if_due(self) -> None:
        app = cast(TypingAhead, self.app)
        if self._pace.is_due(app.quiet):
            self._underway = self._steps()
            for _ in self._underway:
                await self._pace.give_way(lambda: app.quiet)
            self._look_again(rests=not self._changes and app.quiet > WATCHED)

    def _look_again(self, *, rests: bool) -> None:
        """Look less often while everything rests."""
        if rests != self._rests:
            self._rests = rests
            going, standing = self._looks, self._looks_at_rest
            if rests:
                going, standing = standing, going
            standing.pause()
            going.resume()

    def _frame(self) -> None:
        """Take a frame at once; one that is under way comes to its end first."""
        for steps in (self._underway, self._steps()):
            for _ in steps:
                pass

    def _steps(self) -> Iterator[None]:
        """A frame, in steps between which keys may be dealt with."""
        self.take_catalogue()
        frame = self.feed.tick(self._wanted_job or self.job_table.chosen)
        self._changes = frame is not None
        yield
        if frame is not None:
            yield from self._show_frame(frame)
            self._gather_ended()
        else:
            self.job_table.read_ahead()
        for toast in self._ended.toasts():
            self.say(toast.text, severity=toast.severity)
        self.tell_batches()
        self.tell_reruns()
        self.tell_messages()
        self._show_header()
        self.leave_if_done()

    def _show_frame(self, frame: Frame) -> Iterator[None]:
        self.flow_list.show_counts(self.feed.roster.by_flow)
        self.flow_view.show_snapshot(frame.snapshot)
        yield
        self.job_table.show(frame.snapshot, frame.held_for, frame.changes, self.feed.roster.gone)
        yield
        if self._wanted_job is not None and self.job_table.choose(self._wanted_job):
            self._wanted_job = None
        self.show_chosen()
        self.show_where()
        yield

    def show_chosen(self) -> None:
        """Show the chosen job as it is now."""
        chosen = self.job_table.chosen
        self.job_pane.show_job(chosen, self._clock().tzinfo)
        if chosen is not None and self.feed.last is not None:
            detail = self.backend.detail(chosen)
            self.job_pane.show_detail(detail)
            self._tabs.bring(detail)

    def _show_header(self) -> None:
        snapshot = self.feed.last
        if snapshot is None:
            return
        now = self._clock()
        headed = (
            snapshot,
            now.replace(microsecond=0),
            self.leaving,
            self.catalogue,
            self.messages.unseen,
            self._header.size.width,
        )
        if headed == self._headed:
            return  # as in nine of ten frames of an app that nobody uses
        self._headed = headed
        self._header.show_picture(
            shown_folder(self.backend.root),
            snapshot,
            now.strftime("%H:%M:%S"),
            leaving_words(self.leaving),
            self.messages_mark(),
            self.note_of_reload(),
        )

    def _gather_ended(self) -> None:
        """What ended where nobody is looking is said."""
        jobs_seen = self.job_table.display and self.query_one("#right").display
        chosen = self.job_table.chosen
        ended = self.feed.newly_ended()
        if jobs_seen:
            ended = [job for job in ended if job.status is ExecutionStatus.FAILED and job.job_id != chosen]
        self._ended.add(job for job in ended if not self.follows(job.job_id))

    # ---- what is chosen

    def chosen_flow(self) -> FlowPicture | None:
        return self.flow_list.chosen_flow

    def chosen_job(self) -> JobSummary | None:
        return self.job_table.chosen_job

    def looked_at(self) -> LinePane:
        return self.job_pane.content if self._pane == "job" else cast(LinePane, self.widget_of(self._pane))

    def chosen_place(self) -> Place | None:
        if self._pane == "reloads":
            return self.place_of_load()
        chosen = self.flow_list.chosen_flow or self.flow_list.chosen_file
        return None if chosen is None else Place(str(self.backend.root / chosen.path), chosen.lineno or 1)

    def newest(self) -> RuntimeSnapshot | None:
        return self.feed.last

    def newest_status(self, job_id: str) -> ExecutionStatus | None:
        """What the picture that was taken last says of a job."""
        job = self.feed.roster.by_id.get(job_id)
        return None if job is None else job.status

    def targets(self) -> Targets:
        if self._pane == "job":
            # Whoever looks at one job means that one.
            chosen = self.chosen_job()
            return Targets((chosen,) if chosen is not None else ())
        return self.job_table.targets()

    def go_to_job(self, job_id: str) -> None:
        self._wanted_job = job_id
        self._frame()
        if self._wanted_job is not None:
            # Hidden, or not in the picture yet.
            self.job_table.show_all()
            if self.job_table.choose(job_id):
                self._wanted_job = None
        self.action_pane("jobs")

    def on_cursor_pane_moved(self, event: CursorPane.Moved) -> None:
        if event.pane is self.flow_list:
            self.show_flow()
        elif event.pane is self.job_table:
            self.show_chosen()
        self.show_where()

    def on_cursor_pane_entered(self, event: CursorPane.Entered) -> None:
        if event.pane is self.flow_list:
            self.action_pane("flow")
        elif event.pane is self.job_table:
            self.action_pane("job")
        elif event.pane is self.reload_list:
            self.show_load()
        else:
            text = event.pane.text_of(event.key)
            if text is not None:
                self.run_worker(self._show_text(*text), exclusive=True, group="text")

    async def _show_text(self, title: str, write: Callable[[], str]) -> None:
        text = await self.written(write)
        # Whoever has opened something else meanwhile is not interrupted.
        if text and self.app.screen is self:
            # Not before it is asked for: the first frame would wait for it.
            from tui.screens.text import TextScreen, lines_of_text

            self.app.push_screen(TextScreen(title, lines_of_text(text)))

    def on_job_pane_tab_changed(self) -> None:
        self.show_chosen()
        self.show_where()

    # ---- panes

    def action_back(self) -> None:
        """One step back: what was opened in a tab, the range, the filter, the view, the marks, the zoom,
        the pane."""
        if self._pane == "job" and self.job_pane.step_back():
            return
        targets = {"flows": self.flow_list, "job": self.job_pane.filtered}
        target = targets.get(self._pane)
        if self._pane == "jobs" and self.job_table.step_back():
            return
        if target is not None and target.filter:
            target.set_filter("")
        elif self._zoomed:
            self.action_zoom()
        else:
            self.action_pane(BEHIND.get(self._pane, "flows"))

    def on_resize(self) -> None:
        self.fit_panes()
        self.show_catalogue()
        self._show_header()

    # ---- the filter, help

    def to_filter(self) -> Filtered:
        """The list that has the focus, or that the focus came from, or the tab that takes a filter."""
        if self._pane == "job" and self.job_pane.filtered is not None:
            return self.job_pane.filtered
        left = COLUMN[self._pane] == "left"
        self.action_pane("flows" if left else "jobs")
        return self.flow_list if left else self.job_table

    def action_help(self) -> None:
        # Not before it is asked for: the first frame would wait for it.
        from tui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen(self.scopes()))

    def action_copy_or_quit(self) -> None:
        """ctrl+c means either, by habit."""
        if self.get_selected_text():
            self.action_copy_row()
        else:
            self.ask_quit_in_any_case()

    def action_command_palette(self) -> None:
        self.app.action_command_palette()

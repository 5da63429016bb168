"""What the main screen does when the flow folder is another: notes, toasts, open forms, windows of loads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final, Literal, cast

from routilux.loading import OutputLine
from tui.example import no_flows_lines, no_jobs_lines
from tui.keys import key_named
from tui.pictures import Catalogue
from tui.places import Place
from tui.reload_rows import LoadRow, files_of, is_first, note_of, told_of, window_of
from tui.reruns import Rerun
from tui.screens.digging import DiggingScreen
from tui.spans import Span
from tui.widgets.flow_list import FlowList
from tui.widgets.flow_view import FlowView
from tui.widgets.job_table import JobTable
from tui.widgets.reload_list import ReloadList

# Texts for an empty folder are written for no fewer.
LEAST_COLUMNS: Final = 60

Severity = Literal["information", "warning", "error"]


class ReloadingScreen(DiggingScreen):
    """The part of the main screen that is about loads."""

    flow_list: FlowList
    reload_list: ReloadList
    flow_view: FlowView
    job_table: JobTable
    # The job to choose as soon as it is in the picture.
    _wanted_job: str | None
    _clock: Callable[[], datetime]

    # ---- the folder as it is now

    @property
    def narrow(self) -> bool:
        """Whether there is room for one column only."""
        raise NotImplementedError

    def show_chosen(self) -> None:
        """Show the chosen job as it is now."""
        raise NotImplementedError

    def take_catalogue(self) -> None:
        """Show the folder as it is now, once it was read."""
        catalogue = self.backend.catalogue
        if catalogue is not self.catalogue and not catalogue.loading:
            self.set_catalogue(catalogue)

    def set_catalogue(self, catalogue: Catalogue) -> None:
        """The folder was read."""
        if catalogue is self.catalogue:
            return
        before, self.catalogue = self.catalogue, catalogue
        self.show_catalogue()
        self.show_chosen()
        self.tell_loads(before)
        self.bring_to_forms()
        self.call_after_refresh(self.backend.catalogue_shown)
        if before.loading:
            self.offer_saved_jobs()

    def show_catalogue(self) -> None:
        """Have every pane that is about the folder show it."""
        catalogue = self.catalogue
        self.flow_list.show_catalogue(catalogue)
        self.reload_list.show(
            catalogue.loads, self._clock().tzinfo, watched=catalogue.watched, importing=catalogue.importing
        )
        empty = not catalogue.flows
        columns = max(self.size.width // 2, LEAST_COLUMNS - 2)
        lines = no_flows_lines(catalogue, columns) if empty else no_jobs_lines(catalogue)
        self.job_table.show_when_empty(lines)
        # With one column the flows are what one sees first.
        self.flow_list.show_when_empty(lines if empty and self.narrow else [])
        self.show_flow()

    def show_flow(self) -> None:
        """Show the flow, or the broken file, that is chosen in the list."""
        chosen = self.flow_list.chosen_flow or self.flow_list.chosen_file
        output = () if chosen is None else self.catalogue.output.get(chosen.path, ())
        self.flow_view.show(chosen, output, self._clock().tzinfo)

    # ---- what is said of loads

    @property
    def reloads_seen(self) -> bool:
        """Whether the pane of the loads is on the screen."""
        return self.reload_list.display and self.query_one("#left").display

    def note_of_reload(self) -> Span:
        """What the header says of the newest load, for a while."""
        return note_of(self.catalogue.loads, self._clock())

    def tell_loads(self, before: Catalogue) -> None:
        """Say what was loaded since `before`, where nobody sees the pane that shows it."""
        if before.loading or (self.app.screen is self and self.reloads_seen):
            return
        # Records of long ago may be replaced by others that have lost their sources.
        known = {(load.generation, load.at) for load in before.loads}
        loads = self.catalogue.loads
        new = [load for load in loads if (load.generation, load.at) not in known and not is_first(load)]
        for told in told_of(new):
            self.say(told.text, severity=cast(Severity, told.severity))

    # ---- re-run on save

    def _follow(self, rerun: Rerun) -> bool:
        """Choose the new job where the run before it was chosen; answers whether somebody sees it."""
        if rerun.previous is not None and self.job_table.chosen == rerun.previous:
            self._wanted_job = rerun.job_id
        return self.job_table.display and self.query_one("#right").display

    def action_rerun_on_save(self) -> None:
        """Have the chosen flow run again on save, or no longer."""
        flow = self.chosen_flow()
        key = key_named("rerun-on-save").first
        if flow is None:
            self.say("No flow is chosen.", severity="warning")
        elif not self.catalogue.watched:
            self.say("With --no-reload nothing is loaded on save.", severity="warning")
        elif self.backend.toggle_rerun(flow.name):
            self.say(f"{flow.name} runs again on each save that touches it; {key} ends that.")
        else:
            self.say(f"{flow.name} no longer runs again on save.")
        self.show_reruns()

    def show_reruns(self) -> None:
        """Show which flows run again on save."""
        self.flow_list.show_reruns(self.backend.reruns)

    def tell_reruns(self) -> None:
        """Say what has come of saves: what did not start, and what started where nobody sees it."""
        started = []
        for rerun in self.backend.rerun_news():
            if rerun.job_id is None:
                self.say(f"{rerun.flow_name} was not run again: {rerun.problem}", severity="error")
                self.show_reruns()
            elif not self._follow(rerun):
                started.append(rerun)
        if started:
            names = ", ".join(dict.fromkeys(rerun.flow_name for rerun in started[:3]))
            more = f" and {len(started) - 3:,} more" if len(started) > 3 else ""
            self.say(f"Run again on save: {names}{more}.")

    # ---- forms and windows

    def bring_to_forms(self) -> None:
        """Have each open form know its flow as it is now; one whose parameters are not known yet waits."""
        above = self.app.screen_stack[1:]
        if not above:
            return
        from tui.screens.start import StartScreen  # here: see SteeringScreen._form

        for form in above:
            if isinstance(form, StartScreen):
                flow = self.catalogue.flow(form.flow.name)
                if flow is None and not form.gone:
                    form.flow_changed(None)
                elif (
                    flow is not None
                    and flow.described
                    and (form.gone or flow.generation != form.flow.generation)
                ):
                    form.flow_changed(flow)

    def show_load(self) -> None:
        """The window of the chosen load: its diff, or the error."""
        row = self.reload_list.row
        if row is not None:
            title, lines = window_of(
                row, self._output_of(row), min(self.size.width, 110) - 6, self._clock().tzinfo
            )
            # Not before it is asked for: the first frame would wait for it.
            from tui.screens.load import LoadScreen

            self.app.push_screen(LoadScreen(title, lines), self._left_load)

    def _output_of(self, row: LoadRow) -> list[OutputLine]:
        paths = [row.error.path] if row.error is not None else files_of(row.load)
        output = self.catalogue.output
        return [
            line if len(paths) == 1 else line._replace(text=f"{path}: {line.text}")
            for path in paths
            for line in output.get(path, ())
        ]

    def _left_load(self, edit: bool | None) -> None:
        if edit:
            self.action_edit()

    def place_of_load(self) -> Place | None:
        """The source that the chosen load leads to."""
        place = self.reload_list.place
        return None if place is None else Place(str(self.backend.root / place[0]), place[1])

"""What the keys do to what one looks at: open it in the editor, copy it, write it to a file."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from routilux.snapshot import JobSummary
from tui.aside import aside
from tui.job_words import job_name
from tui.places import Place, short_path
from tui.readings import written
from tui.screens.asking import Answer, ask
from tui.screens.steering import SteeringScreen
from tui.serve import in_browser
from tui.terminal import Terminal
from tui.tmux import in_tmux, load_buffer
from tui.widgets.job_pane import JobPane
from tui.widgets.lines import LinePane

if TYPE_CHECKING:
    from tui.editor import Command
    from tui.export import Export

# Many terminals, and tmux, take no more than this from a program.
_SAFE_TO_COPY = 74_994
_MOST_TO_COPY = 5_000_000


class DiggingScreen(SteeringScreen):
    """The actions of the main screen on what is shown. What that is, is asked of the methods below."""

    job_pane: JobPane

    @property
    def pane(self) -> str:
        """The pane one is in."""
        raise NotImplementedError

    def looked_at(self) -> LinePane:
        """The widget with what one looks at."""
        raise NotImplementedError

    def chosen_place(self) -> Place | None:
        """The file and line of what is chosen in the list of flows."""
        raise NotImplementedError

    # ---- the editor

    def action_edit(self) -> None:
        """Open the source of what one looks at."""
        if in_browser():
            self.say(
                "In the browser no editor can be opened: it would open where the app runs.",
                severity="warning",
            )
            return
        place = self.place()
        if place is None:
            self.say("There is no source to open here.", severity="warning")
        elif not Path(place.path).is_file():
            self.say(f"{place.path} is no longer there.", severity="warning")
        else:
            self._open(place)

    def place(self) -> Place | None:
        """Where the source is of what one looks at: a routine's code, the failing line, the flow."""
        # Not before it is asked for: the first frame would wait for it.
        from tui.error_rows import failing_place

        job = self.chosen_job()
        if self.pane in ("flows", "reloads", "flow"):
            return self.chosen_place()
        if job is None:
            return None
        if self.pane == "jobs":
            detail = self.backend.detail(job.job_id) if job.error else None
            fatal = [error for error in detail.errors if error.fatal] if detail is not None else []
            place = failing_place(fatal[-1]) if fatal else None
            return place or self._place_of_flow(job.flow_name)
        place = self.job_pane.more().error_view.place if self.job_pane.tab == "Error" else None
        routine = self.job_pane.routine_looked_at
        return place or self._place_of_routine(job, routine) or self._place_of_flow(job.flow_name)

    def _place_of_routine(self, job: JobSummary, routine_id: str | None) -> Place | None:
        """Where the routine's code is: in the folder as it is now, for that is what an editor opens; else
        where the code of the job came from."""
        if routine_id is None:
            return None
        for flow in (self.catalogue.flow(job.flow_name), self.backend.graph(job.job_id)):
            routines = flow.routines if flow is not None else ()
            place = next((each.place for each in routines if each.routine_id == routine_id), None)
            if place is not None:
                return place
        return None

    def _place_of_flow(self, name: str) -> Place | None:
        flow = self.catalogue.flow(name)
        return None if flow is None else Place(str(self.backend.root / flow.path), flow.lineno)

    def _open(self, place: Place) -> None:
        # Not before it is asked for: the first frame would wait for it.
        from tui.editor import EditorError, editor_command

        try:
            command = editor_command(place, os.environ)
        except EditorError as error:
            self.say(str(error), severity="warning")
            return
        try:
            if command.windowed:
                self.run_worker(self._watch(command, place), exclusive=False)
            else:
                self._lend(command)
        except SuspendNotSupported:
            self.say("This terminal cannot be lent to an editor.", severity="warning")
        except OSError as error:
            self._say_unopened(command, error)

    def _lend(self, command: Command) -> None:
        # Not before it is asked for: the first frame would wait for it.
        from tui.lending import run_in_terminal

        terminal: Terminal | None = getattr(self.app, "terminal", None)
        code = run_in_terminal(self.app, terminal, command.arguments)
        if code:
            self.say(f"{command.arguments[0]} ended with exit code {code}.", severity="warning")

    async def _watch(self, command: Command, place: Place) -> None:
        """Start an editor with a window; say that it runs, and later what went wrong with it."""
        # Not before it is asked for: the first frame would wait for it.
        from tui.lending import run_windowed

        try:
            trouble = run_windowed(command.arguments)
        except OSError as error:
            self._say_unopened(command, error)
            return
        self.say(f"Opening {short_path(place.path)}:{place.lineno} in {command.arguments[0]}.")
        said = await aside(trouble)
        if said:
            self.say(f"{command.arguments[0]} failed: {said}", severity="error")

    def _say_unopened(self, command: Command, error: OSError) -> None:
        why = (
            "there is no such command"
            if isinstance(error, FileNotFoundError)
            else error.strerror or str(error)
        )
        self.say(
            f"{command.arguments[0]} cannot be run: {why}. It comes from VISUAL or EDITOR.", severity="error"
        )

    # ---- copying

    def action_copy_row(self) -> None:
        """Copy what is selected, or the row under the cursor."""
        selected = self.get_selected_text()
        text = selected or self.looked_at().copied()
        if not isinstance(text, str):
            self.run_worker(self._copy_written(text), exclusive=True, group="copy")
        else:
            self._copy(text, "the selection" if selected else "")

    async def _copy_written(self, write: Callable[[], str]) -> None:
        self._copy(await self.written(write), "")

    async def written(self, write: Callable[[], str]) -> str:
        """All of what `write` writes, which may take long."""
        return await written(write, lambda: self.say("Some of these values take their time to be written."))

    def action_copy_job(self) -> None:
        """Copy the whole job as JSON."""
        if self.job_or_say() is not None:
            self.run_worker(self._copy_job(), exclusive=True, group="copy")

    async def _copy_job(self) -> None:
        job = self.chosen_job()
        if job is None:
            return
        # Not before it is asked for: the first frame would wait for it.
        from tui.screens.exporting import job_text

        text = await aside(job_text(self.backend, job.job_id))
        if text:
            self._copy(text, f"{job_name(job)} as JSON")

    def _copy(self, text: str, what: str) -> None:
        if not text:
            self.say("There is nothing to copy here.", severity="warning")
            return
        size = len(text.encode("utf-8", "replace"))
        amount = f"{text.count(chr(10)) + 1:,} lines, {_size(size)}"
        if size > _MOST_TO_COPY:
            self.say(
                f"Not copied: {what or 'the text'} has {amount}; export writes it to a file.",
                severity="warning",
            )
            return
        text = text.encode("utf-8", "replace").decode()
        self.app.copy_to_clipboard(text)
        first = text.strip().split("\n", 1)[0]
        shown = what or (first if len(first) <= 60 else f"{first[:60]}…")
        # No terminal answers whether it took it.
        sent = "sent to the terminal's clipboard" + (f" ({amount})" if "\n" in text or what else "")
        if size > _SAFE_TO_COPY:
            sent += ".\nSome terminals take no more than 74 kB; export writes it to a file"
        if in_tmux():
            self.run_worker(self._copy_to_tmux(text, shown, sent), exclusive=False)
        else:
            self.say(f"Sent {shown} {sent.removeprefix('sent ')}.")

    async def _copy_to_tmux(self, text: str, shown: str, sent: str) -> None:
        trouble = await aside(load_buffer, text)
        if trouble:
            self.say(f"tmux did not take {shown}: {trouble}. It was {sent}.", severity="warning")
        else:
            self.say(f"Copied {shown} to tmux's buffer, and {sent}.")

    # ---- exporting

    def action_export(self) -> None:
        """Write what the tab shows to a file."""
        # Not before it is asked for: the first frame would wait for it.
        from tui.screens.export import ExportScreen
        from tui.screens.exporting import export_of

        job = self.job_or_say()
        tab = self.job_pane.tab if self.pane == "job" else ""
        export = export_of(self.backend, job.job_id, self.job_pane, tab) if job is not None else None
        if export is None:
            return

        def named(path: Path | None) -> None:
            if path is not None:
                self.run_worker(self._write(export, path, over=False), exclusive=False)

        self.app.push_screen(ExportScreen(export.what, export.name), named)

    async def _write(self, export: Export, path: Path, *, over: bool) -> None:
        # Not before it is asked for: the first frame would wait for it.
        from tui.export import write_new

        try:
            size = await aside(partial(write_new, path, export.pieces(path.suffix.lower()), over=over))
        except FileExistsError:
            self._ask_over(export, path)
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            self.say(f"{path} was not written: {why}.", severity="error")
        else:
            self.say(f"Wrote {export.amount} to {path.absolute()} ({_size(size)}).")

    def _ask_over(self, export: Export, path: Path) -> None:
        answers = [Answer("o", "overwrite it", "over", grave=True), Answer("n", "leave it", "")]

        def answered(answer: str | None) -> None:
            if answer:
                self.run_worker(self._write(export, path, over=True), exclusive=False)

        ask(self, "The file exists", f"{path.absolute()}", answers, answered)


def _size(size: int) -> str:
    for unit, scale in (("MB", 1_000_000), ("kB", 1000)):
        if size >= scale:
            return f"{size / scale:.1f} {unit}"
    return f"{size} bytes"

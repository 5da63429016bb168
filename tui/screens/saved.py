"""The list of jobs that were saved, with a mark at each that is to be carried on or discarded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import ClassVar, Literal, NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, Static

from tui.formats import brief, parameters_line, short_id
from tui.keys import bindings_of, hint_of
from tui.saved_jobs import SavedJob
from tui.screens.dialog import Dialog
from tui.spans import Line, Span, clean, fit
from tui.widgets.cursor import CursorPane


class Decision(NamedTuple):
    """What is to become of which jobs."""

    what: Literal["carry on", "discard"]
    jobs: tuple[SavedJob, ...]


class SavedScreen(Dialog[Decision | None]):
    """Answers with what was decided; None leaves everything saved."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("saved")]
    AUTO_FOCUS = ""

    def __init__(self, jobs: Sequence[SavedJob], zone: tzinfo | None = None) -> None:
        super().__init__()
        self.pane = SavedList(jobs, zone)

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="saved"):
            yield Static(Content("Saved when the app was left"), id="dialog-title")
            yield self.pane
            with Horizontal(id="buttons"):
                yield Button("", variant="primary", id="saved-carry-on", compact=True)
                yield Button("", variant="error", id="saved-discard", compact=True)
                yield Button("Later", id="saved-later", compact=True)

    def on_mount(self) -> None:
        self.set_focus(self.pane)
        names = ("saved-mark", "saved-mark-all", "saved-carry-on", "saved-discard", "saved-later")
        self.query_one("#dialog").border_subtitle = Content.assemble(*hint_of(names))
        self._show()

    def on_resize(self) -> None:
        # Border, title, an empty line and the buttons stand around the list.
        self.pane.styles.height = min(self.pane.line_count(), max(2, self.size.height - 7))

    def _show(self) -> None:
        marked = self.pane.marked_jobs
        able = [job for job in marked if not job.problem]
        self.query_one("#saved-carry-on", Button).label = f"Carry on {len(able)}"
        self.query_one("#saved-discard", Button).label = f"Discard {len(marked)}"

    def on_cursor_pane_entered(self, event: CursorPane.Entered) -> None:
        self.action_carry_on()

    def on_saved_list_marked(self) -> None:
        self._show()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        {
            "saved-carry-on": self.action_carry_on,
            "saved-discard": self.action_discard,
            "saved-later": self.action_later,
        }[str(event.button.id)]()

    def action_mark(self) -> None:
        self.pane.toggle()

    def action_mark_all(self) -> None:
        self.pane.toggle_all()

    def action_carry_on(self) -> None:
        able = tuple(job for job in self.pane.marked_jobs if not job.problem)
        if able:
            self.dismiss(Decision("carry on", able))

    def action_discard(self) -> None:
        if self.pane.marked_jobs:
            self.dismiss(Decision("discard", self.pane.marked_jobs))

    def action_later(self) -> None:
        self.dismiss(None)


class SavedList(CursorPane):
    """Two lines for each job: what it is, and how far it is or what is wrong."""

    class Marked(Message):
        """Other jobs are marked now."""

    def __init__(self, jobs: Sequence[SavedJob], zone: tzinfo | None) -> None:
        super().__init__(id="saved")
        self._zone = zone
        self._jobs = list(jobs)
        # What cannot be carried on has to be marked by hand, to be discarded.
        self._marked = {str(job.file) for job in jobs if not job.problem}

    def on_mount(self) -> None:
        self.rows_changed()

    @property
    def marked_jobs(self) -> tuple[SavedJob, ...]:
        return tuple(job for job in self._jobs if str(job.file) in self._marked)

    def toggle(self) -> None:
        """Mark the chosen job, or no longer."""
        if self.chosen is not None:
            self._marked ^= {self.chosen}
            self._tell()

    def toggle_all(self) -> None:
        """Mark all, or none if all are marked."""
        everything = {str(job.file) for job in self._jobs}
        self._marked = set() if self._marked == everything else everything
        self._tell()

    def _tell(self) -> None:
        self.refresh()
        self.post_message(self.Marked())

    def on_click(self, event: events.Click) -> None:
        super().on_click(event)
        offset = event.get_content_offset(self)
        # The mark itself.
        if offset is not None and offset.x < 5 and event.chain == 1:
            self.toggle()

    def row_count(self) -> int:
        return len(self._jobs)

    def row_key(self, row: int) -> str:
        return str(self._jobs[row].file)

    def line_count(self) -> int:
        return 2 * len(self._jobs)

    def row_of_line(self, y: int) -> int:
        return y // 2

    def lines_of_row(self, row: int) -> range:
        return range(2 * row, 2 * row + 2)

    def row_line(self, y: int) -> Line:
        job = self._jobs[y // 2]
        columns = max(self.columns - 1, 8)
        if y % 2:
            said, role = _second(job)
            return ((fit(f"    {clean(said)}", columns), role),)
        mark: Span = ("[x] ", "title") if str(job.file) in self._marked else ("[ ] ", "muted")
        when = f"{job.saved_at.astimezone(self._zone):%Y-%m-%d %H:%M}"
        name = clean(job.flow_name) or "?"
        rest = f"  {parameters_line(job.params)}"
        head = f"{short_id(job.job_id)} "
        room = columns - 4 - len(head) - len(when) - 2
        return (mark, (head, "muted"), (fit(name + rest, room), "strong"), (f"  {when}", "muted"))


def _second(job: SavedJob) -> tuple[str, str]:
    if job.problem:
        return f"cannot be carried on: {job.problem}", "failed"
    parts = [f"{job.activations:,} activation{'' if job.activations == 1 else 's'}"]
    if job.progress is not None:
        fraction = job.progress.fraction
        parts.append(brief(job.progress.done) if fraction is None else f"{fraction:.0%}")
    parts.append(f"{job.waiting:,} waiting")
    parts += [job.note] if job.note else []
    return " · ".join(parts), "warning" if job.note else "muted"

"""The start form: a job's parameters, checked as one types, by the same code that `exec` uses."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Button, Input, Static

from tui.aside import aside
from tui.earlier import same_values
from tui.form.changes import changes
from tui.form.draft import Draft
from tui.form.editors import Submitted, TextLine
from tui.form.fields import Edited, Field, TextField, fields_for
from tui.form.values import Reading, errors_of
from tui.keys import bindings_of, hint_of
from tui.pictures import FlowPicture
from tui.screens.in_turn import InTurnScreen
from tui.spans import clean

Values: TypeAlias = dict[str, Any]
# A check that takes longer is said to go on, in seconds.
PATIENCE = 0.3
# One that takes longer than this may never end, and is not waited for by what was typed since.
ENDLESS = 3.0
# An error that belongs to no field, not even to that of the undeclared parameters.
GONE = "\0"


class Fields(VerticalScroll, inherit_bindings=False):
    """Scrolls with the focus: the arrows are for the fields."""


class StartScreen(InTurnScreen[Values | None]):
    """Answers with the parameters as they were given, or None.

    `check` raises for values that the flow does not take; it is called in threads. `earlier` are
    parameter sets to choose from, the newest first; `values` is what the form starts with. `left` is the
    draft of a form of the flow that was left without starting: it goes on from there.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("form")]
    AUTO_FOCUS = ""

    def __init__(
        self,
        flow: FlowPicture,
        check: Callable[[Mapping[str, Any]], object],
        *,
        values: Mapping[str, Any] | None = None,
        earlier: Sequence[Mapping[str, Any]] = (),
        title: str = "Start",
        left: Draft | None = None,
    ) -> None:
        super().__init__()
        self._flow = flow
        self._gone = False
        self._check = check
        self._title = title
        self._earlier = list(earlier)
        self.draft = Draft(flow, values)
        # What one should know of a draft that was left.
        self._of_left = ""
        if left is not None:
            self.draft.take_over(left)
            gone = [name for name in left.entries if name not in self.draft.entries]
            self._of_left = f"As you left it, but {', '.join(gone)} is gone." if gone else "As you left it."
        self._fields = fields_for(self.draft.entries, [dict(each) for each in self._earlier])
        self._touch(left.touched if left is not None else ())
        # Which set of `earlier` is shown; -1 is what was typed, kept in `_own` while another is shown.
        last = bool(self._earlier) and left is None and same_values(values or {}, self._earlier[0])
        self._at = 0 if last else -1
        self._own: Draft | None = None
        self._tried = False
        # The reading that is to be checked next, and whether one is being checked.
        self._unchecked: Reading | None = None
        self._checking = False
        # Only what the last check answers counts.
        self._checks = 0
        # While the check of what is to be answered goes on: after how many edits that was.
        self._wanted: int | None = None
        # What happens while a check takes long.
        self._alarms: list[Timer] = []

    # ---- the screen

    def compose(self) -> ComposeResult:
        flow = self._flow
        with Vertical(id="dialog"):
            title = Content.assemble((f"{self._title} ", ""), (clean(flow.name), "bold"))
            yield Static(title, id="dialog-title")
            yield Static("", id="form-notice", markup=False)
            with Fields(id="form", can_focus=False):
                yield from self._about(flow)
                yield from self._fields
            yield Static("", id="form-error", markup=False)
            with Horizontal(id="buttons"):
                yield Button("Start", variant="primary", id="start", compact=True)
                yield Button("Cancel", id="leave", compact=True)

    def _about(self, flow: FlowPicture) -> ComposeResult:
        if flow.description:
            yield Static(clean(flow.description), id="form-about", classes="about", markup=False)
        for finding in flow.findings:
            if finding.level != "info":
                said = f"{finding.level}: {finding.where}: {finding.message}\n{finding.remedy}"
                shown = "\n".join(clean(line) for line in said.splitlines())
                yield Static(shown, classes=f"about finding -{finding.level}", markup=False)
        if not flow.parameters and not flow.others:
            yield Static("The flow takes no parameters.", classes="about field-about")

    def on_mount(self) -> None:
        self._say(self._of_left or _left_out(self.draft))
        self._show_hint()
        first = self._fields[0].editor if self._fields else self.query_one("#start", Button)
        self.set_focus(first, scroll_visible=False)
        self.call_after_refresh(self._revise)

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        # What stands around the fields: border, title, a problem of two lines, buttons; the notice.
        notice = 4 if self.query_one("#form-notice").display else 0
        self.query_one("#form").styles.max_height = max(3, self.size.height - 9 - notice)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        # The label and the description come into view with the editor.
        field = self._field_around(event.widget)
        if field is not None:
            self.call_after_refresh(field.scroll_visible, animate=False)

    def _field_around(self, widget: object) -> Field | None:
        ancestors = getattr(widget, "ancestors", ())
        return next((each for each in ancestors if isinstance(each, Field)), None)

    def _say(self, text: str) -> None:
        """What one should know before one starts; nothing takes it away."""
        notice = self.query_one("#form-notice", Static)
        notice.update("\n".join(clean(line) for line in text.splitlines()))
        notice.display = bool(text)
        self._fit()

    def _show_hint(self, said: str = "") -> None:
        names = ["form-start", "form-empty", *(["form-earlier"] if self._earlier else [])]
        if self._earlier and self._at >= 0 and not said:
            said = f"set {self._at + 1} of {len(self._earlier)}"
        shown = (f" {said} ", "bold") if said else ""
        self.query_one("#dialog").border_subtitle = Content.assemble(shown, *hint_of(names))

    # ---- reading and checking

    @property
    def fields(self) -> Mapping[str, Field]:
        """The fields that are shown, by their dotted names."""
        return {each.path: each for field in self._fields for each in field.walk()}

    def _touch(self, names: Collection[str]) -> None:
        """Say the errors of these fields from the beginning, and of others once one edits them."""
        for path, field in self.fields.items():
            field.touched = path in names

    @property
    def left(self) -> Draft:
        """What stands in the form, for one that goes on from here."""
        told = (path for path, field in self.fields.items() if self._tried or field.touched)
        self.draft.touched = frozenset(told)
        return self.draft

    def read(self) -> Reading:
        """What stands in the form now, and what of it cannot be understood."""
        # A key that starts may overtake the message that says what was typed before it.
        for field in self.fields.values():
            field.sync()
        return self.draft.read()

    @property
    def settled(self) -> bool:
        """Whether everything that is wrong is shown."""
        return not self._checking and self._unchecked is None

    def _revise(self) -> None:
        """Have what stands in the form now checked."""
        self._unchecked = self.read()
        if not self._checking:
            self._check_next(self._unchecked)

    def _check_next(self, reading: Reading) -> None:
        self._unchecked = None
        self._checking = True
        self._checks += 1
        self._stop_alarms()
        self._alarms = [
            self.set_timer(PATIENCE, lambda: self._show_hint("checking …")),
            self.set_timer(ENDLESS, self._give_up),
        ]
        self.run_worker(self._check_in_thread(reading, self._checks), exit_on_error=True)

    async def _check_in_thread(self, reading: Reading, number: int) -> None:
        errors = dict(reading.errors)
        try:
            # Validators are the flow's own code: they may look at files, or hang.
            await aside(self._check, reading.values)
        except Exception as error:
            # A field that was not understood is missing for the check; its own error says more.
            errors = {**errors_of(error, frozenset(self.draft.names())), **errors}
        if number != self._checks:
            return
        self._checking = False
        if self._unchecked is not None:
            self._check_next(self._unchecked)
        else:
            self._show_errors(reading, errors)

    def _give_up(self) -> None:
        """A check that takes so long is not waited for where something else is to be checked."""
        self._checking = False
        if self._unchecked is not None:
            self._check_next(self._unchecked)

    def _stop_alarms(self) -> None:
        for alarm in self._alarms:
            alarm.stop()

    def _show_errors(self, reading: Reading, errors: dict[str, str]) -> None:
        self._stop_alarms()
        self._show_hint()
        if self._gone:
            # The check says the same in other words.
            errors = {GONE: "The flow is no longer in the folder."}
        shown = self.fields
        for path, field in shown.items():
            field.show_error(errors.get(path, "") if self._tried or field.touched else "")
        homeless = [said for path, said in errors.items() if path not in shown]
        problem = self.query_one("#form-error", Static)
        problem.update(clean("; ".join(homeless)))
        problem.display = bool(homeless)
        self.query_one("#start", Button).set_class(bool(errors), "-blocked")
        if self._wanted is not None:
            self._wanted = None
            if not errors:
                self.dismiss_in_turn(dict(reading.values))
            else:
                self._go_to_error(errors)

    def _go_to_error(self, errors: Mapping[str, str]) -> None:
        wrong = next((field for path, field in self.fields.items() if path in errors), None)
        if wrong is not None:
            self.set_focus(wrong.editor)
            wrong.scroll_visible(animate=False)

    def on_edited(self, event: Edited) -> None:
        event.stop()
        self._revise()
        if self._wanted != self._edits():
            self._wanted = None

    def _edits(self) -> int:
        return sum(field.edits for field in self.fields.values())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_start()

    def on_submitted(self, event: Submitted) -> None:
        event.stop()
        self.action_start()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "start":
            self.action_start()
        else:
            self.action_cancel()

    # ---- the flow is another

    @property
    def flow(self) -> FlowPicture:
        """The flow as the form knows it."""
        return self._flow

    @property
    def gone(self) -> bool:
        """Whether the flow is no longer in the folder."""
        return self._gone

    def flow_changed(self, flow: FlowPicture | None) -> None:
        """The flow was loaded anew, or is gone (None): say so, and check against what it is now.

        What was typed stays wherever there is still a field for it.
        """
        self._gone = flow is None
        if flow is None:
            self._say("")
        else:
            old, self._flow = self._flow, flow
            self._say(changes(old, flow))
            if (flow.parameters, flow.others) != (old.parameters, old.others):
                self.call_next(self._rebuild, flow)
        self._revise()

    async def _rebuild(self, flow: FlowPicture) -> None:
        focused = self._field_around(self.focused)
        place = focused.place() if isinstance(focused, TextField) else None
        touched = {path for path, field in self.fields.items() if field.touched}
        draft = Draft(flow)
        draft.take_over(self.draft)
        self.draft = draft
        self._fields = fields_for(draft.entries, [dict(each) for each in self._earlier])
        form = self.query_one("#form")
        async with self.batch():
            await form.remove_children()
            await form.mount(*self._about(flow), *self._fields)
            self._touch(touched)
            again = self.fields.get(focused.path) if focused is not None else None
            if isinstance(again, TextField) and type(again) is type(focused):
                again.focus_at(place)
            elif again is not None:
                self.set_focus(again.editor)
        self._revise()

    # ---- keys

    def action_start(self) -> None:
        """Answer with the values if they are right; else go to what is wrong."""
        self._tried = True
        self._revise()
        self._wanted = self._edits()

    def action_cancel(self) -> None:
        self.dismiss(None)

    def action_earlier(self) -> None:
        """Go to the next older set of parameters; after the oldest, back to what was typed."""
        if not self._earlier:
            return
        if self._at < 0 or self.draft.edited:
            self._own = self._copy()
        self._at += 1
        if self._at < len(self._earlier):
            self.draft.fill(self._earlier[self._at])
        elif self._own is not None:
            self._at = -1
            self.draft.take_over(self._own)
        else:
            self._at = 0
            self.draft.fill(self._earlier[0])
        for field in self._fields:
            field.show()
        self._say(_left_out(self.draft))
        self._revise()

    def _copy(self) -> Draft:
        draft = Draft(self._flow)
        draft.take_over(self.draft)
        return draft

    def action_empty(self) -> None:
        field = self._field_around(self.focused)
        if field is not None:
            field.next_empty()

    def action_step(self, by: int) -> None:
        field = self._field_around(self.focused)
        if field is not None:
            field.step(by)

    def action_newline(self) -> None:
        field = self._field_around(self.focused)
        if isinstance(field, TextField) and isinstance(field.editor, TextLine):
            field.editor.insert("\n")


def _left_out(draft: Draft) -> str:
    if not draft.unknown:
        return ""
    return f"left out, since the flow does not know it: {', '.join(draft.unknown)}"

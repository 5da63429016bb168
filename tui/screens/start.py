"""The start form: a job's parameters, checked as one types, by the same code that `exec` uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static, TextArea

from tui.form.fields import Field, field_for
from tui.form.values import ABSENT, Reading, errors_of, json_text, read_json
from tui.keys import bindings_of, key_named, shown_key
from tui.pictures import FlowPicture
from tui.spans import clean

Values: TypeAlias = dict[str, Any]


class StartScreen(ModalScreen[Values | None]):
    """Answers with the parameters as they were given, or None.

    `check` raises for values that the flow does not take. `earlier` are parameter sets to choose
    from, the newest first; `values` is what the form starts with.
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
    ) -> None:
        super().__init__()
        self._flow = flow
        self._check = check
        self._given = dict(values or {})
        self._earlier = list(earlier)
        self._at_earlier = -1
        self._title = title
        # Required ones first; sorted keeps the order of the declaration within each group.
        ordered = sorted(flow.parameters, key=lambda parameter: not parameter.required)
        self._fields = [field_for(parameter) for parameter in ordered]
        self._json = (
            None if flow.declared else TextArea(tab_behavior="focus", highlight_cursor_line=False, id="json")
        )
        self._problem = Static("", id="form-error", markup=False)
        self._tried = False

    # ---- the screen

    def compose(self) -> ComposeResult:
        flow = self._flow
        with Vertical(id="dialog"):
            title = Content.assemble((f"{self._title} ", ""), (clean(flow.name), "bold"))
            yield Static(title, id="dialog-title")
            with VerticalScroll(id="form", can_focus=False):
                if flow.description:
                    yield Static(clean(flow.description), id="form-about", markup=False)
                for finding in flow.findings:
                    if finding.level != "info":
                        said = f"{finding.level}: {finding.where}: {finding.message}\n{finding.remedy}"
                        shown = "\n".join(clean(line) for line in said.splitlines())
                        yield Static(shown, classes=f"finding -{finding.level}", markup=False)
                yield from self._fields
                if self._json is not None:
                    yield Static("parameters, as a JSON object", classes="field-label")
                    yield self._json
                elif not self._fields:
                    yield Static("The flow takes no parameters.", classes="field-about")
            yield self._problem
            with Horizontal(id="buttons"):
                yield Button("Start", variant="primary", id="start", compact=True)
                yield Button("Cancel", id="leave", compact=True)
                yield Static(_hint(bool(self._earlier)), id="form-hint")

    def on_mount(self) -> None:
        self._fill(self._given)
        first = self._fields[0].editor if self._fields else self._json
        self.set_focus(first or self.query_one("#start", Button))
        self.call_after_refresh(self._revise)

    def on_resize(self) -> None:
        # What stands around the fields: border, title, a problem of two lines, buttons.
        self.query_one("#form").styles.max_height = max(3, self.size.height - 9)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        # The label and the description come into view with the editor.
        field = next((each for each in event.widget.ancestors if isinstance(each, Field)), None)
        if field is not None:
            field.scroll_visible(animate=False)

    def _fill(self, values: Mapping[str, Any]) -> None:
        if self._json is not None:
            self._json.text = json_text(dict(values))
        for field in self._fields:
            field.fill(values.get(field.parameter.name, ABSENT))

    # ---- reading and checking

    def read(self) -> Reading:
        """What stands in the form now, with everything that is wrong with it."""
        reading = read_json(self._json.text) if self._json is not None else self._read_fields()
        names = frozenset(field.parameter.name for field in self._fields)
        errors = dict(reading.errors)
        try:
            self._check(reading.values)
        except Exception as error:
            # A field that was not understood is missing for the check; its own error says more.
            errors = {**errors_of(error, names), **errors} if "" not in errors else errors
        return Reading(reading.values, errors)

    def _read_fields(self) -> Reading:
        values: Values = {}
        errors: dict[str, str] = {}
        for field in self._fields:
            try:
                value = field.read()
            except ValueError as error:
                errors[field.parameter.name] = str(error)
                continue
            if value is not ABSENT:
                values[field.parameter.name] = value
        return Reading(values, errors)

    def _revise(self) -> Reading:
        reading = self.read()
        for field in self._fields:
            said = reading.errors.get(field.parameter.name, "")
            field.show_error(said if self._tried or field.touched else "")
        problem = clean(reading.errors.get("", ""))
        self._problem.update(problem)
        self._problem.display = bool(problem)
        self.query_one("#start", Button).set_class(bool(reading.errors), "-blocked")
        return reading

    def on_field_edited(self) -> None:
        self._revise()

    def on_text_area_changed(self) -> None:
        self._revise()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_start()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "start":
            self.action_start()
        else:
            self.action_cancel()

    # ---- keys

    def action_start(self) -> None:
        """Answer with the values if they are right; else go to what is wrong."""
        self._tried = True
        reading = self._revise()
        if not reading.errors:
            self.dismiss(dict(reading.values))
            return
        wrong = next((field for field in self._fields if field.parameter.name in reading.errors), None)
        if wrong is not None:
            self.set_focus(wrong.editor)
            wrong.scroll_visible(animate=False)

    def action_cancel(self) -> None:
        self.dismiss(None)

    def action_earlier(self) -> None:
        """Go to the next older set of parameters, and round again."""
        if not self._earlier:
            return
        self._at_earlier = (self._at_earlier + 1) % len(self._earlier)
        self._fill(self._earlier[self._at_earlier])
        self.query_one("#form-hint", Static).update(f"set {self._at_earlier + 1} of {len(self._earlier)}")

    @property
    def fields(self) -> Mapping[str, Field]:
        """The fields by the name of their parameter."""
        return {field.parameter.name: field for field in self._fields}


def _hint(earlier: bool) -> Content:
    names = ["form-start", "form-cancel", *(["form-earlier"] if earlier else [])]
    parts: list[tuple[str, str]] = []
    for key in map(key_named, names):
        parts += [(f" {shown_key(key.keys[0])} ", "bold"), (f"{key.label} ", "dim")]
    return Content.assemble(*parts)

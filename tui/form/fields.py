"""The fields of the start form, one widget per declared parameter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.text import Text as RichText
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Select, Static, TextArea
from textual.widgets.text_area import Selection

from tui.form.choice import Choice
from tui.form.draft import ObjectEntry
from tui.form.editors import Line, PastSuggester, PathSuggester, Remark, Text, TextLine
from tui.form.entries import ChoiceEntry, Entry, GroupEntry, SwitchEntry, TextEntry
from tui.form.toggle import Toggle
from tui.form.values import ABSENT, text_of
from tui.parameters import default_words, type_words
from tui.spans import clean

CLIPPED = "holds more than can be shown here; that stays unless it is edited"


class Edited(Message):
    """What stands in a field is another now."""


class Field(Vertical):
    """A label, an editor, a description, and beside them what is wrong with the value.

    `path` is the dotted name. `past` are values that were given earlier, the newest first.
    """

    def __init__(self, path: str, entry: Entry, past: Sequence[Any] = ()) -> None:
        super().__init__(classes="field")
        self.path = path
        self.entry = entry
        self.past = past
        # Errors of a field that nobody has touched yet would only be in the way.
        self.touched = False
        # How often it became another.
        self.edits = 0
        self.error = ""
        # Whether the editor shows what stands in the entry; before it does there is nothing to learn from it.
        self._shows = False
        self._error = Static("", classes="field-error", markup=False)
        self._note = Static("", classes="field-note", markup=False)

    def compose(self) -> ComposeResult:
        yield Static(self._label(), classes="field-label")
        yield self.editor
        yield self._error
        yield self._note
        if self.entry.parameter.description:
            yield Static(clean(self.entry.parameter.description), classes="field-about", markup=False)

    def on_mount(self) -> None:
        self.show()
        self._shows = True

    def _label(self) -> Content:
        parameter = self.entry.parameter
        words = f"  {type_words(parameter)} · {default_words(parameter)}"
        return Content.assemble((clean(parameter.name), "bold"), (clean(words), "dim"))

    @property
    def editor(self) -> Widget:
        """What takes the focus."""
        raise NotImplementedError

    def show(self) -> None:
        """Let the editor show what stands in the entry."""
        raise NotImplementedError

    def walk(self) -> Iterator[Field]:
        """This field, and those inside."""
        yield self

    def show_error(self, said: str) -> None:
        """Say what is wrong; nothing for a value that is right."""
        if said != self.error:
            self.error = said
            self._error.update(f"✗ {clean(said)}")
            self.set_class(bool(said), "-wrong")

    def say_note(self, said: str) -> None:
        self._note.update(f"! {said}")
        self._note.display = bool(said)

    def sync(self) -> bool:
        """Let the entry hold what stands in the editor. Whether that is another than before."""
        changed = self._shows and self._take()
        self._note_change(changed)
        return changed

    def _note_change(self, changed: bool = True) -> None:
        self.touched = self.touched or changed
        self.edits += changed

    def _take(self) -> bool:
        raise NotImplementedError

    def tell(self) -> None:
        """The editor may show another value now."""
        if self.sync():
            self.post_message(Edited())

    def changed(self) -> None:
        """The entry holds another value now, which the editor is to show."""
        self._note_change()
        self.show()
        self.post_message(Edited())

    def step(self, by: int) -> None:
        """Go to a near value, where there is one."""

    def next_empty(self) -> None:
        """Let the field be empty, in the next sense that it can be."""


class SwitchField(Field):
    """A bool."""

    def __init__(self, path: str, entry: SwitchEntry, past: Sequence[Any] = ()) -> None:
        super().__init__(path, entry, past)
        self.entry: SwitchEntry = entry
        self._switch = Toggle(entry.on)

    @property
    def editor(self) -> Widget:
        return self._switch

    def show(self) -> None:
        self._switch.value = self.entry.on

    def on_toggle_changed(self, event: Toggle.Changed) -> None:
        event.stop()
        self.tell()

    def _take(self) -> bool:
        changed = self.entry.on != self._switch.value
        self.entry.on = self._switch.value
        return changed


class ChoiceField(Field):
    """One of some values; also a bool that may be left open."""

    def __init__(self, path: str, entry: ChoiceEntry, past: Sequence[Any] = ()) -> None:
        super().__init__(path, entry, past)
        self.entry: ChoiceEntry = entry
        self._select = Choice(
            self._options(), prompt="choose", allow_blank=entry.parameter.required, compact=True
        )

    @property
    def editor(self) -> Widget:
        return self._select

    def show(self) -> None:
        self._select.set_options(self._options())
        if self.entry.at is None:
            self._select.clear()
        else:
            self._select.value = self.entry.at

    def _options(self) -> list[tuple[RichText, int]]:
        # Rich's text is what typed letters are looked for in, and a plain str would be read as markup.
        return [(RichText(clean(word)), at) for at, word in enumerate(self.entry.words)]

    def on_select_changed(self, event: Select.Changed) -> None:
        event.stop()
        self.tell()

    def _take(self) -> bool:
        chosen = self._select.value
        at = chosen if isinstance(chosen, int) else None
        changed = at != self.entry.at
        self.entry.at = at
        return changed


class TextField(Field):
    """Whatever is typed."""

    def __init__(self, path: str, entry: TextEntry, past: Sequence[Any] = ()) -> None:
        super().__init__(path, entry, past)
        self.set_class(isinstance(entry, ObjectEntry) and not entry.parameter.description, "whole")
        self.entry: TextEntry = entry
        # The cursor has its place before the focus comes.
        self._placed = False
        parameter = entry.parameter
        texts = [] if parameter.secret else [text_of(parameter, each) for each in past if each is not None]
        self._editor: Line | Text
        if parameter.secret or not (entry.is_json or parameter.kind == "str"):
            by_folder = parameter.kind == "path"
            suggester = PathSuggester() if by_folder else PastSuggester(texts)
            self._editor = Line(password=parameter.secret, compact=True, suggester=suggester)
        else:
            self._editor = Text() if entry.is_json else TextLine(texts)

    @property
    def editor(self) -> Line | Text:
        return self._editor

    @property
    def text(self) -> str:
        """What is typed."""
        return self._editor.value if isinstance(self._editor, Input) else self._editor.text

    def show(self) -> None:
        if self.text != self.entry.text:
            if isinstance(self._editor, Input):
                self._editor.value = self.entry.text
            else:
                self._editor.text = self.entry.text
                self._place_cursor(self._editor)
        self._show_meaning()

    def _place_cursor(self, editor: Text) -> None:
        """A line goes on at its end; what is longer is shown from its beginning.

        JSON that nobody has edited is selected where one is, as a line is that is entered: what is typed
        takes its place, and the arrows edit it.
        """
        start, end = (0, 0), editor.document.end
        if self.entry.is_json and not self.entry.edited:
            editor.selection = Selection(end if editor.has_focus else start, start)
        else:
            editor.move_cursor(start if editor.document.line_count > 1 else end)

    def on_mount(self) -> None:
        if isinstance(self._editor, Text) and self.entry.is_json:
            self.watch(self._editor, "has_focus", self._entered_or_left, init=False)

    def _entered_or_left(self) -> None:
        placed, self._placed = self._placed, False
        if isinstance(self._editor, Text) and not placed and not self.entry.edited:
            self._place_cursor(self._editor)

    def place(self) -> Any:
        """Where the cursor stands."""
        return (
            self._editor.cursor_position if isinstance(self._editor, Input) else self._editor.cursor_location
        )

    def focus_at(self, place: Any) -> None:
        """Take the focus with the cursor where it was in the field that this one replaces."""
        if isinstance(self._editor, Input):
            # A line that is entered is selected, so that what is typed next would replace it.
            self._editor.select_on_focus = False
            self._editor.cursor_position = place
            self.call_after_refresh(setattr, self._editor, "select_on_focus", True)
        else:
            self._editor.move_cursor(place)
            self._placed = True
        self.screen.set_focus(self._editor)

    def _show_meaning(self) -> None:
        self._editor.placeholder = clean(self.entry.empty_words())
        self.say_note(CLIPPED if self.entry.clipped and not self.entry.edited else "")

    def _take(self) -> bool:
        changed = self.text != self.entry.text
        if changed:
            self.entry.type(self.text)
            self._show_meaning()
        return changed

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.tell()

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self.tell()

    def on_remark(self, event: Remark) -> None:
        event.stop()
        if event.said:
            self.say_note(event.said)

    def step(self, by: int) -> None:
        self.sync()
        if self.entry.step(by):
            self.changed()

    def next_empty(self) -> None:
        self.sync()
        self.entry.next_empty()
        self.changed()


class GroupField(Field):
    """The fields of a nested object, and whether it is given at all."""

    def __init__(self, path: str, entry: GroupEntry, past: Sequence[Any] = ()) -> None:
        super().__init__(path, entry, past)
        self.add_class("group")
        self.entry: GroupEntry = entry
        self._given = Toggle(entry.on, ("given", entry.off_words()))
        inside = [each for each in past if isinstance(each, dict)]
        self.fields = fields_for(entry.entries, inside, f"{path}.")

    def compose(self) -> ComposeResult:
        with Horizontal(classes="field-head"):
            yield Static(self._label(), classes="field-label")
            if self.entry.optional:
                yield self._given
        yield self._error
        yield self._note
        if self.entry.parameter.description:
            yield Static(clean(self.entry.parameter.description), classes="field-about", markup=False)
        with Vertical(classes="inside"):
            yield from self.fields

    def on_mount(self) -> None:
        self._show_given()

    @property
    def editor(self) -> Widget:
        if self.entry.optional or not self.fields:
            return self._given
        return self.fields[0].editor

    def show(self) -> None:
        self._given.value = self.entry.on
        self._show_given()
        for field in self.fields:
            field.show()

    def _show_given(self) -> None:
        self._given.set_words("given", self.entry.off_words())
        self.query_one(".inside").display = self.entry.on
        self.set_class(self.entry.on, "-given")

    def on_toggle_changed(self, event: Toggle.Changed) -> None:
        event.stop()
        self.tell()

    def _take(self) -> bool:
        changed = self.entry.on != self._given.value
        if changed:
            self.entry.turn(self._given.value)
            self._show_given()
        return changed

    def next_empty(self) -> None:
        self.entry.next_empty()
        self.changed()

    def walk(self) -> Iterator[Field]:
        yield self
        if self.entry.on:
            for field in self.fields:
                yield from field.walk()


def field_for(path: str, entry: Entry, past: Sequence[Any]) -> Field:
    """The field that suits an entry."""
    if isinstance(entry, GroupEntry):
        return GroupField(path, entry, past)
    if isinstance(entry, SwitchEntry):
        return SwitchField(path, entry, past)
    if isinstance(entry, ChoiceEntry):
        return ChoiceField(path, entry, past)
    assert isinstance(entry, TextEntry)
    return TextField(path, entry, past)


def fields_for(entries: dict[str, Entry], past: Sequence[dict[str, Any]], prefix: str = "") -> list[Field]:
    """A field per entry, in their order. `past` are earlier values of them all, the newest first."""
    found = []
    for name, entry in entries.items():
        given = [each[name] for each in past if each.get(name, ABSENT) is not ABSENT]
        found.append(field_for(prefix + name, entry, given))
    return found

"""The fields of the start form, one widget per declared parameter."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.suggester import Suggester
from textual.widget import Widget
from textual.widgets import Input, Select, Static, TextArea

from routilux.params import ParameterField
from tui.form.toggle import Toggle
from tui.form.values import ABSENT, JSON_KINDS, text_of, value_of
from tui.formats import brief
from tui.parameters import default_words, type_words
from tui.spans import clean


class PathSuggester(Suggester):
    """Completes the last part of a path with what is in its folder."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        # A folder on a slow disk must not hold the screen up.
        return await asyncio.to_thread(complete_path, value) if value else None


def complete_path(value: str) -> str | None:
    """The first entry, by name, that `value` is the beginning of; folders get their slash."""
    folder, beginning = os.path.split(value)
    try:
        with os.scandir(os.path.expanduser(folder) or ".") as entries:
            found = sorted(
                (entry.name, entry.is_dir())
                for entry in entries
                if entry.name.startswith(beginning) and (beginning or not entry.name.startswith("."))
            )
    except OSError:
        return None
    if not found or not beginning:
        return None
    name, is_folder = found[0]
    return os.path.join(folder, name) + ("/" if is_folder else "")


class Field(Vertical):
    """A label, an editor, a description, and beside them what is wrong with the value.

    `read` raises ValueError for what cannot be understood. Subclasses make the editor.
    """

    class Edited(Message):
        """The value is another now."""

    def __init__(self, parameter: ParameterField) -> None:
        super().__init__(classes="field")
        self.parameter = parameter
        # Errors of a field that nobody has touched yet would only be in the way.
        self.touched = False
        self._error = Static("", classes="field-error", markup=False)

    def compose(self) -> ComposeResult:
        parameter = self.parameter
        name = clean(parameter.name)
        words = clean(f"  {type_words(parameter)} · {default_words(parameter)}")
        yield Static(Content.assemble((name, "bold"), (words, "dim")), classes="field-label")
        yield self.editor
        yield self._error
        if parameter.description:
            yield Static(clean(parameter.description), classes="field-about", markup=False)

    @property
    def editor(self) -> Widget:
        raise NotImplementedError

    def read(self) -> Any:
        """The value as `validate` takes it, or `ABSENT`."""
        raise NotImplementedError

    def fill(self, value: Any) -> None:
        """Show `value`; `ABSENT` stands for the default."""
        raise NotImplementedError

    def show_error(self, said: str) -> None:
        """Say what is wrong; nothing for a value that is right."""
        if said != self.error:
            self.error = said
            self._error.update(clean(said))
            self.set_class(bool(said), "-wrong")

    error = ""

    def changed(self) -> None:
        self.touched = True
        self.post_message(self.Edited())


class SwitchField(Field):
    """A bool."""

    def __init__(self, parameter: ParameterField) -> None:
        super().__init__(parameter)
        self._switch = Toggle(bool(parameter.default))

    @property
    def editor(self) -> Widget:
        return self._switch

    def read(self) -> Any:
        return self._switch.value

    def fill(self, value: Any) -> None:
        self._switch.value = bool(self.parameter.default if value is ABSENT else value)

    def on_toggle_changed(self, event: Toggle.Changed) -> None:
        event.stop()
        self.changed()


class ChoiceField(Field):
    """One of some values; also a bool that may be left open."""

    def __init__(self, parameter: ParameterField) -> None:
        super().__init__(parameter)
        is_bool = parameter.kind == "bool"
        self._choices: tuple[Any, ...] = (True, False) if is_bool else tuple(parameter.choices or ())
        words = ("yes", "no") if is_bool else tuple(brief(each, 60) for each in self._choices)
        self._select: Select[int] = Select(
            [(Content(word), index) for index, word in enumerate(words)],
            prompt="choose" if parameter.required else "none",
            allow_blank=True,
            compact=True,
        )
        self._first = ABSENT

    @property
    def editor(self) -> Widget:
        return self._select

    def read(self) -> Any:
        at = self._select.value
        if isinstance(at, int):
            return self._choices[at]
        return None if self.parameter.nullable and self.parameter.default is not None else ABSENT

    def fill(self, value: Any) -> None:
        wanted = self.parameter.default if value is ABSENT else getattr(value, "value", value)
        at = next((index for index, each in enumerate(self._choices) if each == wanted), None)
        if at is None:
            self._select.clear()
        else:
            self._select.value = at

    def on_select_changed(self, event: Select.Changed) -> None:
        event.stop()
        self.changed()


class TextField(Field):
    """Anything that is one line of text."""

    def __init__(self, parameter: ParameterField) -> None:
        super().__init__(parameter)
        # A secret is never put where it could be read: it is kept here, and counts until one types another.
        self._kept: Any = ABSENT
        self._input = Input(
            password=parameter.secret,
            compact=True,
            placeholder="none" if parameter.default is None and not parameter.required else "",
            suggester=PathSuggester() if parameter.kind == "path" else None,
        )

    @property
    def editor(self) -> Widget:
        return self._input

    def read(self) -> Any:
        text = self._input.value
        if self.parameter.secret and not text:
            return self._kept
        return value_of(self.parameter, text)

    def fill(self, value: Any) -> None:
        if self.parameter.secret:
            self._kept = value
            self._input.value = ""
            if value is not ABSENT and value is not None:
                self._input.placeholder = "•••• as before"
        else:
            self._input.value = text_of(self.parameter, self.parameter.default if value is ABSENT else value)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.changed()


class JsonField(Field):
    """A list, a dict or an object, as JSON."""

    def __init__(self, parameter: ParameterField) -> None:
        super().__init__(parameter)
        self._area = TextArea(
            compact=True,
            tab_behavior="focus",
            highlight_cursor_line=False,
            classes="json",
        )
        self._area.match_cursor_bracket = False

    @property
    def editor(self) -> Widget:
        return self._area

    def read(self) -> Any:
        return value_of(self.parameter, self._area.text)

    def fill(self, value: Any) -> None:
        self._area.text = text_of(self.parameter, self.parameter.default if value is ABSENT else value)

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self.changed()


def field_for(parameter: ParameterField) -> Field:
    """The field that suits a parameter."""
    if parameter.kind == "bool" and not parameter.nullable and not parameter.required:
        return SwitchField(parameter)
    if parameter.kind in ("bool", "choice"):
        return ChoiceField(parameter)
    if parameter.kind in JSON_KINDS:
        return JsonField(parameter)
    return TextField(parameter)

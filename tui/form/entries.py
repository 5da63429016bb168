"""What stands in the fields of a form, and what it means. Knows nothing of widgets.

The rule of every entry: what was filled in and not edited is read as exactly the value it was filled
with. So whatever a job was started with can be started again, also what cannot be typed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, Final

from routilux.params import ParameterField, coerce_text
from tui.form.stepping import step
from tui.form.values import ABSENT, JSON_KINDS, text_of
from tui.formats import SECRET, brief
from tui.spans import clean, clean_lines


class Entry(ABC):
    """What stands in one field."""

    def __init__(self, parameter: ParameterField) -> None:
        self.parameter = parameter

    @abstractmethod
    def fill(self, value: Any) -> None:
        """Hold `value`; `ABSENT` stands for the default."""

    @abstractmethod
    def read(self) -> Any:
        """The value as validation takes it, or `ABSENT`. ValueError for what cannot be understood."""

    @property
    @abstractmethod
    def edited(self) -> bool:
        """Whether it is another than what was filled in."""

    def collect(self, path: str, errors: dict[str, str]) -> Any:
        """The value; what cannot be understood is put under `path`, and is `ABSENT`."""
        try:
            return self.read()
        except ValueError as error:
            errors[path] = str(error)
            return ABSENT

    def take_over(self, old: Entry) -> None:
        """Hold what `old` holds, an entry of another version of the flow."""
        try:
            self.fill(old.read())
        except ValueError:
            self.fill(ABSENT)

    def inner(self, path: str) -> Iterator[tuple[str, Entry]]:
        """The entries inside, at any depth, with their dotted names."""
        return iter(())


class Empty(Enum):
    """What it means where nothing is typed."""

    LEFT = "left to the default, or missing"
    NONE = "none"
    TEXT = "the empty text"
    KEPT = "the secret that was given before"


class TextEntry(Entry):
    """A value that is typed. Where the text is empty, `empty` says what that means."""

    def __init__(self, parameter: ParameterField) -> None:
        super().__init__(parameter)
        self._kept: Any = ABSENT
        self._shown = ""
        self._filled = Empty.LEFT
        self.text = ""
        self.empty = Empty.LEFT
        # The text holds less than the value, which counts until one edits it.
        self.clipped = False
        self.fill(ABSENT)

    @property
    def is_json(self) -> bool:
        return self.parameter.kind in JSON_KINDS

    def fill(self, value: Any) -> None:
        parameter = self.parameter
        self._kept = value
        whole = (
            "" if parameter.secret else text_of(parameter, parameter.default if value is ABSENT else value)
        )
        lines = clean_lines(whole) if parameter.kind == "str" or self.is_json else [clean(whole)]
        self._shown = self.text = "\n".join(lines)
        self.clipped = self.text != whole
        if value is ABSENT:
            self.empty = Empty.LEFT
        elif value is None:
            self.empty = Empty.NONE
        else:
            self.empty = Empty.KEPT if parameter.secret else Empty.TEXT
        self._filled = self.empty

    def type(self, text: str) -> None:
        """The text is another now."""
        if text == self.text:
            return
        self.text = text
        if self.blank:
            self.empty = self._when_emptied()

    @property
    def blank(self) -> bool:
        """Whether nothing is typed; of a str, blanks are something."""
        return not (self.text if self.parameter.kind == "str" else self.text.strip())

    @property
    def edited(self) -> bool:
        return self.text != self._shown or (self.blank and self.empty is not self._filled)

    def read(self) -> Any:
        if not self.edited:
            return self._kept
        if not self.blank:
            return coerce_text(self.parameter, self.text)
        return {Empty.LEFT: ABSENT, Empty.NONE: None, Empty.TEXT: "", Empty.KEPT: self._kept}[self.empty]

    def _when_emptied(self) -> Empty:
        parameter = self.parameter
        if parameter.secret and self._filled is Empty.KEPT:
            return Empty.KEPT
        if parameter.nullable:
            return Empty.NONE
        return Empty.TEXT if parameter.kind == "str" and not parameter.required else Empty.LEFT

    def meanings(self) -> list[Empty]:
        """What an empty text may mean here."""
        found = [Empty.KEPT] if self.parameter.secret and self._filled is Empty.KEPT else []
        found.append(Empty.LEFT)
        if self.parameter.nullable:
            found.append(Empty.NONE)
        if self.parameter.kind == "str":
            found.append(Empty.TEXT)
        return found

    def next_empty(self) -> None:
        """Take the text away or, where there is none, let that mean the next thing it may mean."""
        meanings = self.meanings()
        if self.text:
            self.text, self.empty = "", meanings[0]
        else:
            at = meanings.index(self.empty) if self.empty in meanings else -1
            self.empty = meanings[(at + 1) % len(meanings)]

    def step(self, by: int) -> bool:
        """Go to a near value: a number by one, a date by a day. False where there is none."""
        stepped = None if self.parameter.secret else step(self.parameter, self.text, by)
        if stepped is not None:
            self.type(stepped)
        return stepped is not None

    def empty_words(self) -> str:
        """What stands in the field where nothing is typed."""
        parameter = self.parameter
        if self.empty is Empty.KEPT:
            return f"{SECRET} as before"
        if self.empty is Empty.TEXT:
            return "the empty text"
        if self.empty is Empty.NONE:
            return "none"
        if parameter.required:
            return "required"
        if parameter.default is None:
            return "default: none" if parameter.nullable and not parameter.absent else "left out"
        return f"default: {SECRET if parameter.secret else brief(parameter.default, 60) or 'the empty text'}"

    def take_over(self, old: Entry) -> None:
        if not isinstance(old, TextEntry) or (old.edited and old.parameter.secret != self.parameter.secret):
            super().take_over(old)
            return
        self.fill(old._kept)
        if old.edited:
            self.text = old.text
            self.empty = old.empty if old.empty in self.meanings() else self._when_emptied()


class SwitchEntry(Entry):
    """A bool that is one or the other."""

    def __init__(self, parameter: ParameterField) -> None:
        super().__init__(parameter)
        self.fill(ABSENT)

    def fill(self, value: Any) -> None:
        self._kept = value
        shown = self.parameter.default if value is ABSENT else value
        if isinstance(shown, str):
            try:
                shown = coerce_text(self.parameter, shown)
            except ValueError:
                pass  # shown as on; validation says what is wrong with it
        self.on = self._shown = bool(shown)

    @property
    def edited(self) -> bool:
        return self.on != self._shown

    def read(self) -> Any:
        return self.on if self.edited else self._kept


class ChoiceEntry(Entry):
    """One of some values. `at` is the place of the chosen one, None where none is chosen yet."""

    def __init__(self, parameter: ParameterField) -> None:
        super().__init__(parameter)
        is_bool = parameter.kind == "bool"
        offered: list[Any] = [True, False] if is_bool else list(parameter.choices or ())
        words = ["yes", "no"] if is_bool else [brief(each, 60) for each in offered]
        if parameter.nullable:
            offered.append(None)
            words.append("none")
        if parameter.absent or not (parameter.required or (parameter.nullable and parameter.default is None)):
            offered.append(ABSENT)
            known = None if parameter.default is None else _place_of(offered, parameter.default)
            words.append("left to the default" if known is None else f"default: {words[known]}")
        self._offered: Final = tuple(offered)
        self._offered_words: Final = tuple(words)
        self.fill(ABSENT)

    def fill(self, value: Any) -> None:
        self._kept = value
        self.values, self.words = list(self._offered), list(self._offered_words)
        at = _place_of(self.values, value)
        if value is ABSENT and not self.parameter.required and not self.parameter.absent:
            default = _place_of(self.values, self.parameter.default)
            at = at if default is None else default
        elif at is None and value is not ABSENT:
            # What validation takes though it is not declared: a value before its conversion, say.
            self.values.append(value)
            self.words.append(brief(value, 60))
            at = len(self.values) - 1
        self.at: int | None = at
        self._shown = at

    @property
    def edited(self) -> bool:
        return self.at != self._shown

    def read(self) -> Any:
        if not self.edited:
            return self._kept
        return ABSENT if self.at is None else self.values[self.at]


def _place_of(values: Sequence[Any], wanted: Any) -> int | None:
    """Where `wanted` is: 1 is not True here, and a member of an enum is found by its value too."""
    for candidate in (wanted, getattr(wanted, "value", wanted)) if isinstance(wanted, Enum) else (wanted,):
        for at, each in enumerate(values):
            if each is candidate or (type(each) is type(candidate) and each == candidate):
                return at
    return None


class GroupEntry(Entry):
    """The fields of a nested object. Where it may be none or left out, `on` says whether it is given."""

    def __init__(self, parameter: ParameterField) -> None:
        super().__init__(parameter)
        self.entries = entries_for(parameter.fields)
        # What it is where it is not given.
        self.meanings: list[Empty] = [Empty.NONE] if parameter.nullable else []
        if parameter.absent or (not self.meanings and not parameter.required and parameter.default is None):
            self.meanings.append(Empty.LEFT)
        self.fill(ABSENT)

    @property
    def optional(self) -> bool:
        return bool(self.meanings)

    def fill(self, value: Any) -> None:
        parameter = self.parameter
        self._kept = value
        shown = parameter.default if value is ABSENT else value
        inside = shown if isinstance(shown, Mapping) else {}
        self.on = shown is not None or not self.optional or (parameter.required and value is ABSENT)
        self.off = Empty.LEFT if value is ABSENT or not self.meanings else self.meanings[0]
        self._shown = (self.on, self.off)
        for name, entry in self.entries.items():
            entry.fill(inside.get(name, ABSENT))

    @property
    def edited(self) -> bool:
        if self.on:
            return not self._shown[0] or any(entry.edited for entry in self.entries.values())
        return (self.on, self.off) != self._shown

    def turn(self, on: bool) -> None:
        """Let it be given, or not."""
        if on != self.on:
            self.on = on
            self.off = self._shown[1] if not self._shown[0] else (*self.meanings, Empty.LEFT)[0]

    def next_empty(self) -> None:
        """Let it not be given, in the next sense in which it can be so."""
        if self.on and self.meanings:
            self.turn(False)
        elif self.meanings:
            at = self.meanings.index(self.off) if self.off in self.meanings else -1
            self.off = self.meanings[(at + 1) % len(self.meanings)]

    def off_words(self) -> str:
        return "none" if self.off is Empty.NONE or Empty.LEFT not in self.meanings else "left out"

    def read(self) -> Any:
        return self.collect("", {})

    def collect(self, path: str, errors: dict[str, str]) -> Any:
        if not self.on:
            if not self.edited:
                return self._kept
            return None if self.off is Empty.NONE else ABSENT
        untouched = not self.edited and (self._kept is not ABSENT or not self.parameter.required)
        if untouched and not isinstance(self._kept, Mapping):
            return self._kept
        return collect(self.entries, errors, f"{path}.")

    def take_over(self, old: Entry) -> None:
        if not isinstance(old, GroupEntry):
            super().take_over(old)
            return
        self.fill(old._kept)
        if old.edited:
            self.turn(old.on or not self.optional)
            for name, entry in self.entries.items():
                if name in old.entries:
                    entry.take_over(old.entries[name])

    def inner(self, path: str) -> Iterator[tuple[str, Entry]]:
        return all_entries(self.entries, f"{path}.")


def entry_for(parameter: ParameterField) -> Entry:
    """What suits a parameter."""
    if parameter.fields:
        return GroupEntry(parameter)
    if parameter.secret:
        return TextEntry(parameter)
    if parameter.kind == "bool" and not parameter.nullable and isinstance(parameter.default, bool):
        return SwitchEntry(parameter)
    if parameter.kind in ("bool", "choice"):
        return ChoiceEntry(parameter)
    return TextEntry(parameter)


def entries_for(parameters: Sequence[ParameterField]) -> dict[str, Entry]:
    """By name: required ones first, and else in the order of the declaration."""
    ordered = sorted(parameters, key=lambda parameter: not parameter.required)
    return {parameter.name: entry_for(parameter) for parameter in ordered}


def all_entries(entries: Mapping[str, Entry], prefix: str = "") -> Iterator[tuple[str, Entry]]:
    """Every entry with its dotted name, those inside others after them."""
    for name, entry in entries.items():
        yield prefix + name, entry
        yield from entry.inner(prefix + name)


def collect(entries: Mapping[str, Entry], errors: dict[str, str], prefix: str = "") -> dict[str, Any]:
    """The values that are given; what cannot be understood goes into `errors`."""
    found = {name: entry.collect(prefix + name, errors) for name, entry in entries.items()}
    return {name: value for name, value in found.items() if value is not ABSENT}

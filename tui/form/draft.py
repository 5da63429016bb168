"""A whole form without its widgets: what stands in it, and what that means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from routilux.params import ParameterField
from routilux.plain_copy import plain_copy
from tui.form.entries import Entry, TextEntry, all_entries, collect, entries_for
from tui.form.values import ABSENT, Reading, read_json
from tui.formats import name_text
from tui.pictures import FlowPicture

# Under this name stand parameters that the flow does not declare. No parameter is called so.
OTHERS: Final = ""


class ObjectEntry(TextEntry):
    """Parameters with names that nobody declared, as one JSON object."""

    def __init__(self, flow: FlowPicture) -> None:
        about = "" if not flow.declared else "Parameters besides those above"
        super().__init__(ParameterField("parameters", "dict", "a JSON object", False, {}, about))

    def read(self) -> Any:
        if not self.edited:
            return self._kept
        reading = read_json(self.text)
        for said in reading.errors.values():
            raise ValueError(said)
        return reading.values


class Draft:
    """What stands in the form of a flow. `entries` are those of its parameters, by name.

    A flow that takes parameters without declaring them has one more, under `OTHERS`. `touched` are the
    dotted names of the fields that a form that was left had said the errors of, or would have.
    """

    def __init__(self, flow: FlowPicture, values: Mapping[str, Any] | None = None) -> None:
        self.entries: dict[str, Entry] = entries_for(flow.parameters)
        if flow.others:
            self.entries[OTHERS] = ObjectEntry(flow)
        self.unknown: tuple[str, ...] = ()
        self.touched: frozenset[str] = frozenset()
        self.fill(values or {})

    def fill(self, values: Mapping[str, Any]) -> None:
        """Hold a parameter set. What of it the flow does not know is named in `unknown`.

        A running job may be changing the set: what counts is what is in it now.
        """
        values = plain_copy(values)
        rest = {name: value for name, value in values.items() if name not in self.entries}
        self.unknown = ()
        for name, entry in self.entries.items():
            if name != OTHERS:
                entry.fill(values.get(name, ABSENT))
        if OTHERS in self.entries:
            self.entries[OTHERS].fill(rest or ABSENT)
        else:
            self.unknown = tuple(map(name_text, rest))

    def take_over(self, old: Draft) -> None:
        """Hold what another draft holds, as far as there is a place for it."""
        self.unknown = ()
        for name, entry in self.entries.items():
            if name in old.entries:
                entry.take_over(old.entries[name])

    @property
    def edited(self) -> bool:
        return any(entry.edited for entry in self.entries.values())

    def names(self) -> Iterator[str]:
        """The dotted names of all fields."""
        return (name for name, _ in all_entries(self.entries) if name != OTHERS)

    def read(self) -> Reading:
        """What stands in the form now, and what of it cannot be understood."""
        errors: dict[str, str] = {}
        values = collect(self.entries, errors)
        others = values.pop(OTHERS, {})
        twice = [name for name in others if name in self.entries]
        if twice:
            errors[OTHERS] = f"{', '.join(twice)} has a field of its own"
        return Reading({**others, **values}, errors)

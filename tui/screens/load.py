"""The window of a load of the flow folder."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from tui.keys import bindings_of, key_named
from tui.screens.text import TextScreen


class LoadScreen(TextScreen):
    """The window of a load. Answers with whether its source is to be opened."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("text"), *bindings_of("load")]

    def hint(self) -> str:
        return f"{key_named('load-edit').first} opens the source · {super().hint()}"

    def action_edit(self) -> None:
        self.dismiss(True)

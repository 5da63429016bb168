"""Asks for the file that something is written to."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui.keys import bindings_of
from tui.spans import clean


class ExportScreen(ModalScreen[Path | None]):
    """Answers with a path in a folder that is there, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("export")]

    def __init__(self, what: str, name: str) -> None:
        super().__init__()
        self._what = what
        self._file_name = name

    def compose(self) -> ComposeResult:
        with Vertical(id="question"):
            yield Static(Content(clean(f"Export {self._what}")), id="dialog-title")
            yield Input(self._file_name, id="export-name", compact=True, select_on_focus=False)
            yield Static("", id="export-error", markup=False)
            yield Static(clean(f"in {Path.cwd()}, unless a path is given; enter writes, esc leaves"),
                         id="export-about", markup=False)  # fmt: skip

    def on_mount(self) -> None:
        field = self.query_one(Input)
        # What is most likely changed is the name before the suffix.
        field.cursor_position = len(self._file_name) - len(Path(self._file_name).suffix)
        self.set_focus(field)

    def on_input_changed(self) -> None:
        self.query_one("#export-error", Static).update("")

    def on_input_submitted(self) -> None:
        self.action_write()

    def action_write(self) -> None:
        """Answer with the path, or say what is wrong with it."""
        text = self.query_one(Input).value.strip()
        path = Path(text).expanduser()
        trouble = ""
        if not text or "\0" in text:
            trouble = "Give the file a name."
        elif path.is_dir() or text.endswith("/"):
            trouble = f"{path} is a folder: name a file in it."
        elif not path.absolute().parent.is_dir():
            trouble = f"There is no folder {path.absolute().parent}."
        if trouble:
            self.query_one("#export-error", Static).update(clean(trouble))
        else:
            self.dismiss(path)

    def action_leave(self) -> None:
        self.dismiss(None)

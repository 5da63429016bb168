"""Asks for the file that something is written to."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from tui.keys import bindings_of
from tui.screens.dialog import Dialog
from tui.spans import clean


class ExportScreen(Dialog[Path | None]):
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
            yield Static(clean(_about()), id="export-about", markup=False)

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
        try:
            answer = path_of(text)
        except ValueError as error:
            self.query_one("#export-error", Static).update(clean(str(error)))
        else:
            self.dismiss(answer)

    def action_leave(self) -> None:
        self.dismiss(None)


def path_of(text: str) -> Path:
    """The path of a file in a folder that is there. ValueError, in a sentence for whoever typed it."""
    if not text or "\0" in text:
        raise ValueError("Give the file a name.")
    try:
        path = Path(text).expanduser()
    except RuntimeError:
        user = Path(text).parts[0][1:]
        raise ValueError(f"There is no user {user}." if user else "No home folder is known.") from None
    try:
        if path.is_dir() or text.endswith("/"):
            raise ValueError(f"{path} is a folder: name a file in it.")
        folder = path.parent if path.is_absolute() else here() / path.parent
        if not folder.is_dir():
            raise ValueError(f"There is no folder {folder}.")
    except OSError as error:
        raise ValueError(f"{path} cannot be written: {error.strerror}.") from None
    return path


def here() -> Path:
    """The folder that names without one are in. ValueError where that is gone."""
    try:
        return Path.cwd()
    except OSError:
        raise ValueError("The folder that the app was started in is gone: give a whole path.") from None


def _about() -> str:
    try:
        return f"in {here()}, unless a path is given; enter writes, esc leaves"
    except ValueError as error:
        return str(error)

"""What all windows over the main screen have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Final

from textual.app import App
from textual.screen import ModalScreen, ScreenResultType

_STYLES: Final = Path(__file__).parents[1] / "styles" / "dialogs.tcss"


class Dialog(ModalScreen[ScreenResultType]):
    """A window over the main screen. Its styles come with it: the first frame does not wait for them."""

    CSS_PATH: ClassVar[Path] = _STYLES


def read_styles(app: App[Any]) -> None:
    """Have the styles of dialogs at hand. With those that come with a dialog, all widgets are styled anew."""
    if not app.stylesheet.has_source(str(_STYLES)):
        app.stylesheet.read(_STYLES)
        app.stylesheet.parse()

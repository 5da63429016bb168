"""Every pane, tab and dialog where there is least room and where there is most, in a light theme; what they
look like in between and in the dark is pictured beside the tests of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from tests.tui import fixed
from tui.widgets.job_pane import TABS

PANES: Final = {"flows": "1", "reloads": "2", "flow": "3", "jobs": "4"}
DIALOGS: Final = {
    "help": ("4", "question_mark"), "palette": ("colon",), "start": ("s",), "cancel": ("4", "x"),
    "quit": ("q",), "messages": ("m",), "filter": ("4", "slash"), "reload": ("2", "enter"),
}  # fmt: skip
PLACES: Final[dict[str, tuple[str, ...]]] = {
    **{name: (key, "z") for name, key in PANES.items()},
    **{tab.lower(): ("5", "z", *["right"] * at) for at, tab in enumerate(TABS)},
    **DIALOGS,
}


@pytest.mark.parametrize("size", [(60, 16), (200, 60)], ids=str)
@pytest.mark.parametrize("place", PLACES)
def test_every_place(matches: Callable[..., bool], place: str, size: tuple[int, int]) -> None:
    assert matches(fixed.app(theme="textual-light"), size, press=PLACES[place])

"""What every test of the screen needs: an environment that cannot change the pictures."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import pytest_textual_snapshot
import textual.app
import textual.pilot
from textual.widgets import Input, TextArea

from tests.tui.settling import settled

_retrieve = pytest_textual_snapshot.retrieve_svg_diffs


def _retrieve_without_environment(*args: Any) -> Any:
    """The report of mismatches would hold every variable of the environment, secrets too."""
    diffs, passing = _retrieve(*args)
    for diff in diffs:
        diff.environment = {}
    return diffs, passing


pytest_textual_snapshot.retrieve_svg_diffs = _retrieve_without_environment
for _module in (textual.app, textual.pilot):
    _module.wait_for_idle = settled  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("NO_COLOR", "FORCE_COLOR", "TEXTUAL_THEME", "COLORTERM", "TEXTUAL_FILTERS", "TMUX"):
        monkeypatch.delenv(name, raising=False)
    for widget in (Input, TextArea):
        monkeypatch.setattr(vars(widget)["cursor_blink"], "_default", False)
    interval = sys.getswitchinterval()
    yield
    sys.setswitchinterval(interval)


@pytest.fixture
def matches(snap_compare: Callable[..., bool]) -> Callable[..., bool]:
    """Whether the screen looks as it did; every size is given, none is the plugin's."""

    def compare(
        app: Any,
        size: tuple[int, int] = (120, 40),
        *,
        press: tuple[str, ...] = (),
        run_before: Callable[[Any], Any] | None = None,
    ) -> bool:
        async def bring(pilot: Any) -> None:
            result = None if run_before is None else run_before(pilot)
            if inspect.isawaitable(result):
                await result
            await pilot.pause()
            await pilot.press(*press)
            # What only the next frame shows.
            app.main._frame()
            await pilot.pause()

        app.animation_level = "none"
        return snap_compare(app, run_before=bring, terminal_size=size)

    return compare

"""The app: themes, the main screen, the palette, and what happens around them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import traceback
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import PurePath
from typing import ClassVar

from rich.console import Console
from rich.text import Text
from textual import work
from textual.app import SystemCommand
from textual.binding import BindingType
from textual.command import Provider
from textual.events import DeliveryComplete, DeliveryFailed
from textual.geometry import Size
from textual.screen import Screen

from tui.aside import aside
from tui.backend import Backend
from tui.guard import mend_process
from tui.keys import KEYS, Key, bindings_of, use
from tui.messages import Messages
from tui.pictures import Catalogue
from tui.screens.main import MainScreen
from tui.spans import clean
from tui.sweeper import Sweeper
from tui.terminal import Terminal
from tui.typing_ahead import TypingAhead


def local_now() -> datetime:
    """The time where the user is."""
    return datetime.now().astimezone()


def _commands() -> type[Provider]:
    # Not before it is asked for: the first frame would wait for it.
    from tui.palette import Commands

    return Commands


class RoutiluxApp(TypingAhead):
    """The terminal app. `catalogue` is a folder that was read already; without one it is read in a thread.

    `terminal` is what the app runs in, if it has one to itself. `keys` is the table of keys, with those that
    are configured. `columns` are those of the list of jobs, () for those that fit. `remember_theme` is told
    the name of each theme that is chosen in the app. `sweeper` sees to the garbage, if the app has
    the process to itself.
    """

    CSS_PATH: ClassVar[list[str | PurePath]] = [
        "styles/roles.tcss",
        "styles/main.tcss",
    ]
    TITLE = "routilux"
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {_commands}
    BINDINGS: ClassVar[list[BindingType]] = [
        *(replace(binding, priority=True) for binding in bindings_of("app")),
    ]

    def __init__(
        self,
        backend: Backend,
        *,
        catalogue: Catalogue | None = None,
        clock: Callable[[], datetime] = local_now,
        theme: str | None = None,
        terminal: Terminal | None = None,
        keys: tuple[Key, ...] = KEYS,
        remember_theme: Callable[[str], object] | None = None,
        columns: tuple[str, ...] = (),
        sweeper: Sweeper | None = None,
    ) -> None:
        super().__init__()
        use(keys)
        self._keys_in_effect = keys
        self._remember_theme = remember_theme
        self._shown_theme = ""
        self._loop_here: asyncio.AbstractEventLoop | None = None
        self._ends_with = 0
        self._sweeper = sweeper
        self.backend = backend
        self.terminal = terminal
        self.messages = Messages(clock) if terminal is None else terminal.messages
        if terminal is not None:
            # What the app itself dies of is said where it can be read, once the screen is given back.
            self.error_console = Console(markup=False, highlight=False, file=sys.__stderr__)
        self._main = MainScreen(backend, clock, catalogue=catalogue, messages=self.messages)
        self._main.job_table.wanted = columns
        self._read = catalogue is None
        if theme is not None:
            self.theme = theme

    def get_default_screen(self) -> Screen[object]:
        return self._main  # type: ignore[return-value]

    @property
    def size(self) -> Size:
        """The size of the screen, from the beginning on.

        Textual asks the standard streams until the driver has told it; they do not lead to the terminal here,
        and all would be laid out for 80 columns first.
        """
        if self._size is None and self.terminal is not None:
            with contextlib.suppress(OSError):
                return Size(*os.get_terminal_size(self.terminal.screen))
        return super().size

    @property
    def main(self) -> MainScreen:
        """The main screen, whatever stands over it."""
        return self._main

    def on_mount(self) -> None:
        mend_process()
        self.set_interval(1.0, self._every_second)
        if self._sweeper is not None:
            self.set_timer(1.0, self._sweeper.begin)
        changed = [key for key, plain in zip(self._keys_in_effect, KEYS, strict=True) if key != plain]
        self._shown_theme = self.theme
        self.set_keymap({key.name: ",".join(key.keys) for key in changed})
        if self.terminal is not None:
            self.terminal.close_to_others()
        self._loop_here = asyncio.get_running_loop()
        if self._ends_with:
            self.exit(return_code=self._ends_with)
        if self._read:
            self.load()

    def _every_second(self) -> None:
        mend_process(self.quiet)
        if self._sweeper is not None:
            self._sweeper.tick(self.quiet)

    def watch_theme(self, theme: str) -> None:
        """A theme is shown; all but the first were chosen here."""
        before, self._shown_theme = self._shown_theme, theme
        if self._remember_theme is None or before in ("", theme):
            return
        try:
            self._remember_theme(theme)
        except OSError as error:
            self._main.say(f"The theme cannot be remembered: {error}", severity="warning")

    def _fatal_error(self) -> None:
        """End the app, with the traceback of the exception that is handled.

        Textual's own shows the values of variables: they may be secret, and asking a flow's objects for their
        text may raise again, which would leave an app that neither goes on nor ends.
        """
        lines = traceback.format_exc().splitlines()
        self.panic(Text("\n".join(map(clean, lines))))

    def end(self, code: int) -> None:
        """Leave with this exit code and ask nobody. For a signal's handler, which may come at any time."""
        if self._loop_here is None:
            # Not even begun.
            self._ends_with = code
        else:
            self._loop_here.call_soon_threadsafe(lambda: self.exit(return_code=code))

    @work(exclusive=True)
    async def load(self) -> None:
        """Read the flow folder. In a thread that nobody waits for in the end: its modules run, and one may
        never come to its end."""
        await aside(self.backend.load)
        self._main.folder_read()

    def action_ask_quit(self) -> None:
        """ctrl+q, wherever one is; a question that is open already has to be answered first."""
        # Not before it is asked for: the first frame would wait for it.
        from tui.screens.question import Question

        if not isinstance(self.screen, Question):
            self._main.action_ask_quit()

    def action_command_palette(self) -> None:
        """What the palette finds is for the main screen; over a dialog it would find nothing."""
        if self.screen is self._main:
            # Textual's own dialog does not bring the styles of ours.
            from tui.screens.dialog import read_styles

            read_styles(self)
            super().action_command_palette()

    async def action_quit(self) -> None:
        """Nothing of Textual's ends the app without asking."""
        self.action_ask_quit()

    def action_help_quit(self) -> None:
        """ctrl+c in a dialog, where nothing is selected: it closes nothing and loses nothing."""

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What the palette offers besides the actions of the keys."""
        yield SystemCommand("theme", "choose the colours", self.action_change_theme)
        yield SystemCommand(
            "screenshot",
            "save a picture of the screen as SVG, in the folder the app was started in",
            partial(self.deliver_screenshot, path="."),
        )

    def on_delivery_complete(self, event: DeliveryComplete) -> None:
        """The screenshot is written; None for a path: the browser has it."""
        event.prevent_default()  # Textual would say it a second time
        where = "for the browser" if event.path is None else f"to {event.path.absolute()}"
        self._main.say(f"Saved the screen {where}.")

    def on_delivery_failed(self, event: DeliveryFailed) -> None:
        event.prevent_default()
        self._main.say(f"The screen was not saved: {event.exception}", severity="error")

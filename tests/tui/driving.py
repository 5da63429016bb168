"""Driving the app in tests: waiting for what the screen shows, never for time to pass."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import cast

from textual.pilot import Pilot

from routilux import FlowRegistry, Runtime
from routilux.loading import FlowLoader
from tests.tui.fixed import FixedBackend
from tui.app import RoutiluxApp
from tui.backend import RuntimeBackend
from tui.folder import FlowFolder
from tui.screens.main import MainScreen
from tui.spans import plain
from tui.widgets.lines import LinePane

# Only a broken app takes so long.
PATIENCE = 20.0

Drive = Pilot[int]


def app_of(pilot: Drive) -> RoutiluxApp:
    return cast(RoutiluxApp, pilot.app)


def main_of(pilot: Drive) -> MainScreen:
    return app_of(pilot).main


def orders_of(pilot: Drive) -> list[tuple[object, ...]]:
    """What the fixed backend was told to do."""
    return cast(FixedBackend, app_of(pilot).backend).orders


def text_of(pane: LinePane) -> str:
    """Everything a pane of lines would show."""
    return "\n".join(plain(pane.line(y)).rstrip() for y in range(pane.line_count()))


def screen_text(pilot: Drive) -> str:
    """What stands on the screen now, line by line."""
    screen = pilot.app.screen
    return "\n".join(strip.text.rstrip() for strip in screen._compositor.render_strips(screen.size))


async def until(pilot: Drive, holds: Callable[[], object]) -> None:
    """Let the app go on until something holds."""
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await pilot.pause()


async def until_shown(pilot: Drive, text: str) -> None:
    """Let the app go on until `text` stands on the screen."""
    try:
        await until(pilot, lambda: text in screen_text(pilot))
    except TimeoutError:
        raise AssertionError(f"{text!r} never came; the screen shows\n{screen_text(pilot)}") from None


async def type_text(pilot: Drive, text: str) -> None:
    """Press the key of each character."""
    names = {"/": "slash", ".": "full_stop", " ": "space", "-": "minus", "_": "underscore", ":": "colon"}
    await pilot.press(*(names.get(char, char) for char in text))


@contextlib.asynccontextmanager
async def real_app(root: Path, size: tuple[int, int] = (120, 40)) -> AsyncIterator[tuple[Drive, Runtime]]:
    """The app on a folder of flows and a runtime of its own, once the folder is read."""
    registry = FlowRegistry()
    runtime = Runtime(4, registry=registry, echo=False)
    backend = RuntimeBackend(runtime, FlowFolder(FlowLoader(root, registry)))
    app = RoutiluxApp(backend, theme="textual-dark")
    app.animation_level = "none"
    try:
        async with app.run_test(size=size, notifications=True) as pilot:
            await until(pilot, lambda: not app.main.catalogue.loading)
            yield pilot, runtime
    finally:
        backend.close()
        runtime.cancel_all_jobs(force=True)
        runtime.shutdown(wait=True)

"""The dialog that asks for a file: what is wrong with a name stands beside it, and the name stays."""

from __future__ import annotations

import errno
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from tests.tui import fixed
from tests.tui.driving import Drive, screen_text
from tui.screens.export import ExportScreen

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def dialog() -> AsyncIterator[tuple[Drive, ExportScreen, list[Path | None]]]:
    """The dialog, and what it answers with."""
    app = fixed.app(())
    app.animation_level = "none"
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        answers: list[Path | None] = []
        screen = ExportScreen("the log", "log.txt")
        await app.push_screen(screen, answers.append)
        await pilot.pause()
        yield pilot, screen, answers


async def written_as(pilot: Drive, screen: ExportScreen, name: str) -> str:
    """Give a name and press enter; what stands on the screen then."""
    screen.query_one(Input).value = name
    await pilot.press("enter")
    await pilot.pause()
    return screen_text(pilot)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("~nosuchuser/log.txt", "There is no user nosuchuser"),
        ("x" * 300 + ".txt", os.strerror(errno.ENAMETOOLONG)),
        ("x" * 300 + "/log.txt", os.strerror(errno.ENAMETOOLONG)),
        ("nowhere/log.txt", "There is no folder"),
        (".", "is a folder"),
        ("", "Give the file a name"),
    ],
    ids=["user", "long", "long folder", "no folder", "folder", "empty"],
)
async def test_what_is_wrong_with_a_name_is_said_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    async with dialog() as (pilot, screen, answers):
        assert said in await written_as(pilot, screen, name)
        assert pilot.app.screen is screen
        assert screen.query_one(Input).value == name
        assert answers == []
        await written_as(pilot, screen, "log.txt")
        assert answers == [Path("log.txt")]


async def test_a_folder_that_may_not_be_searched_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shut = tmp_path / "shut"
    stat = os.stat

    def refuse(path: Any, **how: Any) -> os.stat_result:
        # As the system does; whoever runs the tests may be allowed everything.
        if str(path).startswith(f"{shut}{os.sep}"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return stat(path, **how)

    shut.mkdir()
    async with dialog() as (pilot, screen, answers):
        monkeypatch.setattr(os, "stat", refuse)
        shown = await written_as(pilot, screen, f"{shut}/log.txt")
        assert os.strerror(errno.EACCES) in shown
        assert answers == []


async def test_it_opens_where_the_folder_the_app_was_started_in_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    async with dialog() as (pilot, screen, answers):
        assert "is gone" in await written_as(pilot, screen, "log.txt")
        assert answers == []
        await written_as(pilot, screen, f"{tmp_path}/log.txt")
        assert answers == [tmp_path / "log.txt"]

"""Start forms of real declarations, for tests of what they show and read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, SecretStr

from routilux.params import allows_others, describe, validate
from tests.tui import fixed
from tests.tui.driving import Drive, until
from tui.pictures import FlowPicture
from tui.screens.start import StartScreen


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Login(BaseModel):
    user: str = Field(description="As whom")
    password: SecretStr


class Database(BaseModel):
    host: str = "here"
    port: int = Field(5432, ge=1, le=65535)
    login: Login | None = Field(None, description="Nobody in particular, without")


class Params(BaseModel):
    early: int = Field(1, ge=1, le=9)
    name: str
    token: SecretStr = SecretStr("built in")
    colour: Colour | None = Colour.RED
    mode: Literal["fast", "exact"] = "fast"
    sure: bool
    maybe: bool | None = None
    quiet: bool = True
    words: list[str] = ["a"]
    day: date = date(2025, 6, 12)
    folder: Path = Path("/tmp")


class Everything(BaseModel):
    """A declaration with a field of every kind."""

    folder: Path = Field(description="Where the orders are")
    day: date = Field(date(2025, 6, 12), description="The day to load")
    limit: int = Field(1000, ge=1, le=100_000, description="At most so many rows")
    ratio: float | None = Field(None, gt=0, le=1)
    pattern: str = Field("", pattern=r"^[a-z]*$", description="Of the names of files")
    note: str | None = Field(None, description="Put into the log")
    mode: Literal["fast", "exact"] = "fast"
    colour: Colour | None = None
    dry_run: bool = Field(False, description="Do everything but write")
    tags: list[str] = ["daily"]
    token: SecretStr | None = Field(None, description="For the warehouse")
    database: Database = Field(Database(), description="The warehouse")


def picture_of(declaration: type, name: str = "orders.load") -> FlowPicture:
    """The flow that declares these parameters."""
    routines = (fixed.routine("r", "trigger"),)
    others = allows_others(declaration)
    about = "Loads the orders of a day."
    return FlowPicture(name, "f.py", 1, about, routines, (), "r", True, describe(declaration), (), others)


def start_screen(
    declaration: type = Params,
    values: Mapping[str, Any] | None = None,
    earlier: Sequence[Mapping[str, Any]] = (),
) -> StartScreen:
    """A form that checks with the declaration itself."""
    check: Callable[[Mapping[str, Any]], object] = lambda given: validate(declaration, "f", given)  # noqa: E731
    return StartScreen(picture_of(declaration), check, values=values, earlier=earlier)


@asynccontextmanager
async def form_of(
    declaration: type = Params,
    values: Mapping[str, Any] | None = None,
    earlier: Sequence[Mapping[str, Any]] = (),
    size: tuple[int, int] = (100, 60),
) -> AsyncIterator[tuple[Drive, StartScreen]]:
    """A pilot whose app shows the form; what the form answers with is appended to `form.answers`."""
    app = fixed.app(())
    app.animation_level = "none"
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        form = start_screen(declaration, values, earlier)
        form.answers = []  # type: ignore[attr-defined]
        await app.push_screen(form, form.answers.append)  # type: ignore[attr-defined]
        await settled(pilot)
        yield pilot, form


async def settled(pilot: Drive) -> None:
    """Let the form go on until everything that is wrong is shown."""
    await pilot.pause()
    form = pilot.app.screen
    if isinstance(form, StartScreen):
        await until(pilot, lambda: form.settled)
        await pilot.pause()

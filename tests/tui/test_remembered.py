"""What the app remembers for the user: the colours that were chosen, and earlier sets of parameters."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from routilux import Flow
from tests.tui import fixed
from tests.tui.driving import Drive, screen_text, type_text, until, until_shown
from tui import earlier
from tui.app import RoutiluxApp
from tui.chosen_theme import remember_theme, state_file, theme_in_effect
from tui.earlier import EarlierSets
from tui.state import name_for, read_state, write_state

NOWHERE = Path("/proc/nowhere")


# ---- files


def test_a_state_is_written_whole_and_for_the_user_alone(tmp_path: Path) -> None:
    file = tmp_path / "new" / "state.json"
    write_state(file, {"a": "é\udce9"})
    assert read_state(file) == {"a": "é\udce9"}
    write_state(file, {"a": 1})
    assert read_state(file) == {"a": 1}
    assert file.stat().st_mode & 0o077 == 0
    assert file.parent.stat().st_mode & 0o077 == 0
    assert [each.name for each in file.parent.iterdir()] == ["state.json"]


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff", b'{"a":' * 100_000])
def test_a_damaged_state_counts_as_none(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "state.json"
    file.write_bytes(content)
    assert read_state(file) == {}
    assert read_state(tmp_path) == {}


def test_a_folder_has_one_name_however_one_comes_to_it(tmp_path: Path) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "flows")
    assert (
        name_for(tmp_path / "flows")
        == name_for(tmp_path / "link")
        == name_for(tmp_path / "x" / ".." / "flows")
    )
    assert name_for(tmp_path / "flows") != name_for(tmp_path)


# ---- the theme


def test_who_decides_on_the_theme() -> None:
    assert theme_in_effect(None, None, {}) == ("textual-dark", "")
    assert theme_in_effect(None, "nord", {}) == ("nord", "")
    assert theme_in_effect(None, "nord", {"TEXTUAL_THEME": "nope, gruvbox"})[0] == "gruvbox"
    assert theme_in_effect("dracula", "nord", {"TEXTUAL_THEME": "gruvbox"})[0] == "dracula"


def test_a_choice_counts_until_the_configuration_changes() -> None:
    remember_theme("dracula", "nord")
    assert theme_in_effect(None, "nord", {})[0] == "dracula"
    assert theme_in_effect(None, "gruvbox", {})[0] == "gruvbox"
    assert theme_in_effect(None, None, {})[0] == "textual-dark"


@pytest.mark.parametrize(
    "held", [{"theme": 1}, {"theme": {"chosen": "gone", "instead_of": None}}, {"theme": {}}]
)
def test_a_remembered_theme_that_does_not_exist_counts_as_none(held: dict[str, Any]) -> None:
    write_state(state_file(), held)
    assert theme_in_effect(None, None, {})[0] == "textual-dark"


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_theme_that_is_chosen_in_the_app_is_remembered(anyio_backend: str) -> None:
    chosen: list[str] = []
    app = RoutiluxApp(
        fixed.FixedBackend(), catalogue=fixed.CATALOGUE, clock=fixed.clock, theme="textual-dark",
        remember_theme=chosen.append,
    )  # fmt: skip
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert chosen == [], "nobody has chosen yet"
        app.theme = "dracula"
        await until(pilot, lambda: chosen)
        assert (chosen, app.theme) == (["dracula"], "dracula")


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_theme_is_chosen_in_the_palette_and_there_again_at_the_next_start(anyio_backend: str) -> None:
    def opened() -> RoutiluxApp:
        return RoutiluxApp(
            fixed.FixedBackend(), catalogue=fixed.CATALOGUE, clock=fixed.clock,
            theme=theme_in_effect(None, "nord", {})[0],
            remember_theme=lambda chosen: remember_theme(chosen, "nord"),
        )  # fmt: skip

    first = opened()
    async with first.run_test(size=(120, 40)) as pilot:
        assert first.theme == "nord"
        await in_palette(pilot, "theme", "choose the colours")
        await until_shown(pilot, "Search for themes")
        await type_text(pilot, "gruvbox")
        await first.workers.wait_for_complete()
        await pilot.press("enter")
        await until(pilot, lambda: first.theme == "gruvbox" and first.screen is first.main)
    second = opened()
    async with second.run_test(size=(120, 40)):
        assert second.theme == "gruvbox"


async def in_palette(pilot: Drive, text: str, about: str) -> None:
    """Do the first thing that the palette finds, which is the one with that help."""
    await pilot.press("ctrl+p")
    await type_text(pilot, text)
    await pilot.app.workers.wait_for_complete()
    await until_shown(pilot, about)
    await pilot.press("enter")


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_picture_of_the_screen_is_made_from_the_palette_and_its_place_is_said(
    anyio_backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = fixed.app()
    async with app.run_test(size=(160, 40), notifications=True) as pilot:
        await in_palette(pilot, "screenshot", "save a picture of the screen")
        await until_shown(pilot, "Saved the screen")
        assert "Saved screenshot" not in screen_text(pilot), "it is said once"
        (picture,) = tmp_path.iterdir()
        assert picture.suffix == ".svg"
        assert "etl.daily" in picture.read_text()
        assert "Search for commands" not in picture.read_text()


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_picture_of_the_screen_that_cannot_be_written_says_so(
    anyio_backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    async with fixed.app().run_test(size=(160, 40), notifications=True) as pilot:
        await in_palette(pilot, "screenshot", "save a picture of the screen")
        await until_shown(pilot, "The screen was not saved")


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_theme_that_cannot_be_remembered_is_shown_all_the_same(anyio_backend: str) -> None:
    def refuse(name: str) -> None:
        raise OSError(30, "Read-only file system")

    app = RoutiluxApp(
        fixed.FixedBackend(), catalogue=fixed.CATALOGUE, clock=fixed.clock, theme="textual-dark",
        remember_theme=refuse,
    )  # fmt: skip
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        app.theme = "nord"
        await until_shown(pilot, "The theme cannot be")


# ---- earlier sets


def written(file: Path) -> Any:
    return json.loads(file.read_text())["flows"]


def test_sets_are_there_again_after_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "sets.json"
    first = EarlierSets(file)
    for number in range(3):
        first.add("etl", {"n": number, "day": date(2025, 6, number + 1)}, ())
    first.add("etl", {"n": 0, "day": date(2025, 6, 1)}, ())
    first.add("other", {"a": [1, {"b": None}]}, ())
    first.close()
    again = EarlierSets(file)
    assert [each["n"] for each in again.of("etl")] == [0, 2, 1]
    assert again.of("etl")[0]["day"] == date(2025, 6, 1)
    assert again.of("other") == ({"a": [1, {"b": None}]},)
    assert again.of("unknown") == ()


class Inner(BaseModel):
    user: str
    token: SecretStr


class Params(BaseModel):
    name: str
    password: SecretStr | None = None
    inner: Inner
    many: list[Inner] = []


def test_secrets_are_never_written(tmp_path: Path) -> None:
    file = tmp_path / "sets.json"
    sets = EarlierSets(file)
    inner = {"user": "me", "token": "hunter2"}
    values = {"name": "x", "password": "hunter2", "inner": inner, "many": [inner]}
    sets.add("etl", values, Flow("etl", params=Params).parameters)
    sets.add("bare", {"held": SecretStr("hunter2")}, ())
    assert sets.of("etl") == (values,), "in this app they are known"
    sets.close()
    assert "hunter2" not in file.read_text()
    assert EarlierSets(file).of("etl") == ({"name": "x", "inner": {"user": "me"}},)


def test_what_is_kept_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(earlier, "MOST_FLOWS", 2)
    file = tmp_path / "sets.json"
    sets = EarlierSets(file)
    for number in range(30):
        sets.add("many", {"n": number}, ())
    sets.add("big", {"text": "x" * 100_000}, ())
    sets.add("last", {}, ())
    sets.close()
    assert list(written(file)) == ["big", "last"]
    assert written(file)["big"] == []
    assert len(sets.of("many")) == earlier.REMEMBERED


def test_sets_that_cannot_be_read_or_written_are_known_until_the_end(tmp_path: Path) -> None:
    damaged = tmp_path / "sets.json"
    damaged.write_text('{"flows": {"etl": [{"$type": "no:Such"}, 3, {"n": 1}], "odd": 7}}')
    assert EarlierSets(damaged).of("etl") == ({"n": 1},)
    assert EarlierSets(damaged).of("odd") == ()
    sets = EarlierSets(NOWHERE / "sets.json")
    sets.add("etl", {"n": 1}, ())
    sets.close()
    assert sets.of("etl") == ({"n": 1},)
    assert not os.path.exists(NOWHERE)

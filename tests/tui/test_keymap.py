"""Keys that are configured do what the table says, and everything that speaks of keys says so."""

from __future__ import annotations

import pytest

from tests.tui import fixed
from tests.tui.driving import app_of, main_of, orders_of, screen_text, until_shown
from tui.app import RoutiluxApp
from tui.backend import Backend
from tui.keymap import KeymapError, key_name, remap
from tui.keys import KEYS, key_named
from tui.screens.question import Question
from tui.screens.start import StartScreen
from tui.screens.text import TextScreen

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def remapped_app(**wanted: str) -> RoutiluxApp:
    table = remap({action.replace("_", "-"): keys.split() for action, keys in wanted.items()})
    backend: Backend = fixed.FixedBackend()
    return RoutiluxApp(
        backend, catalogue=fixed.CATALOGUE, clock=fixed.clock, theme="textual-dark", keys=table
    )


# ---- names of keys


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("x", "x"), ("X", "X"), ("shift+x", "X"), ("?", "question_mark"), ("/", "slash"), ("+", "plus"),
        ("ctrl++", "ctrl+plus"), ("ctrl+X", "ctrl+x"), ("Ctrl+x", "ctrl+x"), ("esc", "escape"), ("F5", "f5"),
        ("PgUp", "pageup"), ("alt+enter", "alt+enter"), ("shift+ctrl+left", "ctrl+shift+left"), ("é", "é"),
        ("↑", "up"), ("question_mark", "question_mark"), ("shift+tab", "shift+tab"),
    ],
)  # fmt: skip
def test_a_key_is_known_by_what_one_would_call_it(text: str, name: str) -> None:
    assert key_name(text) == name


@pytest.mark.parametrize("text", ["", "spcae", "foo+x", "xx", "\x1b", " ", "<ignore>", "ctrl+i", "+x"])
def test_what_no_terminal_sends_is_no_key(text: str) -> None:
    with pytest.raises(KeymapError):
        key_name(text)


def test_every_key_of_the_table_is_a_key_by_its_own_name() -> None:
    for entry in KEYS:
        assert tuple(key_name(key) for key in entry.keys) == entry.keys


# ---- tables


def test_keys_may_be_exchanged() -> None:
    table = {key.name: key.keys for key in remap({"start": ["p"], "pause": ["s"]})}
    assert (table["start"], table["pause"]) == (("p",), ("s",))


def test_what_the_table_means_to_overlap_may_go_on_to() -> None:
    remap({"search": ["/", "f7"]})


@pytest.mark.parametrize(
    ("action", "key", "said"),
    [
        ("cancel", "s", "start and cancel"),
        ("cancel", "j", "cancel and down"),
        ("cancel", "ctrl+q", "cancel and quit-anywhere"),
        ("follow", "p", "pause and follow"),
        ("form-start", "s", "typed into the field"),
        ("filter-keep", "?", "typed into the field"),
        ("quit-anywhere", "j", "quit-anywhere and down"),
    ],
)
def test_a_key_that_would_hide_another_is_refused(action: str, key: str, said: str) -> None:
    with pytest.raises(KeymapError, match=said):
        remap({action: [key]})


# ---- the app


async def test_a_remapped_key_acts_and_the_one_before_does_not() -> None:
    async with remapped_app(cancel="ctrl+x f8", pause="P", quit_anywhere="f10").run_test() as pilot:
        await pilot.press("4", "x")
        assert app_of(pilot).screen is main_of(pilot)
        for key in ("ctrl+x", "f8"):
            await pilot.press(key)
            assert isinstance(pilot.app.screen, Question)
            await pilot.press("escape")
        await pilot.press("p")
        assert not orders_of(pilot)
        await pilot.press("P")
        assert [order[0] for order in orders_of(pilot)] == ["pause"]
        await pilot.press("ctrl+q")
        assert app_of(pilot).screen is main_of(pilot)
        await pilot.press("s", "f10")
        assert isinstance(pilot.app.screen, Question)


async def test_exchanged_keys_do_each_others_work() -> None:
    async with remapped_app(start="p", pause="s").run_test(size=(120, 40)) as pilot:
        await pilot.press("4", "s")
        assert [order[0] for order in orders_of(pilot)] == ["pause"]
        await pilot.press("p")
        assert isinstance(pilot.app.screen, StartScreen)


async def test_keys_of_lists_forms_and_windows_are_remapped_too() -> None:
    app = remapped_app(down="f9", form_start="f2", text_close="f3", help="f1")
    async with app.run_test(size=(120, 40)) as pilot:
        before = main_of(pilot).flow_list.chosen
        await pilot.press("j")
        assert main_of(pilot).flow_list.chosen == before
        await pilot.press("f9")
        assert main_of(pilot).flow_list.chosen != before
        await pilot.press("f1")
        assert isinstance(pilot.app.screen, TextScreen)
        await pilot.press("q", "escape")
        assert isinstance(pilot.app.screen, TextScreen)
        await pilot.press("f3", "s")
        await until_shown(pilot, "f2 start")


async def test_footer_help_palette_and_hints_name_the_keys_in_effect() -> None:
    async with remapped_app(cancel="ctrl+x", help="f1", messages="f12").run_test(size=(160, 50)) as pilot:
        await pilot.press("4")
        await until_shown(pilot, "ctrl+x cancel")
        assert "f1 help" in screen_text(pilot)
        assert key_named("messages").shown == "f12"
        await pilot.press("f1")
        await until_shown(pilot, "ctrl+x            cancel the chosen job")
        await pilot.press("escape", "ctrl+p")
        await pilot.press(*"cancel")
        await until_shown(pilot, "(ctrl+x)")


async def test_a_click_on_a_remapped_key_of_the_footer_acts() -> None:
    async with remapped_app(help="f1").run_test(size=(160, 40)) as pilot:
        line = screen_text(pilot).splitlines()[-1]
        await pilot.click(offset=(line.index("f1 help") + 1, 39))
        assert isinstance(pilot.app.screen, TextScreen)


async def test_another_app_has_the_keys_of_the_table_again() -> None:
    remapped_app(cancel="ctrl+x")
    async with fixed.app().run_test() as pilot:
        await pilot.press("4", "x")
        assert isinstance(pilot.app.screen, Question)
        assert key_named("cancel").keys == ("x",)

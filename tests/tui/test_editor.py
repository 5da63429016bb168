"""The command that opens a line, for each editor in the form it understands."""

from __future__ import annotations

import pytest

from tui.editor import EditorError, editor_command, program_name
from tui.places import Place

PLACE = Place("/srv/a b/etl.py", 88)
FILE = PLACE.path


@pytest.mark.parametrize(
    ("given", "arguments", "windowed"),
    [
        ("vim", ("vim", "+88", FILE), False),
        ("/usr/bin/vim.basic", ("/usr/bin/vim.basic", "+88", FILE), False),
        ("nvim", ("nvim", "+88", FILE), False),
        ("vi", ("vi", "+88", FILE), False),
        ("gvim", ("gvim", "+88", FILE), True),
        ("nvim -u NONE", ("nvim", "-u", "NONE", "+88", FILE), False),
        ("emacs -nw", ("emacs", "-nw", "+88", FILE), False),
        ("emacsclient -t", ("emacsclient", "-t", "+88", FILE), False),
        ("nano", ("nano", "+88", FILE), False),
        ("hx", ("hx", f"{FILE}:88"), False),
        ("helix", ("helix", f"{FILE}:88"), False),
        ("micro", ("micro", "+88", FILE), False),
        ("kak", ("kak", "+88", FILE), False),
        ("code", ("code", "--goto", f"{FILE}:88"), True),
        ("code --wait", ("code", "--wait", "--goto", f"{FILE}:88"), True),
        ("code-insiders", ("code-insiders", "--goto", f"{FILE}:88"), True),
        ("codium", ("codium", "--goto", f"{FILE}:88"), True),
        ("cursor", ("cursor", "--goto", f"{FILE}:88"), True),
        ("subl", ("subl", f"{FILE}:88"), True),
        ("zed", ("zed", f"{FILE}:88"), True),
        ("pycharm", ("pycharm", "--line", "88", FILE), True),
        ("pycharm.sh", ("pycharm.sh", "--line", "88", FILE), True),
        ("'/opt/my editor/hx'", ("/opt/my editor/hx", f"{FILE}:88"), False),
        # Nobody knows how it is told a line; the file at least opens.
        ("my-own-editor --fast", ("my-own-editor", "--fast", FILE), False),
    ],
)
def test_each_editor_is_told_the_line_in_its_own_way(
    given: str, arguments: tuple[str, ...], windowed: bool
) -> None:
    assert editor_command(PLACE, {"EDITOR": given}) == (arguments, windowed)


@pytest.mark.parametrize(("display", "windowed"), [({"DISPLAY": ":0"}, True), ({}, False)])
def test_emacs_has_a_window_where_there_is_a_display(display: dict[str, str], windowed: bool) -> None:
    assert editor_command(PLACE, {"EDITOR": "emacs", **display}).windowed is windowed
    assert not editor_command(PLACE, {"EDITOR": "emacs -nw", **display}).windowed


def test_visual_comes_before_editor_and_what_is_configured_before_both() -> None:
    both = {"VISUAL": "nvim", "EDITOR": "nano"}
    assert editor_command(PLACE, both).arguments[0] == "nvim"
    assert editor_command(PLACE, {**both, "VISUAL": "  "}).arguments[0] == "nano"
    assert editor_command(PLACE, both, "hx").arguments[0] == "hx"


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "set VISUAL or EDITOR"),
        ({"EDITOR": "   "}, "set VISUAL or EDITOR"),
        ({"EDITOR": "vim '"}, r"\$EDITOR is \"vim '\", which cannot be read"),
        ({"VISUAL": "''"}, "which names no command"),
    ],
)
def test_what_is_wrong_is_said(environment: dict[str, str], said: str) -> None:
    with pytest.raises(EditorError, match=said):
        editor_command(PLACE, environment)


def test_a_file_whose_name_begins_with_a_dash_is_no_option() -> None:
    assert editor_command(Place("-c.py", 0), {"EDITOR": "vim"}).arguments == ("vim", "+1", "./-c.py")


@pytest.mark.parametrize(
    ("path", "name"),
    [("vim.tiny", "vim"), ("emacs-29.1", "emacs"), ("C:\\Tools\\Code.exe", "code"), ("pycharm64", "pycharm"),
     ("notepad++.exe", "notepad++"), ("3", "3"), ("nvim-qt", "nvim-qt")],
)  # fmt: skip
def test_variants_are_known_by_their_editor(path: str, name: str) -> None:
    assert program_name(path) == name

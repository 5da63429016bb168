"""Which command opens a line of a file in the user's editor."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import PurePath
from typing import Final, NamedTuple

from tui.places import Place


class EditorError(Exception):
    """No editor can be opened; the message says why and what would help."""


class Command(NamedTuple):
    """What to run; `windowed` editors have a window of their own and need no terminal."""

    arguments: tuple[str, ...]
    windowed: bool


# How editors are told the line: {file} and {line} are filled in. By the program's name.
_PLUS: Final = ("+{line}", "{file}")
_COLON: Final = ("{file}:{line}",)
_GOTO: Final = ("--goto", "{file}:{line}")
_LINE: Final = ("--line", "{line}", "{file}")
_FORMS: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(
        ("vi", "vim", "nvim", "view", "nvi", "elvis", "vis", "gvim", "mvim", "nvim-qt", "neovide", "nano",
         "pico", "rnano", "emacs", "emacsclient", "mg", "zile", "jmacs", "joe", "jed", "ne", "micro", "kak",
         "mcedit", "dte", "tilde", "gedit", "xed", "pluma", "gnome-text-editor", "bbedit", "less", "amp"),
        _PLUS,
    ),
    **dict.fromkeys(("hx", "helix", "subl", "sublime_text", "zed", "zeditor", "lapce", "acme"), _COLON),
    **dict.fromkeys(
        ("code", "code-insiders", "codium", "vscodium", "code-oss", "cursor", "windsurf", "positron", "trae"),
        _GOTO,
    ),
    **dict.fromkeys(
        ("pycharm", "charm", "idea", "webstorm", "clion", "goland", "phpstorm", "rubymine", "rider", "fleet",
         "dataspell", "studio", "kate", "kwrite"),
        _LINE,
    ),
    "mate": ("--line", "{line}", "{file}"),
    "geany": ("--line", "{line}", "{file}"),
    "spyder": ("--line", "{line}", "{file}"),
    "notepad++": ("-n{line}", "{file}"),
}  # fmt: skip
_WINDOWED: Final = frozenset(
    {"gvim", "mvim", "nvim-qt", "neovide", "subl", "sublime_text", "zed", "zeditor", "lapce", "gedit", "xed",
     "pluma", "gnome-text-editor", "bbedit", "mate", "geany", "spyder", "notepad++", "acme"}
) | {name for name, form in _FORMS.items() if form in (_GOTO, _LINE)}  # fmt: skip
_EMACS_IN_TERMINAL: Final = frozenset({"-nw", "-t", "--tty", "--no-window-system"})
# vim.basic, nvim-0.9, emacs-29.1, pycharm64.exe, idea.sh
_VARIANT: Final = re.compile(
    r"(?:[.-](?:basic|tiny|nox|gtk\d?|gtk|athena|huge|small|exe|cmd|sh|appimage|real)|64|[-.]?\d+(?:\.\d+)*)+$"
)


def editor_command(place: Place, environment: Mapping[str, str], configured: str = "") -> Command:
    """The command that opens `place` in the editor: `configured`, else $VISUAL, else $EDITOR.

    An editor that is not known gets the file without the line. Raises `EditorError`.
    """
    source, given = "the configured editor", configured.strip()
    for name in ("VISUAL", "EDITOR"):
        if not given:
            source, given = f"${name}", environment.get(name, "").strip()
    if not given:
        raise EditorError("No editor is set: set VISUAL or EDITOR, for example export EDITOR=nvim.")
    try:
        arguments = shlex.split(given)
    except ValueError as error:
        raise EditorError(f"{source} is {given!r}, which cannot be read as a command: {error}.") from None
    if not arguments or not arguments[0]:
        raise EditorError(f"{source} is {given!r}, which names no command.")
    name = program_name(arguments[0])
    form = _FORMS.get(name, ("{file}",))
    file = place.path
    # A name that begins with a dash would be an option.
    file = f"./{file}" if file.startswith("-") else file
    filled = tuple(part.format(file=file, line=max(1, place.lineno)) for part in form)
    return Command((*arguments, *filled), _has_window(name, arguments, environment))


def program_name(path: str) -> str:
    """`vim` for /usr/bin/vim.basic: by what name an editor is known."""
    name = PurePath(path.replace("\\", "/")).name.lower()
    if name in _FORMS:
        return name
    return _VARIANT.sub("", name) or name


def _has_window(name: str, arguments: list[str], environment: Mapping[str, str]) -> bool:
    if name in ("vim", "nvim", "vi"):
        return "-g" in arguments
    if name in ("emacs", "emacsclient"):
        if _EMACS_IN_TERMINAL & set(arguments):
            return False
        return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))
    return name in _WINDOWED

"""Lines of the screen as plain data: text with a role, made safe before it is painted.

What logic, files and parameters say is not to be trusted: it may hold markup, escape sequences,
control characters, wide and right-to-left text. Every widget that paints lines makes them of spans,
and `strip_of` is the only place where spans become something the terminal gets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeAlias

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

# (text, role): a role is one of ROLES, which styles/roles.tcss colours.
Span: TypeAlias = tuple[str, str]
Line: TypeAlias = Sequence[Span]

ROLES: Final = (
    "text", "muted", "strong", "title", "key", "code",
    "running", "paused", "pending", "completed", "failed", "cancelled", "interrupted",
    "warning", "bar", "bar-rest", "grid", "edge", "box", "match", "match-here", "cursor", "cursor-blurred",
    "keyword", "string", "number", "comment", "defined", "builtin",
)  # fmt: skip

BLANK: Final[Line] = ()
# More than any screen shows of one value; what is longer is cut before it costs anything.
LONGEST: Final = 4096

_ESCAPE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor movement
    r"|\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC, DCS, SOS, PM, APC: titles, links, images
    r"|\x1b[ -/]*[0-~]?"
    r"|\x9b[0-?]*[ -/]*[@-~]"
)
# Control characters; lone surrogates, which cannot be encoded; characters that reorder or join their
# neighbours, about whose width terminals disagree.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\ufff9-\ufffb\U0001f3fb-\U0001f3ff\U000e0000-\U000e0fff]"
)
# More marks on one letter than any language uses.
_PILED_MARKS = re.compile("([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20f0]{3})"
                          "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20f0]+")  # fmt: skip

# What a line begins with that is written over, and what ends it besides.
_WRITTEN_OVER = re.compile(r"^[^\n]*\r(?=[^\r\n])|\r+$", re.MULTILINE)

_WORDS = re.compile(" *[^ ]+| +")


def clean(text: str) -> str:
    """`text` on one line, with nothing in it that a terminal would act upon.

    Escape sequences and characters that reorder text are dropped, line ends and tabs become spaces,
    other control characters are shown by their pictures, undecodable ones by the replacement character.
    """
    if len(text) > LONGEST:
        text = text[:LONGEST] + "…"
    if _UNSAFE.search(text) is None:
        return text if text.isascii() else _PILED_MARKS.sub(r"\1", text)
    return _PILED_MARKS.sub(r"\1", _UNSAFE.sub(_picture, _ESCAPE.sub("", text)))


def printed(text: str) -> str:
    """What a terminal shows in the end of text that was printed: of each line what follows its last
    carriage return, as of a progress bar."""
    return _WRITTEN_OVER.sub("", text) if "\r" in text else text


def harmless(text: str) -> str:
    """`text` without what a terminal would act upon, or measure otherwise than we do; it may be long.

    For what is edited: nothing is put in place of what is left out, and line ends and tabs are left out too.
    """
    if _UNSAFE.search(text) is not None:
        text = _UNSAFE.sub("", _ESCAPE.sub("", text))
    return text if text.isascii() else _PILED_MARKS.sub(r"\1", text)


def _picture(match: re.Match[str]) -> str:
    char = match.group()
    code = ord(char)
    if char in "\n\t":
        return " "
    if char == "\r":
        return ""
    if code < 0x20:
        return chr(0x2400 + code)
    if code <= 0x9F or 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    return " " if code in (0x2028, 0x2029) else ""


def clean_lines(text: str, limit: int = 2000) -> list[str]:
    """The lines of `text`, each made safe; what is beyond `limit` lines is counted in the last."""
    # A text of 100 MB is not split to find its first lines.
    bounded = text[: limit * LONGEST]
    lines = bounded.expandtabs(4).split("\n", limit)
    rest = "".join(lines[limit:])
    shown = [clean(line) for line in lines[:limit]]
    if rest or len(bounded) < len(text):
        shown.append(f"… {len(text) - len(bounded) + len(rest):,} more characters")
    return shown


def width(text: str) -> int:
    """How many columns `text` takes."""
    return len(text) if text.isascii() else cell_len(text)


def fit(text: str, columns: int, *, right: bool = False) -> str:
    """`text` made safe and exactly `columns` wide: cut with an ellipsis, or filled with spaces."""
    if columns <= 0:
        return ""
    text = clean(text)
    have = width(text)
    if have > columns:
        return set_cell_size(text, columns - 1) + "…"
    pad = " " * (columns - have)
    return pad + text if right else text + pad


def cut(text: str, columns: int) -> str:
    """`text` made safe and at most `columns` wide."""
    text = clean(text)
    if width(text) <= columns:
        return text
    return set_cell_size(text, columns - 1) + "…" if columns > 0 else ""


def wrap(text: str, columns: int, *, indent: str = "") -> list[str]:
    """`text` on lines of at most `columns`, broken at spaces where possible; later lines get `indent`."""
    columns = max(columns, len(indent) + 4)
    lines: list[str] = []
    current = ""
    # Each word with the spaces before it, so that what is indented stays so.
    for word in _WORDS.findall(clean(text)):
        if width(current + word) <= columns:
            current += word
            continue
        if current.strip():
            lines.append(current)
            current, word = indent, word.lstrip(" ")
        while width(current + word) > columns:
            head, word = _split_cells(word, columns - width(current))
            lines.append(current + head)
            current = indent
        current += word
    lines.append(current)
    return lines


def _split_cells(text: str, columns: int) -> tuple[str, str]:
    taken = 0
    for index, char in enumerate(text):
        taken += width(char)
        if taken > columns:
            index = max(index, 1)
            return text[:index], text[index:]
    return text, ""


def plain(line: Line) -> str:
    """The text of a line, as it is painted."""
    return "".join(clean(text) for text, _ in line)


def line_width(line: Line) -> int:
    """How many columns a line takes when it is painted."""
    return sum(width(clean(text)) for text, _ in line)


def joined(parts: Iterable[Line], gap: str = "  ") -> Line:
    """The spans of all `parts` in one line, with a gap between those that are not empty."""
    spans: list[Span] = []
    for part in parts:
        if part:
            if spans:
                spans.append((gap, "text"))
            spans.extend(part)
    return spans


def strip_of(line: Line, style_of: Callable[[str], Style], columns: int, over: Style | None = None) -> Strip:
    """What the terminal gets for `line`, exactly `columns` wide. `over` is laid over every role."""
    segments = []
    for text, role in line:
        style = style_of(role)
        segments.append(Segment(clean(text), style if over is None else style + over))
    fill = style_of("text")
    return Strip(segments).adjust_cell_length(columns, fill if over is None else fill + over)

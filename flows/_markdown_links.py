"""Finding the links of a Markdown text, with the lines they stand on.

Inline links and images, reference definitions and their uses, autolinks, bare URLs, and `href` and
`src` of HTML tags. What stands in fenced code blocks, code spans and HTML comments is left out; text
that is code only by its indentation is not, since in lists that cannot be told without a full parser.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from collections.abc import Iterator

_FENCE = re.compile(r"[ \t>]*(?:[-*+][ \t]+|[0-9]+[.)][ \t]+)*(`{3,}(?=[^`]*$)|~{3,})")
# A line end after which another block begins: a code span does not reach over it.
_BLOCK_END = re.compile(r"\n(?=[ \t>]*(?:\n|[-*+][ \t]|[0-9]+[.)][ \t]|#{1,6}[ \t]|\|))")
_BACKTICKS = re.compile(r"`+")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_DEFINITION = re.compile(
    r"""^[ \t>]*\[(?!\^)((?:[^\[\]\\\n]|\\.)+)\]:[ \t]*(?:\n[ \t>]*)?
        (<[^<>\n]*>|[^\s<]\S*)
        (?:[ \t]+(?:"[^"\n]*"|'[^'\n]*'|\([^()\n]*\)))?[ \t]*$""",
    re.MULTILINE | re.VERBOSE,
)
_TEXT_END = re.compile(r"(?<!\\)\]\(")
_SPACE = re.compile(r"[ \t]*(?:\n[ \t>]*)?")
_TITLE = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\((?:[^()\\]|\\.)*\)""", re.DOTALL)
_USE = re.compile(r"(?<!\\)\[((?:[^\[\]\\]|\\.)+)\](?:\[((?:[^\[\]\\]|\\.)*)\])?(?!\()")
_ATTRIBUTE = re.compile(
    r"""<[a-z][^<>]*?\s(?:href|src)\s*=\s*(?:"([^"<>]*)"|'([^'<>]*)')[^<>]*>""", re.IGNORECASE
)
_AUTOLINK = re.compile(r"<([a-zA-Z][a-zA-Z0-9+.-]{1,31}:[^\s<>]*)>")
_BARE = re.compile(
    r"""(?<![A-Za-z0-9_/.@-])https?://[^\s<>"'`\[\]|\\^，。；：！？、（）【】《》「」]+""", re.IGNORECASE
)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_ANYTHING = re.compile(r"[^\n]")


def markdown_links(text: str) -> list[tuple[str, int]]:
    """Every link's destination and its line, from 1, in the order of the text.

    Nothing is said about what a destination is: a URL, a path, "#part" or "mailto:...".
    """
    text = text.replace("\r\n", "\n")
    line_starts = [0, *(match.end() for match in re.finditer("\n", text))]
    found = sorted(_links(text), key=lambda pair: pair[0])
    return [(target, bisect_right(line_starts, start)) for start, target in found if target]


def _links(text: str) -> Iterator[tuple[int, str]]:
    """(offset, destination) of every link. What is dealt with is blanked out, so offsets stay true."""
    text = _blank_out(_COMMENT, _without_code_spans(_without_fences(text)))

    definitions: dict[str, str] = {}
    for match in _DEFINITION.finditer(text):
        target = _clean(match[2])
        definitions.setdefault(_label(match[1]), target)
        yield match.start(1), target
    text = _blank_out(_DEFINITION, text)

    pieces = []
    done = 0
    for match in _TEXT_END.finditer(text):
        start = match.end()
        end, target = _destination(text, start)
        if end and start > done:
            yield match.start(), _clean(target)
            pieces += [text[done:start], _blanks(text[start:end])]
            done = end
    text = "".join(pieces) + text[done:]

    for match in _USE.finditer(text):
        label = _label(match[2] or match[1])
        if label in definitions:
            yield match.start(), definitions[label]

    for match in _ATTRIBUTE.finditer(text):
        yield match.start(), html.unescape(match[1] or match[2] or "").strip()
    text = _blank_out(_ATTRIBUTE, text)

    for match in _AUTOLINK.finditer(text):
        yield match.start(), html.unescape(match[1])
    text = _blank_out(_AUTOLINK, text)

    for match in _BARE.finditer(text):
        # With braces it is a pattern of URLs, such as https://host/{id}.
        if "{" not in match[0]:
            yield match.start(), html.unescape(_without_trailing(match[0]))


# ---- code and comments


def _blanks(text: str) -> str:
    return _ANYTHING.sub(" ", text)


def _blank_out(pattern: re.Pattern[str], text: str) -> str:
    return pattern.sub(lambda match: _blanks(match[0]), text)


def _without_fences(text: str) -> str:
    lines = text.split("\n")
    fence = ""
    for number, line in enumerate(lines):
        if fence:
            mark = line.lstrip(" \t>").rstrip()
            if len(mark) >= len(fence) and set(mark) == {fence[0]}:
                fence = ""
        elif opening := _FENCE.match(line):
            fence = opening[1]
        else:
            continue
        lines[number] = " " * len(line)
    return "\n".join(lines)


def _without_code_spans(text: str) -> str:
    block_ends = [match.start() for match in _BLOCK_END.finditer(text)]
    # (block, length) -> where such runs of backticks stand, the last one first.
    runs: list[tuple[int, int, int]] = []
    for match in _BACKTICKS.finditer(text):
        before = text[max(0, match.start() - 100) : match.start()]
        escaped = (len(before) - len(before.rstrip("\\"))) % 2
        start = match.start() + escaped
        runs.append((bisect_right(block_ends, start), start, match.end()))
    pieces = []
    done = 0
    for number, (block, start, end) in enumerate(runs):
        if start < done:
            continue
        for other_block, other_start, other_end in runs[number + 1 :]:
            if other_block != block:
                break
            if other_end - other_start == end - start:
                pieces += [text[done:end], _blanks(text[end:other_end])]
                done = other_end
                break
    return "".join(pieces) + text[done:]


# ---- destinations


def _destination(text: str, start: int) -> tuple[int, str]:
    """What stands behind "](", and where its closing bracket is; (0, "") where this is no link."""
    start = _end_of(_SPACE, text, start)
    if text.startswith("<", start):
        end = text.find(">", start)
        if end < 0 or "\n" in text[start:end]:
            return 0, ""
        end += 1
    else:
        end = _balanced_end(text, start)
    target = text[start:end]
    after = _end_of(_SPACE, text, end)
    if after > end:
        after = _end_of(_SPACE, text, _end_of(_TITLE, text, after))
    return (after, target) if text.startswith(")", after) else (0, "")


def _end_of(pattern: re.Pattern[str], text: str, start: int) -> int:
    match = pattern.match(text, start)
    return match.end() if match else start


def _balanced_end(text: str, start: int) -> int:
    depth = 0
    position = start
    # As deep as CommonMark asks for; without an end, a text of brackets would take quadratic time.
    while position < len(text) and depth <= 32 and not text[position].isspace():
        if text[position] == "\\":
            position += 1
        elif text[position] == "(":
            depth += 1
        elif text[position] == ")":
            if depth == 0:
                break
            depth -= 1
        position += 1
    return min(position, len(text))


def _clean(target: str) -> str:
    if target.startswith("<") and target.endswith(">"):
        target = target[1:-1]
    return html.unescape(_ESCAPED.sub(r"\1", target)).strip()


def _label(text: str) -> str:
    return " ".join(text.casefold().split())


def _without_trailing(url: str) -> str:
    """`url` without the punctuation of the sentence it stands in."""
    while True:
        shorter = url.rstrip("?!.,:;*_~")
        if shorter.endswith(")") and shorter.count(")") > shorter.count("("):
            shorter = shorter[:-1]
        if shorter == url:
            return url
        url = shorter

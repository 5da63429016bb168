"""Functions of languages with braces, found by regular expressions and by matching brackets. Approximate.

Works on text whose comments and strings are blanked out (`_languages.cut`). What it cannot see: functions
made by macros, bodies without braces (`x => x + 1`), old C definitions with parameter types after the
parentheses, and in C the further branches of a preprocessor conditional whose first branch opens a brace
that it does not close.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import Final

from flows._languages import Function

_BRACKETS: Final = re.compile(r"[()\[\]{}]")
_CLOSES: Final = {")": "(", "]": "[", "}": "{"}

# How far back the words before a bracket are looked for, and how long the head of a function may be. Both
# keep the time proportional to the length of a text, whatever is in it.
_LOOK_BACK: Final = 300
_LONGEST_HEADER: Final = 2_000

Found = tuple[str, int, int]  # name, where it begins, where its body's brace opens


def find_functions(text: str, way: str) -> list[Function]:
    """The functions in `text`, by the `way` a language names in its `functions`; in the order they begin."""
    if way == "c":
        text = _without_preprocessor(text)
    pairs = _pairs(text, braces_only=way == "shell")
    line_starts = [0, *(found.end() for found in re.finditer("\n", text))]
    functions: dict[int, Function] = {}  # by the brace, which two rules may come to
    for name, start, brace in _WAYS[way](text, pairs):
        end = pairs.get(brace)
        if end is not None and brace not in functions:
            first, last = bisect_right(line_starts, start), bisect_right(line_starts, end)
            functions[brace] = Function(name, first, last)
    return sorted(functions.values(), key=lambda function: (function.first_line, function.last_line))


def _pairs(text: str, *, braces_only: bool) -> dict[int, int]:
    """The places of matching brackets, both ways. One without its partner is left out."""
    pairs: dict[int, int] = {}
    open_brackets: list[tuple[str, int]] = []
    for found in _BRACKETS.finditer(text):
        bracket, place = found[0], found.start()
        if braces_only and bracket not in "{}":
            continue
        opener = _CLOSES.get(bracket)
        if opener is None:
            open_brackets.append((bracket, place))
            continue
        if opener == "{":
            # A brace is not closed by a parenthesis that lacks its partner: forget that one.
            while open_brackets and open_brackets[-1][0] != "{":
                open_brackets.pop()
        if open_brackets and open_brackets[-1][0] == opener:
            partner = open_brackets.pop()[1]
            pairs[partner], pairs[place] = place, partner
    return pairs


# --- C and C++, Java and C# ---------------------------------------------------------------------------------

_DIRECTIVE: Final = re.compile(r"^[ \t]*\#[ \t]*(\w*)(?:[^\\\n]|\\(?:\n|.))*", re.MULTILINE)
_CONTROL: Final = re.compile(r"if|for|while|switch|catch")
_NO_C_NAME: Final = re.compile(
    r"return|sizeof|constexpr|__attribute__|__declspec|__pragma|alignas|noexcept|decltype|throw|requires|defined"
)
_NO_JAVA_NAME: Final = re.compile(
    r"if|for|while|switch|catch|synchronized|try|return|throw|using|lock|fixed|foreach"
)
_C_NAME: Final = re.compile(
    r"((?:~?\w+\s*(?:<[^<>;(){}]*>)?\s*::\s*)*"
    r"(?:operator\s*\(\s*\)|operator\s*[^\s\w(]+|operator\s+(?:const\s+)?[\w:]+[\s*&]*|~?\w+))\s*$"
)
_MEMBER: Final = re.compile(r"\)[\w\s]*:(?!:).*[\w>]\s*$", re.DOTALL)  # ": member{1}" of a constructor
_TYPE: Final = re.compile(
    r"(?:template\s*<.*>\s*)?(?:(?:inline\s+)?namespace\b|class\b|(?:struct|union|enum)\b[^()]*$)", re.DOTALL
)
_JAVA_TYPE: Final = re.compile(r"\b(?:class|enum|interface|record)\s+\w+")
_BOUNDARY: Final = re.compile(r"[;{}()]")


def _without_preprocessor(text: str) -> str:
    """`text` with directives blanked out, and with them what would open a brace twice.

    A conditional whose branch opens more braces than it closes, or fewer, keeps that branch and loses the
    others.
    """
    pieces: list[str] = []
    position = 0
    left_open = 0  # how many braces
    at_if: list[int] = []  # how many were left open where each conditional began
    skipping = 0  # the depth of the conditional whose further branches are left out, or 0
    for found in _DIRECTIVE.finditer(text):
        before = text[position : found.start()]
        position = found.end()
        if skipping:
            before = _blank(before)
        pieces += (before, _blank(found[0]))
        left_open += before.count("{") - before.count("}")
        word = found[1]
        if word in ("if", "ifdef", "ifndef"):
            at_if.append(left_open)
        elif word in ("else", "elif", "elifdef", "elifndef") and at_if and not skipping:
            skipping = len(at_if) if left_open != at_if[-1] else 0
        elif word == "endif" and at_if:
            if skipping == len(at_if):
                skipping = 0
            at_if.pop()
    rest = text[position:]
    return "".join((*pieces, _blank(rest) if skipping else rest))


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def _by_header(text: str, pairs: dict[int, int], *, java: bool) -> Iterator[Found]:
    """Functions known by what stands before the brace: `type name(parameters) qualifiers {`."""
    boundary = 0  # where the header begins
    depth = 0  # of parentheses
    outside: list[
        tuple[int, int | None]
    ] = []  # the depth around each open brace, and the header it is part of
    function_ends = 0
    for found in _BOUNDARY.finditer(text):
        mark, place = found[0], found.start()
        if mark == "(":
            depth += 1
        elif mark == ")":
            depth = max(0, depth - 1)
        elif mark == "{":
            header = text[max(boundary, place - _LONGEST_HEADER) : place]
            if not java and place >= function_ends and _MEMBER.search(header):
                outside.append((depth, boundary))
                continue
            if place in pairs and place >= function_ends:
                name = _java_name(header) if java else _c_name(header)
                if name:
                    yield name, place - len(header.lstrip()), place
                    if not java:  # within a C function, a macro before a brace looks like one
                        function_ends = pairs[place]
            outside.append((depth, None))
            depth, boundary = 0, found.end()
        elif mark == "}":
            depth, header_start = outside.pop() if outside else (0, None)
            boundary = found.end() if header_start is None else header_start
        elif depth == 0:
            boundary = found.end()


def _c_name(header: str) -> str:
    if _TYPE.match(header.lstrip()) or "(" not in header:
        return ""
    # What follows a constructor's parameters (": member(1)") or announces the type ("-> T") is not the name.
    header = re.sub(r"\)[\w\s]*:(?!:).*$", ")", header, count=1, flags=re.DOTALL)
    header = re.sub(r"\)([\w\s]*)->.*$", ")", header, count=1, flags=re.DOTALL)
    name = ""
    for before in _before_groups(header):
        found = _C_NAME.search(before)
        if found is None:
            continue
        word = " ".join(found[1].split()) if "operator" in found[1] else re.sub(r"\s+", "", found[1])
        if _CONTROL.fullmatch(word):
            return ""
        if not _NO_C_NAME.fullmatch(word):
            if "=" in before and "operator" not in before and not before.lstrip().startswith("template"):
                return ""
            name = word
    return name


def _java_name(header: str) -> str:
    header = re.sub(r"@\w[\w.]*\s*(?:\((?:[^()]|\([^()]*\))*\))?", " ", header)
    if _JAVA_TYPE.search(header.partition("(")[0]):
        return ""
    for before in _before_groups(header):
        found = re.search(r"(?:(\w+)\s+|^|[\s>\]])(\w+)\s*(?:<[^<>]*>)?\s*$", before)
        if (
            found is None
            or _NO_JAVA_NAME.fullmatch(found[2])
            or found[1] in ("new", "return", "throw")
            or "=" in before
        ):
            return ""
        return found[2]
    return ""


def _before_groups(header: str) -> Iterator[str]:
    """What stands before each group of parentheses that is closed in `header` and lies in no other."""
    depth = 0
    start = 0
    for found in re.finditer(r"[()]", header):
        if found[0] == "(":
            if depth == 0:
                start = found.start()
            depth += 1
        elif depth:
            depth -= 1
            if depth == 0:
                yield header[:start]


# --- Languages that say "function" --------------------------------------------------------------------------


def _by_keyword(
    text: str, pairs: dict[int, int], keyword: re.Pattern[str], stops: str, types_with_braces: str = ""
) -> Iterator[Found]:
    """Functions known by a keyword; the body is the first brace after it outside of all brackets.

    One of `stops` before that means there is no body. `types_with_braces` are words whose braces are no body.
    """
    signs = re.compile(r"[()\[\]{}" + re.escape(stops) + "]")
    for found in keyword.finditer(text):
        name = next((group for group in found.groups() if group), "")
        place = found.end()
        while (sign := signs.search(text, place, place + _LONGEST_HEADER)) is not None:
            if sign[0] == "{":
                words = text[found.end() : sign.start()].split()
                if not words or words[-1].lstrip("*[]") not in types_with_braces.split():
                    yield name, found.start(), sign.start()
                    break
            elif sign[0] not in "([":
                break
            place = pairs.get(sign.start(), len(text)) + 1


_GO: Final = re.compile(r"\bfunc\b\s*(?:\([^()]*\)\s*(?=\w))?(\w+)?")
_RUST: Final = re.compile(r"\bfn\s+(\w+)")
_PHP: Final = re.compile(r"\bfunction\b\s*&?\s*(\w+)?")


def _go(text: str, pairs: dict[int, int]) -> Iterator[Found]:
    return _by_keyword(text, pairs, _GO, stops="\n;=,", types_with_braces="interface struct")


def _rust(text: str, pairs: dict[int, int]) -> Iterator[Found]:
    return _by_keyword(text, pairs, _RUST, stops=";")


def _php(text: str, pairs: dict[int, int]) -> Iterator[Found]:
    return _by_keyword(text, pairs, _PHP, stops=";")


_SHELL: Final = re.compile(
    r"^[ \t]*(?:function[ \t]+([\w:.+-]+)[ \t]*(?:\([ \t]*\))?|([\w:.+-]+)[ \t]*\([ \t]*\))\s*(?=\{)",
    re.MULTILINE,
)


def _shell(text: str, pairs: dict[int, int]) -> Iterator[Found]:
    for found in _SHELL.finditer(text):
        yield found[1] or found[2], found.start(), found.end()


# --- JavaScript and TypeScript ------------------------------------------------------------------------------

_JS_FUNCTION: Final = re.compile(r"\bfunction\b\s*\*?\s*([\w$]+)?")
_JS_ARROW: Final = re.compile(r"=>\s*\{")
_JS_BODY: Final = re.compile(r"\)\s*(?::\s*[^\s(){};=][^(){};=]*)?\{")  # with the return type of TypeScript
_JS_METHOD: Final = re.compile(r"([\w$#]+|[\]'\"])\s*(?:<[^<>()]*>\s*)?$")
_JS_KEYWORDS: Final = re.compile(
    r"if|for|while|switch|catch|with|function|return|await|typeof|super|new|in|of"
)
_JS_ASSIGNED: Final = re.compile(
    r"([\w$#]+)\s*(?:\??:\s*[^=;{}()]*)?=\s*(?:async\b\s*)?(?:function\b\s*\*?\s*)?(?:<[^<>()]*>\s*)?$"
    r"|([\w$#]+)\s*:\s*(?:async\b\s*)?(?:function\b\s*\*?\s*)?$"
)


def _javascript(text: str, pairs: dict[int, int]) -> Iterator[Found]:
    for found in _JS_FUNCTION.finditer(text):
        parameters = text.find("(", found.end())
        close = pairs.get(parameters)
        if close is None or text[found.end() : parameters].strip():
            continue
        brace = _after_return_type(text, close + 1, pairs)
        if brace is not None:
            yield found[1] or _assigned_name(text, found.start()), found.start(), brace
    for found in _JS_ARROW.finditer(text):
        start = _start_of_parameters(text, found.start(), pairs)
        yield _assigned_name(text, start), start, found.end() - 1
    for found in _JS_BODY.finditer(text):
        opening = pairs.get(found.start())
        if opening is None:
            continue
        name = _JS_METHOD.search(text, max(0, opening - _LOOK_BACK), opening)
        if name is None or _JS_KEYWORDS.fullmatch(name[1]):
            continue
        before = text[max(0, name.start() - _LOOK_BACK) : name.start()].split()
        # `function name(` was found above; `a.name(...)` before a brace is a call.
        if before and (before[-1].rstrip("*") == "function" or before[-1].endswith(".")):
            continue
        yield "" if name[1] in "]'\"" else name[1], name.start(), found.end() - 1


def _after_return_type(text: str, place: int, pairs: dict[int, int]) -> int | None:
    """Where the body opens that follows a list of parameters, or None if there is no body."""
    found = re.compile(r"\s*(:?)\s*").match(text, place)
    place = found.end() if found else place
    if found and found[1] and text[place : place + 1] == "{":
        place = pairs.get(place, place) + 1
    body = re.compile(r"[^{};=()]*\{").match(text, place)
    return body.end() - 1 if body else None


def _start_of_parameters(text: str, arrow: int, pairs: dict[int, int]) -> int:
    before = text[max(0, arrow - _LOOK_BACK) : arrow]
    typed = re.search(r"\)\s*:\s*[^(){};=]+$", before)
    stripped = before.rstrip()
    if typed is not None:
        return pairs.get(arrow - len(before) + typed.start(), arrow)
    if stripped.endswith(")"):
        return pairs.get(arrow - len(before) + len(stripped) - 1, arrow)
    word = re.search(r"[\w$]+$", stripped)
    return arrow - len(before) + (word.start() if word else len(stripped))


def _assigned_name(text: str, start: int) -> str:
    found = _JS_ASSIGNED.search(text, max(0, start - _LOOK_BACK), start)
    return (found[1] or found[2] or "") if found else ""


def _c(text: str, pairs: dict[int, int]) -> Iterator[Found]:
    return _by_header(text, pairs, java=False)


def _java(text: str, pairs: dict[int, int]) -> Iterator[Found]:
    return _by_header(text, pairs, java=True)


_WAYS: Final[dict[str, Callable[[str, dict[int, int]], Iterator[Found]]]] = {
    "c": _c,
    "java": _java,
    "javascript": _javascript,
    "go": _go,
    "rust": _rust,
    "php": _php,
    "shell": _shell,
}

"""Programming languages as far as counting lines needs to know them: comments, strings, extensions.

A file is cut into comments, strings and the rest by one regular expression per language. That is exact for
most code and close for the rest: a JavaScript template within a template, for one, is taken apart at the
wrong place, and finds its way back at the end of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

_DOUBLE: Final = r'"(?:[^"\\\n]|\\.)*"'
_SINGLE: Final = r"'(?:[^'\\\n]|\\.)*'"
_DOUBLE_LINES: Final = r'"(?:[^"\\]|\\.)*"'
_SINGLE_LINES: Final = r"'(?:[^'\\]|\\.)*'"
_TRIPLE: Final = r'"""(?:[^\\]|\\.)*?"""'
_TRIPLE_SINGLE: Final = r"'''(?:[^\\]|\\.)*?'''"
_BACKTICK: Final = r"`(?:[^`\\]|\\.)*`"
_SLASHES: Final = r"//(?:[^\\\n]|\\(?:.|$))*"  # C lets a backslash carry a comment on to the next line
_SLASHES_LINE: Final = r"//[^\n]*"
_BLOCK: Final = r"/\*.*?(?:\*/|\Z)"
_HASH: Final = r"\#[^\n]*"
_DASHES: Final = r"--[^\n]*"
_MARKUP: Final = r"<!--.*?(?:-->|\Z)"
# A slash begins a regular expression where a value may begin. What stands before it stays code.
_JS_REGEX: Final = (
    r"(?:[(,=:\[!&|?{;+\-*%~^<>]|\b(?:return|typeof|case|in|of|delete|void|throw|do|else)\b)\s*"
    r"(?P<literal>/(?![*/])(?:[^\\/\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*)"
)
_SHELL_HASH: Final = r"(?:^|(?<=[\s;(&|]))\#[^\n]*"
_HEREDOC: Final = (
    r"(?<!<)<<-?[ \t]*[\"'\\]?(?P<word>[A-Za-z_]\w*)[\"']?[^\n]*"
    r"(?P<literal>\n(?:.*?\n)??[ \t]*(?P=word)[ \t]*$)"
)


@dataclass(frozen=True)
class Language:
    """How to tell comments and strings of a language; `functions` names the way to find its functions."""

    name: str
    extensions: tuple[str, ...]
    comments: tuple[str, ...] = ()
    strings: tuple[str, ...] = (_DOUBLE, _SINGLE)
    functions: str = ""
    nested_comments: bool = False
    pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        parts = []
        if self.comments:
            parts.append(f"(?P<comment>{'|'.join(self.comments)})")
        if self.strings:
            parts.append(f"(?P<string>{'|'.join(self.strings)})")
        pattern = re.compile("|".join(parts) or r"(?!)", re.DOTALL | re.MULTILINE)
        object.__setattr__(self, "pattern", pattern)


_C_LIKE: Final = (_SLASHES, _BLOCK)
_PLAIN_C: Final = (_SLASHES_LINE, _BLOCK)
_CPP_STRINGS: Final = (r'R"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)"', _DOUBLE, _SINGLE)
_JS_STRINGS: Final = (_JS_REGEX, _DOUBLE, _SINGLE, _BACKTICK)
_RUST_STRINGS: Final = (
    r'\bb?r(?P<mark>\#*)".*?"(?P=mark)',
    _DOUBLE_LINES,
    r"'(?:[^'\\\n]|\\(?:u\{[^}]*\}|x[0-9a-fA-F]{2}|.))'",  # not the lifetime in <'a>
)

LANGUAGES: Final = (
    Language("Python", ("py", "pyi", "pyw"), (_HASH,), (_TRIPLE, _TRIPLE_SINGLE, _DOUBLE, _SINGLE), "python"),
    Language("C", ("c",), _C_LIKE, functions="c"),
    Language("C/C++ header", ("h", "hh", "hpp", "hxx", "inl"), _C_LIKE, _CPP_STRINGS, "c"),
    Language("C++", ("cc", "cpp", "cxx", "c++", "cu"), _C_LIKE, _CPP_STRINGS, "c"),
    Language("C#", ("cs",), _PLAIN_C, (r'@"(?:[^"]|"")*"', _DOUBLE, _SINGLE), "java"),
    Language("Java", ("java",), _PLAIN_C, (_TRIPLE, _DOUBLE, _SINGLE), "java"),
    Language("JavaScript", ("js", "mjs", "cjs", "jsx"), _PLAIN_C, _JS_STRINGS, "javascript"),
    Language("TypeScript", ("ts", "tsx", "mts", "cts"), _PLAIN_C, _JS_STRINGS, "javascript"),
    Language("Go", ("go",), _PLAIN_C, (_DOUBLE, _SINGLE, r"`[^`]*`"), "go"),
    Language("Rust", ("rs",), (_SLASHES_LINE, r"/\*"), _RUST_STRINGS, "rust", nested_comments=True),
    Language(
        "Shell",
        ("sh", "bash", "zsh", "ksh", "bats"),
        (_SHELL_HASH,),
        (_HEREDOC, r"\\.", _DOUBLE_LINES, r"'[^']*'"),
        "shell",
    ),
    Language("PHP", ("php",), (*_PLAIN_C, r"\#(?!\[)[^\n]*"), (_DOUBLE_LINES, _SINGLE_LINES), "php"),
    Language(
        "Kotlin", ("kt", "kts"), (_SLASHES_LINE, r"/\*"), (_TRIPLE, _DOUBLE, _SINGLE), nested_comments=True
    ),
    Language("Swift", ("swift",), (_SLASHES_LINE, r"/\*"), (_TRIPLE, _DOUBLE), nested_comments=True),
    Language("Scala", ("scala",), (_SLASHES_LINE, r"/\*"), (_TRIPLE, _DOUBLE), nested_comments=True),
    Language("Dart", ("dart",), _PLAIN_C, (_TRIPLE, _DOUBLE, _SINGLE)),
    Language("Zig", ("zig",), (_SLASHES_LINE,), (_DOUBLE, _SINGLE)),
    Language("Assembly", ("s", "asm"), (r"[;\#][^\n]*", *_PLAIN_C), (_DOUBLE,)),
    Language("Ruby", ("rb", "rake"), (r"^=begin\b.*?^=end\b[^\n]*", r"(?:^|(?<=\s))\#[^\n]*")),
    Language("Perl", ("pl", "pm", "t"), (r"^=[a-z].*?(?:^=cut\b[^\n]*|\Z)", r"(?:^|(?<=\s))\#[^\n]*")),
    Language("Lua", ("lua",), (r"--\[\[.*?\]\]", _DASHES), (_DOUBLE, _SINGLE, r"\[\[.*?\]\]")),
    Language("R", ("r",), (_HASH,)),
    Language("Julia", ("jl",), (r"\#=.*?=\#", _HASH), (_TRIPLE, _DOUBLE)),
    Language("Haskell", ("hs",), (r"\{-.*?-\}", r"--(?![!#$%&*+./<=>?@\\^|~:])[^\n]*"), (_DOUBLE,)),
    Language("OCaml", ("ml", "mli"), (r"\(\*.*?\*\)",), (_DOUBLE,)),
    Language("Erlang", ("erl", "hrl"), (r"%[^\n]*",), (_DOUBLE,)),
    Language("Elixir", ("ex", "exs"), (_HASH,), (_TRIPLE, _DOUBLE)),
    Language("Lisp", ("el", "lisp", "clj", "scm"), (r";[^\n]*",), (_DOUBLE_LINES,)),
    Language("SQL", ("sql",), (_DASHES, _BLOCK), (r"'(?:[^']|'')*'", r'"[^"\n]*"')),
    Language("PowerShell", ("ps1", "psm1"), (r"<\#.*?\#>", _HASH)),
    Language("Make", ("mk", "mak"), (_HASH,), ()),
    Language("CMake", ("cmake",), (r"\#\[\[.*?\]\]", _HASH), (_DOUBLE_LINES,)),
    Language("Dockerfile", ("dockerfile",), (r"^\s*\#[^\n]*",), ()),
    Language("Protocol Buffers", ("proto",), _PLAIN_C),
    Language("HTML", ("html", "htm", "xhtml"), (_MARKUP,), ()),
    Language("XML", ("xml", "xsd", "xsl", "svg"), (_MARKUP,), ()),
    Language("Vue", ("vue",), (_MARKUP, _BLOCK), ()),
    Language("CSS", ("css",), (_BLOCK,)),
    Language("SCSS", ("scss", "sass", "less", "tcss"), (r"(?<!:)//[^\n]*", _BLOCK)),
    Language("Markdown", ("md", "markdown"), (_MARKUP,), ()),
    Language("reStructuredText", ("rst",), (), ()),
    Language("TeX", ("tex", "sty", "cls"), (r"(?<!\\)%[^\n]*",), ()),
    Language("JSON", ("json",), (), ()),
    Language("YAML", ("yaml", "yml"), (r"(?:^|(?<=\s))\#[^\n]*",)),
    Language("TOML", ("toml",), (_HASH,), (_TRIPLE, _TRIPLE_SINGLE, _DOUBLE, _SINGLE)),
    Language("INI", ("ini", "cfg"), (r"^\s*[;\#][^\n]*",), ()),
)

BY_NAME: Final = {language.name: language for language in LANGUAGES}
_BY_EXTENSION: Final = {extension: language for language in LANGUAGES for extension in language.extensions}
_BY_FILE_NAME: Final = {
    "makefile": BY_NAME["Make"],
    "gnumakefile": BY_NAME["Make"],
    "cmakelists.txt": BY_NAME["CMake"],
    "dockerfile": BY_NAME["Dockerfile"],
    "rakefile": BY_NAME["Ruby"],
    "gemfile": BY_NAME["Ruby"],
}


def language_of(file_name: str) -> Language | None:
    """The language of a file by its name, or None if it is not one we know."""
    name = file_name.lower()
    _, dot, extension = name.rpartition(".")
    return _BY_FILE_NAME.get(name) or (_BY_EXTENSION.get(extension) if dot else None)


@dataclass(frozen=True, slots=True)
class Function:
    """A function and its lines, the line of `def` and the last one included. Anonymous ones have no name."""

    name: str
    first_line: int
    last_line: int
    kinds: tuple[str, ...] = ()

    @property
    def lines(self) -> int:
        """How many lines it takes, blank ones and comments included."""
        return self.last_line - self.first_line + 1


@dataclass(frozen=True)
class Cut:
    """A text without its comments, and without its strings too; both with every line and column in place."""

    without_comments: str
    without_strings: str


_NOT_LINE_END: Final = re.compile(r"[^\n]")
_NESTED: Final = re.compile(r"/\*|\*/")


def cut(text: str, language: Language) -> Cut:
    """Blank out comments and strings. `text` has "\\n" for line ends."""
    without_comments: list[str] = []
    without_strings: list[str] = []
    position = 0
    while (found := language.pattern.search(text, position)) is not None:
        start, end = found.span()
        comment = found.lastgroup is not None and found["comment"] is not None if language.comments else False
        if comment and language.nested_comments and found[0] == "/*":
            end = _end_of_nested(text, end)
        elif not comment and "literal" in found.re.groupindex and found["literal"] is not None:
            start, end = found.span("literal")
        code, piece = text[position:start], text[start:end]
        blank = _NOT_LINE_END.sub(" ", piece)
        if not comment and piece[0] in "\"'" and len(piece) > 1:
            blank = piece[0] + blank[1:-1] + piece[-1]  # The quotes stay, to show that there is something.
        without_comments += (code, blank if comment else piece)
        without_strings += (code, blank)
        position = end
    rest = text[position:]
    return Cut("".join((*without_comments, rest)), "".join((*without_strings, rest)))


def _end_of_nested(text: str, position: int) -> int:
    depth = 1
    while depth and (found := _NESTED.search(text, position)) is not None:
        depth += 1 if found[0] == "/*" else -1
        position = found.end()
    return len(text) if depth else position


def split_lines(text: str) -> list[str]:
    """The lines of a text with "\\n" for line ends. An end after the last line begins no further one."""
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    return lines


def count_lines(text: str, without_comments: str) -> tuple[int, int, int]:
    """How many lines are blank, hold only comment, and hold code."""
    blank = comment = code = 0
    for line, bare in zip(split_lines(text), without_comments.split("\n"), strict=False):
        if not line.strip():
            blank += 1
        elif bare.strip():
            code += 1
        else:
            comment += 1
    return blank, comment, code

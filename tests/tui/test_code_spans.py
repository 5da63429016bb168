"""A line of Python, coloured word by word."""

from __future__ import annotations

import pytest

from tui.code_spans import code_spans


@pytest.mark.parametrize(
    ("line", "spans"),
    [
        ("    return None  # x", [("    ", "text"), ("return", "keyword"), (" ", "text"), ("None", "keyword"),
                                  ("  ", "text"), ("# x", "comment")]),
        ("def cost(self):", [("def", "keyword"), (" ", "text"), ("cost", "defined"), ("(", "text"),
                             ("self", "builtin"), ("):", "text")]),
        ("@app.route", [("@app.route", "defined")]),
        ("x = f'a {b}' + r\"c\\\"",
         [("x = ", "text"), ("f'a {b}'", "string"), (" + ", "text"), ('r"c\\"', "string")]),
        ("n = 0xFF + 1_000.5e3",
         [("n = ", "text"), ("0xFF", "number"), (" + ", "text"), ("1_000.5e3", "number")]),
        ("a.print(print)", [("a.print(", "text"), ("print", "builtin"), (")", "text")]),
        ("match = 1", [("match = ", "text"), ("1", "number")]),
        ("match point:", [("match", "keyword"), (" point:", "text")]),
        ('"""Says # what', [('"""Says # what', "string")]),
        ("it's", [("it", "text"), ("'s", "string")]),
        ("größe = 漢字", [("größe = 漢字", "text")]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_words_have_their_roles(line: str, spans: list[tuple[str, str]]) -> None:
    assert code_spans(line) == spans


@pytest.mark.parametrize(
    "line", ["", " ", "\\", "'" * 1000, '"""' * 999, "x" * 100_000, "\x1b[31m", "f'{'", "((" * 9999]
)
def test_no_line_loses_anything_that_is_shown_or_takes_long(line: str) -> None:
    text = "".join(text for text, _ in code_spans(line))
    assert line.startswith(text.removesuffix("…"))
    assert len(text) <= 401

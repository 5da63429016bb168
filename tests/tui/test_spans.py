"""Whatever text comes, what is painted is harmless and exactly as wide as it should be."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from tui.spans import LONGEST, clean, clean_lines, cut, fit, plain, printed, strip_of, wrap

# Surrogates too: file names that are not UTF-8 come as such.
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b2Jc1", "c1"),
        ("two\nlines\tand\r", "two lines and"),
        ("bell\x07 nul\x00", "bell␇ nul␀"),
        ("[bold]markup[/bold]", "[bold]markup[/bold]"),
        ("\u202eevil\u202c \u200bzero", "evil zero"),
        ("\udce9t\udce9", "\ufffdt\ufffd"),
        ("e" + "\u0301" * 50, "e" + "\u0301" * 3),
        ("👩\u200d👧 ❤\ufe0f", "👩👧 ❤"),
        ("עברית 漢字", "עברית 漢字"),
    ],
)
def test_clean(text: str, shown: str) -> None:
    assert clean(text) == shown


@given(ANY_TEXT)
def test_clean_text_has_no_control_characters_and_can_be_encoded(text: str) -> None:
    shown = clean(text)
    shown.encode("utf-8")
    assert not [char for char in shown if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")]
    assert clean(shown) == shown or len(text) > LONGEST


@given(ANY_TEXT, st.integers(0, 30), st.booleans())
def test_fit_is_exact_and_cut_never_wider(text: str, columns: int, right: bool) -> None:
    assert cell_len(fit(text, columns, right=right)) == columns
    assert cell_len(cut(text, columns)) <= columns


@given(ANY_TEXT, st.integers(8, 40))
def test_wrap_loses_nothing_but_spaces(text: str, columns: int) -> None:
    lines = wrap(text, columns, indent="  ")
    assert all(cell_len(line) <= columns for line in lines)
    assert "".join("".join(lines).split()) == "".join(clean(text).split())


def test_wrap_keeps_what_is_indented_so() -> None:
    assert wrap('    raise ValueError("no such shelf")', 22, indent="      ") == [
        "    raise",
        '      ValueError("no',
        '      such shelf")',
    ]
    assert wrap("  ^^^^  ^", 20) == ["  ^^^^  ^"]


@given(st.lists(st.tuples(ANY_TEXT, st.just("text")), max_size=4), st.integers(1, 50))
def test_a_strip_is_as_wide_as_its_pane(line: list[tuple[str, str]], columns: int) -> None:
    strip = strip_of(line, lambda role: Style(), columns)
    assert cell_len(strip.text) == strip.cell_length == columns


def test_a_huge_text_costs_no_more_than_what_is_shown() -> None:
    huge = "x" * 100_000_000
    assert len(clean(huge)) == LONGEST + 1
    lines = clean_lines("first\n" + huge, limit=10)
    assert lines[0] == "first"
    assert lines[-1].startswith("… ")
    assert len(lines) <= 11


def test_plain_is_the_text_of_a_line() -> None:
    assert plain((("a\n", "text"), ("b", "muted"))) == "a b"


@given(st.text(alphabet="ab\r\n", max_size=40))
def test_what_is_printed_is_of_each_line_what_follows_its_last_return(text: str) -> None:
    assert printed(text).split("\n") == [line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n")]


@pytest.mark.parametrize(
    "text",
    ["x" * 1_000_000 + "\r\n", "x\r" * 500_000, "\r" * 1_000_000 + "\n"],
    ids=["ended", "overwritten", "returns"],
)
def test_long_lines_that_were_printed_cost_no_more_than_their_length(text: str) -> None:
    assert len(printed(text)) <= len(text)

"""The log of the screen: what is kept, shown, wrapped and found, against a plain account of the same."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from routilux.history import LogLine
from tests.tui import fixed
from tui.log_rows import LogRows
from tui.spans import width


def line(number: int, text: str, level: str = "INFO", routine: str = "clean") -> LogLine:
    return LogLine(number, fixed.NOW, level, routine, text)


def shown(rows: LogRows) -> list[str]:
    return [entry.text[start:end] for entry, start, end in rows.rows]


def found(rows: LogRows) -> list[int]:
    """The numbers of the rows that are hits, by going from one to the next."""
    seen: list[int] = []
    row = rows.next_hit(rows.first - 1)
    while row is not None and row not in seen:
        seen.append(row)
        row = rows.next_hit(row)
    return seen


texts = st.text(alphabet="ab 漢é\n\x1b[", max_size=30)
said = st.tuples(texts, st.sampled_from(["INFO", "ERROR"]), st.sampled_from(["x", "y"]))
steps = st.lists(
    st.one_of(
        # What is logged, and what stands below it without an end.
        st.tuples(st.lists(said, max_size=8), st.lists(said, max_size=2)),
        st.sampled_from(
            ["level", "wide", "narrow", "off", "routine", "all", "search a", "search ab", "search "]
        ),
    ),
    max_size=30,
)


@settings(deadline=None, max_examples=150)
@given(steps)
def test_rows_and_hits_are_those_of_all_kept_lines_arranged_anew(steps: list[object]) -> None:
    rows = LogRows(max_lines=20, max_characters=200)
    number = 0
    standing: list[LogLine] = []
    for step in steps:
        if isinstance(step, tuple):
            lines = [line(number + at, *what) for at, what in enumerate(step[0])]
            number += len(lines)
            standing = [line(number, *what) for what in step[1]]
            rows.append(lines, standing)
        elif step == "level":
            rows.arrange(level=(rows.level + 1) % 3)
        elif step in ("wide", "narrow", "off"):
            rows.arrange(columns={"wide": 25, "narrow": 4, "off": 0}[str(step)])
        elif step in ("routine", "all"):
            rows.arrange(routine=("y" if step == "routine" else None,))
        else:
            rows.search(str(step).removeprefix("search "))
        assert len(rows._entries) <= 20
        assert sum(len(entry.text) for entry in rows._entries) <= 200
        now, hits = shown(rows), [row - rows.first for row in found(rows)]
        alone = LogRows()
        alone.arrange(level=rows.level, columns=rows.columns, routine=(rows.routine_id,))
        alone.append(standing)
        assert now[len(now) - len(alone.rows) :] == shown(alone)
        assert len(hits) == rows.hits
        assert all(rows.is_hit(row + rows.first) for row in hits)
        if rows.columns:
            assert all(width(text) <= max(rows.columns, 2) for text in now)
        hidden = rows.hidden_hits
        rows.arrange()
        rows.search(rows.needle)
        assert shown(rows) == now
        assert [row - rows.first for row in found(rows)] == hits
        assert rows.hidden_hits == hidden
        level, routine = rows.level, rows.routine_id
        rows.arrange(level=0, routine=(None,))
        assert rows.hits == len(hits) + hidden
        rows.arrange(level=level, routine=(routine,))


def test_an_unfinished_line_is_replaced_by_what_follows_and_counts_once_it_is_ended() -> None:
    rows = LogRows()
    bar = line(1, "10%", "PRINT", "x")
    rows.append([line(0, "begin")], [bar])
    rows.search("%")
    assert (shown(rows), rows.hits, rows.dropped) == (["begin", "10%"], 1, 0)
    rows.append([], [bar._replace(message="20%")])
    assert (shown(rows), rows.hits) == (["begin", "20%"], 1)
    # It stays below what others log meanwhile.
    rows.append([line(1, "other")], [bar._replace(sequence=2, message="30%")])
    assert shown(rows) == ["begin", "other", "30%"]
    rows.append([bar._replace(sequence=2, message="100%")])
    assert (shown(rows), rows.hits, rows.dropped) == (["begin", "other", "100%"], 1, 0)


def test_an_unfinished_line_is_of_its_level_and_routine_and_wrapped() -> None:
    rows = LogRows()
    rows.append([line(0, "a", "ERROR")], [line(1, "b" * 12, "STDERR", "x"), line(1, "c", "PRINT", "y")])
    rows.arrange(columns=5)
    assert shown(rows) == ["a", "bbbbb", "bbbbb", "bb", "c"]
    rows.arrange(level=1)
    assert shown(rows) == ["a", "bbbbb", "bbbbb", "bb"]
    rows.arrange(level=0, routine=("y",))
    assert shown(rows) == ["c"]
    assert rows.routines == ["clean", "x", "y"]


def test_messages_that_were_dropped_are_counted_once() -> None:
    rows = LogRows(max_lines=4)
    rows.append([line(0, "a\nb\nc"), line(1, "d")])
    assert rows.dropped == 0
    assert rows.append([line(2, "e")]) == 1
    # Two lines of the first message are still there.
    assert rows.dropped == 0
    rows.append([line(3, "f"), line(4, "g")])
    assert rows.dropped == 1
    assert shown(rows) == ["d", "e", "f", "g"]


def test_what_went_by_between_two_looks_is_told_where_it_is_missing() -> None:
    rows = LogRows()
    rows.append([line(0, "a")])
    rows.append([line(1000, "b")])
    assert shown(rows) == ["a", "… 999 lines went by too fast to be kept …", "b"]
    assert rows.dropped == 999


def test_a_message_of_100_mb_costs_what_is_kept_of_it() -> None:
    rows = LogRows()
    rows.append([line(0, "x" * 100_000_000), line(1, "y\n" * 50_000_000)])
    assert sum(len(text) for text in shown(rows)) < 20_000
    assert "more characters" in shown(rows)[-1]


def test_capital_letters_count_where_there_are_any() -> None:
    rows = LogRows()
    rows.append([line(0, "Error"), line(1, "error"), line(2, "İerror")])
    rows.search("error")
    assert rows.hits == 3
    rows.search("Error")
    assert rows.hits == 1


def test_a_match_in_a_wrapped_line_is_found_in_the_row_it_begins_in() -> None:
    rows = LogRows()
    rows.arrange(columns=5)
    rows.append([line(0, "aaaaabbbbbccccc")])
    rows.search("bc")
    assert found(rows) == [1]
    assert rows.next_hit(1) == 1
    assert rows.next_hit(1, back=True) == 1


def test_rows_of_other_routines_come_back() -> None:
    rows = LogRows()
    rows.append([line(0, "a", routine="x"), line(1, "b", routine="y"), line(2, "c", routine="")])
    assert rows.routines == ["x", "y", ""]
    rows.arrange(routine=("",))
    assert shown(rows) == ["c"]
    rows.arrange(routine=(None,))
    assert shown(rows) == ["a", "b", "c"]


def test_of_a_progress_bar_the_last_state_is_shown_as_a_terminal_would() -> None:
    bar = "".join(f"\r{part}%|####|" for part in (10, 50, 100))
    rows = LogRows()
    rows.append([line(0, f"{bar}\r\nnext\r\n  5%\r100%", "PRINT"), line(1, bar * 1000, "STDERR")])
    assert shown(rows) == ["100%|####|", "next", "100%", "100%|####|"]


def test_nothing_that_was_logged_hides_what_stands_before_it() -> None:
    rows = LogRows()
    rows.append([line(0, "user root\ruser me", "WARNING")])
    assert shown(rows) == ["user rootuser me"]

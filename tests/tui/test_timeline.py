"""Activations as bars: as many at every moment as there were, each seen, whatever the scale."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routilux.history import ENDED, FAILED, RETRIED, SKIPPED, STARTED, ExecutionRecord
from tests.tui import fixed
from tui.spans import plain
from tui.timeline import FAILURE, MAX_BARS, RETRY, UNKNOWN, Timeline
from tui.timeline_cells import Cells, Window, axis_line, fitting_step, ground, next_step, ticks


def record(number: int, at: float, name: str, routine: str = "clean") -> ExecutionRecord:
    return ExecutionRecord(number, fixed.NOW + timedelta(seconds=at), routine, name, None)


def built(*what: tuple[float, str], first: int = 0) -> Timeline:
    timeline = Timeline(fixed.NOW)
    timeline.add([record(first + number, at, name) for number, (at, name) in enumerate(what)])
    return timeline


def drawn(timeline: Timeline, window: Window, now: float = 100.0, row: int = 0) -> str:
    lane = timeline.lane("clean")
    cells = Cells(lane.rows[row], window)
    unknown = {at: cell for at, cell in ground(window, timeline.gaps).items() if cell != "┊"}
    return plain(cells.line(lane.points if row == 0 else (), now, unknown))


# A random walk of starts and ends: + starts one, - ends one.
walks = st.lists(st.tuples(st.floats(0.0, 3.0), st.sampled_from("++-")), max_size=60)


@settings(deadline=None, max_examples=200)
@given(walks)
def test_at_every_moment_there_are_as_many_bars_as_ran(walk: list[tuple[float, str]]) -> None:
    timeline = Timeline(fixed.NOW)
    now, running, number = 0.0, 0, 0
    account: list[tuple[float, int]] = [(0.0, 0)]
    for wait, step in walk:
        now = round(now + wait, 6)
        if step == "-" and not running:
            continue
        running += 1 if step == "+" else -1
        timeline.add([record(number, now, STARTED if step == "+" else ENDED)])
        number += 1
        account.append((now, running))
    lane = timeline.lane("clean")
    bars = [bar for row in lane.rows for bar in row.bars]
    for (start, count), (end, _) in zip(account, [*account[1:], (now + 1, 0)], strict=True):
        moment = (start + end) / 2
        if start < moment < end:
            assert sum(bar.start <= moment and (bar.end is None or moment < bar.end) for bar in bars) == count
    for row in lane.rows:
        ends = [bar.end for bar in row.bars[:-1]]
        assert None not in ends
        assert all(end <= after.start for end, after in zip(ends, row.bars[1:], strict=True))  # type: ignore[operator]


@settings(deadline=None, max_examples=200)
@given(walks, st.floats(0.0, 50.0), st.floats(0.001, 5.0))
def test_every_bar_is_seen_and_what_was_laid_before_stays(
    walk: list[tuple[float, str]], start: float, step: float
) -> None:
    window = Window(start, step, 40)
    timeline = Timeline(fixed.NOW)
    lane = timeline.lane("clean")
    cells = Cells(lane.rows[0], window)
    now, number = 0.0, 0
    for wait, _ in walk:
        for name in (STARTED, ENDED):
            now = round(now + wait + 0.001, 6)
            timeline.add([record(number, now, name)])
            number += 1
            line = plain(cells.line((), now, {}))
            assert len(line) == 40
            assert line == plain(Cells(lane.rows[0], window).line((), now, {}))
    for bar in lane.rows[0].bars:
        column = int((bar.start - start) / step)
        if bar.start >= start and column < 40:
            assert plain(cells.line((), now, {}))[column] != " "


def test_a_short_activation_takes_half_a_column_and_a_long_one_all_it_touches() -> None:
    timeline = built((0.1, STARTED), (0.2, ENDED), (2.8, STARTED), (2.9, ENDED), (5.0, STARTED), (8.0, ENDED))
    assert drawn(timeline, Window(0, 1, 10)) == "▌ ▐  ███  "


def test_several_activations_in_a_column_are_shaded_by_how_busy_it_was() -> None:
    def pulse(at: float, size: float) -> list[tuple[float, str]]:
        return [(at, STARTED), (at + size, ENDED)]

    timeline = built(
        *pulse(0.0, 0.1),
        *pulse(0.5, 0.1),
        *pulse(1.0, 0.3),
        *pulse(1.5, 0.2),
        *pulse(2.0, 0.49),
        *pulse(2.5, 0.49),
    )
    assert drawn(timeline, Window(0, 1, 4)).rstrip() == "░▒▓"


def test_a_running_bar_grows_and_points_on() -> None:
    timeline = built((1.0, STARTED))
    assert drawn(timeline, Window(0, 1, 10), now=3.5) == " ██▶      "
    assert drawn(timeline, Window(0, 1, 10), now=5.5) == " ████▶    "
    assert drawn(timeline, Window(0, 1, 4), now=50.0) == " ██▶"


def test_failures_retries_and_skips_are_marked() -> None:
    timeline = built(
        (0.0, STARTED), (2.0, FAILED), (2.0, RETRIED), (2.0, ENDED),
        (4.0, STARTED), (6.0, FAILED), (6.0, SKIPPED), (6.0, ENDED), (8.0, FAILED),
    )  # fmt: skip
    assert [bar.mark for bar in timeline.lane("clean").rows[0].bars] == [RETRY, FAILURE]
    assert drawn(timeline, Window(0, 1, 10)) == "█↻  █✗⊘ ✗ "
    # Where there is room for one only, the weightiest is seen.
    assert drawn(timeline, Window(0, 10, 10)).rstrip() == "✗"


def test_what_began_before_the_oldest_record_is_open_to_the_left() -> None:
    timeline = built((5.0, STARTED), (6.0, ENDED), (7.0, ENDED), first=12)
    assert timeline.missed == 12
    assert timeline.gaps == [(0.0, 5.0)]
    # The one that ended without having begun is not known before the first record.
    unknown = next(bar for row in timeline.lane("clean").rows for bar in row.bars if not bar.known)
    assert (unknown.start, unknown.end) == (5.0, 7.0)
    assert drawn(timeline, Window(0, 1, 10), row=1) == "╌╌╌╌╌◂█   "


def test_what_ran_when_records_were_lost_has_no_known_end() -> None:
    timeline = built((0.0, STARTED))
    timeline.add([record(50, 4.0, STARTED)])
    assert [(bar.end, bar.mark) for bar in timeline.lane("clean").rows[0].bars] == [
        (0.0, UNKNOWN),
        (None, ""),
    ]
    assert drawn(timeline, Window(0, 1, 8), now=6.2) == "?╌╌╌██▶ "


def test_what_is_kept_begins_with_the_oldest_record_of_any_lane() -> None:
    assert built((3, STARTED)).kept_from == 0
    timeline = built((3, STARTED), (4, ENDED), first=50)
    assert timeline.kept_from == 3
    timeline.add([record(60, 9, STARTED), record(61, 10, ENDED)])
    assert timeline.kept_from == 3


def test_the_oldest_bars_go_and_are_counted() -> None:
    timeline = Timeline(fixed.NOW)
    count = 3 * MAX_BARS
    for number in range(count):
        timeline.add([record(2 * number, number, STARTED), record(2 * number + 1, number + 0.5, ENDED)])
    lane = timeline.lane("clean")
    assert len(lane.rows[0].bars) <= MAX_BARS
    assert lane.forgotten + len(lane.rows[0].bars) == count
    assert lane.forgotten_until <= lane.rows[0].bars[0].start


@pytest.mark.parametrize("seconds", [0.0, 1e-4, 0.1, 1.0, 59.0, 3600.0, 86_400 * 3.0, 86_400 * 400.0])
def test_the_axis_is_readable_from_microseconds_to_years(seconds: float) -> None:
    for columns in (8, 20, 80, 200):
        window = Window(0.0, fitting_step(seconds, columns), columns)
        assert window.end >= seconds
        at = [column for column, _ in ticks(window)]
        labels = [label for _, label in ticks(window)]
        assert at[0] == 0
        assert len(set(labels)) == len(labels)
        for column, label, after in zip(at, labels, at[1:], strict=False):
            assert after - column > len(label)
        assert len(plain(axis_line(window))) == columns
        assert "╷0" in plain(axis_line(window))


def test_the_scale_wastes_little_and_zooming_there_and_back_ends_where_it_began() -> None:
    for seconds in (0.123, 7.0, 4000.0):
        step = fitting_step(seconds, 80)
        assert step * 80 < 1.7 * seconds
        assert next_step(next_step(step, finer=True), finer=False) == step

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest

from routilux.cli.display import PLAIN_INTERVAL, PlainLines, how_far, show_line
from routilux.history import LogLine
from routilux.snapshot import JobSnapshot, JobSummary, Progress, RoutineSnapshot, SlotSnapshot
from routilux.status import ExecutionStatus

NOW = datetime(2025, 6, 12, 12, 4, 55, tzinfo=UTC)


def routine(
    routine_id: str, *, state: str = "running", activations: int = 1, **told: object
) -> RoutineSnapshot:
    values: dict[str, object] = {
        "running": 0,
        "slots": (),
        "skipped_items": 0,
        "errors": 0,
        "retries": 0,
        "time_in_logic": 0.0,
        "running_since": None,
        "progress": None,
        **told,
    }
    return RoutineSnapshot(routine_id=routine_id, state=state, activations=activations, **values)  # type: ignore[arg-type]


def picture(*routines: RoutineSnapshot) -> JobSnapshot:
    summary = JobSummary(
        job_id="a31f",
        flow_name="etl",
        status=ExecutionStatus.RUNNING,
        entry_params={},
        generation=None,
        created_at=NOW,
        started_at=NOW,
        ended_at=None,
        elapsed=1.0,
        activations=0,
        running=0,
        waiting=0,
        dropped=0,
        errors=0,
        progress=None,
        last_event="",
        error="",
        notices=(),
    )
    return JobSnapshot(
        summary=summary,
        routines=routines,
        waits_for="",
        history_total=0,
        history_dropped=0,
        log_total=0,
        log_dropped=0,
        leftovers={},
    )


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (Progress(40, 120, "files"), "40/120 files, 1 activation"),
        (Progress(1234567, None, ""), "1,234,567, 1 activation"),
        (Progress(2.5, 10, "MiB"), "2.5/10 MiB, 1 activation"),
        (Progress(28_710_900, 30_000_000, "27.4 MiB of 28.6 MiB"), "27.4 MiB of 28.6 MiB, 1 activation"),
        (Progress(float("nan"), float("inf"), ""), "nan/inf, 1 activation"),
    ],
)
def test_progress_is_told_in_the_routine_s_units(progress: Progress, text: str) -> None:
    assert how_far(routine("hash", progress=progress)) == text


def test_everything_that_went_elsewhere_is_told() -> None:
    slot = SlotSnapshot("items", waiting=3, capacity=10, received=2000, consumed=0, dropped=1)
    text = how_far(routine("join", activations=1200, slots=(slot,), skipped_items=2, errors=1, retries=2))
    assert text == ("1,200 activations, 3 items waiting, 1 item dropped, 2 items skipped, 2 retries, 1 error")


def test_plain_lines_come_when_something_changed_and_not_too_often(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = Clock()
    display = PlainLines(io.StringIO(), clock=clock)
    display.update(picture(routine("walk")))
    assert capsys.readouterr().err == ""
    clock.now += PLAIN_INTERVAL
    idle = routine("load", state="idle", activations=0)
    display.update(picture(routine("walk"), idle))
    display.update(picture(routine("walk", activations=2), idle))
    assert capsys.readouterr().err == "walk: 1 activation\n"
    clock.now += PLAIN_INTERVAL
    display.update(picture(routine("walk"), idle))
    assert capsys.readouterr().err == ""
    display.close(picture(routine("walk", activations=3), idle))
    assert capsys.readouterr().err == "walk: 3 activations\n"


@pytest.mark.parametrize(
    ("level", "verbose", "echoed", "output", "errors"),
    [
        ("PRINT", False, False, "text\n", ""),
        ("PRINT", False, True, "", ""),
        ("STDERR", False, False, "", "text\n"),
        ("INFO", False, False, "", ""),
        ("INFO", True, True, "", "INFO hash: text\n"),
        ("WARNING", False, True, "", "WARNING hash: text\n"),
    ],
)
def test_which_lines_of_the_log_are_shown(
    capsys: pytest.CaptureFixture[str], level: str, verbose: bool, echoed: bool, output: str, errors: str
) -> None:
    printed = io.StringIO()
    line = LogLine(0, NOW, level, "hash", "text")
    show_line(PlainLines(printed), line, verbose=verbose, echoed=echoed)
    assert (printed.getvalue(), capsys.readouterr().err) == (output, errors)

"""A glyph, a word and a role for every state, of jobs and of routines. Colour never stands alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from routilux.snapshot import JobSnapshot, RoutineSnapshot
from routilux.status import ExecutionStatus
from tui.spans import Line, Span, joined


class Look(NamedTuple):
    """How a state is shown. `role` gives the colour."""

    glyph: str
    word: str
    role: str


_S = ExecutionStatus

STATUS: Final[Mapping[ExecutionStatus, Look]] = {
    _S.PENDING: Look("·", "pending", "pending"),
    _S.RUNNING: Look("▶", "running", "running"),
    _S.PAUSING: Look("◌", "pausing", "paused"),
    _S.PAUSED: Look("‖", "paused", "paused"),
    _S.CANCELLING: Look("◌", "cancelling", "cancelled"),
    _S.COMPLETED: Look("✓", "completed", "completed"),
    _S.FAILED: Look("✗", "failed", "failed"),
    _S.CANCELLED: Look("⊘", "cancelled", "cancelled"),
    _S.INTERRUPTED: Look("?", "interrupted", "interrupted"),
}
WIDEST_STATUS: Final = max(len(look.word) for look in STATUS.values()) + 2

# The states of RoutineSnapshot.state, and those that `routines_of` makes of them.
ROUTINE: Final[Mapping[str, Look]] = {
    "running": Look("▶", "running", "running"),
    "ready": Look("▷", "ready", "running"),
    "waiting": Look("◦", "waiting", "pending"),
    "retrying": Look("↻", "retrying", "warning"),
    "skipped": Look("⊘", "skipped", "cancelled"),
    "failed": Look("✗", "failed", "failed"),
    "done": Look("✓", "done", "completed"),
    "idle": Look("·", "idle", "pending"),
    "has run": Look("✓", "has run", "completed"),
    "left": Look("□", "left", "pending"),
}
WIDEST_ROUTINE: Final = max(len(look.word) for look in ROUTINE.values()) + 2

# The levels of lines of a log: their roles, and their words where they are shortened.
LEVEL_ROLES: Final[Mapping[str, str]] = {
    "DEBUG": "muted", "WARNING": "warning", "ERROR": "failed", "CRITICAL": "failed", "STDERR": "warning",
}  # fmt: skip
LEVEL_WORDS: Final[Mapping[str, str]] = {"WARNING": "WARN", "CRITICAL": "CRIT"}

# Live ones first: what one looks for stands where one looks first.
COUNT_ORDER: Final = (
    _S.RUNNING, _S.PAUSING, _S.CANCELLING, _S.PAUSED, _S.PENDING, _S.COMPLETED, _S.FAILED, _S.CANCELLED,
    _S.INTERRUPTED,
)  # fmt: skip


def status_look(status: ExecutionStatus) -> Look:
    return STATUS[status]


def routines_of(snapshot: JobSnapshot) -> tuple[RoutineSnapshot, ...]:
    """The job's routines in states that are true of it: in a job that has ended nothing waits any more,
    what it has not done is left; and in one that goes on nobody knows that a routine is done."""
    ended = snapshot.status.is_final
    said = dict.fromkeys(("ready", "waiting", "retrying"), "left") if ended else {"done": "has run"}
    return tuple(
        each._replace(state=said[each.state]) if each.state in said else each for each in snapshot.routines
    )


def routine_look(state: str) -> Look:
    """The look of a routine's state; one that is not known yet is shown by its own name."""
    return ROUTINE.get(state) or Look("?", state, "pending")


def status_span(status: ExecutionStatus, columns: int = WIDEST_STATUS) -> Span:
    """Glyph and word, filled up to `columns`."""
    look = STATUS[status]
    return f"{look.glyph} {look.word}".ljust(columns)[:columns], look.role


def count_spans(
    counts: Mapping[ExecutionStatus, int], *, skip: frozenset[ExecutionStatus] = frozenset()
) -> Line:
    """`▶3 ‖1 ✓118`: how many jobs are in which state, without the states nobody is in.

    States that have the same glyph are counted together: colour alone would tell them apart.
    """
    numbers: dict[str, int] = {}
    roles: dict[str, str] = {}
    for status in COUNT_ORDER:
        number = counts.get(status, 0)
        if number and status not in skip:
            glyph, _, role = STATUS[status]
            numbers[glyph] = numbers.get(glyph, 0) + number
            roles.setdefault(glyph, role)
    return joined([((f"{glyph}{number:,}", roles[glyph]),) for glyph, number in numbers.items()], " ")

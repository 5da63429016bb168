"""A job's status is one value and one table of what may follow what."""

from __future__ import annotations

import pytest

from routilux import ExecutionStatus, InvalidTransition
from routilux.status import FINAL, LIVE, RESUMABLE, check_transition

S = ExecutionStatus
ALLOWED = {
    S.PENDING: {S.RUNNING},
    S.RUNNING: {S.PAUSING, S.PAUSED, S.CANCELLING, S.CANCELLED, S.COMPLETED, S.FAILED},
    S.PAUSING: {S.PAUSED, S.RUNNING, S.CANCELLING, S.FAILED},
    S.PAUSED: {S.RUNNING, S.CANCELLED, S.INTERRUPTED},
    S.CANCELLING: {S.CANCELLED, S.FAILED},
    S.COMPLETED: set(),
    S.CANCELLED: set(),
    S.FAILED: {S.RUNNING},
    S.INTERRUPTED: {S.RUNNING},
}


def is_allowed(now: ExecutionStatus, then: ExecutionStatus) -> bool:
    try:
        check_transition("job-1", now, then)
    except InvalidTransition:
        return False
    return True


def test_there_are_nine_statuses_and_they_equal_their_strings() -> None:
    names = ["pending", "running", "pausing", "paused", "cancelling"]
    names += ["completed", "failed", "cancelled", "interrupted"]
    assert [status.value for status in S] == names
    for name in names:
        assert S(name) == name
        assert str(S(name)) == f"{S(name)}" == name
        assert {S(name): 1}[name] == 1  # also as a key
    assert S.RUNNING != "paused"


@pytest.mark.parametrize("now", list(S))
def test_only_what_the_table_allows_may_follow(now: ExecutionStatus) -> None:
    assert {then for then in S if is_allowed(now, then)} == ALLOWED[now]


def test_a_refused_change_names_the_job_both_statuses_and_what_is_possible() -> None:
    with pytest.raises(InvalidTransition) as caught:
        check_transition("job-1", S.PAUSED, S.COMPLETED)
    assert str(caught.value) == (
        "job 'job-1' is paused and cannot become completed; it can become cancelled, interrupted, running"
    )
    with pytest.raises(InvalidTransition, match="it can become nothing else"):
        check_transition("job-1", S.COMPLETED, S.RUNNING)


def test_running_pausing_and_cancelling_are_live() -> None:
    assert {status for status in S if status.is_live} == {S.RUNNING, S.PAUSING, S.CANCELLING} == LIVE


def test_a_final_job_is_not_live_and_does_not_go_on_by_itself() -> None:
    assert {status for status in S if status.is_final} == {S.COMPLETED, S.FAILED, S.CANCELLED, S.INTERRUPTED}
    assert not FINAL & LIVE


def test_what_can_be_carried_on_may_become_running() -> None:
    assert {S.PAUSED, S.FAILED, S.INTERRUPTED} == RESUMABLE
    assert all(is_allowed(status, S.RUNNING) for status in RESUMABLE)


def test_every_status_can_be_reached_from_pending() -> None:
    reached, todo = {S.PENDING}, [S.PENDING]
    while todo:
        following = {then for then in S if is_allowed(todo[-1], then)} - reached
        todo.pop()
        reached |= following
        todo.extend(following)
    assert reached == set(S)

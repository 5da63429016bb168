"""Pausing, resuming, cancelling, time limits: everything that opens and shuts a job's gate.

All functions may be called from any thread. None waits for logic. When `pause` or `cancel` has
returned, the gate is shut, and what had passed it has begun.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux import closing
from routilux.exceptions import JobCancelled
from routilux.history import JobError
from routilux.job_state import NOTHING
from routilux.slot import from_ns
from routilux.status import ExecutionStatus as Status
from routilux.threshold import let_begin

if TYPE_CHECKING:
    from routilux.event_loop import EventLoop


def pause(loop: EventLoop) -> bool:
    """Let no further activation start. False where the job does not run."""
    with loop.lock:
        if loop.state._status is not Status.RUNNING:
            return False
        _shut(loop)
        loop.change(Status.PAUSING if loop.engaged else Status.PAUSED)
        _suspend_timeout(loop)
        lanes = list(loop.lanes)
    let_begin(lanes)
    loop.tell()
    return True


def resume(loop: EventLoop) -> bool:
    """Let activations start again. False where the job is neither paused nor pausing."""
    with loop.lock:
        if loop.state._status not in (Status.PAUSED, Status.PAUSING) or loop.ended or loop.host.is_shut_down:
            return False
        loop.open = True
        loop.change(Status.RUNNING)
        ready = loop._ready_or_close()
        _arm_timeout(loop)
        if loop.room is not None:
            loop.room.notify_all()
    loop.host.push(loop, ready)
    loop.tell()
    return True


def cancel(loop: EventLoop, *, force: bool) -> bool:
    """Let no further activation start, and end as cancelled. False where the job has ended."""
    return _cancel(loop, JobCancelled(f"job {loop.state.job_id!r} was cancelled"), force=force, error=None)


def give_up(loop: EventLoop) -> bool:
    """End a paused job whose saved copy is carried on in its place. False where it is not paused.

    `tell` is left to the caller, who may hold the runtime's lock.
    """
    with loop.lock:
        if loop.state._status is not Status.PAUSED:
            return False
        closing.end(loop, Status.INTERRUPTED)
        loop.state.runs = NOTHING
    return True


def let_go(loop: EventLoop) -> None:
    """The runtime shuts down: a paused job stays paused, for another runtime to carry it on."""
    with loop.lock:
        if loop.state._status is Status.PAUSED and not loop.ended:
            closing.end(loop, Status.PAUSED)
    loop.tell()


def _cancel(loop: EventLoop, reason: BaseException, *, force: bool, error: JobError | None) -> bool:
    state = loop.state
    with loop.lock:
        if loop.ended:
            return False
        state._cancel_requested = True
        loop.refusal = JobCancelled
        state.condition().notify_all()  # those who sleep
        # What has failed stays failed, but what still runs of it is told to stop.
        if state._status not in (Status.CANCELLING, Status.FAILED):
            _shut(loop)
            if error is not None:
                state.add_error(error)
                loop.verdict = Status.FAILED
            if loop.engaged:
                loop.change(Status.CANCELLING)
            else:
                closing.end(loop, loop.verdict)
        if loop.room is not None:
            loop.room.notify_all()
        lanes = list(loop.lanes)
    if force:
        for lane in lanes:
            # A lane that has ended meanwhile stays masked for ever, so that nothing reaches its thread.
            lane.interrupt(reason)
    let_begin(lanes)
    loop.tell()
    return True


def _shut(loop: EventLoop) -> None:
    """Under the lock."""
    loop.open = False
    if loop.room is not None:
        loop.room.notify_all()


# ---- the job's time limit


def set_timeout(loop: EventLoop, seconds: float, limit: str) -> None:
    """Give the job that long; the time it is paused does not count. `limit` says who set it."""
    with loop.lock:
        if not loop.ended:
            loop.time_left = seconds
            loop.limit = f"{seconds:g} s ({limit})"
            if loop.open:
                _arm_timeout(loop)


def _arm_timeout(loop: EventLoop) -> None:
    """Under the lock."""
    if loop.time_left is not None and not loop.timeout_timer:
        loop.timeout_armed_ns = loop.state.now_ns()
        loop.timeout_timer = loop.host.call_later(loop.time_left, lambda number: _expire(loop, number))


def _suspend_timeout(loop: EventLoop) -> None:
    """Under the lock."""
    if loop.timeout_timer and loop.time_left is not None:
        loop.host.cancel_call(loop.timeout_timer)
        loop.timeout_timer = 0
        loop.time_left = max(0.0, loop.time_left - (loop.state.now_ns() - loop.timeout_armed_ns) / 1e9)


def _expire(loop: EventLoop, number: int) -> None:
    with loop.lock:
        if loop.timeout_timer != number:
            return
    state = loop.state
    message = f"job {state.job_id!r} ran longer than its limit of {loop.limit}"
    _cancel(
        loop,
        JobCancelled(message),
        force=True,
        error=JobError(
            "", message, "FlowTimeout", f"FlowTimeout: {message}\n", {}, from_ns(state.now_ns()), True
        ),
    )

"""The handle of a job: waits, pauses, resumes, cancels, tells."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from routilux import pictures, steering
from routilux.context import current_activation, own_activation, uninterrupted
from routilux.flow import Flow
from routilux.job_state import JobState
from routilux.snapshot import JobSnapshot, JobSummary, RoutineData
from routilux.status import LIVE, ExecutionStatus
from routilux.without_code import without_code

if TYPE_CHECKING:
    from routilux.event_loop import EventLoop


class Job:
    """One execution of a flow. Made by `Runtime.exec`; all methods may be called from any thread."""

    __slots__ = ("__weakref__", "_loop", "_summary", "flow", "job_state")

    def __init__(self, flow: Flow, state: JobState, loop: EventLoop) -> None:
        self.job_state = state
        self.flow = flow
        # Given up when the job has ended, with the queues that it holds.
        self._loop: EventLoop | None = loop
        # The last picture for lists, kept once it cannot change any more.
        self._summary: JobSummary | None = None

    def let_go_of_code(self) -> None:
        """For the runtime, when the job has ended: keep its graph and its data, but not its code.

        A generation of the flow folder is collected when its last job has ended.
        """
        self.flow = without_code(self.flow)
        state = self.job_state
        with state._lock:
            if state.runs:
                state.runs = {name: run.data_only() for name, run in state.runs.items()}

    @property
    def job_id(self) -> str:
        """The id, unique within the runtime."""
        return self.job_state.job_id

    @property
    def flow_name(self) -> str:
        """The name under which the flow was started."""
        return self.job_state.flow_name

    @property
    def status(self) -> ExecutionStatus:
        """Where the job stands now; compares equal to its string."""
        return self.job_state.status

    def is_running(self) -> bool:
        """Whether it is running, pausing or cancelling."""
        return self.status in LIVE

    def is_paused(self) -> bool:
        """Whether it is paused; while something still runs it is pausing, and this is False."""
        return self.status is ExecutionStatus.PAUSED

    def is_completed(self) -> bool:
        """Whether it ended with nothing left to do."""
        return self.status is ExecutionStatus.COMPLETED

    def is_failed(self) -> bool:
        """Whether an error or a time limit ended it."""
        return self.status is ExecutionStatus.FAILED

    def is_cancelled(self) -> bool:
        """Whether it was cancelled, and nothing of it runs any more."""
        return self.status is ExecutionStatus.CANCELLED

    def is_finished(self) -> bool:
        """Whether it has ended: `wait` would answer True at once."""
        loop = self._loop
        return (loop is None or loop.ended) and not self.is_paused()

    @uninterrupted
    def pause(self) -> bool:
        """Let no further activation start; those that run come to their end. Does not block.

        The status is `pausing` while some still run, then `paused`; `wait_until_paused` waits for
        that. False, and nothing happens, where the job does not run.
        """
        loop = self._loop
        return loop is not None and steering.pause(loop)

    @uninterrupted
    def resume(self) -> bool:
        """Carry on. False, and nothing happens, where the job is neither paused nor pausing, or the
        runtime is shut down."""
        loop = self._loop
        return loop is not None and steering.resume(loop)

    @uninterrupted
    def cancel(self, force: bool = False) -> bool:
        """Let no further activation start, and end as cancelled. Does not block.

        The status is `cancelling` until the last running activation has returned. With `force`,
        `JobCancelled` is raised inside running Python code, except in blocks of
        `job_state.shielded()`. False, and nothing happens, where the job has ended.
        """
        loop = self._loop
        return loop is not None and steering.cancel(loop, force=force)

    def wait(self, timeout: float | None = None) -> bool:
        """Block until the job has ended: its status is final and nothing of it runs any more.

        `timeout` is in seconds; None waits for ever, 0 only asks. False means that the time ran
        out, or that the job is paused in a runtime that was shut down; the job itself goes on.
        `RuntimeError` in logic that would wait for its own job, without a timeout.

        Logic that waits for another job keeps its thread of the pool meanwhile, and the other job needs
        one, too: where all threads wait like this, none is left to run what they wait for, and they
        wait for ever. Have the other job's work done by routines of this flow instead, give the runtime
        more threads than can wait at once, or wait with a timeout.
        """
        activation = current_activation.get()
        if timeout is None and activation is not None and activation.job_state is self.job_state:
            raise RuntimeError(
                f"logic of {activation.routine_id!r} would wait for its own job {self.job_id!r}, for ever"
            )
        return self._wait_for(timeout, lambda loop: loop.ended)

    def wait_until_paused(self, timeout: float | None = None) -> bool:
        """Block until the job is paused, or has ended. True if it is paused."""
        self._wait_for(timeout, lambda loop: loop.ended or self.is_paused())
        return self.is_paused()

    @uninterrupted
    def _wait_for(self, timeout: float | None, reached: Callable[[EventLoop], bool]) -> bool:
        loop = self._loop
        if loop is None:
            return not self.is_paused()
        if reached(loop):
            return True
        limit = None if timeout is None else min(max(0.0, timeout), threading.TIMEOUT_MAX)
        with self.job_state._lock:
            if reached(loop):
                return True
            condition = self.job_state.condition()
            activation = own_activation()
            if activation is None:
                return condition.wait_for(lambda: reached(loop), limit)
            # Logic that waits for another job, and may be interrupted.
            activation.waits_on = condition
            try:
                condition.wait_for(lambda: reached(loop) or activation.wanted is not None, limit)
            finally:
                activation.waits_on = None
            return reached(loop)

    def why_not_finished(self) -> str:
        """In words, what the job waits for: which routine runs and since when, which slot starves or
        is full, which retry is due when. For a job that has ended: "finished: " and its status."""
        return pictures.explain(self.job_state, self._loop)

    def snapshot(self) -> JobSnapshot:
        """An immutable picture of the job and its routines."""
        return pictures.picture(self.job_state, self._loop)

    def routine_data(self, limit: int = 100) -> tuple[RoutineData, ...]:
        """What each routine holds: its state, the oldest `limit` items of each slot, what it has taken.

        Of a job that has ended for good only the states are left. Costs what it answers with.
        """
        if limit < 0:
            raise ValueError(f"limit is {limit!r}; it must be at least 0")
        return pictures.data_of(self.job_state, limit)

    def summary(self) -> JobSummary:
        """The line of the job in a list; the same object as long as nothing can have changed."""
        if self._summary is None:
            ended = self._loop is None
            summary = pictures.summarize(self.job_state, self._loop)
            if not ended:
                return summary
            self._summary = summary
        return self._summary

    @property
    def settled(self) -> JobSummary | None:
        """What `summary` answers with for ever, once it was asked of the job that had ended."""
        return self._summary

    def __repr__(self) -> str:
        return f"<Job {self.job_id!r} of {self.flow_name!r}: {self.status.value}>"

    def __rich_repr__(self) -> Iterable[Any]:
        yield self.job_id
        yield "flow_name", self.flow_name
        yield "status", self.status.value
        yield "entry_params", self.job_state.entry_params
        yield "waits_for", self.why_not_finished()
        yield "error", self.job_state.error, None

"""The time a job was at work: from its start on, without what lay between its pauses and their ends.

Nor does the time count between an end, or a save, and the moment the job is carried on. All functions are
called under the job's lock, which guards `stopped_ns` and `paused_ns` too.
"""

from __future__ import annotations

from routilux.job_state import JobState


def stand_still(state: JobState, ns: int) -> None:
    """From `ns` on no time counts, unless none does already."""
    if not state.stopped_ns:
        state.stopped_ns = ns


def go_on(state: JobState, ns: int) -> None:
    """From `ns` on time counts again."""
    if state.stopped_ns:
        state.paused_ns += ns - state.stopped_ns
        state.stopped_ns = 0


def seconds(state: JobState) -> tuple[float, float]:
    """The time since the start: what of it the job was at work, and what of it the job stood still."""
    if not state.started_ns:
        return 0.0, 0.0
    now = state.ended_ns or state.now_ns()
    still = state.paused_ns + (now - state.stopped_ns if state.stopped_ns else 0)
    return (now - state.started_ns - still) / 1e9, still / 1e9 if still else 0.0

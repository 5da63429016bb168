"""Taking snapshots of a job, and saying in words what it waits for."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from routilux import elapsed
from routilux.job_state import JobState
from routilux.routine_run import PROGRESS, RoutineRun, Totals, totals_of, unpack
from routilux.slot import count_items
from routilux.snapshot import JobSnapshot, JobSummary, Progress, RoutineData, RoutineSnapshot, SlotItems
from routilux.status import ExecutionStatus as Status
from routilux.unit import DECIDING, IDLE, READY, Unit

if TYPE_CHECKING:
    from routilux.event_loop import EventLoop

# The states of a routine that has something to do.
_AT_WORK: Final = ("running", "retrying", "waiting")


def summarize(state: JobState, loop: EventLoop | None) -> JobSummary:
    """The line of a job in a list. Holds the job's lock for a moment; `loop` is None once it ended."""
    with state._lock:
        totals = _totals_now(loop.units) if loop is not None and not loop.ended else totals_of(state.final)
        error = next((each for each in state._errors if each.fatal), None)
        last = state.history.records[-1] if state.history.records else None
        at_work, still = elapsed.seconds(state)
        return JobSummary(
            job_id=state.job_id,
            flow_name=state.flow_name,
            status=state._status,
            entry_params=MappingProxyType(state.entry_params),
            generation=state.generation,
            created_at=state.created_at,
            started_at=state.started_at,
            ended_at=state.ended_at,
            elapsed=at_work,
            activations=totals.activations,
            running=totals.running,
            waiting=totals.waiting,
            dropped=totals.dropped,
            errors=totals.errors,
            progress=_overall(state, loop, totals.progress),
            last_event=f"{last[1]} {last[2]}" if last is not None else "",
            error=str(error) if error is not None else "",
            notices=state._notices,
            paused=still,
        )


def _totals_now(units: Sequence[Unit]) -> Totals:
    """Under the job's lock. Written out, for thousands of jobs may be asked ten times a second."""
    activations = running = waiting = dropped = errors = 0
    progress: list[Progress | None] = []
    for unit in units:
        activations += unit.activations
        running += unit.running
        errors += unit.errors
        progress.append(unit.progress)
        for slot in unit.slots.values():
            waiting += len(slot.queue)
            dropped += slot.dropped
    return Totals(activations, running, waiting, dropped, errors, progress)


def _overall(state: JobState, loop: EventLoop | None, reports: list[Progress | None]) -> Progress | None:
    """One progress for the job: that of the routine furthest behind among those with a total.

    None instead of all of it while a routine that has not reported has something to do. Under the job's lock.
    """
    known = [report for report in reports if report is not None]
    with_total = [report for report in known if report.fraction is not None]
    if with_total:
        least = min(with_total, key=lambda report: report.fraction or 0.0)
        return None if least.fraction == 1.0 and _works_unreported(state, loop) else least
    return known[-1] if known else None


def _works_unreported(state: JobState, loop: EventLoop | None) -> bool:
    """Whether a routine has something to do, or was left with it, and has reported no progress."""
    if loop is not None and not loop.ended:
        return any(
            unit.progress is None and (unit.phase != IDLE or unit.describe_state() in _AT_WORK)
            for unit in loop.units
        )
    # A job that has completed had no use for what is left.
    return state._status is not Status.COMPLETED and any(
        packed[PROGRESS] is None and packed[1] in _AT_WORK for packed in state.final
    )


def picture(state: JobState, loop: EventLoop | None) -> JobSnapshot:
    """A job in full."""
    summary = summarize(state, loop)
    waits_for = explain(state, loop)
    with state._lock:
        failed = _which_failed(state)
        if loop is None or loop.ended:
            routines = tuple(unpack(packed) for packed in state.final)
        else:
            begun = _begun(loop)
            now_ns = state.now_ns()
            routines = tuple(_picture_unit(unit, begun.get(unit, []), now_ns) for unit in loop.units)
        routines = tuple(
            each._replace(state="failed") if each.routine_id == failed and not each.running else each
            for each in routines
        )
        return JobSnapshot(
            summary=summary,
            routines=routines,
            waits_for=waits_for,
            history_total=state.history.total,
            history_dropped=state.history.dropped,
            log_total=state.log_total,
            log_dropped=state.log_dropped,
            leftovers=MappingProxyType(dict(state._leftovers)),
        )


def _which_failed(state: JobState) -> str | None:
    """The routine that failed the job, if one did. Under the lock."""
    if state._status is not Status.FAILED:
        return None
    return next((error.routine_id for error in state._errors if error.fatal), None)


def _picture_unit(unit: Unit, begun: list[int], now_ns: int) -> RoutineSnapshot:
    """`begun` says when each activation that runs was started. Under the lock."""
    picture = unpack(unit.pack(), min(begun, default=0))
    if begun:
        so_far = sum(now_ns - each for each in begun)
        picture = picture._replace(time_in_logic=picture.time_in_logic + so_far / 1e9)
    if picture.state in ("waiting", "done", "idle") and unit.phase in (READY, DECIDING):
        return picture._replace(state="ready")
    return picture


def _begun(loop: EventLoop) -> dict[Unit, list[int]]:
    """When each activation that runs was started. Under the lock."""
    begun: dict[Unit, list[int]] = {}
    for lane in loop.lanes:
        if lane.started_ns:
            begun.setdefault(lane.unit, []).append(lane.started_ns)
    return begun


def data_of(state: JobState, limit: int) -> tuple[RoutineData, ...]:
    """What the routines of a job hold, for `Job.routine_data`."""
    with state._lock:
        if not state.runs:
            return tuple(RoutineData(name, kept, (), ()) for name, kept in state.kept_states.items())
        return tuple(_data_of_run(run, limit) for run in state.runs.values())


def _data_of_run(run: RoutineRun, limit: int) -> RoutineData:
    """Under the lock."""
    tasks = [*run.parked, *(task for task, _ in run.retrying.values())]
    slots = tuple(
        SlotItems(slot.name, len(slot.queue), slot.capacity, slot.oldest(limit))
        for slot in run.slots.values()
    )
    return RoutineData(run.routine_id, run.state, slots, tuple(data_slice for _, data_slice, _ in tasks))


def explain(state: JobState, loop: EventLoop | None) -> str:
    """What the job waits for, in words, for `Job.why_not_finished`."""
    with state._lock:
        status = state._status
        if loop is None or loop.ended:
            if status is Status.PENDING:
                return "pending: it has not been started"
            return f"finished: {status.value}"
        now = state.now_ns()
        causes: list[str] = []
        for lane in loop.lanes:
            if lane.started_ns:
                seconds = (now - lane.started_ns) / 1e9
                doing = "running"
                if lane.blocked_on is not None:
                    unit, slot = lane.blocked_on
                    held = count_items(len(slot.queue))
                    doing = f"waiting for room in {unit.routine_id}.{slot.name} (full, {held})"
                causes.append(f"{lane.routine_id} ({doing}, {seconds:.1f} s)")
        for unit in loop.units:
            causes += _causes(loop, unit, now)
        return f"{status.value}: {'; '.join(causes) or 'nothing is left to do'}"


def _causes(loop: EventLoop, unit: Unit, now: int) -> list[str]:
    """What of one unit keeps the job from being finished. Under the lock."""
    causes = []
    for (tries, _, _), due_ns in unit.retrying.values():
        seconds = max(0.0, (due_ns - now) / 1e9)
        causes.append(f"{unit.routine_id} (attempt {tries} is due in {seconds:.1f} s)")
    if unit.policy_timer:
        waiting = unit.waiting()
        wait = f"{count_items(waiting)} wait{'s' * (waiting == 1)}"
        causes.append(f"{unit.routine_id} (its policy is asked again later; {wait})")
    elif unit.phase == READY:
        where = "ready, waiting for a thread" if loop.open else "ready, held back"
        causes.append(f"{unit.routine_id} ({where}; {count_items(unit.waiting() + len(unit.parked))})")
    elif unit.phase != DECIDING and not unit.running and unit.has_items() and not unit.skipped:
        empty = [name for name, slot in unit.slots.items() if not slot.queue]
        held = ", ".join(f"{len(slot.queue)} in {name}" for name, slot in unit.slots.items() if slot.queue)
        starves = f", nothing in {', '.join(empty)}" if empty else ""
        causes.append(f"{unit.routine_id} (its policy says no: {held}{starves})")
    return causes

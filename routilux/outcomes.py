"""What follows from an activation, or a policy, that failed."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from routilux.error_handler import ErrorStrategy
from routilux.exceptions import FlowTimeout, JobCancelled
from routilux.history import FAILED, RETRIED, SKIPPED, JobError
from routilux.routine_run import Task
from routilux.slot import from_ns
from routilux.status import ExecutionStatus
from routilux.unit import Unit

if TYPE_CHECKING:
    from routilux.event_loop import EventLoop
    from routilux.lane import Lane

# Characters that are kept of a message and of a traceback; none that is meant to be read is as long.
_MESSAGE: Final = 20_000
_TRACEBACK: Final = 200_000


def activation_failed(loop: EventLoop, lane: Lane, task: Task, error: BaseException) -> None:
    """Do what the routine's error handler says, in the thread of the activation."""
    unit = lane.unit
    # What ends without having failed: a forced cancel, or an emit that a job which has ended refuses.
    ending = loop.state._cancel_requested or loop.state._status is ExecutionStatus.FAILED
    if ending and isinstance(error, JobCancelled):
        # The data slice stays with the job: the activation did not finish with it.
        with loop.lock:
            unit.parked.insert(0, task)
        return
    tries, data_slice, message = task
    handler = unit.plan.handler
    strategy = handler.decide(error, tries - 1)
    failure = describe(loop, unit, error, data_slice, fatal=strategy is ErrorStrategy.STOP and not ending)
    with loop.lock:
        now = loop.state.now_ns()
        unit.errors += 1
        loop.state.add_error(failure)
        loop.state.history.append(
            (now, unit.routine_id, FAILED, f"{failure.exception_type}: {failure.message}")
        )
        if strategy is ErrorStrategy.RETRY:
            unit.retries += 1
            delay = handler.delay(tries - 1)
            _retry_later(loop, unit, (tries + 1, data_slice, message), delay)
            text = f"attempt {tries + 1} of {handler.max_retries + 1} in {delay:g} s"
            loop.state.history.append((now, unit.routine_id, RETRIED, text))
        elif strategy is ErrorStrategy.SKIP:
            _skip(loop, unit, now)
        elif strategy is ErrorStrategy.STOP:
            unit.parked.insert(0, (1, data_slice, message))
            _fail(loop)
    loop.tell()


def policy_failed(loop: EventLoop, lane: Lane, error: BaseException) -> None:
    """A policy that raised is an error of its routine. What it had consumed is back in the slots."""
    unit = lane.unit
    handler = unit.plan.handler
    strategy = handler.decide(error, unit.policy_failures)
    waiting = {name: slot.peek_all_new() for name, slot in unit.slots.items()}
    failure = describe(loop, unit, error, waiting, fatal=strategy is ErrorStrategy.STOP)
    with loop.lock:
        now = loop.state.now_ns()
        unit.errors += 1
        loop.state.add_error(failure)
        loop.state.history.append(
            (now, unit.routine_id, FAILED, f"{failure.exception_type}: {failure.message}")
        )
        if strategy is ErrorStrategy.RETRY:
            unit.retries += 1
            loop.ask_later(unit, handler.delay(unit.policy_failures))
            unit.policy_failures += 1
        elif strategy is ErrorStrategy.SKIP:
            _skip(loop, unit, now)
        elif strategy is ErrorStrategy.STOP:
            _fail(loop)
    loop.tell()


def engine_failed(loop: EventLoop, lane: Lane, error: BaseException) -> None:
    """The engine itself raised, and has not released the lane: the job ends as failed, and not never."""
    failure = describe(loop, lane.unit, error, {}, fatal=True)
    with loop.lock:
        if lane not in loop.lanes:
            return
        loop.state.add_error(failure._replace(message=f"the engine failed: {failure.message}"))
        _fail(loop)
    loop.release(lane, None)


def describe(
    loop: EventLoop, unit: Unit, error: BaseException, data_slice: dict[str, list[Any]], *, fatal: bool
) -> JobError:
    """The failure with its whole traceback as text, from the first frame that is not the engine's,
    and what of its frames will be looked at, without the secrets of the job's parameters.

    The exception is kept without them: its frames, and through them those of the engine, would keep
    alive whatever they know.
    """
    # Here, since a start would pay for what only failures need.
    from routilux import failures
    from routilux.safe_text import Secrets

    frames = error.__traceback__
    if frames is not None and frames.tb_next is not None:
        frames = frames.tb_next
    secrets = Secrets.of(loop.state.entry_params)
    text = _traceback(error, frames)
    raised = failures.take(error, frames, secrets)
    forget_frames(error)
    return JobError(
        routine_id=unit.routine_id,
        message=secrets.scrub(failures.shortened(failures.words_of(error), _MESSAGE)),
        exception_type=type(error).__name__,
        traceback=secrets.scrub(failures.shortened(text, _TRACEBACK)),
        data_slice=data_slice,
        timestamp=from_ns(loop.state.now_ns()),
        fatal=fatal,
        # Of a flow folder, it may be of a class that would keep a whole generation alive.
        exception=error if loop.state.generation is None else None,
        raised=raised,
    )


def _traceback(error: BaseException, frames: TracebackType | None) -> str:
    import traceback  # here: it costs start-up time, and few programs ever fail

    # Twice: in CPython 3.11 the parser, which finds the place to underline, may stumble over another
    # thread's (SystemError). What else can be raised comes of the error, which is the user's.
    broken: BaseException | None = None
    for _ in range(2):
        try:
            return "".join(traceback.format_exception(type(error), error, frames))
        except BaseException as stumbled:
            broken = stumbled
    return f"{type(error).__name__} (its traceback cannot be made: {type(broken).__name__})\n"


def forget_frames(error: BaseException) -> None:
    """Take the tracebacks from an exception and all that led to it."""
    todo: list[BaseException | None] = [error]
    seen: set[int] = set()
    while todo:
        each = todo.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            # As the base class does it: one that is a frozen dataclass does not let itself be set.
            BaseException.with_traceback(each, None)
            todo += [each.__cause__, each.__context__]
            if isinstance(each, BaseExceptionGroup):
                todo += each.exceptions


def interrupted(lane: Lane, error: BaseException | None) -> BaseException | None:
    """The failure of an activation that somebody wanted to interrupt.

    The interrupt itself may have arrived, be still on its way, or have been turned by the user's
    code into something else.
    """
    wanted = lane.close()
    if isinstance(error, JobCancelled) and wanted is not None:
        wanted.__traceback__ = error.__traceback__
        return wanted
    # It came when the logic had already returned, or had raised something of its own: too late.
    return error


def arm_timeout(loop: EventLoop, lane: Lane, seconds: float) -> int:
    """A timer that interrupts the activation which the lane runs now."""
    started_ns = lane.started_ns

    def expire(number: int) -> None:
        with loop.lock:
            if lane.started_ns != started_ns:
                return
            lane.interrupt(
                FlowTimeout(
                    f"an activation of routine {lane.routine_id!r} ran longer than its limit of "
                    f"{seconds:g} s "
                    f"(set_timeout)"
                )
            )
            # Wake it where it sleeps or waits for room.
            loop.state.condition().notify_all()
            if loop.room is not None:
                loop.room.notify_all()

    return loop.host.call_later(seconds, expire)


def _retry_later(loop: EventLoop, unit: Unit, task: Task, delay: float) -> None:
    """Under the lock. The slice waits with the unit, and no thread waits with it."""

    def due(number: int) -> None:
        with loop.lock:
            if number not in loop.timers or number not in unit.retrying:
                return  # the job has ended meanwhile, and keeps the slice where it is
            del loop.timers[number]
            unit.parked.append(unit.retrying.pop(number)[0])
            loop.wake(unit, from_timer=True)

    loop.live += 1
    due_ns = loop.state.now_ns() + int(min(delay, 1e9) * 1e9)
    unit.retrying[loop.call_later(delay, due)] = (task, due_ns)


def _skip(loop: EventLoop, unit: Unit, now: int) -> None:
    """Under the lock."""
    text = f"{unit.waiting()} waiting items, and all that follow, pass it by"
    unit.skip()
    loop.state.history.append((now, unit.routine_id, SKIPPED, text))
    if loop.room is not None:
        loop.room.notify_all()


def _fail(loop: EventLoop) -> None:
    """STOP: the job fails at once. Under the lock. What is queued stays, what waits to be retried too."""
    status = loop.state._status
    if status in (ExecutionStatus.RUNNING, ExecutionStatus.PAUSING):
        loop.open = False
        loop.change(ExecutionStatus.FAILED)
        if loop.room is not None:
            loop.room.notify_all()

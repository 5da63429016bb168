"""The runtime: the shared thread pool, and the jobs."""

from __future__ import annotations

import itertools
import os
import threading
import weakref
from collections.abc import Callable, Mapping, Sized
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from routilux import carry_on, log_capture, params, steering
from routilux.context import current_activation, uninterrupted
from routilux.event_loop import EventLoop
from routilux.flow import Flow
from routilux.job import Job
from routilux.job_state import JobState
from routilux.locks import acquire_contended
from routilux.own_log import own_log
from routilux.plain_copy import plain_copy
from routilux.pool import Pool
from routilux.registry import FlowRegistry
from routilux.roll import Roll
from routilux.snapshot import JobEvent, RuntimeSnapshot
from routilux.status import ExecutionStatus
from routilux.timers import Timers
from routilux.unit import Unit

_SHUT_DOWN = "the runtime is shut down and starts no jobs; make a new Runtime"


class Runtime:
    """Runs jobs of registered flows on one shared pool of threads.

    `thread_pool_size` bounds the activations that run at once, over all jobs; threads are started as
    they are needed. `registry` is where flows are looked up; None: the one of the process.
    `max_finished_jobs` is how many ended jobs `list_jobs` and `get_job` remember.
    `cpu_permits` is how many activations of routines that are heavy on the CPU run at once; None: any
    number (see `routilux.cpu_gate`). With `echo`, what jobs print also goes to the real standard
    output; it is found on the job in any case. `new_job_id` makes the ids of new jobs.

    All methods may be called from any thread. Use it as a context manager, or call `shutdown`.
    """

    def __init__(
        self,
        thread_pool_size: int = 10,
        *,
        registry: FlowRegistry | None = None,
        max_finished_jobs: int = 1000,
        cpu_permits: int | None = 1,
        echo: bool = True,
        new_job_id: Callable[[], str] | None = None,
    ) -> None:
        _check_whole("thread_pool_size", thread_pool_size, 1)
        _check_whole("max_finished_jobs", max_finished_jobs, 0)
        if cpu_permits is not None:
            _check_whole("cpu_permits", cpu_permits, 1)
        self.thread_pool_size = thread_pool_size
        self.max_finished_jobs = max_finished_jobs
        self._registry = registry if registry is not None else FlowRegistry.get_instance()
        self._new_job_id = new_job_id or _job_ids()
        self._timers = Timers("routilux-timers")
        self._pool = Pool(thread_pool_size, self._timers, cpu_permits)
        self._lock = threading.Lock()
        # Notified when the last live job has ended and when one is paused; in a shutdown, when any has ended.
        self._settled = threading.Condition(self._lock)
        # Guarded by _lock. _jobs holds all, oldest first; _live those that have not ended.
        self._jobs: dict[str, Job] = {}
        self._live: dict[str, Job] = {}
        self._finished: dict[str, None] = {}
        self._roll = Roll(self._lock)
        self._listeners: tuple[Callable[[JobEvent], object], ...] = ()
        self._shut_down = False
        # A runtime that is forgotten without shutdown ends its threads. Jobs that run keep it alive.
        self._abandoned = weakref.finalize(self, _abandon, self._pool, self._timers)
        self._abandoned.atexit = False
        log_capture.install(self, echo=echo)

    # ---- starting jobs

    @uninterrupted
    def exec(
        self,
        flow_name: str,
        entry_params: Mapping[str, Any] | None = None,
        job_state: JobState | None = None,
        *,
        timeout: float | None = None,
    ) -> JobState:
        """Start a job of the flow registered as `flow_name`, or carry on the one of `job_state`.

        Never blocks. Answers with the job's state, whose status is `running`; the work happens on
        the pool's threads. `timeout` is in seconds and overrides the flow's.

        `ValueError`: no such flow, parameters that do not validate (`ParameterError`), or a
        `job_state` of another flow, of a job that is live here, or that cannot be carried on.
        No job is created then. `RuntimeError` after `shutdown`.
        """
        if self._shut_down:
            raise RuntimeError(_SHUT_DOWN)
        flow = self._registry.get_by_name(flow_name)
        if flow is None:
            raise ValueError(self._unknown(flow_name))
        if timeout is not None and not (isinstance(timeout, (int, float)) and timeout > 0):
            raise ValueError(f"timeout is {timeout!r}; it must be a positive number of seconds, or None")
        plan = flow.plan()
        if job_state is None:
            values = _check_params(flow, flow_name, entry_params)
            held = None
            state = JobState(
                self._new_job_id(),
                flow_name,
                values,
                generation=flow.generation,
                max_history=flow.max_history,
            )
        else:
            if entry_params is not None:
                raise ValueError("give entry_params for a new job or job_state to carry one on, not both")
            state = job_state
            held = self._paused_here(state, flow_name)
            if held is not None and held.job_state is state and held.resume():
                return state
            carry_on.check_fits(state, flow_name, plan)
            carry_on.check_resumable(state)
        loop = EventLoop(plan, state, self)
        job = Job(flow, state, loop)
        # A new job is begun before anyone can find it; one that is carried on, only if nobody else does.
        ready = loop.begin() if job_state is None else None
        lock = self._lock
        if not lock.acquire(False):
            acquire_contended(lock)
        try:
            if self._shut_down:
                raise RuntimeError(_SHUT_DOWN)
            given_up = self._take_over(state, held)
            if ready is None:
                ready = loop.begin()
            self._jobs.pop(state.job_id, None)
            self._finished.pop(state.job_id, None)
            self._jobs[state.job_id] = self._live[state.job_id] = job
            self._roll.add(job)
        finally:
            lock.release()
        if held is not None and given_up is not None:
            held._loop = None
            given_up.tell()
        log_capture.keep_installed()
        if timeout is not None:
            steering.set_timeout(loop, timeout, "exec(timeout=...)")
        elif flow.timeout is not None:
            steering.set_timeout(loop, flow.timeout, "Flow(timeout=...)")
        try:
            loop.host.push(loop, ready)
        except RuntimeError:  # no thread can be started
            steering.cancel(loop, force=False)
            raise
        loop.tell()
        return state

    def _take_over(self, state: JobState, held: Job | None) -> EventLoop | None:
        """See that no job of the same id is live here. Under the lock.

        A copy that was loaded takes the place of the paused job, which must never run twice: answers with
        the loop that was given up for it.
        """
        live = self._live.get(state.job_id)
        given_up = held._loop if held is not None and live is held else None
        if live is not None and not live.is_finished() and not (given_up and steering.give_up(given_up)):
            raise ValueError(f"job {state.job_id!r} is live in this runtime; it cannot be started twice")
        return given_up

    def _paused_here(self, state: JobState, flow_name: str) -> Job | None:
        """The job of the same id, if it is paused in this very runtime."""
        job = self.get_job(state.job_id)
        return job if job is not None and job.flow_name == flow_name and job.is_paused() else None

    def _unknown(self, flow_name: object) -> str:
        names = self._registry.list_names()
        known = f"registered are {', '.join(repr(name) for name in names)}" if names else "none is registered"
        return (
            f"there is no flow {flow_name!r}: {known}; "
            f"FlowRegistry.get_instance().register_by_name(name, flow)"
        )

    # ---- finding jobs

    def get_job(self, job_id: str) -> Job | None:
        """The job with that id, or None."""
        with self._lock:
            return self._jobs.get(job_id)

    def list_jobs(
        self, status: ExecutionStatus | str | None = None, flow_name: str | None = None
    ) -> list[Job]:
        """All jobs, oldest first; only those of a status, or of a flow, if given."""
        if status is not None:
            try:
                status = ExecutionStatus(status)
            except ValueError:
                known = ", ".join(repr(member.value) for member in ExecutionStatus)
                raise ValueError(f"there is no status {status!r}; it must be one of {known}") from None
        with self._lock:
            jobs = list(self._jobs.values())
        return [
            job
            for job in jobs
            if (status is None or job.status is status) and (flow_name is None or job.flow_name == flow_name)
        ]

    # ---- all jobs

    def wait_until_all_jobs_finished(self, timeout: float | None = None) -> bool:
        """Block until no job is live. `timeout` is in seconds; False means that it ran out.

        A paused job is live. `RuntimeError` within logic of a job of this runtime, which is live too.
        """
        if self._is_asked_by_own_job():
            raise RuntimeError("logic cannot wait until all jobs are finished: its own would never be")
        with self._settled:
            return self._settled.wait_for(lambda: not self._live, _limit(timeout))

    def _is_asked_by_own_job(self) -> bool:
        """Whether this is the thread of an activation of a job that is live here, or has its context."""
        activation = current_activation.get()
        if activation is None:
            return False
        with self._lock:
            job = self._live.get(activation.job_state.job_id)
        return job is not None and job.job_state is activation.job_state

    @uninterrupted
    def cancel_all_jobs(self, force: bool = False) -> int:
        """Cancel every live job, as `Job.cancel` does; answers how many were."""
        with self._lock:
            live = list(self._live.values())
        return sum(job.cancel(force) for job in live)

    @uninterrupted
    def shutdown(self, wait: bool = True) -> None:
        """Start no more jobs, and end the threads. May be called again.

        With `wait`, blocks until running jobs have finished; paused jobs stay paused, and can be
        saved. Without, cancels all jobs and returns; threads end when running logic has returned.
        `RuntimeError` for `wait` within logic of a job of this runtime, and nothing has changed.
        """
        if wait and self._is_asked_by_own_job():
            raise RuntimeError(
                "logic cannot wait for the end of all jobs: its own would never end; shutdown(wait=False)"
            )
        with self._lock:
            self._shut_down = True
        if not wait:
            self.cancel_all_jobs()
        while True:
            if wait:
                with self._settled:
                    self._settled.wait_for(lambda: not any(job.is_running() for job in self._live.values()))
            with self._lock:
                loops = [job._loop for job in self._live.values() if job._loop is not None]
            for loop in loops:
                steering.let_go(loop)
            # One that was just being resumed is waited for once more.
            if not wait or all(loop.ended for loop in loops):
                break
        threads = self._pool.stop()
        timer_thread = self._timers.stop()
        log_capture.uninstall(self)
        if wait:
            for thread in (*threads, *([timer_thread] if timer_thread is not None else [])):
                if thread is not threading.current_thread():
                    thread.join()

    def __enter__(self) -> Runtime:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        if kind is not None:
            self.cancel_all_jobs()
        self.shutdown(wait=True)

    # ---- watching

    @uninterrupted
    def snapshot(self) -> RuntimeSnapshot:
        """An immutable picture of all jobs, oldest first, and of the pool.

        Costs what is live and what has ended since the last one; `jobs` is the same tuple as before
        where nothing has changed.
        """
        summaries, counts = self._roll.picture()
        return RuntimeSnapshot(
            taken_at=datetime.now(UTC),
            thread_pool_size=self.thread_pool_size,
            threads_busy=self._pool.busy,
            jobs=summaries,
            counts=counts,
        )

    @uninterrupted
    def subscribe(self, listener: Callable[[JobEvent], object]) -> Callable[[], None]:
        """Have `listener` called at every change of a job's status; answers how to unsubscribe.

        It is called in the thread that made the change, in the order of a job's changes, and must
        not block. One that raises is logged and dropped.
        """
        with self._lock:
            self._listeners = (*self._listeners, listener)

        def unsubscribe() -> None:
            with self._lock:
                self._listeners = tuple(each for each in self._listeners if each is not listener)

        return unsubscribe

    def __repr__(self) -> str:
        with self._lock:
            live, total = len(self._live), len(self._jobs)
        state = " (shut down)" if self._shut_down else ""
        return f"<Runtime: {self.thread_pool_size} threads, {live} live of {total} jobs{state}>"

    # ---- what the jobs' loops need (the Host of routilux.event_loop)

    @property
    def is_shut_down(self) -> bool:
        return self._shut_down

    def push(self, loop: EventLoop, units: list[Unit | None]) -> None:
        self._pool.push(loop, units)

    @property
    def queue(self) -> Sized:
        return self._pool.queue

    def has_idle_thread(self) -> bool:
        return self._pool.has_idle_thread()

    def call_later(self, seconds: float, function: Callable[[int], None]) -> int:
        return self._timers.call_later(seconds, function)

    def cancel_call(self, number: int) -> bool:
        return self._timers.cancel(number)

    def status_changed(self, loop: EventLoop, status: ExecutionStatus, ns: int, ended: bool) -> None:
        state = loop.state
        if ended:
            self._forget(loop)
            if state.leftovers and status is ExecutionStatus.COMPLETED:
                left = ", ".join(f"{count} in {where}" for where, count in state.leftovers.items())
                own_log(__name__).warning(
                    "job %s of %r ended with items that no policy took: %s",
                    state.job_id,
                    state.flow_name,
                    left,
                )
            for notice in state.notices:
                own_log(__name__).warning("job %s of %r: %s", state.job_id, state.flow_name, notice)
        elif status is ExecutionStatus.PAUSED:
            with self._settled:
                self._settled.notify_all()
        if self._listeners:
            self._publish(JobEvent(state.job_id, state.flow_name, status, ns, ended))

    def _forget(self, loop: EventLoop) -> None:
        """A job has ended: it holds its queues no longer, and the oldest of too many ended ones go."""
        job_id = loop.state.job_id
        loaded: Job | None = None
        lock = self._lock
        if not lock.acquire(False):
            acquire_contended(lock)
        try:
            job = self._live.get(job_id)
            # A job that has been carried on meanwhile has another loop by now.
            if job is not None and job._loop is loop:
                job._loop = None
                if job.flow.generation is not None:
                    loaded = job
                del self._live[job_id]
                self._finished[job_id] = None
            while len(self._finished) > self.max_finished_jobs:
                oldest = next(iter(self._finished))
                del self._finished[oldest]
                self._jobs.pop(oldest, None)
                self._roll.forget(oldest)
            if not self._live or self._shut_down:
                self._settled.notify_all()
        finally:
            lock.release()
        if loaded is not None:
            loaded.let_go_of_code()

    def _publish(self, event: JobEvent) -> None:
        for listener in self._listeners:
            try:
                listener(event)
            except BaseException:
                # Of whatever kind: it must not end the thread of a job.
                own_log(__name__).exception("a listener raised and is dropped: %s", object.__repr__(listener))
                with self._lock:
                    self._listeners = tuple(each for each in self._listeners if each is not listener)


def _abandon(pool: Pool, timers: Timers) -> None:
    pool.stop()
    timers.stop()
    log_capture.uninstall(None)


def _job_ids() -> Callable[[], str]:
    """Makes ids of 16 hexadecimal digits: unique, and telling from the first few on."""
    seed = int.from_bytes(os.urandom(8), "big")
    numbers = itertools.count(seed & 0xFFFFFFFF)
    process = f"{seed >> 32:08x}"
    # An odd factor leads through all numbers of 32 bits before one comes again.
    return lambda: f"{next(numbers) * 0x9E3779B1 & 0xFFFFFFFF:08x}{process}"


def _limit(timeout: float | None) -> float | None:
    return None if timeout is None else min(max(0.0, timeout), threading.TIMEOUT_MAX)


def _check_whole(name: str, value: object, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} is {value!r}; it must be a whole number of at least {least}")


def _check_params(flow: Flow, flow_name: str, entry_params: Mapping[str, Any] | None) -> dict[str, Any]:
    values = {} if entry_params is None else entry_params
    if not isinstance(values, Mapping):
        raise ValueError(f"entry_params of flow {flow_name!r} is {values!r}; it must be a dict")
    if flow.params is None:
        return plain_copy(values)
    return params.validate(flow.params, flow_name, values)

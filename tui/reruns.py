"""Flows that run again on save: what a reload touches is started with its last job's parameters."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from routilux.job import Job
from routilux.loading import FlowEvent, FlowLoader
from routilux.runtime import Runtime
from tui.given import GivenValues

Previous: TypeAlias = Literal["cancel", "leave"]
# Answers with what to start with where no job of the flow is known; it may take long.
Fallback: TypeAlias = Callable[[], Mapping[str, Any]]

# A run that a save started less than so many seconds ago gives way to the next in any case: several saves
# in quick succession are one.
QUICK: Final = 2.0
# More re-runs of one flow than nobody saves so fast, within so many seconds, ...
MOST_AT_ONCE: Final = 20
AT_ONCE: Final = 10.0
# ... or so many in a row, each of them while the run before went on or just after: a flow that writes its
# own sources would go on for ever.
MOST_IN_A_ROW: Final = 30
_JUST_AFTER: Final = 1.0


class Rerun(NamedTuple):
    """What came of a save: a job, or the problem that kept one from starting.

    `previous` is the job whose parameters were taken, and `cancelled` whether it was cancelled for this.
    """

    flow_name: str
    generation: int
    job_id: str | None
    previous: str | None = None
    cancelled: bool = False
    problem: str = ""


class _Watched:
    """A flow that runs again on save. For the thread of `Reruns`, but `fallback` which never changes."""

    def __init__(self, fallback: Fallback) -> None:
        # For as long as no job of the flow is known.
        self.fallback = fallback
        self.started: deque[float] = deque(maxlen=MOST_AT_ONCE)
        # The job that a save started last.
        self.own = ""
        self.in_a_row = 0


class Reruns:
    """Starts jobs in a thread of its own, as their parameters are checked by the flows' own code.

    `previous` says what becomes of the run before, unless it has ended: "cancel" asks it to end, and waits
    for nothing, "leave" lets it go on, unless it was started by a save less than QUICK seconds ago.
    Parameters that the flow no longer takes start nothing and are kept for the next save.

    All methods may be called from any thread; none blocks.
    """

    def __init__(
        self,
        runtime: Runtime,
        loader: FlowLoader,
        given: GivenValues,
        previous: Previous = "leave",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._runtime = runtime
        self._given = given
        self._previous = previous
        self._clock = clock
        # Notified when something is wanted. Guards everything below.
        self._news = threading.Condition()
        self._flows: dict[str, _Watched] = {}
        # Flow -> the generation that touched it last. One entry however many saves there were.
        self._wanted: dict[str, int] = {}
        self._told: list[Rerun] = []
        self._thread: threading.Thread | None = None
        self._closed = False
        self._unsubscribe = loader.subscribe(self._note)

    @property
    def flows(self) -> frozenset[str]:
        """The names of the flows that run again on save."""
        with self._news:
            return frozenset(self._flows)

    def toggle(self, flow_name: str, fallback: Fallback) -> bool:
        """Have a flow run again on save, or no longer; answers with which."""
        with self._news:
            if self._flows.pop(flow_name, None) is not None:
                self._wanted.pop(flow_name, None)
                return False
            self._flows[flow_name] = _Watched(fallback)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="routilux-reruns", daemon=True)
                self._thread.start()
            return True

    def told(self) -> list[Rerun]:
        """What has come of saves since this was last asked."""
        with self._news:
            told, self._told = self._told, []
            return told

    def close(self) -> None:
        """Start nothing more."""
        self._unsubscribe()
        with self._news:
            self._closed = True
            self._flows.clear()
            self._news.notify_all()

    # ---- the threads of the loader and of this

    def _note(self, event: FlowEvent) -> None:
        if event.kind not in ("changed", "added") or event.flow is None:
            return
        with self._news:
            if event.flow in self._flows:
                self._wanted[event.flow] = event.generation
                self._news.notify_all()

    def _run(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._wanted or self._closed)
                if self._closed:
                    return
                name = next(iter(self._wanted))
                generation = self._wanted.pop(name)
                watched = self._flows.get(name)
            if watched is not None:
                self._again(name, generation, watched)

    def _again(self, name: str, generation: int, watched: _Watched) -> None:
        jobs = self._runtime.list_jobs(flow_name=name)
        last = jobs.pop() if jobs else None
        jobs.clear()
        previous = None if last is None else last.job_id
        if self._runs_away(watched):
            with self._news:
                self._flows.pop(name, None)
            problem = "it was re-run over and over, as if it wrote its own sources; re-run on save is off"
            self._tell(Rerun(name, generation, None, previous, problem=problem))
            return
        try:
            values = watched.fallback() if last is None else self._given_to(last)
            job_id = self._runtime.exec(name, dict(values)).job_id
        except BaseException as error:
            # The flow's own code checks the parameters, so that anything may come.
            problem = str(error) or type(error).__name__
            self._tell(Rerun(name, generation, None, previous, problem=problem))
            return
        young = previous == watched.own and self._clock() - watched.started[-1] < QUICK
        cancelled = last is not None and (young or self._previous == "cancel") and last.cancel()
        watched.own = job_id
        watched.started.append(self._clock())
        self._given.add(job_id, values)
        self._tell(Rerun(name, generation, job_id, previous, cancelled))

    def _given_to(self, job: Job) -> Mapping[str, Any]:
        given = self._given.of(job.job_id)
        return job.job_state.entry_params if given is None else given

    def _runs_away(self, watched: _Watched) -> bool:
        """Whether the flow must be what causes its own re-runs."""
        if len(watched.started) == MOST_AT_ONCE and self._clock() - watched.started[0] < AT_ONCE:
            return True
        own = self._runtime.get_job(watched.own)
        ended = None if own is None else own.summary().ended_at
        goes_on = own is not None and (
            ended is None or (datetime.now(UTC) - ended).total_seconds() < _JUST_AFTER
        )
        watched.in_a_row = watched.in_a_row + 1 if goes_on else 0
        return watched.in_a_row > MOST_IN_A_ROW

    def _tell(self, rerun: Rerun) -> None:
        with self._news:
            if not self._closed:
                self._told.append(rerun)

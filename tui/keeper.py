"""Jobs that outlive the app: saved when it is left, and carried on when it is opened again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from routilux.flow import Flow
from routilux.job import Job
from routilux.job_state import JobState
from routilux.runtime import Runtime
from routilux.status import ExecutionStatus
from tui.saved_jobs import SavedJob, SavedJobs, Taken, misfit

_S = ExecutionStatus


class Keeper(Protocol):
    """What the screen asks and orders of saved jobs. All of it may block; it is called in threads."""

    def save(self, job_ids: Iterable[str]) -> Mapping[str, str]:
        """Save paused jobs; answers, for each that could not be saved, why not."""

    def forget(self, job_ids: Iterable[str]) -> Mapping[str, str]:
        """These saved jobs are to run on in this app; answers, for each that must not, why not."""

    def saved(self) -> Sequence[SavedJob]:
        """The jobs that were saved and that nobody carries on yet, the oldest first."""

    def carry_on(self, job: SavedJob) -> str:
        """Let a saved job run on, and answer with its id. Raises, and it stays saved, if it cannot."""

    def discard(self, job: SavedJob) -> None:
        """Remove a saved job for good. Raises if that cannot be."""

    def close(self) -> None:
        """This app is over."""


class Rescued(NamedTuple):
    """What became of the jobs that had not ended: those saved, and why the others were not."""

    saved: tuple[Job, ...]
    lost: Mapping[Job, str]


class RuntimeKeeper:
    """The real thing. `flows` answers with the flows of the folder, and the files they are declared in."""

    def __init__(
        self, runtime: Runtime, files: SavedJobs, flows: Callable[[], Mapping[str, tuple[Flow, Path]]]
    ) -> None:
        self._runtime = runtime
        self._files = files
        self._flows = flows

    def save(self, job_ids: Iterable[str]) -> Mapping[str, str]:
        refused = {}
        for job_id in job_ids:
            job = self._runtime.get_job(job_id)
            # One that has ended meanwhile has nothing left to keep.
            if job is None or not job.is_paused():
                continue
            try:
                self._files.save(job.job_state)
            except Exception as error:
                refused[job_id] = str(error)
        return refused

    def forget(self, job_ids: Iterable[str]) -> Mapping[str, str]:
        refused = {}
        for job_id in job_ids:
            try:
                self._files.forget(job_id)
            except (OSError, Taken) as error:
                refused[job_id] = str(error)
        return refused

    def saved(self) -> Sequence[SavedJob]:
        return self._files.list(self._describe)

    def _describe(self, job: SavedJob, state: JobState) -> SavedJob:
        flow, file = self._flows().get(job.flow_name, (None, None))
        note = ""
        if file is not None:
            try:
                changed = datetime.fromtimestamp(file.stat().st_mtime, UTC) > job.saved_at
            except OSError:
                changed = False
            note = f"{file.name} was changed since" if changed else ""
        return job._replace(problem=misfit(flow, state), note=note)

    def carry_on(self, job: SavedJob) -> str:
        with self._files.claim(job) as state:
            # A job of this id that was saved here and then stayed paused gives way to its copy.
            return self._runtime.exec(state.flow_name, job_state=state).job_id

    def discard(self, job: SavedJob) -> None:
        self._files.discard(job)

    def close(self) -> None:
        """This app is over: others may carry on what was saved here."""
        self._files.close()

    def rescue(self, seconds: float) -> Rescued:
        """Pause and save all that has not ended, within so many seconds. For when the app has to end.

        What runs on after that time, or cannot be saved, is lost, and named.
        """
        deadline = time.monotonic() + seconds
        jobs = [job for job in self._runtime.list_jobs() if not job.status.is_final]
        for job in jobs:
            job.pause()
        saved: list[Job] = []
        lost: dict[Job, str] = {}
        done = threading.Event()

        def save_all() -> None:
            # Those that stand still already come before those that are waited for.
            for job in sorted(jobs, key=lambda job: not job.is_paused()):
                if job.wait_until_paused(max(0.0, deadline - time.monotonic())):
                    try:
                        self._files.save(job.job_state)
                    except Exception as error:
                        lost[job] = str(error)
                    else:
                        saved.append(job)
                elif not job.status.is_final:
                    lost[job] = f"after {seconds:g} s: {job.why_not_finished()}"
            done.set()

        # In a thread that is not waited for: a disk may hang.
        threading.Thread(target=save_all, name="rescue", daemon=True).start()
        if not done.wait(max(0.0, deadline - time.monotonic()) + 1.0):
            for job in jobs:
                if job not in saved and job not in lost:
                    lost[job] = "it took too long to be written"
        return Rescued(tuple(saved), dict(lost))

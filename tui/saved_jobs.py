"""The jobs of one flow folder that were saved when the app was left, a file each.

A job is either in its file or runs in an app, never both: its file is there before the app that ran it
ends, and whoever carries it on claims the file first, by a lock and a rename that one alone can do. What a
claimant leaves behind that dies before the job runs on is there for the next.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from routilux.flow import Flow
from routilux.job_state import JobState
from routilux.snapshot import Progress
from tui.state import make_private

_SAVED: Final = ".json"
_TAKEN: Final = ".taken"


class Taken(Exception):
    """The job is no longer there to be carried on: another app has it, or it was discarded."""


class SavedJob(NamedTuple):
    """One job that was saved. `problem` says why it cannot be carried on, `note` what one should know."""

    file: Path
    job_id: str
    flow_name: str
    saved_at: datetime
    params: Mapping[str, Any]
    activations: int = 0
    waiting: int = 0
    progress: Progress | None = None
    problem: str = ""
    note: str = ""


class SavedJobs:
    """The files in `folder`, which is made when it is needed. Any thread may call; all of it may block."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # Guarded by _lock: job id -> the locked file of a job that this app has saved and still holds.
        self._lock = threading.Lock()
        self._held: dict[str, int] = {}

    def save(self, state: JobState) -> None:
        """Save a job that stands still; until `close` no other app may have it.

        Raises what `JobState.save` raises, and `OSError`.
        """
        make_private(self._folder)
        file = self._file(state.job_id)
        unlocked = file.with_suffix(".saving")
        state.save(unlocked)
        # Locked before it has the name by which others look for it.
        descriptor = os.open(unlocked, os.O_RDONLY)
        try:
            with contextlib.suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.rename(unlocked, file)
        except BaseException:
            os.close(descriptor)
            raise
        with self._lock:
            before = self._held.pop(state.job_id, None)
            self._held[state.job_id] = descriptor
        if before is not None:
            os.close(before)

    def forget(self, job_id: str) -> None:
        """A job that was saved here is to run on in this app: its file goes.

        Raises `Taken` or `OSError` where it must not run on, since its file would be carried on as well.
        """
        with self._lock:
            descriptor = self._held.get(job_id)
        if descriptor is None:
            return
        file = self._file(job_id)
        if not _is_still(file, descriptor):
            raise Taken("another app carries it on")
        os.unlink(file)
        with self._lock:
            if self._held.pop(job_id, None) is not None:
                os.close(descriptor)

    def close(self) -> None:
        """The jobs that were saved here no longer exist here: others may carry them on."""
        with self._lock:
            held, self._held = self._held, {}
        for descriptor in held.values():
            os.close(descriptor)

    def _file(self, job_id: str) -> Path:
        # An id may be anything; those that the runtime makes stay as they are.
        safe = job_id if re.fullmatch(r"[\w-]{1,80}", job_id, re.ASCII) else os.fsencode(job_id).hex()[:160]
        return self._folder / f"{safe}{_SAVED}"

    def list(self, describe: Callable[[SavedJob, JobState], SavedJob] | None = None) -> list[SavedJob]:
        """The jobs that nobody else is about to carry on, the oldest first.

        `describe` may add to what is said of a job that could be read.
        """
        try:
            files = [each for each in self._folder.iterdir() if each.suffix in (_SAVED, _TAKEN)]
        except OSError:
            return []
        found = []
        for file in files:
            with contextlib.suppress(Taken, OSError), _locked(file):
                found.append(self._read(file, describe))
        return sorted(found, key=lambda job: (job.saved_at, job.job_id))

    def _read(self, file: Path, describe: Callable[[SavedJob, JobState], SavedJob] | None) -> SavedJob:
        saved_at = datetime.fromtimestamp(file.stat().st_mtime, UTC)
        try:
            state = JobState.load(file)
        except Exception as error:
            # Reading may import modules of the user's.
            return SavedJob(file, file.stem, "", saved_at, {}, problem=str(error))
        job = SavedJob(
            file,
            state.job_id,
            state.flow_name,
            saved_at,
            state.entry_params,
            sum(run.activations for run in state.runs.values()),
            sum(len(slot.queue) for run in state.runs.values() for slot in run.slots.values())
            + sum(len(run.parked) for run in state.runs.values()),
            next(reversed(list(state.progress.values())), None),
        )
        return job if describe is None else describe(job, state)

    @contextmanager
    def claim(self, job: SavedJob) -> Iterator[JobState]:
        """Within the block the job is this app's to start; the file goes with the end of the block.

        If the block raises, the job did not start, and is as it was. Raises `Taken`, `OSError`, or the
        `ValueError` of a file that cannot be read.
        """
        with _locked(job.file):
            state = JobState.load(job.file)
            # Where there are no locks, one alone gets to rename it. A folder that cannot be changed says
            # so here, before the job runs: its file could not be removed afterwards.
            taken = job.file.with_suffix(_TAKEN)
            try:
                os.rename(job.file, taken)
            except FileNotFoundError:
                raise Taken(f"job {job.job_id} was taken by another app") from None
            try:
                yield state
            except BaseException:
                os.rename(taken, taken.with_suffix(_SAVED))
                raise
            os.unlink(taken)

    def discard(self, job: SavedJob) -> None:
        """Remove a job for good. Raises `Taken` or `OSError`."""
        with _locked(job.file):
            os.unlink(job.file)


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Hold the only lock on a file that is still there; `Taken` where somebody else has it."""
    try:
        descriptor = os.open(file, os.O_RDONLY)
    except FileNotFoundError:
        raise Taken(f"{file.name} is gone") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Taken(f"{file.name} is held by another app") from None
        except OSError:
            # A file system without locks: the rename decides.
            pass
        # Between opening and locking, the one who had it may have finished with it.
        if not _is_still(file, descriptor):
            raise Taken(f"{file.name} is gone")
        yield
    finally:
        os.close(descriptor)


def _is_still(file: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(file), os.fstat(descriptor))
    except OSError:
        return False


def misfit(flow: Flow | None, state: JobState) -> str:
    """Why the flow, as it is now, cannot carry the job on; "" if it can."""
    if flow is None:
        return f"the flow {state.flow_name} is no longer in the folder"
    routines = flow.routines
    homeless = []
    for routine_id, run in state.runs.items():
        if routine_id not in routines:
            if run.parked or any(slot.queue for slot in run.slots.values()):
                homeless.append(f"routine {routine_id}")
            continue
        known = routines[routine_id].slots
        homeless += [
            f"slot {routine_id}.{name}"
            for name, slot in run.slots.items()
            if slot.queue and name not in known
        ]
    if homeless:
        return f"the flow has changed: what waits in {', '.join(homeless)} has no place any more"
    return ""

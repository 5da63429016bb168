"""The one door between the screen and the runtime. Screens use the protocol; tests give another one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from routilux import params
from routilux.flow import Flow
from routilux.history import ExecutionRecord, LogLine
from routilux.loading import FlowVersion
from routilux.plain_copy import plain_copy
from routilux.runtime import Runtime
from routilux.snapshot import JobEvent, JobSummary, RuntimeSnapshot
from tui.earlier import EarlierSets
from tui.folder import FlowFolder
from tui.given import GivenValues
from tui.keeper import Keeper, RuntimeKeeper
from tui.pictures import Catalogue, FlowPicture, JobData, JobDetail, picture_of
from tui.reruns import Previous, Rerun, Reruns
from tui.saved_jobs import SavedJobs
from tui.state import name_for, state_folder

# Items that are fetched of each slot for the Data tab; of the others only the count is told.
_ITEMS: Final = 200


def saved_folder(root: Path) -> Path:
    """Where the jobs of a flow folder are saved."""
    return state_folder() / "jobs" / name_for(root)


class Backend(Protocol):
    """What the screen asks and orders. None of it blocks but `load`, `describe`, `check`, `start` and
    `earlier`, which are for threads: files are read, or flows' own code runs."""

    @property
    def root(self) -> Path:
        """The flow folder."""

    def load(self) -> Catalogue:
        """Read the folder; its flows are then what `start` starts."""

    @property
    def catalogue(self) -> Catalogue:
        """The folder as it was read last. Another object whenever it is another."""

    def catalogue_shown(self) -> None:
        """The flows are on the screen, and what could wait for that need no longer wait."""

    def describe(self, flow_name: str) -> FlowPicture | None:
        """A flow with its parameters; raises where these cannot be described."""

    @property
    def keeper(self) -> Keeper:
        """What keeps jobs from one run of the app to the next."""

    def changed(self) -> bool:
        """Whether a job has taken on another status since this was last asked."""

    def snapshot(self) -> RuntimeSnapshot: ...

    def detail(self, job_id: str) -> JobDetail | None: ...

    def log(self, job_id: str, since: int) -> Sequence[LogLine]: ...

    def unfinished(self, job_id: str) -> Sequence[LogLine]:
        """The lines that are printed and not ended yet; see `JobState.unfinished_lines`."""

    def log_total(self, job_id: str) -> int:
        """How many lines the job has ever logged. Asked where nothing happens: it costs next to nothing."""

    def history(self, job_id: str, since: int) -> Sequence[ExecutionRecord]:
        """The records from number `since` on that are still kept."""

    def graph(self, job_id: str) -> FlowPicture | None:
        """The flow that the job runs, whatever has become of it in the folder."""

    def data(self, job_id: str) -> JobData | None:
        """What the job holds: its own data, not copies."""

    def check(self, flow_name: str, values: Mapping[str, Any]) -> None:
        """Raise what `start` would raise because of these values."""

    def start(self, flow_name: str, values: Mapping[str, Any]) -> str:
        """Start a job and answer with its id. ValueError where it cannot be started."""

    def given(self, job: JobSummary) -> Mapping[str, Any]:
        """What `start` is given for the same job again."""

    def earlier(self, flow_name: str) -> Sequence[Mapping[str, Any]]:
        """The parameter sets that jobs of the flow were started with, the newest first."""

    @property
    def reruns(self) -> frozenset[str]:
        """The flows that run again on save."""

    def toggle_rerun(self, flow_name: str) -> bool:
        """Have a flow run again on save, or no longer; answers with which."""

    def rerun_news(self) -> Sequence[Rerun]:
        """What has come of saves since this was last asked."""

    def pause(self, job_id: str) -> bool: ...

    def resume(self, job_id: str) -> bool: ...

    def cancel(self, job_id: str, *, force: bool = False) -> bool: ...

    def close(self) -> None:
        """Nothing more is wanted. Cancels what has not ended, and does not wait for it."""


class RuntimeBackend:
    """The real thing. Those methods that block may be called from any thread, the others by the screen's."""

    def __init__(
        self,
        runtime: Runtime,
        folder: FlowFolder,
        *,
        earlier: EarlierSets | None = None,
        saved: SavedJobs | None = None,
        rerun: Previous = "leave",
    ) -> None:
        self._runtime = runtime
        self._folder = folder
        self._earlier = earlier or EarlierSets()
        self._given = GivenValues()
        self._reruns = Reruns(runtime, folder.loader, self._given, rerun)
        saved = saved or SavedJobs(saved_folder(folder.root))
        self._keeper = RuntimeKeeper(runtime, saved, self._flows_and_files)
        # Set by pool threads, cleared by the screen's. Cleared before the picture is taken: what changes
        # in between is in the picture, and sets the mark again for a picture that shows nothing new.
        self._dirty = True
        # The flow of the job whose graph was asked for last.
        self._graph: tuple[str, FlowPicture] | None = None
        self._unsubscribe = runtime.subscribe(self._note)

    def _note(self, event: JobEvent) -> None:
        self._dirty = True

    @property
    def root(self) -> Path:
        return self._folder.root

    def load(self) -> Catalogue:
        return self._folder.load()

    @property
    def catalogue(self) -> Catalogue:
        self._folder.look()
        return self._folder.catalogue

    def catalogue_shown(self) -> None:
        self._folder.shown()

    def describe(self, flow_name: str) -> FlowPicture | None:
        return self._folder.describe(flow_name)

    def _flows_and_files(self) -> Mapping[str, tuple[Flow, Path]]:
        catalog = self._folder.loader.catalog
        return {name: (version.flow, self.root / version.path) for name, version in catalog.items()}

    @property
    def keeper(self) -> RuntimeKeeper:
        return self._keeper

    def changed(self) -> bool:
        dirty, self._dirty = self._dirty, False
        return dirty

    def snapshot(self) -> RuntimeSnapshot:
        return self._runtime.snapshot()

    def detail(self, job_id: str) -> JobDetail | None:
        job = self._runtime.get_job(job_id)
        if job is None:
            return None
        version = self._folder.version(job.flow_name)
        newest = None if version is None else version.generation
        return JobDetail(job.snapshot(), job.job_state.errors, newest)

    def log(self, job_id: str, since: int) -> Sequence[LogLine]:
        job = self._runtime.get_job(job_id)
        return () if job is None else job.job_state.logs_since(since)

    def unfinished(self, job_id: str) -> Sequence[LogLine]:
        job = self._runtime.get_job(job_id)
        return () if job is None else job.job_state.unfinished_lines()

    def log_total(self, job_id: str) -> int:
        job = self._runtime.get_job(job_id)
        return 0 if job is None else job.job_state.log_total

    def history(self, job_id: str, since: int) -> Sequence[ExecutionRecord]:
        job = self._runtime.get_job(job_id)
        return () if job is None else job.job_state.history_since(since)

    def graph(self, job_id: str) -> FlowPicture | None:
        job = self._runtime.get_job(job_id)
        if job is None:
            return None
        if self._graph is None or self._graph[0] != job_id:
            version = FlowVersion(job.flow_name, job.flow, 0, "", 0)
            self._graph = (job_id, picture_of(version, parameters=False))
        return self._graph[1]

    def data(self, job_id: str) -> JobData | None:
        job = self._runtime.get_job(job_id)
        if job is None:
            return None
        state = job.job_state
        return JobData(state.entry_params, state.shared_data, job.routine_data(_ITEMS))

    def check(self, flow_name: str, values: Mapping[str, Any]) -> None:
        version = self._folder.version(flow_name)
        if version is None:
            raise ValueError(f"there is no flow {flow_name!r} in {self.root}")
        params.validate(version.flow.params, flow_name, values)

    def start(self, flow_name: str, values: Mapping[str, Any]) -> str:
        # They may be those of a job that is changing them.
        values = plain_copy(values)
        job_id = self._runtime.exec(flow_name, values).job_id
        self._given.add(job_id, values)
        self._remember(flow_name, values)
        return job_id

    def _remember(self, flow_name: str, values: Mapping[str, Any]) -> None:
        version = self._folder.version(flow_name)
        try:
            declared = () if version is None else version.flow.parameters
        except Exception:
            # Factories of defaults are the flow's own code. What is secret is not known now.
            return
        self._earlier.add(flow_name, values, declared)

    def given(self, job: JobSummary) -> Mapping[str, Any]:
        given = self._given.of(job.job_id)
        return job.entry_params if given is None else given

    def earlier(self, flow_name: str) -> Sequence[Mapping[str, Any]]:
        return self._earlier.of(flow_name)

    @property
    def reruns(self) -> frozenset[str]:
        return self._reruns.flows

    def toggle_rerun(self, flow_name: str) -> bool:
        def last() -> Mapping[str, Any]:
            earlier = self.earlier(flow_name)
            return earlier[0] if earlier else {}

        return self._reruns.toggle(flow_name, last)

    def rerun_news(self) -> Sequence[Rerun]:
        return self._reruns.told()

    def pause(self, job_id: str) -> bool:
        job = self._runtime.get_job(job_id)
        return job is not None and job.pause()

    def resume(self, job_id: str) -> bool:
        job = self._runtime.get_job(job_id)
        return job is not None and job.resume()

    def cancel(self, job_id: str, *, force: bool = False) -> bool:
        job = self._runtime.get_job(job_id)
        return job is not None and job.cancel(force)

    def close(self) -> None:
        self._unsubscribe()
        self._reruns.close()
        self._folder.close()
        self._earlier.close()
        self._keeper.close()
        self._runtime.shutdown(wait=False)

"""The one door between the screen and the runtime. Screens use the protocol; tests give another one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from routilux import params
from routilux.flow import Flow
from routilux.history import ExecutionRecord, LogLine
from routilux.loading import FlowVersion, Generation
from routilux.runtime import Runtime
from routilux.snapshot import JobEvent, RuntimeSnapshot
from tui.earlier import EarlierSets
from tui.job_data import ITEMS, JobData
from tui.keeper import Keeper, RuntimeKeeper
from tui.pictures import Catalogue, FlowPicture, JobDetail, catalogue_of, picture_of
from tui.saved_jobs import SavedJobs
from tui.state import name_for, state_folder


def saved_folder(root: Path) -> Path:
    """Where the jobs of a flow folder are saved."""
    return state_folder() / "jobs" / name_for(root)


class Backend(Protocol):
    """What the screen asks and orders. None of it blocks but `load`, which runs in a thread."""

    @property
    def root(self) -> Path:
        """The flow folder."""

    def load(self) -> Catalogue:
        """Read the folder; its flows are then what `start` starts."""

    @property
    def keeper(self) -> Keeper:
        """What keeps jobs from one run of the app to the next."""

    def changed(self) -> bool:
        """Whether a job has taken on another status since this was last asked."""

    def snapshot(self) -> RuntimeSnapshot: ...

    def detail(self, job_id: str) -> JobDetail | None: ...

    def log(self, job_id: str, since: int) -> Sequence[LogLine]: ...

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

    def earlier(self, flow_name: str) -> Sequence[Mapping[str, Any]]:
        """The parameter sets that jobs of the flow were started with, the newest first."""

    def pause(self, job_id: str) -> bool: ...

    def resume(self, job_id: str) -> bool: ...

    def cancel(self, job_id: str, *, force: bool = False) -> bool: ...

    def close(self) -> None:
        """Nothing more is wanted. Cancels what has not ended, and does not wait for it."""


class RuntimeBackend:
    """The real thing. Every method is for the screen's thread, but `load`, which any may call."""

    def __init__(
        self,
        runtime: Runtime,
        root: Path,
        load_folder: Callable[[], Generation],
        *,
        earlier: EarlierSets | None = None,
        saved: SavedJobs | None = None,
    ) -> None:
        self._runtime = runtime
        self._root = root
        self._load_folder = load_folder
        self._flows: dict[str, Flow] = {}
        self._earlier = earlier or EarlierSets()
        self._files: dict[str, Path] = {}
        self._keeper = RuntimeKeeper(runtime, saved or SavedJobs(saved_folder(root)), self._flows_and_files)
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
        return self._root

    def load(self) -> Catalogue:
        try:
            folder = self._load_folder()
        except OSError as error:
            return Catalogue(self._root, problem=str(error))
        catalogue = catalogue_of(folder)
        self._flows = {name: loaded.flow for name, loaded in folder.flows.items()}
        self._files = {name: self._root / loaded.path for name, loaded in folder.flows.items()}
        return catalogue

    def _flows_and_files(self) -> Mapping[str, tuple[Flow, Path]]:
        flows, files = self._flows, self._files
        return {name: (flow, files.get(name, self._root)) for name, flow in flows.items()}

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
        return None if job is None else JobDetail(job.snapshot(), job.job_state.errors)

    def log(self, job_id: str, since: int) -> Sequence[LogLine]:
        job = self._runtime.get_job(job_id)
        return () if job is None else job.job_state.logs_since(since)

    def history(self, job_id: str, since: int) -> Sequence[ExecutionRecord]:
        job = self._runtime.get_job(job_id)
        return () if job is None else job.job_state.history_since(since)

    def graph(self, job_id: str) -> FlowPicture | None:
        job = self._runtime.get_job(job_id)
        if job is None:
            return None
        if self._graph is None or self._graph[0] != job_id:
            self._graph = (job_id, picture_of(FlowVersion(job.flow_name, job.flow, 0, "", 0)))
        return self._graph[1]

    def data(self, job_id: str) -> JobData | None:
        job = self._runtime.get_job(job_id)
        if job is None:
            return None
        state = job.job_state
        return JobData(state.entry_params, state.shared_data, job.routine_data(ITEMS))

    def check(self, flow_name: str, values: Mapping[str, Any]) -> None:
        flow = self._flows.get(flow_name)
        if flow is None:
            raise ValueError(f"there is no flow {flow_name!r} in {self._root}")
        params.validate(flow.params, flow_name, values)

    def start(self, flow_name: str, values: Mapping[str, Any]) -> str:
        job_id = self._runtime.exec(flow_name, dict(values)).job_id
        flow = self._flows.get(flow_name)
        self._earlier.add(flow_name, values, () if flow is None else flow.parameters)
        return job_id

    def earlier(self, flow_name: str) -> Sequence[Mapping[str, Any]]:
        return self._earlier.of(flow_name)

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
        self._earlier.close()
        self._keeper.close()
        self._runtime.shutdown(wait=False)

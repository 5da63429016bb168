"""The rows of the job table: which jobs pass, kept up to date at the cost of what changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from time import perf_counter
from typing import Any, Final

from routilux.snapshot import JobSummary
from routilux.status import ExecutionStatus
from tui.filters import Filter
from tui.job_search import JobTexts
from tui.ranking import Entry, Ranking, Sort, value_by
from tui.roster import Change

# After so many jobs a scan looks at the clock.
_GLANCE: Final = 512

VIEWS: Final = ("all", "active", "failed")


class JobRows:
    """The jobs that pass the view and the filter, sorted.

    Jobs that have ended stay where they are, so that they are sorted once; the others are put among
    them at each picture. A new filter, view or order goes over all jobs, for `budget` seconds at a
    time: until `go_on` has answered False the rows are those of before.
    """

    def __init__(self, clock: Callable[[], float] = perf_counter, budget: float = 0.008) -> None:
        self._clock = clock
        self._budget = budget
        self.texts = JobTexts(self.__contains__, clock)
        # All jobs by id, in the order of their coming.
        self._jobs: dict[str, Entry] = {}
        self._next = 0
        self._sort = Sort()
        self._view = VIEWS[0]
        self._filter = Filter()
        self._wanted = self.texts.predicate(self._filter)
        self._value = value_by(self._sort.by, self.texts.params)
        # Jobs that have not ended, whether they pass or not.
        self._live: dict[str, Entry] = {}
        # While a scan is under way: what it goes over, what of that passes, and what that is sorted by. The
        # ids of jobs that changed meanwhile: what the scan has found of these does not count, they are
        # looked at in the end.
        self._scan: Iterator[Entry] | None = None
        self._found: list[Entry] = []
        self._values: list[Any] = []
        self._late: set[str] = set()
        self._ranking = Ranking(self._sort, self._value)

    @property
    def rows(self) -> Sequence[JobSummary]:
        """The jobs as they are shown; to be asked for anew after whatever changes them."""
        return self._ranking

    def __len__(self) -> int:
        return len(self._jobs)

    def __contains__(self, job_id: object) -> bool:
        return job_id in self._jobs

    def job(self, job_id: str) -> JobSummary | None:
        """A job by its id, whether it is among the rows or not."""
        entry = self._jobs.get(job_id)
        return None if entry is None else entry[1]

    @property
    def sort(self) -> Sort:
        return self._sort

    @property
    def view(self) -> str:
        return self._view

    @property
    def filter(self) -> Filter:
        return self._filter

    @property
    def scanning(self) -> bool:
        """Whether the rows are still those of before."""
        return self._scan is not None

    # ---- what is wanted

    def arrange(
        self, *, sort: Sort | None = None, view: str | None = None, wanted: Filter | None = None
    ) -> bool:
        """Show other rows from now on; True while `go_on` is to be called."""
        self._sort = sort or self._sort
        self._view = view or self._view
        self._filter = self._filter if wanted is None else wanted
        self._wanted = self.texts.predicate(self._filter)
        self._value = value_by(self._sort.by, self.texts.params)
        self._found, self._values = [], []
        self._late = set()
        self._scan = iter(list(self._jobs.values()))
        return self.go_on()

    def go_on(self) -> bool:
        """Go on with what `arrange` began; False when the rows are right."""
        if self._scan is None:
            return False
        end = self._clock() + self._budget
        live, passes, value = self._live, self._passes, self._value
        all_pass = self._wanted is None and self._view == VIEWS[0]
        for part in iter(lambda: list(islice(self._scan or (), _GLANCE)), []):
            passing = [
                entry for entry in part if entry[1].job_id not in live and (all_pass or passes(entry[1]))
            ]
            self._found += passing
            self._values += map(value, passing)
            if len(part) == _GLANCE and self._clock() >= end:
                return True
        self._scan = None
        self._finish()
        return False

    def _finish(self) -> None:
        late = self._late
        if late:
            kept = [at for at, (_, job) in enumerate(self._found) if job.job_id not in late]
            self._found = [self._found[at] for at in kept]
            self._values = [self._values[at] for at in kept]
        self._ranking = Ranking(self._sort, self._value)
        self._ranking.fill(self._found, self._values)
        changed = (self._jobs[job_id] for job_id in late if job_id in self._jobs and job_id not in self._live)
        self._ranking.add([entry for entry in changed if self._passes(entry[1])])
        self._found, self._values = [], []
        self._late = set()
        self._place_live()

    # ---- what there is

    def reset(self, jobs: Sequence[JobSummary]) -> None:
        """Other jobs altogether."""
        gone = [Change(job, None) for _, job in self._jobs.values()]
        self.update([*gone, *(Change(None, job) for job in jobs)])

    def update(self, changes: Sequence[Change]) -> None:
        """Take in what has changed since the last picture."""
        leaving: list[Entry] = []
        coming: list[Entry] = []
        for old, new in changes:
            number = self._next
            if old is not None:
                entry = self._jobs.pop(old.job_id, None) if new is None else self._jobs.get(old.job_id)
                if entry is not None:
                    number = entry[0]
                    self._take_out(entry, leaving)
                    if new is None:
                        self.texts.forget(old.job_id)
            if new is not None:
                if number == self._next:
                    self._next += 1
                self._jobs[new.job_id] = entry = (number, new)
                self._put_in(entry, coming)
        if self._scan is None:
            self._ranking.remove(leaving)
            self._ranking.add(coming)
            self._place_live()

    def _take_out(self, entry: Entry, leaving: list[Entry]) -> None:
        job = entry[1]
        was_live = self._live.pop(job.job_id, None) is not None
        if self._scan is not None:
            # One that was live when the scan began is in what it goes over, and is not live any more.
            self._late.add(job.job_id)
        elif not was_live and self._passes(job):
            leaving.append(entry)

    def _put_in(self, entry: Entry, coming: list[Entry]) -> None:
        job = entry[1]
        if not job.status.is_final:
            self._live[job.job_id] = entry
            return
        self.texts.expect(job)
        if self._scan is not None:
            self._late.add(job.job_id)
        elif self._passes(job):
            coming.append(entry)

    def _place_live(self) -> None:
        self._ranking.place_live(entry for entry in self._live.values() if self._passes(entry[1]))

    def row_of(self, job_id: str) -> int | None:
        """The row of a job; None where it is hidden, or gone."""
        entry = self._jobs.get(job_id)
        if entry is None:
            return None
        row = self._ranking.row_of(entry)
        if row is None and self._scan is not None:
            # It has changed since it was put in.
            row = next((row for row, job in enumerate(self.rows) if job.job_id == job_id), None)
        return row

    # ---- one job

    def _passes(self, job: JobSummary) -> bool:
        if self._view == "active" and job.status.is_final:
            return False
        if self._view == "failed" and job.status is not ExecutionStatus.FAILED:
            return False
        return self._wanted is None or self._wanted(job)

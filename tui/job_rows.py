"""The rows of the job table: which jobs, in which order, kept up to date at the cost of what changes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from operator import itemgetter
from time import perf_counter
from typing import Any, Final, NamedTuple, overload

from routilux.snapshot import JobSummary
from routilux.status import ExecutionStatus
from tui.filters import Filter
from tui.glyphs import COUNT_ORDER
from tui.job_search import JobTexts
from tui.roster import Change

# With more changes than that at once it is cheaper to sort again than to put each in its place.
_MANY: Final = 200
# After so many jobs a scan looks at the clock.
_GLANCE: Final = 512

VIEWS: Final = ("all", "active", "failed")
# What one may sort by, with whether the greatest comes first unless one says otherwise.
SORTS: Final = {
    "started": True, "state": False, "flow": False, "parameters": False, "generation": True,
    "elapsed": True, "progress": True,
}  # fmt: skip
_STATE_RANK: Final = {status: rank for rank, status in enumerate(COUNT_ORDER)}

# Keys of one order can be compared, and none is there twice.
Key = Any
_FIRST: Final = itemgetter(0)


class Sort(NamedTuple):
    """`down`: the greatest first. Among equals the newest comes first either way."""

    by: str = "started"
    down: bool = True


class Merged(Sequence[JobSummary]):
    """Two rising sequences as one, without a copy: `live`, which lie `at` these places in the whole, and
    `ended` at all others. `down`: the last comes first."""

    __slots__ = ("_at", "_down", "_ended", "_live")

    def __init__(
        self, ended: Sequence[JobSummary], live: Sequence[JobSummary], at: Sequence[int], down: bool
    ) -> None:
        self._ended = ended
        self._live = live
        self._at = at
        self._down = down

    def __len__(self) -> int:
        return len(self._ended) + len(self._live)

    @overload
    def __getitem__(self, row: int) -> JobSummary: ...
    @overload
    def __getitem__(self, row: slice) -> list[JobSummary]: ...
    def __getitem__(self, row: int | slice) -> JobSummary | list[JobSummary]:
        if isinstance(row, slice):
            return [self[each] for each in range(*row.indices(len(self)))]
        count = len(self)
        if not -count <= row < count:
            raise IndexError(row)
        row %= count
        place = count - 1 - row if self._down else row
        before = bisect_right(self._at, place)
        if before and self._at[before - 1] == place:
            return self._live[before - 1]
        return self._ended[place - before]

    def __iter__(self) -> Iterator[JobSummary]:
        rows: list[JobSummary] = []
        done = 0
        for before, place in enumerate(self._at):
            rows += self._ended[done : place - before]
            rows.append(self._live[before])
            done = place - before
        rows += self._ended[done:]
        return reversed(rows) if self._down else iter(rows)


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
        # All jobs: id -> (the number in the order of their coming, the job).
        self._jobs: dict[str, tuple[int, JobSummary]] = {}
        self._next = 0
        self._sort = Sort()
        self._view = VIEWS[0]
        self._filter = Filter()
        # Jobs that have ended and pass, in rising order of their keys. Two lists, always in step.
        self._keys: list[Key] = []
        self._ended: list[JobSummary] = []
        # Jobs that have not ended, whether they pass or not; and the keys of those that do, in order.
        self._live: dict[str, JobSummary] = {}
        self._live_keys: list[Key] = []
        # While a scan is under way: what it goes over, and what it has found. The ids of jobs that
        # changed meanwhile: what the scan has found of these does not count, they are looked at in the end.
        self._scan: Iterator[tuple[int, JobSummary]] | None = None
        self._found: list[tuple[Key, JobSummary]] = []
        self._late: set[str] = set()
        self._wanted = self.texts.predicate(self._filter)
        self.rows: Sequence[JobSummary] = ()

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
        self._found = []
        self._late = set()
        self._scan = iter(list(self._jobs.values()))
        return self.go_on()

    def go_on(self) -> bool:
        """Go on with what `arrange` began; False when the rows are right."""
        if self._scan is None:
            return False
        end = self._clock() + self._budget
        live, passes, key, found = self._live, self._passes, self._key, self._found
        for part in iter(lambda: list(islice(self._scan or (), _GLANCE)), []):
            found += [
                (key(number, job), job) for number, job in part if job.job_id not in live and passes(job)
            ]
            if len(part) == _GLANCE and self._clock() >= end:
                return True
        self._scan = None
        self._finish(found)
        return False

    def _finish(self, found: list[tuple[Key, JobSummary]]) -> None:
        if self._late:
            found = [pair for pair in found if pair[1].job_id not in self._late]
            for job_id in self._late:
                entry = self._jobs.get(job_id)
                if entry is not None and job_id not in self._live and self._passes(entry[1]):
                    found.append((self._key(*entry), entry[1]))
        found.sort(key=_FIRST)
        self._keys = [key for key, _ in found]
        self._ended = [job for _, job in found]
        self._found = []
        self._late = set()
        self._put_together()

    # ---- what there is

    def reset(self, jobs: Sequence[JobSummary]) -> None:
        """Other jobs altogether."""
        gone = [Change(job, None) for _, job in self._jobs.values()]
        self.update([*gone, *(Change(None, job) for job in jobs)])

    def update(self, changes: Sequence[Change]) -> None:
        """Take in what has changed since the last picture."""
        leaving: list[Key] = []
        coming: list[tuple[Key, JobSummary]] = []
        for old, new in changes:
            number = self._next
            if old is not None:
                entry = self._jobs.pop(old.job_id, None) if new is None else self._jobs.get(old.job_id)
                if entry is not None:
                    number = entry[0]
                    self._take_out(*entry, leaving)
                    if new is None:
                        self.texts.forget(old.job_id)
            if new is not None:
                if number == self._next:
                    self._next += 1
                self._jobs[new.job_id] = (number, new)
                self._put_in(number, new, coming)
        if self._scan is None:
            self._change_ended(leaving, coming)
            self._put_together()

    def _take_out(self, number: int, job: JobSummary, leaving: list[Key]) -> None:
        was_live = self._live.pop(job.job_id, None) is not None
        if self._scan is not None:
            # One that was live when the scan began is in what it goes over, and is not live any more.
            self._late.add(job.job_id)
        elif not was_live and self._passes(job):
            leaving.append(self._key(number, job))

    def _put_in(self, number: int, job: JobSummary, coming: list[tuple[Key, JobSummary]]) -> None:
        if not job.status.is_final:
            self._live[job.job_id] = job
            return
        self.texts.expect(job)
        if self._scan is not None:
            self._late.add(job.job_id)
        elif self._passes(job):
            coming.append((self._key(number, job), job))

    def _change_ended(self, leaving: list[Key], coming: list[tuple[Key, JobSummary]]) -> None:
        if len(leaving) > _MANY:
            gone = set(leaving)
            kept = [pair for pair in zip(self._keys, self._ended, strict=True) if pair[0] not in gone]
            self._keys = [key for key, _ in kept]
            self._ended = [job for _, job in kept]
        else:
            for key in leaving:
                at = bisect_left(self._keys, key)
                if at < len(self._keys) and self._keys[at] == key:
                    del self._keys[at], self._ended[at]
        if len(coming) > _MANY:
            pairs = sorted((*zip(self._keys, self._ended, strict=True), *coming), key=_FIRST)
            self._keys = [key for key, _ in pairs]
            self._ended = [job for _, job in pairs]
        else:
            for key, job in coming:
                at = bisect_left(self._keys, key)
                self._keys.insert(at, key)
                self._ended.insert(at, job)

    def _put_together(self) -> None:
        """The rows, of those that have ended and those that have not."""
        passing = (job for job in self._live.values() if self._passes(job))
        keyed = ((self._key(self._jobs[job.job_id][0], job), job) for job in passing)
        live = sorted(keyed, key=_FIRST)
        self._live_keys = [key for key, _ in live]
        at = [bisect_left(self._keys, key) + before for before, key in enumerate(self._live_keys)]
        self.rows = Merged(self._ended, [job for _, job in live], at, self._sort.down)

    def row_of(self, job_id: str) -> int | None:
        """The row of a job; None where it is hidden, or gone."""
        entry = self._jobs.get(job_id)
        if entry is None:
            return None
        if self._scan is not None:
            # The rows are still in an order of before.
            return next((row for row, job in enumerate(self.rows) if job.job_id == job_id), None)
        key = self._key(*entry)
        at = bisect_left(self._keys, key) + bisect_left(self._live_keys, key)
        row = len(self.rows) - 1 - at if self._sort.down else at
        return row if 0 <= row < len(self.rows) and self.rows[row].job_id == job_id else None

    # ---- one job

    def _passes(self, job: JobSummary) -> bool:
        if self._view == "active" and job.status.is_final:
            return False
        if self._view == "failed" and job.status is not ExecutionStatus.FAILED:
            return False
        return self._wanted is None or self._wanted(job)

    def _key(self, number: int, job: JobSummary) -> Key:
        by = self._sort.by
        if by == "started":
            return number
        value: Any = 0
        if by == "elapsed":
            value = job.elapsed
        elif by == "state":
            value = _STATE_RANK[job.status]
        elif by == "flow":
            value = job.flow_name
        elif by == "parameters":
            value = self.texts.params(job)
        elif by == "generation":
            value = -1 if job.generation is None else job.generation
        elif by == "progress":
            fraction = job.progress.fraction if job.progress is not None else None
            value = -1.0 if fraction is None else fraction
        # Unique, so that jobs themselves are never compared.
        return (value, number if self._sort.down else -number)

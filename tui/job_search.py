"""What a filter looks at: the texts of a job in lower case, made once for each that has ended."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Final, NamedTuple

from routilux.snapshot import JobSummary
from routilux.status import ExecutionStatus
from tui.filters import Filter, Term
from tui.formats import parameters_line

FIELDS: Final = frozenset({"id", "flow", "state", "params", "error", "gen"})
STATES: Final = tuple(status.value for status in ExecutionStatus)
# The engine's own events in fewer words: "hash activation_started" is "hash started".
_LAST: Final = re.compile(" (?:activation|routine)_(started|ended|failed|skipped)$")


def last_event(job: JobSummary) -> str:
    """The job's last event as lists show it."""
    return _LAST.sub(r" \1", job.last_event)


class Texts(NamedTuple):
    """`head`: id, flow and state; `error`: what failed, what it gave notice of, its last event."""

    head: str
    params: str
    error: str


class JobTexts:
    """The texts of all jobs. Those of a job that has ended are kept until it is forgotten."""

    def __init__(
        self, is_known: Callable[[str], bool] = lambda job_id: True, clock: Callable[[], float] = perf_counter
    ) -> None:
        """`is_known`: whether a job is still there, by its id."""
        self._is_known = is_known
        self._clock = clock
        self._params: dict[str, str] = {}
        self._ended: dict[str, tuple[JobSummary, Texts]] = {}
        self._unread: deque[JobSummary] = deque()

    def params(self, job: JobSummary) -> str:
        """The parameters on one line, as they are shown."""
        known = self._params.get(job.job_id)
        if known is None:
            known = self._params[job.job_id] = parameters_line(job.entry_params)
        return known

    def of(self, job: JobSummary) -> Texts:
        kept = self._ended.get(job.job_id)
        if kept is not None and kept[0] is job:
            return kept[1]
        made = Texts(
            f"{job.job_id} {job.flow_name} {job.status.value}".lower(),
            self.params(job).lower(),
            " ".join((job.error, *job.notices, last_event(job))).lower(),
        )
        if job.status.is_final:
            self._ended[job.job_id] = (job, made)
        return made

    def expect(self, job: JobSummary) -> None:
        """A job has ended; its texts are made when there is time for it."""
        self._unread.append(job)

    def read_ahead(self, seconds: float) -> bool:
        """Make texts that were not asked for yet, for about that long; False where none are left."""
        end = self._clock() + seconds
        while self._unread and self._clock() < end:
            job = self._unread.popleft()
            if self._is_known(job.job_id):
                self.of(job)
        return bool(self._unread)

    def forget(self, job_id: str) -> None:
        self._params.pop(job_id, None)
        self._ended.pop(job_id, None)

    def hold(self, job: JobSummary, words: Sequence[str]) -> bool:
        """Whether every word, in lower case, is in the id, flow, state or parameters of a job."""
        texts = self.of(job)
        return all(word in texts.head or word in texts.params for word in words)

    def predicate(self, wanted: Filter) -> Callable[[JobSummary], bool] | None:
        """What tells whether a job passes a filter on FIELDS; None where all do."""
        tests = [self._test(term) for term in wanted.terms]
        if not tests:
            return None
        return tests[0] if len(tests) == 1 else lambda job: all(test(job) for test in tests)

    def _test(self, term: Term) -> Callable[[JobSummary], bool]:
        text, wanted, of = term.text, term.wanted, self.of
        if term.field == "state":
            statuses = [status for status in ExecutionStatus if status.value.startswith(text)]
            return lambda job: (job.status in statuses) is wanted
        if term.field == "flow":
            return lambda job: (text in job.flow_name.lower()) is wanted
        if term.field == "id":
            return lambda job: (text in job.job_id.lower()) is wanted
        if term.field == "gen":
            return lambda job: (str(job.generation) == text) is wanted
        if term.field == "params":
            return lambda job: (text in of(job).params) is wanted
        if term.field == "error":
            return lambda job: (text in of(job).error) is wanted

        def anywhere(job: JobSummary) -> bool:
            head, params, error = of(job)
            return (text in head or text in params or text in error) is wanted

        return anywhere

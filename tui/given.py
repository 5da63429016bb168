"""What jobs were given, as it was before defaults were filled in and values converted."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

# Of so many jobs, the newest, it is known what they were given.
MOST: Final = 2000


class GivenValues:
    """The parameters of jobs that were started in this run of the app. For any thread.

    Checking what a check has made of them may make something else of it, or refuse it: a job that is to run
    again exactly is given the same, and not what became of it.
    """

    def __init__(self) -> None:
        # Guards _values.
        self._lock = threading.Lock()
        self._values: OrderedDict[str, Mapping[str, Any]] = OrderedDict()

    def add(self, job_id: str, values: Mapping[str, Any]) -> None:
        with self._lock:
            self._values[job_id] = dict(values)
            if len(self._values) > MOST:
                self._values.popitem(last=False)

    def of(self, job_id: str) -> Mapping[str, Any] | None:
        """None where that is not known."""
        with self._lock:
            return self._values.get(job_id)

"""The words for jobs in sentences: which they are, how many, what it means to cancel them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from tui.formats import short_id

# So many jobs are named one by one.
NAMED: Final = 4


class Nameable(Protocol):
    """A job that runs, or one that was saved."""

    @property
    def job_id(self) -> str: ...

    @property
    def flow_name(self) -> str: ...


def job_name(job: Nameable) -> str:
    """`a31f00 etl.daily`."""
    return f"{short_id(job.job_id)} {job.flow_name}"


def jobs_named(jobs: Sequence[Nameable]) -> str:
    """The first of them by name, and how many more there are."""
    named = ", ".join(job_name(job) for job in jobs[:NAMED])
    return f"{named} {more_than_named(len(jobs))}".rstrip()


def more_than_named(number: int) -> str:
    """`and 3 more`, where so many jobs are more than are named."""
    return f"and {number - NAMED:,} more" if number > NAMED else ""


def count_of(number: int, what: str = "job") -> str:
    """`1 job`, `1,200 jobs`."""
    return f"1 {what}" if number == 1 else f"{number:,} {what}s"


def jobs_have(number: int) -> str:
    """`1 job has`, `3 jobs have`."""
    return f"{count_of(number)} {'has' if number == 1 else 'have'}"


def jobs_were(number: int) -> str:
    """`1 job was`, `3 jobs were`."""
    return f"{count_of(number)} {'was' if number == 1 else 'were'}"


def cancelling_means(force: bool) -> str:
    """What becomes of what runs."""
    if force:
        return "The code that runs is interrupted, and no further activation starts."
    return "No further activation starts; what runs comes to its end."

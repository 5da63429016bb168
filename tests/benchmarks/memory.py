"""What a finished job and its records keep, by tracemalloc: every byte Python allocates."""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

from routilux import Flow, Routine, immediate_policy
from routilux.history import ENDED, Ring

from .measure import Pass, Row, Source, run, runtime_of

JOBS = 2000
RECORDS = 50_000


class _Nothing(Routine):
    """An activation that makes the two records every activation makes, and has no data."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger")
        self.define_event("again")
        self.set_activation_policy(immediate_policy())

    def logic(self, trigger: list[dict[str, Any]]) -> None:
        left = self.get_config("left") - 1
        self.set_config(left=left)
        if left:
            self.emit("again")


def memory(rounds: int) -> list[Row]:
    """What stays allocated per finished job, and per record of its history.

    Job: 2,000 jobs of three routines (three activations, eight records, an item of one small integer each),
    run and kept (`get_job` finds all); what is allocated more than before, per job. The job's id, its entry
    in the runtime, its parameters and its records' data are all in it. Record: a ring of 50,000 records,
    each with a time of its own and no data: what the record itself takes. Beside it, what one job with a
    history of 50,000 keeps per record when the records' data is counted in: an emit's parameters and an
    activation's data slice, which belong to the items.
    """
    del rounds
    flow = Flow("three")
    flow.add_routine(Source(1), "first")
    flow.add_routine(Pass(), "second")
    flow.add_routine(Pass(), "third")
    flow.connect("first", "out", "second", "in")
    flow.connect("second", "out", "third", "in")
    nothing = _Nothing()
    long = Flow("long", max_history=RECORDS)
    long.add_routine(nothing, "nothing")
    long.connect("nothing", "again", "nothing", "trigger")
    with runtime_of(2, flow, long, max_finished_jobs=JOBS + 100) as runtime:
        for _ in range(50):
            run(runtime, "three")

        def jobs() -> None:
            for _ in range(JOBS):
                run(runtime, "three")

        per_job = _kept(jobs) / JOBS
        records = runtime.list_jobs()[-1].job_state.history.total
        nothing.set_config(left=100)
        run(runtime, "long")
        nothing.set_config(left=RECORDS // 3)
        in_a_job = _kept(lambda: run(runtime, "long")) / (RECORDS // 3 * 3 - 1)
    rings = []

    def ring() -> None:
        made = Ring(RECORDS)
        rings.append(made)
        for number in range(RECORDS):
            made.append((1_700_000_000_000_000_000 + number, "routine", ENDED, None))

    per_record = _kept(ring) / RECORDS
    return [
        Row(
            "memory-job",
            f"memory per finished job of three activations, {records} records",
            f"{per_job / 1024:.2f} KB",
            "under 4 KB",
            per_job < 4096,
            {"bytes": round(per_job), "records": records, "python": sys.version.split()[0]},
        ),
        Row(
            "memory-record",
            "memory per history record",
            f"{per_record:.0f} bytes; {in_a_job:.0f} with its data",
            "under 130 bytes",
            per_record < 130,
            {"bytes": round(per_record, 1), "bytes with the data it refers to": round(in_a_job, 1)},
        ),
    ]


def _kept(function: Callable[[], object]) -> float:
    """The bytes that are allocated more when the function has returned than before."""
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        function()
        gc.collect()
        return float(tracemalloc.get_traced_memory()[0] - before)
    finally:
        tracemalloc.stop()

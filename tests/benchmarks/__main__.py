"""`python -m tests.benchmarks [--json FILE] [--rounds N] [NAME...]`, from the root of the checkout."""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from . import (
    cpu_gate,
    job_list,
    latency,
    log_screen,
    memory,
    reload,
    reload_screen,
    screen,
    sleepers,
    start_up,
    throughput,
)
from .measure import Benchmark, Row

BENCHMARKS: dict[str, Benchmark] = {
    "chain": throughput.chain,
    "fan-out": throughput.fan_out,
    "tiny-jobs": throughput.tiny_jobs,
    "latency": latency.first_activation,
    "many-jobs": sleepers.many_jobs,
    "one-job": sleepers.one_job,
    "in-progress": sleepers.in_progress,
    "memory": memory.memory,
    "cpu-gate": cpu_gate.cpu_gate,
    "steering": latency.steering_calls,
    "reload": reload.reload,
    "rerun-on-save": reload_screen.rerun,
    "checkout": reload_screen.checkout,
    "import": start_up.import_time,
    "key-to-paint": screen.key_to_paint,
    "key-beside-cpu": screen.key_beside_cpu,
    "screen-throughput": screen.screen_throughput,
    "first-frame": screen.first_frame,
    "idle": screen.idle,
    "job-list": job_list.job_list,
    "log-screen": log_screen.log_screen,
}


def main() -> int:
    """Measure, print the table, write the JSON; 1 if a row is not ok."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"which: {', '.join(BENCHMARKS)}; all unless given"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    parser.add_argument("--rounds", type=int, default=7, help="how often each is repeated (default: 7)")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    rows: list[Row] = []
    for name in arguments.names or BENCHMARKS:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        gc.collect()
        rows += BENCHMARKS[name](arguments.rounds)
    about = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.machine()}",
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "rounds": arguments.rounds,
    }
    print_table(rows, about)
    if arguments.json:
        arguments.json.write_text(
            json.dumps({**about, "rows": [row.__dict__ for row in rows]}, indent=2) + "\n"
        )
    return 0 if all(row.ok for row in rows) else 1


def print_table(rows: list[Row], about: dict[str, object]) -> None:
    """A Markdown table that reads well as it is."""
    print(
        f"{about['date']}, {about['python']}, {about['system']}, "
        f"{about['cores']} cores, {about['rounds']} rounds\n"
    )
    cells = [("Workload", "Measured", "At least", "")]
    cells += [(row.workload, row.measured, row.at_least, "ok" if row.ok else "NOT OK") for row in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(4)]
    for number, line in enumerate(cells):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |")
        if number == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")


if __name__ == "__main__":
    sys.exit(main())

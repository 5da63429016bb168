"""Makes the pictures of this folder from the real app, running the flows of `flows/` on this repository.

    python screenshots/make.py

The jobs are real; times and numbers differ from run to run.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent
sys.path.insert(0, str(REPOSITORY))

from textual.pilot import Pilot  # noqa: E402

from routilux import FlowRegistry, Runtime  # noqa: E402
from routilux.loading import FlowLoader  # noqa: E402
from tui.app import RoutiluxApp  # noqa: E402
from tui.backend import RuntimeBackend  # noqa: E402
from tui.folder import FlowFolder  # noqa: E402
from tui.screens.main import MainScreen  # noqa: E402

SIZE = (120, 36)
Picture = Callable[[Pilot[int], Runtime], Awaitable[None]]


def example_files(folder: Path) -> None:
    """The flows, and data for them to work on: this repository's sources, with copies, and a table."""
    for name in ("flows", "src/routilux", "src/tui", "src/flows", "src/flows/backup"):
        sources = REPOSITORY / (name.split("/")[1] if "/" in name else name)
        shutil.copytree(sources, folder / name, ignore=shutil.ignore_patterns("__pycache__", "backup"))
    # Enough to count for as long as it takes to make a picture of it.
    (folder / "python").symlink_to(Path(os.__file__).parent)
    rows = [f"{number},2025-06-{number % 30 + 1:02d},{number * 7 % 90}.50" for number in range(1, 4000)]
    rows[70] = "71,yesterday,12.00"
    (folder / "orders.csv").write_text("\n".join(["id,day,price", *rows]) + "\n")


async def until(pilot: Pilot[int], holds: Callable[[], object]) -> None:
    """Let the app go on until something holds."""
    async with asyncio.timeout(120):
        while not holds():
            await pilot.pause()


async def main_screen(pilot: Pilot[int], runtime: Runtime) -> None:
    """Jobs that have ended, one that failed, one that is paused, one that runs."""
    table = {
        "source": "orders.csv",
        "database": "orders.sqlite",
        "columns": {"id": "int", "day": "date", "price": "float"},
    }
    for name, values in (
        ("find_duplicates", {"root": "src"}),
        ("csv_to_sqlite", table),
        ("csv_to_sqlite", table),  # fails: the table is there already
        ("code_stats", {"root": "src"}),
    ):
        runtime.exec(name, values)
        await asyncio.to_thread(runtime.wait_until_all_jobs_finished, 120)
    paused = runtime.get_job(runtime.exec("find_duplicates", {"root": "python", "show": 5}).job_id)
    assert paused is not None
    await until(pilot, lambda: paused.summary().progress is not None)
    paused.pause()
    running = runtime.exec("code_stats", {"root": "python"})
    main = _main(pilot)
    await until(pilot, lambda: main.job_table.choose(running.job_id))
    main.flow_list.choose("code_stats")
    await until(pilot, lambda: _progress_of(pilot, running.job_id) > 0.2)


async def log_screen(pilot: Pilot[int], runtime: Runtime) -> None:
    """What a job that has ended printed."""
    job = runtime.exec("find_duplicates", {"root": "src"})
    main = _main(pilot)
    main.flow_list.choose("find_duplicates")
    await until(pilot, lambda: str(main.newest_status(job.job_id)) == "completed")
    await pilot.press("5", "right_square_bracket", "g")


async def start_form(pilot: Pilot[int], runtime: Runtime) -> None:
    """The form, with a value that is not right."""
    _main(pilot).flow_list.choose("find_duplicates")
    await pilot.press("s")
    await pilot.pause()
    await pilot.press("s", "r", "c", "tab", "end", "x")


async def reloads(pilot: Pilot[int], runtime: Runtime) -> None:
    """What some saves did: a routine added, others changed, also through a helper, a file that is broken."""
    main = _main(pilot)
    runtime.exec("find_duplicates", {"root": "src"})
    await asyncio.to_thread(runtime.wait_until_all_jobs_finished, 120)
    main.flow_list.choose("find_duplicates")
    await pilot.press("a")
    added = """
flow.add_routine(Report(), "second_report")
flow.connect("walk", "walked", "second_report", "walked")
"""
    for name, old, new in (
        ("find_duplicates.py", "files_per_item=100", "files_per_item=200"),
        ("find_duplicates.py", "", added),
        ("csv_to_sqlite.py", "", "\nimport pandas_of_tomorrow\n"),
        ("_walk.py", "", "\n# One more helper.\n"),
    ):
        file, before = Path.cwd() / "flows" / name, main.catalogue.generation
        text = file.read_text()
        file.write_text(text.replace(old, new, 1) if old else text + new)
        await until(pilot, lambda before=before: main.catalogue.generation > before)  # type: ignore[misc]
    await asyncio.to_thread(runtime.wait_until_all_jobs_finished, 120)
    pilot.app.clear_notifications()
    await pilot.press("2")
    await until(pilot, lambda: main.pane == "reloads" and main.catalogue.described)


PICTURES: dict[str, Picture] = {
    "main": main_screen,
    "log": log_screen,
    "start": start_form,
    "reloads": reloads,
}


def _main(pilot: Pilot[int]) -> MainScreen:
    assert isinstance(pilot.app, RoutiluxApp)
    return pilot.app.main


def _progress_of(pilot: Pilot[int], job_id: str) -> float:
    snapshot = _main(pilot).newest()
    jobs = snapshot.jobs if snapshot is not None else ()
    job = next((job for job in jobs if job.job_id == job_id), None)
    if job is None or job.progress is None:
        return 0.0
    return job.progress.fraction or 0.0


async def take(name: str, picture: Picture) -> None:
    """Run the app and save what it shows as `name`.svg."""
    registry = FlowRegistry()
    numbers = itertools.count(0xA31F)
    runtime = Runtime(4, registry=registry, echo=False, new_job_id=lambda: f"{next(numbers):04x}c0ffee")
    folder = Path.cwd() / "flows"
    backend = RuntimeBackend(runtime, FlowFolder(FlowLoader(folder, registry)))
    app = RoutiluxApp(backend, theme="textual-dark")
    app.animation_level = "none"
    try:
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: not app.main.catalogue.loading)
            await picture(pilot, runtime)
            await pilot.pause()
            # Without the fonts from the network: any monospaced one will do.
            svg = re.sub(
                r"@font-face \{.*?\}", "", app.export_screenshot(title="routilux-tui"), flags=re.DOTALL
            )
            # Some flows print where the folder really is; the text must stay as wide as it was drawn.
            here = str(Path.cwd())
            (HERE / f"{name}.svg").write_text(
                svg.replace(here, "/srv/work/data".ljust(len(here))[: len(here)]), "utf-8"
            )
    finally:
        backend.close()
        runtime.cancel_all_jobs(force=True)
        runtime.shutdown(wait=True)


def make() -> None:
    """Make all pictures."""
    with tempfile.TemporaryDirectory() as folder:
        example_files(Path(folder))
        # Paths on the pictures are then those that anybody would have.
        os.chdir(folder)
        for name, picture in PICTURES.items():
            asyncio.run(take(name, picture))
            print(f"screenshots/{name}.svg")


if __name__ == "__main__":
    make()

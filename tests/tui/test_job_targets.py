"""Whatever is marked, filtered, sorted and moved while jobs come, change and go: an action hits those jobs
that it was about when it was asked, and no others."""

from __future__ import annotations

import random

import pytest

from routilux.snapshot import JobSummary
from tests.tui import fixed
from tests.tui.driving import app_of, main_of, orders_of
from tests.tui.fixed import FixedBackend, S
from tui.screens.question import Question
from tui.widgets.job_table import JobTable

pytestmark = pytest.mark.anyio

KEYS = ("j", "k", "g", "G", "space", "space", "V", "escape", "asterisk", "U", "v", "greater_than_sign", "I")
FILTERS = ("", "etl", "state:running", "!state:completed", "report", "id:001")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Model:
    """What ought to be marked, told by what is pressed."""

    def __init__(self, table: JobTable) -> None:
        self.table = table
        self.marked: list[str] = []
        self.anchor: str | None = None

    @property
    def rows(self) -> list[str]:
        return [job.job_id for job in self.table.rows.rows]

    def mark(self, job_ids: list[str]) -> None:
        self.marked += [job_id for job_id in job_ids if job_id not in self.marked]

    def fix(self) -> bool:
        if self.anchor is None:
            return False
        ends = sorted((self.rows.index(self.anchor), self.rows.index(self.table.chosen or "")))
        self.mark(self.rows[ends[0] : ends[1] + 1])
        self.anchor = None
        return True

    def press(self, key: str) -> None:
        """Before the key is pressed."""
        chosen, rows = self.table.chosen, self.rows
        if key == "space" and chosen is not None and not self.fix():
            if chosen in self.marked:
                self.marked.remove(chosen)
            else:
                self.marked.append(chosen)
        elif key == "V" and chosen is not None and not self.fix():
            self.anchor = chosen
        elif key == "escape":
            if self.anchor is not None:
                self.anchor = None
            elif not self.table.filter and self.table.rows.view == "all":
                self.marked.clear()
        elif key == "asterisk":
            self.anchor = None
            if all(job_id in self.marked for job_id in rows):
                self.marked = [job_id for job_id in self.marked if job_id not in rows]
            else:
                self.mark(rows)
        elif key == "U":
            self.marked.clear()
            self.anchor = None

    def look(self) -> None:
        """After the rows have changed."""
        self.marked = [job_id for job_id in self.marked if job_id in self.table.rows]
        if self.anchor is not None and self.anchor not in self.rows:
            self.anchor = None

    def targets(self) -> tuple[list[str], list[str]]:
        """The live jobs that a cancel goes to: those that are shown, in their order, and hidden ones."""
        self.fix()
        marked = self.marked or ([self.table.chosen] if self.table.chosen is not None else [])
        live = [job_id for job_id in marked if not self.status(job_id).is_final]
        rows = self.rows
        return sorted((each for each in live if each in rows), key=rows.index), [
            each for each in live if each not in rows
        ]

    def status(self, job_id: str) -> S:
        job = self.table.rows.job(job_id)
        assert job is not None
        return job.status


def other_jobs(chance: random.Random, jobs: tuple[JobSummary, ...], number: int) -> tuple[JobSummary, ...]:
    """Some end, some are forgotten, some come."""
    now = []
    for job in jobs:
        if not job.status.is_final and chance.random() < 0.15:
            job = job._replace(status=chance.choice((S.COMPLETED, S.FAILED, S.PAUSED)))
        elif not job.status.is_final:
            job = job._replace(elapsed=job.elapsed + chance.random())
        if not job.status.is_final or chance.random() > 0.1:
            now.append(job)
    now += [
        fixed.summary(number + at, S.RUNNING, chance.choice(("etl.daily", "report")))
        for at in range(chance.randrange(4))
    ]
    return tuple(now)


@pytest.mark.parametrize("seed", range(4))
async def test_an_action_goes_to_exactly_the_jobs_it_was_asked_about(seed: int) -> None:
    chance = random.Random(seed)
    jobs = tuple(fixed.summary(number, S.RUNNING) for number in range(12))
    app = fixed.app(jobs)
    app.animation_level = "none"
    asked = 0
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("4")
        main, backend = main_of(pilot), app_of(pilot).backend
        assert isinstance(backend, FixedBackend)
        table = main.job_table
        model = Model(table)

        def change(step: int) -> None:
            nonlocal jobs
            jobs = other_jobs(chance, jobs, 0x100 + 10 * step)
            backend.give(jobs)
            main._frame()
            model.look()

        for step in range(90):
            what = chance.random()
            if what < 0.6:
                key = chance.choice(KEYS)
                if key == "escape" and model.anchor is None and not model.marked and not table.filter:
                    # It would lead out of the list.
                    continue
                model.press(key)
                await pilot.press(key)
                model.look()
            elif what < 0.7:
                table.set_filter(chance.choice(FILTERS))
                table.marks.forget_gone()
                model.look()
            elif what < 0.85:
                change(step)
            else:
                shown, hidden = model.targets()
                before = len(orders_of(pilot))
                await pilot.press("x")
                if not isinstance(app.screen, Question):
                    assert not shown
                    assert not hidden
                    continue
                asked += 1
                for more in range(chance.randrange(3)):
                    change(100 * step + more + 100)
                answer = "a" if hidden and (not shown or chance.random() < 0.5) else "y"
                await pilot.press(answer)
                wanted = [*shown, *hidden] if answer == "a" else shown
                assert orders_of(pilot)[before:] == [("cancel", job_id, False) for job_id in wanted]
            assert {job.job_id for job in table.marks.targets().all} == set(model.marked)
        assert asked > 3

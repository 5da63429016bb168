"""The jobs that were saved when the app was left: offered when it is opened, and whenever one asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from tui.aside import aside
from tui.backend import Backend
from tui.job_words import count_of, job_name, jobs_named, jobs_were
from tui.keys import key_named
from tui.saved_jobs import SavedJob
from tui.screens.asking import Answer, ask
from tui.screens.telling import TellingScreen

if TYPE_CHECKING:
    from tui.screens.saved import Decision


class OfferingScreen(TellingScreen):
    """What the main screen does with saved jobs."""

    backend: Backend
    _clock: Callable[[], datetime]

    def go_to_job(self, job_id: str) -> None:
        """Show a job that runs now."""
        raise NotImplementedError

    def action_saved_jobs(self) -> None:
        """Look for saved jobs, and say so if there are none."""
        self.run_worker(self._offer(asked=True), exit_on_error=True)

    def offer_saved_jobs(self) -> None:
        """The app has just been opened: offer what was saved, if anything was."""
        self.run_worker(self._offer(asked=False), exit_on_error=True)

    async def _offer(self, *, asked: bool) -> None:
        try:
            jobs = await aside(self.backend.keeper.saved)
        except Exception as error:
            self.say(f"Saved jobs cannot be listed: {error}", severity="error")
            return
        if not jobs:
            if asked:
                self.say("No job was saved when the app was left.")
        elif self.app.screen is self:
            # Not before there is something to offer: the first frame would wait for it.
            from tui.screens.saved import SavedScreen

            self.app.push_screen(SavedScreen(jobs, self._clock().tzinfo), self._decided)
        else:
            key = key_named("saved-jobs").first
            self.say(f"{jobs_were(len(jobs))} saved when the app was left: {key} shows them.")

    def _decided(self, decision: Decision | None) -> None:
        if decision is None or not decision.jobs:
            return
        if decision.what == "carry on":
            self.run_worker(self._carry_on(decision.jobs), exit_on_error=True)
            return
        title = f"Discard {count_of(len(decision.jobs), 'saved job')}?"
        answers = [Answer("y", "discard for good", "yes", grave=True), Answer("n", "keep", "")]

        def answered(answer: str | None) -> None:
            if answer:
                self.run_worker(self._discard(decision.jobs), exit_on_error=True)

        ask(self, title, jobs_named(decision.jobs), answers, answered)

    async def _carry_on(self, jobs: Sequence[SavedJob]) -> None:
        done = [job for job in jobs if await self._try(job, self.backend.keeper.carry_on, "carried on")]
        if done:
            self.say(f"{count_of(len(done))} carried on.")
            self.go_to_job(done[0].job_id)

    async def _discard(self, jobs: Sequence[SavedJob]) -> None:
        done = [job for job in jobs if await self._try(job, self.backend.keeper.discard, "discarded")]
        if done:
            self.say(f"{count_of(len(done), 'saved job')} discarded.")

    async def _try(self, job: SavedJob, do: Callable[[SavedJob], object], done: str) -> bool:
        try:
            await aside(do, job)
        except Exception as error:
            self.say(f"{job_name(job)} was not {done}: {error}", severity="error")
            return False
        return True

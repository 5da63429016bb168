"""What the keys do to jobs that have not ended: pause, resume, cancel."""

from __future__ import annotations

from typing import ClassVar

from routilux.status import ExecutionStatus
from tui.job_words import cancelling_means, job_name
from tui.screens.asking import Answer, ask
from tui.screens.starting import StartingScreen

_S = ExecutionStatus


class SteeringScreen(StartingScreen):
    """The actions of the main screen on jobs."""

    AUTO_FOCUS: ClassVar[str | None] = ""

    def action_pause(self) -> None:
        job = self.job_or_say()
        if job is None:
            return
        resume = job.status in (_S.PAUSED, _S.PAUSING)
        done = self.backend.resume(job.job_id) if resume else self.backend.pause(job.job_id)
        if not done:
            self.say(f"{job_name(job)} does not run and cannot be paused.", severity="warning")

    def action_cancel(self) -> None:
        self._ask_to_cancel(force=False)

    def action_cancel_force(self) -> None:
        self._ask_to_cancel(force=True)

    def _ask_to_cancel(self, *, force: bool) -> None:
        job = self.job_or_say()
        if job is None:
            return
        if job.status.is_final:
            self.say(f"{job_name(job)} has already ended.", severity="warning")
            return
        title = f"Cancel {job_name(job)}{' by force' if force else ''}?"
        answers = [Answer("y", "cancel the job", "yes", grave=True), Answer("n", "let it go on", "")]

        def answered(answer: str | None) -> None:
            if answer and not self.backend.cancel(job.job_id, force=force):
                self.say(f"{job_name(job)} had ended meanwhile.", severity="warning")

        ask(self, title, cancelling_means(force), answers, answered)

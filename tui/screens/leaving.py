"""Leaving while jobs have not ended: wait for them, pause and save them, or cancel them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from routilux.snapshot import JobSummary, RuntimeSnapshot
from routilux.status import ExecutionStatus
from tui.aside import aside
from tui.backend import Backend
from tui.feed import unfinished
from tui.formats import short_id
from tui.job_words import NAMED, count_of, job_name, jobs_have, jobs_named, more_than_named
from tui.screens.asking import Answer, ask
from tui.screens.offering import OfferingScreen

if TYPE_CHECKING:
    from tui.screens.question import Question

_S = ExecutionStatus


class LeavingScreen(OfferingScreen):
    """The main screen's way out. A job that has not ended is waited for, saved, or cancelled: never lost
    without somebody having said so."""

    backend: Backend
    # What becomes of what has not ended; the app ends when it has. None while nobody wants to leave.
    leaving: Literal["wait", "save", "cancel"] | None = None

    def __init__(self) -> None:
        super().__init__()
        # The jobs that were paused here so that one can leave: they run on if one stays.
        self._held_up: set[str] = set()
        # The jobs that are in their files: as far as leaving goes, they have ended.
        self._kept: set[str] = set()
        # Whether jobs are being saved, or taken back out of their files: nobody leaves before that is done.
        self._at_files = False
        # Whether what cannot be paused is left behind.
        self._leaves_rest = False
        self._pausing: Question | None = None

    def newest(self) -> RuntimeSnapshot | None:
        """The picture that was taken last."""
        raise NotImplementedError

    def being_started(self) -> Sequence[str]:
        """What is being started beside the screen, and would not be if the app ended now."""
        raise NotImplementedError

    def _left(self) -> list[JobSummary]:
        """The jobs that leaving has still to see to, as they are now."""
        return [job for job in unfinished(self.backend.snapshot()) if job.job_id not in self._kept]

    # ---- asking

    def action_ask_quit(self) -> None:
        """Leave at once if everything has ended; else ask what is to become of what has not."""
        jobs = self._left()
        if self._at_files:
            self.say("The files of saved jobs are still being written or removed.")
        elif not jobs and self.leaving is None and self.being_started():
            answers = [Answer("y", "quit", "leave", grave=True), Answer("s", "stay", "")]
            self._ask("Quit?", self._starts_text(), answers)
        elif not jobs and self.leaving is None:
            self.app.exit()
        elif self.leaving is None:
            self._ask_first(jobs)
        elif self.leaving == "wait":
            answers = [
                Answer("p", "pause and save, then quit", "save"),
                Answer("c", "cancel, then quit", "cancel", grave=True),
                Answer("s", "stay after all", "stay"),
                Answer("w", "go on waiting", ""),
            ]
            self._ask("Quitting", f"{jobs_have(len(jobs))} not ended: {jobs_named(jobs)}.", answers)
        elif self.leaving == "save":
            self._show_pausing(jobs)
        else:
            answers = [
                Answer("f", "force: interrupt it", "force", grave=True),
                Answer("b", "leave it behind", "leave", grave=True),
                Answer("w", "go on waiting", ""),
            ]
            self._ask("Quitting", f"What runs has not returned yet: {jobs_named(jobs)}.", answers)

    def _ask_first(self, jobs: Sequence[JobSummary]) -> None:
        text = f"{jobs_have(len(jobs))} not ended: {jobs_named(jobs)}."
        paused = sum(job.status is _S.PAUSED for job in jobs)
        if paused:
            text += f"\nWaiting does not include paused jobs ({paused}): they are saved in the end."
        if self.being_started():
            text += f"\n{self._starts_text()}"
        answers = [
            Answer("w", "wait, then quit", "wait"),
            Answer("p", "pause and save, then quit", "save"),
            Answer("c", "cancel, then quit", "cancel", grave=True),
            Answer("s", "stay", ""),
        ]
        self._ask("Quit?", text, answers)

    def ask_quit_in_any_case(self) -> None:
        """For a key that is pressed by habit, and with another meaning in mind."""
        newest = self.newest()
        if self._left() or self.leaving is not None or self.being_started() or not newest or not newest.jobs:
            self.action_ask_quit()
        else:
            text = f"{count_of(len(newest.jobs))} that ended will no longer be listed."
            self._ask("Quit?", text, [Answer("y", "quit", "leave"), Answer("s", "stay", "")])

    def _starts_text(self) -> str:
        return f"Still to be started: {', '.join(self.being_started())}. Who does not wait gives that up."

    def _ask(self, title: str, text: str, answers: Sequence[Answer]) -> None:
        ask(self, title, text, answers, self._leave)

    def _leave(self, answer: str | None) -> None:
        if answer == "leave":
            self._exit()
        elif answer == "stay":
            self._stay()
        elif answer == "wait":
            self.leaving = "wait"
        elif answer == "save":
            self.leaving = "save"
        elif answer in ("cancel", "force"):
            self.leaving = "cancel"
            for job in self._left():
                self.backend.cancel(job.job_id, force=answer == "force")
        self.leave_if_done()

    def _stay(self) -> None:
        """What was paused so that one can leave runs on, and is in no file any more."""
        self.leaving = None
        self._leaves_rest = False
        if self._kept:
            self._at_files = True
            self.run_worker(self._take_back(frozenset(self._kept)), exit_on_error=True)
        else:
            self._run_on({})

    async def _take_back(self, job_ids: frozenset[str]) -> None:
        """Have the jobs in no file any more before they run on."""
        try:
            refused = dict(await aside(self.backend.keeper.forget, job_ids))
        except Exception as error:
            refused = dict.fromkeys(job_ids, str(error))
        self._at_files = False
        self._run_on(refused)

    def _run_on(self, refused: Mapping[str, str]) -> None:
        for job_id in self._held_up - set(refused):
            self.backend.resume(job_id)
        for job_id, why in refused.items():
            self.say(f"{short_id(job_id)} stays paused, for it is saved: {why}", severity="warning")
        self._kept.clear()
        self._held_up.clear()

    # ---- doing it

    def leave_if_done(self) -> None:
        """Go on with leaving, if that was wanted. Asked at every frame."""
        if self.leaving is None or self._at_files:
            return
        jobs = self._left()
        if not jobs:
            if self.leaving != "wait" or not self.being_started():
                self._close_pausing()
                self._exit()
        elif self.leaving == "save":
            self._go_on_saving(jobs)
        elif self.leaving == "wait" and all(job.status is _S.PAUSED for job in jobs):
            # Only paused ones are left, and nobody will resume them.
            self.leaving = "save"
            self._go_on_saving(jobs)

    def _go_on_saving(self, jobs: Sequence[JobSummary]) -> None:
        for job in jobs:
            if job.status is _S.RUNNING and self.backend.pause(job.job_id):
                self._held_up.add(job.job_id)
        jobs = self._left()
        running = [job for job in jobs if job.status is not _S.PAUSED]
        if running and not self._leaves_rest:
            if self._pausing is not None:
                self._pausing.show_text(self._pausing_text(jobs))
            elif self.app.screen is self and not self._told_pausing:
                self._show_pausing(jobs)
            return
        self._close_pausing()
        self._at_files = True
        paused = [job.job_id for job in jobs if job.status is _S.PAUSED]
        self.run_worker(self._save(paused), exit_on_error=True)

    async def _save(self, job_ids: Sequence[str]) -> None:
        """Save jobs that are paused, and leave; or ask again, if some cannot be saved."""
        try:
            refused = dict(await aside(self.backend.keeper.save, job_ids))
        except Exception as error:
            refused = dict.fromkeys(job_ids, str(error))
        self._kept |= set(job_ids) - set(refused)
        self._at_files = False
        if not refused:
            if self._leaves_rest:
                self._exit()
            else:
                self.leave_if_done()
            return
        self.leaving = None
        self._leaves_rest = False
        self._ask_about_refused(refused)

    def _ask_about_refused(self, refused: dict[str, str]) -> None:
        jobs = {job.job_id: job for job in unfinished(self.backend.snapshot())}
        lines = []
        if self._kept:
            lines.append(f"{jobs_have(len(self._kept))} been saved. What has not, is paused:")
        for job_id, why in list(refused.items())[:NAMED]:
            name = job_name(jobs[job_id]) if job_id in jobs else short_id(job_id)
            lines.append(f"{name}: {why}")
        lines.append(more_than_named(len(refused)))
        answers = [
            Answer("w", "let it run on, quit when it has ended", "wait"),
            Answer("c", "cancel it, then quit", "cancel", grave=True),
            Answer("s", "stay: all run on", ""),
        ]

        def answered(answer: str | None) -> None:
            if answer == "wait":
                for job_id in refused:
                    self.backend.resume(job_id)
            self._leave(answer or "stay")

        title = f"{count_of(len(refused))} cannot be saved"
        ask(self, title, "\n".join(filter(None, lines)), answers, answered)

    def _exit(self) -> None:
        said = ""
        if self._kept:
            count = jobs_have(len(self._kept))
            said = f"{count} been saved, and will be offered when the app is opened again."
        if self.being_started():
            said = f"{said}\nNot started any more: {', '.join(self.being_started())}.".strip()
        self.app.exit(message=said or None)

    # ---- while a pause takes long

    _told_pausing = False

    def _show_pausing(self, jobs: Sequence[JobSummary]) -> None:
        answers = [
            Answer("f", "interrupt and cancel what runs", "force", grave=True),
            Answer("b", "leave what runs behind", "leave", grave=True),
            Answer("s", "stay: all run on", "stay"),
            Answer("w", "go on waiting", ""),
        ]
        self._told_pausing = True

        def answered(answer: str | None) -> None:
            self._pausing = None
            if answer == "force":
                for job in self._left():
                    if job.status is not _S.PAUSED:
                        self.backend.cancel(job.job_id, force=True)
            elif answer == "leave":
                self._leaves_rest = True
            elif answer == "stay":
                self._told_pausing = False
                self._stay()
            self.leave_if_done()

        self._pausing = ask(self, "Pausing, to save and quit", self._pausing_text(jobs), answers, answered)

    def _close_pausing(self) -> None:
        dialog, self._pausing = self._pausing, None
        self._told_pausing = False
        if dialog is not None:
            dialog.dismiss_in_turn(None)

    def _pausing_text(self, jobs: Sequence[JobSummary]) -> str:
        running = [job for job in jobs if job.status is not _S.PAUSED]
        lines = [f"{jobs_have(len(jobs) - len(running))} been paused." if len(jobs) > len(running) else ""]
        for job in running[:NAMED]:
            detail = self.backend.detail(job.job_id)
            waits_for = detail.snapshot.waits_for if detail is not None else ""
            lines.append(f"{job_name(job)}: {waits_for or job.status.value}")
        lines.append(more_than_named(len(running)))
        return "\n".join(filter(None, lines))


def leaving_words(leaving: str | None) -> str:
    """What the header says while the app is being left."""
    words = {
        "wait": "quits when its jobs have ended",
        "save": "quits when its jobs are paused and saved",
        "cancel": "quits when its jobs are cancelled",
    }
    return words.get(leaving or "", "")

"""Actions on many jobs at once: the list is frozen when it is asked about, and told how it went."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from routilux.snapshot import JobSummary
from routilux.status import ExecutionStatus
from tui.batch import Batch, Verb
from tui.feed import Feed
from tui.formats import short_id
from tui.job_words import cancelling_means, count_of, job_name, jobs_named
from tui.marks import Targets
from tui.parts import in_parts
from tui.screens.asking import Answer, ask
from tui.screens.steering import SteeringScreen
from tui.screens.waiting import wait_for

_S = ExecutionStatus
Jobs = tuple[JobSummary, ...]


class _Asked(NamedTuple):
    """What a question is about. `about` explains the action; `left_out`: who it does not go to, and why."""

    verb: str
    targets: Targets
    about: str
    left_out: str = ""


class BulkScreen(SteeringScreen):
    """Where jobs are marked, the keys for jobs go to all of them; else to the chosen one."""

    feed: Feed
    _clock: Callable[[], datetime]

    def __init__(self) -> None:
        super().__init__()
        self._batches: list[Batch] = []

    def targets(self) -> Targets:
        """What an action goes to now."""
        raise NotImplementedError

    def _many(self) -> Targets | None:
        """The targets, where they are not just the job that is chosen."""
        targets = self.targets()
        chosen = self.chosen_job()
        if not targets.all or (chosen is not None and [job.job_id for job in targets.all] == [chosen.job_id]):
            return None
        return targets

    # ---- the actions

    def action_cancel(self) -> None:
        targets = self._many()
        if targets is None:
            super().action_cancel()
        else:
            self._cancel_many(targets, force=False)

    def action_cancel_force(self) -> None:
        targets = self._many()
        if targets is None:
            super().action_cancel_force()
        else:
            self._cancel_many(targets, force=True)

    def _cancel_many(self, targets: Targets, *, force: bool) -> None:
        able = _those(targets, lambda job: not job.status.is_final)
        left_out = _left_out(targets, able, "has ended already", "have ended already")
        asked = _Asked("Cancel", able, cancelling_means(force), left_out)
        order = partial(self.backend.cancel, force=force)
        self._ask_about(asked, partial(self._give, "cancel", order), suffix=" by force" if force else "")

    def action_pause(self) -> None:
        targets = self._many()
        if targets is None:
            super().action_pause()
            return
        verb: Verb = "pause"
        able = _those(targets, lambda job: job.status is _S.RUNNING)
        if not able.all:
            held = _those(targets, lambda job: job.status in (_S.PAUSED, _S.PAUSING))
            if held.all:
                verb, able = "resume", held
        about = (
            "No further activation starts until they are resumed; what runs comes to its end."
            if verb == "pause"
            else "They carry on where they were."
        )
        asked = _Asked(verb.capitalize(), able, about, _left_out(targets, able, "does not run", "do not run"))
        self._ask_about(asked, partial(self._give, verb, getattr(self.backend, verb)))

    async def action_rerun(self) -> None:
        targets = self._many()
        if targets is None:
            await super().action_rerun()
        else:
            more = [Answer("f", "a form for each", "forms")]
            self._ask_about(_Asked("Re-run", targets, _EXACTLY), self._rerun_all, more=more)

    async def action_rerun_now(self) -> None:
        targets = self._many()
        if targets is None:
            await super().action_rerun_now()
        else:
            self._ask_about(_Asked("Re-run", targets, _EXACTLY), self._rerun_all)

    # ---- asking

    def _ask_about(
        self,
        asked: _Asked,
        act: Callable[[Jobs], Awaitable[None]],
        *,
        suffix: str = "",
        more: Sequence[Answer] = (),
    ) -> None:
        """Ask, and let `act` have the jobs that were meant when the question was put, and no others."""
        verb, targets, about, left_out = asked
        shown, hidden = targets
        if not targets.all:
            self.say(f"None of the marked jobs can be {_participle(verb)}: {left_out}.", severity="warning")
            return
        grave = verb == "Cancel"
        first = shown or hidden
        lines = [f"{jobs_named(first)}.", about]
        if left_out:
            lines.append(f"Left out: {left_out}.")
        answers: list[Answer] = []
        if shown:
            answers.append(Answer("y", f"{verb.lower()} {len(shown):,}", "shown", grave))
        if hidden and shown:
            lines.append(f"{_hidden(len(hidden))} marked too: {jobs_named(hidden)}.")
            answers.append(Answer("a", f"all {len(targets.all):,}, hidden too", "all", grave))
        elif hidden:
            lines.append("The filter or the view hides all of them.")
            answers.append(Answer("a", f"{verb.lower()} {len(hidden):,} hidden", "all", grave))
        answers += [*more, Answer("n", "leave them", "")]

        async def answered(answer: str | None) -> None:
            if answer == "forms":
                await self._forms(first, 1, len(first))
            elif answer:
                await act(targets.all if answer == "all" else shown)

        title = f"{verb} {count_of(len(first))}{suffix}?"
        ask(self, title, "\n".join(lines), answers, answered)

    # ---- doing

    async def _give(self, verb: Verb, order: Callable[[str], bool], jobs: Jobs) -> None:
        batch = Batch(verb, [job.job_id for job in jobs], order, self._clock)
        self._batches.append(batch)
        if batch.go_on():
            in_parts(self, batch.go_on)

    def tell_batches(self) -> None:
        """Say what has become of orders to many jobs, once it has. Asked at every frame."""
        for batch in self._batches:
            news = batch.news(self.feed.roster.by_id.get)
            if news is not None:
                self.say(news)
        self._batches = [batch for batch in self._batches if not batch.done]

    def follows(self, job_id: str) -> bool:
        """Whether what becomes of a job is going to be told with others."""
        return any(job_id in batch for batch in self._batches)

    async def _rerun_all(self, jobs: Jobs) -> None:
        def start_all() -> tuple[int, list[str]]:
            started, failures = 0, []
            for job in jobs:
                try:
                    self.backend.start(job.flow_name, self.backend.given(job))
                except Exception as error:
                    # The flow's own code takes part in a start, so that anything may come.
                    failures.append(f"{job_name(job)}: {error}")
                else:
                    started += 1
            return started, failures

        async def tell(starting: asyncio.Future[tuple[int, list[str]]]) -> None:
            started, failures = starting.result()
            text = f"{count_of(started)} started."
            if failures:
                text += f"\n{len(failures):,} not started: {failures[0]}"
            self.say(text, severity="error" if failures else "information")

        async def left(starting: asyncio.Future[Any]) -> None:
            self.say(f"{count_of(len(jobs))} being started, one after another.")
            self.let_start(starting, count_of(len(jobs)))

        await wait_for(self, start_all, f"starting {count_of(len(jobs))} …", tell, left)

    async def _forms(self, jobs: Sequence[JobSummary], number: int, total: int) -> None:
        """One form after another; leaving one of them leaves out the rest."""
        if not jobs:
            return
        job, *rest = jobs
        flow = self.flow_of(job)
        if flow is None:
            await self._forms(rest, number + 1, total)
            return

        async def answered(given: bool) -> None:
            if given:
                await self._forms(rest, number + 1, total)
            else:
                self.say(f"{count_of(len(jobs))} not started again.", severity="warning")

        title = f"Re-run {number} of {total}: {short_id(job.job_id)}"
        await self.ask_and_start(flow, self.backend.given(job), title, answered)


_EXACTLY = "New jobs start with exactly their parameters."


def _those(targets: Targets, able: Callable[[JobSummary], bool]) -> Targets:
    return Targets(tuple(filter(able, targets.shown)), tuple(filter(able, targets.hidden)))


def _left_out(targets: Targets, able: Targets, one: str, many: str) -> str:
    number = len(targets.all) - len(able.all)
    return f"{count_of(number)} {one if number == 1 else many}" if number else ""


def _participle(verb: str) -> str:
    return {"Cancel": "cancelled", "Pause": "paused", "Resume": "resumed"}.get(verb, "re-run")


def _hidden(number: int) -> str:
    return "1 job that is hidden is" if number == 1 else f"{number:,} jobs that are hidden are"

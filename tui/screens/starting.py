"""What the keys do to start jobs: with the form, at once, again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from routilux.exceptions import FlowDefinitionError, ParameterError
from routilux.snapshot import JobSummary
from tui.backend import Backend
from tui.pictures import Catalogue, FlowPicture
from tui.screens.leaving import LeavingScreen
from tui.screens.waiting import wait_for

if TYPE_CHECKING:
    from tui.form.draft import Draft

# Is told whether a job was started.
Then: TypeAlias = Callable[[bool], Awaitable[None]]


class _Prepared(NamedTuple):
    """A flow whose parameters are known, and the sets that it was started with."""

    flow: FlowPicture
    earlier: Sequence[Mapping[str, Any]]


class StartingScreen(LeavingScreen):
    """The actions that start jobs. Flows' own code takes part in each, and is waited for aside."""

    backend: Backend
    catalogue: Catalogue

    def __init__(self) -> None:
        super().__init__()
        # Flow name -> what stood in its form when that was left without starting.
        self._drafts: dict[str, Draft] = {}
        # Starts that go on beside the screen, and what is started.
        self._starts: dict[asyncio.Future[Any], str] = {}

    def chosen_flow(self) -> FlowPicture | None:
        raise NotImplementedError

    def chosen_job(self) -> JobSummary | None:
        raise NotImplementedError

    def go_to_job(self, job_id: str) -> None:
        """Show a job that was just started."""
        raise NotImplementedError

    async def action_start(self) -> None:
        flow = self._flow_or_say()
        if flow is not None:
            await self._prepare(flow, self._open_form)

    async def action_start_now(self) -> None:
        flow = self._flow_or_say()
        if flow is not None:
            await self._prepare(flow, self._start_now)

    async def action_rerun(self) -> None:
        job = self.job_or_say()
        flow = None if job is None else self.flow_of(job)
        if job is not None and flow is not None:
            await self.ask_and_start(flow, self.backend.given(job), "Re-run")

    async def action_rerun_now(self) -> None:
        job = self.job_or_say()
        if job is not None and self.flow_of(job) is not None:
            await self.start(job.flow_name, self.backend.given(job))

    def _flow_or_say(self) -> FlowPicture | None:
        flow = self.chosen_flow()
        if flow is None:
            self.say("No flow is chosen.", severity="warning")
        return flow

    def job_or_say(self) -> JobSummary | None:
        job = self.chosen_job()
        if job is None:
            self.say("No job is chosen.", severity="warning")
        return job

    def flow_of(self, job: JobSummary) -> FlowPicture | None:
        """The flow that the job would run again; where there is none any more, that is said."""
        flow = self.catalogue.flow(job.flow_name)
        if flow is None:
            self.say(f"The flow {job.flow_name} is no longer in the folder.", severity="warning")
        return flow

    # ---- the steps

    async def ask_and_start(
        self,
        flow: FlowPicture,
        values: Mapping[str, Any],
        title: str,
        then: Then | None = None,
    ) -> None:
        """Ask for parameters, beginning with these, and start a job; `then` is told whether one was."""
        await self._prepare(flow, partial(self._open_form, values=values, title=title, then=then), then)

    async def _prepare(
        self, flow: FlowPicture, go_on: Callable[[_Prepared], Awaitable[None]], then: Then | None = None
    ) -> None:
        """Go on with what a form is made of; `then` is told where that cannot be, or is not waited for."""

        def read() -> _Prepared:
            described = flow if flow.described else self.backend.describe(flow.name)
            return _Prepared(described or flow, self.backend.earlier(flow.name))

        async def answered(reading: asyncio.Future[_Prepared]) -> None:
            try:
                prepared = reading.result()
            except Exception as error:
                self.say(f"{flow.name} cannot be described: {error}", severity="error")
                if then is not None:
                    await then(False)
            else:
                await go_on(prepared)

        async def left(reading: asyncio.Future[_Prepared]) -> None:
            reading.cancel()
            if then is not None:
                await then(False)

        await wait_for(self, read, f"reading the parameters of {flow.name} …", answered, left)

    async def _start_now(self, prepared: _Prepared) -> None:
        flow, earlier = prepared
        if flow.hindrances:
            # Something is to be seen to first, and the form says what.
            await self._open_form(prepared)
        else:
            values = earlier[0] if earlier else {}
            await self.start(flow.name, values, refused=lambda: self._open_form(prepared))

    async def _open_form(
        self,
        prepared: _Prepared,
        values: Mapping[str, Any] | None = None,
        title: str = "Start",
        then: Then | None = None,
    ) -> None:
        """A form with these values, or else as it was left, or with those of the last start; `then` is told
        whether a job was started."""
        # Here and not at the top: what forms are made of is a tenth of the time to the first frame.
        from tui.screens.start import StartScreen

        flow, earlier = prepared
        left = None
        anew = values is None
        if values is None:
            values = earlier[0] if earlier else {}
            left = self._drafts.pop(flow.name, None)

        async def answered(given: dict[str, Any] | None) -> None:
            if given is not None:
                await self.start(flow.name, given, left=form.left)
            elif anew and form.draft.edited:
                self._drafts[flow.name] = form.left
            if then is not None:
                await then(given is not None)

        check = partial(self.backend.check, flow.name)
        form = StartScreen(flow, check, values=values, earlier=earlier, title=title, left=left)
        await self.app.push_screen(form, answered)

    async def start(
        self,
        flow_name: str,
        values: Mapping[str, Any],
        refused: Callable[[], Awaitable[None]] | None = None,
        left: Draft | None = None,
    ) -> None:
        """Start a job and go to it. Where the flow does not take the values, go on with `refused`; the next
        form of a flow that could not be started is as this one was `left`."""

        def not_started(error: BaseException) -> None:
            if left is not None:
                self._drafts[flow_name] = left
            self.say(f"{flow_name} was not started: {error}", severity="error")

        async def answered(starting: asyncio.Future[str]) -> None:
            try:
                job_id = starting.result()
            except (ParameterError, FlowDefinitionError) as error:
                if refused is not None:
                    await refused()
                else:
                    not_started(error)
            except Exception as error:
                # The flow's own code takes part in a start, so that anything may come.
                not_started(error)
            else:
                self.go_to_job(job_id)

        async def not_waited_for(starting: asyncio.Future[str]) -> None:
            self.say(f"{flow_name} starts when its parameters have been checked.")
            self.let_start(starting, flow_name)
            starting.add_done_callback(late)

        def late(starting: asyncio.Future[str]) -> None:
            if not starting.cancelled() and (error := starting.exception()) is not None:
                not_started(error)

        start = partial(self.backend.start, flow_name, values)
        await wait_for(self, start, f"{flow_name}: checking the parameters …", answered, not_waited_for)

    def let_start(self, starting: asyncio.Future[Any], what: str) -> None:
        """Nobody waits for this start any more; who leaves the app is told of it."""
        self._starts[starting] = what
        starting.add_done_callback(lambda done: self._starts.pop(done, None))

    def being_started(self) -> Sequence[str]:
        return tuple(self._starts.values())

"""What the keys do to jobs: start, re-run, pause, cancel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from routilux.snapshot import JobSummary
from routilux.status import ExecutionStatus
from tui.backend import Backend
from tui.formats import short_id
from tui.pictures import Catalogue, FlowPicture
from tui.screens.describing import DescribingScreen
from tui.screens.leaving import LeavingScreen
from tui.screens.question import Answer, Question

if TYPE_CHECKING:
    from tui.screens.start import StartScreen

_S = ExecutionStatus


class SteeringScreen(LeavingScreen, inherit_bindings=False):
    """The actions of the main screen on jobs. What they act on is asked of the methods below."""

    AUTO_FOCUS: ClassVar[str | None] = ""

    backend: Backend
    catalogue: Catalogue

    def chosen_flow(self) -> FlowPicture | None:
        raise NotImplementedError

    def chosen_job(self) -> JobSummary | None:
        raise NotImplementedError

    def go_to_job(self, job_id: str) -> None:
        """Show a job that was just started."""
        raise NotImplementedError

    # ---- starting

    def action_start(self) -> None:
        flow = self._flow_or_say()
        if flow is not None:
            earlier = self.backend.earlier(flow.name)
            self._open_form(flow, earlier[0] if earlier else {})

    def action_start_now(self) -> None:
        flow = self._flow_or_say()
        if flow is not None:
            self._described(flow, self._start_now)

    def _start_now(self, flow: FlowPicture) -> None:
        earlier = self.backend.earlier(flow.name)
        values = earlier[0] if earlier else {}
        if flow.hindrances or not self._takes(flow.name, values):
            # Something is to be seen to first, and the form says what.
            self._open_form(flow, values)
        else:
            self._start(flow.name, values)

    def _flow_or_say(self) -> FlowPicture | None:
        flow = self.chosen_flow()
        if flow is None:
            self.say("No flow is chosen.", severity="warning")
        return flow

    def _takes(self, flow_name: str, values: Mapping[str, Any]) -> bool:
        try:
            self.backend.check(flow_name, values)
        except Exception:
            return False
        return True

    def _described(self, flow: FlowPicture, go_on: Callable[[FlowPicture], object]) -> None:
        """Go on with the flow once its parameters are known, which they are but for the first moments."""
        if flow.described:
            go_on(flow)
            return

        def answered(answer: FlowPicture | Exception | None) -> None:
            if isinstance(answer, FlowPicture):
                go_on(answer)
            elif answer is not None:
                self.say(f"{flow.name} cannot be described: {answer}", severity="error")

        self.app.push_screen(DescribingScreen(flow.name, self.backend.describe), answered)

    def _open_form(self, flow: FlowPicture, values: Mapping[str, Any], title: str = "Start") -> None:
        self._described(flow, lambda described: self._open_described(described, values, title))

    def _open_described(self, flow: FlowPicture, values: Mapping[str, Any], title: str) -> None:
        def answered(given: dict[str, Any] | None) -> None:
            if given is not None:
                self._start(flow.name, given)

        self.app.push_screen(self._form(flow, values, title), answered)

    def _form(self, flow: FlowPicture, values: Mapping[str, Any], title: str) -> StartScreen:
        """A form for the parameters of a flow that is described."""
        # Here and not at the top: what forms are made of is a tenth of the time to the first frame.
        from tui.screens.start import StartScreen

        return StartScreen(
            flow,
            lambda given: self.backend.check(flow.name, given),
            values=values,
            earlier=self.backend.earlier(flow.name),
            title=title,
        )

    def _start(self, flow_name: str, values: Mapping[str, Any]) -> None:
        try:
            job_id = self.backend.start(flow_name, values)
        except Exception as error:
            # The flow's own code takes part in a start, so that anything may come.
            self.say(f"{flow_name} was not started: {error}", severity="error")
            return
        self.go_to_job(job_id)

    def action_rerun(self) -> None:
        job = self._job_or_say()
        if job is None:
            return
        flow = self.catalogue.flow(job.flow_name)
        if flow is None:
            self.say(f"The flow {job.flow_name} is no longer in the folder.", severity="warning")
            return
        self._open_form(flow, job.entry_params, "Re-run")

    def action_rerun_now(self) -> None:
        job = self._job_or_say()
        if job is not None:
            self._start(job.flow_name, job.entry_params)

    def _job_or_say(self) -> JobSummary | None:
        job = self.chosen_job()
        if job is None:
            self.say("No job is chosen.", severity="warning")
        return job

    # ---- pausing and cancelling

    def action_pause(self) -> None:
        job = self._job_or_say()
        if job is None:
            return
        resume = job.status in (_S.PAUSED, _S.PAUSING)
        done = self.backend.resume(job.job_id) if resume else self.backend.pause(job.job_id)
        if not done:
            self.say(f"{_name(job)} does not run and cannot be paused.", severity="warning")

    def action_cancel(self) -> None:
        self._ask_to_cancel(force=False)

    def action_cancel_force(self) -> None:
        self._ask_to_cancel(force=True)

    def _ask_to_cancel(self, *, force: bool) -> None:
        job = self._job_or_say()
        if job is None:
            return
        if job.status.is_final:
            self.say(f"{_name(job)} has already ended.", severity="warning")
            return
        text = (
            "The code that runs is interrupted, and no further activation starts."
            if force
            else "No further activation starts; what runs comes to its end."
        )
        title = f"Cancel {_name(job)}{' by force' if force else ''}?"
        answers = [Answer("y", "cancel the job", "yes", grave=True), Answer("n", "let it go on", "")]

        def answered(answer: str | None) -> None:
            if answer and not self.backend.cancel(job.job_id, force=force):
                self.say(f"{_name(job)} had ended meanwhile.", severity="warning")

        self.app.push_screen(Question(title, text, answers), answered)


def _name(job: JobSummary) -> str:
    return f"{short_id(job.job_id)} {job.flow_name}"

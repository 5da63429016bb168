"""Running a job to its end while somebody watches."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import click

from routilux.cli.display import Bars, Display, PlainLines, has_terminal, show_line
from routilux.cli.interrupts import Interrupts
from routilux.cli.output import Output
from routilux.job import Job
from routilux.runtime import Runtime
from routilux.status import ExecutionStatus

COMPLETED, FAILED, INTERRUPTED = 0, 1, 130
# Whoever read stdout has left: what a shell says of a tool that SIGPIPE has ended.
LEFT = 141
# How long a forced cancel is given to reach code that may not be interruptible, in seconds.
PATIENCE = 3.0
# How long a run that makes way for the next is given before it is forced, in seconds.
MAKE_WAY = 1.0
# How often the picture is taken while the job runs, in seconds. It paints; the end is waited for.
_FRAME = 0.1


def run_job(
    flow_name: str,
    entry_params: Mapping[str, Any],
    *,
    workers: int,
    timeout: float | None,
    silent: bool,
    verbose: bool,
) -> Job:
    """Start a job, show it until it has ended, and answer with it.

    `timeout` is in seconds. With `silent` nothing is written to stdout; otherwise what the job
    prints is. Ctrl-c and SIGTERM cancel, a second one forces, and when code that cannot be
    interrupted withstands that as well, the process ends here, with 130. When whoever reads stdout
    has left, the job is cancelled.

    Raises what `Runtime.exec` raises; `BrokenPipeError` where the reader has left, and the job did
    not fail.
    """
    bars = has_terminal()
    # Without bars in the way, the job prints for itself.
    echoed = not bars and not silent
    # Signals are caught inside, so that ctrl-c is still heard should leaving the runtime take long.
    with Output() as output, Runtime(workers, echo=echoed) as runtime, Interrupts() as interrupts:
        state = runtime.exec(flow_name, dict(entry_params), timeout=timeout)
        job = runtime.get_job(state.job_id)
        assert job is not None  # jobs of this runtime are forgotten after 1,000 others
        stream = sys.stderr if silent else output.as_stream()
        display: Display = Bars(stream) if bars else PlainLines(stream)
        follow(job, display, interrupts, output, verbose=verbose, echoed=echoed)
    if output.left and job.status != ExecutionStatus.FAILED:
        raise BrokenPipeError
    return job


def follow(
    job: Job,
    display: Display,
    interrupts: Interrupts,
    output: Output,
    *,
    verbose: bool,
    echoed: bool,
    until: Callable[[], bool] = lambda: False,
) -> None:
    """Show a job until it has ended.

    It is cancelled, with force if need be, once `until` says so or `output` has no reader any more.
    """
    _Watch(job, display, interrupts, output, verbose=verbose, echoed=echoed, until=until).until_ended()


def exit_code(job: Job) -> int:
    """What the process tells its caller."""
    if job.status == ExecutionStatus.COMPLETED:
        return COMPLETED
    return INTERRUPTED if job.status == ExecutionStatus.CANCELLED else FAILED


class _Watch:
    """Shows a job, and passes interrupts on to it."""

    def __init__(
        self,
        job: Job,
        display: Display,
        interrupts: Interrupts,
        output: Output,
        *,
        verbose: bool,
        echoed: bool,
        until: Callable[[], bool],
    ) -> None:
        self._job = job
        self._display = display
        self._interrupts = interrupts
        self._output = output
        self._verbose = verbose
        self._echoed = echoed
        self._next_line = 0
        self._heard = 0
        self._give_up_at: float | None = None
        self._until = until
        self._force_at: float | None = None

    def until_ended(self) -> None:
        try:
            while not self._job.wait(_FRAME):
                self._show_lines()
                self._display.update(self._job.snapshot())
                self._hear()
                self._make_way()
            self._show_lines()
        finally:
            self._display.close(self._job.snapshot())

    def _show_lines(self) -> None:
        for line in self._job.job_state.logs_since(self._next_line):
            missed = line.sequence - self._next_line
            if missed and not self._output.left:
                self._display.say(f"({missed:,} lines of the log came too fast to be shown)")
            self._next_line = line.sequence + 1
            show_line(self._display, line, verbose=self._verbose, echoed=self._echoed)

    def _hear(self) -> None:
        count = self._interrupts.count
        if self._heard == 0 and count >= 1:
            self._display.say("interrupted: cancelling; once more forces")
            self._job.cancel()
        if self._heard <= 1 and count >= 2:
            self._display.say("interrupted again: forcing")
            self._job.cancel(force=True)
            self._give_up_at = time.monotonic() + PATIENCE
        self._heard = count
        if self._give_up_at is not None and (count >= 3 or time.monotonic() >= self._give_up_at):
            self._give_up()

    def _make_way(self) -> None:
        """Cancel the job once it is no longer wanted, and force that after a while."""
        if self._force_at is None and (self._output.left or self._until()):
            self._job.cancel()
            self._force_at = time.monotonic() + MAKE_WAY
        elif self._force_at is not None and time.monotonic() >= self._force_at:
            self._job.cancel(force=True)

    def _give_up(self) -> NoReturn:
        # The thread that runs the logic cannot be stopped, and Python waits for it on a normal exit.
        self._display.close(self._job.snapshot())
        why = self._job.why_not_finished()
        click.echo(
            f"⊘ {self._job.flow_name} given up before it ended: {why} (job {self._job.job_id})", err=True
        )
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(INTERRUPTED)

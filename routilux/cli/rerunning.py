"""`routilux run --watch`: the flow runs again each time a save has changed it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from routilux.cli.choosing import full_text
from routilux.cli.display import Bars, Display, PlainLines, has_terminal
from routilux.cli.interrupts import Interrupts
from routilux.cli.output import Output
from routilux.cli.report import in_words
from routilux.cli.running import INTERRUPTED, follow
from routilux.exceptions import FlowDefinitionError, ParameterError
from routilux.job import Job
from routilux.loading import FlowEvent, FlowLoader, FlowVersion
from routilux.registry import FlowRegistry
from routilux.runtime import Runtime

# How often ctrl-c is looked for, and what was told is said, while nothing runs, in seconds.
_GLANCE = 0.1


def run_again_and_again(
    flows: Path,
    flow_name: str,
    entry_params: Mapping[str, Any],
    *,
    workers: int,
    timeout: float | None,
    verbose: bool,
) -> int:
    """Run the flow, and again after every save that changes it, itself or what it imports.

    A run that is still going on is cancelled first. What breaks, and what a save changed, is said
    between the runs. Ends with ctrl-c, which also cancels; answers with the exit code. Ends with
    `BrokenPipeError` when whoever reads stdout has left.
    """
    bars = has_terminal()
    news = _News(flow_name)
    loader = FlowLoader(flows)
    loader.subscribe(news.hear)
    # Those of the first load are no news.
    with (
        Output() as output,
        Interrupts() as interrupts,
        Runtime(workers, echo=not bars) as runtime,
        loader,
    ):
        news.begin()
        _say_errors(loader)
        while True:
            news.take()
            job = _start(runtime, flow_name, entry_params, timeout)
            if job is not None:
                stream = output.as_stream()
                display: Display = Bars(stream) if bars else PlainLines(stream)
                follow(
                    job,
                    display,
                    interrupts,
                    output,
                    verbose=verbose,
                    echoed=not bars,
                    until=news.wants_a_run,
                )
                if output.left:
                    raise BrokenPipeError
                for line in in_words(job, job.snapshot()):
                    click.echo(line, err=True)
            if not interrupts.count and not news.wants_a_run():
                click.echo(f"watching {loader.root}; ctrl-c ends", err=True)
            while not interrupts.count and not news.wait(_GLANCE):
                news.say()
            news.say()
            if interrupts.count:
                return INTERRUPTED


def wait_for_flow(root: Path, flow_name: str, why: str) -> FlowVersion:
    """Say why there is no such flow, and wait until a save brings it. Lets `KeyboardInterrupt` through."""
    click.echo(why, err=True)
    news = _News(flow_name)
    loader = FlowLoader(root, FlowRegistry())
    loader.subscribe(news.hear)
    with loader:
        news.begin()
        click.echo(f"waiting for {flow_name} in {root}; ctrl-c ends", err=True)
        # After `begin`, so that one that has come meanwhile is seen here, and any later one is news.
        while (found := loader.catalog.get(flow_name)) is None:
            news.wait(_GLANCE)
            news.say()
        return found


def _start(
    runtime: Runtime, flow_name: str, entry_params: Mapping[str, Any], timeout: float | None
) -> Job | None:
    """The job, or None, having said why there is none: the flow may have changed under the parameters."""
    try:
        return runtime.get_job(runtime.exec(flow_name, dict(entry_params), timeout=timeout).job_id)
    except ParameterError as error:
        lines = [f"{flow_name} was not started:", *(f"  {each}" for each in error.errors)]
        click.echo("\n".join(lines), err=True)
    except (FlowDefinitionError, ValueError) as error:
        click.echo(str(error), err=True)
    return None


def _say_errors(loader: FlowLoader) -> None:
    for error in loader.errors.values():
        click.echo("\n".join(["not loaded:", *full_text(error)]), err=True)


class _News:
    """What the loader tells: gathered in its thread, said in the main one."""

    def __init__(self, flow_name: str) -> None:
        self._flow_name = flow_name
        self._begun = False
        self._lock = threading.Lock()
        self._told = threading.Condition(self._lock)
        # Guarded by _lock.
        self._lines: list[str] = []
        self._wanted = False

    def begin(self) -> None:
        """What is told from now on counts."""
        with self._lock:
            self._lines.clear()
            self._wanted = False
            self._begun = True

    def hear(self, event: FlowEvent) -> None:
        """Take an event of the loader."""
        with self._lock:
            if not self._begun:
                return
            self._lines += _words(event)
            if event.flow == self._flow_name and event.kind in ("added", "changed"):
                self._wanted = True
                self._told.notify_all()

    def wants_a_run(self) -> bool:
        """Whether the flow has changed since the last `take`."""
        with self._lock:
            return self._wanted

    def wait(self, seconds: float) -> bool:
        """Wait until `wants_a_run`, for so long at most, and answer with it."""
        with self._lock:
            return self._told.wait_for(lambda: self._wanted, seconds)

    def take(self) -> None:
        """The run begins that was wanted."""
        with self._lock:
            self._wanted = False

    def say(self) -> None:
        """Say what was told meanwhile."""
        with self._lock:
            lines, self._lines = self._lines, []
        for line in lines:
            click.echo(line, err=True)


def _words(event: FlowEvent) -> list[str]:
    if event.kind == "broken" and event.error is not None:
        return ["not loaded:", *full_text(event.error)]
    what = event.flow or event.path
    if event.kind == "changed" and event.diff is not None:
        marks = (
            ("+", event.diff.routines_added),
            ("-", event.diff.routines_removed),
            ("~", event.diff.routines_changed),
        )
        about = ", ".join(f"{mark} {name}" for mark, names in marks for name in names)
        return [f"{what} changed{f': {about}' if about else ''} ({event.path})"]
    if event.kind == "slow":
        return [f"{what}: its import lasts"]
    return [f"{what} {event.kind}"]

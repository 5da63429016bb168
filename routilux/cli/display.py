"""What a command shows of a job while it runs: bars on a terminal, plain lines elsewhere. All on stderr."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TextIO

import click

if TYPE_CHECKING:
    from rich.progress import TaskID

    from routilux.history import LogLine
    from routilux.snapshot import JobSnapshot, Progress, RoutineSnapshot

# A routine gets a plain line at most this often, in seconds.
PLAIN_INTERVAL = 2.0
_LOUD = frozenset({"WARNING", "ERROR", "CRITICAL"})


class Display(Protocol):
    """Shows pictures of a job, and lines between them. For one thread."""

    def update(self, snapshot: JobSnapshot) -> None:
        """Show the job as it is now."""

    def say(self, text: str) -> None:
        """Show a line for the user."""

    def print(self, text: str) -> None:
        """Put out a line that the job printed."""

    def close(self, snapshot: JobSnapshot) -> None:
        """Show the job as it ended, and leave the terminal as it was."""


def has_terminal() -> bool:
    """Whether bars can be shown."""
    return sys.stderr.isatty() and os.environ.get("TERM", "") not in ("", "dumb")


def how_far(routine: RoutineSnapshot) -> str:
    """A routine's work in words."""
    parts = []
    progress = routine.progress
    if progress is not None:
        parts.append(_progress(progress))
    parts.append(count(routine.activations, "activation"))
    if routine.waiting:
        parts.append(f"{count(routine.waiting, 'item')} waiting")
    if routine.dropped:
        parts.append(f"{count(routine.dropped, 'item')} dropped")
    if routine.skipped_items:
        parts.append(f"{count(routine.skipped_items, 'item')} skipped")
    if routine.retries:
        parts.append(f"{count(routine.retries, 'retry', 'retries')}")
    if routine.errors:
        parts.append(count(routine.errors, "error"))
    return ", ".join(parts)


def _progress(progress: Progress) -> str:
    # A message with numbers of its own says it in its own units.
    if any(character.isdigit() for character in progress.message):
        return progress.message
    done = _number(progress.done)
    if progress.total is not None:
        done += f"/{_number(progress.total)}"
    return f"{done} {progress.message}".strip()


def _number(number: float) -> str:
    return f"{number:,.1f}".removesuffix(".0")


def count(number: int, one: str, many: str | None = None) -> str:
    """A number of things in words."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


class PlainLines:
    """A line when a routine has got further, at most one per routine and interval.

    What the job printed goes to `output`. `clock` answers with seconds.
    """

    def __init__(self, output: TextIO, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._output = output
        self._clock = clock
        self._shown: dict[str, str] = {}
        self._due = clock() + PLAIN_INTERVAL

    def update(self, snapshot: JobSnapshot) -> None:
        if self._clock() >= self._due:
            self._due = self._clock() + PLAIN_INTERVAL
            self._show(snapshot)

    def say(self, text: str) -> None:
        click.echo(text, err=True)

    def print(self, text: str) -> None:
        click.echo(text, file=self._output)

    def close(self, snapshot: JobSnapshot) -> None:
        if not getattr(self._output, "left", False):  # nobody waits for an `Output` that was left
            self._show(snapshot)

    def _show(self, snapshot: JobSnapshot) -> None:
        for routine in snapshot.routines:
            line = f"{routine.routine_id}: {how_far(routine)}"
            if routine.state != "idle" and self._shown.get(routine.routine_id) != line:
                self._shown[routine.routine_id] = line
                click.echo(line, err=True)


class Bars:
    """A progress bar per routine, drawn when `update` is called and at no other time.

    What the job printed goes to `output`, or above the bars where that is the same terminal.
    """

    def __init__(self, output: TextIO) -> None:
        # rich costs start-up time, and only terminals need it.
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self._output = output
        self._console = Console(stderr=True, highlight=False)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[far]}", markup=False),
            console=self._console,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._tasks: dict[str, TaskID] = {}
        self._progress.start()

    def update(self, snapshot: JobSnapshot) -> None:
        for routine in snapshot.routines:
            task = self._tasks.get(routine.routine_id)
            if task is None:
                task = self._tasks[routine.routine_id] = self._progress.add_task(routine.routine_id, far="")
            done, total = _bar(routine)
            self._progress.update(task, completed=done, total=total, far=how_far(routine))
        self._progress.refresh()

    def say(self, text: str) -> None:
        from rich.text import Text

        self._console.print(Text(text), soft_wrap=True)

    def print(self, text: str) -> None:
        if self._output.isatty():
            self.say(text)
        else:
            click.echo(text, file=self._output)

    def close(self, snapshot: JobSnapshot) -> None:
        self.update(snapshot)
        self._progress.stop()


def _bar(routine: RoutineSnapshot) -> tuple[float, float | None]:
    """Done and total; total is None while nothing can be said."""
    if routine.progress is not None:
        fraction = routine.progress.fraction
        return (0, None) if fraction is None else (fraction, 1)
    received = sum(slot.received for slot in routine.slots)
    if received:
        return sum(slot.consumed for slot in routine.slots), received
    return routine.activations, (routine.activations or None)


def show_line(display: Display, line: LogLine, *, verbose: bool, echoed: bool) -> None:
    """Put out one line of a job's log, if it is for the user.

    Warnings and worse always are, the rest with `verbose`. What the job printed is the job's
    output, unless the runtime has `echoed` it already.
    """
    if line.level in ("PRINT", "STDERR"):
        if echoed:
            return
        if line.level == "PRINT":
            display.print(line.message)
        else:
            display.say(line.message)
    elif verbose or line.level in _LOUD:
        where = f"{line.routine_id}: " if line.routine_id else ""
        display.say(f"{line.level} {where}{line.message}")

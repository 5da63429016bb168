"""The command palette: every action of the key table, every flow, every job."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from tui.formats import parameters_line, short_id
from tui.glyphs import status_look
from tui.keys import keys_in_effect
from tui.screens.main import MainScreen
from tui.spans import clean

# Beyond so many jobs one types a word first.
_MOST_JOBS = 2000


class _Command(NamedTuple):
    title: str
    about: str
    run: Callable[[], object]


class Commands(Provider):
    """Works on the main screen; elsewhere it has nothing to offer."""

    def _commands(self) -> Iterator[_Command]:
        screen = self.screen
        if not isinstance(screen, MainScreen):
            return
        for key in keys_in_effect():
            if key.palette:
                run = partial(screen.run_action, key.action)
                yield _Command(f"{key.label} ({key.shown})", key.about, run)

    def _things(self) -> Iterator[_Command]:
        screen = self.screen
        if not isinstance(screen, MainScreen):
            return
        for flow in screen.catalogue.flows:
            go = partial(_go_to_flow, screen, flow.name)
            yield _Command(f"flow {clean(flow.name)}", clean(flow.description), go)
        snapshot = screen.newest()
        for job in reversed(snapshot.jobs[-_MOST_JOBS:] if snapshot is not None else ()):
            look = status_look(job.status)
            title = f"job {short_id(job.job_id)} {clean(job.flow_name)} {look.glyph} {look.word}"
            go = partial(_go_to_job, screen, job.job_id)
            yield _Command(title, clean(parameters_line(job.entry_params)), go)

    async def discover(self) -> Hits:
        for command in self._commands():
            yield DiscoveryHit(Content(command.title), command.run, command.title, _about(command))

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for command in (*self._commands(), *self._things()):
            score = matcher.match(f"{command.title} {command.about}")
            if score > 0:
                # A title with brackets would be read as markup when it is highlighted.
                plain = "[" in command.title
                shown = Content(command.title) if plain else matcher.highlight(command.title)
                yield Hit(score, shown, command.run, command.title, _about(command))


def _about(command: _Command) -> str:
    """The help of a command, which the palette reads as markup."""
    return Content(command.about).markup


def _go_to_flow(screen: MainScreen, name: str) -> None:
    screen.flow_list.set_filter("")
    screen.flow_list.choose(name)
    screen.action_pane("flows")


def _go_to_job(screen: MainScreen, job_id: str) -> None:
    screen.go_to_job(job_id)

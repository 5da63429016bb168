"""The command palette: every action of the key table, the theme, a screenshot, every flow, every job."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final, NamedTuple

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from routilux.snapshot import JobSummary
from tui.formats import short_id
from tui.glyphs import status_look
from tui.keys import Key, keys_in_effect
from tui.screens.main import MainScreen
from tui.spans import clean, cut

# So many jobs are offered, the newest; with another word there are fewer.
MOST_JOBS: Final = 50
# Between so many jobs the screen gets its turn.
_TURN: Final = 4096
_ABOUT: Final = 200


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
                yield _Command(f"{key.label} ({key.shown})", key.about, partial(_run, screen, key))
        for each in self.app.get_system_commands(screen):
            yield _Command(each.title, each.help, each.callback)

    def _flows(self) -> Iterator[_Command]:
        screen = self.screen
        if not isinstance(screen, MainScreen):
            return
        for flow in screen.catalogue.flows:
            name, about = clean(flow.name), clean(flow.description)
            yield _Command(f"flow {name}", about, partial(_go_to_flow, screen, flow.name))
            yield _Command(f"start {name}", "with the form", partial(_start_flow, screen, flow.name))

    async def discover(self) -> Hits:
        for command in self._commands():
            yield DiscoveryHit(Content(command.title), command.run, command.title, _about(command))

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        words = query.lower().split()
        for command in (*self._commands(), *self._flows()):
            score = matcher.match(command.title)
            if score > 0:
                # A title with brackets would be read as markup when it is highlighted.
                plain = "[" in command.title
                shown = Content(command.title) if plain else matcher.highlight(command.title)
                yield Hit(score, shown, command.run, command.title, _about(command))
            elif all(word in f"{command.title} {command.about}".lower() for word in words):
                # In the long text only whole words count: letter by letter nearly every query is in it.
                yield Hit(0.8, Content(command.title), command.run, command.title, _about(command))
        screen = self.screen
        if isinstance(screen, MainScreen):
            given = query.strip().lower().removeprefix("job").strip()
            for number, job in enumerate(await self._jobs(screen, query)):
                command = _job_command(screen, job)
                named = bool(given) and job.job_id.lower().startswith(given)
                # Whoever types an id means the job; else actions and flows come first. The newest first.
                score = (100.0 if named else 0.5) - number / 1000
                yield Hit(score, Content(command.title), command.run, command.title, _about(command))

    async def _jobs(self, screen: MainScreen, query: str) -> list[JobSummary]:
        """The newest jobs that hold every word: in the id, the flow, the state or the parameters.

        Words are looked for as they are, not letter by letter: of 50,000 jobs nearly all would match.
        """
        words = [word for word in query.lower().split() if word != "job"]
        snapshot = screen.newest()
        if not words and query.strip().lower() != "job":
            return []
        texts = screen.job_table.rows.texts
        found: list[JobSummary] = []
        for number, job in enumerate(reversed(snapshot.jobs if snapshot is not None else ()), 1):
            if texts.hold(job, words):
                found.append(job)
                if len(found) == MOST_JOBS:
                    break
            if number % _TURN == 0:
                await asyncio.sleep(0)
        return found


def _about(command: _Command) -> str:
    """The help of a command, which the palette reads as markup."""
    return Content(command.about).markup


def _job_command(screen: MainScreen, job: JobSummary) -> _Command:
    look = status_look(job.status)
    title = f"job {short_id(job.job_id)} {clean(job.flow_name)} {look.glyph} {look.word}"
    about = cut(screen.job_table.rows.texts.params(job), _ABOUT)
    return _Command(title, about, partial(screen.go_to_job, job.job_id))


async def _run(screen: MainScreen, key: Key) -> None:
    """Do what the key does where it is bound."""
    if key.scope == "jobs":
        screen.action_pane("jobs")
        await screen.job_table.run_action(key.action)
    else:
        await screen.run_action(key.action)


def _go_to_flow(screen: MainScreen, name: str) -> None:
    screen.flow_list.set_filter("")
    screen.flow_list.choose(name)
    screen.action_pane("flows")


async def _start_flow(screen: MainScreen, name: str) -> None:
    _go_to_flow(screen, name)
    await screen.action_start()

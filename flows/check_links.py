"""Check the links of a Markdown tree, or a file of URLs, and report the broken ones.

    routilux run check_links --param source=docs
    routilux run check_links --param source=urls.txt --param per_host=4 --param output=links.json
    routilux run check_links --param source=. --param 'ignore=["^https://localhost"]' \\
        --param fail_on_broken=true

`source` is a folder (every .md and .markdown file in it, hidden folders and node_modules apart), one
Markdown file, or any other file with one URL on a line (# begins a comment). Inline links, images,
references, autolinks, bare URLs and HTML attributes are found; code is left out. Links to files are
looked up beside the file they stand in. Every URL is asked for once, however often it occurs, and
reported with all the places it stands at. A redirect that is permanent is reported with where to
point instead.

A link is asked for with HEAD, and with GET before a 400, 403, 404, 405, 406 or 501 is believed. Timeouts,
broken connections and the statuses 408, 425, 429, 500, 502, 503 and 504 are tried again, `retries`
times, after `backoff` seconds, then twice as many, and so on; a Retry-After of the server counts as
well, up to `max_wait` seconds, and after a 429 nothing at all is asked of that host meanwhile.

With `fail_on_broken` the job fails if links are broken, for use in a build. Needs httpx
(``pip install 'routilux-tui[links]'``).

As a flow:

    find --file--> extract --links--> dispatch and collect

    dispatch --group--> check           a group of links of one host
    check --checked, released--> dispatch
    dispatch --wake--> alarm --due--> dispatch
    dispatch --settled--> collect

    find --found--> report              when everything else is quiet

`dispatch` knows, for each host, what waits and how much is out: it never gives `check` more than
`per_host` groups of one host at a time, so no thread waits for a place. `check` runs up to 16 at once,
each with one connection for the links of its group. A retry is a time in the state of `dispatch` and
an item in the slot of `alarm`, whose policy asks the engine to be asked again at that time: a link that
waits costs no thread, and a job that is saved meanwhile still knows it. `collect` keeps what is known
of each link.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, Field

from flows._link_probe import Outcome, Probe, ask, host_of, make_client, new_probe
from flows._link_queue import LinkQueue
from flows._link_report import KnownLinks, as_text, make_report
from flows._link_sources import Filter, classify, listed_urls
from flows._markdown_links import markdown_links
from flows._report import OutputFile, note_problem, plural, publish
from routilux import ExecutionStatus, Flow, JobState, Routine
from routilux.activation_policies import Answer, Slots, immediate_policy, when_quiet_policy

PARALLEL_CHECKS: Final = 16
# Groups that are being checked or are about to be: enough that no check waits for dispatch.
GROUPS_OUT: Final = 2 * PARALLEL_CHECKS
LINKS_PER_ITEM: Final = 200

_MARKDOWN = (".md", ".markdown")

Clock = Callable[[], float]


def _existing(path: Path) -> Path:
    path = path.expanduser()
    if not path.exists():
        raise ValueError(f"{str(path)!r} is not there")
    return path


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return text


Pattern = Annotated[str, AfterValidator(_pattern)]


class CheckLinksParams(BaseModel):
    """Where the links are, and how patient and how polite to be."""

    source: Annotated[Path, AfterValidator(_existing)] = Field(
        description="a folder with Markdown files, a Markdown file, or a file with one URL on a line"
    )
    allow: Pattern | None = Field(None, description="check only links that this regular expression finds")
    ignore: list[Pattern] = Field(
        default_factory=list, description="leave out links that one of these regular expressions finds"
    )
    per_host: int = Field(2, ge=1, le=16, description="requests to one host at the same time, at most")
    answer_within: float = Field(
        10.0, ge=0.01, le=300, description="seconds to wait for a connection, and for an answer"
    )
    retries: int = Field(2, ge=0, le=10, description="further attempts after a failure that may be temporary")
    backoff: float = Field(1.0, ge=0, le=60, description="seconds before the first retry; each wait doubles")
    max_wait: float = Field(
        60.0, ge=0, le=3600, description="seconds before a retry, at most, whatever a server asks for"
    )
    follow_redirects: bool = Field(True, description="check where redirects lead to")
    accept: list[int] = Field(default_factory=list, description="statuses to take as fine, such as 403")
    user_agent: str = Field(
        "Mozilla/5.0 (compatible; routilux check_links)", min_length=1, description="the name to ask under"
    )
    fail_on_broken: bool = Field(False, description="let the job fail if links are broken")
    output: OutputFile = Field(None, description="write the report to this file, as JSON")


class LinksBroken(Exception):
    """Links are broken, and `fail_on_broken` was set. The report is there all the same."""


class Find(Routine):
    """Finds the files to look into, a folder in each activation."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", max_queue_length=1)
        self.define_slot("go_on", max_queue_length=1)
        self.define_event("file", ["path", "root"])
        self.define_event("next")
        self.define_event("found")
        self.set_activation_policy(immediate_policy())

    def logic(
        self, trigger: list[dict[str, Any]], go_on: list[dict[str, Any]], *, job_state: JobState
    ) -> None:
        state = job_state.routine_state()
        files: list[str] = []
        for params in trigger:
            source: Path = params["source"]
            state.update(files=0, folders=[], root=str(source if source.is_dir() else source.parent))
            (state["folders"] if source.is_dir() else files).append(str(source))
        if state["folders"]:
            files += self._look_into(state, job_state)
        state["files"] += len(files)
        job_state.report_progress(state["files"], None, plural(state["files"], "file"))
        for path in files:
            self.emit("file", path=path, root=state["root"])
        self.emit("next" if state["folders"] else "found")

    @staticmethod
    def _look_into(state: dict[str, Any], job_state: JobState) -> list[str]:
        folder = state["folders"].pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            note_problem(job_state, folder, error)
            return []
        folders = [
            entry.path
            for entry in entries
            if entry.is_dir(follow_symlinks=False)
            and not entry.name.startswith(".")
            and entry.name != "node_modules"
        ]
        state["folders"] += reversed(folders)
        return [entry.path for entry in entries if entry.name.lower().endswith(_MARKDOWN) and entry.is_file()]


class Extract(Routine):
    """Finds the links of a file, and settles those to other files at once."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("files", max_queue_length=100)
        self.define_event("links", ["links"])
        self.set_activation_policy(immediate_policy())

    def logic(self, files: list[dict[str, Any]], *, job_state: JobState) -> None:
        state = job_state.routine_state()
        wanted = Filter(job_state.entry_params)
        for item in files:
            path = item["path"]
            try:
                text = Path(path).read_text(encoding="utf-8-sig", errors="replace")
            except OSError as error:
                note_problem(job_state, path, error)
                continue
            markdown = path.lower().endswith(_MARKDOWN)
            targets = markdown_links(text) if markdown else list(listed_urls(text))
            links: list[dict[str, Any]] = []
            for target, line in targets:
                link = classify(target, Path(path) if markdown else None, Path(item["root"]))
                why_not = "same page or other scheme" if link is None else wanted.why_not(link["url"])
                if link is None or why_not:
                    state[why_not] = state.get(why_not, 0) + 1
                else:
                    links.append({**link, "place": f"{path}:{line}"})
            for first in range(0, len(links), LINKS_PER_ITEM):
                self.emit("links", links=links[first : first + LINKS_PER_ITEM])


class Dispatch(Routine):
    """Decides which link is asked for when."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        # No more is out than these hold, so nobody in the cycle waits for the other for ever.
        self.define_slot("checked", max_queue_length=1000)
        self.define_slot("released", max_queue_length=GROUPS_OUT)
        self.define_slot("due", max_queue_length=10)
        self.define_slot("links", max_queue_length=10)
        self.define_event("group", ["host", "probes"])
        self.define_event("wake", ["at"])
        self.define_event("settled", ["probe", "outcome"])
        self.set_activation_policy(immediate_policy())

    def logic(
        self,
        checked: list[dict[str, Any]],
        released: list[dict[str, Any]],
        due: list[dict[str, Any]],
        links: list[dict[str, Any]],
        *,
        job_state: JobState,
    ) -> None:
        state, params = job_state.routine_state(), job_state.entry_params
        queue = LinkQueue(state, per_host=params["per_host"], limit=GROUPS_OUT, clock=self._clock)
        known: dict[str, bool] = state.setdefault("known", {})
        for item in links:
            for link in item["links"]:
                if link["reason"] is None and link["url"] not in known:
                    known[link["url"]] = True
                    queue.add(host_of(link["url"]), new_probe(link["url"]))
        for item in checked:
            self._judge(item["probe"], item["outcome"], params, queue)
        for item in released:
            queue.add(item["host"], *item["unchecked"])
            queue.release(item["host"])
        for _ in due:
            state["armed"] = None
            queue.wake()

        while group := queue.take():
            self.emit("group", host=group[0], probes=group[1])
        at = queue.next_timer()
        if at is not None and (state.get("armed") is None or at < state["armed"]):
            state["armed"] = at
            self.emit("wake", at=at)

    def _judge(self, probe: Probe, outcome: Outcome, params: Mapping[str, Any], queue: LinkQueue) -> None:
        probe["requests"] += outcome["requests"]
        if outcome["kind"] == "moved":
            queue.add(host_of(probe["at"]), probe)
        elif outcome["kind"] == "again" and probe["attempt"] < params["retries"]:
            wait = max(params["backoff"] * 2 ** probe["attempt"], outcome["after"] or 0.0)
            when = self._clock() + min(wait, params["max_wait"])
            host = host_of(probe["at"])
            probe["attempt"] += 1
            if outcome["hold"]:
                queue.hold(host, when)
            queue.add_at(when, host, probe)
        else:
            self.emit("settled", probe=probe, outcome=outcome)


class Check(Routine):
    """Asks the servers."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("groups", max_queue_length=GROUPS_OUT)
        self.define_event("checked", ["probe", "outcome"])
        self.define_event("released", ["host", "unchecked"])
        self.set_activation_policy(immediate_policy())
        self.set_max_concurrency(PARALLEL_CHECKS)
        # A group costs some milliseconds of CPU, spread over a long time of waiting for servers.
        self.set_cpu_gate(False)

    def logic(self, groups: list[dict[str, Any]], *, job_state: JobState) -> None:
        params = job_state.entry_params
        accept = frozenset(params["accept"])
        for group in groups:
            unchecked: list[Probe] = list(group["probes"])
            # A client of its own for each group: whatever becomes of the job, it is closed here.
            with make_client(params["answer_within"], params["user_agent"]) as client:
                while unchecked:
                    probe = unchecked.pop(0)
                    outcome = ask(client, probe, follow_redirects=params["follow_redirects"], accept=accept)
                    self.emit("checked", probe=probe, outcome=outcome)
                    if outcome["hold"] or job_state.status != ExecutionStatus.RUNNING:
                        break
            self.emit("released", host=group["host"], unchecked=unchecked)


class WhenDue:
    """Yes as soon as the earliest time that waits has come; asks the engine to come back then."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __call__(self, slots: Slots, job_state: JobState | None, /) -> Answer:
        wait = self.ask_again_in(slots, job_state)
        if wait is None or wait > 0:
            return False, {}, None
        return True, {name: slot.consume_all_new() for name, slot in slots.items()}, None

    def ask_again_in(self, slots: Slots, job_state: JobState | None) -> float | None:
        """Seconds until the earliest time."""
        times = [item["at"] for slot in slots.values() for item in slot.peek_all_new()]
        return max(0.0, min(times) - self._clock()) if times else None


class Alarm(Routine):
    """Tells `dispatch` when the time has come."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.define_slot("times")
        self.define_event("due")
        self.set_activation_policy(WhenDue(clock))

    def logic(self, times: list[dict[str, Any]]) -> None:
        self.emit("due")


class Collect(Routine):
    """Keeps what is known of each link."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("links", max_queue_length=10)
        self.define_slot("settled")
        self.set_activation_policy(immediate_policy())

    def logic(
        self, links: list[dict[str, Any]], settled: list[dict[str, Any]], *, job_state: JobState
    ) -> None:
        known = KnownLinks(job_state.routine_state())
        for item in links:
            for link in item["links"]:
                known.add(link["url"], link["place"], link["reason"])
        for item in settled:
            known.settle(item["probe"], item["outcome"])
        job_state.report_progress(known.done, known.total, plural(known.broken, "broken link"))


class Report(Routine):
    """Adds up, once every link has its answer."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("found", max_queue_length=1)
        self.set_activation_policy(when_quiet_policy())

    def logic(self, found: list[dict[str, Any]], *, job_state: JobState) -> None:
        report = make_report(job_state)
        publish(job_state, report, as_text(report), job_state.entry_params["output"])
        if report["broken"] and job_state.entry_params["fail_on_broken"]:
            raise LinksBroken(f"{plural(len(report['broken']), 'link')} of {report['links']:,} broken")


def build_flow(clock: Clock = time.time) -> Flow:
    """The flow, see the module's docstring. `clock` gives seconds since the epoch."""
    flow = Flow(
        "check_links",
        params=CheckLinksParams,
        description="Check the links of a Markdown tree or a file of URLs, and report the broken ones",
    )
    flow.add_routine(Find(), "find")
    flow.add_routine(Extract(), "extract")
    flow.add_routine(Dispatch(clock), "dispatch")
    flow.add_routine(Check(), "check")
    flow.add_routine(Alarm(clock), "alarm")
    flow.add_routine(Collect(), "collect")
    flow.add_routine(Report(), "report")
    flow.connect("find", "next", "find", "go_on")
    flow.connect("find", "file", "extract", "files")
    flow.connect("find", "found", "report", "found")
    # First to collect, so that it knows of a link before the link is settled.
    flow.connect("extract", "links", "collect", "links")
    flow.connect("extract", "links", "dispatch", "links")
    flow.connect("dispatch", "group", "check", "groups")
    flow.connect("dispatch", "wake", "alarm", "times")
    flow.connect("check", "checked", "dispatch", "checked")
    flow.connect("check", "released", "dispatch", "released")
    flow.connect("alarm", "due", "dispatch", "due")
    flow.connect("dispatch", "settled", "collect", "settled")
    return flow


flow = build_flow()

"""Every key of the app, declared once: bindings, footer, help and palette are made from this table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from textual.binding import Binding

# Where a key is bound: "app" wherever one is, "main" anywhere on the main screen, "list" where a row is
# chosen, "jobs" in the list of jobs, "lines" where text is scrolled, "job" in the chosen job's pane, "log"
# and the like in one of its tabs; the others are dialogs.
SCOPES: Final = (
    "app", "main", "list", "jobs", "lines", "job", "log", "history", "timeline", "tree", "error", "filter",
    "form", "question", "text", "messages", "load", "export", "waiting", "saved",
)  # fmt: skip
PANES: Final = ("flows", "reloads", "flow", "jobs", "job")

SCOPE_TITLES: Final = {
    "app": "Everywhere, in dialogs too",
    "main": "Everywhere",
    "list": "In lists",
    "jobs": "In the list of jobs",
    "lines": "In text",
    "job": "In the chosen job",
    "log": "In the log",
    "history": "In the history",
    "timeline": "In the timeline",
    "tree": "In the data",
    "error": "In the errors",
    "filter": "While typing a filter",
    "form": "In the start form",
    "question": "In questions",
    "text": "In this window",
    "messages": "In the window of messages",
    "load": "In the window of a reload",
    "export": "While naming a file",
    "waiting": "While a flow's own code checks parameters",
    "saved": "Among saved jobs",
}


class Key(NamedTuple):
    """One key. `rank` orders the footer (0: not in it); `panes` are those whose footer shows it.

    `name` is unique and stays, so that a configuration can give the action other keys.
    """

    name: str
    keys: tuple[str, ...]
    action: str
    label: str
    about: str
    scope: str = "main"
    rank: int = 0
    panes: frozenset[str] = frozenset(PANES)
    palette: bool = False

    @property
    def shown(self) -> str:
        """The key as footer and help write it."""
        return "/".join(shown_key(key) for key in self.keys)

    @property
    def first(self) -> str:
        """The first of its keys, for where one says what to press."""
        return shown_key(self.keys[0])


_SHOWN: Final = {
    "question_mark": "?", "slash": "/", "colon": ":", "escape": "esc", "space": "space", "pageup": "pgup",
    "pagedown": "pgdn", "left_square_bracket": "[", "right_square_bracket": "]", "up": "↑", "down": "↓",
    "asterisk": "*", "greater_than_sign": ">", "less_than_sign": "<",
    "plus": "+", "equals_sign": "=", "minus": "-", "left": "←", "right": "→", "shift+tab": "shift+tab",
}  # fmt: skip

_FLOWS: Final = frozenset({"flows", "reloads", "flow"})
_JOBS: Final = frozenset({"jobs", "job"})
_JOB: Final = frozenset({"job"})
_LIST: Final = frozenset({"jobs"})

KEYS: Final[tuple[Key, ...]] = (
    Key("start", ("s",), "start", "start",
        "start a job of the chosen flow, with the form", rank=10, palette=True),
    Key("start-now", ("S",), "start_now", "start again",
        "start a job of the chosen flow at once, with its last parameters",
        rank=12, panes=_FLOWS, palette=True),
    Key("rerun-on-save", ("a",), "rerun_on_save", "on save",
        "run the chosen flow again on each save that touches it, with its last parameters, or no longer",
        rank=14, panes=_FLOWS, palette=True),
    Key("rerun", ("r",), "rerun", "re-run",
        "re-run the chosen job, or all marked ones, the form filled with its parameters",
        rank=20, panes=_JOBS, palette=True),
    Key("rerun-now", ("R",), "rerun_now", "re-run now",
        "re-run the chosen job, or all marked ones, with exactly its parameters", panes=_JOBS, palette=True),
    Key("pause", ("p",), "pause", "pause",
        "pause or resume the chosen job, or all marked ones", rank=22, panes=_JOBS, palette=True),
    Key("cancel", ("x",), "cancel", "cancel",
        "cancel the chosen job, or all marked ones: no further activation starts",
        rank=24, panes=_JOBS, palette=True),
    Key("cancel-force", ("X",), "cancel_force", "force",
        "cancel the chosen job, or all marked ones, by force: interrupt the code that runs",
        panes=_JOBS, palette=True),
    Key("filter", ("slash",), "filter", "filter",
        'filter the list: words, flow:name, state:failed, state:!completed, "in quotes"',
        rank=30, panes=_FLOWS | _LIST, palette=True),
    Key("next-pane", ("tab",), "next_pane", "next pane", "go to the next pane", rank=42),
    Key("previous-pane", ("shift+tab",), "previous_pane", "previous pane", "go to the previous pane"),
    Key("pane-flows", ("1",), "pane('flows')", "flows", "go to the flows", palette=True),
    Key("pane-reloads", ("2",), "pane('reloads')", "reloads",
        "go to what each save has changed", palette=True),
    Key("pane-flow", ("3",), "pane('flow')", "flow", "go to the chosen flow", palette=True),
    Key("pane-jobs", ("4",), "pane('jobs')", "jobs", "go to the jobs", palette=True),
    Key("pane-job", ("5",), "pane('job')", "job", "go to the chosen job", palette=True),
    Key("back", ("escape",), "back", "back",
        "drop the range, clear the filter, the view, the marks, leave the zoom, or go back"),
    Key("zoom", ("z",), "zoom", "zoom", "let the pane fill the screen, and back", rank=44, palette=True),
    Key("messages", ("m",), "messages", "messages",
        "what was written past the jobs: by other threads, subprocesses, C code", palette=True),
    Key("saved-jobs", ("K",), "saved_jobs", "saved jobs",
        "the jobs that were saved when the app was left", palette=True),
    Key("palette", ("ctrl+p", "colon"), "command_palette", "commands",
        "find any action, flow or job", rank=50),
    Key("help", ("question_mark",), "help", "help", "this help", rank=60, palette=True),
    Key("quit", ("q",), "ask_quit", "quit",
        "quit; asks when jobs have not ended", rank=62, palette=True),
    Key("quit-anywhere", ("ctrl+q",), "ask_quit", "quit", "quit, also from a dialog", scope="app"),
    Key("copy", ("ctrl+c",), "copy_or_quit", "copy",
        "copy the selected text; where none is selected, ask whether to quit"),
    Key("edit", ("e",), "edit", "edit",
        "open the source at its line in $VISUAL or $EDITOR: the flow, the routine, the failing call",
        rank=52, palette=True),
    Key("copy-row", ("y",), "copy_row", "copy",
        "copy the selected text, or else the row under the cursor", rank=53, palette=True),
    Key("copy-job", ("Y",), "copy_job", "copy job", "copy the whole job as JSON", palette=True),
    Key("export", ("o",), "export", "export",
        "write the log or history as filtered, the data, the errors, or else the whole job, to a file",
        rank=54, panes=_JOBS, palette=True),
    Key("up", ("k", "up"), "up", "up", "move up", scope="list"),
    Key("down", ("j", "down"), "down", "down", "move down", scope="list"),
    Key("top", ("g", "home"), "top", "top", "go to the first row", scope="list"),
    Key("bottom", ("G", "end"), "bottom", "bottom", "go to the last row", scope="list"),
    Key("page-up", ("pageup", "ctrl+b"), "page_up", "page up", "move up by a page", scope="list"),
    Key("page-down", ("pagedown", "ctrl+f"), "page_down", "page down", "move down by a page", scope="list"),
    Key("enter", ("enter",), "enter", "open", "go into the row", scope="list"),
    Key("mark", ("space",), "mark", "mark",
        "mark the job for actions, or take its mark away; click its left edge, or with ctrl",
        scope="jobs", rank=26, panes=_LIST, palette=True),
    Key("mark-range", ("V",), "mark_range", "range",
        "begin a range; move, then V, space or enter marks it, esc drops it; click with shift",
        scope="jobs", rank=27, panes=_LIST, palette=True),
    Key("mark-all", ("asterisk",), "mark_all", "mark all",
        "mark all jobs that are shown, or take their marks away", scope="jobs", palette=True),
    Key("unmark-all", ("U",), "unmark_all", "unmark all",
        "take all marks away, those of hidden jobs too", scope="jobs", palette=True),
    Key("view", ("v",), "view", "view",
        "show all jobs, those that have not ended, those that failed", scope="jobs", rank=31, panes=_LIST,
        palette=True),
    Key("sort-next", ("greater_than_sign",), "sort(1)", "sort",
        "sort by the next column; click a title", scope="jobs", rank=32, panes=_LIST, palette=True),
    Key("sort-previous", ("less_than_sign",), "sort(-1)", "sort back",
        "sort by the column before", scope="jobs", palette=True),
    Key("sort-reverse", ("I",), "reverse", "reverse",
        "turn the order round; click the title again", scope="jobs", palette=True),
    Key("scroll-up", ("k", "up"), "up", "up", "scroll up", scope="lines"),
    Key("scroll-down", ("j", "down"), "down", "down", "scroll down", scope="lines"),
    Key("scroll-top", ("g", "home"), "top", "top", "go to the beginning", scope="lines"),
    Key("scroll-bottom", ("G", "end"), "bottom", "bottom", "go to the end", scope="lines"),
    Key("scroll-page-up", ("pageup", "ctrl+b"), "page_up", "page up", "scroll up by a page", scope="lines"),
    Key("scroll-page-down", ("pagedown", "ctrl+f"), "page_down", "page down",
        "scroll down by a page", scope="lines"),
    Key("scroll-left", ("H", "shift+left"), "left", "left", "scroll to the left", scope="lines"),
    Key("scroll-right", ("L", "shift+right"), "right", "right", "scroll to the right", scope="lines"),
    Key("previous-tab", ("left_square_bracket", "left"), "previous_tab", "previous tab",
        "go to the previous tab", scope="job"),
    Key("next-tab", ("right_square_bracket", "right"), "next_tab", "next tab",
        "go to the next tab", scope="job", rank=28, panes=_JOB),
    Key("follow", ("f",), "follow", "follow",
        "follow the newest lines, or stop following", scope="log", rank=26, panes=_JOB),
    Key("level", ("l",), "level", "level",
        "show all lines, from warnings up, or errors only", scope="log", rank=27, panes=_JOB),
    Key("search", ("slash",), "screen.filter", "search",
        "search: go to each line with a text, and mark it", scope="log", rank=30, panes=_JOB),
    Key("search-next", ("n",), "search_next", "next match",
        "go to the next line with what is searched", scope="log", rank=31, panes=_JOB),
    Key("search-previous", ("N",), "search_previous", "previous match",
        "go to the line before with what is searched", scope="log"),
    Key("routine", ("i",), "routine", "routine",
        "show the lines of one routine, of the next, ... of all again", scope="log", rank=33, panes=_JOB),
    Key("wrap", ("w",), "wrap", "wrap",
        "break long lines, or let them run out to the right", scope="log", rank=34, panes=_JOB),
    Key("history-follow", ("f",), "follow", "follow",
        "follow the newest record, or stay with the chosen one", scope="history", rank=26, panes=_JOB),
    Key("history-filter", ("slash",), "screen.filter", "filter",
        "show the records that pass: words, routine:name, event:name, data:text",
        scope="history", rank=30, panes=_JOB),
    Key("zoom-in", ("plus", "equals_sign"), "zoom_in", "zoom in",
        "see less of the time, but closer; so does the wheel with ctrl",
        scope="timeline", rank=30, panes=_JOB),
    Key("zoom-out", ("minus",), "zoom_out", "zoom out",
        "see more of the time", scope="timeline", rank=31, panes=_JOB),
    Key("zoom-all", ("0",), "zoom_all", "all",
        "see all of the job's time that is kept", scope="timeline", rank=32, panes=_JOB),
    Key("earlier", ("H", "shift+left"), "left", "earlier", "go back in time", scope="timeline",
        rank=33, panes=_JOB),
    Key("later", ("L", "shift+right"), "right", "later", "go on in time", scope="timeline"),
    Key("timeline-follow", ("f",), "follow", "follow",
        "let the newest stay in view, or not", scope="timeline", rank=26, panes=_JOB),
    Key("unfold", ("plus", "equals_sign"), "unfold", "unfold",
        "unfold the row and what is in it; enter unfolds or folds the row alone",
        scope="tree", rank=30, panes=_JOB),
    Key("fold", ("minus",), "fold", "fold",
        "fold the row, or what it is in", scope="tree", rank=31, panes=_JOB),
    Key("next-error", ("n",), "next_error", "next error",
        "go to the error that happened next", scope="error", rank=30, panes=_JOB),
    Key("previous-error", ("N",), "previous_error", "previous error",
        "go to the error that happened before", scope="error"),
    Key("unfold-all", ("plus", "equals_sign"), "unfold_all", "unfold",
        "unfold all calls and variables; enter unfolds or folds one", scope="error", rank=32, panes=_JOB),
    Key("fold-all", ("minus",), "fold_all", "fold", "fold all calls and variables", scope="error"),
    Key("filter-keep", ("enter",), "keep", "keep", "keep the filter and go to the list", scope="filter"),
    Key("filter-clear", ("escape",), "clear", "clear", "clear the filter", scope="filter"),
    Key("form-next", ("tab",), "app.focus_next", "next", "go to the next field", scope="form"),
    Key("form-previous", ("shift+tab",), "app.focus_previous", "previous",
        "go to the previous field", scope="form"),
    Key("form-start", ("ctrl+s",), "start", "start", "start the job", scope="form"),
    Key("form-earlier", ("ctrl+r",), "earlier", "earlier",
        "go through earlier sets of parameters, and back to what was typed", scope="form"),
    Key("form-empty", ("ctrl+n",), "empty", "nothing",
        "empty the field; again: let that mean its default, none, or the empty text", scope="form"),
    Key("form-more", ("up",), "step(1)", "more", "add one to a number, a day to a date", scope="form"),
    Key("form-less", ("down",), "step(-1)", "less", "take one from a number, a day from a date",
        scope="form"),
    Key("form-newline", ("ctrl+j",), "newline", "new line", "begin a new line in a text", scope="form"),
    Key("form-cancel", ("escape",), "cancel", "cancel", "leave without starting", scope="form"),
    Key("question-previous", ("left", "up", "h", "k"), "previous", "previous",
        "go to the previous answer", scope="question"),
    Key("question-next", ("right", "down", "l", "j", "tab"), "next", "next",
        "go to the next answer", scope="question"),
    Key("question-answer", ("enter",), "answer", "answer", "give the marked answer", scope="question"),
    Key("question-leave", ("escape",), "leave", "leave", "do nothing", scope="question"),
    Key("export-write", ("enter",), "write", "write", "write the file", scope="export"),
    Key("export-leave", ("escape",), "leave", "leave", "write nothing", scope="export"),
    Key("load-edit", ("e",), "edit", "edit", "open the source at the line in the editor", scope="load"),
    Key("waiting-leave", ("escape",), "leave", "wait no longer", "wait no longer", scope="waiting"),
    Key("text-close", ("escape", "q", "question_mark"), "close", "close", "close the window", scope="text"),
    Key("saved-mark", ("space",), "mark", "mark", "mark the job, or no longer", scope="saved"),
    Key("saved-mark-all", ("a",), "mark_all", "all", "mark all jobs, or none", scope="saved"),
    Key("saved-carry-on", ("c",), "carry_on", "carry on",
        "let the marked jobs run on; so does enter", scope="saved"),
    Key("saved-discard", ("d",), "discard", "discard", "remove the marked jobs for good", scope="saved"),
    Key("saved-later", ("escape", "q"), "later", "later",
        "leave them saved; they are offered again", scope="saved"),
    Key("messages-close", ("m",), "close", "close", "close the window", scope="messages"),
)  # fmt: skip


# The table with the keys that are in effect. A process shows one app, which says at its start.
_in_effect: tuple[Key, ...] = KEYS


def use(table: tuple[Key, ...]) -> None:
    """Let footer, help, palette and hints speak of these keys: KEYS, or what tui.keymap made of it.

    Textual's bindings are made from KEYS; the app has its keymap say the same of them.
    """
    global _in_effect
    _in_effect = table


def keys_in_effect() -> tuple[Key, ...]:
    """Every key as it is now, in the order of the table."""
    return _in_effect


def shown_key(key: str) -> str:
    """`question_mark` as `?`."""
    return _SHOWN.get(key, key)


def keys_of(scope: str) -> Iterator[Key]:
    """The keys of one scope, in the order of the table."""
    return (key for key in _in_effect if key.scope == scope)


def bindings_of(scope: str) -> list[Binding]:
    """Textual's bindings for the keys of a scope; their ids are the names of the table."""
    return [
        Binding(",".join(key.keys), key.action, key.label, show=False, id=key.name, tooltip=key.about)
        for key in KEYS
        if key.scope == scope
    ]


def footer_of(pane: str, scopes: frozenset[str]) -> list[Key]:
    """The keys that the footer shows while `pane` has the focus and `scopes` are bound there."""
    narrow = {each for key in _in_effect if key.scope in scopes and key.scope != "main" for each in key.keys}
    shown = [
        key
        for key in _in_effect
        if key.rank
        and pane in key.panes
        and key.scope in scopes
        # What a key means everywhere makes way for what it means here.
        and not (key.scope == "main" and narrow.issuperset(key.keys))
    ]
    return sorted(shown, key=lambda key: key.rank)


def key_named(name: str) -> Key:
    """The key of that name."""
    return next(key for key in _in_effect if key.name == name)


def hint_of(names: Iterable[str]) -> list[tuple[str, str]]:
    """What a dialog says of its keys: texts, each with its style, as Textual's Content takes them."""
    parts: list[tuple[str, str]] = []
    for key in map(key_named, names):
        parts += [(f" {key.first} ", "bold"), (f"{key.label} ", "dim")]
    return parts

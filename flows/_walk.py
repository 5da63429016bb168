"""The routine that walks a folder, shared by the flows that begin with one.

The walk is not one long activation but many short ones: each looks into a few folders, emits the files it
found, and sends itself an item to go on. The folders still to visit are in the routine's state. So the job
can be paused, saved and carried on at any point of the walk, and a tree of any depth or size costs the same
stack and threads.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence
from fnmatch import translate
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flows._report import note_problem, plural
from routilux import Routine
from routilux.activation_policies import immediate_policy

if TYPE_CHECKING:
    from routilux import JobState

# One activation looks into folders until it has seen this many entries; a pause waits no longer than that.
ENTRIES_PER_ACTIVATION: Final = 500
SKIPPED_KEPT: Final = 1_000

# A virtual environment of Python; a cache, by the convention that build tools and backup programs share.
MARKERS: Final = frozenset({"pyvenv.cfg", "CACHEDIR.TAG"})

_COUNTED: Final = ("files", "folders", "size", "skipped", "skipped_folders")

File = list[Any]
"""A file on its way through a flow: [path, size in bytes, "device:inode", number of hard links]."""


@lru_cache(maxsize=256)
def _any_of(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(translate(pattern.rstrip("/")) for pattern in patterns))


def matches(patterns: Sequence[str], name: str, relative: str) -> bool:
    """Whether a glob of `patterns` fits the name ("*.iso") or the path below the root ("build/*.o")."""
    if not patterns:
        return False
    found = _any_of(tuple(patterns))
    return found.match(name) is not None or found.match(relative) is not None


class Walk(Routine):
    """Finds the regular files under `root`, folder by folder, in the order of their names.

    Needs the parameters `root`, `include`, `exclude`, `hidden` and `follow_symlinks` in its entry item, and
    knows `min_size` and `skip`, which holds globs for folders alone; unless it is empty, folders that say
    of themselves that they hold no work of their user (`MARKERS`) are left out as well. `skipped` counts
    what all these leave out, and `skipped_folders` are the first folders that `skip` left out. Emits
    `found(files)`, a list of at most `files_per_item` files, and, once, `walked` with its counts when there
    is no more to find. A folder or file that cannot be looked at is noted as a problem.
    """

    def __init__(self, files_per_item: int) -> None:
        super().__init__()
        self._files_per_item = files_per_item
        self.define_slot("trigger", max_queue_length=1)
        self.define_slot("next", max_queue_length=1)
        self.define_event("found", ["files"])
        self.define_event("next", ["folders_left"])
        self.define_event("walked", list(_COUNTED))
        self.set_activation_policy(immediate_policy())

    def logic(
        self, trigger: list[dict[str, Any]], _next: list[dict[str, Any]], *, job_state: JobState
    ) -> None:
        state = job_state.routine_state()
        if trigger:
            state.update(_begin(trigger[0]))
        budget = ENTRIES_PER_ACTIVATION
        while state["pending"] and budget > 0:
            job_state.raise_if_cancelled()
            files, seen = _look_into(state, state["pending"].pop(), job_state)
            budget -= seen + 1
            for start in range(0, len(files), self._files_per_item):
                self.emit("found", files=files[start : start + self._files_per_item])
        left = len(state["pending"])
        job_state.report_progress(state["folders"], state["folders"] + left, plural(state["files"], "file"))
        if left:
            self.emit("next", folders_left=left)
        else:
            self.emit("walked", **{name: state[name] for name in _COUNTED})


def _begin(params: dict[str, Any]) -> dict[str, Any]:
    root = str(Path(params["root"]).expanduser().absolute())
    return {
        "root": root,
        "include": list(params["include"]),
        "exclude": list(params["exclude"]),
        "hidden": params["hidden"],
        "follow_symlinks": params["follow_symlinks"],
        "min_size": params.get("min_size", 0),
        "skip": list(params.get("skip", ())),
        "pending": [root],  # A stack: the next folder is the last.
        "visited": {},  # "device:inode" of folders; kept only where links are followed, against loops.
        "files": 0,
        "folders": 0,
        "size": 0,
        "skipped": 0,
        "skipped_folders": [],
    }


def _look_into(state: dict[str, Any], folder: str, job_state: JobState) -> tuple[list[File], int]:
    """The wanted files of one folder, and how many entries it has. Puts its folders on the stack."""
    follow: bool = state["follow_symlinks"]
    try:
        if follow and _seen_before(state["visited"], folder):
            return [], 0
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        note_problem(job_state, folder, error)
        return [], 0
    if state["skip"] and folder != state["root"] and any(entry.name in MARKERS for entry in listed):
        _skip(state, folder)
        return [], len(listed)
    state["folders"] += 1
    files: list[File] = []
    folders: list[str] = []
    prefix = folder.removeprefix(state["root"]).replace(os.sep, "/").strip("/")
    for entry in listed:
        relative = f"{prefix}/{entry.name}" if prefix else entry.name
        if not state["hidden"] and entry.name.startswith("."):
            state["skipped"] += 1
            continue
        if matches(state["exclude"], entry.name, relative):
            state["skipped"] += 1
            continue
        try:
            if entry.is_dir(follow_symlinks=follow):
                if matches(state["skip"], entry.name, relative):
                    _skip(state, entry.path)
                else:
                    folders.append(entry.path)
                continue
            if entry.is_symlink() and not follow:
                continue
            if state["include"] and not matches(state["include"], entry.name, relative):
                state["skipped"] += 1
                continue
            # On Windows a DirEntry knows neither the inode nor the links.
            info = os.stat(entry.path) if os.name == "nt" else entry.stat(follow_symlinks=follow)
        except OSError as error:
            note_problem(job_state, entry.path, error)
            continue
        if not stat.S_ISREG(info.st_mode):
            continue
        if info.st_size < state["min_size"]:
            state["skipped"] += 1
            continue
        state["files"] += 1
        state["size"] += info.st_size
        # A followed link leads to a file that may be met again, as a hard link would.
        links = max(info.st_nlink, 2) if follow else info.st_nlink
        files.append([entry.path, info.st_size, f"{info.st_dev}:{info.st_ino}", links])
    state["pending"].extend(reversed(folders))
    return files, len(listed)


def _skip(state: dict[str, Any], folder: str) -> None:
    state["skipped"] += 1
    if len(state["skipped_folders"]) < SKIPPED_KEPT:
        state["skipped_folders"].append(folder)


def _seen_before(visited: dict[str, bool], folder: str) -> bool:
    info = os.stat(folder)
    key = f"{info.st_dev}:{info.st_ino}"
    if key in visited:
        return True
    visited[key] = True
    return False


def below(root: str, path: str) -> str:
    """`path` as seen from `root`, for people to read."""
    return path.removeprefix(root).lstrip("/" + os.sep) or path

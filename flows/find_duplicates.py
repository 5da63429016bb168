"""Find files with the same content, and the space their copies take.

    routilux run find_duplicates --param root=~/Pictures
    routilux run find_duplicates --param root=/srv --param min_size=1000000 --param output=duplicates.json

Nothing is changed or deleted: the flow reads, and reports groups of equal files, the greatest waste first.

How it works. A file can only have a duplicate if another file has the same size, so most files are never
opened; of the rest most differ within their first 64 KiB, so few are read to their end:

    walk ──> hard_links ──> same_size ──> hash_head ──> same_head ──> hash_whole ──> collect
      └──────────────────────────────────────────────────────────────────────────> report (when all is quiet)

`same_size` and `same_head` hold back the first file with a given key and let it pass as soon as a second
one comes. No stage waits for the one before it to end: the first files are hashed while the walk goes on.
The slots are bounded, so a fast walk waits for slow disks. What stays in memory is one short record per
file.

Two names of one file (hard links) are no waste and count once; the report names the links. Symbolic links
are left alone unless `follow_symlinks` is set. Files that cannot be read, or change while they are read,
are listed as problems and do not stop the job. Equal means equal size and equal 256-bit BLAKE2b hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from flows._report import (
    Folder,
    OutputFile,
    forget,
    human_bytes,
    note_problem,
    plural,
    portable,
    printable,
    problem_lines,
    problems,
    publish,
    shorten,
)
from flows._walk import Walk, below
from routilux import Flow, JobState, Routine
from routilux.activation_policies import immediate_policy, when_quiet_policy

HEAD_SIZE: Final = 64 * 1024
READ_SIZE: Final = 1024 * 1024
# Files that travel together to be hashed; one by one, small files would cost more hops than hashing.
HEADS_PER_ITEM: Final = 32
PARALLEL_HASHES: Final = 4


class Parameters(BaseModel):
    """What to compare, and where the report goes."""

    model_config = ConfigDict(extra="forbid")

    root: Folder = Field(description="the folder to search, with everything below it")
    min_size: int = Field(
        default=1, ge=0, description="leave out files smaller than this, in bytes; 0 compares empty files too"
    )
    include: list[str] = Field(
        default=[], description="only files with such a name or path below root, as globs: *.jpg"
    )
    exclude: list[str] = Field(
        default=[], description="leave out files and folders with such a name or path, as globs: node_modules"
    )
    hidden: bool = Field(default=False, description="look at names that begin with a dot, too")
    follow_symlinks: bool = Field(default=False, description="follow symbolic links; loops are recognised")
    show: int = Field(default=20, ge=0, le=1_000, description="how many groups to print")
    max_groups: int = Field(
        default=10_000, ge=1, description="how many groups the report keeps; the totals count all"
    )
    output: OutputFile = Field(default=None, description="a file to write the report to, as JSON")


class FileChanged(OSError):
    """A file had another size when it was read than when it was found."""


def hash_head(path: str, size: int) -> str:
    """The hash of a file's first `HEAD_SIZE` bytes, which is the hash of it all if it is no larger.

    Raises OSError: `FileChanged` if it holds less, or, read to its end, more than `size` bytes.
    """
    with open(path, "rb", buffering=0) as file:
        # One byte more than a small file should have tells whether it grew.
        data = file.read(min(size + 1, HEAD_SIZE))
    if len(data) != min(size, HEAD_SIZE):
        raise FileChanged("it changed between being found and being read")
    return _blake2b(data).hexdigest()


def hash_whole(path: str, size: int, between_reads: Callable[[int], None]) -> str:
    """The hash of a whole file. `between_reads` is called with the bytes read, and may raise to give up."""
    found = _blake2b()
    done = 0
    buffer = bytearray(READ_SIZE)
    view = memoryview(buffer)
    with open(path, "rb", buffering=0) as file:
        while count := file.readinto(buffer):
            found.update(view[:count])
            done += count
            between_reads(done)
            if done > size:
                break
    if done != size:
        raise FileChanged("it changed between being found and being read")
    return found.hexdigest()


def _blake2b(data: bytes = b"") -> hashlib.blake2b:
    return hashlib.blake2b(data, digest_size=32)


class HardLinks(Routine):
    """Lets one name of each file pass, and remembers the others."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("files", max_queue_length=50)
        self.define_event("files", ["files"])
        self.set_activation_policy(immediate_policy())

    def logic(self, files: list[dict[str, Any]], *, job_state: JobState) -> None:
        state = job_state.routine_state()
        first = state.setdefault("first", {})  # "device:inode" -> the name that passed
        others = state.setdefault("others", {})  # "device:inode" -> the names after it
        passing = []
        for path, size, inode, links in (file for item in files for file in item["files"]):
            if links > 1 and first.setdefault(inode, path) != path:
                others.setdefault(inode, []).append(path)
            else:
                passing.append([path, size, inode])
        self.emit("files", files=passing)


class Twins(Routine):
    """Lets files pass that share their key with another one; a file that is alone with its key is held back.

    `key` takes a file's record. The files that pass travel `files_per_item` together.
    """

    def __init__(self, key: Callable[[list[Any]], str], files_per_item: int) -> None:
        super().__init__()
        self.define_slot("files", max_queue_length=50)
        self.define_event("files", ["files"])
        self.set_activation_policy(immediate_policy())
        self._key = key
        self._files_per_item = files_per_item

    def logic(self, files: list[dict[str, Any]], *, job_state: JobState) -> None:
        state = job_state.routine_state()
        held = state.setdefault("held", {})  # key -> the single file, or None once it has passed
        passing = []
        for file in (file for item in files for file in item["files"]):
            key = self._key(file)
            if key not in held:
                held[key] = file
                continue
            if held[key] is not None:
                passing.append(held[key])
                held[key] = None
            passing.append(file)
        state["passed"] = state.get("passed", 0) + len(passing)
        state["passed_bytes"] = state.get("passed_bytes", 0) + sum(file[1] for file in passing)
        for start in range(0, len(passing), self._files_per_item):
            self.emit("files", files=passing[start : start + self._files_per_item])


class HashHead(Routine):
    """Hashes the beginning of files. Small ones are known in full after that."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("files", max_queue_length=50)
        self.define_event("small", ["files"])
        self.define_event("large", ["files"])
        self.set_activation_policy(immediate_policy())
        # Reading waits for the disk, and hashing releases the interpreter lock: no CPU gate.
        self.set_max_concurrency(PARALLEL_HASHES)
        self.set_cpu_gate(False)

    def logic(self, files: list[dict[str, Any]], *, job_state: JobState) -> None:
        batch = [file for item in files for file in item["files"]]
        small: list[list[Any]] = []
        large: list[list[Any]] = []
        for path, size, inode in batch:
            job_state.raise_if_cancelled()
            try:
                hashed = [path, size, inode, hash_head(path, size)]
            except OSError as error:
                note_problem(job_state, path, error)
                continue
            (small if size <= HEAD_SIZE else large).append(hashed)
        with job_state.shared_lock:
            state = job_state.routine_state()
            state["done"] = done = state.get("done", 0) + len(batch)
        job_state.report_progress(done, job_state.routine_state("same_size")["passed"], "files")
        if small:
            self.emit("small", files=small)
        if large:
            self.emit("large", files=large)


class HashWhole(Routine):
    """Hashes large files to their end."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("files", max_queue_length=500)
        self.define_event("files", ["files"])
        self.set_activation_policy(immediate_policy())
        self.set_max_concurrency(PARALLEL_HASHES)
        self.set_cpu_gate(False)  # hashlib releases the interpreter lock

    def logic(self, files: list[dict[str, Any]], *, job_state: JobState) -> None:
        for path, size, inode, _head in (file for item in files for file in item["files"]):

            def between_reads(_done: int) -> None:
                job_state.raise_if_cancelled()

            digest = ""
            try:
                digest = hash_whole(path, size, between_reads)
            except OSError as error:
                note_problem(job_state, path, error)
            with job_state.shared_lock:
                state = job_state.routine_state()
                state["done_bytes"] = done = state.get("done_bytes", 0) + size
            total = job_state.routine_state("same_head")["passed_bytes"]
            job_state.report_progress(done, total, f"{human_bytes(done)} of {human_bytes(total)}")
            if digest:
                self.emit("files", files=[[path, size, inode, digest]])


class Collect(Routine):
    """Gathers files by their content."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("files", max_queue_length=200)
        self.set_activation_policy(immediate_policy())

    def logic(self, files: list[dict[str, Any]], *, job_state: JobState) -> None:
        groups = job_state.routine_state().setdefault("groups", {})
        for path, size, inode, digest in (file for item in files for file in item["files"]):
            groups.setdefault(f"{size}:{digest}", []).append([path, inode])


class Report(Routine):
    """Makes the report when the walk has ended and nothing is left to hash."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("walked", max_queue_length=1)
        self.set_activation_policy(when_quiet_policy())

    def logic(self, walked: list[dict[str, Any]], *, job_state: JobState) -> None:
        params = job_state.entry_params
        groups = equal_files(
            job_state.routine_state("collect").get("groups", {}),
            job_state.routine_state("hard_links").get("others", {}),
        )
        report = build_report(
            root=job_state.routine_state("walk")["root"],
            walked=walked[0],
            compared=job_state.routine_state("same_size").get("passed", 0),
            groups=groups,
            max_groups=params["max_groups"],
            problems=problems(job_state),
        )
        publish(job_state, report, as_text(report, params["show"]), params["output"])
        forget(job_state, "hard_links", "same_size", "same_head", "collect")


def equal_files(collected: dict[str, list[list[str]]], links: dict[str, list[str]]) -> list[dict[str, Any]]:
    """The groups of two and more files, the greatest waste first.

    `collected` maps "size:digest" to [path, inode] pairs, `links` an inode to its further names.
    """
    groups: list[dict[str, Any]] = []
    for key, members in collected.items():
        size, digest = key.split(":")
        # inode -> all its names; a bind mount shows one file twice without a link.
        files: dict[str, list[str]] = {}
        for path, inode in members:
            files.setdefault(inode, list(links.get(inode, ()))).append(path)
        if len(files) < 2:
            continue
        named = [sorted(portable(name) for name in names) for names in files.values()]
        groups.append(
            {
                "size": int(size),
                "wasted": int(size) * (len(named) - 1),
                "blake2b": digest,
                "files": [{"path": names[0], "links": names[1:]} for names in sorted(named)],
            }
        )
    groups.sort(key=lambda group: (-group["wasted"], -len(group["files"]), group["files"][0]["path"]))
    return groups


def build_report(
    *,
    root: str,
    walked: dict[str, Any],
    compared: int,
    groups: list[dict[str, Any]],
    max_groups: int,
    problems: dict[str, Any],
) -> dict[str, Any]:
    """The report of one job, as JSON can hold it. Sizes are in bytes."""
    return {
        "root": portable(root),
        "files": walked["files"],
        "folders": walked["folders"],
        "size": walked["size"],
        "skipped": walked["skipped"],
        "compared": compared,
        "group_count": len(groups),
        "copies": sum(len(group["files"]) - 1 for group in groups),
        "wasted": sum(group["wasted"] for group in groups),
        "groups": groups[:max_groups],
        "problems": problems,
    }


def as_text(report: dict[str, Any], show: int) -> str:
    """The report for a reader: the sums, then the `show` groups that waste most."""
    root = report["root"]
    lines = [
        f"{plural(report['files'], 'file')} in {plural(report['folders'], 'folder')} below {root}, "
        f"{human_bytes(report['size'])}; {report['compared']:,} of them share their size with another",
    ]
    if not report["group_count"]:
        lines.append("no duplicates")
    else:
        share = 100 * report["wasted"] / report["size"] if report["size"] else 0
        lines.append(
            f"{plural(report['copies'], 'copy', 'copies')} in {plural(report['group_count'], 'group')} "
            f"take {human_bytes(report['wasted'])}, {share:.1f}% of it all"
        )
    lines += _group_lines(report, show)
    return "\n".join(lines + problem_lines(report["problems"]))


def _group_lines(report: dict[str, Any], show: int, names_shown: int = 8) -> Iterator[str]:
    root = report["root"]
    for group in report["groups"][:show]:
        files = group["files"]
        yield ""
        each = human_bytes(group["size"])
        yield f"  {human_bytes(group['wasted'])} wasted: {len(files):,} files of {each} each"
        for file in files[:names_shown]:
            linked = f"  (and {plural(len(file['links']), 'hard link')} to it)" if file["links"] else ""
            yield f"      {shorten(printable(below(root, file['path'])), 100)}{linked}"
        if len(files) > names_shown:
            yield f"      ... and {len(files) - names_shown:,} more"
    left = report["group_count"] - min(show, len(report["groups"]))
    if show and left > 0:
        yield ""
        yield f"  ... and {plural(left, 'group')} more; output= writes them to a file"


flow = Flow(
    "find_duplicates",
    params=Parameters,
    description="Find files with the same content, and the space their copies take.",
    max_history=200,  # a record keeps the item it tells of
)
flow.add_routine(Walk(files_per_item=100), "walk")
flow.add_routine(HardLinks(), "hard_links")
flow.add_routine(Twins(lambda file: str(file[1]), files_per_item=HEADS_PER_ITEM), "same_size")
flow.add_routine(HashHead(), "hash_head")
flow.add_routine(Twins(lambda file: f"{file[1]}:{file[3]}", files_per_item=1), "same_head")
flow.add_routine(HashWhole(), "hash_whole")
flow.add_routine(Collect(), "collect")
flow.add_routine(Report(), "report")

flow.connect("walk", "next", "walk", "next")
flow.connect("walk", "found", "hard_links", "files")
flow.connect("hard_links", "files", "same_size", "files")
flow.connect("same_size", "files", "hash_head", "files")
flow.connect("hash_head", "small", "collect", "files")
flow.connect("hash_head", "large", "same_head", "files")
flow.connect("same_head", "files", "hash_whole", "files")
flow.connect("hash_whole", "files", "collect", "files")
flow.connect("walk", "walked", "report", "walked")

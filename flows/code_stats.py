"""Count files, lines and functions of a source tree, and find the longest functions, per language.

    routilux run code_stats --param root=~/src/project
    routilux run code_stats --param root=. --param longest=20 --param output=stats.json

A line is blank, comment or code; a line with both code and comment is code, a docstring is comment, and a
line of spaces is blank wherever it stands. Python is read with `tokenize` and `ast`, so its numbers are
exact, with methods, async and nested functions told apart; a file with a syntax error still has its lines
counted, and is listed as a problem. Other languages are read by regular expressions and by matching
brackets (C, C++, C#, Go, Java, JavaScript, PHP, Rust, Shell, TypeScript): their lines are close to exact,
their functions approximate. The rest have lines only.

Folders of libraries and build results are left out by their names (`skip`), virtual environments and marked
caches by what is in them; the report says which. Hidden names are left out, and links not followed, unless
asked for.

How it works. Every file goes this way:

    walk ──> count ──> merge
      └──────────────────────> report (when all is quiet)

Files travel in groups, several groups are counted at once, and their sums are added together. The slots are
bounded, so memory does not grow with the tree, and the job can be paused, saved and carried on at any point.
"""

from __future__ import annotations

import codecs
import heapq
import io
import os
import tokenize
from collections import Counter
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from flows import _python_source as python_source
from flows._brace_functions import find_functions
from flows._languages import Function, Language, count_lines, cut, language_of, split_lines
from flows._report import (
    Folder,
    OutputFile,
    forget,
    human_bytes,
    note_problem,
    plural,
    portable,
    problem_lines,
    problems,
    publish,
    shorten,
    table,
)
from flows._walk import Walk, below
from routilux import Flow, JobState, Routine
from routilux.activation_policies import immediate_policy, when_quiet_policy

# Folders that hold what others wrote, or what was built, in the trees of most languages.
SKIPPED: Final = [
    "__pycache__",
    ".git",
    ".hg",
    ".svn",
    "node_modules",
    "bower_components",
    "site-packages",
    "vendor",
    "third_party",
    "target",
    "build",
    "dist",
    "htmlcov",
    "*.egg-info",
]


class Parameters(BaseModel):
    """Which tree to count, and where the report goes."""

    model_config = ConfigDict(extra="forbid")

    root: Folder = Field(description="the folder to count, with everything below it")
    include: list[str] = Field(
        default=[], description="only files with such a name or path below root, as globs: src/*.py"
    )
    exclude: list[str] = Field(
        default=[], description="leave out files and folders with such a name or path, as globs: *_pb2.py"
    )
    skip: list[str] = Field(
        default=SKIPPED,
        description="folders of libraries and build results to leave out, as globs, and with them virtual "
        "environments and marked caches; [] leaves out none",
    )
    hidden: bool = Field(default=False, description="look at names that begin with a dot, .git among them")
    follow_symlinks: bool = Field(default=False, description="follow symbolic links; loops are recognised")
    max_file_size: int = Field(
        default=2_000_000,
        ge=1,
        description="leave out larger files, in bytes; they are seldom written by hand",
    )
    longest: int = Field(default=5, ge=0, le=1_000, description="how many of the longest functions to list")
    output: OutputFile = Field(default=None, description="a file to write the report to, as JSON")


# --- One file -----------------------------------------------------------------------------------------------


class NotText(ValueError):
    """A file that has the name of a source text and is none."""


def decode(data: bytes, language: Language) -> str:
    """The text of a source file, with "\\n" for line ends. Raises NotText.

    Python says itself how it is encoded; anything else is UTF-8, UTF-16 with its mark, or else Latin-1.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = data.decode("utf-16", "replace")
    elif b"\0" in data[:8192]:
        raise NotText("binary, in spite of its name")
    else:
        encoding = "utf-8-sig"
        if language.functions == "python":
            try:
                encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
            except SyntaxError:
                pass  # an unknown encoding, or none that fits: then the next best
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            text = data.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def measure(text: str, language: Language) -> tuple[dict[str, int], list[Function] | None, str]:
    """The lines of a source text by kind, its functions (None: not known), and what is wrong with it."""
    problem = ""
    functions: list[Function] | None = None
    counts: tuple[int, int, int] | None = None
    if language.functions == "python":
        try:
            tree = python_source.parse(text)
            functions = python_source.functions(tree)
            counts = python_source.count_lines(text, tree)
        except SyntaxError as error:
            problem = f"syntax error in line {error.lineno}: {error.msg}" if error.lineno else str(error.msg)
        except tokenize.TokenError as error:
            problem = str(error.args[0])
    if counts is None:
        bare = cut(text, language)
        counts = count_lines(text, bare.without_comments)
        if language.functions not in ("", "python"):
            functions = find_functions(bare.without_strings, language.functions)
    lines = dict(zip(("blank", "comment", "code"), counts, strict=True))
    return {"lines": len(split_lines(text)), **lines}, functions, problem


# --- Sums of many files -------------------------------------------------------------------------------------

Sums = dict[str, Any]
_COUNTS: Final = ("files", "size", "lines", "blank", "comment", "code", "functions", "function_lines")


def new_sums() -> Sums:
    """The sums of no file."""
    return {"languages": {}, "unknown": {}}


def add_file(
    sums: Sums,
    path: str,
    language: Language,
    counts: dict[str, int],
    functions: list[Function] | None,
    longest: int,
) -> None:
    """Add one file to `sums`, which keep the `longest` longest functions of each language."""
    found = functions or ()
    one = dict.fromkeys(_COUNTS, 0) | counts | {"files": 1, "has_functions": int(functions is not None)}
    one["functions"] = len(found)
    one["function_lines"] = sum(function.lines for function in found)
    for function in found:
        for kind in function.kinds:
            one[kind] = one.get(kind, 0) + 1
    # Functions without a name are counted, but a list of them would tell nobody where to look.
    named = [[f.lines, path, f.first_line, f.name] for f in found if f.name]
    _add(sums["languages"].setdefault(language.name, {"longest": []}), one, named, longest)


def merge(total: Sums, part: Sums, longest: int) -> None:
    """Add the sums of `part` to `total`, which keeps the `longest` longest functions of each language."""
    for name, one in part["languages"].items():
        counts = {key: value for key, value in one.items() if key != "longest"}
        _add(total["languages"].setdefault(name, {"longest": []}), counts, one["longest"], longest)
    for ending, count in part["unknown"].items():
        total["unknown"][ending] = total["unknown"].get(ending, 0) + count


def _add(mine: dict[str, Any], counts: dict[str, int], functions: list[list[Any]], most: int) -> None:
    for key, value in counts.items():
        mine[key] = mine.get(key, 0) + value
    # The longest first; of equals the one that comes first by path and line.
    mine["longest"] = heapq.nsmallest(
        most, mine["longest"] + functions, key=lambda f: (-f[0], f[1], f[2], f[3])
    )


# --- The flow -----------------------------------------------------------------------------------------------


class Count(Routine):
    """Reads and counts some files, and emits their sums."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("files", max_queue_length=100)
        self.define_event("sums", ["sums"])
        self.set_activation_policy(immediate_policy())
        # Files do not depend on one another. Under an interpreter lock the CPU gate lets them take turns.
        self.set_max_concurrency(4)

    def logic(self, files: list[dict[str, Any]], *, job_state: JobState) -> None:
        params = job_state.entry_params
        batch = [file for item in files for file in item["files"]]
        sums = new_sums()
        for path, size, _inode, _links in batch:
            job_state.raise_if_cancelled()
            name = os.path.basename(path)
            language = language_of(name)
            if language is None:
                ending = portable(os.path.splitext(name)[1].lower()) or "(none)"
                sums["unknown"][ending] = sums["unknown"].get(ending, 0) + 1
                continue
            if size > params["max_file_size"]:
                note_problem(job_state, path, f"left out for its size, {human_bytes(size)}")
                continue
            try:
                data = Path(path).read_bytes()
                lines, functions, problem = measure(decode(data, language), language)
            except (OSError, NotText) as error:
                note_problem(job_state, path, error)
                continue
            if problem:
                note_problem(job_state, path, problem)
            counts = lines | {"size": len(data)}
            add_file(sums, portable(path), language, counts, functions, params["longest"])
        with job_state.shared_lock:
            state = job_state.routine_state()
            state["done"] = done = state.get("done", 0) + len(batch)
        job_state.report_progress(done, job_state.routine_state("walk")["files"], "files")
        self.emit("sums", sums=sums)


class Merge(Routine):
    """Adds the sums together, in its state."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("sums", max_queue_length=100)
        self.set_activation_policy(immediate_policy())

    def logic(self, sums: list[dict[str, Any]], *, job_state: JobState) -> None:
        total = job_state.routine_state().setdefault("total", new_sums())
        for item in sums:
            merge(total, item["sums"], job_state.entry_params["longest"])


class Report(Routine):
    """Makes the report when the walk has ended and everything is merged."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("walked", max_queue_length=1)
        self.set_activation_policy(when_quiet_policy())

    def logic(self, walked: list[dict[str, Any]], *, job_state: JobState) -> None:
        root = job_state.routine_state("walk")["root"]
        sums = job_state.routine_state("merge").get("total", new_sums())
        report = build_report(root, walked[0], sums, problems(job_state))
        publish(job_state, report, as_text(report), job_state.entry_params["output"])
        forget(job_state, "merge")


def build_report(root: str, walked: dict[str, Any], sums: Sums, problems: dict[str, Any]) -> dict[str, Any]:
    """The report of one job, as JSON can hold it: languages by lines of code, the most first."""
    languages = []
    for name, one in sums["languages"].items():
        row = {"language": name, **{key: one[key] for key in _COUNTS}}
        if not one["has_functions"]:
            row["functions"] = row["function_lines"] = None
        row |= {key: one.get(key, 0) for key in ("method", "async", "nested")} if name == "Python" else {}
        row["longest"] = [
            {"lines": lines, "name": function, "path": path, "line": line}
            for lines, path, line, function in one["longest"]
        ]
        languages.append(row)
    languages.sort(key=lambda row: (-row["code"], row["language"]))
    return {
        "root": portable(root),
        "folders": walked["folders"],
        "files": walked["files"],
        "skipped": walked["skipped"],
        "skipped_folders": [portable(path) for path in walked["skipped_folders"]],
        "languages": languages,
        "total": {key: sum(row[key] or 0 for row in languages) for key in _COUNTS},
        "unknown": dict(sorted(sums["unknown"].items(), key=lambda item: (-item[1], item[0]))),
        "problems": problems,
    }


def as_text(report: dict[str, Any]) -> str:
    """The report for a reader: a row per language, then the longest functions."""
    root, total = report["root"], report["total"]
    lines = [f"{plural(report['files'], 'file')} in {plural(report['folders'], 'folder')} below {root}"]
    if report["skipped_folders"]:
        skipped = Counter(os.path.basename(path) for path in report["skipped_folders"])
        names = [f"{count:,} x {name}" if count > 1 else name for name, count in skipped.most_common(8)]
        more = ", ..." if len(skipped) > 8 else ""
        lines.append(f"without the folders {', '.join(names)}{more} (parameter skip)")
    if not report["languages"]:
        return "\n".join([*lines, "no source files", *problem_lines(report["problems"])])
    rows = [[row["language"], *_figures(row)] for row in report["languages"]]
    if len(rows) > 1:
        rows.append(["all together", *_figures(total)])
    columns = ["language", ">files", ">lines", ">blank", ">comment", ">code", ">functions", ">mean length"]
    lines += ["", table(columns, rows)]
    for row in report["languages"]:
        if row["longest"]:
            lines += ["", f"Longest functions, {row['language']}{_kinds(row)}"]
            lines.append(
                table(
                    [">lines", "function", "where"],
                    [
                        [one["lines"], shorten(one["name"], 45), _where(root, one["path"], one["line"])]
                        for one in row["longest"]
                    ],
                )
            )
    if report["unknown"]:
        endings = ", ".join(f"{ending} {count:,}" for ending, count in list(report["unknown"].items())[:8])
        more = ", ..." if len(report["unknown"]) > 8 else ""
        lines += [
            "",
            f"Not counted, {plural(sum(report['unknown'].values()), 'file')} by ending: {endings}{more}",
        ]
    return "\n".join(lines + problem_lines(report["problems"]))


def _figures(row: dict[str, Any]) -> list[object]:
    figures: list[object] = [row[key] for key in ("files", "lines", "blank", "comment", "code")]
    if row["functions"] is None:
        return [*figures, "-", "-"]
    mean = f"{row['function_lines'] / row['functions']:.1f}" if row["functions"] else "-"
    return [*figures, row["functions"], mean]


def _kinds(row: dict[str, Any]) -> str:
    if "method" not in row:
        return ""
    kinds = f"{row['method']:,} methods, {row['async']:,} async, {row['nested']:,} nested"
    return f" (of {row['functions']:,}: {kinds})"


def _where(root: str, path: str, line: int) -> str:
    return f"{shorten(below(root, path), 60)}:{line}"


flow = Flow(
    "code_stats",
    params=Parameters,
    description="Count files, lines and functions of a source tree, and find the longest functions.",
    max_history=200,  # a record keeps the item it tells of
)
flow.add_routine(Walk(files_per_item=8), "walk")
flow.add_routine(Count(), "count")
flow.add_routine(Merge(), "merge")
flow.add_routine(Report(), "report")

flow.connect("walk", "next", "walk", "next")
flow.connect("walk", "found", "count", "files")
flow.connect("count", "sums", "merge", "sums")
flow.connect("walk", "walked", "report", "walked")

"""What the flows of this folder share to report: readable tables, sizes, problems, and files written whole.

Only plain functions: a report is a dict that JSON can hold, built by the flow; this module shows it and
keeps it.
"""

from __future__ import annotations

import json
import os
import secrets
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import AfterValidator

if TYPE_CHECKING:
    from routilux import JobState

# A report keeps this many problems in full; the rest are only counted, so that memory stays bounded.
PROBLEMS_KEPT: Final = 1_000
_PROBLEMS: Final = "problems"


# --- Parameters ---------------------------------------------------------------------------------------------


def _existing_folder(path: Path) -> Path:
    path = path.expanduser()
    if not path.is_dir():
        raise ValueError(f"{str(path)!r} is {'not a folder' if path.exists() else 'not there'}")
    return path


def _writable_target(path: Path | None) -> Path | None:
    if path is None:
        return None
    path = path.expanduser()
    if path.is_dir():
        raise ValueError(f"{str(path)!r} is a folder; name a file")
    if not path.absolute().parent.is_dir():
        raise ValueError(f"the folder {str(path.absolute().parent)!r} is not there")
    return path


Folder = Annotated[Path, AfterValidator(_existing_folder)]
"""A parameter that names an existing folder; "~" is the user's home."""

OutputFile = Annotated[Path | None, AfterValidator(_writable_target)]
"""A parameter that names a file to write, in a folder that exists."""


# --- Text ---------------------------------------------------------------------------------------------------


def human_bytes(count: float) -> str:
    """`count` bytes as a person reads them: "980 B", "1.4 GiB"."""
    if abs(count) < 1024:
        return f"{count:.0f} B"
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        count /= 1024
        if abs(count) < 1024 or unit == "TiB":
            break
    return f"{count:,.1f} {unit}"


def plural(count: int, one: str, many: str = "") -> str:
    """`count` with the right form of its noun: "1 file", "2,000 files"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def portable(text: str) -> str:
    """`text` in a form any UTF-8 file can hold: bytes of a file name that are no text become "\\xff"."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def printable(text: str) -> str:
    """`text` in a form that is safe on a terminal: control characters and odd bytes become escapes."""
    if text.isprintable():
        return text
    text = portable(text)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) != 0 for c in text)


def shorten(text: str, width: int) -> str:
    """`text` in at most `width` columns; what is cut is the middle, since names differ at both ends."""
    if _width(text) <= width:
        return text
    head = (width - 1) // 3
    start, end = text[:head], text[head:]
    while _width(start) > head:
        start = start[:-1]
    room = width - 1 - _width(start)
    end = end[-room:]
    while _width(end) > room:
        end = end[1:]
    return f"{start}…{end}"


def bar(value: float, greatest: float, width: int = 24) -> str:
    """A bar of `width` cells for `greatest`; anything above zero shows at least a sliver."""
    if value <= 0 or greatest <= 0:
        return ""
    eighths = max(1, round(width * 8 * value / greatest))
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, indent: str = "  ") -> str:
    """A table as text. A column whose title begins with ">" is aligned to the right.

    Whole numbers get thousands separators. Every cell is made printable.
    """
    right = [title.startswith(">") for title in columns]
    cells = [[title.removeprefix(">") for title in columns]]
    cells += [[_cell(value) for value in row] for row in rows]
    widths = [max(_width(row[i]) for row in cells) for i in range(len(columns))]
    lines = []
    for number, row in enumerate(cells):
        padded = []
        for text, width, to_the_right in zip(row, widths, right, strict=True):
            space = " " * (width - _width(text))
            padded.append(space + text if to_the_right else text + space)
        lines.append((indent + "  ".join(padded)).rstrip())
        if number == 0:
            lines.append(indent + "  ".join("─" * width for width in widths))
    return "\n".join(lines)


def _cell(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return printable(str(value))


# --- Problems -----------------------------------------------------------------------------------------------


def note_problem(job_state: JobState, where: str, what: object) -> None:
    """Record that one file, folder or line could not be used; the job goes on.

    Safe from parallel activations. The first `PROBLEMS_KEPT` are kept, all are counted.
    """
    if isinstance(what, OSError) and what.strerror:
        what = what.strerror
    with job_state.shared_lock:
        kept = job_state.shared_data.setdefault(_PROBLEMS, {"count": 0, "first": []})
        kept["count"] += 1
        if len(kept["first"]) < PROBLEMS_KEPT:
            kept["first"].append({"where": portable(where), "what": str(what)})


def problems(job_state: JobState) -> dict[str, Any]:
    """What `note_problem` recorded in this job, for its report: the count, and the first ones by name."""
    with job_state.shared_lock:
        noted = job_state.shared_data.get(_PROBLEMS, {"count": 0, "first": []})
        first = sorted(noted["first"], key=lambda problem: (problem["where"], problem["what"]))
        return {"count": noted["count"], "first": first}


def problem_lines(noted: dict[str, Any], most: int = 10) -> list[str]:
    """The problems of a report as lines of text, `most` of them."""
    if not noted["count"]:
        return []
    lines = ["", f"{plural(noted['count'], 'problem')}; the rest of the job was not touched by them:"]
    lines += [f"  {printable(one['where'])}: {printable(one['what'])}" for one in noted["first"][:most]]
    if noted["count"] > most:
        lines.append(f"  ... and {noted['count'] - most:,} more")
    return lines


# --- Keeping the result -------------------------------------------------------------------------------------


def write_json(path: Path, data: object) -> None:
    """Write `data` as JSON, whole or not at all: no reader sees half a file, and no error leaves one."""
    # Opened with "x" under a name of its own, so that the permissions are those of any file the user makes.
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    with open(part, "x", encoding="utf-8") as file:
        try:
            json.dump(data, file, ensure_ascii=False, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
            os.replace(part, path)
        except BaseException:
            os.unlink(part)
            raise


def publish(job_state: JobState, report: dict[str, Any], text: str, output: Path | None) -> None:
    """Hand the result over: to `shared_data["report"]`, to the job's log and the terminal, and to `output`.

    The file comes last, so that a full disk costs the file only; its error fails the job and says why.
    """
    with job_state.shared_lock:
        job_state.shared_data["report"] = report
        job_state.shared_data.pop(_PROBLEMS, None)
    print(text)
    if output is not None:
        write_json(output, report)
        print(f"\nwritten to {printable(str(output))}")


def forget(job_state: JobState, *routine_ids: str) -> None:
    """Drop what routines kept in their states. A finished job is kept; its working memory need not be."""
    for routine_id in routine_ids:
        job_state.routine_state(routine_id).clear()

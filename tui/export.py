"""Writing what a tab shows to a file: whole or not at all, and never over another unless told."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Final, NamedTuple

from routilux.history import ExecutionRecord, JobError, LogLine
from routilux.safe_text import Secrets
from tui.job_json import as_json, history_trees, log_tree

_UNFIT: Final = re.compile(r"[^\w.-]+")


class Export(NamedTuple):
    """What is to be written: `pieces` gives the text of a file with this suffix, `amount` says how much
    it is ("412 lines"). Pieces are made in the thread that writes."""

    what: str
    name: str
    amount: str
    pieces: Callable[[str], Iterable[str]]


def default_name(job_id: str, flow_name: str, what: str, suffix: str) -> str:
    """`a31f22-etl.daily-log.txt`"""
    flow = _UNFIT.sub("_", flow_name)[:60].strip("._") or "flow"
    return f"{job_id[:6]}-{flow}-{what}{suffix}"


def log_pieces(lines: Sequence[LogLine], dropped: int, zone: tzinfo | None, suffix: str) -> Iterator[str]:
    """A line of text for each of the log, or of JSON where the suffix says so."""
    if suffix in (".json", ".jsonl", ".ndjson"):
        for line in lines:
            yield as_json(log_tree(line), Secrets(), indent=None) + "\n"
        return
    if dropped:
        yield f"# {dropped:,} earlier lines are no longer kept\n"
    for line in lines:
        moment = line.timestamp.astimezone(zone).isoformat(sep=" ", timespec="milliseconds")
        head = f"{moment} {line.level:<8} {line.routine_id or '-':<12} "
        yield head + line.message.replace("\n", "\n" + " " * 8) + "\n"


def history_pieces(records: Sequence[ExecutionRecord], secrets: Secrets) -> Iterator[str]:
    """A line of JSON for each record."""
    for record in records:
        yield as_json(history_trees([record], secrets)[0], secrets, indent=None) + "\n"


def error_pieces(errors: Sequence[JobError]) -> Iterator[str]:
    """The tracebacks, oldest first."""
    for error in errors:
        fate = "failed the job" if error.fatal else "dealt with"
        yield f"{error.timestamp.isoformat()} {error.routine_id} ({fate})\n{error.traceback or error}\n"


def write_new(path: Path, pieces: Iterable[str], *, over: bool = False) -> int:
    """Write a file atomically, and answer with its size in bytes.

    FileExistsError if it exists and `over` is not said, also if it comes into being meanwhile. After
    any other error the folder is as it was before.
    """
    path = path.absolute()
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.", suffix=".tmp")
    try:
        with open(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
            size = os.fstat(file.fileno()).st_size
        # Made for its owner alone; what is exported is as readable as any file one writes.
        os.chmod(temporary, 0o666 & ~_umask())
        if over:
            os.replace(temporary, path)
        else:
            _put(temporary, path)
        return size
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)


def _put(temporary: str, path: Path) -> None:
    """Give a file its name, unless something has that name."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.EACCES):
            raise
        # A file system without hard links.
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        os.replace(temporary, path)


def _umask() -> int:
    # Linux tells it without changing it, which other threads would notice.
    with (
        contextlib.suppress(OSError, ValueError, IndexError, StopIteration),
        open("/proc/self/status") as status,
    ):
        line = next(line for line in status if line.startswith("Umask:"))
        return int(line.split()[1], 8)
    return 0o022

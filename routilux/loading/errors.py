"""What is wrong with a file of the flow folder."""

from __future__ import annotations

import importlib.util
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from routilux.loading.frames import user_part

ErrorKind: TypeAlias = Literal["syntax", "exception", "blocked", "timeout", "conflict", "unreadable"]


@dataclass(frozen=True, slots=True)
class LoadError:
    """Why a file declares no flows. `path` is relative to the root and `lineno` is a line of that file.

    `message` is one line. `traceback` holds the user's frames only, and is empty where the file itself
    raised nothing. `blocked_by` is the path, relative to the root, of the broken file that this one
    imports; the error is told there.
    """

    kind: ErrorKind
    path: str
    lineno: int | None
    message: str
    traceback: str = ""
    blocked_by: str | None = None

    def __str__(self) -> str:
        place = self.path if self.lineno is None else f"{self.path}:{self.lineno}"
        return f"{place}: {self.message}"


def explain(file: Path, path: str, error: BaseException, blocked_by: str | None = None) -> LoadError:
    """The `LoadError` of a file whose execution raised. `path` is the file's, relative to the root."""
    if blocked_by is not None:
        line = _line_in(file, error)
        return LoadError("blocked", path, line, f"blocked by {blocked_by}", blocked_by=blocked_by)
    unreadable = why_unreadable(file, path)
    if unreadable is not None:
        return unreadable
    if isinstance(error, SyntaxError) and error.filename == str(file):
        return LoadError(
            "syntax", path, error.lineno, f"{type(error).__name__}: {error.msg}", _user_text(error)
        )
    return LoadError("exception", path, _line_in(file, error), _one_line(error), _user_text(error))


def why_unreadable(file: Path, path: str) -> LoadError | None:
    """The error of a file that cannot be read as Python source at all, or None."""
    try:
        source = file.read_bytes()
    except OSError as error:
        return LoadError("unreadable", path, None, f"cannot be read: {error.strerror or error}")
    try:
        importlib.util.decode_source(source)
    except UnicodeDecodeError as error:
        return _undecodable(path, source, error)
    except (SyntaxError, LookupError) as error:
        # Said also of bytes in the first two lines that are not UTF-8, where an encoding is looked for.
        try:
            source.decode()
        except UnicodeDecodeError as undecodable:
            return _undecodable(path, source, undecodable)
        return LoadError("unreadable", path, 1, f"its encoding is not known: {error}")
    return None


def _undecodable(path: str, source: bytes, error: UnicodeDecodeError) -> LoadError:
    line = source.count(b"\n", 0, error.start) + 1
    return LoadError(
        "unreadable",
        path,
        line,
        f"byte {source[error.start]:#04x} is not {error.encoding}; "
        f"save the file as UTF-8, or declare its encoding in the first line",
    )


def _one_line(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"sys.exit({error.code!r}) at import; a flow module must not end the program"
    text = str(error).strip()
    name = type(error).__name__
    return f"{name}: {text.splitlines()[0]}" if text else name


def _line_in(file: Path, error: BaseException) -> int | None:
    lines = [
        line
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename == str(file)
    ]
    return lines[-1] if lines else None


def _user_text(error: BaseException) -> str:
    return user_part("".join(traceback.format_exception(error)))

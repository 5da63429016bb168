"""What is wrong with a file of the flow folder."""

from __future__ import annotations

import importlib.util
import os
import traceback
from typing import Literal, NamedTuple, TypeAlias

from routilux.loading.frames import user_part

ErrorKind: TypeAlias = Literal["syntax", "exception", "blocked", "timeout", "conflict", "unreadable"]


class LoadError(NamedTuple):
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


def shown(path: str) -> str:
    """A path as it can be printed: what is not UTF-8 in it is shown with escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def explain(file: str, path: str, content: bytes, error: BaseException) -> LoadError:
    """The `LoadError` of a file whose execution raised. `path` is as it is to be shown."""
    unreadable = why_unreadable(path, content)
    if unreadable is not None:
        return unreadable
    if isinstance(error, SyntaxError) and error.filename == file:
        return LoadError(
            "syntax", path, error.lineno, f"{type(error).__name__}: {error.msg}", _user_text(error)
        )
    return LoadError("exception", path, _line_in(file, error), _one_line(error), _user_text(error))


def blocked(file: str, path: str, error: BaseException, blocked_by: str) -> LoadError:
    """The `LoadError` of a file that let pass what another one, which it imports, has raised."""
    return LoadError(
        "blocked", path, _line_in(file, error), f"blocked by {blocked_by}", blocked_by=blocked_by
    )


def why_unreadable(path: str, content: bytes) -> LoadError | None:
    """The error of bytes that cannot be read as Python source at all, or None."""
    try:
        importlib.util.decode_source(content)
    except UnicodeDecodeError as error:
        return _undecodable(path, content, error)
    except (SyntaxError, LookupError) as error:
        # Said also of bytes in the first two lines that are not UTF-8, where an encoding is looked for.
        try:
            content.decode()
        except UnicodeDecodeError as undecodable:
            return _undecodable(path, content, undecodable)
        return LoadError("unreadable", path, 1, f"its encoding is not known: {error}")
    return None


def _undecodable(path: str, content: bytes, error: UnicodeDecodeError) -> LoadError:
    line = content.count(b"\n", 0, error.start) + 1
    return LoadError(
        "unreadable",
        path,
        line,
        f"byte {content[error.start]:#04x} is not {error.encoding}; "
        f"save the file as UTF-8, or declare its encoding in the first line",
    )


def _one_line(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"sys.exit({error.code!r}) at import; a flow module must not end the program"
    text = str(error).strip()
    name = type(error).__name__
    return f"{name}: {text.splitlines()[0]}" if text else name


def _line_in(file: str, error: BaseException) -> int | None:
    lines = [
        line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == file
    ]
    return lines[-1] if lines else None


def _user_text(error: BaseException) -> str:
    return user_part("".join(traceback.format_exception(error)))

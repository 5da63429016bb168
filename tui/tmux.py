"""Handing text to the tmux that the app runs in, which by default ignores what programs copy themselves."""

from __future__ import annotations

import os
import subprocess
from typing import Final

from tui.serve import in_browser

# A tmux that has not answered by then is not waited for.
TIME_LIMIT: Final = 2.0
# How much of what tmux says of its failure is told.
_SAID: Final = 200


def in_tmux() -> bool:
    """Whether the user sits at a tmux; whoever looks at a page in a browser does not."""
    return bool(os.environ.get("TMUX")) and not in_browser()


def load_buffer(text: str) -> str:
    """Make `text` tmux's newest buffer, which tmux passes on to its own terminal's clipboard if it may.

    Answers with what went wrong, "" for nothing. Blocks for up to twice the time limit.
    """
    said = _tmux("load-buffer", "-w", "-", given=text)
    if "unknown option" in said or "unknown flag" in said or said.startswith("usage:"):
        # Before 3.2 there are only buffers.
        said = _tmux("load-buffer", "-", given=text)
    return said


def _tmux(*arguments: str, given: str) -> str:
    try:
        done = subprocess.run(
            ["tmux", *arguments],
            input=given.encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=TIME_LIMIT,
            check=False,
        )
    except FileNotFoundError:
        return "there is no such command"
    except subprocess.TimeoutExpired:
        return f"no answer within {TIME_LIMIT:g} s"
    except OSError as error:
        return error.strerror or str(error)
    if done.returncode == 0:
        return ""
    return done.stderr.decode("utf-8", "replace").strip()[:_SAID] or f"exit code {done.returncode}"

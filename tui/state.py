"""Small files of the user's that the app writes for itself. None of it may ever keep the app from running."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import platformdirs

from routilux.loading.location import APP

# A file that is larger than this was not written by the app.
_LARGEST: Final = 64 * 1024 * 1024


def state_folder() -> Path:
    """Where the app keeps what it remembers. It need not exist."""
    return platformdirs.user_state_path(APP)


def name_for(root: Path) -> str:
    """A file name for what belongs to a flow folder, whichever way one came to it."""
    real = os.path.realpath(root)
    digest = hashlib.sha256(os.fsencode(real)).hexdigest()[:16]
    return f"{re.sub(r'[^A-Za-z0-9_.-]', '_', os.path.basename(real))[:40]}-{digest}"


def read_state(file: Path) -> dict[str, Any]:
    """What a file holds; nothing where there is none, or where it is damaged or cannot be read."""
    try:
        if file.stat().st_size > _LARGEST:
            return {}
        text = file.read_text(encoding="utf-8")
        # Not before there is something to read: the first frame would wait for it.
        import json

        held = json.loads(text)
    except (OSError, ValueError, RecursionError):
        return {}
    return held if isinstance(held, dict) else {}


def write_state(file: Path, held: Mapping[str, Any]) -> None:
    """Write a file whole or not at all, for the user's eyes only. `OSError` where that cannot be."""
    # Not before there is something to write: the first frame would wait for it.
    import json

    text = json.dumps(held, separators=(",", ":"))
    make_private(file.parent)
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.", suffix=".tmp")
    try:
        with open(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        os.replace(temporary, file)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def make_private(folder: Path) -> None:
    """Make a folder that only the user may look into. `OSError` where that cannot be."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)

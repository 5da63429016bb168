"""The flow folder, loaded once."""

from __future__ import annotations

import os
import threading

from routilux.loading.core import FolderCore
from routilux.loading.generation import Generation
from routilux.outcomes import forget_frames
from routilux.registry import FlowRegistry

# Held during a load; guards _installed.
_load_lock = threading.Lock()
_installed: FolderCore | None = None


def load_folder(root: str | os.PathLike[str], registry: FlowRegistry | None = None) -> Generation:
    """Import every module of a folder and register the flows they declare.

    Modules are the `.py` files of the folder and of its sub-folders, packages included; files and
    folders whose names start with `_` or `.` are left to be imported by others (an `__init__.py`
    belongs to its package). A file that cannot be imported, or declares a flow that another file
    declares as well, becomes an entry of `errors` and never stops the others. The flows are put
    into `registry`, the process's own by default.

    Loading executes the files anew each time, in the calling thread, without a time limit, one load at
    a time; what modules print is printed. A folder loaded earlier keeps its flows, but code from outside
    that imports from now on sees this one.

    Raises `OSError` for a root that is no folder or cannot be read. Lets `KeyboardInterrupt` through.
    """
    global _installed
    with _load_lock:
        core = FolderCore(root, registry, settle=0.0, captures=False)
        uninstall()
        _installed = core
        core.world.install()
        accepted = core.accept(force=True)
        tree = core.world.modules.tree
        if tree.missing:
            uninstall()
            kind = NotADirectoryError if core.root.exists() else FileNotFoundError
            raise kind(tree.missing)
        for name in accepted[0] if accepted is not None else ():
            try:
                core.world.modules.load(name)
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                forget_frames(error)
        core.publish(force=True, new=True)
        return core.generation


def uninstall() -> None:
    """Have code from outside no longer find the modules of the folder that was loaded last."""
    global _installed
    if _installed is not None:
        _installed.world.uninstall()
        _installed = None

"""The flow folder and the flow that a command is about."""

from __future__ import annotations

import contextlib
import difflib
import sys
from pathlib import Path, PurePosixPath

import click

from routilux.loading import FlowVersion, Generation, LoadError, load_folder
from routilux.loading.location import ConfigurationError, flow_folder


class Refused(click.ClickException):
    """The command cannot do what it was asked for; nothing was started."""

    exit_code = 2


def load(given: Path | None) -> Generation:
    """Load the flow folder that was named or is configured. What modules print goes to stderr."""
    try:
        root = flow_folder(given)
        with contextlib.redirect_stdout(sys.stderr):
            return load_folder(root)
    except OSError as error:
        hint = "" if given is not None else "; name one, or say [tool.routilux] flows = ... in pyproject.toml"
        raise Refused(f"{error}{hint}") from error
    except ConfigurationError as error:
        raise Refused(str(error)) from error


def choose(folder: Generation, name: str) -> FlowVersion:
    """The flow of that name. Otherwise says which there are, and which files did not load."""
    flow = folder.flows.get(name)
    if flow is not None:
        return flow
    lines = []
    culprit = next((error for path, error in folder.errors.items() if PurePosixPath(path).stem == name), None)
    if culprit is not None:
        lines.append(f"there is no flow {name!r}, since {culprit.path} could not be loaded")
        lines.extend(full_text(culprit))
    else:
        near = difflib.get_close_matches(name, folder.flows, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        lines.append(f"there is no flow {name!r} in {folder.root}{hint}")
    lines.append(f"flows: {', '.join(folder.flows) or 'none'}")
    others = [error for error in folder.errors.values() if error is not culprit]
    if others:
        lines.append("files that could not be loaded, and may declare it:")
        lines.extend(f"  {error}" for error in others)
    raise Refused("\n".join(lines))


def full_text(error: LoadError) -> list[str]:
    """A load error with its traceback, in lines."""
    return [f"  {error}", *(f"  {line}" for line in error.traceback.splitlines())]

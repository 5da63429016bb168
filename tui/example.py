"""What an empty folder shows: where a flow is looked for, and a flow to begin with."""

from __future__ import annotations

from typing import Final

from tui.keys import key_named
from tui.pictures import Catalogue
from tui.spans import BLANK, Line, wrap

# Three lines that are a whole flow; tests/tui/test_real_runtime.py runs them.
EXAMPLE: Final = (
    "from routilux import Flow, Routine",
    'flow, hi = Flow("hello"), Routine("hi")',
    'hi.set_logic(lambda: print("hi")); flow.add_routine(hi)',
)


def no_flows_lines(catalogue: Catalogue, columns: int) -> list[Line]:
    """In place of jobs, where there is no flow to start one of."""
    columns = max(columns - 1, 16)
    if catalogue.loading:
        return [((" Reading the flow folder …", "muted"),)]
    if catalogue.importing:
        names = ", ".join(catalogue.importing)
        return [((" " + part, "muted"),) for part in wrap(f"Importing {names} …", columns)]
    lines: list[Line] = []
    if catalogue.problem:
        lines += [((" " + part, "failed"),) for part in wrap(catalogue.problem, columns)]
    else:
        lines += [((" " + part, "text"),) for part in wrap("No flow in the folder", columns)]
        lines += [((" " + part, "strong"),) for part in wrap(str(catalogue.root), columns)]
    lines += [BLANK, ((" A whole flow, say in hello.py:", "muted"),), BLANK]
    lines += [((" " + text, "code"),) for text in EXAMPLE]
    then = "Save it, and it is here." if catalogue.watched else "Then start the app again."
    lines += [BLANK, *(((" " + part, "muted"),) for part in wrap(then, columns))]
    return lines


def no_jobs_lines(catalogue: Catalogue) -> list[Line]:
    """In place of jobs, where none was started yet."""
    if not catalogue.flows:
        return [((" No jobs: there is no flow to start one of", "muted"),)]
    return [
        (
            (" No jobs yet: ", "muted"),
            (key_named("start").first, "key"),
            (" starts one of the chosen flow", "muted"),
        )
    ]

"""Where `routilux-tui` begins."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence


def main() -> None:
    """Run the command. Does not return."""
    # A third of the time to the first frame would go to the collector looking through what is imported,
    # which is never garbage.
    gc.disable()
    arguments = sys.argv[1:]
    if not _are_to_parse(arguments):
        from tui.opening import open_as_configured

        _let_collect()
        open_as_configured(arguments[0] if arguments else None)
    # Not before it is asked for: the first frame would wait for it.
    from tui.command import main

    _let_collect()
    main()


def _are_to_parse(arguments: Sequence[str]) -> bool:
    """Whether there are options, too many arguments, or a shell that asks what may stand there."""
    return (
        len(arguments) > 1
        or any(argument.startswith("-") for argument in arguments)
        or "_ROUTILUX_TUI_COMPLETE" in os.environ
    )


def _let_collect() -> None:
    gc.freeze()
    gc.enable()


if __name__ == "__main__":
    main()

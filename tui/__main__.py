"""Where `routilux-tui` begins."""

from __future__ import annotations

import gc


def main() -> None:
    """Run the command. Does not return."""
    # A third of the time to the first frame would go to the collector looking through what is imported,
    # which is never garbage.
    gc.disable()
    from tui.command import main

    gc.freeze()
    gc.enable()
    main()


if __name__ == "__main__":
    main()

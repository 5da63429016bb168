"""Has the `logging` module make the records that the logs of jobs are to hold, while the app is open.

A record below the level of its logger is never made, so that no log could hold it. A flow that configures
logging itself is obeyed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

# What the app itself runs on, where nothing but warnings concerns the user, whatever a flow configures.
_MACHINERY: Final = ("asyncio", "watchfiles")


class _LastResort(logging.Handler):
    """Writes what would be written if the root logger had no handler.

    It has one from the beginning: else the first `logging.info` would add one that writes everything.
    """

    def emit(self, record: logging.LogRecord) -> None:
        logger: logging.Logger | None = logging.getLogger(record.name)
        while logger is not None:
            if any(handler is not self for handler in logger.handlers):
                return
            logger = logger.parent if logger.propagate else None
        if logging.lastResort is not None:
            logging.lastResort.handle(record)


@contextmanager
def records_for_jobs() -> Iterator[None]:
    """Within the block records are made from INFO on; afterwards the levels are as before.

    Those made inside activations are in the logs of their jobs. Of the others warnings and worse are
    written to the standard error, as ever, unless a flow has handlers of its own.
    """
    root = logging.getLogger()
    levels = {logger: logger.level for logger in (root, *map(logging.getLogger, _MACHINERY))}
    handler = _LastResort(logging.WARNING)
    basic_config = logging.basicConfig

    def configure(**wanted: Any) -> None:
        """`logging.basicConfig`, which does nothing where the root logger has a handler; ours counts not."""
        if wanted:
            root.removeHandler(handler)
            try:
                basic_config(**wanted)
            finally:
                if not root.handlers:
                    root.addHandler(handler)
        elif not root.handlers:
            # A flow has taken all handlers away, and then called `logging.info`.
            root.addHandler(handler)

    for logger in levels:
        logger.setLevel(logging.WARNING)
    root.setLevel(logging.INFO)
    if not root.handlers:
        root.addHandler(handler)
    logging.basicConfig = configure
    try:
        yield
    finally:
        logging.basicConfig = basic_config
        root.removeHandler(handler)
        for logger, level in levels.items():
            logger.setLevel(level)

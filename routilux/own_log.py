"""The library's own loggers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging


def own_log(name: str) -> logging.Logger:
    """The logger of one of this library's modules, which is excluded from the logs of jobs."""
    # Here and not at the top: logging costs start-up time, and many programs only define flows.
    import logging

    return logging.getLogger(name)

"""Running what may take long, or never end, beside the screen's thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any, TypeVar

Answer = TypeVar("Answer")


async def aside(function: Callable[..., Answer], *arguments: Any) -> Answer:
    """What `function` answers or raises, in a thread of its own.

    The thread is a daemon: unlike the workers of the event loop's pool, one that hangs never keeps
    the program from ending.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Answer] = loop.create_future()

    def tell(set_it: Callable[[Any], None], value: Any) -> None:
        if not answer.done():
            set_it(value)

    def run() -> None:
        try:
            value, set_it = function(*arguments), answer.set_result
        except Exception as error:
            value, set_it = _bearable(error), answer.set_exception  # type: ignore[assignment]
        except BaseException as error:
            # Raised on in the screen's thread, it would end the app.
            value, set_it = RuntimeError(f"{type(error).__name__}: {error}"), answer.set_exception  # type: ignore[assignment]
        try:
            loop.call_soon_threadsafe(tell, set_it, value)
        except RuntimeError:
            pass  # the loop is closed: nobody waits any more

    threading.Thread(target=run, name="routilux-aside", daemon=True).start()
    return await answer


def _bearable(error: Exception) -> Exception:
    """A future takes every exception but this one."""
    return RuntimeError(f"StopIteration: {error}") if isinstance(error, StopIteration) else error

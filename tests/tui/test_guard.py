"""What the app needs of the process is put back, and threads are switched as somebody types or not."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import sys
import termios
from collections.abc import Iterator

import pytest

from tests.tui import fixed
from tui.app import RoutiluxApp, local_now
from tui.guard import EASE, HURRY, QUIET, mend_process
from tui.messages import Messages
from tui.terminal import Terminal

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize(("quiet", "interval"), [(0.0, HURRY), (QUIET - 0.1, HURRY), (QUIET, EASE)])
def test_threads_are_switched_often_until_nobody_has_typed_for_a_while(quiet: float, interval: float) -> None:
    sys.setswitchinterval(1.0)
    mend_process(quiet)
    assert sys.getswitchinterval() == pytest.approx(interval)


async def test_a_key_has_them_switched_often_at_once() -> None:
    async with fixed.app().run_test() as pilot:
        sys.setswitchinterval(EASE)
        await pilot.press("j")
        assert sys.getswitchinterval() == pytest.approx(HURRY)


@pytest.fixture
def screen() -> Iterator[int]:
    """The descriptor of a terminal of 93 columns and 31 lines."""
    other, screen = pty.openpty()
    fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", 31, 93, 0, 0))
    yield screen
    os.close(screen)
    os.close(other)


def test_the_size_is_that_of_the_terminal_before_the_driver_has_told_it(screen: int) -> None:
    terminal = Terminal(0, screen, Messages(local_now))
    app = RoutiluxApp(fixed.FixedBackend(()), terminal=terminal)
    assert tuple(app.size) == (93, 31)

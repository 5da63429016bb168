"""What was written past the jobs: kept within bounds, told of once, shown on demand."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator

import pytest

from tests.tui import fixed
from tests.tui.driving import Drive, app_of, main_of, screen_text, until_shown
from tui.messages import MOST_LINES, Messages
from tui.screens.messages import MessagesScreen
from tui.spans import LONGEST


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def file() -> Iterator[int]:
    with tempfile.TemporaryFile() as kept:
        fcntl.fcntl(kept, fcntl.F_SETFL, os.O_APPEND)
        yield kept.fileno()


def texts(messages: Messages) -> list[str]:
    return [message.text for message in messages.lines]


def test_lines_come_as_they_are_written(file: int) -> None:
    messages = Messages(fixed.clock, file)
    assert not messages.gather()
    os.write(file, "one\r\ntwo ü".encode()[:-1])
    assert messages.gather()
    assert texts(messages) == ["one", "two "]
    os.write(file, "ü".encode()[-1:] + b"!\n")
    assert messages.gather()
    assert texts(messages) == ["one", "two ü!"]
    assert not messages.gather()
    assert messages.lines[0].at == fixed.NOW


def test_what_a_progress_bar_wrote_over_itself_is_not_kept(file: int) -> None:
    messages = Messages(fixed.clock, file)
    os.write(file, b"10%\r20%\r100%\r\nwindows\r")
    messages.gather()
    os.write(file, b"\n")
    messages.gather()
    assert texts(messages) == ["100%", "windows"]


def test_unseen_are_those_that_came_since_one_looked() -> None:
    messages = Messages(fixed.clock)
    messages.add("one\ntwo\nthr")
    assert messages.unseen == 3
    messages.looked()
    assert messages.unseen == 0
    messages.add("ee\nfour\n")
    assert messages.unseen == 1


@pytest.mark.parametrize("holes", [True, False])
def test_memory_and_disk_are_bounded_and_what_is_lost_is_counted(
    file: int, holes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not holes:
        monkeypatch.setattr("tui.messages._punch", lambda descriptor, size: False)
    messages = Messages(fixed.clock, file)
    line = b"x" * 99 + b"\n"
    for _ in range(100):
        os.write(file, line * 10_000)
        messages.gather()
    os.write(file, b"y" * 1000 + b"\nlast\n")
    messages.gather()
    assert os.fstat(file).st_blocks * 512 < 10_000_000
    assert len(messages.lines) == MOST_LINES
    assert texts(messages)[-1] == "last"
    assert messages.bytes_lost > 70_000_000
    assert messages.lines_lost > 0
    assert messages.text(900) == "last"
    assert messages.text(1010) == "y" * 1000 + "\nlast"


def test_a_line_without_an_end_is_cut(file: int) -> None:
    messages = Messages(fixed.clock, file)
    for _ in range(20):
        os.write(file, b"x" * 100_000)
        messages.gather()
    [message] = messages.lines
    assert len(message.text) == LONGEST


def test_text_is_safe_to_print() -> None:
    messages = Messages(fixed.clock)
    messages.add("\x1b[2J\x1b]0;title\x07a b\x08\n")
    assert messages.text(100) == "a b␈"


@pytest.mark.anyio
async def test_it_is_told_once_and_the_header_goes_on_telling(file: int) -> None:
    app = fixed.app()
    app.messages = Messages(fixed.clock, file)
    app.main.messages = app.messages
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        os.write(file, b"[bold]one[/bold]\n")
        await until_shown(pilot, "m shows it")
        await until_shown(pilot, "m: 1 message")
        os.write(file, b"two\n")
        await until_shown(pilot, "m: 2 messages")
        assert len(app._notifications) == 1
        await pilot.press("m")
        await until_shown(pilot, "[bold]one[/bold]")
        assert isinstance(app.screen, MessagesScreen)
        os.write(file, b"three\n")
        await until_shown(pilot, "12:04:55 three")
        await pilot.press("m")
        await until_shown(pilot, "[Overview]")
        main_of(pilot)._frame()
        await pilot.pause()
        assert "m: " not in screen_text(pilot)


@pytest.mark.anyio
async def test_a_click_on_the_mark_opens_the_window() -> None:
    app = fixed.app()
    app.messages.add("something\n")
    async with app.run_test(size=(120, 40)) as pilot:
        await until_shown(pilot, "m: 1 message")
        await pilot.click("#header", offset=(screen_text(pilot).index("1 message"), 0))
        await until_shown(pilot, "12:04:55 something")


@pytest.mark.anyio
async def test_the_window_follows_the_newest_until_one_scrolls_up() -> None:
    app = fixed.app()
    app.messages.add("".join(f"line {number}\n" for number in range(100)))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("m")
        await until_shown(pilot, "line 99")
        app.messages.add("line 100\n" + "w" * 300 + "\nline 102\n")
        await until_shown(pilot, "line 102")
        await pilot.press("k", "k", "k", "k")
        top = app.screen.query_one("#text").scroll_offset.y
        app.messages.add("line 103\n")
        await _shown_again(pilot)
        assert app.screen.query_one("#text").scroll_offset.y == top
        await pilot.press("escape")
        await until_shown(pilot, "[Overview]")


async def _shown_again(pilot: Drive) -> None:
    screen = app_of(pilot).screen
    assert isinstance(screen, MessagesScreen)
    screen._show()
    await pilot.pause()


def test_the_window(matches: Callable[..., bool]) -> None:
    app = fixed.app()
    app.messages.add(
        "Exception in thread Thread-1 (poll):\nTraceback (most recent call last):\n"
        '  File "/srv/flows/shop.py", line 30, in poll\n    return prices[sku]\n           ~~~~~~^^^^^\n'
        "KeyError: 'sku'\n\x1b[31mconnecting\x1b[0m [bold]to[/bold] warehouse 漢字\n"
    )
    assert matches(app, press=("m",))


def test_the_window_without_messages(matches: Callable[..., bool]) -> None:
    assert matches(fixed.app(), (80, 24), press=("m",))


def test_the_mark_of_unseen_messages(matches: Callable[..., bool]) -> None:
    app = fixed.app()
    app.messages.add("one\n" * 1234)
    assert matches(app, (80, 24))

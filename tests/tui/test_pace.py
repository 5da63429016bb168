"""The screen leaves the interpreter to the jobs while nobody types."""

from __future__ import annotations

import pytest

from tui.pace import (
    JUST_NOW,
    LONGEST,
    LONGEST_WATCHED,
    MOST_WAYS,
    PAINTED,
    SHARE,
    SHARE_WATCHED,
    WATCHED,
    Pace,
)


class Clocks:
    """Time that passes, and the time that the screen's thread computes of it."""

    def __init__(self) -> None:
        self.now = 100.0
        self.cpu = 5.0

    def pass_by(self, seconds: float, cpu: float) -> None:
        self.now += seconds
        self.cpu += cpu


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def pace(clocks: Clocks) -> Pace:
    """One whose first frame has just been due."""
    pace = Pace(lambda: clocks.now, lambda: clocks.cpu)
    assert pace.is_due(1.0)
    return pace


def frames(pace: Pace, clocks: Clocks, cost: float, quiet: float, seconds: float = 10.0) -> int:
    """How many frames of that cost are due, asked ten times a second."""
    due = 0
    for _ in range(round(seconds * 10)):
        clocks.pass_by(0.1, 0.0)
        if pace.is_due(quiet):
            due += 1
            clocks.pass_by(0.0, cost)
    return due


def test_cheap_frames_are_all_due(pace: Pace, clocks: Clocks) -> None:
    assert frames(pace, clocks, 0.09 * SHARE, 1000.0) == 100


def test_dear_frames_take_no_more_than_their_share(pace: Pace, clocks: Clocks) -> None:
    cost = 0.3 * SHARE
    assert 25 <= frames(pace, clocks, cost, 1000.0) <= 34


def test_frames_are_due_once_in_a_while_whatever_they_cost(pace: Pace, clocks: Clocks) -> None:
    assert frames(pace, clocks, 100.0, 1000.0) in (int(10 / LONGEST) - 1, int(10 / LONGEST))


def test_who_types_sees_cheap_frames_at_once_and_dear_ones_soon(pace: Pace, clocks: Clocks) -> None:
    assert frames(pace, clocks, 0.09 * SHARE_WATCHED, WATCHED) == 100
    dear = frames(pace, clocks, 100.0, WATCHED)
    assert 10 / (LONGEST_WATCHED + 0.1) <= dear <= 10 / LONGEST_WATCHED


def test_a_key_comes_before_a_frame_but_not_for_long(pace: Pace, clocks: Clocks) -> None:
    clocks.pass_by(0.1, 0.0)
    assert not pace.is_due(JUST_NOW / 2)
    assert pace.is_due(JUST_NOW)
    clocks.pass_by(LONGEST_WATCHED, 0.0)
    assert pace.is_due(0.0)


async def given_way(keys: list[float], quiet: float) -> list[float]:
    """How long a frame gives way, in its parts; `keys` are the moments at which keys come meanwhile."""
    slept: list[float] = []
    now = 0.0

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds
        slept.append(seconds)

    def since_a_key() -> float:
        return min([now - key for key in keys if key <= now], default=quiet + now)

    await Pace(sleep=sleep).give_way(since_a_key)
    return slept


@pytest.mark.anyio
async def test_a_frame_gives_way_to_keys_only_while_somebody_types() -> None:
    assert await given_way([], WATCHED + 0.1) == []
    assert await given_way([], WATCHED - 0.1) == [PAINTED]


@pytest.mark.anyio
async def test_a_frame_goes_on_once_a_key_had_its_time() -> None:
    waits = await given_way([PAINTED / 2], 0.5)
    assert sum(waits) == pytest.approx(PAINTED / 2 + JUST_NOW)


@pytest.mark.anyio
async def test_keys_without_an_end_do_not_hold_up_a_frame_for_ever() -> None:
    keys = [number / 100 for number in range(1000)]
    assert len(await given_way(keys, 0.5)) == 1 + MOST_WAYS

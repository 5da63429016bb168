"""Full collections come when nobody would notice."""

from __future__ import annotations

import pytest

from tui.sweeper import ENOUGH, LONG_QUIET, NOTICED, QUIET, SELDOM, TOO_MANY, Sweeper


class Collector:
    """Stands for the module `gc`, and for the clock, which moves while it collects."""

    def __init__(self) -> None:
        self.now = 0.0
        self.done: list[str] = []
        self.made = 0
        self.takes = 0.0
        self.thresholds = (700, 10, 10)

    def get_threshold(self) -> tuple[int, int, int]:
        return self.thresholds

    def set_threshold(self, *thresholds: int) -> None:
        assert len(thresholds) == 3
        self.thresholds = thresholds

    def get_count(self) -> tuple[int, int, int]:
        return (1, 1, self.made)

    def disable(self) -> None:
        self.done.append("disable")

    def enable(self) -> None:
        self.done.append("enable")

    def freeze(self) -> None:
        self.done.append("freeze")

    def unfreeze(self) -> None:
        self.done.append("unfreeze")

    def collect(self) -> None:
        self.done.append("collect")
        self.now += self.takes
        self.made = 0


@pytest.fixture
def collector() -> Collector:
    return Collector()


@pytest.fixture
def sweeper(collector: Collector) -> Sweeper:
    """One whose app is on the screen."""
    sweeper = Sweeper(collector, lambda: collector.now)
    sweeper.begin()
    collector.done.clear()
    return sweeper


def test_the_collector_begins_when_the_app_is_on_the_screen(collector: Collector) -> None:
    sweeper = Sweeper(collector, lambda: collector.now)
    assert collector.done == ["disable"]
    sweeper.begin()
    assert collector.done == ["disable", "enable"]
    assert collector.thresholds[:2] == (700, 10)
    assert collector.thresholds[2] > 1_000_000


@pytest.mark.parametrize(
    ("made", "quiet", "collects"),
    [
        (ENOUGH, QUIET, True),
        (ENOUGH, QUIET - 0.1, False),
        (ENOUGH - 1, 1000.0, False),
        (TOO_MANY, 0.0, True),
        (TOO_MANY - 1, 0.0, False),
    ],
)
def test_it_waits_for_quiet_as_long_as_it_can(
    sweeper: Sweeper, collector: Collector, made: int, quiet: float, collects: bool
) -> None:
    collector.made = made
    sweeper.tick(quiet)
    assert collector.done == ["collect"] * collects


def test_what_survives_a_long_collection_is_left_out_until_a_long_quiet(
    sweeper: Sweeper, collector: Collector
) -> None:
    collector.made, collector.takes = ENOUGH, 2 * NOTICED
    sweeper.tick(QUIET)
    assert collector.done == ["collect", "freeze"]
    collector.done.clear()
    collector.takes = 0.0
    sweeper.tick(LONG_QUIET)
    assert collector.done == []
    collector.now = SELDOM
    sweeper.tick(LONG_QUIET - 1)
    assert collector.done == []
    sweeper.tick(LONG_QUIET)
    assert collector.done == ["unfreeze", "collect"]
    collector.done.clear()
    collector.now = 3 * SELDOM
    sweeper.tick(LONG_QUIET)
    assert collector.done == [], "nothing was left out since"

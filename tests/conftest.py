"""Fixtures that tests of several modules need; helpers to import are in `tests.helpers`."""

from __future__ import annotations

import itertools
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from routilux import FlowRegistry
from routilux.loading import folder
from tests.helpers import Bench, Hold, assert_no_threads_left


@pytest.fixture(autouse=True)
def _no_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes what the user has configured, or what the app remembers. Folders of its own,
    made by whoever writes to them."""
    home = tmp_path_factory.getbasetemp() / f"home-{next(_homes)}"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))


_homes = itertools.count()


@pytest.fixture
def registry() -> FlowRegistry:
    """A registry of the test's own."""
    return FlowRegistry()


@pytest.fixture
def make_runtime() -> Iterator[Callable[..., Bench]]:
    """Makes runtimes that are shut down afterwards, and leave no thread behind."""
    made: list[Bench] = []

    def make(threads: int = 4, **how: Any) -> Bench:
        made.append(Bench(threads, **how))
        return made[-1]

    yield make
    Hold.release_all()
    for each in made:
        each.cancel_all_jobs(force=True)
        each.shutdown(wait=False)
    assert_no_threads_left()


@pytest.fixture
def runtime(make_runtime: Callable[..., Bench]) -> Bench:
    """A runtime of four threads."""
    return make_runtime(4)


@pytest.fixture
def one_thread(make_runtime: Callable[..., Bench]) -> Bench:
    """A runtime of a single thread, where whatever blocks it blocks everything."""
    return make_runtime(1)


@pytest.fixture
def often_switching() -> Iterator[Callable[[float], None]]:
    """Call it to have threads interrupt one another every so many seconds, where races show."""
    interval = sys.getswitchinterval()
    yield sys.setswitchinterval
    sys.setswitchinterval(interval)


@pytest.fixture
def process_restored() -> Iterator[None]:
    """For tests that load flow folders: afterwards the process is as if none had been loaded."""
    registry, root = FlowRegistry.get_instance(), logging.getLogger()
    flows = {name: registry.get_by_name(name) for name in registry.list_names()}
    level, handlers = root.level, list(root.handlers)
    yield
    folder.uninstall()
    root.setLevel(level)
    root.handlers[:] = handlers
    registry.clear()
    for name, flow in flows.items():
        if flow is not None:
            registry.register_by_name(name, flow)

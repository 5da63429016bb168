"""How long the code of others is waited for: in passing hardly at all, at leisure for a while."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tui.foreign import ForeignCode, at_leisure, in_passing


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def taking(clock: Clock, seconds: float, asked: list[float]) -> Callable[[], str]:
    """What writes a text within so many seconds of the clock."""

    def write() -> str:
        asked.append(clock.now)
        clock.now += seconds
        return "text"

    return write


def kinds(number: int) -> list[type]:
    return [type(f"Kind{at}", (), {}) for at in range(number)]


def test_in_passing_a_class_that_took_its_time_is_asked_once() -> None:
    clock, asked = Clock(), list[float]()
    foreign = ForeignCode(clock=clock)
    [kind] = kinds(1)
    write = taking(clock, 0.04, asked)
    first, *others = (in_passing(lambda: foreign.text(kind, write, 100)) for _ in range(200))
    assert (first.text, first.whole) == ("text", True)
    assert {(each.text, each.whole) for each in others} == {("…", False)}
    assert len(asked) == 1
    clock.now += 6
    assert in_passing(lambda: foreign.text(kind, write, 100)).whole


def test_in_passing_only_so_much_is_spent_at_once_and_of_the_time_after_it() -> None:
    clock, asked = Clock(), list[float]()
    foreign = ForeignCode(clock=clock)
    some = kinds(100)
    write = taking(clock, 0.009, asked)
    whole = [in_passing(lambda kind=kind: foreign.text(kind, write, 100)).whole for kind in some]  # type: ignore[misc]
    assert 3 <= sum(whole) <= 6
    assert clock.now < 0.06
    asked.clear()
    begun = clock.now
    for _ in range(1000):
        clock.now += 0.01
        in_passing(lambda: foreign.text(some[0], write, 100))
    assert 0.09 < 0.009 * len(asked) / (clock.now - begun) < 0.11


def test_at_leisure_all_is_asked_and_waited_for_longer_than_at_the_screen() -> None:
    clock, asked = Clock(), list[float]()
    foreign = ForeignCode(patience=0.5, clock=clock)
    [kind] = kinds(1)
    write = taking(clock, 0.04, asked)
    assert [at_leisure(lambda: foreign.text(kind, write, 100)) for _ in range(50)] == ["text"] * 50
    go_on = threading.Event()

    def slow() -> str:
        go_on.wait(20)
        return "at last"

    threading.Timer(0.6, go_on.set).start()
    assert at_leisure(lambda: foreign.text(kind, slow, 100)) == "at last"


def test_a_class_that_is_left_alone_is_not_read_for_good() -> None:
    foreign = ForeignCode(patience=0.01)
    go_on = threading.Event()
    [kind] = kinds(1)

    def slow() -> str:
        go_on.wait(20)
        return "at last"

    assert "too long" in foreign.text(kind, slow, 100)
    go_on.set()
    glance = in_passing(lambda: foreign.text(kind, slow, 100))
    assert "too long" in glance.text
    assert (glance.whole, glance.lasting) == (True, False)


def test_threads_do_not_wait_for_what_another_one_asked_and_leave_no_thread_behind() -> None:
    foreign = ForeignCode(patience=20)
    [kind] = kinds(1)
    go_on, asked = threading.Event(), threading.Event()

    def slow() -> str:
        asked.set()
        go_on.wait(20)
        return "at last"

    before = set(threading.enumerate())
    other = threading.Thread(target=foreign.text, args=(kind, slow, 100))
    other.start()
    assert asked.wait(20)
    assert foreign.text(kind, lambda: "at once", 100) == "at once"
    go_on.set()
    other.join(20)
    foreign.text(kind, lambda: "at once", 100)
    del foreign
    for thread in set(threading.enumerate()) - before:
        thread.join(20)
        assert not thread.is_alive()

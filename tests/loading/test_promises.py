"""What holds while many threads save, load, read and listen at once."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType, ModuleType
from typing import Any

import pytest

from routilux.loading import FlowEvent, Generation
from routilux.loading.modules import Modules
from routilux.loading.tree import Tree
from routilux.loading.versions import ModuleVersion
from tests.helpers import LIMIT
from tests.loading.conftest import MakeFolder
from tests.loading.files import flow
from tests.loading.test_tools import done_alone
from tests.loading.watching import Folder, flow_with

# Released by modules of these tests when their import has begun.
begun = threading.Semaphore(0)


def _together(*works: Callable[[], None]) -> None:
    """Run these in threads of their own, and raise what one of them has raised."""
    errors: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT * 4)
    if errors:
        raise errors[0]
    assert not any(thread.is_alive() for thread in threads)


@pytest.fixture
def quick_switches() -> Iterator[None]:
    """Threads take turns after a few bytecodes, so that what lies between two steps is seen."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_whatever_line_a_load_is_at_readers_see_all_of_it_or_nothing(
    folder: MakeFolder, request: pytest.FixtureRequest
) -> None:
    if done_alone(request):
        return
    names = [f"flow{number}" for number in range(5)]
    using = {f"{name}.py": "from ._helpers import N\n" + flow_with("N", name) for name in names}
    made = folder({**using, "_helpers.py": "N = 1\n"})
    made.loader.reload()
    made.write("_helpers.py", "N = 2\n")
    seen: list[Generation] = []

    def look(frame: FrameType, event: str, argument: object) -> Any:
        if "routilux" not in frame.f_code.co_filename:
            return None
        current = made.loader.current
        if not (seen and seen[-1] is current):
            seen.append(current)
        return look

    def load() -> None:
        sys.settrace(look)
        made.loader.reload()

    _together(load)
    values = [[each.flow.value for each in current.flows.values()] for current in seen]  # type: ignore[attr-defined]
    assert values == [[1] * 5, [2] * 5]
    assert [{each.generation for each in current.flows.values()} for current in seen] == [{1}, {2}]


def test_what_is_told_while_a_subscriber_is_called_waits_for_it(folder: MakeFolder) -> None:
    made = folder({"a.py": flow("a"), "b.py": flow("b")})
    made.loader.reload()
    entered, go_on = threading.Event(), threading.Event()
    told: list[tuple[str | None, int]] = []

    def hear(event: FlowEvent) -> None:
        if not told:
            entered.set()
            assert go_on.wait(LIMIT)
        told.append((event.flow, threading.get_ident()))

    made.loader.subscribe(hear)
    made.write("a.py", flow("a") + "x = 1\n")
    first = threading.Thread(target=made.loader.reload)
    first.start()
    assert entered.wait(LIMIT)
    made.write("b.py", flow("b") + "x = 1\n")
    generation = made.loader.reload()
    assert generation is not None
    assert (generation.number, told) == (3, [])
    ident = first.ident
    go_on.set()
    first.join(LIMIT)
    assert told == [("a", ident), ("b", ident)]


class _SlowToLeave:
    """A lock that one thread, once a generation is published, is slow to return from letting go of."""

    def __init__(self, made: Folder, thread: threading.Thread, generation: int) -> None:
        self._lock = threading.Lock()
        self._made, self._thread, self._generation = made, thread, generation
        self.left, self.go_on = threading.Event(), threading.Event()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *about: object) -> None:
        self._lock.release()
        if (
            threading.current_thread() is self._thread
            and self._made.loader.current.number == self._generation
        ):
            self.left.set()
            self.go_on.wait(LIMIT)


def test_events_are_in_the_order_of_their_loads_however_late_a_thread_gets_to_tell_them(
    folder: MakeFolder,
) -> None:
    made = folder({"a.py": flow("a"), "b.py": flow("b")})
    made.loader.reload()
    made.events.clear()
    made.write("a.py", flow("a") + "x = 1\n")
    first = threading.Thread(target=made.loader.reload)
    turn = made.loader._turn = _SlowToLeave(made, first, generation=2)  # type: ignore[assignment]
    first.start()
    assert turn.left.wait(LIMIT)
    made.write("b.py", flow("b") + "x = 1\n")
    made.loader.reload()
    turn.go_on.set()
    first.join(LIMIT)
    assert [(event.flow, event.generation) for event in made.events] == [("a", 2), ("b", 3)]


def test_events_come_in_order_and_one_at_a_time_whoever_loads(
    watched: MakeFolder, quick_switches: None
) -> None:
    made = watched({f"flow{number}.py": flow_with("0", f"flow{number}") for number in range(4)})
    told: list[FlowEvent] = []
    inside = threading.Lock()
    wrong: list[str] = []

    def hear(event: FlowEvent) -> None:
        if not inside.acquire(blocking=False):
            wrong.append("two at once")
            return
        try:
            if told and told[-1].generation > event.generation:
                wrong.append(f"{event.generation} after {told[-1].generation}")
            if event.generation > made.loader.current.number:
                wrong.append(f"{event.generation} before it was published")
            told.append(event)
        finally:
            inside.release()

    made.loader.subscribe(hear)

    def save(number: int) -> Callable[[], None]:
        def run() -> None:
            for value in range(1, 31):
                made.replace(f"flow{number}.py", flow_with(str(value), f"flow{number}"))
                made.loader.reload()

        return run

    _together(*(save(number) for number in range(4)))
    made.loader.stop()
    assert not wrong
    # Everything that was published was told, in just this order.
    # The first load was over before anybody listened.
    assert told == [event for record in made.loader.records[1:] for event in record.events]


@pytest.mark.parametrize(
    "imports", ["import helpers", "import flows.helpers as helpers", "from . import helpers"]
)
def test_a_save_between_an_import_and_its_look_up_is_not_missed(
    folder: MakeFolder, monkeypatch: pytest.MonkeyPatch, imports: str
) -> None:
    made = folder({"helpers.py": "N = 1"})
    made.loader.reload()
    arrived, go_on, accepted = threading.Event(), threading.Event(), threading.Event()
    look_up, move_on = Modules.module, Modules.next

    def look_up_late(self: Modules, name: str, asker: ModuleVersion | None) -> ModuleType:
        if name == "flows.helpers" and asker is not None and not arrived.is_set():
            arrived.set()
            assert go_on.wait(LIMIT)
        return look_up(self, name, asker)

    def note(self: Modules, tree: Tree) -> tuple[Modules, list[ModuleVersion]]:
        after = move_on(self, tree)
        if arrived.is_set():
            accepted.set()
        return after

    monkeypatch.setattr(Modules, "module", look_up_late)
    monkeypatch.setattr(Modules, "next", note)
    made.write("etl.py", flow_with("helpers.N", before=imports))

    def save() -> None:
        assert arrived.wait(LIMIT)
        made.write("helpers.py", "N = 2")
        made.loader.reload()

    def let_go() -> None:
        assert accepted.wait(LIMIT)
        go_on.set()

    def load() -> None:
        made.loader.reload()

    _together(load, save, let_go)
    assert made.value("etl") == 2


HANGS = """
from tests.loading import test_promises
test_promises.begun.release()
while True:
    from . import helpers
    import helpers as again
    again.NAME
    import flows.helpers
"""


def test_code_at_work_may_import_while_a_load_is_published(folder: MakeFolder, quick_switches: None) -> None:
    late = "import importlib\nflow.late = lambda n: importlib.import_module(f'flows._late{n}').N\n"
    helpers = {f"_late{number}.py": f"N = {number}" for number in range(2500)}
    made = folder({"etl.py": flow("etl") + late, "other.py": flow("other"), **helpers})
    made.loader.reload()
    over = threading.Event()

    def import_all() -> None:
        try:
            late: Callable[[int], int] = made.loader.catalog["etl"].flow.late  # type: ignore[attr-defined]
            assert [late(number) for number in range(len(helpers))] == [*range(len(helpers))]
        finally:
            over.set()

    def load() -> None:
        value = 0
        while not over.is_set():
            value += 1
            made.write("other.py", flow_with(str(value), "other"))
            made.loader.reload()

    _together(import_all, load)


def test_imports_given_up_at_any_moment_leave_no_lock_behind(watched: MakeFolder) -> None:
    # Another test's import may still sleep in a thread that was given up.
    before = set(threading.enumerate())
    made = watched({"etl.py": flow_with("0"), "helpers.py": "NAME = 1\n", "other.py": flow("other")})
    for number in range(1, 61):
        # The loop is inside the loader's own code most of the time.
        made.write("etl.py", f"{HANGS}# {number}\n")
        assert begun.acquire(timeout=LIMIT)
        made.write("etl.py", flow_with(str(number)))
        made.until(lambda number=number: made.value("etl") == number, f"fix {number}")  # type: ignore[misc]
    assert not made.loader.errors

    def has_ended() -> bool:
        imports = {thread for thread in threading.enumerate() if thread.name == "routilux-import"}
        return imports <= before

    made.until(has_ended, "the end of the imports that were given up")

"""What Python's own tools see of flow modules, each with a reload in between."""

from __future__ import annotations

import bdb
import inspect
import linecache
import logging
import os
import pickle
import subprocess
import sys
import threading
import typing
from pathlib import Path
from types import FrameType, GenericAlias
from typing import Any

import pytest

from tests.loading.conftest import MakeFolder
from tests.loading.watching import Folder, flow_with

TYPES = """
from __future__ import annotations
import enum
from dataclasses import dataclass, field, fields, replace
from typing import get_type_hints
from routilux import Flow
from .helpers import Unit

class Kind(enum.Enum):
    SMALL = 1
    LARGE = 2

@dataclass(order=True)
class Row:
    amount: {amount}
    unit: Unit
    kind: Kind = Kind.SMALL
    tags: list[str] = field(default_factory=list)

def total(rows: list[Row], unit: Unit) -> {amount}:
    return sum(row.amount for row in rows)

def hints() -> dict[str, object]:
    return get_type_hints(Row)

flow = Flow("etl")
flow.value = (Row, Kind, total, Unit, replace, fields, hints)
"""
UNIT = "import enum\nclass Unit(enum.StrEnum):\n    EUR = 'eur'\n"


def _reload(made: Folder, path: str, text: str) -> Any:
    """Save, load, and answer with the value of the flow before and after."""
    before = made.value("etl")
    made.write(path, text)
    made.loader.reload()
    assert not made.loader.errors
    return before, made.value("etl")


def test_type_hints_of_old_and_new_code_are_of_their_own_version(folder: MakeFolder) -> None:
    made = folder({"etl.py": TYPES.format(amount="int"), "helpers.py": UNIT})
    made.loader.reload()
    both = _reload(made, "etl.py", TYPES.format(amount="float"))
    for (row, kind, total, unit, _, _, hints), amount in zip(both, (int, float), strict=True):
        expected = {"amount": amount, "unit": unit, "kind": kind, "tags": list[str]}
        assert hints() == expected
        rows = GenericAlias(list, (row,))
        assert typing.get_type_hints(total) == {"rows": rows, "unit": unit, "return": amount}
    # From outside the folder, a class is looked up in the newest version of its module.
    assert typing.get_type_hints(row) == expected


def test_dataclasses_and_enums_of_old_and_new_code_work_and_do_not_mix(folder: MakeFolder) -> None:
    made = folder({"etl.py": TYPES.format(amount="int"), "helpers.py": UNIT})
    made.loader.reload()
    old, new = _reload(made, "helpers.py", UNIT + "    USD = 'usd'\n")
    assert [list(Unit.__members__) for _, _, _, Unit, *_ in (old, new)] == [["EUR"], ["EUR", "USD"]]
    for Row, Kind, _, Unit, replace, fields, _ in (old, new):
        row = Row(1, Unit.EUR)
        assert row == Row(1, Unit("eur"), Kind["SMALL"], [])
        assert row < replace(row, amount=2)
        assert [field.name for field in fields(Row)] == ["amount", "unit", "kind", "tags"]
        assert repr(row) == "Row(amount=1, unit=<Unit.EUR: 'eur'>, kind=<Kind.SMALL: 1>, tags=[])"
    assert old[0](1, old[3].EUR) != new[0](1, new[3].EUR)
    assert old[1].SMALL is not new[1].SMALL


def test_pickle_from_outside_is_of_the_newest_code_and_tells_of_old_objects(folder: MakeFolder) -> None:
    made = folder({"etl.py": TYPES.format(amount="int"), "helpers.py": UNIT})
    made.loader.reload()
    old, new = _reload(made, "etl.py", TYPES.format(amount="float"))
    row = new[0](1.5, new[3].EUR, new[1].LARGE)
    again = pickle.loads(pickle.dumps(row))
    assert again == row
    assert type(again) is new[0]
    assert again.kind is new[1].LARGE
    # As with any class that a module has no more; it is never another class by mistake.
    with pytest.raises(pickle.PicklingError, match="not the same object as flows"):
        pickle.dumps(old[0](1, old[3].EUR))


def test_the_source_of_what_is_loaded_is_shown_whatever_is_on_disk(folder: MakeFolder) -> None:
    source = "def answer():\n    return {0}  # {0}\n" + flow_with("answer")
    made = folder({"etl.py": source.format("'one'")})
    made.loader.reload()
    old, new = _reload(made, "etl.py", "# moved\n" * 7 + source.format("'two'"))
    made.write("etl.py", "def answer():\n    return 'on disk'\n")
    linecache.checkcache()
    assert inspect.getsource(old) == "def answer():\n    return 'one'  # 'one'\n"
    assert inspect.getsource(new) == "def answer():\n    return 'two'  # 'two'\n"
    assert inspect.getsourcelines(new)[1] == 8
    assert inspect.getsource(sys.modules["flows.etl"]).startswith("# moved\n")
    assert inspect.getfile(new) == str(made.root / "etl.py")


def test_a_logger_keeps_its_name_and_what_is_set_on_it(folder: MakeFolder) -> None:
    source = "import logging\nlog = logging.getLogger(__name__)\n" + flow_with("log")
    made = folder({"etl.py": source, "sub/a.py": source.replace("'etl'", "'a'")})
    made.loader.reload()
    made.value("etl").setLevel(logging.DEBUG)
    old, new = _reload(made, "etl.py", source + "# more\n")
    assert old is new is logging.getLogger("flows.etl")
    assert new.isEnabledFor(logging.DEBUG)
    assert made.value("a").name == "flows.sub.a"


def test_what_is_for_running_as_a_script_is_not_executed(folder: MakeFolder) -> None:
    source = flow_with("__name__") + "if __name__ == '__main__':\n    raise SystemExit('ran')\n"
    made = folder({"etl.py": source, "sub/__main__.py": "raise SystemExit('ran')\n"})
    made.loader.reload()
    assert _reload(made, "etl.py", source + "# more\n") == ("flows.etl", "flows.etl")


# ---- debuggers


def done_alone(request: pytest.FixtureRequest) -> bool:
    """Have a test that traces run in a process of its own; whether that was done.

    In Python 3.11 a traced function never begins while an asynchronous exception is under way to any thread
    of the process, as it is when another test's import was given up and sleeps.
    """
    if os.environ.get("ROUTILUX_TESTS_ALONE"):
        return False
    child = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", request.node.nodeid],
        cwd=request.config.rootpath,
        env={**os.environ, "ROUTILUX_TESTS_ALONE": "1"},
        capture_output=True,
        text=True,
    )
    assert child.returncode == 0, child.stdout
    return True


class _Debugger(bdb.Bdb):
    """Notes where it stops, by the line's text as it shows it, and goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.stops: list[tuple[str, int, str]] = []

    def user_line(self, frame: FrameType) -> None:
        if self.break_here(frame):
            file = frame.f_code.co_filename
            self.stops.append((str(file), frame.f_lineno, linecache.getline(file, frame.f_lineno).strip()))
        self.set_continue()


STEPS = """
def work():
    x = 1
    y = x + 1  # {0}
    return y
"""


@pytest.mark.parametrize("old_is_held", [False, True])
def test_a_breakpoint_by_file_and_line_hits_the_new_code_after_a_reload(
    folder: MakeFolder, old_is_held: bool, request: pytest.FixtureRequest
) -> None:
    if done_alone(request):
        return
    source = STEPS + flow_with("work")
    made = folder({"etl.py": source.format("first")})
    made.loader.reload()
    debugger = _Debugger()
    file = str(made.root / "etl.py")
    assert debugger.set_break(file, 4) is None
    held = made.value("etl")
    debugger.runcall(held)
    if not old_is_held:
        del held
    made.write("etl.py", "# one\n# two\n" + source.format("second"))
    made.loader.reload()
    debugger.clear_all_breaks()
    # Far below the end of what was loaded first.
    assert debugger.set_break(file, 6) is None
    debugger.runcall(made.value("etl"))
    assert debugger.stops == [(file, 4, "y = x + 1  # first"), (file, 6, "y = x + 1  # second")]


def test_a_trace_function_is_given_the_path_of_the_file(
    folder: MakeFolder, request: pytest.FixtureRequest
) -> None:
    if done_alone(request):
        return
    made = folder({"etl.py": STEPS + flow_with("work")})
    made.loader.reload()
    made.write("etl.py", "# more\n" + STEPS + flow_with("work"))
    made.loader.reload()
    wanted, hits = {(str(made.root / "etl.py"), 5)}, []

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        if event == "line" and (frame.f_code.co_filename, frame.f_lineno) in wanted:
            hits.append((Path(frame.f_code.co_filename), dict(frame.f_locals)))
        return trace

    def run() -> None:
        sys.settrace(trace)
        made.value("etl")()

    # In a thread of its own, so that the tracing of a coverage tool stays.
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert hits == [(made.root / "etl.py", {"x": 1})]


def test_breakpoint_calls_the_debugger_at_its_line(
    folder: MakeFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    stops: list[tuple[str, int]] = []

    def hook(*args: object, **kinds: object) -> None:
        frame = sys._getframe(1)
        stops.append((linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip(), frame.f_lineno))

    monkeypatch.setattr(sys, "breakpointhook", hook)
    source = "def work():\n    breakpoint()  # {0}\n" + flow_with("work")
    made = folder({"etl.py": source.format("first")})
    made.loader.reload()
    for work in _reload(made, "etl.py", "# more\n" + source.format("second")):
        work()
    assert stops == [("breakpoint()  # first", 2), ("breakpoint()  # second", 3)]

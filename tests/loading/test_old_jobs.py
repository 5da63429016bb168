"""Running jobs keep the code they started with, and are all that keeps it alive."""

from __future__ import annotations

import gc
import linecache
import logging
import sys
import threading
import tracemalloc
import weakref
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from routilux import FlowRegistry, Job, Runtime
from routilux.loading import FlowLoader
from tests.helpers import LIMIT
from tests.loading.conftest import MakeFolder
from tests.loading.files import flow
from tests.loading.watching import Folder

# The logic waits at a gate that the test opens, and then does what stands for WORK.
GATED = """
import threading
from routilux import Flow, Routine
{top}
class Step(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger")

    def logic(self, trigger, *, job_state):
        trigger[0]["arrived"].set()
        trigger[0]["gate"].wait(60)
        {work}

flow = Flow("etl")
flow.add_routine(Step(), "step")
"""


class Held:
    """A job that has begun and waits at its gate."""

    def __init__(self, runtime: Runtime, name: str = "etl") -> None:
        self.gate, arrived = threading.Event(), threading.Event()
        state = runtime.exec(name, {"arrived": arrived, "gate": self.gate})
        job = runtime.get_job(state.job_id)
        assert job is not None
        assert arrived.wait(LIMIT)
        self.job: Job = job

    def go_on(self) -> Job:
        self.gate.set()
        assert self.job.wait(LIMIT)
        return self.job

    def report(self) -> object:
        job = self.go_on()
        assert job.is_completed(), job.job_state.error and job.job_state.error.traceback
        return job.job_state.shared_data["report"]


@pytest.fixture
def start(make_runtime: Callable[..., Runtime]) -> Callable[[Folder], Held]:
    """Starts a job of the flow etl in its newest version."""
    runtimes: dict[int, Runtime] = {}

    def begin(made: Folder) -> Held:
        if id(made) not in runtimes:
            runtimes[id(made)] = make_runtime(4, registry=made.registry)
        return Held(runtimes[id(made)])

    return begin


Start = Callable[[Folder], Held]


@pytest.mark.parametrize(
    "imports",
    [
        "import helpers",
        "from flows import helpers",
        "import flows.helpers as helpers",
        "from . import helpers",
        "import flows.helpers; helpers = flows.helpers",
        "import importlib; helpers = importlib.import_module('flows.helpers')",
        "import importlib; helpers = importlib.import_module('.helpers', __package__)",
        "import importlib; helpers = importlib.import_module('helpers')",
        "helpers = __import__('helpers')",
    ],
)
@pytest.mark.parametrize("where", ["top", "function"])
def test_jobs_finish_on_the_code_they_started_with(
    folder: MakeFolder, start: Start, imports: str, where: str
) -> None:
    report = 'job_state.shared_data["report"] = helpers.NAME'
    indented = imports.replace("\n        ", "\n") if where == "top" else imports
    source = (
        GATED.format(top=indented, work=report)
        if where == "top"
        else GATED.format(top="", work=f"{imports}\n        {report}")
    )
    made = folder({"etl.py": source, "helpers.py": "NAME = 'old'"})
    made.loader.reload()
    old = start(made)
    made.write("helpers.py", "NAME = 'new'")
    made.loader.reload()
    new = start(made)
    assert (old.report(), new.report()) == ("old", "new")


def test_a_lazy_import_of_a_name_computed_late_finds_what_there_is(folder: MakeFolder, start: Start) -> None:
    work = (
        "import importlib; job_state.shared_data['report'] = importlib.import_module('flows.' + 'late').NAME"
    )
    made = folder({"etl.py": GATED.format(top="", work=work), "late.py": "NAME = 1"})
    made.loader.reload()
    assert start(made).report() == 1
    made.write("late.py", "NAME = 2")
    made.loader.reload()
    assert start(made).report() == 2


def test_a_lazy_import_is_of_the_old_code_even_when_its_file_is_gone(
    folder: MakeFolder, start: Start
) -> None:
    work = "from ._late import NAME; job_state.shared_data['report'] = NAME"
    made = folder({"etl.py": GATED.format(top="", work=work), "_late.py": "NAME = 'kept'"})
    made.loader.reload()
    old = start(made)
    (made.root / "_late.py").unlink()
    (made.root / "etl.py").unlink()
    made.loader.reload()
    assert not made.loader.catalog
    assert old.report() == "kept"


def test_a_lazy_import_of_a_broken_file_gets_its_last_good_version(folder: MakeFolder, start: Start) -> None:
    work = "from .late import NAME; job_state.shared_data['report'] = NAME"
    made = folder({"etl.py": GATED.format(top="", work=work), "late.py": "NAME = 'good'"})
    made.loader.reload()
    made.write("late.py", "NAME = ")
    made.loader.reload()
    assert list(made.loader.errors) == ["late.py"]
    assert start(made).report() == "good"


LATE = "from ._late import NAME; job_state.shared_data['report'] = NAME"


def registered(name: str) -> str:
    """The source of a helper that registers a flow."""
    return (
        "from routilux import Flow, FlowRegistry\n"
        f"FlowRegistry.get_instance().register_by_name({name!r}, Flow({name!r}))\n"
    )


def late_folder(folder: MakeFolder, start: Start, *, work: str = LATE, **files: str) -> Folder:
    """A flow whose logic has imported a private helper that nobody imports at the top."""
    made = folder({"etl.py": GATED.format(top="", work=work), "_late.py": "NAME = 1"} | files)
    made.loader.reload()
    start(made).report()
    return made


def test_a_private_helper_that_only_logic_imports_is_new_for_new_jobs_when_it_is_saved(
    folder: MakeFolder, start: Start
) -> None:
    made = late_folder(folder, start)
    old = start(made)
    for number in range(2, 5):
        made.write("_late.py", f"NAME = {number}")
        made.loader.reload()
        assert start(made).report() == number
    assert old.report() == 1


def test_a_save_of_a_helper_that_only_logic_imports_tells_what_changed(
    folder: MakeFolder, start: Start
) -> None:
    made = late_folder(folder, start)
    made.write("_late.py", "NAME = 2")
    made.loader.reload()
    change = made.until_event("changed", flow="etl")
    assert change.diff is not None
    assert [each.path for each in change.diff.sources] == ["_late.py"]


def test_a_helper_that_only_logic_imports_is_named_when_it_breaks_and_its_last_good_version_stays(
    folder: MakeFolder, start: Start
) -> None:
    made = late_folder(folder, start)
    made.write("_late.py", "NAME = ")
    made.loader.reload()
    assert [(path, error.kind) for path, error in made.loader.errors.items()] == [("_late.py", "syntax")]
    assert start(made).report() == 1
    made.write("_late.py", "NAME = 3")
    made.loader.reload()
    assert not made.loader.errors
    assert start(made).report() == 3


def test_what_a_helper_that_only_logic_imports_imports_itself_is_executed_once(
    folder: MakeFolder, start: Start
) -> None:
    made = late_folder(
        folder, start, **{"_late.py": "from ._deep import NAME", "_deep.py": "NAME = object()"}
    )
    made.write("_late.py", "from ._deep import NAME\n")
    made.loader.reload()
    first = start(made).report()
    made.write("other.py", flow("other"))
    made.loader.reload()
    assert start(made).report() is first


def test_a_helper_whose_import_moves_into_logic_as_it_is_saved_is_new_for_new_jobs(
    folder: MakeFolder, start: Start
) -> None:
    made = folder({"etl.py": GATED.format(top="from . import _late", work=LATE), "_late.py": "NAME = 1"})
    made.loader.reload()
    made.write("etl.py", GATED.format(top="", work=LATE))
    made.write("_late.py", "NAME = 2")
    made.loader.reload()
    assert start(made).report() == 2


def test_a_job_of_new_code_waits_for_the_helper_that_was_saved_with_it(
    folder: MakeFolder, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = ModuleType("outside_of_the_folder")
    outside.gate = gate = threading.Event()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, outside.__name__, outside)
    work = "from ._late import NAME; job_state.shared_data['report'] = VERSION, NAME"
    made = late_folder(folder, start, **{"etl.py": GATED.format(top="VERSION = 1", work=work)})
    made.write("etl.py", GATED.format(top="VERSION = 2", work=work))
    made.write("_late.py", "import outside_of_the_folder\noutside_of_the_folder.gate.wait(60)\nNAME = 2")
    made.loader.start()
    # Its import lasts, and does not hold up the flow.
    made.until_event("changed", flow="etl")
    held = start(made)
    held.gate.set()
    assert not held.job.wait(0.2)
    gate.set()
    assert held.report() == (2, 2)


def test_a_helper_that_no_logic_imports_any_more_is_not_executed(folder: MakeFolder, start: Start) -> None:
    made = late_folder(folder, start)
    made.write("etl.py", flow("etl"))
    made.loader.reload()
    made.write("_late.py", "1 / 0")
    made.loader.reload()
    assert not made.loader.errors


def test_flows_of_a_helper_that_only_logic_imports_are_not_those_of_the_folder(
    folder: MakeFolder, start: Start
) -> None:
    made = late_folder(folder, start)
    made.write("_late.py", f"NAME = 2\n{registered('hidden')}")
    made.loader.reload()
    assert start(made).report() == 2
    assert list(made.loader.catalog) == ["etl"]


def test_a_helper_that_logic_imported_counts_as_any_other_once_a_flow_imports_it_at_the_top(
    folder: MakeFolder, start: Start
) -> None:
    made = late_folder(folder, start)
    made.write("etl.py", GATED.format(top="from . import _late", work=LATE))
    made.write("_late.py", f"NAME = 2\n{registered('shown')}")
    made.loader.reload()
    assert start(made).report() == 2
    assert list(made.loader.catalog) == ["etl", "shown"]


def test_a_helper_whose_name_logic_computes_is_new_for_new_jobs(folder: MakeFolder, start: Start) -> None:
    work = "import importlib; m = importlib.import_module('flows._' + 'late'); "
    made = late_folder(folder, start, work=work + "job_state.shared_data['report'] = m.NAME")
    made.write("_late.py", "NAME = 2")
    made.loader.reload()
    assert start(made).report() == 2


@pytest.mark.parametrize("after", [["NAME = 'new'"], [None], [None, "1 / 0"], [None, "NAME = 'new'"]])
@pytest.mark.parametrize("etl", ["def f(:", "1 / 0", "from flows import nothing"])
def test_code_of_a_file_that_is_broken_now_keeps_what_it_imports_whatever_becomes_of_that(
    folder: MakeFolder, start: Start, etl: str, after: list[str | None]
) -> None:
    work = "from flows import helpers as late; job_state.shared_data['report'] = late is helpers, late.NAME"
    made = folder(
        {
            "etl.py": GATED.format(top="from flows import helpers", work=work),
            "helpers.py": "NAME = 'old'",
        }
    )
    made.loader.reload()
    jobs = [start(made)]
    made.write("etl.py", etl)
    made.loader.reload()
    # The last good version is in service.
    jobs.append(start(made))
    for text in after:
        if text is None:
            (made.root / "helpers.py").unlink()
        else:
            made.write("helpers.py", text)
        made.loader.reload()
    jobs.append(start(made))
    for job in jobs:
        job.gate.set()
    assert [job.report() for job in jobs] == [(True, "old")] * 3


def test_a_helper_that_is_no_longer_imported_by_new_code_keeps_what_it_imports(
    folder: MakeFolder, start: Start
) -> None:
    work = "job_state.shared_data['report'] = _helper.imports_the_same()"
    made = folder(
        {
            "etl.py": GATED.format(top="from . import _helper", work=work),
            "_helper.py": "from . import _deep\ndef imports_the_same():\n"
            "    from . import _deep as late\n    return late is _deep\n",
            "_deep.py": "",
        }
    )
    made.loader.reload()
    old = start(made)
    made.write("etl.py", flow("etl"))
    made.loader.reload()
    assert old.report() is True


@pytest.mark.parametrize("lines_before", [1, 5])
def test_tracebacks_show_the_source_that_ran(folder: MakeFolder, start: Start, lines_before: int) -> None:
    work = "import traceback\n        fail(job_state)"
    top = (
        "import traceback\ndef fail(job_state):\n    try:\n        1 / 0  # the old line\n"
        "    except ZeroDivisionError:\n        job_state.shared_data['seen'] = traceback.format_exc()\n"
        "        raise\n"
    )
    source = GATED.format(top=top, work=work)
    made = folder({"etl.py": source})
    made.loader.reload()
    old = start(made)
    made.write("etl.py", "# more\n" * lines_before + source.replace("the old line", "the new line"))
    made.loader.reload()
    new = start(made)
    for held, there, not_there in ((old, "old", "new"), (new, "new", "old")):
        error = held.go_on().job_state.error
        assert error is not None
        for text in (error.traceback, held.job.job_state.shared_data["seen"]):
            assert f"1 / 0  # the {there} line" in text
            assert f"the {not_there} line" not in text
            assert f'File "{made.root / "etl.py"}", line ' in text


def test_pickle_works_for_old_and_new_jobs(folder: MakeFolder, start: Start) -> None:
    top = (
        "import pickle\nfrom dataclasses import dataclass\nfrom enum import Enum\n"
        "from .helpers import Other\n"
        "@dataclass\nclass Row:\n    x: int\nclass Kind(Enum):\n    A = 1\n"
    )
    work = (
        "rows = [Row(1), Kind.A, Other(2), Row, Other]\n"
        "        again = pickle.loads(pickle.dumps(rows))\n"
        "        job_state.shared_data['report'] = (again == rows and type(again[0]) is Row\n"
        "            and type(again[2]) is Other and again[1] is Kind.A)"
    )
    helpers = "from dataclasses import dataclass\n@dataclass\nclass Other:\n    y: int\n"
    made = folder({"etl.py": GATED.format(top=top, work=work), "helpers.py": helpers})
    made.loader.reload()
    old = start(made)
    made.write("helpers.py", helpers + "# more\n")
    made.loader.reload()
    assert start(made).report() is True
    assert old.report() is True


def test_a_job_knows_its_generation(folder: MakeFolder, start: Start) -> None:
    made = folder({"etl.py": GATED.format(top="", work="pass"), "other.py": flow("other")})
    made.loader.reload()
    old = start(made)
    made.write("other.py", flow("other") + "# more\n")
    made.loader.reload()
    same = start(made)
    made.write("etl.py", GATED.format(top="", work="return"))
    made.loader.reload()
    new = start(made)
    jobs = [old.go_on(), same.go_on(), new.go_on()]
    assert [job.snapshot().summary.generation for job in jobs] == [1, 1, 3]
    assert [job.job_state.generation for job in jobs] == [1, 1, 3]


# ---- what keeps old code alive


@pytest.mark.parametrize("work", ["pass", "raise Odd('x')"])
def test_old_code_is_collected_when_its_last_job_has_ended(
    folder: MakeFolder, start: Start, work: str
) -> None:
    top = "class Odd(Exception):\n    def __str__(self):\n        return 'odd'\n"
    made = folder({"etl.py": GATED.format(top=top, work=work)})
    made.loader.reload()
    old = start(made)
    gone = weakref.ref(made.loader.catalog["etl"].flow)
    # The widest reach there is: the globals of its code.
    module = weakref.ref(sys.modules["flows.etl"].Step)
    made.write("etl.py", GATED.format(top="", work="return"))
    made.loader.reload()
    gc.collect()
    assert gone() is not None
    job = old.go_on()

    def is_collected() -> bool:
        # The thread that ran it lets go of it when it has run something else.
        start(made).go_on()
        gc.collect()
        return (gone(), module()) == (None, None)

    made.until(is_collected, "its collection")
    assert list(job.flow.routines) == ["step"]
    assert job.snapshot().routines[0].routine_id == "step"


@pytest.mark.parametrize("etl", [flow("etl"), "1 / 0"])
def test_old_code_keeps_nothing_alive_of_what_came_after_it(
    folder: MakeFolder, start: Start, etl: str
) -> None:
    made = folder({"etl.py": GATED.format(top="", work="pass"), "a.py": flow("a"), "b.py": flow("b")})
    made.loader.reload()
    old = start(made)
    made.write("etl.py", etl)
    made.loader.reload()
    flows = []
    # In turn, so that each version of one was there beside two of the other.
    for number in range(10):
        for name in ("a", "b"):
            made.write(f"{name}.py", f"{flow(name)}# {number}\n")
            made.loader.reload()
            flows.append(weakref.ref(made.loader.catalog[name].flow))
    gc.collect()
    assert [each() is None for each in flows] == [True] * 18 + [False] * 2
    assert old.go_on().is_completed()


def test_a_loader_that_is_forgotten_is_collected_with_its_modules(folder: MakeFolder) -> None:
    made = folder({"etl.py": flow("etl")})
    loader = FlowLoader(made.root, FlowRegistry())
    loader.reload()
    gone = weakref.ref(loader.catalog["etl"].flow)
    loader.stop()
    del loader
    gc.collect()
    assert gone() is None


def test_two_hundred_reloads_leave_everything_flat(folder: MakeFolder) -> None:
    source = (
        "import logging\nfrom . import shared\nlog = logging.getLogger(__name__)\n"
        "DATA = bytearray(1_000_000)\n"
        "def lazily():\n    from . import _late\n" + flow("etl")
    )
    made = folder({"etl.py": source, "shared.py": "import logging", "_late.py": "", "bad.py": "1 / 0"})
    made.loader.reload()

    def measure() -> tuple[int, ...]:
        gc.collect()
        return (
            len(sys.modules),
            # What other tests have left there goes when a traceback is made.
            len([file for file in linecache.cache if str(made.root) in file]),
            len(logging.root.manager.loggerDict),
            len(sys.meta_path),
            tracemalloc.get_traced_memory()[0] // 2_000_000,
        )

    tracemalloc.start()
    try:
        sizes = []
        for number in range(200):
            made.write("etl.py", f"{source}# {number}\n")
            made.write("bad.py", f"1 / 0  # {number}\n")
            assert made.loader.reload() is not None
            if number % 50 == 9:
                sizes.append(measure())
    finally:
        tracemalloc.stop()
    assert sizes == [sizes[0]] * len(sizes)


def test_nothing_is_left_in_the_process_when_the_loader_has_stopped(folder: MakeFolder) -> None:
    before = set(sys.modules), list(sys.meta_path), list(sys.path)
    made = folder({"etl.py": "import helpers\n" + flow("etl"), "helpers.py": "", "sub/a.py": flow("a")})
    made.loader.reload()
    assert {"flows", "flows.etl", "flows.helpers", "flows.sub.a"} <= set(sys.modules)
    made.loader.stop()
    assert (set(sys.modules), list(sys.meta_path), list(sys.path)) == before


def test_the_folder_of_another_loader_is_not_mixed_in(tmp_path: Path, folder: MakeFolder) -> None:
    made = []
    for number in ("1", "2"):
        (tmp_path / number).mkdir()
        source = (
            "import helpers, sys, pickle\nfrom dataclasses import dataclass\n"
            "@dataclass\nclass A:\n    x: int = 1\n"
            "assert pickle.loads(pickle.dumps(A())) == A()\n" + flow("etl") + "flow.value = helpers.NAME\n"
        )
        made.append(
            folder({"etl.py": source, "helpers.py": f"NAME = {number!r}"}, root=tmp_path / number / "flows")
        )
        made[-1].loader.reload()
    made[0].write("helpers.py", "NAME = '3'")
    made[0].loader.reload()
    assert not made[0].loader.errors
    assert [each.value("etl") for each in made] == ["3", "2"]


@pytest.mark.parametrize("imports", ["from flows import helpers", "from . import helpers"])
def test_a_module_that_only_the_folder_of_another_loader_has_cannot_be_imported(
    tmp_path: Path, folder: MakeFolder, imports: str
) -> None:
    for number, files in enumerate(({"helpers.py": ""}, {"etl.py": f"{imports}\n{flow('etl')}"})):
        (tmp_path / str(number)).mkdir()
        made = folder(files, root=tmp_path / str(number) / "flows")
        made.loader.reload()
    assert not made.loader.catalog
    error = made.loader.errors["etl.py"]
    assert (error.lineno, error.message) == (
        1,
        "ImportError: cannot import name 'helpers' from 'flows' (unknown location)",
    )

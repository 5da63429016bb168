from __future__ import annotations

import gc
import sys
import weakref
from pathlib import Path

import pytest

from routilux import FlowRegistry
from routilux.loading import load_folder
from tests.loading.files import Load, flow, places, write

pytestmark = pytest.mark.usefixtures("process_restored")


@pytest.mark.parametrize(
    "statement",
    [
        "from flows.helpers import NAME",
        "from .helpers import NAME",
        "from helpers import NAME",
        "import helpers; NAME = helpers.NAME",
        "import flows.helpers; NAME = flows.helpers.NAME",
        "from flows.sub.more import NAME",
        "from sub.more import NAME",
        "import sub.more; NAME = sub.more.NAME",
    ],
)
def test_helpers_are_imported_in_every_way(load: Load, statement: str) -> None:
    loaded = load(
        {
            "a.py": f"{statement}\nfrom routilux import Flow\nflow = Flow(NAME)\n",
            "helpers.py": "NAME = 'etl'",
            "sub/more.py": "NAME = 'etl'",
        }
    )
    assert not loaded.errors
    assert places(loaded) == {"etl": "a.py:3"}


def test_both_names_of_a_helper_are_one_module(load: Load) -> None:
    source = """
        import helpers, sub.more
        from flows import helpers as again
        from .sub import more

        assert helpers is again
        assert sub.more is more
        assert helpers.__name__ == "flows.helpers"
    """
    loaded = load({"a.py": source, "helpers.py": "", "sub/more.py": ""})
    assert not loaded.errors


def test_a_flow_module_imported_plainly_is_not_executed_twice(load: Load) -> None:
    loaded = load({"a.py": "import etl\nimport flows.etl\n", "etl.py": flow("etl")})
    assert places(loaded) == {"etl": "etl.py:3"}
    assert not loaded.errors


def test_modules_that_import_one_another_load(load: Load) -> None:
    loaded = load(
        {"a.py": "import b\n" + flow("a"), "b.py": "import a\nfrom flows import a as again\n" + flow("b")}
    )
    assert list(loaded.flows) == ["a", "b"]
    assert not loaded.errors


def test_a_flow_named_like_an_installed_module_hides_it_from_nobody(load: Load) -> None:
    loaded = load(
        {
            "pytest.py": flow("p"),
            "json.py": flow("j"),
            "use.py": "import json, pytest\njson.dumps, pytest.raises",
        }
    )
    assert list(loaded.flows) == ["j", "p"]
    assert not loaded.errors


def test_what_lies_beside_the_folder_can_be_imported(tmp_path: Path, load: Load) -> None:
    write(tmp_path, {"beside_the_flows/__init__.py": "NAME = 'etl'"})
    loaded = load({"etl.py": "from beside_the_flows import NAME\n" + flow("etl")})
    assert list(loaded.flows) == ["etl"]
    del sys.modules["beside_the_flows"]


def test_logic_may_import_later(load: Load) -> None:
    source = """
        from routilux import Flow

        def names():
            import helpers
            from flows.late import NAME
            return helpers.NAME, NAME

        flow = Flow("etl")
        flow.names = names
    """
    loaded = load({"_late.py": "", "a.py": source, "helpers.py": "NAME = 1", "late.py": "NAME = 2"})
    assert loaded.flows["etl"].flow.names() == (1, 2)  # type: ignore[attr-defined]


def test_two_folders_of_one_name_do_not_mix(tmp_path: Path) -> None:
    source = """
        import helpers
        from flows.helpers import NAME
        from routilux import Flow

        flow = Flow(NAME + helpers.NAME)
    """
    loaded = []
    for number in ("1", "2"):
        root = tmp_path / number / "flows"
        write(root, {"etl.py": source, "helpers.py": f"NAME = {number!r}", f"only{number}.py": ""})
        loaded.append(load_folder(root, FlowRegistry()))
    assert [list(each.flows) for each in loaded] == [["11"], ["22"]]
    assert "flows.only1" not in sys.modules


def test_loading_again_executes_anew_without_any_cache(load: Load, tmp_path: Path) -> None:
    assert list(load({"etl.py": flow("aaa")}).flows) == ["aaa"]
    # Same size, same second: what the compiled cache would take for the same file.
    assert list(load({"etl.py": flow("bbb")}).flows) == ["bbb"]
    assert not list((tmp_path / "flows").rglob("*.pyc"))


def test_loading_leaves_the_process_as_it_was(tmp_path: Path) -> None:
    def state() -> tuple[int, int, int]:
        modules = [name for name in sys.modules if name.partition(".")[0] in ("flows", "helpers")]
        return len(sys.meta_path), len(sys.path), len(modules)

    states = []
    for number in range(5):
        root = tmp_path / str(number) / "flows"
        write(root, {"etl.py": "import helpers\n" + flow("etl"), "helpers.py": ""})
        load_folder(root, FlowRegistry())
        states.append(state())
    assert states == [states[0]] * 5


def test_a_flow_is_collected_when_nobody_holds_it(load: Load) -> None:
    files = {"etl.py": flow("etl"), "bad.py": "from etl import flow\n1 / 0"}
    gone = weakref.ref(load(files).flows["etl"].flow)
    load({"etl.py": flow("etl")})
    gc.collect()
    assert gone() is None

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from routilux import FlowRegistry
from routilux.loading import load_folder
from tests.loading.files import Load, flow, places, write

pytestmark = pytest.mark.usefixtures("process_restored")

REGISTER = """
from routilux import Flow, FlowRegistry

FlowRegistry.get_instance().register_by_name({name!r}, Flow({flow_id!r}))
"""


# ---- what is declared


def test_finds_module_level_flows_and_where_they_are(load: Load) -> None:
    loaded = load({"etl.py": flow("etl"), "two.py": flow("one", "a") + "\nb = Flow('two')\n"})
    assert places(loaded) == {"etl": "etl.py:3", "one": "two.py:3", "two": "two.py:5"}
    assert not loaded.errors


def test_registers_the_flows_by_name(tmp_path: Path, load: Load) -> None:
    write(tmp_path / "flows", {"etl.py": flow("etl")})
    registry = FlowRegistry()
    loaded = load_folder(tmp_path / "flows", registry)
    assert registry.get_by_name("etl") is loaded.flows["etl"].flow
    assert FlowRegistry.get_instance().get_by_name("etl") is None


def test_the_default_registry_is_the_process_s(tmp_path: Path) -> None:
    write(tmp_path / "flows", {"etl.py": flow("etl")})
    loaded = load_folder(tmp_path / "flows")
    assert FlowRegistry.get_instance().get_by_name("etl") is loaded.flows["etl"].flow


def test_a_registration_at_import_declares_a_flow_for_the_given_registry_only(load: Load) -> None:
    loaded = load({"etl.py": REGISTER.format(name="etl.daily", flow_id="etl")})
    assert places(loaded) == {"etl.daily": "etl.py:4"}
    assert FlowRegistry.get_instance().get_by_name("etl.daily") is None


def test_registering_a_module_level_flow_names_it_once(load: Load) -> None:
    source = (
        flow("etl") + "import routilux as r\nr.FlowRegistry.get_instance().register_by_name('daily', flow)"
    )
    assert places(load({"etl.py": source})) == {"daily": "etl.py:3"}


def test_a_registration_may_not_replace_what_the_process_has(load: Load) -> None:
    from routilux import Flow

    known = Flow("etl")
    FlowRegistry.get_instance().register_by_name("etl", known)
    loaded = load({"etl.py": REGISTER.format(name="etl", flow_id="etl")})
    assert loaded.flows["etl"].flow is not known
    assert FlowRegistry.get_instance().get_by_name("etl") is known


def test_registrations_of_a_module_that_fails_are_dropped(load: Load) -> None:
    loaded = load({"etl.py": REGISTER.format(name="etl", flow_id="etl") + "\n1 / 0\n"})
    assert not loaded.flows
    assert list(loaded.errors) == ["etl.py"]
    assert FlowRegistry.get_instance().get_by_name("etl") is None


def test_a_flow_imported_from_another_module_is_declared_by_that_one(load: Load) -> None:
    loaded = load({"a.py": "from flows.b import flow\nfrom . import b\n", "b.py": flow("etl")})
    assert places(loaded) == {"etl": "b.py:3"}
    assert not loaded.errors


def test_two_names_of_one_flow_are_one_flow(load: Load) -> None:
    assert places(load({"etl.py": flow("etl") + "again = flow\n"})) == {"etl": "etl.py:3"}


def test_a_flow_of_a_helper_is_declared_by_the_module_that_takes_it(load: Load) -> None:
    loaded = load({"_common.py": flow("unused"), "etl.py": "from flows._common import flow\n"})
    assert places(loaded) == {"unused": "etl.py:1"}


def test_a_module_builds_its_flows_in_a_loop(load: Load) -> None:
    source = """
        from routilux import Flow

        for day in ("mon", "tue"):
            globals()[day] = Flow(f"etl.{day}")
    """
    assert list(load({"etl.py": source}).flows) == ["etl.mon", "etl.tue"]


# ---- which files are modules


def test_packages_and_plain_sub_folders_are_entered(load: Load) -> None:
    loaded = load(
        {
            "pack/__init__.py": flow("in_init"),
            "pack/deep/etl.py": flow("deep"),
            "plain/etl.py": "from ..pack.deep import etl\n" + flow("plain"),
            "__init__.py": flow("in_root"),
        }
    )
    assert {name: each.path for name, each in loaded.flows.items()} == {
        "deep": "pack/deep/etl.py",
        "in_init": "pack/__init__.py",
        "in_root": "__init__.py",
        "plain": "plain/etl.py",
    }


def test_hidden_and_private_files_are_no_flow_modules(load: Load) -> None:
    loaded = load(
        {
            "_private.py": "1 / 0",
            ".hidden.py": "1 / 0",
            ".git/hook.py": "1 / 0",
            "_lib/mod.py": "1 / 0",
            "__pycache__/x.py": "1 / 0",
            "venv/pyvenv.cfg": "",
            "venv/lib.py": "1 / 0",
            "notes.txt": "1 / 0",
        }
    )
    assert not loaded.flows
    assert not loaded.errors


def test_a_link_that_leads_back_up_is_entered_once(tmp_path: Path, load: Load) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "again").symlink_to(tmp_path / "flows")
    assert places(load({"etl.py": flow("etl")})) == {"etl": "etl.py:3"}


def test_an_empty_folder_is_no_error(load: Load) -> None:
    loaded = load({})
    assert dict(loaded.flows) == {}
    assert dict(loaded.errors) == {}


def test_a_root_that_is_missing_or_a_file_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no flow folder .*nowhere"):
        load_folder(tmp_path / "nowhere")
    (tmp_path / "etl.py").touch()
    with pytest.raises(NotADirectoryError, match=r"the flow folder .*etl\.py is a file"):
        load_folder(tmp_path / "etl.py")


@pytest.mark.parametrize(
    "name", ["my-flows.d", "2024", "class", "json", "routilux", "pytest", "mit Umlaut ä"]
)
def test_any_name_of_a_folder_will_do(tmp_path: Path, load: Load, name: str) -> None:
    before = {key: sys.modules.get(key) for key in ("json", "routilux", "pytest")}
    files = {"etl.py": "import json\nfrom .helpers import NAME\n" + flow("etl"), "helpers.py": "NAME = 1"}
    assert list(load(files, tmp_path / name).flows) == ["etl"]
    assert {key: sys.modules.get(key) for key in before} == before


def test_a_root_given_through_a_link_has_the_link_s_name(tmp_path: Path, load: Load) -> None:
    real = tmp_path / "real_name"
    write(real, {"etl.py": "from flows.helpers import NAME\n" + flow("etl"), "helpers.py": "NAME = 1"})
    (tmp_path / "flows").symlink_to(real)
    loaded = load({})
    assert places(loaded) == {"etl": "etl.py:4"}
    assert loaded.root == tmp_path / "flows"


def test_a_relative_root_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "flows", {"etl.py": flow("etl")})
    monkeypatch.chdir(tmp_path / "flows")
    loaded = load_folder(".", FlowRegistry())
    assert loaded.root == tmp_path / "flows"
    assert list(loaded.flows) == ["etl"]

"""The loader: what it answers with, and what a save brings about."""

from __future__ import annotations

import sys
import threading
import warnings
from pathlib import Path

import pytest

from routilux import FlowRegistry
from routilux.loading import FlowLoader
from tests.loading.conftest import MakeFolder
from tests.loading.files import flow
from tests.loading.watching import flow_with

ETL = """
from routilux import Flow, Routine

class Step(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger")
        self.define_event("out", ["x"])

    def logic(self, trigger):
        return 1

flow = Flow("etl")
flow.add_routine(Step(), "first")
flow.add_routine(Step(), "second")
flow.connect("first", "out", "second", "trigger")
"""


# ---- reload


def test_the_first_reload_loads_the_folder(folder: MakeFolder) -> None:
    made = folder({"etl.py": flow("etl"), "bad.py": "1 / 0"})
    assert made.loader.current.number == 0
    generation = made.loader.reload()
    assert generation is made.loader.current
    assert generation is not None
    assert generation.number == 1
    version = made.loader.catalog["etl"]
    assert (version.name, version.generation, version.path, version.lineno) == ("etl", 1, "etl.py", 3)
    assert len(version.source_hash) == 32
    assert made.registry.get_by_name("etl") is version.flow
    assert made.loader.errors["bad.py"].kind == "exception"


def test_a_reload_of_what_has_not_changed_is_none(folder: MakeFolder) -> None:
    made = folder({"etl.py": flow("etl")})
    made.loader.reload()
    before = made.loader.current
    (made.root / "etl.py").touch()
    assert made.loader.reload() is None
    assert made.loader.current is before


def test_the_catalogue_is_replaced_and_never_changed(folder: MakeFolder) -> None:
    made = folder({"etl.py": flow("etl")})
    made.loader.reload()
    before = made.loader.catalog
    made.write("two.py", flow("two"))
    made.loader.reload()
    assert list(before) == ["etl"]
    assert list(made.loader.catalog) == ["etl", "two"]
    with pytest.raises(TypeError):
        before["x"] = before["etl"]  # type: ignore[index]


def test_unchanged_modules_are_shared_and_changed_ones_are_not(folder: MakeFolder) -> None:
    made = folder({"etl.py": flow("etl"), "other.py": flow("other")})
    made.loader.reload()
    before = made.loader.catalog
    made.write("etl.py", flow("etl") + "# more\n")
    made.loader.reload()
    after = made.loader.catalog
    assert after["other"] is before["other"]
    assert after["etl"].flow is not before["etl"].flow
    assert (after["etl"].generation, after["other"].generation) == (2, 1)


def test_removing_a_file_removes_its_flows(folder: MakeFolder) -> None:
    made = folder({"etl.py": flow("etl"), "other.py": flow("other")})
    made.loader.reload()
    (made.root / "etl.py").unlink()
    made.loader.reload()
    assert list(made.loader.catalog) == ["other"]
    assert made.registry.list_names() == ["other"]
    assert [(event.kind, event.flow) for event in made.events[-1:]] == [("removed", "etl")]


def test_a_broken_file_keeps_its_last_good_flows(folder: MakeFolder) -> None:
    made = folder({"etl.py": flow("etl")})
    made.loader.reload()
    good = made.loader.catalog["etl"]
    made.write("etl.py", "def f(:\n")
    made.loader.reload()
    assert made.loader.catalog["etl"] is good
    assert made.loader.errors["etl.py"].kind == "syntax"
    assert made.registry.get_by_name("etl") is good.flow
    event = made.events[-1]
    assert (event.kind, event.flow, event.path, event.error) == (
        "broken",
        "etl",
        "etl.py",
        made.loader.errors["etl.py"],
    )
    made.write("etl.py", flow("etl"))
    made.loader.reload()
    assert not made.loader.errors
    assert [event.kind for event in made.events[-2:]] == ["changed", "fixed"]


def test_a_change_is_told_in_the_flow_s_own_terms(folder: MakeFolder) -> None:
    made = folder({"etl.py": ETL})
    made.loader.reload()
    changed = ETL.replace("return 1", "return 2").replace('"second")', '"third")', 1)
    made.write("etl.py", changed.replace('"second", "trigger"', '"third", "trigger"'))
    made.loader.reload()
    event = made.events[-1]
    assert (event.kind, event.flow, event.generation) == ("changed", "etl", 2)
    assert event.diff is not None
    assert event.diff.routines_added == ("third",)
    assert event.diff.routines_removed == ("second",)
    assert event.diff.routines_changed == ("first",)
    assert [str(each) for each in event.diff.connections_added] == ["first.out -> third.trigger"]
    assert [str(each) for each in event.diff.connections_removed] == ["first.out -> second.trigger"]
    assert "-        return 1\n+        return 2" in event.diff.source


def test_a_comment_changes_no_routine(folder: MakeFolder) -> None:
    made = folder({"etl.py": ETL})
    made.loader.reload()
    made.write("etl.py", "# more\n" + ETL)
    made.loader.reload()
    diff = made.events[-1].diff
    assert diff is not None
    assert (diff.routines_added, diff.routines_removed, diff.routines_changed) == ((), (), ())
    assert "+# more" in diff.source


def test_a_change_of_a_helper_is_told_with_the_routines_that_use_it(folder: MakeFolder) -> None:
    uses = ETL.replace("return 1", "return helpers.answer()")
    made = folder({"etl.py": "from . import helpers\n" + uses, "helpers.py": "def answer():\n    return 1\n"})
    made.loader.reload()
    made.write("helpers.py", "def answer():\n    return 2\n")
    made.loader.reload()
    diff = made.events[-1].diff
    assert diff is not None
    assert diff.routines_changed == ("first", "second")
    assert "helpers.py" in diff.source


TWO_WAYS = """
from routilux import Flow, Routine

class Step(Routine):
    def __init__(self, way):
        super().__init__()
        self.define_slot("trigger")
        self.options = [way > 2]
        self.set_logic(self.other if way == 2 else self.one)

    def one(self, trigger):
        pass

    def other(self, trigger):
        pass

flow = Flow("etl")
flow.add_routine(Step(1), "first")
flow.add_routine(Step(1), "second")
"""


@pytest.mark.parametrize(
    "change",
    [
        ('Step(1), "first"', 'Step(2), "first"'),
        ('Step(1), "first"', 'Step(3), "first"'),
    ],
)
def test_routines_of_a_class_are_told_apart_by_what_is_their_own(
    folder: MakeFolder, change: tuple[str, str]
) -> None:
    made = folder({"etl.py": TWO_WAYS})
    made.loader.reload()
    made.write("etl.py", TWO_WAYS.replace(*change))
    made.loader.reload()
    diff = made.events[-1].diff
    assert diff is not None
    assert diff.routines_changed == ("first",)


def test_what_each_load_did_is_kept(folder: MakeFolder) -> None:
    made = folder({"etl.py": flow("etl")})
    made.loader.reload()
    made.write("etl.py", flow("etl") + "x = 1\n")
    made.loader.reload()
    first, second = made.loader.records
    assert [event.kind for event in first.events] == ["added"]
    assert (second.generation, second.paths) == (2, ("etl.py",))
    assert second.milliseconds > 0
    assert second.events == tuple(made.events[-1:])


def test_a_root_that_is_missing_is_an_error_until_it_is_there(tmp_path: Path, folder: MakeFolder) -> None:
    made = folder({"etl.py": flow("etl")})
    loader = FlowLoader(tmp_path / "later", FlowRegistry())
    loader.reload()
    assert loader.errors["."].message == f"there is no flow folder {tmp_path / 'later'}"
    made.root.rename(tmp_path / "later")
    loader.reload()
    assert list(loader.catalog) == ["etl"]
    assert not loader.errors
    loader.stop()


def test_what_is_printed_warned_and_logged_at_import_is_kept(
    folder: MakeFolder, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = """
        import logging, sys, warnings
        warnings.simplefilter("always")
        print("hello")
        print("oh", file=sys.stderr)
        warnings.warn("careful")
        logging.getLogger(__name__).warning("watch %s", "out")
        print("no end", end="")
    """
    made = folder({"etl.py": source})
    # The tests' own handling of warnings aside.
    monkeypatch.setattr(
        warnings, "showwarning", lambda *about: sys.stderr.write(warnings.formatwarning(*about[:4]))
    )
    made.loader.reload()
    lines = [(line.level, line.text) for line in made.loader.output["etl.py"]]
    assert lines[:2] == [("PRINT", "hello"), ("STDERR", "oh")]
    assert any("careful" in text for level, text in lines if level == "STDERR")
    assert ("WARNING", "watch out") in lines
    assert ("PRINT", "no end") in lines
    assert capfd.readouterr() == ("", "")


# ---- watching


def test_a_save_is_in_service_without_being_asked_for(watched: MakeFolder) -> None:
    made = watched({"etl.py": flow_with("1")})
    assert made.value("etl") == 1
    made.write("etl.py", flow_with("2"))
    event = made.until_event("changed", flow="etl")
    assert made.value("etl") == 2
    assert event.generation == made.loader.current.number == 2


def test_without_events_the_heartbeat_finds_what_changed(
    folder: MakeFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("routilux.loading.watching.Watcher._run", lambda self: None)
    made = folder({"etl.py": flow_with("1")}, heartbeat=0.05)
    made.loader.start()
    made.write("etl.py", flow_with("2"))
    made.until_event("changed", flow="etl")
    assert made.value("etl") == 2


def test_it_may_begin_to_watch_later(folder: MakeFolder) -> None:
    made = folder({"etl.py": flow_with("1")}, heartbeat=3600.0)
    made.loader.watch()  # before there is anything to watch for
    made.loader.start(watch=False)
    assert "routilux-watch" not in {thread.name for thread in threading.enumerate()}
    made.loader.watch()
    made.loader.watch()
    assert [thread.name for thread in threading.enumerate()].count("routilux-watch") == 1

    def saved() -> bool:
        # Again and again: what was saved before the watching began is not told of.
        made.write("etl.py", flow_with("2"))
        return made.value("etl") == 2

    made.until(saved)
    made.loader.stop()
    made.loader.watch()
    assert "routilux-watch" not in {thread.name for thread in threading.enumerate()}


def test_a_subscriber_that_raises_is_dropped_and_the_others_go_on(
    folder: MakeFolder, caplog: pytest.LogCaptureFixture
) -> None:
    made = folder({"etl.py": flow("etl")})
    calls = []

    def bad(event: object) -> None:
        calls.append(event)
        raise ValueError

    made.loader.subscribe(bad)
    made.loader.reload()
    made.write("two.py", flow("two"))
    made.loader.reload()
    assert len(calls) == 1
    assert [event.flow for event in made.events] == ["etl", "two"]
    assert "a subscriber raised and is dropped" in caplog.text


def test_stopping_leaves_no_thread_and_may_be_done_twice(watched: MakeFolder) -> None:
    # Another test's import may still sleep in a thread that was given up.
    before = set(threading.enumerate())
    made = watched({"etl.py": flow("etl")})
    made.loader.stop()
    made.loader.stop()
    assert not set(threading.enumerate()) - before


def test_it_can_be_started_again(watched: MakeFolder) -> None:
    made = watched({"etl.py": flow_with("1")})
    made.loader.stop()
    made.write("etl.py", flow_with("2"))
    made.loader.start()
    made.until(lambda: made.value("etl") == 2)

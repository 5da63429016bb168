"""What people do all day: saving, breaking and mending, moving, checking out; each on real files."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest

from routilux.loading import FlowEvent
from routilux.loading.crew import PATIENCE
from tests.loading.conftest import MakeFolder
from tests.loading.files import flow
from tests.loading.watching import flow_with

# ---- broken, then mended


@pytest.mark.parametrize(
    ("broken", "kind", "lineno"),
    [
        ("x = 1\ndef f(:\n", "syntax", 2),
        ("x = 1\n1 / 0\n", "exception", 2),
        ("import sys\nsys.exit()\n", "exception", 2),
        ("import no_such_module\n", "exception", 1),
        ("x = 1\nx = '\udcff'\n", "unreadable", 2),
    ],
)
def test_a_broken_save_is_told_and_the_fix_is_in_service(
    watched: MakeFolder, broken: str, kind: str, lineno: int
) -> None:
    made = watched({"etl.py": flow_with("1"), "other.py": flow_with("1", "other")})
    made.write("etl.py", broken.encode("utf-8", "surrogateescape"))
    error = made.until_event("broken", path="etl.py").error
    assert error is not None
    assert (error.kind, error.lineno) == (kind, lineno)
    assert made.loader.errors["etl.py"] == error
    assert made.value("etl") == 1
    made.write("etl.py", flow_with("2"))
    made.until_event("fixed", path="etl.py")
    assert made.value("etl") == 2
    assert not made.loader.errors


@pytest.mark.parametrize(
    "hangs",
    [
        "while True:\n    pass\n",
        "while True:\n    try:\n        x = 1\n    except BaseException:\n        pass\n",
        "import time\ntime.sleep(60)\n",
        "import os, socket\na, b = (each.detach() for each in socket.socketpair())\nos.read(a, 1)\n",
    ],
)
def test_an_import_that_hangs_holds_up_nobody_and_its_fix_waits_for_nothing(
    watched: MakeFolder, hangs: str
) -> None:
    made = watched({"etl.py": flow_with("1"), "other.py": flow_with("1", "other")}, slow_after=0.2)
    made.write("etl.py", flow_with("2") + hangs)
    made.write("other.py", flow_with("2", "other"))
    made.until(lambda: made.value("other") == 2)
    made.until(lambda: ("slow", "etl.py") in [(event.kind, event.path) for event in made.events])
    assert (made.value("etl"), made.value("other")) == (1, 2)
    # Far within the time limit of ten seconds.
    made.write("etl.py", flow_with("3"))
    made.until_event("changed", flow="etl")
    assert made.value("etl") == 3
    assert not made.loader.errors


@pytest.mark.parametrize("hangs", ["while True:\n    pass\n", "import time\ntime.sleep(60)\n"])
def test_an_import_that_takes_too_long_is_given_up_with_the_line_it_was_at(
    watched: MakeFolder, hangs: str
) -> None:
    made = watched({"etl.py": flow_with("1")}, import_timeout=0.3, slow_after=0.1)
    made.write("helpers.py", hangs)
    made.write("etl.py", "from . import helpers\n" + flow_with("2"))
    made.until(lambda: {"etl.py", "helpers.py"} <= set(made.loader.errors))
    errors = made.loader.errors
    assert (errors["helpers.py"].kind, errors["helpers.py"].lineno in (1, 2)) == ("timeout", True)
    assert (errors["etl.py"].kind, errors["etl.py"].blocked_by) == ("blocked", "helpers.py")
    assert made.value("etl") == 1
    made.write("helpers.py", "")
    made.until(lambda: not made.loader.errors)
    assert made.value("etl") == 2


def test_one_file_that_hangs_at_the_start_leaves_the_others_startable(folder: MakeFolder) -> None:
    made = folder({"a.py": "import time\ntime.sleep(60)\n", "b.py": flow("b"), "c.py": flow("c")})
    made.loader.start()
    assert list(made.loader.catalog) == ["b", "c"]


def test_the_record_of_a_slow_import_says_how_long_it_took(folder: MakeFolder, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    began = time.monotonic()
    waits = f"with open({str(gate)!r}) as gate:\n    gate.read()\n"
    made = folder({"quick.py": flow("quick"), "slow.py": waits + flow("slow")})
    made.loader.start()
    assert list(made.loader.catalog) == ["quick"]
    saved = time.monotonic()
    made.write("later.py", flow("later"))
    made.until_event("added", flow="later")
    took = made.loader.records[-1].milliseconds / 1000
    assert 0 < took < time.monotonic() - saved, "what still loads is not part of it"
    gate.write_text("go on")
    made.until_event("added", flow="slow")
    took = made.loader.records[-1].milliseconds / 1000
    assert PATIENCE <= took < time.monotonic() - began


def test_a_file_caught_half_written_flashes_no_error_and_drops_no_flow(watched: MakeFolder) -> None:
    made = watched({"etl.py": flow_with("1")}, settle=3600.0)
    for half in ("", "def f(:\n", "x = 1\n"):
        made.write("etl.py", half)
        made.write(f"tick{len(half)}.py", flow(f"tick{len(half)}"))
        made.until_event("added", flow=f"tick{len(half)}")
        assert made.value("etl") == 1
        assert not made.loader.errors
    made.write("etl.py", flow_with("2"))
    made.until_event("changed", flow="etl")
    assert not [event for event in made.events if event.kind in ("broken", "removed", "fixed")]


def test_a_flow_that_stays_away_is_dropped(watched: MakeFolder) -> None:
    made = watched({"etl.py": flow("etl") + "two = Flow('two')\n"})
    made.write("etl.py", flow("etl"))
    assert made.until_event("removed", flow="two").path == "etl.py"
    assert list(made.loader.catalog) == ["etl"]


# ---- helpers and packages


def test_a_helper_of_several_flows_directly_and_through_another(watched: MakeFolder) -> None:
    made = watched(
        {
            "a.py": flow_with("deep.X", "a", "from . import deep"),
            "b.py": flow_with("middle.deep.X", "b", "import middle"),
            "c.py": flow_with("0", "c"),
            "middle.py": "from flows import deep\n",
            "deep.py": "X = 1\n",
        }
    )
    before = made.loader.catalog["c"]
    made.write("deep.py", "X = 2\n")
    made.until_event("changed", flow="b")
    assert (made.value("a"), made.value("b")) == (2, 2)
    made.write("deep.py", "X = \n")
    made.until_event("broken", path="deep.py")
    errors = made.loader.errors
    assert {path: error.blocked_by for path, error in errors.items()} == {
        "a.py": "deep.py",
        "b.py": "deep.py",
        "deep.py": None,
        "middle.py": "deep.py",
    }
    made.write("deep.py", "X = 3\n")
    made.until_event("fixed", path="deep.py")
    assert (made.value("a"), made.value("b")) == (3, 3)
    assert made.loader.catalog["c"] is before


def test_a_package_s_init_concerns_its_modules(watched: MakeFolder) -> None:
    source = flow_with("X", "in_pack", "from . import X")
    made = watched({"pack/__init__.py": "X = 1\n", "pack/a.py": source})
    made.write("pack/__init__.py", "X = 2\n")
    made.until_event("changed", flow="in_pack")
    assert made.value("in_pack") == 2


def test_a_helper_that_does_not_exist_yet_is_created(watched: MakeFolder) -> None:
    made = watched({"etl.py": flow_with("X", "etl", "from .helpers import X")})
    assert made.loader.errors["etl.py"].message.startswith("ModuleNotFoundError: No module named")
    made.write("helpers.py", "X = 5\n")
    made.until_event("fixed", path="etl.py")
    assert made.value("etl") == 5


@pytest.mark.parametrize(
    "statement", ["from . import helpers", "from flows import helpers", "import helpers"]
)
def test_a_helper_is_preferred_to_a_fallback_once_it_exists(watched: MakeFolder, statement: str) -> None:
    before = f"try:\n    {statement}\n    X = helpers.X\nexcept ImportError:\n    X = 0"
    made = watched({"etl.py": flow_with("X", "etl", before)})
    assert made.value("etl") == 0
    made.write("helpers.py", "X = 5\n")
    made.until_event("changed", flow="etl")
    assert made.value("etl") == 5
    (made.root / "helpers.py").unlink()
    made.until(lambda: made.value("etl") == 0)


def test_modules_that_import_one_another_are_loaded_anew_together(watched: MakeFolder) -> None:
    made = watched(
        {
            "a.py": "from . import b\n" + flow_with("1", "a") + "def other(): return b.flow.value\n",
            "b.py": "from . import a\n" + flow_with("1", "b") + "def other(): return a.flow.value\n",
        }
    )
    made.write("a.py", "from . import b\n" + flow_with("2", "a") + "def other(): return b.flow.value\n")
    made.until(lambda: (made.value("a"), made.value("b")) == (2, 1))
    import flows.a  # type: ignore[import-not-found]
    import flows.b  # type: ignore[import-not-found]

    assert (flows.b.other(), flows.a.other()) == (2, 1)


# ---- moving about


def test_a_renamed_file_moves_its_flows(watched: MakeFolder) -> None:
    made = watched({"etl.py": flow_with("1"), "other.py": flow("other")})
    (made.root / "etl.py").rename(made.root / "moved.py")
    made.until(lambda: made.loader.catalog["etl"].path == "moved.py")
    assert list(made.loader.catalog) == ["etl", "other"]
    assert not made.loader.errors
    assert not [event for event in made.events if event.kind in ("broken", "removed")]


def test_a_renamed_package_and_one_moved_away(watched: MakeFolder, tmp_path: Path) -> None:
    made = watched({"pack/__init__.py": "", "pack/a.py": flow("a"), "pack/sub/b.py": flow("b")})
    (made.root / "pack").rename(made.root / "renamed")
    made.until(lambda: made.loader.catalog["b"].path == "renamed/sub/b.py")
    (made.root / "renamed").rename(tmp_path / "away")
    made.until(lambda: not made.loader.catalog)
    (tmp_path / "away").rename(made.root / "back")
    made.until(lambda: sorted(made.loader.catalog) == ["a", "b"])


def test_a_deleted_folder_that_is_made_anew(watched: MakeFolder) -> None:
    made = watched({"etl.py": flow_with("1")})
    shutil.rmtree(made.root)
    made.until_event("removed", flow="etl")
    assert "there is no flow folder" in made.loader.errors["."].message
    made.root.mkdir()
    made.write("etl.py", flow_with("2"))
    made.until(lambda: "etl" in made.loader.catalog and made.value("etl") == 2)
    made.write("etl.py", flow_with("3"))
    made.until(lambda: made.value("etl") == 3)
    assert not made.loader.errors


def test_a_folder_behind_a_link_and_the_link_turned_elsewhere(folder: MakeFolder, tmp_path: Path) -> None:
    for name, value in (("one", "1"), ("two", "2")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "etl.py").write_text(flow_with(value))
    (tmp_path / "flows").symlink_to(tmp_path / "one")
    made = folder()
    made.loader.start()
    (tmp_path / "one" / "etl.py").write_text(flow_with("10"))
    made.until(lambda: made.value("etl") == 10)
    (tmp_path / "new").symlink_to(tmp_path / "two")
    os.replace(tmp_path / "new", tmp_path / "flows")
    made.until(lambda: made.value("etl") == 2)
    (tmp_path / "two" / "etl.py").write_text(flow_with("20"))
    made.until(lambda: made.value("etl") == 20)


def test_a_checkout_of_many_files_is_one_or_two_generations(watched: MakeFolder, tmp_path: Path) -> None:
    made = watched({f"f{n:03}.py": flow_with("1", f"f{n:03}") for n in range(100)})

    def git(*words: str) -> None:
        about = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"]
        subprocess.run(
            ["git", *about, *words],
            cwd=made.root,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    git("init")
    git("add", ".")
    git("commit", "-m", "one")
    git("checkout", "-b", "other")
    for number in range(100):
        made.write(f"f{number:03}.py", flow_with("2", f"f{number:03}"))
    git("commit", "-a", "-m", "two")
    made.until(lambda: all(made.value(name) == 2 for name in made.loader.catalog))
    before = made.loader.current.number
    git("checkout", "main")
    made.until(lambda: all(made.value(name) == 1 for name in made.loader.catalog))
    assert made.loader.current.number - before <= 2
    made.write("f000.py", flow_with("3", "f000"))
    made.until(lambda: made.value("f000") == 3)
    git("stash")
    made.until(lambda: made.value("f000") == 1)
    assert not made.loader.errors


# ---- editors


def _vim(file: Path, text: str) -> None:
    backup = file.with_name(f"{file.name}~")
    file.rename(backup)
    file.write_text(text)
    backup.unlink()


def _by_rename(file: Path, text: str) -> None:
    other = file.with_name(f".{file.name}.tmp")
    other.write_text(text)
    os.replace(other, file)


def _pycharm(file: Path, text: str) -> None:
    new, old = file.with_name(f"{file.name}___jb_tmp___"), file.with_name(f"{file.name}___jb_old___")
    new.write_text(text)
    file.rename(old)
    new.rename(file)
    old.unlink()


def _sed(file: Path, text: str) -> None:
    subprocess.run(["sed", "-i", "s/value = 1/value = 2/", str(file)], check=True)


def _in_chunks(file: Path, text: str) -> None:
    with open(file, "w") as stream:
        for character in text:
            stream.write(character)
            stream.flush()


@pytest.mark.parametrize("save", [Path.write_text, _vim, _by_rename, _pycharm, _sed, _in_chunks])
def test_however_an_editor_saves(watched: MakeFolder, save: object) -> None:
    made = watched({"etl.py": flow_with("1")})
    save(made.root / "etl.py", flow_with("2"))  # type: ignore[operator]
    made.until(lambda: made.value("etl") == 2)
    assert not made.loader.errors
    assert not [event for event in made.events if event.kind in ("removed", "broken")]


def test_two_saves_of_one_size_within_a_tick_of_the_clock(watched: MakeFolder) -> None:
    made = watched({"etl.py": flow_with("1")})
    file = made.root / "etl.py"
    about = file.stat()
    for value in (2, 3, 4, 5):
        made.write("etl.py", flow_with(str(value)))
        os.utime(file, ns=(about.st_atime_ns, about.st_mtime_ns))
        made.until(lambda value=value: made.value("etl") == value)  # type: ignore[misc]


def test_touching_a_file_changes_nothing(watched: MakeFolder) -> None:
    made = watched({"etl.py": flow_with("1")})
    before = made.loader.current
    (made.root / "etl.py").touch()
    made.write("other.py", flow("other"))
    made.until_event("added", flow="other")
    assert made.loader.catalog["etl"] is before.flows["etl"]


# ---- names and contents


def test_names_and_contents_that_are_not_utf8(watched: MakeFolder) -> None:
    made = watched({"etl.py": flow_with("1")})
    odd = Path(os.fsdecode(os.fsencode(made.root) + b"/odd\xff.py"))
    odd.write_text(flow_with("1", "odd"))
    made.until(lambda: "odd" in made.loader.catalog)
    assert made.loader.catalog["odd"].path == "odd\\xff.py"
    # The watching has survived it.
    made.write("etl.py", flow_with("2"))
    made.until(lambda: made.value("etl") == 2)
    odd.write_bytes(b"x = '\xff'\n")
    error = made.until_event("broken").error
    assert error is not None
    assert (error.kind, error.path) == ("unreadable", "odd\\xff.py")
    assert made.value("odd") == 1
    odd.unlink()
    made.until(lambda: "odd" not in made.loader.catalog and not made.loader.errors)


def test_marks_line_ends_and_declared_encodings(watched: MakeFolder) -> None:
    made = watched({})
    made.write("bom.py", b"\xef\xbb\xbf" + flow_with("1", "bom").encode())
    made.write("crlf.py", flow_with("2", "crlf").replace("\n", "\r\n").encode())
    made.write("latin.py", ("# coding: latin-1\n" + flow_with("'ä'", "latin")).encode("latin-1"))
    made.until(lambda: len(made.loader.catalog) == 3)
    assert [made.value(name) for name in made.loader.catalog] == [1, 2, "ä"]


def test_subscribers_see_what_they_are_told(watched: MakeFolder) -> None:
    made = watched({"etl.py": flow_with("0")})
    seen: list[bool] = []
    done = threading.Event()

    def check(event: FlowEvent) -> None:
        seen.append(event.generation <= made.loader.current.number)
        if made.value("etl") == 5:
            done.set()

    made.loader.subscribe(check)
    for number in range(1, 6):
        made.replace("etl.py", flow_with(str(number)))
        made.until(lambda number=number: made.value("etl") == number)  # type: ignore[misc]
    assert done.wait(30)
    assert all(seen)

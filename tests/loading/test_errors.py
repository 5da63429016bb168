from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from tests.loading.files import Load, flow, places

pytestmark = pytest.mark.usefixtures("process_restored")


def test_a_syntax_error_is_told_with_its_line(load: Load) -> None:
    loaded = load({"bad.py": "x = 1\ndef broken(:\n", "good.py": flow("good")})
    error = loaded.errors["bad.py"]
    assert (error.kind, error.path, error.lineno) == ("syntax", "bad.py", 2)
    assert error.message == "SyntaxError: invalid syntax"
    assert "def broken(:" in error.traceback
    assert list(loaded.flows) == ["good"]


def test_an_exception_is_told_with_the_line_and_the_user_s_frames_only(load: Load, tmp_path: Path) -> None:
    source = """
        import json

        def build():
            return json.loads("{")

        flow = build()
    """
    error = load({"bad.py": source}).errors["bad.py"]
    assert (error.kind, error.lineno) == ("exception", 5)
    assert error.message.startswith("JSONDecodeError: ")
    frames = [line for line in error.traceback.splitlines() if line.startswith("  File")]
    file = tmp_path / "flows" / "bad.py"
    assert frames == [f'  File "{file}", line 7, in <module>', f'  File "{file}", line 5, in build']


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("raise ValueError('first\\nsecond')", "ValueError: first"),
        ("raise ValueError", "ValueError"),
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("import sys; sys.exit(3)", "sys.exit(3) at import; a flow module must not end the program"),
        ("raise GeneratorExit('x')", "GeneratorExit: x"),
        ("eval('1 +')", "SyntaxError: invalid syntax (<string>, line 1)"),
    ],
)
def test_whatever_a_module_raises_is_an_error_of_that_file(load: Load, statement: str, message: str) -> None:
    loaded = load({"bad.py": f"\n{statement}\n", "good.py": flow("good")})
    error = loaded.errors["bad.py"]
    assert (error.kind, error.lineno, error.message) == ("exception", 2, message)
    assert str(error) == f"bad.py:2: {message}"
    assert list(loaded.flows) == ["good"]


def test_a_keyboard_interrupt_is_let_through(load: Load) -> None:
    with pytest.raises(KeyboardInterrupt):
        load({"bad.py": "raise KeyboardInterrupt"})
    assert list(load({"bad.py": flow("good")}).flows) == ["good"]


@pytest.mark.parametrize(
    ("content", "lineno", "message"),
    [
        (
            b"# one\nx = '\xff'\n",
            2,
            "byte 0xff is not utf-8; save the file as UTF-8, or declare its encoding",
        ),
        (b"# coding: no-such\n", 1, "its encoding is not known: unknown encoding: no-such"),
    ],
)
def test_unreadable_bytes_are_said_so(
    load: Load, tmp_path: Path, content: bytes, lineno: int, message: str
) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "bad.py").write_bytes(content)
    error = load({"good.py": flow("good")}).errors["bad.py"]
    assert (error.kind, error.lineno) == ("unreadable", lineno)
    assert error.message.startswith(message)


def test_other_encodings_marks_and_line_ends_are_read(load: Load, tmp_path: Path) -> None:
    source = flow("ä")
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "latin.py").write_bytes(("# coding: latin-1\n" + flow("ä1")).encode("latin-1"))
    (tmp_path / "flows" / "bom.py").write_bytes(b"\xef\xbb\xbf" + source.encode())
    (tmp_path / "flows" / "crlf.py").write_bytes(flow("crlf").replace("\n", "\r\n").encode())
    assert places(load({})) == {"crlf": "crlf.py:3", "ä": "bom.py:3", "ä1": "latin.py:4"}


def test_a_link_to_nothing_and_a_dotted_name_are_said_so(load: Load, tmp_path: Path) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "gone.py").symlink_to(tmp_path / "nothing.py")
    errors = load({"a.b.py": flow("etl")}).errors
    assert errors["gone.py"].message == "cannot be read: No such file or directory"
    assert errors["a.b.py"].message == "a module's name holds no dots; rename it to a_b.py"
    assert {error.kind for error in errors.values()} == {"unreadable"}


def test_a_file_name_that_is_not_utf8_loads_and_is_told_with_escapes(load: Load, tmp_path: Path) -> None:
    (tmp_path / "flows").mkdir()
    Path(os.fsdecode(os.fsencode(tmp_path / "flows") + b"/odd\xff.py")).write_text(flow("odd"))
    assert places(load({})) == {"odd": "odd\\xff.py:3"}


def test_a_folder_that_cannot_be_read_is_told_and_the_rest_loads(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = os.scandir

    def locked(folder: str) -> Any:
        if str(folder).endswith("/locked"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return entries(folder)

    monkeypatch.setattr(os, "scandir", locked)
    loaded = load({"locked/etl.py": flow("etl"), "good.py": flow("good")})
    assert list(loaded.flows) == ["good"]
    assert [str(error) for error in loaded.errors.values()] == ["locked: cannot be read: Permission denied"]


def test_a_file_name_that_is_no_identifier_is_a_module_all_the_same(load: Load) -> None:
    assert places(load({"my-etl.py": flow("a"), "2nd.py": flow("b")})) == {
        "a": "my-etl.py:3",
        "b": "2nd.py:3",
    }


def test_a_module_that_imports_a_broken_one_is_blocked_by_it(load: Load) -> None:
    loaded = load(
        {"a.py": "\nimport helpers\n", "helpers.py": "x = 1\n1 / 0\n", "z.py": "from .helpers import x"}
    )
    assert {path: (error.kind, error.lineno, error.blocked_by) for path, error in loaded.errors.items()} == {
        "a.py": ("blocked", 2, "helpers.py"),
        "helpers.py": ("exception", 2, None),
        "z.py": ("blocked", 1, "helpers.py"),
    }
    assert loaded.errors["a.py"].message == "blocked by helpers.py"
    assert loaded.errors["helpers.py"].message == "ZeroDivisionError: division by zero"


def test_a_broken_helper_that_is_no_flow_module_is_told_too(load: Load) -> None:
    loaded = load({"a.py": "from . import _helpers", "_helpers.py": "def f(:\n"})
    assert loaded.errors["a.py"].blocked_by == "_helpers.py"
    assert (loaded.errors["_helpers.py"].kind, loaded.errors["_helpers.py"].lineno) == ("syntax", 1)


def test_a_chain_of_imports_is_blocked_by_the_one_that_is_broken(load: Load) -> None:
    loaded = load({"a.py": "import b", "b.py": "import c", "c.py": "1 / 0"})
    assert {path: error.blocked_by for path, error in loaded.errors.items()} == {
        "a.py": "c.py",
        "b.py": "c.py",
        "c.py": None,
    }


def test_a_broken_package_blocks_its_modules(load: Load) -> None:
    loaded = load({"pack/__init__.py": "1 / 0", "pack/etl.py": flow("etl")})
    assert loaded.errors["pack/etl.py"].blocked_by == "pack/__init__.py"
    assert loaded.errors["pack/__init__.py"].kind == "exception"


def test_calling_into_a_helper_that_raises_is_the_caller_s_error(load: Load) -> None:
    loaded = load({"a.py": "import helpers\n\nhelpers.fail()\n", "helpers.py": "def fail():\n    1 / 0\n"})
    assert list(loaded.errors) == ["a.py"]
    assert (loaded.errors["a.py"].kind, loaded.errors["a.py"].lineno) == ("exception", 3)
    assert "helpers.py" in loaded.errors["a.py"].traceback


def test_a_module_that_does_without_a_broken_helper_loads(load: Load) -> None:
    loaded = load(
        {
            "a.py": "try:\n    import helpers\nexcept Exception:\n    pass\n" + flow("etl"),
            "helpers.py": "1 / 0",
        }
    )
    assert list(loaded.flows) == ["etl"]
    assert list(loaded.errors) == ["helpers.py"]


def test_an_import_cycle_that_fails_names_a_culprit_once(load: Load) -> None:
    loaded = load({"a.py": "from b import y\nx = 1\n", "b.py": "from a import x\ny = 1\n"})
    assert loaded.errors["b.py"].kind == "exception"
    assert "cannot import name 'x'" in loaded.errors["b.py"].message
    assert loaded.errors["a.py"].blocked_by == "b.py"


def test_the_same_name_in_two_files_is_a_conflict_that_names_both(load: Load) -> None:
    loaded = load({"etl.py": flow("etl"), "etl_copy.py": "\n" + flow("etl") + "other = Flow('other')\n"})
    assert places(loaded) == {"etl": "etl.py:3"}
    error = loaded.errors["etl_copy.py"]
    assert (error.kind, error.lineno) == ("conflict", 4)
    assert error.message.startswith("flow 'etl' is declared in etl.py:3 and etl_copy.py:4; give one of them")


def test_the_same_name_twice_in_a_file_is_a_conflict(load: Load) -> None:
    error = load({"etl.py": flow("etl") + flow("etl", "second")}).errors["etl.py"]
    assert (error.kind, error.lineno) == ("conflict", 6)
    assert "etl.py:3 and etl.py:6" in error.message


def test_a_module_that_a_package_hides_is_said_so(load: Load) -> None:
    error = load({"etl.py": flow("a"), "etl/__init__.py": flow("b")}).errors["etl.py"]
    assert (error.kind, error.message) == ("conflict", "hidden by etl/__init__.py; rename one of them")

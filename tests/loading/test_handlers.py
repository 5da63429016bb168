"""A line is logged once, however often the file that adds the handler was saved."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest

from routilux import FlowRegistry
from routilux.loading import load_folder
from routilux.loading.folder import uninstall
from tests.loading.conftest import MakeFolder
from tests.loading.files import flow

LINES: list[str] = []
ADDS = """
import logging
from tests.loading.test_handlers import Noting
log = logging.getLogger("etl_of_a_user")
log.addHandler(Noting({name!r}))
"""


class Noting(logging.Handler):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.said_by = name

    def emit(self, record: logging.LogRecord) -> None:
        LINES.append(f"{self.said_by}: {record.getMessage()}")


def lines_of(text: str) -> list[str]:
    """What comes of one line that is logged."""
    LINES.clear()
    logging.getLogger("etl_of_a_user").warning(text)
    return sorted(LINES)


@pytest.fixture(autouse=True)
def no_handlers_left() -> Iterator[None]:
    yield
    log = logging.getLogger("etl_of_a_user")
    for handler in list(log.handlers):
        log.removeHandler(handler)


def source(name: str, more: str = "") -> str:
    return ADDS.format(name=name) + flow("etl") + more


def test_handlers_of_the_version_before_are_taken_off(folder: MakeFolder) -> None:
    made = folder({"etl.py": source("one")})
    made.loader.reload()
    for number in range(3):
        made.write("etl.py", source(f"save {number}"))
        made.loader.reload()
        assert lines_of("x") == [f"save {number}: x"]
    made.write("etl.py", flow("etl"))
    made.loader.reload()
    assert lines_of("x") == []


def test_those_of_a_file_that_breaks_are_taken_off_and_those_of_its_last_good_version_stay(
    folder: MakeFolder,
) -> None:
    made = folder({"etl.py": source("good")})
    made.loader.reload()
    made.write("etl.py", source("broken", "1 / 0\n"))
    made.loader.reload()
    assert lines_of("x") == ["good: x"]
    made.write("etl.py", source("mended"))
    made.loader.reload()
    assert lines_of("x") == ["mended: x"]


def test_each_file_has_its_own(folder: MakeFolder) -> None:
    made = folder(
        {"_helper.py": ADDS.format(name="helper"), "etl.py": "from . import _helper\n" + source("etl")}
    )
    made.loader.reload()
    made.write("etl.py", "from . import _helper\n" + source("new"))
    made.loader.reload()
    assert lines_of("x") == ["helper: x", "new: x"]


def test_what_others_add_while_a_file_is_imported_stays(folder: MakeFolder) -> None:
    log = logging.getLogger("etl_of_a_user")
    own = Noting("own")
    elsewhere = threading.Thread(target=log.addHandler, args=(own,))
    logging.etl_thread = elsewhere  # type: ignore[attr-defined]
    try:
        made = folder({"etl.py": source("one", "logging.etl_thread.start(); logging.etl_thread.join()\n")})
        made.loader.reload()
        made.write("etl.py", source("two"))
        made.loader.reload()
        assert lines_of("x") == ["own: x", "two: x"]
    finally:
        del logging.etl_thread  # type: ignore[attr-defined]


def test_a_handler_that_was_there_before_is_nobodys(folder: MakeFolder) -> None:
    shared = Noting("shared")
    log = logging.getLogger("etl_of_a_user")
    log.addHandler(shared)
    more = "log.addHandler(log.handlers[0])\n"
    made = folder({"etl.py": source("one", more)})
    made.loader.reload()
    made.write("etl.py", source("two", more))
    made.loader.reload()
    assert lines_of("x") == ["shared: x", "two: x"]


def test_loggers_are_left_as_they_were_when_nothing_is_loaded_any_more(folder: MakeFolder) -> None:
    before = logging.Logger.addHandler
    made = folder({"etl.py": source("one")})
    made.loader.reload()
    load_folder(made.root, FlowRegistry())
    made.loader.stop()
    uninstall()
    assert logging.Logger.addHandler is before

"""What a flow logs is found in its job's log, and nothing else is, however the flow configures logging."""

from __future__ import annotations

import contextlib
import io
import logging
import logging.config
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import Bench, does, graph
from tests.tui.pseudo_terminal import Terminal
from tui.job_records import records_for_jobs

MakeRuntime = Callable[..., Bench]
library = logging.getLogger("a.library.of.this.test")
own = logging.getLogger("a.flow.of.this.test")


@contextlib.contextmanager
def program() -> Iterator[io.StringIO]:
    """Logging as in a program that has just begun, and what comes out on its standard error.

    All that is configured within is undone.
    """
    root, before = logging.getLogger(), sys.stderr
    handlers, level = root.handlers, root.level
    root.handlers, sys.stderr = [], io.StringIO()
    root.setLevel(logging.WARNING)
    try:
        yield sys.stderr
    finally:
        root.handlers, sys.stderr = handlers, before
        root.setLevel(level)
        own.setLevel(logging.NOTSET)


@contextlib.contextmanager
def app() -> Iterator[io.StringIO]:
    """Logging while the app is open."""
    with program() as written, records_for_jobs():
        yield written


def logs_of_everybody() -> None:
    logging.info("from the root")
    library.debug("chatter")
    library.info("said by a library")
    own.debug("detail")
    own.warning("warned")


def outside() -> None:
    thread = threading.Thread(target=logs_of_everybody)
    thread.start()
    thread.join()


def lines(runtime: Bench) -> list[str]:
    job = runtime.run(graph(worker=does(logs_of_everybody)))
    return [f"{line.level} {line.message}" for line in job.job_state.logs("worker")]


def test_what_a_job_logs_from_info_on_is_in_its_log_and_nowhere_else(make_runtime: MakeRuntime) -> None:
    with app() as written:
        assert lines(make_runtime()) == ["INFO from the root", "INFO said by a library", "WARNING warned"]
        assert written.getvalue() == ""


def test_a_flow_may_have_more_of_its_own_logger(make_runtime: MakeRuntime) -> None:
    with app():
        own.setLevel(logging.DEBUG)
        assert "DEBUG detail" in lines(make_runtime())
        assert "DEBUG chatter" not in lines(make_runtime())


def test_outside_activations_only_warnings_are_written(make_runtime: MakeRuntime) -> None:
    with app() as written:
        lines(make_runtime())
        outside()
        assert written.getvalue() == "warned\n"


def test_a_record_that_another_handler_has_is_not_written_once_more() -> None:
    with app() as written:
        handler = logging.NullHandler()
        own.addHandler(handler)
        outside()
        own.removeHandler(handler)
        assert written.getvalue() == ""


@pytest.mark.parametrize("how", [{"level": logging.DEBUG}, {"level": "DEBUG", "force": True}], ids=str)
def test_a_flow_that_configures_logging_is_obeyed(make_runtime: MakeRuntime, how: dict[str, Any]) -> None:
    with app() as written:
        runtime = make_runtime()
        logging.basicConfig(format="%(levelname)s! %(message)s", **how)
        assert "DEBUG chatter" in lines(runtime)
        assert written.getvalue() == "", "the job's own log has it"
        outside()
        assert written.getvalue().splitlines()[:2] == ["INFO! from the root", "DEBUG! chatter"]
        logging.getLogger("watchfiles.main").info("1 change detected")
        assert "change" not in written.getvalue(), "what the app runs on is not what the flow is about"


def test_a_flow_that_configures_all_of_it_is_obeyed(make_runtime: MakeRuntime) -> None:
    with app() as written:
        logging.config.dictConfig(
            {"version": 1, "disable_existing_loggers": False, "root": {"level": "DEBUG", "handlers": []}}
        )
        runtime = make_runtime()
        assert "DEBUG chatter" in lines(runtime)
        outside()
        assert written.getvalue() == "warned\n"


def test_a_configuration_that_is_wrong_is_an_error_and_changes_nothing() -> None:
    with app() as written:
        with pytest.raises(ValueError, match="specified together"):
            logging.basicConfig(stream=sys.stdout, filename="log.txt")
        outside()
        assert written.getvalue() == "warned\n"


def test_afterwards_logging_is_as_before() -> None:
    watcher = logging.getLogger("watchfiles")
    with program():
        before = (logging.basicConfig, logging.getLogger().level, watcher.level)
        with records_for_jobs():
            assert logging.getLogger().level == logging.INFO
        assert (logging.basicConfig, logging.getLogger().level, watcher.level) == before
        assert logging.getLogger().handlers == []


def test_handlers_that_are_there_already_stay_alone() -> None:
    handler = logging.NullHandler()
    with program():
        logging.getLogger().addHandler(handler)
        with records_for_jobs():
            assert logging.getLogger().handlers == [handler]


# ---- the program itself

FLOW = """
import logging
import logging.config
import threading

from routilux import Flow, Routine

CONFIGURE


def logic(trigger):
    logging.info("LOGGED by the flow")
    thread = threading.Thread(target=logging.getLogger("elsewhere").info, args=("LOGGED elsewhere",))
    thread.start()
    thread.join()


flow, routine = Flow("logs"), Routine("logic")
routine.define_slot("trigger")
routine.set_logic(logic)
flow.add_routine(routine)
"""


@pytest.mark.parametrize(
    "configure",
    [
        "",
        "logging.getLogger().setLevel(logging.DEBUG)",
        "logging.basicConfig(level=logging.DEBUG, filename=__file__ + '.log')",
        "logging.config.dictConfig({'version': 1, 'root': {'level': 'INFO'}})",
    ],
    ids=["not", "level", "file", "dict"],
)
def test_what_a_flow_logs_is_in_the_log_tab_and_not_on_the_screen(tmp_path: Path, configure: str) -> None:
    (tmp_path / "logs.py").write_text(textwrap.dedent(FLOW).replace("CONFIGURE", configure))
    terminal = Terminal(str(tmp_path))
    try:
        terminal.wait_until_shown("logs.py:")
        terminal.press("S")
        terminal.wait_until_shown("completed")
        terminal.press("5]")
        terminal.wait_until_shown("INFO   logic")
        assert "LOGGED by the flow" in terminal.screen()
        assert "LOGGED elsewhere" not in terminal.text_from()
        assert " m: " not in terminal.screen(), "nothing was written past the jobs"
        terminal.press("q")
        assert terminal.end() == 0
    finally:
        terminal.close()
    if "filename" in configure:
        kept = (tmp_path / "logs.py.log").read_text()
        assert "LOGGED by the flow" in kept
        assert "LOGGED elsewhere" in kept

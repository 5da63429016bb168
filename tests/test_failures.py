"""What is taken from a failure, and that nothing of it keeps anything alive."""

from __future__ import annotations

import gc
import linecache
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from routilux import ErrorHandler, ErrorStrategy, Flow, JobState, Routine
from routilux.failures import is_library
from routilux.history import MAX_RAISED, JobError
from routilux.raised import Raised, RaisedFrame, innermost
from routilux.safe_text import HIDDEN
from tests.helpers import Bench, chain, graph, node, source

MakeRuntime = Callable[..., Bench]


def failure(
    bench: Bench, logic: Callable[..., Any], entry: dict[str, Any] | None = None, **how: Any
) -> JobError:
    job = bench.run(graph(worker=node(logic, slots=["trigger"], **how)), entry or {})
    error = job.job_state.error
    assert error is not None
    return error


def texts(frame: RaisedFrame) -> dict[str, str]:
    return dict(frame.variables)


def here(raised: Raised) -> RaisedFrame:
    frame = innermost(raised)
    assert frame is not None
    return frame


def test_the_failing_frame_is_taken_with_its_source_and_its_variables(one_thread: Bench) -> None:
    def logic(trigger: Any) -> None:
        price = {"lamp": 3}
        count = trigger[0]["count"]
        assert price["chair"] * count

    error = failure(one_thread, logic, {"count": 2})
    (raised,) = error.raised
    assert (raised.exception_type, raised.message, raised.link) == ("KeyError", "'chair'", "")
    frame = here(raised)
    assert frame.path == __file__
    assert frame.function.endswith("logic")
    failing = frame.source[frame.lineno - frame.first_lineno]
    assert failing.strip() == 'assert price["chair"] * count'
    assert frame.columns is not None
    assert failing[slice(*frame.columns)] == 'price["chair"]'
    assert texts(frame) == {"trigger": "[{'count': 2}]", "price": "{'lamp': 3}", "count": "2"}
    assert not frame.library


def test_frames_of_libraries_are_told_from_the_users_own(one_thread: Bench) -> None:
    def logic(trigger: Any) -> None:
        import json

        json.loads("{")

    (raised,) = failure(one_thread, logic).raised
    assert [frame.library for frame in raised.frames] == [False, True, True, True]
    assert len(raised.frames[-1].source) == 1
    assert here(raised) is raised.frames[0]


def test_causes_contexts_groups_and_notes_are_taken(one_thread: Bench) -> None:
    def logic(trigger: Any) -> None:
        try:
            try:
                1 / 0  # noqa: B018
            except ZeroDivisionError:
                raise KeyError("inner")  # noqa: B904
        except KeyError as error:
            outer = ExceptionGroup("several", [ValueError("one"), TypeError("two")])
            outer.add_note("look here")
            raise outer from error

    raised = failure(one_thread, logic).raised
    assert [(each.link, each.depth, each.exception_type) for each in raised] == [
        ("", 0, "ExceptionGroup"),
        ("member", 1, "ValueError"),
        ("member", 1, "TypeError"),
        ("cause", 0, "KeyError"),
        ("context", 0, "ZeroDivisionError"),
    ]
    assert raised[0].notes == ("look here",)
    assert texts(here(raised[4]))["trigger"] == "[{}]"


def test_a_context_that_is_suppressed_is_left_out(one_thread: Bench) -> None:
    def logic(trigger: Any) -> None:
        try:
            raise KeyError
        except KeyError:
            raise ValueError from None

    assert [each.exception_type for each in failure(one_thread, logic).raised] == ["ValueError"]


def test_exceptions_that_lead_to_one_another_in_a_ring_are_taken_once(one_thread: Bench) -> None:
    def logic(trigger: Any) -> None:
        first, second = ValueError("first"), ValueError("second")
        first.__cause__, second.__cause__ = second, first
        raise first

    assert [each.message for each in failure(one_thread, logic).raised] == ["first", "second"]


def test_a_deep_recursion_keeps_its_first_and_last_frames(one_thread: Bench) -> None:
    def logic(trigger: Any) -> None:
        def down(level: int) -> None:
            down(level + 1)

        down(0)

    (raised,) = failure(one_thread, logic).raised
    assert raised.exception_type == "RecursionError"
    assert len(raised.frames) == 40
    assert raised.omitted > 100
    assert sum(len(text) for frame in raised.frames for _, text in frame.variables) <= 10_000


class Rude:
    def __repr__(self) -> str:
        raise SystemExit("the repr was called")


class Loud(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def test_rude_values_and_exceptions_hurt_neither_the_job_nor_the_failure(one_thread: Bench) -> None:
    def logic(trigger: Any) -> None:
        rude, huge = Rude(), "x" * 50_000_000
        raise Loud(rude, huge)

    error = failure(one_thread, logic)
    assert error.message == "(its text cannot be made: RuntimeError)"
    variables = texts(here(error.raised[0]))
    assert variables["rude"].endswith("Rude object>")
    assert len(variables["huge"]) < 500


def test_a_message_of_any_length_is_kept_shortened(one_thread: Bench) -> None:
    def logic(trigger: Any) -> None:
        raise ValueError("x" * 5_000_000)

    error = failure(one_thread, logic)
    assert len(error.message) < 25_000
    assert len(error.traceback) < 250_000
    assert "characters …" in error.message


class Params(BaseModel):
    token: SecretStr
    day: str = "today"


def test_secret_parameters_do_not_leak_into_what_is_kept(one_thread: Bench) -> None:
    def logic(trigger: Any) -> None:
        token = trigger[0]["token"].get_secret_value()
        headers = {"Authorization": f"Bearer {token}"}
        raise ValueError(f"refused: {headers}")

    flow = Flow("secretive", params=Params)
    flow.add_routine(node(logic, slots=["trigger"]), "worker")
    job = one_thread.run(flow, {"token": "open sesame"})
    error = job.job_state.error
    assert error is not None
    variables = texts(here(error.raised[0]))
    assert variables["token"] == HIDDEN
    assert variables["headers"] == f"{{'Authorization': 'Bearer {HIDDEN}'}}"
    kept = repr((error.message, error.traceback, error.raised, job.job_state.get_execution_history()))
    assert "sesame" not in kept
    assert error.message == f"refused: {{'Authorization': 'Bearer {HIDDEN}'}}"


def test_a_routine_among_the_variables_shows_what_is_its_own(one_thread: Bench) -> None:
    class Picky(Routine):
        def __init__(self) -> None:
            super().__init__()
            self.define_slot("trigger")
            self.limit = 3

        def logic(self, trigger: Any) -> None:
            raise ValueError

    job = one_thread.run(graph(worker=Picky()), {})
    error = job.job_state.error
    assert error is not None
    assert texts(here(error.raised[0]))["self"] == "Picky(limit=3)"


class Held:
    pass


def test_nothing_that_is_taken_keeps_frames_or_their_variables_alive(one_thread: Bench) -> None:
    alive: list[weakref.ref[Held]] = []

    def logic(trigger: Any) -> None:
        held = Held()
        alive.append(weakref.ref(held))
        try:
            raise KeyError("inner")
        except KeyError as error:
            raise ExceptionGroup("outer", [ValueError("member")]) from error

    error = failure(one_thread, logic)
    gc.collect()
    assert alive[0]() is None
    assert "held" in texts(here(error.raised[0]))


def test_the_source_is_what_was_loaded_and_not_what_is_on_disk_later(
    one_thread: Bench, tmp_path: Path
) -> None:
    file = tmp_path / "generation.py"
    text = "def logic(trigger):\n    raise ValueError('as loaded')\n"
    file.write_text("something else\n" * 5)
    # The way a loader keeps the source of a module: without a time of change it is never asked for again.
    linecache.cache[str(file)] = (len(text), None, text.splitlines(keepends=True), str(file))
    names: dict[str, Any] = {}
    exec(compile(text, str(file), "exec"), names)
    try:
        frame = here(failure(one_thread, names["logic"]).raised[0])
    finally:
        del linecache.cache[str(file)]
    assert frame.source == ("def logic(trigger):", "    raise ValueError('as loaded')")


def test_of_many_errors_only_the_newest_keep_their_frames(one_thread: Bench) -> None:
    def logic(items: Any) -> None:
        raise ValueError(items[0]["x"])

    handler = ErrorHandler(ErrorStrategy.CONTINUE)
    job = one_thread.run(chain(source(range(MAX_RAISED + 20)), node(logic, handler=handler)))
    with_frames = [bool(error.raised) for error in job.job_state.errors]
    assert with_frames == [False] * 20 + [True] * MAX_RAISED


def test_what_was_taken_is_saved_and_read_with_the_job(one_thread: Bench, tmp_path: Path) -> None:
    def logic(trigger: Any) -> None:
        text = "caf\u00e9"
        raise ExceptionGroup(text, [ValueError("\ud800")])

    job = one_thread.run(graph(worker=node(logic, slots=["trigger"])), {})
    job.job_state.save(tmp_path / "job.json")
    error = JobState.load(tmp_path / "job.json").error
    assert error is not None
    assert job.job_state.error is not None
    assert error.raised == job.job_state.error.raised


def test_a_policy_that_raises_is_taken_too(one_thread: Bench) -> None:
    def policy(slots: Any, job_state: Any) -> Any:
        wanted = 3
        raise ValueError(wanted)

    error = failure(one_thread, lambda trigger: None, policy=policy)
    assert texts(here(error.raised[0]))["wanted"] == "3"


@pytest.mark.parametrize(
    ("path", "library"),
    [
        (linecache.__file__, True), (pytest.__file__, True), ("<frozen importlib._bootstrap>", True),
        ("<string>", False), (__file__, False), ("/srv/flows/etl.py", False),
    ],
)  # fmt: skip
def test_whose_code_a_file_holds(path: str, library: bool) -> None:
    assert is_library(path) is library

"""Hundreds of random edits while jobs run: the loader ends where a load from nothing does."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from routilux import FlowRegistry, Job, Runtime
from routilux.loading import FlowLoader, Generation
from tests.helpers import LIMIT
from tests.loading.conftest import MakeFolder
from tests.loading.watching import Folder

FLOWS = ("a", "b", "c", "d", "pack/e", "pack/sub/g", "plain/h")
HELPERS = ("h0", "h1", "_h2", "pack/h3", "pack/__init__")

FLOW = """
from routilux import Flow, Routine
{imports}
class Step(Routine):
    '''What was imported at the top and what is imported late are one and the same; and what only
    logic imports is as it was saved when the job started.'''
    def __init__(self):
        super().__init__()
        self.define_slot("trigger")

    def logic(self, trigger, *, job_state):
        trigger[0]["gate"].wait(60)
        same = True
        {late}
        job_state.shared_data["report"] = same
        try:
            from flows import _late
            job_state.shared_data["late"] = _late.X
        except ImportError:
            job_state.shared_data["late"] = None

flow = Flow({name!r})
flow.add_routine(Step(), "step")
flow.value = {value}
"""
BREAKS = ("def f(:\n", "1 / 0\n", "raise SystemExit\n", "import sys; sys.exit(2)\n", "x = '\udcff'\n", "")


class Editor:
    """Makes random changes to a folder."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root = root
        self.random = random.Random(seed)

    def some_edits(self) -> list[str]:
        """One to five; answers with what was done."""
        return [self.edit() for _ in range(self.random.choice((1, 1, 1, 2, 5)))]

    def edit(self) -> str:
        kinds: list[Callable[[], str]] = [
            self.write_flow,
            self.write_flow,
            self.write_helper,
            self.write_helper,
            self.write_late_helper,
            self.break_something,
            self.delete,
            self.rename,
            self.move_package,
        ]
        return self.random.choice(kinds)()

    def path(self, names: tuple[str, ...]) -> Path:
        file = self.root / f"{self.random.choice(names)}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        return file

    def write_flow(self) -> str:
        file = self.path(FLOWS)
        imports, late = [], []
        for number, helper in enumerate(self.random.sample(HELPERS[:4], self.random.randrange(3))):
            module = helper.replace("/", ".")
            above, _, name = f"flows.{module}".rpartition(".")
            ways = [f"from {above} import {name} as m{number}", f"import flows.{module} as m{number}"]
            if "/" not in helper:
                ways.append(f"import {helper} as m{number}")
            imports.append(self.random.choice(ways))
            late.append(f"from {above} import {name} as late; same = same and late is m{number}")
        value = "+".join([str(self.random.randrange(1000)), *(f"m{n}.X" for n in range(len(imports)))])
        # Sometimes the name of another file's flow.
        name = self.random.choice([file.stem] * 12 + ["a", "b"])
        text = FLOW.format(imports="\n".join(imports), late="\n        ".join(late), name=name, value=value)
        file.write_text(text)
        return f"write {file.name}"

    def write_helper(self) -> str:
        file = self.path(HELPERS)
        imports = self.random.choice(["", "", "from flows import h1\n", "import h0\n", "from . import _h2\n"])
        file.write_text(f"{imports}X = {self.random.randrange(1000)}\n")
        return f"write {file.name}"

    def write_late_helper(self) -> str:
        """Never broken: a load from nothing does not execute it."""
        file = self.root / "_late.py"
        if self.random.random() < 0.2:
            file.unlink(missing_ok=True)
        else:
            file.write_text(f"X = {self.random.randrange(1000)}\n")
        return "write _late.py"

    def late_value(self) -> int | None:
        file = self.root / "_late.py"
        return int(file.read_text().split()[-1]) if file.exists() else None

    def break_something(self) -> str:
        file = self.path(FLOWS + HELPERS)
        file.write_bytes(self.random.choice(BREAKS).encode("utf-8", "surrogateescape"))
        return f"break {file.name}"

    def delete(self) -> str:
        file = self.path(FLOWS + HELPERS)
        file.unlink(missing_ok=True)
        return f"delete {file.name}"

    def rename(self) -> str:
        file, other = self.path(FLOWS), self.path(FLOWS)
        if file.exists():
            file.rename(other)
        return f"rename {file.name} {other.name}"

    def move_package(self) -> str:
        one, other = self.root / "pack", self.root / "moved"
        if one.exists():
            shutil.rmtree(other, ignore_errors=True)
            one.rename(other)
        elif other.exists():
            other.rename(one)
        return "move pack"


State = tuple[dict[str, Any], dict[str, Any]]


def state_of(generation: Generation) -> State:
    """The flows with what tells their versions apart, and the errors."""
    flows = {
        name: [flow.path, flow.lineno, flow.flow.value]  # type: ignore[attr-defined]
        for name, flow in generation.flows.items()
    }
    errors = {
        path: [error.kind, error.lineno, error.message, error.blocked_by]
        for path, error in generation.errors.items()
    }
    return flows, errors


def loaded_from_nothing(root: Path) -> State:
    loader = FlowLoader(root, FlowRegistry())
    try:
        loader.reload()
        return state_of(loader.current)
    finally:
        loader.stop()


def loaded_by_another_process(root: Path) -> State:
    code = (
        "import json, sys, pathlib\n"
        "from routilux.loading import load_folder\n"
        "from tests.loading.test_random_edits import state_of\n"
        "print(json.dumps(state_of(load_folder(sys.argv[1]))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(root)], capture_output=True, text=True, check=True, timeout=60
    )
    flows, errors = json.loads(done.stdout.splitlines()[-1])
    return flows, errors


def agrees(state: State, expected: State) -> bool:
    """The same errors, and the same flows, besides the last good ones of files that are broken."""
    flows, errors = state
    if errors != expected[1]:
        return False
    for name, flow in expected[0].items():
        if flows.get(name) != flow:
            return False
    return all(name in expected[0] or flow[0] in errors for name, flow in flows.items())


def run(made: Folder, runtime: Runtime, seed: int, rounds: int, fresh: Callable[[Path], State]) -> None:
    editor = Editor(made.root, seed)
    made.loader.start()
    held: list[tuple[threading.Event, Job]] = []
    done: list[str] = []
    for _ in range(rounds):
        done.append(", ".join(editor.some_edits()))
        names = list(made.loader.catalog)
        if names:
            gate = threading.Event()
            try:
                state = runtime.exec(editor.random.choice(names), {"gate": gate})
            except ValueError:
                pass  # it has just been removed
            else:
                job = runtime.get_job(state.job_id)
                assert job is not None
                held.append((gate, job))
        expected = fresh(made.root)
        try:
            made.until(lambda expected=expected: agrees(state_of(made.loader.current), expected))  # type: ignore[misc]
        except AssertionError as error:
            raise AssertionError(
                f"seed {seed}: after {done[-8:]}\nthere is {state_of(made.loader.current)}\n"
                f"and not {expected}"
            ) from error
        assert {name: made.registry.get_by_name(name) for name in made.registry.list_names()} == {
            name: flow.flow for name, flow in made.loader.catalog.items()
        }
        made.loader.reload()
        for name, version in made.loader.catalog.items():
            # The last good version of a file that is broken goes on with what it knew.
            if version.path not in made.loader.errors:
                gate = threading.Event()
                job = runtime.get_job(runtime.exec(name, {"gate": gate}).job_id)
                assert job is not None
                _end(gate, job)
                late = job.job_state.shared_data["late"]
                assert late == editor.late_value(), f"seed {seed}: {name} after {done[-8:]}"
        while len(held) > 6:
            _end(*held.pop(editor.random.randrange(len(held))))
    for gate, job in held:
        _end(gate, job)


def _end(gate: threading.Event, job: Job) -> None:
    gate.set()
    assert job.wait(LIMIT)
    assert job.is_completed(), job.job_state.error and job.job_state.error.traceback
    assert job.job_state.shared_data["report"] is True


@pytest.mark.parametrize("seed", range(4))
def test_random_edits(folder: MakeFolder, make_runtime: Callable[..., Runtime], seed: int) -> None:
    made = folder({}, settle=0.05, heartbeat=0.1)
    run(made, make_runtime(8, registry=made.registry), seed, 20, loaded_from_nothing)
    made.loader.stop()


@pytest.mark.soak
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", range(100, 104))
def test_very_many_random_edits(folder: MakeFolder, make_runtime: Callable[..., Runtime], seed: int) -> None:
    made = folder({}, settle=0.05, heartbeat=0.1)
    run(made, make_runtime(8, registry=made.registry), seed, 150, loaded_by_another_process)
    made.loader.stop()

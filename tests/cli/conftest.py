"""A project with flows that greet, fail, wait and keep, and the command line to run them with."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from routilux.cli.commands import cli
from tests.cli.running import Run

GREET = """
    from dataclasses import dataclass, field
    from pathlib import Path
    from typing import Literal

    from routilux import Flow, Routine

    @dataclass
    class Params:
        name: str = field(metadata={"description": "whom to greet"})
        count: int = 1
        loud: bool = False
        tone: Literal["warm", "cold"] = "warm"
        tags: list[str] = field(default_factory=list)
        timeout: float = 5.0
        where: Path | None = None

    class Greet(Routine):
        def __init__(self):
            super().__init__()
            self.define_slot("trigger")

        def logic(self, trigger, *, job_state):
            (params,) = trigger
            for _ in range(params["count"]):
                print("HELLO" if params["loud"] else "hello", params["name"])
            job_state.shared_data["report"] = dict(params)

    flow = Flow("greet", params=Params, description="Greet somebody.\\n\\nAt length.")
    flow.add_routine(Greet(), "greet")
"""

FAIL = """
    import json

    from routilux import Flow, Routine

    class Split(Routine):
        def __init__(self):
            super().__init__()
            self.define_event("part", ["number"])

        def logic(self):
            self.emit("part", number=17)

    class Parse(Routine):
        def __init__(self):
            super().__init__()
            self.define_slot("parts")

        def logic(self, parts):
            json.loads("{")

    flow = Flow("fail")
    flow.add_routine(Split(), "split")
    flow.add_routine(Parse(), "parse")
    flow.connect("split", "part", "parse", "parts")
"""

NO_ENTRY = """
    from routilux import Flow, Routine

    class Loop(Routine):
        def __init__(self):
            super().__init__()
            self.define_slot("input")
            self.define_event("output", ["result"])

        def logic(self, input):
            self.emit("output", result=1)

    flow = Flow("demo")
    flow.add_routine(Loop(), "routine")
    flow.connect("routine", "output", "routine", "input")
"""

ANY = """
    from routilux import Flow, Routine

    class Keep(Routine):
        def __init__(self):
            super().__init__()
            self.define_slot("trigger")

        def logic(self, trigger, *, job_state):
            job_state.shared_data["report"] = trigger[0]

    flow = Flow("any")
    flow.add_routine(Keep(), "keep")
"""

# Says that it runs, and then does not end by itself.
WAIT = """
    import threading

    from routilux import Flow, Routine

    class Wait(Routine):
        def __init__(self):
            super().__init__()
            self.define_slot("trigger")

        def logic(self, trigger, *, job_state):
            print("started", flush=True)
            how = trigger[0].get("how", "cooperative")
            if how == "cooperative":
                job_state.sleep(1000)
            elif how == "python":
                while True:
                    pass
            else:
                with job_state.shielded():
                    threading.Event().wait(1000)

    flow = Flow("wait")
    flow.add_routine(Wait(), "wait")
"""


@pytest.fixture
def project(tmp_path: Path, process_restored: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a folder `flows` in it, and the working folder."""
    sources = {"greet": GREET, "fail": FAIL, "no_entry": NO_ENTRY, "any": ANY, "wait": WAIT}
    (tmp_path / "flows").mkdir()
    for name, source in sources.items():
        (tmp_path / "flows" / f"{name}.py").write_text(textwrap.dedent(source), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def routilux(project: Path) -> Run:
    """Run the command line in this process."""

    def run(*args: str, stdin: str | None = None) -> Result:
        result = CliRunner().invoke(cli, args, input=stdin, prog_name="routilux")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run

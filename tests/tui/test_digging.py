"""The keys that open, copy and write what one looks at."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import sys
import textwrap
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tests.tui import fixed, fixed_errors
from tests.tui.driving import Drive, app_of, main_of, real_app, screen_text, type_text, until, until_shown
from tests.tui.pseudo_terminal import Terminal
from tui.places import Place
from tui.screens.export import ExportScreen
from tui.screens.question import Question

Matches = Callable[..., bool]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def driven(*keys: str, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Drive]:
    app = fixed.app()
    app.animation_level = "none"
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
        yield pilot


# ---- e

FLOW = """
from routilux import Flow, Routine


class Clean(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger")

    def logic(self, trigger):
        print("before it fails")
        raise ValueError("no")


flow = Flow("orders")
flow.add_routine(Clean(), "clean")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "flows"
    root.mkdir()
    (root / "orders.py").write_text(FLOW)
    return root


@pytest.mark.anyio
async def test_the_place_to_edit_follows_what_one_looks_at(folder: Path) -> None:
    file = str(folder / "orders.py")
    async with real_app(folder) as (pilot, runtime):
        main = main_of(pilot)
        assert main.place() == Place(file, 15)
        await pilot.press("3")
        assert main.place() == Place(file, 15)
        runtime.exec("orders", {})
        await until(pilot, lambda: main.chosen_job() is not None and main.chosen_job().error)  # type: ignore[union-attr]
        await pilot.press("4")
        assert main.place() == Place(file, 12)
        await pilot.press("5", "right")
        await until_shown(pilot, "before it fails")
        assert main.place() == Place(file, 10)
        await pilot.press("right", "G")
        assert main.place() == Place(file, 10)
        await pilot.press("left", "left", "left")
        await until_shown(pilot, "❱ 12")
        assert main.place() == Place(file, 12)
        view = main.job_pane.more().error_view
        view.choose(
            next(view.row_key(row) for row in range(view.row_count()) if view.row_key(row).endswith(":11"))
        )
        assert main.place() == Place(file, 11)


@pytest.mark.anyio
@pytest.mark.parametrize("tab", ["Overview", "Log", "History", "Timeline", "Graph", "Data"])
async def test_there_is_a_place_to_edit_in_every_tab_also_once_the_flow_has_moved(
    folder: Path, tab: str
) -> None:
    """The editor opens the file as it is now, so the lines are those of the newest load.

    What is about one routine leads to its logic, all else to the flow."""
    async with real_app(folder) as (pilot, runtime):
        main = main_of(pilot)
        runtime.exec("orders", {})
        await until(pilot, lambda: main.chosen_job() is not None and main.chosen_job().error)  # type: ignore[union-attr]
        (folder / "orders.py").write_text("# a new line\n" + FLOW)
        main.set_catalogue(await asyncio.to_thread(app_of(pilot).backend.load))
        await pilot.press("5")
        main.job_pane.go_to_tab(tab)
        expected = Place(str(folder / "orders.py"), 11 if tab in ("Overview", "Log", "History") else 16)
        await until(pilot, lambda: main.place() == expected)


@pytest.mark.anyio
async def test_a_broken_file_is_opened_at_its_error() -> None:
    async with driven("G") as pilot:
        assert main_of(pilot).place() == Place("/srv/flows/score.py", 41)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "No editor is set: set VISUAL or EDITOR"),
        ({"EDITOR": "code-that-is-not-there"}, "cannot be lent to an editor"),
        ({"EDITOR": "/nowhere/code"}, "/nowhere/code cannot be run: there is no such command"),
        ({"VISUAL": "vim '"}, "cannot be read as a command"),
        (
            {"EDITOR": "vim", "TEXTUAL_DRIVER": "textual.drivers.web_driver:WebDriver"},
            "In the browser no editor",
        ),
    ],
)
async def test_e_says_why_nothing_opens(
    folder: Path, environment: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with real_app(folder) as (pilot, _):
        for name in ("VISUAL", "EDITOR"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        await pilot.press("e")
        await until_shown(pilot, said)


@pytest.mark.anyio
async def test_e_says_that_a_file_is_gone() -> None:
    async with driven("e") as pilot:
        await until_shown(pilot, "/srv/flows/etl.py is no longer there")


@pytest.mark.anyio
@pytest.mark.parametrize("code", [0, 3])
async def test_an_editor_with_a_window_runs_beside_the_app(
    folder: Path, tmp_path: Path, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = script(tmp_path / "code", f"open({str(tmp_path / 'told')!r}, 'w').write(repr(sys.argv[1:])); "
                                       f"sys.stderr.write('no display'); sys.exit({code})")  # fmt: skip
    async with real_app(folder) as (pilot, _):
        monkeypatch.delenv("VISUAL", raising=False)
        monkeypatch.setenv("EDITOR", str(editor))
        await pilot.press("e")
        await until_shown(pilot, "Opening flows/orders.py:15")
        await until(pilot, lambda: (tmp_path / "told").exists() and (tmp_path / "told").read_text())
        assert (tmp_path / "told").read_text() == repr(["--goto", f"{folder / 'orders.py'}:15"])
        if code:
            await until_shown(pilot, "failed: exit code 3: no display")


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!{sys.executable}\nimport sys\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


EDITOR = """
import termios
print("EDITING", *sys.argv[1:], flush=True)
canonical = bool(termios.tcgetattr(0)[3] & termios.ICANON)
print("canonical" if canonical else "raw", flush=True)
line = sys.stdin.readline()
print("TYPED", line.strip(), flush=True)
sys.exit(7 if "fail" in line else 0)
"""


@pytest.fixture
def terminal(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", str(script(tmp_path / "vim", textwrap.dedent(EDITOR))))
    terminal = Terminal(str(folder))
    yield terminal
    terminal.close()


def test_the_terminal_is_lent_to_the_editor_and_comes_back_whole(terminal: Terminal, folder: Path) -> None:
    terminal.wait_for("orders")
    for typed in ("done", "fail"):
        at = terminal.press("e")
        terminal.wait_for(f"EDITING +15 {folder}/orders.py", at)
        terminal.wait_for("canonical", at)
        assert b"\x1b[?1049l" in terminal.received[at:], "the alternate screen was not left"
        at = terminal.press(f"{typed}\n")
        terminal.wait_for(f"TYPED {typed}", at)
        terminal.wait_for("1 Flows 1", at)
        assert b"\x1b[?1049h" in terminal.received[at:], "the alternate screen was not entered again"
    terminal.wait_until_shown("ended with exit code 7")
    at = terminal.press("?")
    terminal.wait_for("Everywhere", at)
    terminal.press("q")
    terminal.wait_until_gone("Everywhere")
    terminal.press("q")
    assert terminal.end() == 0
    assert terminal.modes_now() == terminal.modes


# ---- y and Y


async def until_said(pilot: Drive, text: str) -> None:
    """Let the app go on until a toast says it, on however many lines."""
    await until(pilot, lambda: any(text in toast.message for toast in pilot.app._notifications))


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("keys", "copied", "said"),
    [
        (["j"], "etl.daily", "Sent etl.daily"),
        (["4"], f"{fixed.RUNNING_ID}  etl.daily  running  ", f"Sent {fixed.RUNNING_ID}"),
        (["4"], "day=2025-06-12", f"Sent {fixed.RUNNING_ID}"),
        (["5", "right", "right", "g"], "'order': 1017", "Sent {"),
        (["5", "left", "left"], "day: '2025-06-12'", "Sent day"),
    ],
    ids=["flow", "job", "parameters-of-job", "record", "data"],
)
async def test_y_copies_the_row_under_the_cursor_and_says_what(
    keys: list[str], copied: str, said: str
) -> None:
    async with driven(*keys, "y") as pilot:
        assert copied in pilot.app.clipboard
        await until_said(pilot, said)


@pytest.mark.anyio
async def test_y_in_the_errors_copies_the_variable_or_the_call() -> None:
    app = fixed.app()
    app.backend.errors = fixed_errors.several(fixed.NOW)  # type: ignore[attr-defined]
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await pilot.press("5", "left")
        view = main_of(pilot).job_pane.more().error_view
        keys = [view.row_key(row) for row in range(view.row_count())]
        view.choose(next(key for key in keys if key.endswith(":row")))
        await pilot.press("y")
        assert app.clipboard == "{'name': 'lamp', 'count': 2}"
        view.choose(next(key for key in keys if key.startswith("frame:")))
        await pilot.press("y")
        assert app.clipboard.startswith(f'File "{fixed_errors.ETL}", line 88, in Clean.cost\n    return row')


@pytest.mark.anyio
async def test_Y_copies_the_whole_job_as_json() -> None:
    async with driven("4", "Y") as pilot:
        await until(pilot, lambda: pilot.app.clipboard)
        tree = json.loads(pilot.app.clipboard)
        assert tree["job_id"] == fixed.RUNNING_ID
        assert tree["parameters"] == {"day": "2025-06-12"}
        assert len(tree["log"]) == 40
        await until_said(pilot, "etl.daily as JSON to the terminal")


@pytest.mark.anyio
async def test_what_no_terminal_takes_is_not_copied() -> None:
    async with driven("4") as pilot:
        main_of(pilot)._copy("x" * 6_000_000, "the job")
        await until_shown(pilot, "Not copied: the job has")
        assert not pilot.app.clipboard
        main_of(pilot)._copy("x" * 100_000, "the job")
        await until_shown(pilot, "take no more than 74 kB")


# A program in the place of tmux.
TMUX = """#!/bin/sh
echo "$@" >> {folder}/asked
{script}
"""
TAKES = "cat > {folder}/buffer"


@pytest.fixture
def tmux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """The app runs in a tmux that does this; answers with the folder of what it was asked and got."""

    def runs(script: str) -> Path:
        program = tmp_path / "tmux"
        program.write_text(TMUX.format(folder=tmp_path, script=script.format(folder=tmp_path)))
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
        monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,1,0")
        return tmp_path

    return runs


@pytest.mark.anyio
async def test_in_tmux_what_is_copied_is_in_its_buffer_when_it_is_said(tmux: Callable[[str], Path]) -> None:
    folder = tmux(TAKES)
    async with driven("j", "y") as pilot:
        await until_said(pilot, "to tmux's buffer, and sent to the terminal's clipboard")
        assert "etl.daily" in (folder / "buffer").read_text()
        assert (folder / "asked").read_text() == "load-buffer -w -\n"
        await pilot.press("4", "Y")
        await until_said(pilot, "as JSON to tmux's buffer")
        assert json.loads((folder / "buffer").read_text())["job_id"] == fixed.RUNNING_ID


@pytest.mark.anyio
async def test_a_tmux_that_knows_no_clipboards_has_it_in_its_buffer(tmux: Callable[[str], Path]) -> None:
    folder = tmux(
        '[ "$2" = -w ] && {{ echo "usage: load-buffer [-b buffer-name] path" >&2; exit 1; }}\n' + TAKES
    )
    async with driven("j", "y") as pilot:
        await until_said(pilot, "to tmux's buffer, and sent to the terminal's clipboard")
        assert (folder / "asked").read_text() == "load-buffer -w -\nload-buffer -\n"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo 'no server running' >&2; exit 1", "no server running"),
        ("exit 3", "exit code 3"),
        ("exec sleep 3600", "no answer within 0.2 s"),
    ],
    ids=["gone", "silent", "hangs"],
)
async def test_a_tmux_that_does_not_take_it_is_said(
    tmux: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, script: str, why: str
) -> None:
    monkeypatch.setattr("tui.tmux.TIME_LIMIT", 0.2)
    tmux(script)
    async with driven("j", "y") as pilot:
        await until_said(pilot, "tmux did not take etl.daily")
        await until_said(pilot, why)


@pytest.mark.anyio
async def test_in_tmux_without_tmux_it_is_only_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,1,0")
    async with driven("j", "y") as pilot:
        await until_said(pilot, "there is no such command")
        assert "etl.daily" in pilot.app.clipboard


@pytest.mark.anyio
async def test_without_a_job_the_keys_say_so() -> None:
    app = fixed.app(())
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        for key in ("y", "Y", "o", "e"):
            await pilot.press("4", key)
        await until_shown(pilot, "nothing to copy")
        await until_shown(pilot, "No job is chosen")
        await until_shown(pilot, "no source to open")


# ---- o


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("keys", "name", "said"),
    [
        (["5", "right"], "001abe-etl.daily-log.txt", "Wrote 40 lines to"),
        (["5", "right", "right"], "001abe-etl.daily-history.jsonl", "Wrote 40 records, 1 older"),
        (["5", "left", "left"], "001abe-etl.daily-data.json", "Wrote the data to"),
        (["5", "left"], "001abe-etl.daily-errors.txt", "Wrote 0 errors to"),
        (["4"], "001abe-etl.daily-job.json", "Wrote the job to"),
    ],
    ids=["log", "history", "data", "errors", "job"],
)
async def test_o_writes_what_the_tab_shows_and_says_so_when_it_is_written(
    keys: list[str], name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with driven(*keys, "o") as pilot:
        assert pilot.app.screen.query_one(Input).value == name
        await pilot.press("enter")
        await until_shown(pilot, said)
        assert (tmp_path / name).exists()


@pytest.mark.anyio
async def test_o_writes_what_the_filters_show_and_says_so_in_its_title(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    grave = {"WARNING", "ERROR", "STDERR", "CRITICAL"}
    lines = sum(line.level in grave for line in fixed.log_lines())
    retries = sum(record.event_name == "retry_scheduled" for record in fixed.records())
    async with driven("5", "right", "l", "o") as pilot:
        await until_shown(pilot, f"Export the log: {lines} of 40 lines, level: warnings")
        await pilot.press("enter")
        await until_shown(pilot, f"Wrote {lines} lines to")
        written = (tmp_path / "001abe-etl.daily-log.txt").read_text()
        assert written.count("sku missing") == lines
        assert not {"INFO", "PRINT", "DEBUG"} & set(written.split())
        await pilot.press("right", "slash", *"retry", "enter", "o")
        await until_shown(pilot, f"Export the history: {retries} of 40 records, /retry")
        await pilot.press("enter")
        await until_shown(pilot, f"Wrote {retries} records")
        written = (tmp_path / "001abe-etl.daily-history.jsonl").read_text()
        assert written.count("retry_scheduled") == retries == len(written.splitlines())


@pytest.mark.anyio
async def test_o_asks_before_it_overwrites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "001abe-etl.daily-log.txt"
    file.write_text("precious")
    async with driven("5", "right", "o", "enter") as pilot:
        await until(pilot, lambda: isinstance(pilot.app.screen, Question))
        await pilot.press("enter")
        assert file.read_text() == "precious"
        await pilot.press("o", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, Question))
        await pilot.press("o")
        await until_shown(pilot, "Wrote 40 lines")
        assert "line 7: sku missing" in file.read_text()


@pytest.mark.anyio
async def test_a_name_that_cannot_be_is_said_so_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with driven("5", "right", "o") as pilot:
        field = pilot.app.screen.query_one(Input)
        for value, said in (
            ("", "Give the file a name"),
            (".", "is a folder"),
            ("no/where", "There is no folder"),
        ):
            field.value = value
            await pilot.press("enter")
            assert said in screen_text(pilot)
            assert isinstance(pilot.app.screen, ExportScreen)
        await pilot.press("escape")
        assert os.listdir(tmp_path) == []
        assert main_of(pilot).focused is main_of(pilot).job_pane.more().log_view


@pytest.mark.anyio
async def test_what_cannot_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def full(*arguments: object, **more: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tui.export.write_new", full)
    async with driven("5", "right", "o", "enter") as pilot:
        await until_shown(pilot, "was not written: No space")
        assert app_of(pilot).is_running


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light"])
def test_picture_of_naming_a_file(matches: Matches, theme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")

    async def go(pilot: Pilot[int]) -> None:
        await pilot.press("5", "right", "o")
        pilot.app.screen.query_one(Input).value = "/no/where.txt"
        await pilot.press("enter")
        await type_text(pilot, "x")
        await pilot.press("backspace", "enter")

    assert matches(fixed.app(theme=theme), (80, 24), run_before=go)

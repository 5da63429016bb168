"""Pane 2 and what else the screen says of reloads: on fixed loads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from routilux.connection import Connection
from routilux.loading import FlowDiff, FlowEvent, LoadError, LoadRecord, OutputLine
from tests.tui import fixed
from tests.tui.driving import Drive, main_of, orders_of, screen_text, text_of
from tests.tui.fixed import load
from tui.app import RoutiluxApp
from tui.file_lines import output_lines
from tui.pictures import Catalogue
from tui.reload_rows import diff_lines, note_of, place_of, rows_of, told_of
from tui.reruns import Rerun
from tui.screens.load import LoadScreen
from tui.screens.start import StartScreen
from tui.spans import plain

Matches = Callable[..., bool]
pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def broken(path: str = "score.py", line: int | None = 41, message: str = "NameError: pd") -> FlowEvent:
    return FlowEvent("broken", 13, None, path, error=LoadError("exception", path, line, message, "Trace\n"))


def said(record: LoadRecord) -> list[str]:
    return [plain(line.fitted(60)) for row in rows_of(record, fixed.NOW.tzinfo) for line in row.lines]


def then(*loads: LoadRecord, **more: object) -> Catalogue:
    """The fixed catalogue after some more loads."""
    known = fixed.CATALOGUE
    return known._replace(generation=13, loads=(*known.loads, *loads), **more)  # type: ignore[arg-type]


def test_what_the_start_finds_late_is_no_save() -> None:
    late = load(2, 1, FlowEvent("added", 2, "slow", "slow.py"))
    assert said(late) == ["✓ 12:04:54 g2 1 flow found 31 ms"]
    assert note_of([late], fixed.NOW)[0] == ""
    assert said(load(3, 1, FlowEvent("added", 3, "new", "new.py"), paths=("new.py",)))[1] == "  + flow new"


async def show(pilot: Drive, catalogue: Catalogue) -> None:
    main = main_of(pilot)
    main.backend.catalogue = catalogue  # type: ignore[misc]
    main._frame()
    await pilot.pause()


# ---- rows


def test_a_save_is_told_in_the_terms_of_its_flow() -> None:
    diff = FlowDiff(("audit",), ("old",), ("clean",), (Connection("a", "b", "c", "d"),),
                    (Connection("e", "f", "g", "h"),))  # fmt: skip
    assert said(load(12, 2, FlowEvent("changed", 12, "etl", "etl.py", diff), paths=("etl.py",))) == [
        "✓ 12:04:53 g12 etl.py 31 ms",
        "  ~ clean (changed)",
        "  + audit",
        "  - old",
        "  + a.b → c.d",
        "  - e.f → g.h",
    ]


def test_a_save_that_changes_no_routine_says_so() -> None:
    record = load(12, 2, FlowEvent("changed", 12, "etl", "etl.py", FlowDiff()), paths=("etl.py",))
    assert said(record)[1] == "  · etl: same routines, same connections"
    assert said(load(12, 2, paths=("helper.py",)))[1] == "  · no flow has changed"


def test_a_load_without_any_file_can_be_understood() -> None:
    assert said(load(2, 2)) == ["✓ 12:04:53 g2 folder read again 31 ms", "  · no flow has changed"]


def test_flows_that_share_a_helper_are_named() -> None:
    events = [FlowEvent("changed", 12, name, f"{name}.py", FlowDiff((), (), ("clean",))) for name in "ab"]
    assert said(load(12, 2, *events, paths=("helper.py",)))[1:] == [
        "  ~ flow a",
        "  ~ clean (changed)",
        "  ~ flow b",
        "  ~ clean (changed)",
    ]


def test_what_came_went_and_was_fixed_is_told() -> None:
    record = load(
        12,
        2,
        FlowEvent("added", 12, "new", "new.py"),
        FlowEvent("removed", 12, "old", "old.py"),
        FlowEvent("fixed", 12, None, "score.py"),
        FlowEvent("removed", 12, None, "gone.py"),
        paths=("new.py", "old.py", "score.py"),
    )
    assert said(record) == [
        "✓ 12:04:53 g12 3 files 31 ms",
        "  + flow new",
        "  - flow old",
        "  ✓ score.py is fixed",
        "  - gone.py",
    ]


def test_broken_and_slow_files_have_rows_of_their_own() -> None:
    record = load(13, 1, broken(), broken("b.py", None), paths=("b.py", "score.py"))
    assert said(record) == [
        "✗ 12:04:54 g13 score.py:41",
        "  NameError: pd",
        "✗ 12:04:54 g13 b.py",
        "  NameError: pd",
    ]


async def test_an_import_that_lasts_is_in_progress_until_it_has_ended_or_was_given_up() -> None:
    slow = [load(13, ago, FlowEvent("slow", 13, None, "slow.py"), paths=("slow.py",)) for ago in (9, 1)]
    async with fixed.app().run_test(size=(120, 40)) as pilot:
        await show(pilot, then(*slow, importing=("slow.py",)))
        lines = text_of(main_of(pilot).reload_list).splitlines()
        # Of an earlier import of the file, which has ended, another row tells.
        assert [line[1:] for line in lines[:4]] == [
            "◌ 12:04:54 slow.py",
            "  takes long to import",
            "· 12:04:46 slow.py",
            "  took long to import",
        ]
        main_of(pilot).backend.catalogue = then(*slow)  # type: ignore[misc]
        main_of(pilot)._frame()
        text = text_of(main_of(pilot).reload_list)
        assert "◌" not in text
        assert text.count("took long to import") == 2


def test_a_checkout_stays_bounded() -> None:
    events = [FlowEvent("changed", 13, f"f{at}", f"f{at}.py", FlowDiff((), (), ("x",))) for at in range(300)]
    events += [broken(f"b{at}.py") for at in range(300)]
    record = load(13, 1, *events, paths=tuple(f"f{at}.py" for at in range(300)))
    lines = said(record)
    assert len(lines) < 60
    assert "and 280 more files are broken" in "\n".join(lines)
    assert lines[-1] == "  and 593 more"


def test_the_middle_of_a_line_makes_way() -> None:
    [row] = rows_of(load(12, 2, paths=("a_file_with_a_long_name.py",)), fixed.NOW.tzinfo)
    assert plain(row.lines[0].fitted(33)) == "✓ 12:04:53 g12 a_file_with… 31 ms"


def test_a_row_leads_to_the_line_that_changed() -> None:
    rows = [row for record in fixed.CATALOGUE.loads for row in rows_of(record, fixed.NOW.tzinfo)]
    assert [place_of(row) for row in rows] == [("backfill.py", 1), ("score.py", 41), ("etl.py", 87)]


def test_each_file_is_compared_once_however_many_flows_it_has() -> None:
    both = [FlowEvent("changed", 12, name, "etl.py", fixed.DIFF) for name in ("a", "b")]
    lines = [plain(line) for line in diff_lines(load(12, 2, *both))]
    assert lines.count("--- etl.py (before)") == 1


def test_output_at_import_is_bounded_and_safe() -> None:
    output = [OutputLine("PRINT", f"line {at} \x1b[31m[b]red") for at in range(100)]
    lines = [plain(line) for line in output_lines(output, 60)]
    assert lines[0] == "put out at import"
    assert lines[1] == "60 lines before these"
    assert lines[-1] == "PRINT   line 99 [b]red"
    [_, progress] = output_lines([OutputLine("STDERR", "\r10%\r100%")], 60)
    assert plain(progress) == "STDERR  100%"


async def test_the_newest_row_is_chosen_again_once_nobody_looks_into_the_list() -> None:
    async with fixed.app().run_test(size=(120, 40)) as pilot:
        await pilot.press("2", "j", "1")
        await show(pilot, then(load(13, 1, paths=("etl.py",))))
        row = main_of(pilot).reload_list.row
        assert row is not None
        assert row.load.generation == 13


# ---- the header and toasts


def test_the_header_speaks_of_a_load_for_a_while() -> None:
    changed = load(12, 2, FlowEvent("changed", 12, "etl", "etl.py", FlowDiff()), paths=("etl.py",))
    assert note_of([changed], fixed.NOW) == ("● etl.py reloaded 2s ago", "completed")
    assert note_of([changed], fixed.NOW + timedelta(seconds=8)) == ("", "text")
    wrong = load(13, 1, broken(), paths=("score.py",))
    assert note_of([changed, wrong], fixed.NOW) == ("✗ score.py broken", "failed")
    gone = load(13, 1, FlowEvent("removed", 13, "old", "old.py"), paths=("old.py",))
    assert note_of([gone], fixed.NOW)[0] == "● old.py removed 1s ago"
    assert note_of([load(1, 1, FlowEvent("added", 1, "etl", "etl.py"))], fixed.NOW)[0] == ""


def test_many_loads_make_few_toasts() -> None:
    loads = [
        load(at, 1, FlowEvent("changed", at, f"f{at}", f"f{at}.py", FlowDiff()), paths=(f"f{at}.py",))
        for at in range(2, 40)
    ]
    [told] = told_of(loads)
    assert told.text == "f2.py, f3.py and 36 more reloaded: f10, f11 and 36 more"
    loads.append(load(41, 0, *(broken(f"b{at}.py") for at in range(9)), paths=("b0.py",)))
    assert [each.severity for each in told_of(loads)] == ["error", "information"]
    assert told_of(loads)[0].text == "✗ 9 files are broken: b0.py, b1.py and 7 more"


def toasts_of(pilot: Drive) -> list[str]:
    return [str(note.message) for note in pilot.app._notifications]


async def test_what_happens_out_of_sight_is_said_and_nothing_else() -> None:
    changed = load(13, 0, FlowEvent("changed", 13, "etl.daily", "etl.py", FlowDiff()), paths=("etl.py",))
    async with fixed.app().run_test(size=(120, 40), notifications=True) as pilot:
        await show(pilot, then(changed))
        assert toasts_of(pilot) == [], "the pane is in sight"
        await pilot.press("4", "z")
        wrong = load(14, 0, broken(), paths=("score.py",))
        await show(pilot, then(changed, wrong))
        assert toasts_of(pilot) == ["✗ score.py:41: NameError: pd"]
        lost = then(*(each._replace() for each in (changed, wrong)))
        await show(pilot, lost)
        assert len(toasts_of(pilot)) == 1, "records that have lost their sources are not told again"


# ---- the pane


async def test_2_goes_to_the_reloads_and_enter_opens_the_diff() -> None:
    async with fixed.app().run_test(size=(120, 40)) as pilot:
        await pilot.press("2")
        main = main_of(pilot)
        assert main.pane == "reloads"
        assert main.focused is main.reload_list
        await pilot.press("enter")
        assert isinstance(pilot.app.screen, LoadScreen)
        assert '+            price = row["sku"].price' in screen_text(pilot)
        await pilot.press("escape", "j", "enter")
        assert "Traceback (most recent call last)" in screen_text(pilot)
        await pilot.press("escape", "escape")
        assert main.pane == "flows"


async def test_tab_passes_the_reloads_between_flows_and_flow() -> None:
    async with fixed.app().run_test(size=(120, 40)) as pilot:
        seen = []
        for _ in range(5):
            await pilot.press("tab")
            seen.append(main_of(pilot).pane)
        assert seen == ["reloads", "flow", "jobs", "job", "flows"]


async def test_the_newest_is_chosen_until_one_looks_into_the_pane() -> None:
    async with fixed.app().run_test(size=(120, 40)) as pilot:
        pane = main_of(pilot).reload_list
        await show(pilot, then(load(13, 0, paths=("a.py",))))
        assert pane.chosen_row == 0
        assert "a.py" in text_of(pane).splitlines()[0]
        await pilot.press("2", "j")
        chosen = pane.chosen
        await show(pilot, then(load(13, 0, paths=("a.py",)), load(14, 0, paths=("b.py",))))
        assert pane.chosen == chosen


@pytest.mark.parametrize("inside", [False, True])
async def test_e_opens_the_line_that_changed(inside: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    async with fixed.app().run_test(size=(120, 40)) as pilot:
        main = main_of(pilot)
        opened: list[object] = []
        monkeypatch.setattr(main, "_open", opened.append)
        monkeypatch.setattr("tui.screens.digging.Path.is_file", lambda self: True)
        await pilot.press("2", *(("enter",) if inside else ()), "e")
        await pilot.pause()
        assert opened == [("/srv/flows/etl.py", 87)]


async def test_y_copies_the_row() -> None:
    async with fixed.app().run_test(size=(120, 40)) as pilot:
        await pilot.press("2", "y")
        assert "etl.py 31 ms" in pilot.app.clipboard


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40), (200, 60)], ids=str)
def test_the_pane_at_every_width(matches: Matches, size: tuple[int, int]) -> None:
    assert matches(fixed.app(), size, press=("2",))


def test_the_pane_in_a_light_theme(matches: Matches) -> None:
    assert matches(fixed.app(theme="textual-light"), press=("2", "j"))


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light"])
def test_the_diff(matches: Matches, theme: str) -> None:
    assert matches(fixed.app(theme=theme), press=("2", "enter"))


def noisy() -> RoutiluxApp:
    output = {"score.py": (OutputLine("PRINT", "connecting …"), OutputLine("WARNING", "no cache"))}
    return fixed.app(catalogue=fixed.CATALOGUE._replace(output=output))


@pytest.mark.parametrize("size", [(60, 16), (120, 40)], ids=str)
def test_the_error_with_its_traceback_and_output(matches: Matches, size: tuple[int, int]) -> None:
    assert matches(noisy(), size, press=("2", "j", "enter"))


def test_a_broken_file_says_in_the_header(matches: Matches) -> None:
    catalogue = then(load(13, 1, broken(), paths=("score.py",)))
    assert matches(fixed.app(catalogue=catalogue), (120, 24))


def test_no_loads_yet_and_none_to_come(matches: Matches) -> None:
    catalogue = fixed.CATALOGUE._replace(loads=(), watched=False)
    assert matches(fixed.app(catalogue=catalogue), press=("2",))


# ---- flows whose file is broken


def stale() -> Catalogue:
    breakage = fixed.CATALOGUE.breakages["score.py"]._replace(error=fixed.BROKEN._replace(path="etl.py"))
    flow = fixed.ETL._replace(generation=9, breakage=breakage)
    return fixed.CATALOGUE._replace(flows=(flow, fixed.FREE), broken=(breakage.error,))


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light"])
def test_a_flow_of_a_broken_file_says_what_its_jobs_run(matches: Matches, theme: str) -> None:
    assert matches(fixed.app(catalogue=stale(), theme=theme), press=("3",))


async def test_a_flow_of_a_broken_file_can_be_started() -> None:
    async with fixed.app(catalogue=stale()).run_test(size=(120, 40)) as pilot:
        shown = screen_text(pilot)
        assert "✗ etl.daily" in shown
        said = " ".join(text_of(main_of(pilot).flow_view).split())
        assert "etl.py is broken since 12:03:10 (g11): line 41 NameError" in said
        assert "jobs start with g9, its last good version" in said
        await pilot.press("s")
        assert isinstance(pilot.app.screen, StartScreen)


# ---- re-run on save


async def test_a_turns_re_run_on_save_on_and_off() -> None:
    async with fixed.app().run_test(size=(120, 40), notifications=True) as pilot:
        await pilot.press("j", "a")
        assert orders_of(pilot) == [("toggle_rerun", "etl.daily")]
        await pilot.pause()
        assert "etl.daily        ↻ g12" in screen_text(pilot)
        assert "runs again on each save" in toasts_of(pilot)[-1]
        await pilot.press("a")
        await pilot.pause()
        assert "↻ g12" not in screen_text(pilot)
        assert "no longer runs again" in toasts_of(pilot)[-1]


async def test_without_watching_there_is_no_re_run_on_save() -> None:
    catalogue = fixed.CATALOGUE._replace(watched=False)
    async with fixed.app(catalogue=catalogue).run_test(size=(120, 40), notifications=True) as pilot:
        await pilot.press("a")
        assert orders_of(pilot) == []
        assert "--no-reload" in toasts_of(pilot)[-1]


async def test_whoever_looks_at_the_run_before_is_shown_the_new_one() -> None:
    async with fixed.app().run_test(size=(120, 40), notifications=True) as pilot:
        main = main_of(pilot)
        backend = main.backend
        assert isinstance(backend, fixed.FixedBackend)
        new = fixed.summary(0x99, fixed.S.RUNNING)
        assert main.job_table.choose(fixed.RUNNING_ID)
        backend.give((*fixed.JOBS, new))
        backend.reruns_told = [Rerun("etl.daily", 13, new.job_id, fixed.RUNNING_ID)]
        main._frame()
        main._frame()
        await pilot.pause()
        assert main.job_table.chosen == new.job_id
        assert toasts_of(pilot) == [], "it is in sight"


async def test_a_re_run_that_did_not_start_is_said() -> None:
    async with fixed.app().run_test(size=(120, 40), notifications=True) as pilot:
        main = main_of(pilot)
        assert isinstance(main.backend, fixed.FixedBackend)
        main.backend.reruns_told = [Rerun("etl.daily", 13, None, None, problem="limit: 'ab' is no number")]
        main._frame()
        await pilot.pause()
        assert toasts_of(pilot) == ["etl.daily was not run again: limit: 'ab' is no number"]


async def test_the_flow_pane_of_what_is_not_described_yet() -> None:
    flow = fixed.ETL._replace(described=False, parameters=())
    async with fixed.app(catalogue=Catalogue(fixed.ROOT, (flow,))).run_test(size=(120, 50)) as pilot:
        assert "are being read …" in text_of(main_of(pilot).flow_view)

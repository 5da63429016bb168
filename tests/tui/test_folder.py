"""The folder in pictures: early, in two steps, and always the newest."""

from __future__ import annotations

import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from routilux import FlowRegistry
from routilux.loading import FlowLoader
from tui.folder import FlowFolder
from tui.pictures import Catalogue, FlowPicture

FLOW = """
from dataclasses import dataclass

from routilux import Flow, Routine


@dataclass
class Params:
    count: int = {count}


flow = Flow("{name}", params=Params)
routine = Routine("only")
routine.define_slot("trigger")
routine.set_logic(lambda trigger: None)
flow.add_routine(routine)
"""
LIMIT = 30.0


def write(root: Path, name: str, count: int = 1, *, before: str = "") -> None:
    source = textwrap.dedent(before) + FLOW.format(name=name, count=count)
    (root / f"{name}.py").write_text(source)


@pytest.fixture
def folder_of(tmp_path: Path) -> Iterator[Callable[..., FlowFolder]]:
    made: list[FlowFolder] = []

    def make(**how: bool) -> FlowFolder:
        made.append(FlowFolder(FlowLoader(tmp_path, FlowRegistry()), **how))
        return made[-1]

    yield make
    for folder in made:
        folder.close()


def until(folder: FlowFolder, holds: Callable[[Catalogue], object]) -> Catalogue:
    """Wait for a picture of which something holds."""
    with folder._news:
        assert folder._news.wait_for(lambda: holds(folder.catalogue), LIMIT), folder.catalogue
        return folder.catalogue


def flow_in(catalogue: Catalogue, name: str) -> FlowPicture:
    flow = catalogue.flow(name)
    assert flow is not None
    return flow


def test_flows_come_first_and_their_parameters_once_they_are_on_the_screen(
    tmp_path: Path, folder_of: Callable[..., FlowFolder]
) -> None:
    write(tmp_path, "etl")
    folder = folder_of()
    assert folder.catalogue.loading
    first = folder.load()
    assert not first.loading
    flow = flow_in(first, "etl")
    assert (flow.described, flow.declared, flow.parameters) == (False, True, ())
    assert [routine.routine_id for routine in flow.routines] == ["only"]
    folder.shown()
    flow = flow_in(until(folder, lambda catalogue: catalogue.described), "etl")
    assert [field.name for field in flow.parameters] == ["count"]


def test_the_folder_is_watched_once_its_flows_are_on_the_screen(
    tmp_path: Path, folder_of: Callable[..., FlowFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.folder._PATIENCE", LIMIT)
    told = threading.Event()
    watch = FlowLoader.watch

    def noted(self: FlowLoader) -> None:
        watch(self)
        told.set()

    monkeypatch.setattr(FlowLoader, "watch", noted)
    folder = folder_of()
    folder.load()
    assert not told.is_set()
    folder.shown()
    assert told.wait(LIMIT)
    write(tmp_path, "etl")
    until(folder, lambda catalogue: catalogue.flow("etl"))


def test_a_form_need_not_wait_for_its_turn(tmp_path: Path, folder_of: Callable[..., FlowFolder]) -> None:
    write(tmp_path, "etl", 7)
    folder = folder_of()
    folder.load()
    described = folder.describe("etl")
    assert described is not None
    assert described.described
    assert described.parameters[0].default == 7
    assert not folder.catalogue.described
    assert folder.describe("etl") is described, "it is described once"
    assert folder.describe("nowhere") is None


def test_only_what_a_save_touches_is_described_anew(
    tmp_path: Path, folder_of: Callable[..., FlowFolder]
) -> None:
    write(tmp_path, "etl")
    write(tmp_path, "other")
    folder = folder_of()
    folder.load()
    folder.shown()
    before = until(folder, lambda catalogue: catalogue.described)
    write(tmp_path, "etl", 2)
    after = until(folder, lambda catalogue: catalogue.generation > before.generation and catalogue.described)
    assert flow_in(after, "other") is flow_in(before, "other")
    assert flow_in(after, "etl").parameters[0].default == 2
    assert flow_in(after, "etl").generation == after.generation
    assert after.loads[-1].paths == ("etl.py",)


def test_a_broken_file_keeps_its_flow_and_says_since_when(
    tmp_path: Path, folder_of: Callable[..., FlowFolder]
) -> None:
    write(tmp_path, "etl")
    folder = folder_of()
    first = folder.load()
    write(tmp_path, "etl", before="x = (\n")
    broken = until(folder, lambda catalogue: catalogue.broken)
    flow = flow_in(broken, "etl")
    assert flow.generation == first.generation
    assert flow.breakage is not None
    assert flow.breakage.error.kind == "syntax"
    assert flow.breakage.generation == broken.generation
    since = flow.breakage.since
    assert since == broken.loads[-1].at
    write(tmp_path, "etl", before="y = 1\nx = ((\n")
    again = until(folder, lambda catalogue: catalogue.generation > broken.generation)
    assert (flow_in(again, "etl").breakage or flow.breakage).since == since, "broken ever since the first"
    write(tmp_path, "etl")
    mended = until(folder, lambda catalogue: not catalogue.broken)
    assert flow_in(mended, "etl").breakage is None
    assert mended.breakages == {}


def test_a_flow_whose_parameters_cannot_be_described_counts_as_broken(
    tmp_path: Path, folder_of: Callable[..., FlowFolder]
) -> None:
    write(tmp_path, "etl")
    path = tmp_path / "etl.py"
    path.write_text(path.read_text().replace("count: int = 1", "count: 'Nowhere' = 1"))
    folder = folder_of()
    folder.load()
    with pytest.raises(Exception, match="Nowhere"):
        folder.describe("etl")
    folder.shown()
    catalogue = until(folder, lambda catalogue: catalogue.broken)
    assert catalogue.flows == ()
    [broken] = catalogue.broken
    assert broken.path == "etl.py"
    assert "cannot be described" in broken.message


def test_a_load_without_an_event_is_seen_by_looking(
    tmp_path: Path, folder_of: Callable[..., FlowFolder]
) -> None:
    folder = folder_of(watch=False)
    folder.load()
    (tmp_path / "helper.py").write_text("x = 1\n")
    folder.loader.reload()
    assert folder.catalogue.loads == ()
    folder.look()
    assert until(folder, lambda catalogue: catalogue.loads)


def test_what_a_file_puts_out_at_import_comes_with_the_picture(
    tmp_path: Path, folder_of: Callable[..., FlowFolder], capfd: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "etl", before="print('at import')\n")
    catalogue = folder_of().load()
    assert [line.text for line in catalogue.output["etl.py"]] == ["at import"]
    assert capfd.readouterr() == ("", "")


def test_without_watching_the_folder_is_loaded_once(
    tmp_path: Path, folder_of: Callable[..., FlowFolder]
) -> None:
    write(tmp_path, "etl")
    folder = folder_of(watch=False)
    first = folder.load()
    assert [flow.name for flow in first.flows] == ["etl"]
    assert not first.watched
    assert not {thread.name for thread in threading.enumerate()} & {"routilux-loader", "routilux-watch"}


def test_a_folder_that_is_missing_is_a_problem_and_not_a_broken_file(
    tmp_path: Path, folder_of: Callable[..., FlowFolder]
) -> None:
    folder = FlowFolder(FlowLoader(tmp_path / "nowhere", FlowRegistry()))
    try:
        catalogue = folder.load()
        assert "there is no flow folder" in catalogue.problem
        assert catalogue.broken == ()
        (tmp_path / "nowhere").mkdir()
        write(tmp_path / "nowhere", "etl")
        until(folder, lambda catalogue: catalogue.flows and not catalogue.problem)
    finally:
        folder.close()


def test_whoever_asks_meanwhile_the_newest_is_shown_in_the_end(
    tmp_path: Path, folder_of: Callable[..., FlowFolder]
) -> None:
    for number in range(6):
        write(tmp_path, f"flow{number}")
    folder = folder_of()
    folder.load()
    over = threading.Event()
    troubles: list[BaseException] = []

    def ask(name: str) -> None:
        try:
            while not over.is_set():
                folder.look()
                folder.shown()
                described = folder.describe(name)
                assert described is None or described.described
                generations.append(folder.catalogue.generation)
        except BaseException as error:
            troubles.append(error)

    generations: list[int] = []
    threads = [threading.Thread(target=ask, args=(f"flow{number}",)) for number in range(3)]
    for thread in threads:
        thread.start()
    for count in range(2, 40):
        write(tmp_path, f"flow{count % 6}", count)
        folder.loader.reload()
    over.set()
    for thread in threads:
        thread.join(LIMIT)
    assert troubles == []
    newest = folder.loader.current.number
    catalogue = until(folder, lambda catalogue: catalogue.generation == newest and catalogue.described)
    shown = {flow.name: flow.parameters[0].default for flow in catalogue.flows}
    assert shown == {f"flow{count % 6}": count for count in range(34, 40)}
    assert all(flow.generation == folder.loader.catalog[flow.name].generation for flow in catalogue.flows)


def test_files_whose_import_lasts_are_named_until_it_has_ended(
    tmp_path: Path, folder_of: Callable[..., FlowFolder]
) -> None:
    for name in ("etl", "late"):
        waits = f"""
            import time
            from pathlib import Path

            while not Path(__file__).with_name("{name}.go").exists():
                time.sleep(0.005)
            """
        write(tmp_path, name, before=waits)
    folder = folder_of()
    first = folder.load()
    assert (first.flows, first.importing, first.loading) == ((), ("etl.py", "late.py"), False)
    (tmp_path / "etl.go").touch()
    then = until(folder, lambda catalogue: catalogue.flow("etl") and catalogue.importing == ("late.py",))
    assert [flow.name for flow in then.flows] == ["etl"]
    # One that fails is named no longer either.
    write(tmp_path, "late", before="raise ValueError('no')\n")
    then = until(folder, lambda catalogue: not catalogue.importing and catalogue.broken)
    assert [error.path for error in then.broken] == ["late.py"]

"""The graph of a flow: every line leads where it should, nothing stands on anything else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import combinations, pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.pilot import Pilot

from routilux import FlowRegistry
from routilux.connection import Connection
from routilux.loading import load_folder
from tests.tui import fixed
from tests.tui.driving import Drive, app_of, main_of, screen_text, text_of
from tui.graph_layout import lay_out
from tui.graph_lines import graph_drawing
from tui.pictures import FlowPicture, picture_of
from tui.spans import line_width, plain
from tui.widgets.graph_view import GraphView

UP, DOWN, LEFT, RIGHT = (0, -1), (0, 1), (-1, 0), (1, 0)
SIDES = {
    "│": (UP, DOWN), "─": (LEFT, RIGHT), "╭": (DOWN, RIGHT), "╮": (DOWN, LEFT), "╰": (UP, RIGHT),
    "╯": (UP, LEFT), "├": (UP, DOWN, RIGHT), "┤": (UP, DOWN, LEFT), "┬": (DOWN, LEFT, RIGHT),
    "┴": (UP, LEFT, RIGHT), "┼": (UP, DOWN, LEFT, RIGHT),
}  # fmt: skip


def flow_of(*edges: str, more: str = "") -> FlowPicture:
    """`a.out>b.slot` for each connection."""
    connections = []
    for edge in edges:
        source, target = edge.split(">")
        connections.append(Connection(*source.split("."), *target.split(".")))
    names = dict.fromkeys([name for c in connections for name in (c.source_id, c.target_id)] + more.split())
    routines = tuple(
        fixed.routine(
            name,
            " ".join(dict.fromkeys(c.slot_name for c in connections if c.target_id == name)),
            " ".join(dict.fromkeys(c.event_name for c in connections if c.source_id == name)),
        )
        for name in names
    )
    first = routines[0].routine_id if routines else None
    return fixed.ETL._replace(routines=routines, connections=tuple(connections), entry=first)


def reaches(flow: FlowPicture, start: str, end: str) -> bool:
    seen, todo = {start}, [start]
    while todo:
        here = todo.pop()
        new = {c.target_id for c in flow.connections if c.source_id == here} - seen
        seen |= new
        todo += new
    return end in seen


def drawing_of(flow: FlowPicture, columns: int = 10_000) -> list[str]:
    lines = graph_drawing(flow, columns)
    assert lines is not None
    return [plain(line) for line in lines]


edges = st.lists(
    st.builds(
        lambda a, e, b, s: f"r{a}.e{e}>r{b}.s{s}",
        st.integers(0, 9), st.integers(0, 2), st.integers(0, 9), st.integers(0, 2),
    ),
    min_size=1, max_size=25, unique=True,
)  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(edges)
def test_boxes_stand_apart_and_lines_of_different_ends_never_run_over_one_another(edges: list[str]) -> None:
    flow = flow_of(*edges)
    layout = lay_out(flow, {each.routine_id: len(each.routine_id) + 4 for each in flow.routines})
    layer_of = {spot.name: spot.layer for layer in layout.layers for spot in layer if spot.name}
    up = [c for c in flow.connections if layer_of[c.source_id] >= layer_of[c.target_id]]
    # What does not lead down closes a cycle.
    assert all(reaches(flow, c.target_id, c.source_id) for c in up)
    for layer in layout.layers:
        for left, right in pairwise(layer):
            assert left.x + left.width <= right.x
        for spot in layer:
            for ends in (spot.tops, spot.bottoms):
                assert len(set(ends.values())) == len(ends)
                if spot.name:
                    assert all(spot.x < column < spot.x + spot.width - 1 for column in ends.values())
    for channel in layout.channels:
        for one, other in combinations(channel, 2):
            # Ends at the same column are ends at the same slot.
            shared = set(one.columns()) & set(other.columns())
            same = {spot.tops[slot] for spot, slot in one.targets if (spot, slot) in other.targets}
            if one.side is not None and one.side == other.side:
                same.add(one.side)
            assert shared <= same
            if one.track >= 0 and one.track == other.track:
                spans = sorted((min(net.columns()), max(net.columns())) for net in (one, other))
                assert spans[0][1] < spans[1][0]


@settings(deadline=None, max_examples=150)
@given(edges)
def test_every_line_goes_on_where_it_leaves_a_cell(edges: list[str]) -> None:
    flow = flow_of(*edges)
    rows = drawing_of(flow)
    assert len({len(row) for row in rows}) == 1
    for name in (each.routine_id for each in flow.routines):
        assert sum(row.count(f" {name} ") for row in rows) >= 1
    grid = {(x, y): char for y, row in enumerate(rows) for x, char in enumerate(row)}
    for (x, y), char in grid.items():
        for dx, dy in SIDES.get(char, ()):
            there = grid.get((x + dx, y + dy), "")
            # Into a line, an arrow, or the border of a box.
            assert there in {*SIDES, *"▼┌┐└┘"}, (char, x, y, "\n".join(rows))


def test_a_chain_goes_straight_down() -> None:
    rows = drawing_of(flow_of("a.out>b.in", "b.out>c.in"))
    assert not any(char in "╭╮╰╯" for row in rows for char in row)


def test_what_leads_back_goes_round_on_the_right_and_a_loop_is_marked() -> None:
    rows = drawing_of(flow_of("a.out>b.in", "b.again>a.more", "b.self>b.in"))
    assert any("↺" in row for row in rows)
    right = max(len(row.rstrip()) for row in rows) - 1
    assert sum(row[right : right + 1] in "│╮╯" and row[right : right + 1] != "" for row in rows) > 4


def thirty() -> FlowPicture:
    """A source, four branches of six, what they come together in, and a way back."""
    edges = []
    for branch in "abcd":
        edges.append(f"source.{branch}>{branch}0.in")
        edges += [f"{branch}{at}.out>{branch}{at + 1}.in" for at in range(6)]
        edges.append(f"{branch}6.out>join.{branch}")
    return flow_of(*edges, "join.again>source.more", more="alone")


def test_thirty_routines_are_drawn_in_eighty_columns() -> None:
    flow = thirty()
    assert len(flow.routines) == 31
    rows = drawing_of(flow, 78)
    assert all(f" {each.routine_id} " in "\n".join(rows) for each in flow.routines)


def test_what_does_not_fit_is_not_drawn() -> None:
    assert graph_drawing(flow_of(*(f"a.e>b{at}.in" for at in range(30))), 80) is None


def test_the_flows_of_this_project_are_drawn() -> None:
    root = Path(__file__).parents[2] / "flows"
    flows = [picture_of(each) for each in load_folder(root, FlowRegistry()).flows.values()]
    assert len(flows) >= 5
    for flow in flows:
        assert all(len(row) <= 78 for row in drawing_of(flow, 78))


# ---- the tab


@asynccontextmanager
async def graph_of(
    flow: FlowPicture, size: tuple[int, int] = (120, 40), jobs: Sequence[fixed.JobSummary] = fixed.JOBS
) -> AsyncIterator[tuple[Drive, GraphView]]:
    app = fixed.app(jobs)
    app.animation_level = "none"
    app.backend.drawn = flow  # type: ignore[attr-defined]
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        main_of(pilot).job_pane.go_to_tab("Graph")
        await pilot.press("5")
        await pilot.pause()
        yield pilot, main_of(pilot).job_pane.more().graph


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
async def test_states_and_depths_are_in_the_graph_and_change_with_the_job() -> None:
    async with graph_of(fixed.ETL) as (pilot, view):
        shown = text_of(view)
        for text in ("✓ fetch", "▶ clean", "↻ audit", "◦ load", "▼ 3", "▼ 1,000", "0 runs · 1,000 wait"):
            assert text in shown
        backend = app_of(pilot).backend
        before = backend.detail

        def later(job_id: str):  # type: ignore[no-untyped-def]
            detail = before(job_id)
            assert detail is not None
            routines = (fixed.state("fetch", "failed"), *detail.snapshot.routines[1:])
            return detail._replace(snapshot=detail.snapshot._replace(routines=routines))

        backend.detail = later  # type: ignore[method-assign]
        backend.give(fixed.JOBS)  # type: ignore[attr-defined]
        main_of(pilot)._frame()
        assert "✗ fetch" in text_of(view)


@pytest.mark.anyio
@pytest.mark.parametrize("size", [(120, 40), (60, 16)])
async def test_in_the_graph_of_a_job_that_has_ended_nothing_waits(size: tuple[int, int]) -> None:
    async with graph_of(fixed.ETL, size, [fixed.summary(0x14, fixed.S.CANCELLED)]) as (_, view):
        shown = text_of(view)
        assert "□ load" in shown
        assert "◦" not in shown
        assert "wait" not in shown


@pytest.mark.anyio
async def test_a_flow_too_wide_to_be_drawn_is_told_as_a_tree() -> None:
    wide = flow_of(*(f"fetch.rows>b{at}.in" for at in range(30)))
    async with graph_of(wide, (80, 24)) as (pilot, view):
        assert "as a tree: too wide to be drawn" in view.words
        assert "✓ fetch" in text_of(view)
        assert all(line_width(view.line(y)) <= 78 for y in range(view.line_count()))
        assert "as a tree" in screen_text(pilot)


Matches = Callable[..., bool]


@pytest.mark.parametrize(
    ("size", "theme", "flow"),
    [
        ((80, 24), "textual-dark", fixed.ETL),
        ((120, 40), "textual-dark", fixed.ETL),
        ((120, 40), "textual-light", fixed.ETL),
        ((120, 60), "textual-dark", thirty()),
    ],
    ids=["80", "120", "light", "thirty"],
)
def test_graph_pictures(matches: Matches, size: tuple[int, int], theme: str, flow: FlowPicture) -> None:
    async def go(pilot: Pilot[int]) -> None:
        await pilot.pause()
        pilot.app.main.job_pane.go_to_tab("Graph")  # type: ignore[attr-defined]
        await pilot.press("5", "z")
        await pilot.pause()

    app = fixed.app(theme=theme)
    app.backend.drawn = flow  # type: ignore[attr-defined]
    assert matches(app, size, run_before=go)

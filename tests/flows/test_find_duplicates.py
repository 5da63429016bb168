"""`find_duplicates` against brute force, on trees with all that real ones have: links, odd names, changes."""

from __future__ import annotations

import json
import os
import random
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from flows import _walk, find_duplicates
from flows._report import human_bytes, printable, shorten, table, write_json
from flows._walk import matches
from flows.find_duplicates import HEAD_SIZE, flow, hash_head, hash_whole
from routilux import ParameterError
from tests.flows.running import (
    calls_after_cancel,
    job_of,
    printed,
    report_in_two_parts,
    report_of,
    run,
    runtime_of,
)

Groups = set[frozenset[frozenset[str]]]


def groups_of(report: dict[str, Any]) -> Groups:
    """The groups of a report: sets of files, each the set of its names."""
    return {
        frozenset(frozenset([file["path"], *file["links"]]) for file in group["files"])
        for group in report["groups"]
    }


def by_brute_force(root: Path, min_size: int = 1) -> Groups:
    """The same, from the bytes of all files."""
    contents: dict[bytes, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink() and path.stat().st_size >= min_size:
                contents[path.read_bytes()][path.stat().st_ino].add(str(path))
    return {
        frozenset(frozenset(names) for names in files.values())
        for files in contents.values()
        if len(files) > 1
    }


def make_tree(root: Path, seed: int, files: int = 150) -> None:
    """A tree with copies, near-copies that differ in the last byte, hard links and symbolic links."""
    rng = random.Random(seed)
    folders = [root]
    for number in range(12):
        folders.append(
            rng.choice(folders) / rng.choice([f"folder {number}", f"ordner-ü{number}", f"目录{number}"])
        )
        folders[-1].mkdir()
    contents = [
        rng.randbytes(rng.choice([0, 1, 10, 10, 500, HEAD_SIZE - 1, HEAD_SIZE, HEAD_SIZE + 1, 3 * HEAD_SIZE]))
        for _ in range(25)
    ]
    for number in range(files):
        path = rng.choice(folders) / rng.choice(
            [f"file {number}.bin", f"文件{number}", f"naïve{number}\n.txt"]
        )
        content = rng.choice(contents)
        if content and rng.random() < 0.2:
            content = content[:-1] + bytes([content[-1] ^ 1])
        path.write_bytes(content)
        if rng.random() < 0.15:
            os.link(path, rng.choice(folders) / f"hard link {number}")
        if rng.random() < 0.15:
            (rng.choice(folders) / f"soft link {number}").symlink_to(path)
    (root / "dangling").symlink_to(root / "nowhere")
    (root / "loop").symlink_to(root, target_is_directory=True)
    os.mkfifo(root / "pipe")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    root.mkdir()
    make_tree(root, seed=1)
    return root


# ---- what is found


@pytest.mark.parametrize("seed", range(4))
def test_the_groups_are_those_of_brute_force(tmp_path: Path, seed: int) -> None:
    make_tree(tmp_path, seed)
    report = report_of(flow, root=tmp_path)
    assert groups_of(report) == by_brute_force(tmp_path)
    assert report["problems"] == {"count": 0, "first": []}


def test_one_thread_finds_the_same_as_many(tree: Path) -> None:
    assert report_of(flow, threads=1, root=tree) == report_of(flow, threads=8, root=tree)


def test_a_fast_walk_waits_for_slow_hashing(tmp_path: Path) -> None:
    for number in range(3_000):
        (tmp_path / str(number)).write_text(str(number % 100).zfill(3))
    report = report_of(flow, root=tmp_path)
    assert (report["files"], report["compared"], report["group_count"], report["copies"]) == (
        3000,
        3000,
        100,
        2900,
    )


def test_the_greatest_waste_comes_first_and_the_sums_add_up(tree: Path) -> None:
    report = report_of(flow, root=tree)
    wasted = [group["wasted"] for group in report["groups"]]
    assert wasted == sorted(wasted, reverse=True)
    assert report["wasted"] == sum(wasted)
    assert report["copies"] == sum(len(group["files"]) - 1 for group in report["groups"])
    assert all(group["wasted"] == group["size"] * (len(group["files"]) - 1) for group in report["groups"])


def test_names_of_one_file_are_no_waste(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("content")
    os.link(tmp_path / "a", tmp_path / "b")
    assert report_of(flow, root=tmp_path)["groups"] == []
    (tmp_path / "c").write_text("content")
    [group] = report_of(flow, root=tmp_path)["groups"]
    assert group["wasted"] == len("content")
    assert group["files"] == [
        {"path": str(tmp_path / "a"), "links": [str(tmp_path / "b")]},
        {"path": str(tmp_path / "c"), "links": []},
    ]


def test_empty_files_are_compared_only_when_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    (tmp_path / "b").touch()
    assert report_of(flow, root=tmp_path)["groups"] == []
    [group] = report_of(flow, root=tmp_path, min_size=0)["groups"]
    assert (group["size"], group["wasted"], len(group["files"])) == (0, 0, 2)


def test_files_smaller_than_min_size_are_left_out(tree: Path) -> None:
    assert groups_of(report_of(flow, root=tree, min_size=400)) == by_brute_force(tree, min_size=400)


def test_files_that_differ_in_their_last_byte_are_no_duplicates(tmp_path: Path) -> None:
    for name, last in (("a", b"1"), ("b", b"2"), ("c", b"1")):
        (tmp_path / name).write_bytes(bytes(2 * HEAD_SIZE) + last)
    [group] = report_of(flow, root=tmp_path)["groups"]
    assert [Path(file["path"]).name for file in group["files"]] == ["a", "c"]


def test_followed_links_lead_to_the_same_file_and_loops_end(tmp_path: Path) -> None:
    inner, outside = tmp_path / "root", tmp_path / "outside"
    inner.mkdir()
    outside.mkdir()
    (inner / "a").write_text("content")
    (inner / "to a").symlink_to(inner / "a")
    (inner / "loop").symlink_to(inner, target_is_directory=True)
    (inner / "to outside").symlink_to(outside, target_is_directory=True)
    (outside / "b").write_text("content")
    (outside / "back").symlink_to(inner, target_is_directory=True)
    assert report_of(flow, root=inner)["groups"] == []
    report = report_of(flow, root=inner, follow_symlinks=True)
    assert groups_of(report) == {
        frozenset({frozenset({f"{inner}/a", f"{inner}/to a"}), frozenset({f"{inner}/to outside/b"})})
    }


# ---- what is left out


def test_hidden_names_and_excluded_names_are_left_out(tmp_path: Path) -> None:
    for name in ("a.txt", ".hidden", "b.tmp", "cache/c", "keep/cache.txt", ".git/d"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("content")

    def found(**params: Any) -> set[str]:
        report = report_of(flow, root=tmp_path, **params)
        return {
            os.path.relpath(name, tmp_path) for group in groups_of(report) for file in group for name in file
        }

    assert found() == {"a.txt", "b.tmp", "cache/c", "keep/cache.txt"}
    assert found(exclude=["*.tmp", "cache"]) == {"a.txt", "keep/cache.txt"}
    assert found(exclude=["cache/"], hidden=True) == {"a.txt", ".hidden", "b.tmp", "keep/cache.txt", ".git/d"}
    assert found(include=["*.txt"]) == {"a.txt", "keep/cache.txt"}
    assert found(include=["keep/*", "cache/c"]) == {"cache/c", "keep/cache.txt"}


@pytest.mark.parametrize(
    ("patterns", "relative", "expected"),
    [
        ([], "a/b.txt", False),
        (["*.txt"], "a/b.txt", True),
        (["a/*"], "a/b.txt", True),
        (["a"], "a/b.txt", False),
        (["b.txt"], "a/b.txt", True),
        (["[bc].txt", "x"], "a/b.txt", True),
        (["a.b"], "axb", False),
    ],
)
def test_a_glob_fits_the_name_or_the_path_below_the_root(
    patterns: list[str], relative: str, expected: bool
) -> None:
    assert matches(patterns, relative.rpartition("/")[2], relative) is expected


# ---- what goes wrong


def test_files_that_cannot_be_read_are_problems_and_the_rest_is_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "vanishes", "grows", "locked"):
        (tmp_path / name).write_text("content")

    def hash_as_the_world_changes(path: str, size: int) -> str:
        match Path(path).name:
            case "vanishes":
                os.unlink(path)
            case "grows":
                with open(path, "a") as file:
                    file.write("more")
            case "locked":
                raise PermissionError(13, "Permission denied", path)
        return hash_head(path, size)

    monkeypatch.setattr(find_duplicates, "hash_head", hash_as_the_world_changes)
    state = run(flow, root=tmp_path)
    report = state.shared_data["report"]
    assert groups_of(report) == {
        frozenset({frozenset({str(tmp_path / "a")}), frozenset({str(tmp_path / "b")})})
    }
    assert report["problems"] == {
        "count": 3,
        "first": [
            {"where": str(tmp_path / "grows"), "what": "it changed between being found and being read"},
            {"where": str(tmp_path / "locked"), "what": "Permission denied"},
            {"where": str(tmp_path / "vanishes"), "what": "No such file or directory"},
        ],
    }
    assert "3 problems" in printed(state)


def test_a_folder_that_cannot_be_listed_is_a_problem(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tree / "locked").mkdir()
    scandir = os.scandir

    def locked(path: str) -> Any:
        if path.endswith("locked"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", locked)
    report = report_of(flow, root=tree)
    assert report["problems"]["first"] == [{"where": str(tree / "locked"), "what": "Permission denied"}]
    assert groups_of(report) == by_brute_force(tree)


def test_a_dangling_link_is_a_problem_only_if_it_is_to_be_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert report_of(flow, root=tmp_path)["problems"]["count"] == 0
    assert report_of(flow, root=tmp_path, follow_symlinks=True)["problems"]["count"] == 1


def test_a_name_that_is_no_text_is_reported_in_escapes(tmp_path: Path) -> None:
    for name in (b"caf\xe9", b"b"):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_text("content")
    state = run(flow, root=tmp_path, output=tmp_path / "report.json")
    assert state.status == "completed", state.error
    [group] = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["groups"]
    assert [Path(file["path"]).name for file in group["files"]] == ["b", "caf\\xe9"]
    assert "caf\\xe9" in printed(state)


def test_a_large_file_that_changes_while_it_is_read_has_no_hash(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(3 * HEAD_SIZE))
    whole = hash_whole(str(path), 3 * HEAD_SIZE, lambda done: None)
    assert len(whole) == 64
    for size in (3 * HEAD_SIZE - 1, 3 * HEAD_SIZE + 1):
        with pytest.raises(find_duplicates.FileChanged):
            hash_whole(str(path), size, lambda done: None)
    with pytest.raises(find_duplicates.FileChanged):
        hash_head(str(path), HEAD_SIZE - 1)


# ---- the report


def test_the_report_is_written_as_json_and_printed(tree: Path, tmp_path: Path) -> None:
    output = tmp_path / "report.json"
    state = run(flow, root=tree, output=output, show=2)
    report = state.shared_data["report"]
    assert json.loads(output.read_text(encoding="utf-8")) == report
    text = printed(state)
    assert text.count(" wasted: ") == 2
    assert f"and {report['group_count'] - 2} groups more" in text
    assert f"written to {output}" in text
    assert os.listdir(tmp_path) == ["tree", "report.json"] or len(os.listdir(tmp_path)) == 2


def test_max_groups_bounds_the_report_and_not_its_sums(tree: Path) -> None:
    whole, part = report_of(flow, root=tree), report_of(flow, root=tree, max_groups=3)
    assert part["groups"] == whole["groups"][:3]
    assert part["wasted"] == whole["wasted"]


def test_a_report_that_cannot_be_written_fails_the_job_and_is_not_lost(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def disk_full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("flows._report.os.fsync", disk_full)
    state = run(flow, root=tree, output=tmp_path / "report.json")
    assert state.status == "failed"
    assert state.error is not None
    assert "No space left" in state.error.message
    assert groups_of(state.shared_data["report"]) == by_brute_force(tree)
    assert os.listdir(tmp_path) == ["tree"]


def test_json_replaces_a_file_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    write_json(path, {"a": "ü"})
    assert json.loads(path.read_text(encoding="utf-8")) == {"a": "ü"}
    with pytest.raises(TypeError):
        write_json(path, {"a": object()})
    assert json.loads(path.read_text(encoding="utf-8")) == {"a": "ü"}
    assert os.listdir(tmp_path) == ["data.json"]


def test_a_finished_job_keeps_its_report_and_no_working_memory(tree: Path) -> None:
    state = run(flow, root=tree)
    assert state.shared_data.keys() == {"report"}
    for routine_id in ("hard_links", "same_size", "same_head", "collect"):
        with suppress(ValueError):  # a state that is empty may not be there at all
            assert state.routine_state(routine_id) == {}


def test_progress_reaches_its_total(tree: Path) -> None:
    state = run(flow, root=tree)
    for routine in ("walk", "hash_head", "hash_whole"):
        assert state.progress[routine].fraction == 1.0


# ---- steering


@pytest.mark.parametrize(
    ("owner", "name", "number"),
    [
        (_walk, "_look_into", 1),
        (_walk, "_look_into", 7),
        (find_duplicates, "hash_head", 20),
        (find_duplicates, "hash_whole", 3),
    ],
)
def test_a_paused_and_saved_job_is_carried_on_to_the_same_report(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, number: int
) -> None:
    monkeypatch.setattr(_walk, "ENTRIES_PER_ACTIVATION", 5)
    undisturbed = report_of(flow, root=tree)
    assert report_in_two_parts(flow, tmp_path / "job.json", owner, name, number, root=tree) == undisturbed


def test_a_cancelled_job_stops_hashing_at_once(tree: Path) -> None:
    # What other activations had begun to hash may end.
    assert (
        calls_after_cancel(flow, find_duplicates, "hash_head", 10, root=tree)
        <= find_duplicates.PARALLEL_HASHES
    )


def test_a_cancelled_job_stops_within_a_large_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find_duplicates, "READ_SIZE", 1000)
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(bytes(2 * HEAD_SIZE))
    reads: list[int] = []

    def hash_until_cancelled(path: str, size: int, between_reads: Any) -> str:
        def cancel_then(done: int) -> None:
            reads.append(done)
            runtime.list_jobs()[0].cancel()
            between_reads(done)

        return hash_whole(path, size, cancel_then)

    monkeypatch.setattr(find_duplicates, "hash_whole", hash_until_cancelled)
    with runtime_of(flow) as runtime:
        job = job_of(runtime, runtime.exec("find_duplicates", {"root": tmp_path}))
        assert job.wait(60)
    assert job.is_cancelled()
    assert set(reads) == {1000}


# ---- parameters and helpers


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({}, "root"),
        ({"root": "/no/such/folder"}, "root"),
        ({"root": __file__}, "root"),
        ({"root": ".", "min_size": -1}, "min_size"),
        ({"root": ".", "output": "/no/such/folder/report.json"}, "output"),
        ({"root": ".", "output": "."}, "output"),
        ({"root": ".", "exclud": ["a"]}, "exclud"),
    ],
)
def test_wrong_parameters_start_no_job(params: dict[str, Any], field: str) -> None:
    with runtime_of(flow) as runtime:
        with pytest.raises(ParameterError) as raised:
            runtime.exec("find_duplicates", params)
        assert [error.field for error in raised.value.errors] == [field]
        assert runtime.list_jobs() == []


def test_the_flow_has_nothing_to_find_fault_with() -> None:
    assert [str(finding) for finding in flow.validate() if finding.level != "info"] == []


def test_a_home_folder_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pictures").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    assert report_of(flow, root="~/pictures")["root"] == str(tmp_path / "pictures")


def test_sizes_names_and_tables_are_made_for_reading() -> None:
    assert [human_bytes(count) for count in (0, 1023, 1024, 1_500_000, 5 * 1024**4)] == [
        "0 B",
        "1023 B",
        "1.0 KiB",
        "1.4 MiB",
        "5.0 TiB",
    ]
    assert printable("tab\there \x1b[31m\udcff") == "tab\\there \\x1b[31m\\xff"
    assert shorten("a/very/long/path/name.txt", 12) == "a/v…name.txt"
    assert shorten("目录目录目录目录", 9) == "目…录目录"
    assert table(["name", ">size"], [["目录", 1234], ["x\n", 5]]).splitlines() == [
        "  name   size",
        "  ────  ─────",
        "  目录  1,234",
        "  x\\n       5",
    ]

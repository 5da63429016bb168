"""The README's Python runs as it stands, and its commands are those of the project."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.fixture
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    from routilux import FlowRegistry

    monkeypatch.setattr(FlowRegistry, "_instance", FlowRegistry())


def test_the_readme_holds_the_blocks_this_test_is_about() -> None:
    assert len(BLOCKS) == 3


@pytest.mark.usefixtures("_own_registry")
def test_every_block_runs_after_those_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "readme"}
    for number, block in enumerate(BLOCKS):
        exec(compile(block, f"README.md, block {number}", "exec"), names)
    assert not names["flow"].validate() or all(  # type: ignore[attr-defined]
        finding.level == "info"
        for finding in names["flow"].validate()  # type: ignore[attr-defined]
    )

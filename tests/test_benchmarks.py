"""The benchmarks measure nothing here; but they can still be run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_benchmarks_can_be_called() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
    )
    assert run.returncode == 0, run.stderr
    assert "tiny-jobs" in run.stdout

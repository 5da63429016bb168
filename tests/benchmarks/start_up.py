"""What `import routilux` costs over the bare interpreter."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import routilux

from .measure import Row, spread

_HOME = str(Path(routilux.__file__).parent.parent)
_RUNS_PER_ROUND = 6


def import_time(rounds: int) -> list[Row]:
    """Wall time of `python -c "import routilux"` less that of `python -c pass`, in turns, as medians; the
    byte code is cached. The breakdown is `-X importtime` of one run, the time of each module without what
    it imports.
    """
    bare: list[float] = []
    ours: list[float] = []
    with tempfile.TemporaryDirectory() as cache:
        for number in range(rounds * _RUNS_PER_ROUND + 1):
            for code, results in (("pass", bare), ("import routilux", ours)):
                begin = perf_counter()
                _python(cache, "-c", code)
                if number:  # the first fills the cache
                    results.append(perf_counter() - begin)
        breakdown = _breakdown(cache)
    over = statistics.median(ours) - statistics.median(bare)
    return [
        Row(
            "import",
            "import routilux over the bare interpreter",
            f"{over * 1000:.1f} ms",
            "under 40 ms",
            over < 0.04,
            {
                "seconds": spread(ours, 5),
                "bare: seconds": spread(bare, 5),
                "microseconds by module": breakdown,
            },
        )
    ]


def _python(cache: str, *arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = cache
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=_HOME,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stderr


def _breakdown(cache: str) -> dict[str, int]:
    def modules(code: str) -> dict[str, int]:
        lines = re.findall(
            r"import time:\s+(\d+) \|\s+\d+ \| +(\S+)", _python(cache, "-X", "importtime", "-c", code)
        )
        return {name: int(micros) for micros, name in lines}

    bare = modules("pass")
    costs = {name: micros for name, micros in modules("import routilux").items() if name not in bare}
    return dict(sorted(costs.items(), key=lambda entry: -entry[1])[:20])

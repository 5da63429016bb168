"""Which links `check_links` asks for next, so that no host is asked too much at a time.

`LinkQueue` works on a plain dict, the state of a routine, so that it is saved with its job. It knows no
engine and no HTTP; times are seconds since the epoch, since a saved job goes on at another hour.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any, Final

# A group's links are checked one after the other over one connection.
GROUP_SIZE: Final = 10


class LinkQueue:
    """Probes that wait, by host: at most `per_host` groups of a host and `limit` groups are out at a time.

    A probe is anything; it belongs to the host it was added with. A host is in `ready` just once, if it
    has probes, a free place and is not held (tests/flows/test_check_links.py: the random walk).
    """

    def __init__(
        self, state: dict[str, Any], *, per_host: int, limit: int, clock: Callable[[], float]
    ) -> None:
        self._state = state
        self._per_host = per_host
        self._limit = limit
        self._clock = clock
        state.setdefault("hosts", {})
        state.setdefault("ready", [])
        state.setdefault("out", 0)
        # A heap of [when, number, host, [probe] or []]: a probe to add, or a host that is held no more.
        state.setdefault("timers", [])
        state.setdefault("timers_set", 0)

    def add(self, host: str, *probes: Any) -> None:
        """Let the probes be taken as soon as their turn comes."""
        self._host(host)["waiting"].extend(probes)
        self._make_ready(host)

    def add_at(self, when: float, host: str, probe: Any) -> None:
        """Let the probe be taken not before `when`."""
        self._set_timer(when, host, [probe])

    def hold(self, host: str, until: float) -> None:
        """Let nothing of the host be taken before `until`."""
        record = self._host(host)
        if until > record["held_until"]:
            record["held_until"] = until
            self._set_timer(until, host, [])

    def take(self) -> tuple[str, list[Any]] | None:
        """The next group, and its host; None where nothing may be taken now. `release` it afterwards."""
        if self._state["out"] >= self._limit:
            return None
        ready = self._state["ready"]
        while ready:
            host = ready.pop(0)
            record = self._host(host)
            record["ready"] = False
            if record["held_until"] > self._clock():
                continue
            free = self._per_host - record["out"]
            size = min(GROUP_SIZE, -(-len(record["waiting"]) // free))
            group = record["waiting"][:size]
            del record["waiting"][:size]
            record["out"] += 1
            self._state["out"] += 1
            self._make_ready(host)
            return host, group
        return None

    def release(self, host: str) -> None:
        """A group of the host is done with: its place is free."""
        self._host(host)["out"] -= 1
        self._state["out"] -= 1
        self._make_ready(host)

    def wake(self) -> None:
        """Let everything go on whose time has come."""
        timers = self._state["timers"]
        now = self._clock()
        while timers and timers[0][0] <= now:
            _, _, host, probes = heapq.heappop(timers)
            self.add(host, *probes)

    def next_timer(self) -> float | None:
        """When to call `wake` next, if ever."""
        timers = self._state["timers"]
        when: float | None = timers[0][0] if timers else None
        return when

    def _host(self, host: str) -> dict[str, Any]:
        hosts: dict[str, dict[str, Any]] = self._state["hosts"]
        if host not in hosts:
            hosts[host] = {"waiting": [], "out": 0, "held_until": 0.0, "ready": False}
        return hosts[host]

    def _make_ready(self, host: str) -> None:
        record = self._host(host)
        if (
            record["waiting"]
            and not record["ready"]
            and record["out"] < self._per_host
            and record["held_until"] <= self._clock()
        ):
            record["ready"] = True
            self._state["ready"].append(host)

    def _set_timer(self, when: float, host: str, probes: list[Any]) -> None:
        self._state["timers_set"] += 1
        heapq.heappush(self._state["timers"], [when, self._state["timers_set"], host, probes])

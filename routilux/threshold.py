"""Waiting until what has passed the gate has really begun.

Between the gate and the first line of a logic the interpreter may switch threads. `pause` and
`cancel` promise that no activation starts after they have returned, so they wait for activations
that stand on this threshold: a handful of bytecodes away from their first line, with nothing on
the way that could block. Nothing but the interpreter knows when they are past it, so it is asked
where each thread is. Usually nobody stands there, and the answer costs a few microseconds.
"""

from __future__ import annotations

import opcode
import sys
import time
from collections.abc import Iterable
from threading import get_ident
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Final

from routilux import activations

if TYPE_CHECKING:
    from routilux.lane import Lane

_RESUME: Final = opcode.opmap["RESUME"]


def let_begin(lanes: Iterable[Lane]) -> None:
    """Return when none of the activations that have passed the gate is still to begin.

    Call it without any lock, after the gate was shut.
    """
    own = get_ident()
    # A lane below one that helps has long begun.
    buried = {lane.outer for lane in lanes if lane.outer is not None}
    passed = [
        (lane, started)
        for lane in lanes
        if (started := lane.started_ns) and lane.thread_id != own and lane not in buried
    ]
    while passed:
        frames = sys._current_frames()
        passed = [
            (lane, started)
            for lane, started in passed
            if lane.started_ns == started and _is_on_threshold(frames.get(lane.thread_id))
        ]
        del frames
        if passed:
            time.sleep(0)  # lets the other threads run, and no more


def _is_on_threshold(frame: FrameType | None) -> bool:
    """Whether a thread is in the engine's inner loop, but not, or not beyond the entry, of a logic."""
    called: FrameType | None = None
    while frame is not None and frame.f_code is not activations.drain.__code__:
        called = frame
        frame = frame.f_back
    if frame is None:
        return False
    if called is None or called.f_globals.get("__package__") == "routilux":
        return True
    return called.f_lasti <= _entry_of(called.f_code)


def _entry_of(code: CodeType) -> int:
    """The offset of the instruction at which a called function can lose its turn before its first line."""
    instructions = code.co_code
    for offset in range(0, len(instructions), 2):
        if instructions[offset] == _RESUME:
            return offset
    return -1

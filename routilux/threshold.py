"""Waiting until what has passed the gate has really begun.

Between the gate and the first line of a logic the interpreter may switch threads. `pause` and
`cancel` promise that no activation starts after they have returned, so they wait for activations
that stand on this threshold: a handful of bytecodes away from their first line, with nothing on
the way that could block. A lane says `begun` right before it calls the logic. Nothing but the
interpreter knows whether it is in there, so that is asked which code the thread runs. Usually
nobody stands on the threshold, and the answer costs a few microseconds.

Only the innermost frame of a thread is looked at: following `f_back` into the frames of a thread
that goes on running crashes CPython 3.11 sooner or later (tests/stress/test_concurrency.py).
"""

from __future__ import annotations

import functools
import gc
import sys
import threading
import time
from collections.abc import Iterable
from threading import get_ident
from types import CodeType, FrameType, FunctionType, MethodType
from typing import TYPE_CHECKING, Final

from routilux import activations

if TYPE_CHECKING:
    from routilux.lane import Lane

# Held while garbage collection is off, so that it is put on again exactly if it was on before.
_collecting: Final = threading.Lock()


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
        frames = _current_frames()
        passed = [
            (lane, started)
            for lane, started in passed
            if lane.started_ns == started
            and (not lane.begun or _is_on_threshold(lane, frames.get(lane.thread_id)))
        ]
        del frames
        if passed:
            time.sleep(0)  # lets the other threads run, and no more


def _current_frames() -> dict[int, FrameType]:
    """The innermost frame of each thread.

    CPython holds a lock of its own while it collects them, which threads also take as they end, with
    the interpreter lock in hand. A garbage collection meanwhile may run Python code, which may give the
    interpreter lock away: and everything would stand still. So there must be none.
    """
    with _collecting:
        enabled = gc.isenabled()
        gc.disable()
        try:
            return sys._current_frames()
        finally:
            if enabled:
                gc.enable()


def _is_on_threshold(lane: Lane, frame: FrameType | None) -> bool:
    """Whether a thread that was about to call its logic is not, or not beyond the entry, in there."""
    if frame is None or not _is_python(lane.unit.plan.logic):
        return False
    code = frame.f_code
    return code is activations.drain.__code__ or frame.f_lasti <= _entry_of(code)


def _is_python(logic: object) -> bool:
    """Whether a call of the logic runs a frame of its own."""
    while isinstance(logic, (functools.partial, MethodType)):
        logic = logic.func if isinstance(logic, functools.partial) else logic.__func__
    return isinstance(logic, FunctionType) or isinstance(type(logic).__dict__.get("__call__"), FunctionType)


@functools.lru_cache(maxsize=256)
def _entry_of(code: CodeType) -> int:
    """The offset of the instruction at which a called function can lose its turn before its first line."""
    import opcode  # here: it costs start-up time, and few activations are caught there

    resume = opcode.opmap["RESUME"]
    instructions = code.co_code
    for offset in range(0, len(instructions), 2):
        if instructions[offset] == resume:
            return offset
    return -1

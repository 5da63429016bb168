"""How long it takes until something begins, ends, or stands still."""

from __future__ import annotations

import threading
import time
from time import perf_counter
from typing import Any

from routilux import Flow, Job, Routine, Runtime, immediate_policy
from routilux.slot import from_ns

from .measure import Row, Source, executor_of, percentile, runtime_of

THREADS = 10
SAMPLES_PER_ROUND = 300
# Long enough for every thread to be asleep again, short enough for the processor not to be.
REST = 0.001


class _Stamp(Routine):
    """Notes when it was started and when it is about to return."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger")
        self.set_activation_policy(immediate_policy())
        self.started = 0.0
        self.returned = 0.0

    def logic(self, trigger: list[dict[str, Any]]) -> None:
        self.started = perf_counter()
        self.returned = perf_counter()


def first_activation(rounds: int) -> list[Row]:
    """From before `exec` until the first line of logic runs, on an idle runtime; and how long `wait` lasts
    after the last activation has returned.

    Theirs: from before `submit` until the first line of the function runs. Both pools have ten threads,
    all asleep; both callers wait for the end at once. One sample of each in turns.
    """
    stamp = _Stamp()
    flow = Flow("stamp")
    flow.add_routine(stamp, "stamp")
    ours: list[float] = []
    theirs: list[float] = []
    ends: list[float] = []
    their_ends: list[float] = []
    with runtime_of(THREADS, flow) as runtime, executor_of(THREADS) as pool:
        for _ in range(rounds * SAMPLES_PER_ROUND):
            time.sleep(REST)
            begin = perf_counter()
            job = runtime.get_job(runtime.exec("stamp").job_id)
            assert job is not None
            job.wait()
            end = perf_counter()
            ours.append(stamp.started - begin)
            ends.append(end - stamp.returned)
            time.sleep(REST)
            begin = perf_counter()
            started, returned = pool.submit(lambda: (perf_counter(), perf_counter())).result()
            end = perf_counter()
            theirs.append(started - begin)
            their_ends.append(end - returned)
    rows = []
    p99, their_p99 = percentile(ours, 99), percentile(theirs, 99)
    rows.append(
        Row(
            "first-activation",
            "exec to first activation, idle runtime, p99",
            f"{p99 * 1e6:.0f} us against {their_p99 * 1e6:.0f} us "
            f"(p50 {percentile(ours, 50) * 1e6:.0f} against {percentile(theirs, 50) * 1e6:.0f})",
            "no slower than submit to start",
            p99 <= their_p99,
            {
                "samples": len(ours),
                "seconds": _tail(ours),
                "submit: seconds": _tail(theirs),
            },
        )
    )
    p99 = percentile(ends, 99)
    rows.append(
        Row(
            "wait-returns",
            "last activation returned to wait returned, p99",
            f"{p99 * 1e6:.0f} us (p50 {percentile(ends, 50) * 1e6:.0f}, max {max(ends) * 1e6:.0f})",
            "under 1 ms",
            p99 < 0.001,
            {"samples": len(ends), "seconds": _tail(ends), "future.result: seconds": _tail(their_ends)},
        )
    )
    return rows


def _tail(values: list[float]) -> dict[str, float]:
    return {
        "p50": round(percentile(values, 50), 7),
        "p90": round(percentile(values, 90), 7),
        "p99": round(percentile(values, 99), 7),
        "max": round(max(values), 7),
    }


class _Holding(Routine):
    """Runs until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("in")
        self.set_activation_policy(immediate_policy())
        self.running = threading.Semaphore(0)
        self.go = threading.Event()

    def logic(self, data: list[dict[str, Any]]) -> None:
        self.running.release()
        self.go.wait()


class _Spinning(Routine):
    """A cycle without an end: each activation brings about the next."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger")
        self.define_event("again")
        self.set_activation_policy(immediate_policy())
        self.set_cpu_gate(False)

    def logic(self, trigger: list[dict[str, Any]]) -> None:
        self.emit("again")


def steering_calls(rounds: int) -> list[Row]:
    """How long `pause()` and `cancel()` take, and that no activation starts after they have returned.

    Calls: on a job of which one activation runs (blocked) and 50 items wait; pause, resume and cancel each.
    Starts: on a job that runs activations as fast as it can; the starts in its history are compared with the
    moment the call returned. That job competes with the caller for the interpreter lock, so the time of
    those calls is shown, but not held against the bound.
    """
    holding = _Holding()
    hold = Flow("hold")
    hold.add_routine(Source(50), "source")
    hold.add_routine(holding, "holding")
    hold.connect("source", "out", "holding", "in")
    spin = Flow("spin")
    spin.add_routine(_Spinning(), "spinning")
    spin.connect("spinning", "again", "spinning", "trigger")
    pauses: list[float] = []
    cancels: list[float] = []
    busy: list[float] = []
    late = 0
    with runtime_of(2, hold, spin) as runtime:
        for _ in range(rounds * 50):
            holding.go.clear()
            job = _start(runtime, "hold")
            holding.running.acquire()
            time.sleep(REST)
            pauses.append(_timed_call(job.pause))
            job.resume()
            cancels.append(_timed_call(job.cancel))
            holding.go.set()
            job.wait()
        for number in range(rounds * 10):
            job = _start(runtime, "spin")
            time.sleep(0.003)
            if number % 2:
                busy.append(_timed_call(job.pause))
            else:
                busy.append(_timed_call(job.cancel))
            returned = from_ns(job.job_state.now_ns())
            time.sleep(0.005)
            late += any(
                record.event_name == "activation_started" and record.timestamp > returned
                for record in job.job_state.get_execution_history()
            )
            job.cancel()
            job.wait()
    worst = max(percentile(pauses, 99), percentile(cancels, 99))
    return [
        Row(
            "steering",
            "cancel() and pause() calls, p99; no start afterwards",
            f"cancel {percentile(cancels, 99) * 1e6:.0f} us, pause {percentile(pauses, 99) * 1e6:.0f} us; "
            f"{late} of {len(busy)} jobs started something afterwards",
            "under 0.1 ms; 0",
            worst < 0.0001 and not late,
            {
                "calls": len(pauses),
                "pause: seconds": _tail(pauses),
                "cancel: seconds": _tail(cancels),
                "on a busy job: seconds": _tail(busy),
                "jobs steered while busy": len(busy),
                "of these, jobs with an activation started afterwards": late,
            },
        )
    ]


def _start(runtime: Runtime, name: str) -> Job:
    job = runtime.get_job(runtime.exec(name).job_id)
    assert job is not None
    return job


def _timed_call(call: Any) -> float:
    begin = perf_counter()
    answer = call()
    end = perf_counter()
    if not answer:
        raise RuntimeError(f"{call!r} answered {answer!r}")
    return end - begin

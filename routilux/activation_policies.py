"""Activation policies: when a routine runs and what it consumes.

A policy is any callable `policy(slots, job_state) -> (should_activate, data_slice, policy_message)`.
`slots` maps names to the job's own slots; `data_slice` maps slot names to lists of data that the
policy consumed; the message is handed to the logic. A policy is shared by all jobs, asked for one
routine of one job by one thread at a time, and asked again after each activation while it says yes.

Two optional methods make a policy more than a function:

- `ask_again_in(slots, job_state) -> float | None`: seconds after which to ask again although no
  item came. Called after the policy said no.
- `when_quiet(slots, job_state)`: the same answer as the policy itself, for when nothing else of the
  job is ready, running or scheduled, so that what waits would be left over.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias
from weakref import WeakKeyDictionary

from routilux.exceptions import FlowDefinitionError
from routilux.slot import Slot

if TYPE_CHECKING:
    from routilux.job_state import JobState

Slots: TypeAlias = Mapping[str, Slot]
DataSlice: TypeAlias = dict[str, list[Any]]
Answer: TypeAlias = tuple[bool, DataSlice, Any]


class ActivationPolicy(Protocol):
    """What a policy is called like. May raise; that is then an error of its routine."""

    def __call__(self, slots: Slots, job_state: JobState | None, /) -> Answer: ...


_NO: Answer = (False, {}, None)


def _everything_new(slots: Slots) -> DataSlice:
    return {name: slot.consume_all_new() for name, slot in slots.items()}


class ImmediatePolicy:
    """Once for each item, oldest first, whichever slot it came to."""

    always_consumes = True

    def __call__(self, slots: Slots, job_state: JobState | None, /) -> Answer:
        if len(slots) == 1:
            for name, slot in slots.items():
                if slot.queue:
                    # Slot.consume_one_new, written out for the common case.
                    data = slot.queue.popleft()[0] if slot.taken is None else slot.consume_one_new()
                    return True, {name: [data]}, None
            return _NO
        oldest: Slot | None = None
        oldest_at = 0
        for slot in slots.values():
            queue = slot.queue
            if queue and (oldest is None or queue[0][2] < oldest_at):
                oldest, oldest_at = slot, queue[0][2]
        if oldest is None:
            return _NO
        return True, {oldest.name: [oldest.consume_one_new()]}, None

    def __repr__(self) -> str:
        return "immediate_policy()"


class AllSlotsReadyPolicy:
    """Exactly one item from each slot, once every slot holds one."""

    always_consumes = True

    def __call__(self, slots: Slots, job_state: JobState | None, /) -> Answer:
        for slot in slots.values():
            if not slot.queue:
                return _NO
        if not slots:
            return _NO
        return True, {name: slot.consume(1) for name, slot in slots.items()}, None

    def __repr__(self) -> str:
        return "all_slots_ready_policy()"


class BatchSizePolicy:
    """Exactly `min_batch_size` items from each slot; the remainder when the job goes quiet."""

    always_consumes = True

    def __init__(self, min_batch_size: int, *, hand_over_remainder: bool = True) -> None:
        if not isinstance(min_batch_size, int) or min_batch_size < 1:
            raise FlowDefinitionError(
                f"min_batch_size is {min_batch_size!r}; it must be a whole number of at least 1"
            )
        self.min_batch_size = min_batch_size
        self.hand_over_remainder = hand_over_remainder

    def __call__(self, slots: Slots, job_state: JobState | None, /) -> Answer:
        size = self.min_batch_size
        for slot in slots.values():
            if len(slot.queue) < size:
                return _NO
        if not slots:
            return _NO
        return True, {name: slot.consume(size) for name, slot in slots.items()}, None

    def when_quiet(self, slots: Slots, job_state: JobState | None) -> Answer:
        if not self.hand_over_remainder or not any(slot.queue for slot in slots.values()):
            return _NO
        size = self.min_batch_size
        return True, {name: slot.consume(size) for name, slot in slots.items()}, None

    def __repr__(self) -> str:
        rest = "" if self.hand_over_remainder else ", hand_over_remainder=False"
        return f"batch_size_policy({self.min_batch_size}{rest})"


class TimeIntervalPolicy:
    """Everything new, at most once per interval and job; the first items at once."""

    always_consumes = True

    def __init__(self, min_interval_seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        if not isinstance(min_interval_seconds, (int, float)) or not min_interval_seconds >= 0:
            raise FlowDefinitionError(
                f"min_interval_seconds is {min_interval_seconds!r}; it must be a number of at least 0"
            )
        self.min_interval_seconds = float(min_interval_seconds)
        self._clock = clock
        # When this policy last said yes, by the first of the slots it was asked about: slots belong
        # to one routine of one job, so the key is that pair, and it goes when the job goes.
        self._last: WeakKeyDictionary[Slot, float] = WeakKeyDictionary()

    def __call__(self, slots: Slots, job_state: JobState | None, /) -> Answer:
        wait = self.ask_again_in(slots, job_state)
        if wait is None or wait > 0:
            return _NO
        self._last[next(iter(slots.values()))] = self._clock()
        return True, _everything_new(slots), None

    def ask_again_in(self, slots: Slots, job_state: JobState | None) -> float | None:
        """Seconds until the interval is over; None where nothing waits."""
        if not any(slot.queue for slot in slots.values()):
            return None
        last = self._last.get(next(iter(slots.values())))
        return 0.0 if last is None else max(0.0, last + self.min_interval_seconds - self._clock())

    def __repr__(self) -> str:
        return f"time_interval_policy({self.min_interval_seconds:g})"


class WhenQuietPolicy:
    """Everything new, once nothing else of the job is ready, running or scheduled."""

    always_consumes = True

    def __call__(self, slots: Slots, job_state: JobState | None, /) -> Answer:
        return _NO

    def when_quiet(self, slots: Slots, job_state: JobState | None) -> Answer:
        if not any(slot.queue for slot in slots.values()):
            return _NO
        return True, _everything_new(slots), None

    def __repr__(self) -> str:
        return "when_quiet_policy()"


class CustomPolicy:
    """A check of the user's: a full policy, or a yes or no that then takes everything new."""

    def __init__(self, check: Callable[[Slots, Any], Any]) -> None:
        if not callable(check):
            raise FlowDefinitionError(f"custom_policy takes a function of (slots, job_state), not {check!r}")
        self._check = check
        # The optional methods of the wrapped policy stay visible through this one.
        for name in ("ask_again_in", "when_quiet"):
            method = getattr(check, name, None)
            if method is not None:
                setattr(self, name, method)

    def __call__(self, slots: Slots, job_state: JobState | None, /) -> Answer:
        answer = self._check(slots, job_state)
        if isinstance(answer, tuple):
            return answer  # the engine checks its shape
        if not answer or not any(slot.queue for slot in slots.values()):
            return _NO  # yes to nothing is no
        return True, _everything_new(slots), None

    def __repr__(self) -> str:
        return f"custom_policy({getattr(self._check, '__qualname__', self._check)!s})"


def immediate_policy() -> ActivationPolicy:
    """Run once for each item as it arrives; its list holds that one item, other slots' lists are empty."""
    return ImmediatePolicy()


def all_slots_ready_policy() -> ActivationPolicy:
    """Run when every slot holds an item, and take exactly one from each."""
    return AllSlotsReadyPolicy()


def batch_size_policy(min_batch_size: int, *, hand_over_remainder: bool = True) -> ActivationPolicy:
    """Run when every slot holds `min_batch_size` items, and take exactly that many from each.

    What remains when the job goes quiet is handed over as a last, smaller batch, unless
    `hand_over_remainder` is false; then it is reported among the job's leftovers.
    """
    return BatchSizePolicy(min_batch_size, hand_over_remainder=hand_over_remainder)


def time_interval_policy(min_interval_seconds: float) -> ActivationPolicy:
    """Take everything new, at most once per `min_interval_seconds` in each job.

    The first items are taken at once; later ones when the interval since the last activation is
    over, without occupying a thread meanwhile.
    """
    return TimeIntervalPolicy(min_interval_seconds)


def when_quiet_policy() -> ActivationPolicy:
    """Take everything at the end, when nothing else of the job is ready, running or scheduled.

    The policy for routines that reduce or report: they run once all that feeds them is done.
    """
    return WhenQuietPolicy()


def custom_policy(check: Callable[[Slots, Any], Any]) -> ActivationPolicy:
    """A policy made of `check(slots, job_state)`.

    `check` may be a full policy and answer `(should_activate, data_slice, policy_message)`, or
    answer yes or no: yes then takes everything new from every slot, if there is anything.
    """
    return CustomPolicy(check)

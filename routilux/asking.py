"""Asking a policy that is not known to keep to the rules."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from routilux.exceptions import PolicyError
from routilux.job_state import JobState
from routilux.unit import Unit


def ask(unit: Unit, policy: Callable[..., Any], state: JobState) -> tuple[bool, dict[str, list[Any]], Any]:
    """Ask, and check the answer; for the one thread that decides for the unit. Outside the lock.

    What the policy consumed goes back if it raises, says no, or answers with nonsense.
    """
    slots = unit.slots.values()
    for slot in slots:
        slot.taken = []
    try:
        answer = policy(unit.slots, state)
        if not isinstance(answer, tuple) or len(answer) != 3:
            raise PolicyError(
                f"the activation policy of routine {unit.routine_id!r} answered {answer!r}; "
                f"it must answer (should_activate, data_slice, policy_message)"
            )
        yes, data_slice, message = answer
        if not yes:
            return False, {}, message
        _check_slice(unit, data_slice)
        if not any(slot.taken for slot in slots):
            raise PolicyError(
                f"the activation policy of routine {unit.routine_id!r} said yes without consuming anything, "
                f"which would go on for ever; consume items, for example with slot.consume_all_new()"
            )
        for slot in slots:
            slot.taken = None
        unit.policy_failures = 0
        return True, data_slice, message
    finally:
        for slot in slots:
            slot.put_back()
            slot.taken = None


def check_wait(unit: Unit, seconds: Any) -> float | None:
    """What a policy's `ask_again_in` answered, if it is a number of seconds or None."""
    if seconds is None or (isinstance(seconds, (int, float)) and not math.isnan(seconds)):
        return seconds
    raise PolicyError(
        f"ask_again_in of the activation policy of routine {unit.routine_id!r} answered {seconds!r}; "
        f"it must be a number of seconds, or None"
    )


def _check_slice(unit: Unit, data_slice: Any) -> None:
    good = isinstance(data_slice, dict) and all(
        name in unit.slots and isinstance(data, list) for name, data in data_slice.items()
    )
    if not good:
        known = ", ".join(repr(name) for name in unit.slots)
        raise PolicyError(
            f"the activation policy of routine {unit.routine_id!r} answered with the data slice "
            f"{data_slice!r}; "
            f"it must be a dict of lists, by the names of the routine's slots ({known})"
        )

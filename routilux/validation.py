"""What is wrong or doubtful with a flow before it runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

from routilux.activation_policies import (
    AllSlotsReadyPolicy,
    BatchSizePolicy,
    ImmediatePolicy,
    TimeIntervalPolicy,
)
from routilux.plan import Plan, RoutinePlan

Level: TypeAlias = Literal["error", "warning", "info"]
_ORDER = {"error": 0, "warning": 1, "info": 2}


class Finding(NamedTuple):
    """One thing to mend: what it is (`code`), where, in words, and what would be right.

    An "error" keeps the flow from doing anything useful, a "warning" is likely a mistake, an
    "info" is worth knowing.
    """

    level: Level
    code: str
    where: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.level}: {self.where}: {self.message}; {self.remedy}"


def validate_plan(plan: Plan) -> list[Finding]:
    """All findings, errors first."""
    found = [
        *_entry(plan),
        *_unreachable(plan),
        *_routines(plan),
        *_slots(plan),
        *_events(plan),
        *_cycles(plan),
    ]
    return sorted(found, key=lambda finding: _ORDER[finding.level])


def _entry(plan: Plan) -> Iterator[Finding]:
    if not plan.routines:
        yield Finding("error", "empty", plan.flow_id, "the flow has no routines", "add some with add_routine")
    elif plan.entry is None:
        yield Finding("error", "no-entry", plan.flow_id, no_entry(plan), NO_ENTRY_REMEDY)


def no_entry(plan: Plan) -> str:
    """Why a flow has no entry, in words."""
    first = plan.routines[0] if plan.routines else None
    if first is None:
        return "the flow has no routines, so that nothing runs"
    if len(first.slots) == 1:
        why = (
            f"the only slot of its first routine, {first.routine_id}.{first.slot_names[0]}, is fed "
            f"by a connection"
        )
    else:
        why = f"its first routine, {first.routine_id!r}, has {len(first.slots)} slots"
    return f"the flow has no entry, so that nothing runs: no routine has a slot 'trigger', and {why}"


NO_ENTRY_REMEDY = "define a slot 'trigger' on the routine that starts the work"


def _unreachable(plan: Plan) -> Iterator[Finding]:
    if plan.entry is None:
        return
    reached = plan.reachable[plan.entry.routine_index] | 1 << plan.entry.routine_index
    for routine in plan.routines:
        if not reached >> routine.index & 1:
            yield Finding(
                "warning",
                "unreachable",
                routine.routine_id,
                f"nothing leads here from the entry {plan.entry.routine_id!r}",
                "connect an event to it, or remove it",
            )


def _routines(plan: Plan) -> Iterator[Finding]:
    for routine in plan.routines:
        if not routine.has_logic:
            yield Finding(
                "error",
                "no-logic",
                routine.routine_id,
                "the routine has no logic",
                "define a method logic, or call set_logic",
            )
        elif routine.routine.activation_policy is None and routine.slots:
            yield Finding(
                "info",
                "no-policy",
                routine.routine_id,
                "the routine has no activation policy and gets immediate_policy()",
                "call set_activation_policy to say so",
            )
        policy = routine.policy
        if isinstance(policy, BatchSizePolicy):
            for slot in routine.slots:
                if slot.capacity < policy.min_batch_size:
                    yield Finding(
                        "error",
                        "batch-too-large",
                        f"{routine.routine_id}.{slot.name}",
                        f"a batch of {policy.min_batch_size} never fits into a slot of {slot.capacity}",
                        f"give it max_queue_length={policy.min_batch_size} or more",
                    )


def _slots(plan: Plan) -> Iterator[Finding]:
    fed = {target for routine in plan.routines for targets in routine.targets.values() for target in targets}
    for routine in plan.routines:
        for name in routine.slot_names:
            entry = plan.entry is not None and (plan.entry.routine_index, plan.entry.slot_name) == (
                routine.index,
                name,
            )
            if (routine.index, name) in fed or entry:
                continue
            starves = (
                isinstance(routine.policy, (AllSlotsReadyPolicy, BatchSizePolicy)) and len(routine.slots) > 1
            )
            yield Finding(
                "error" if starves else "warning",
                "unconnected-slot",
                f"{routine.routine_id}.{name}",
                "no event feeds this slot" + (", so that the routine never runs" if starves else ""),
                "connect an event to it, or remove it",
            )


def _events(plan: Plan) -> Iterator[Finding]:
    for routine in plan.routines:
        for name in routine.events:
            if name not in routine.targets:
                yield Finding(
                    "info",
                    "unconnected-event",
                    f"{routine.routine_id}.{name}",
                    "no slot is connected to this event; what it emits goes nowhere",
                    "connect it, or leave it where that is meant",
                )


def _cycles(plan: Plan) -> Iterator[Finding]:
    """Cycles whose every routine runs for each item and has no other way out: they cannot end."""
    seen = 0
    for routine in plan.routines:
        members = [other for other in plan.routines if _same_cycle(plan, routine, other)]
        if not members or seen >> routine.index & 1:
            continue
        for member in members:
            seen |= 1 << member.index
        names = " -> ".join([*(member.routine_id for member in members), members[0].routine_id])
        if any(_needs_outside(plan, member, members) for member in members):
            yield Finding(
                "error",
                "starved-cycle",
                names,
                "every routine of this cycle waits for items of the cycle itself, so that it never starts",
                "feed it from outside, or use immediate_policy() where the cycle is entered",
            )
        elif not any(_has_exit(plan, member, members) for member in members):
            yield Finding(
                "warning",
                "endless-cycle",
                names,
                "nothing leaves this cycle, so that it ends only if a routine stops emitting",
                "make sure that a routine of it stops emitting at some time",
            )


def _same_cycle(plan: Plan, a: RoutinePlan, b: RoutinePlan) -> bool:
    return plan.reaches(a.index, b.index) and plan.reaches(b.index, a.index)


def _has_exit(plan: Plan, routine: RoutinePlan, members: list[RoutinePlan]) -> bool:
    """Whether the routine emits something that leaves the cycle or goes nowhere."""
    inside = {member.index for member in members}
    return any(
        not targets or any(index not in inside for index, _ in targets)
        for targets in (routine.targets.get(name, ()) for name in routine.events)
    )


def _needs_outside(plan: Plan, routine: RoutinePlan, members: list[RoutinePlan]) -> bool:
    """Whether the cycle can only be entered here, and here waits for an item of itself as well."""
    if isinstance(routine.policy, (ImmediatePolicy, TimeIntervalPolicy)):
        return False
    inside = {member.index for member in members}
    feeders = {name: _feeders(plan, routine, name) for name in routine.slot_names}
    fed_by_cycle = [name for name, sources in feeders.items() if sources and sources <= inside]
    entered_at = [member for member in members if _entered(plan, member, inside)]
    return bool(fed_by_cycle) and entered_at == [routine] and isinstance(routine.policy, AllSlotsReadyPolicy)


def _feeders(plan: Plan, routine: RoutinePlan, slot_name: str) -> set[int]:
    target = (routine.index, slot_name)
    return {other.index for other in plan.routines for targets in other.targets.values() if target in targets}


def _entered(plan: Plan, routine: RoutinePlan, inside: set[int]) -> bool:
    if plan.entry is not None and plan.entry.routine_index == routine.index:
        return True
    return any(_feeders(plan, routine, name) - inside for name in routine.slot_names)

"""What is kept of a flow whose code is no longer wanted: the graph, for looking at."""

from __future__ import annotations

from typing import Any, NoReturn

from routilux.activation_policies import immediate_policy
from routilux.flow import Flow
from routilux.routine import Routine


def without_code(flow: Flow) -> Flow:
    """The same graph with the same names and descriptions, holding nothing of the modules the flow is from.

    Its routines cannot run. Parameters are not kept, since their declaration is code. Made once per flow.
    """
    if flow._kept is not None:
        return flow._kept
    kept = Flow(
        flow.flow_id, description=flow.description, timeout=flow.timeout, max_history=flow.max_history
    )
    kept.generation = flow.generation
    for routine_id, routine in flow.routines.items():
        kind = type(routine)
        about = {"__doc__": kind.__doc__, "__module__": kind.__module__}
        copy: Routine = type(kind.__name__, (Routine,), about)(routine.name)
        for slot in routine.slots.values():
            copy.define_slot(slot.name, max_queue_length=slot.capacity, when_full=slot.when_full)
        for event in routine.events.values():
            copy.define_event(event.name, event.output_params)
        copy.set_max_concurrency(routine.max_concurrency)
        copy.set_timeout(routine.timeout)
        if routine.active_logic is not None:
            copy.set_logic(_gone)
        if routine.activation_policy is not None:
            copy.set_activation_policy(immediate_policy())
        kept.add_routine(copy, routine_id)
    for each in flow.connections:
        kept.connect(each.source_id, each.event_name, each.target_id, each.slot_name)
    kept._kept = kept
    flow._kept = kept
    return kept


def lost_code(routine: Routine) -> bool:
    """Whether a routine is one of those that `without_code` made."""
    return routine.active_logic is _gone


def _gone(*slots: Any, job_state: Any = None, policy_message: Any = None) -> NoReturn:
    raise RuntimeError("this is only the graph of a flow; its code is gone")

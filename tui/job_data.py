"""What a job holds, arranged as the tree of the Data tab."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

from routilux.plain_copy import held_now
from tui.formats import clock_time, name_text
from tui.pictures import JobData
from tui.tree import Branch


def roots_of(data: JobData, zone: tzinfo | None) -> list[tuple[str, Any]]:
    """The tree: parameters, shared data, what routines remember, what waits in their slots.

    The job may be changing all of it meanwhile.
    """
    parameters = tuple((name_text(name), value) for name, value in held_now(data.parameters).items())
    states = tuple((each.routine_id, each.state) for each in data.routines if each.state)
    queues: list[tuple[str, Any]] = []
    waiting = 0
    for routine in data.routines:
        for slot in routine.slots:
            waiting += slot.waiting
            items = tuple(
                (f"{at} {item.emitted_from} {clock_time(item.emitted_at, zone)}", item.data)
                for at, item in enumerate(slot.items)
            )
            left = slot.waiting - len(items)
            note = f"of {slot.capacity:,}" + (f", {left:,} more behind these" if left > 0 else "")
            if slot.waiting:
                queues.append((f"{routine.routine_id}.{slot.name}", Branch(items, slot.waiting, note)))
        if routine.taken:
            waiting += len(routine.taken)
            slices = tuple((str(at), each) for at, each in enumerate(routine.taken))
            queues.append((f"{routine.routine_id}, taken and not yet done", Branch(slices)))
    return [
        ("parameters", Branch(parameters)),
        ("shared data", data.shared if data.shared else Branch(())),
        ("routine states", Branch(states)),
        ("queued items", Branch(tuple(queues), waiting)),
    ]

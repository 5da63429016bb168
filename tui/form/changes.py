"""What became of a flow while its form was open, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from routilux.params import ParameterField
from tui.pictures import FlowPicture

# So many changes are named; more would take the room of the fields.
MOST: Final = 4


def changes(old: FlowPicture, new: FlowPicture) -> str:
    """What someone should know who is filling in the form of `old`."""
    parameters = _changed_parameters(old.parameters, new.parameters)
    if old.others != new.others:
        parameters.append("it takes others too" if new.others else "it takes no others any more")
    if parameters:
        more = f"; and {len(parameters) - MOST} more" if len(parameters) > MOST else ""
        return f"The flow has changed: {'; '.join(parameters[:MOST])}{more}."
    return "The flow has changed; its parameters are the same."


def _changed_parameters(
    old: Sequence[ParameterField], new: Sequence[ParameterField], prefix: str = ""
) -> list[str]:
    before = {field.name: field for field in old}
    after = {field.name: field for field in new}
    said = [f"{prefix}{name} is new" for name in after if name not in before]
    said += [f"{prefix}{name} is gone" for name in before if name not in after]
    for name in before:
        if name in after and before[name] != after[name]:
            one, other = before[name], after[name]
            inside = _changed_parameters(one.fields, other.fields, f"{prefix}{name}.")
            said += inside if inside and one.fields and other.fields else [f"{prefix}{name} has changed"]
    return said

"""Events: the named outputs of a routine."""

from __future__ import annotations

from collections.abc import Iterable

from routilux.exceptions import FlowDefinitionError


class Event:
    """A named output of a routine with the parameter names an `emit` may give."""

    __slots__ = ("name", "output_params", "param_names")

    def __init__(self, name: str, output_params: Iterable[str] = ()) -> None:
        if isinstance(output_params, str):
            raise FlowDefinitionError(
                f"event {name!r}: output_params is the string {output_params!r}; "
                f"give a list of names, such as [{output_params!r}]"
            )
        self.name = name
        self.output_params = tuple(output_params)
        for each in self.output_params:
            if not isinstance(each, str) or not each:
                raise FlowDefinitionError(
                    f"event {name!r}: {each!r} is no parameter name; give strings that are not empty"
                )
            if each == "job_state":
                raise FlowDefinitionError(
                    f"event {name!r}: job_state is no parameter name, as emit(..., job_state=...) names "
                    f"the job; give it another name"
                )
        self.param_names = frozenset(self.output_params)

    def __repr__(self) -> str:
        return f"Event({self.name!r}, {list(self.output_params)!r})"

"""Putting a question. What it is made of is imported with the first one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from textual.screen import Screen

if TYPE_CHECKING:
    from tui.screens.question import Question


class Answer(NamedTuple):
    """`value` is what the question answers with. A `grave` one loses something."""

    key: str
    label: str
    value: str
    grave: bool = False


def ask(
    screen: Screen[Any],
    title: str,
    text: str,
    answers: Sequence[Answer],
    answered: Callable[[str | None], None] | Callable[[str | None], Awaitable[None]],
) -> Question:
    """Open a question over `screen`, and have `answered` told what it answers with."""
    # Not before there is something to ask: the first frame would wait for it.
    from tui.screens.question import Question

    question = Question(title, text, answers)
    screen.app.push_screen(question, answered)
    return question

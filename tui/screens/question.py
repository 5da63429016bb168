"""A question with a few answers, each on a key of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Static

from tui.keys import KEYS, bindings_of
from tui.screens.in_turn import InTurnScreen
from tui.spans import clean

if TYPE_CHECKING:
    from tui.screens.asking import Answer

# They go from answer to answer, and give none.
_MOVING: Final = frozenset(key for each in KEYS if each.scope == "question" for key in each.keys)


class Question(InTurnScreen[str | None]):
    """Answers with the value of an answer, or None for the last one and for esc: do nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("question")]
    AUTO_FOCUS = ""

    def __init__(self, title: str, text: str, answers: Sequence[Answer]) -> None:
        super().__init__()
        taken = [answer.key for answer in answers if answer.key in _MOVING]
        if taken:
            raise ValueError(f"{', '.join(taken)} cannot give an answer: it moves between answers")
        self._title = title
        self._text = text
        self._answers = list(answers)

    def compose(self) -> ComposeResult:
        with Vertical(id="question"):
            yield Static(Content(clean(self._title)), id="dialog-title")
            if self._text:
                lines = "\n".join(clean(line) for line in self._text.splitlines())
                yield Static(lines, id="question-text", markup=False)
            with Horizontal(id="answers"):
                for at, answer in enumerate(self._answers):
                    label = Content.assemble((answer.key, "bold underline"), f" {answer.label}")
                    variant = "error" if answer.grave else "default"
                    yield Button(label, variant=variant, id=f"answer-{at}", compact=True)  # type: ignore[arg-type]

    def show_text(self, text: str) -> None:
        """Say something else."""
        if text == self._text:
            return
        self._text = text
        if self.is_mounted:
            shown = "\n".join(clean(line) for line in text.splitlines())
            self.query_one("#question-text", Static).update(shown)

    def on_mount(self) -> None:
        # Enter pressed a moment too long answers what does no harm.
        self.set_focus(self.query_one(f"#answer-{len(self._answers) - 1}", Button))

    def on_resize(self) -> None:
        """Answers that do not fit beside one another stand below one another."""
        room = min(66, self.size.width * 94 // 100) - 4
        needed = sum(len(answer.key) + len(answer.label) + 7 for answer in self._answers)
        self.query_one("#answers").set_class(needed > room, "-stacked")

    def on_key(self, event: events.Key) -> None:
        for answer in self._answers:
            if event.key == answer.key:
                event.stop()
                event.prevent_default()
                self._give(answer)
                return

    def on_button_pressed(self, event: Button.Pressed) -> None:
        self._give(self._answers[int(str(event.button.id).rpartition("-")[2])])

    def _give(self, answer: Answer) -> None:
        self.dismiss(answer.value or None)

    def action_previous(self) -> None:
        self.focus_previous(Button)

    def action_next(self) -> None:
        self.focus_next(Button)

    def action_answer(self) -> None:
        if isinstance(self.focused, Button):
            self.focused.press()

    def action_leave(self) -> None:
        self.dismiss(None)

"""Typing a filter or what is searched, for the list or the text that one looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.widget import Widget

from tui.screens.part import Part
from tui.widgets.bars import KeyBar
from tui.widgets.job_pane import Filtered

if TYPE_CHECKING:
    from tui.widgets.prompt import Prompt, PromptNote


class FilteringScreen(Part):
    """While one types, the prompt stands where the keys stand otherwise, and each change is shown at once."""

    # What the prompt is open for; what is typed goes there, whatever is chosen meanwhile.
    _filtered: Filtered | None = None
    _prompt: tuple[Prompt, PromptNote] | None = None

    def prompt(self) -> tuple[Prompt, PromptNote]:
        """The prompt, and what is said above it. Made when they are first asked for."""
        if self._prompt is None:
            # Not before it is asked for: the first frame would wait for it.
            from tui.widgets.prompt import Prompt, PromptNote

            self._prompt = prompt, note = Prompt(id="prompt"), PromptNote(id="prompt-note")
            prompt.display = False
            self.mount(note, prompt, before="#keys")
        return self._prompt

    def to_filter(self) -> Filtered:
        """What the filter is for, brought into view."""
        raise NotImplementedError

    def action_filter(self) -> None:
        """Type a filter for the list that has the focus, or that the focus came from."""
        target = self._filtered = self.to_filter()
        prompt, _ = self.prompt()
        prompt.open(target.filter.text, target.PURPOSE)
        self.query_one(KeyBar).display = False
        self.set_focus(prompt)

    def on_prompt_typed(self, event: Prompt.Typed) -> None:
        if self._filtered is not None:
            self._filtered.set_filter(event.text)
            _, note = self.prompt()
            note.say(self._filtered.filter.problem)

    def on_prompt_left(self) -> None:
        prompt, note = self.prompt()
        if self._filtered is not None:
            target, self._filtered = self._filtered, None
            target.set_filter(prompt.value)
            prompt.display = False
            note.say("")
            self.query_one(KeyBar).display = True
            if self.focused is prompt or self.focused is None:
                self.set_focus(cast(Widget, target))

"""What the main screen says of its own accord: toasts, and that something was written past the jobs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from tui.keys import key_named
from tui.messages import Messages
from tui.screens.part import Part
from tui.spans import clean


class TellingScreen(Part):
    """A screen that can say something."""

    messages: Messages

    def say(self, text: str, *, severity: Literal["information", "warning", "error"] = "information") -> None:
        """A toast. The text may hold anything."""
        self.notify("\n".join(clean(line) for line in text.splitlines()), severity=severity, markup=False)

    def tell_messages(self) -> None:
        """Say once that something was written past the jobs; the header goes on saying it until one looks."""
        none_before = not self.messages.unseen
        if self.messages.gather() and none_before and self.app.screen is self:
            self.say(
                f"Something was written past the jobs: {key_named('messages').first} shows it.",
                severity="warning",
            )

    def messages_mark(self) -> tuple[str, Callable[[], object]]:
        """What the header says of messages that nobody has seen, and what a click on it does."""
        unseen = self.messages.unseen
        several = "s" if unseen > 1 else ""
        said = f"{key_named('messages').first}: {unseen:,} message{several}" if unseen else ""
        return said, self.action_messages

    def action_messages(self) -> None:
        # Not before it is asked for: the first frame would wait for it.
        from tui.screens.messages import MessagesScreen

        self.app.push_screen(MessagesScreen(self.messages))

"""A dialog whose answer may come by itself, while another dialog stands over it."""

from __future__ import annotations

from textual.screen import ScreenResultType

from tui.screens.dialog import Dialog


class InTurnScreen(Dialog[ScreenResultType]):
    """`dismiss` takes away whatever screen is on top; this one waits until that is itself."""

    _due: tuple[ScreenResultType] | None = None

    def dismiss_in_turn(self, answer: ScreenResultType) -> None:
        """Answer, once nothing stands over this any more."""
        if self.app.screen is self:
            self.dismiss(answer)
        else:
            self._due = (answer,)

    def on_screen_resume(self) -> None:
        if self._due is not None:
            (answer,), self._due = self._due, None
            self.dismiss(answer)

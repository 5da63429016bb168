"""A list to choose from, by its letters too."""

from __future__ import annotations

from textual import events
from textual.widgets import OptionList, Select


class Choice(Select[int]):
    """Opens for the letters that are typed, too, and goes to the first option that holds them."""

    def on_key(self, event: events.Key) -> None:
        # Once it is open the options have the focus, and get the keys themselves.
        if self.has_focus and event.character is not None and event.character.isprintable():
            event.stop()
            self.expanded = True
            # After the focus, which begins the search anew.
            again = events.Key(event.key, event.character)
            self.app.call_later(self.query_one(OptionList).post_message, again)

"""The styles of the roles in a widget that paints lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.style import Style
from textual.dom import DOMNode

if TYPE_CHECKING:
    from textual.widget import Widget as _Mixed
else:
    # No widget itself: of several bases Textual takes the CSS of the first that is one.
    _Mixed = object


class Roles(_Mixed):
    """For widgets: knows how the roles of `tui.spans` look on its own background, as styles/roles.tcss says.

    A role is worked out when it is first painted. Component classes are Textual's own way to the same; but
    those are worked out all at once, used or not, for every widget, at the start and whenever the focus
    moves: it was the larger part of the time until the first frame.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # Role -> its style on the background, and what the role itself says.
        self._roles: dict[str, tuple[Style, Style]] = {}

    def style_of(self, role: str) -> Style:
        """The style of a role, with the widget's background."""
        return (self._roles.get(role) or self._work_out(role))[0]

    def overlay_of(self, role: str) -> Style:
        """What the role alone says, to be laid over other styles."""
        return (self._roles.get(role) or self._work_out(role))[1]

    def _work_out(self, role: str) -> tuple[Style, Style]:
        # As Textual does for a component class: a node that is nobody's child has the style.
        node = DOMNode(classes=f"line--{role}")
        node._attach(self)
        self.app.stylesheet.apply(node, animate=False)
        styles = self._roles[role] = (node.rich_style, node.styles.partial_rich_style)
        return styles

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._roles.clear()

"""What the main screen is put together from."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from textual.screen import Screen

if TYPE_CHECKING:
    Part: TypeAlias = Screen[None]
else:
    # No screen itself: what Textual works out for every class of screens would be worked out for each part.
    Part = object

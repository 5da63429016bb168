"""The terminal app of Routilux. It imports the library; the library never imports it."""

import os

from textual import constants

# How often Textual looks whether something is to be painted. After a painting up to two of these periods pass
# before the next: at Textual's own 60 a second, a key that comes just after a frame would wait for 33 ms.
# Read by `textual.screen` when that is imported; an environment that says otherwise counts.
if "TEXTUAL_FPS" not in os.environ:
    constants.MAX_FPS = 240  # type: ignore[misc]

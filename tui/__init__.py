"""The terminal app of Routilux. It imports the library; the library never imports it."""

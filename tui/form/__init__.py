"""The start form: what is typed, what it means, and whether the flow takes it."""

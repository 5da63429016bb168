"""An app of Textual alone with a table of 30 rows: what the first frame of ours is held against."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import DataTable


class BareApp(App[None]):
    """One table."""

    def compose(self) -> ComposeResult:
        yield DataTable[str]()

    def on_mount(self) -> None:
        table = self.query_one(DataTable[str])
        table.add_columns("flow", "state")
        for number in range(30):
            table.add_row(f"flow_{number:02}", "ready")


if __name__ == "__main__":
    BareApp().run()

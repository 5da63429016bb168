"""What went wrong in a job: the traceback, and the data it failed on."""

from __future__ import annotations

from datetime import tzinfo

from routilux.history import JobError
from tui.formats import clock_time, pretty
from tui.spans import BLANK, Line, clean_lines, wrap
from tui.widgets.lines import TextPane

_MOST = 20


class ErrorView(TextPane):
    """The Error tab: the error that failed the job first, then those it survived, the newest first."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._errors: tuple[JobError, ...] = ()
        self._written: tuple[object, ...] = ()
        self._zone: tzinfo | None = None

    def show(self, errors: tuple[JobError, ...], zone: tzinfo | None) -> None:
        self._errors, self._zone = errors, zone
        self._write()

    def on_resize(self) -> None:
        self._write()

    @property
    def words(self) -> str:
        return f"{len(self._errors):,} errors" if len(self._errors) != 1 else "1 error"

    def _write(self) -> None:
        columns = max(self.columns - 2, 20)
        mark = (columns, len(self._errors), id(self._errors[-1]) if self._errors else 0)
        if mark == self._written:
            return
        self._written = mark
        lines = error_lines(self._errors, columns, self._zone)
        self.set_lines([((" ", "text"), *line) for line in lines])


def error_lines(errors: tuple[JobError, ...], columns: int, zone: tzinfo | None) -> list[Line]:
    """Everything the Error tab says, on lines of at most `columns`."""
    if not errors:
        return [(("no errors", "muted"),)]
    newest_first = errors[::-1]
    ordered = sorted(newest_first, key=lambda error: not error.fatal)
    lines: list[Line] = []
    for error in ordered[:_MOST]:
        if lines:
            lines += [BLANK, (("─" * min(columns, 40), "muted"),), BLANK]
        fate = "failed the job" if error.fatal else "dealt with"
        head = f"{error.routine_id}: {error.exception_type}: {error.message}"
        said = [part for text in clean_lines(head, 10) for part in wrap(text, columns)]
        lines += [((part, "failed"),) for part in said]
        lines.append(((f"{clock_time(error.timestamp, zone)} · {fate}", "muted"),))
        if error.traceback:
            lines.append(BLANK)
            for text in clean_lines(error.traceback.rstrip(), 300):
                lines += [((part, "code"),) for part in wrap(text, columns, indent="    ")]
        if error.data_slice:
            lines += [BLANK, (("data it failed on", "title"),)]
            for text in clean_lines(pretty(error.data_slice, 20_000), 300):
                lines += [((part, "text"),) for part in wrap(text, columns, indent="    ")]
    if len(ordered) > _MOST:
        lines += [BLANK, ((f"and {len(ordered) - _MOST:,} more", "muted"),)]
    return lines

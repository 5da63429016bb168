"""The chosen job at a glance: a row per routine, what it waits for, what went by."""

from __future__ import annotations

from collections.abc import Iterator

from routilux.snapshot import JobSnapshot, RoutineSnapshot
from tui.formats import bar, duration, parameters_line, progress_words
from tui.glyphs import WIDEST_ROUTINE, routine_look, status_look
from tui.pictures import JobDetail
from tui.spans import BLANK, Line, Span, cut, fit, wrap
from tui.widgets.lines import TextPane


class Overview(TextPane):
    """The Overview tab."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._detail: JobDetail | None = None

    def show(self, detail: JobDetail | None) -> None:
        self._detail = detail
        self._write()

    def on_resize(self) -> None:
        self._write()

    def _write(self) -> None:
        columns = max(self.columns - 2, 20)
        lines = [] if self._detail is None else overview_lines(self._detail, columns)
        self.set_lines([((" ", "text"), *line) if line else BLANK for line in lines])


def overview_lines(detail: JobDetail, columns: int) -> list[Line]:
    """Everything the Overview says, on lines of at most `columns`."""
    snapshot = detail.snapshot
    summary = snapshot.summary
    look = status_look(summary.status)
    head = f" {summary.flow_name} {summary.job_id}"
    lines: list[Line] = [
        ((f"{look.glyph} {look.word}", look.role), (cut(head, columns - len(look.word) - 2), "strong"),
         (f"  {duration(summary.elapsed)}", "text")),
    ]  # fmt: skip
    given = parameters_line(summary.entry_params)
    if given:
        lines += [((part, "muted"),) for part in wrap(given, columns)[:3]]
    lines.append(BLANK)
    lines += routine_lines(snapshot.routines, columns)
    lines.append(BLANK)
    if not summary.status.is_final and snapshot.waits_for:
        # It begins with the status, which stands above already.
        cause = snapshot.waits_for.removeprefix(f"{summary.status.value}: ")
        said = wrap(f"waits for: {cause}", columns)
        lines += [((part, "text"),) for part in said]
    lines += list(_notes(detail, columns))
    while lines and not lines[-1]:
        lines.pop()
    return lines


def routine_lines(routines: tuple[RoutineSnapshot, ...], columns: int) -> list[Line]:
    """A row per routine; columns of counts that are all zero are left out."""
    if not routines:
        return []
    names = min(max(len(routine.routine_id) for routine in routines), max(12, columns // 4))
    counted = [
        ("runs", [routine.activations for routine in routines], True),
        ("waiting", [routine.waiting for routine in routines], True),
        ("dropped", [routine.dropped for routine in routines], False),
        ("skipped", [routine.skipped_items for routine in routines], False),
        ("errors", [routine.errors for routine in routines], False),
        ("retries", [routine.retries for routine in routines], False),
    ]
    shown = [(name, values) for name, values, always in counted if always or any(values)]
    widths = [max(len(name), *(len(f"{value:,}") for value in values)) for name, values in shown]
    head = " " * (WIDEST_ROUTINE + 1) + " " * (names + 1)
    head += "".join(f"{name:>{width}}  " for (name, _), width in zip(shown, widths, strict=True))
    lines: list[Line] = [((head + "in logic", "muted"),)]
    for at, routine in enumerate(routines):
        look = routine_look(routine.state)
        spans: list[Span] = [
            (fit(f"{look.glyph} {look.word}", WIDEST_ROUTINE + 1), look.role),
            (fit(routine.routine_id, names) + " ", "strong"),
        ]
        for (name, values), width in zip(shown, widths, strict=True):
            bad = values[at] and name in ("dropped", "skipped", "errors", "retries")
            spans.append((f"{values[at]:>{width},}  ", "warning" if bad else "text"))
        spans.append((f"{duration(routine.time_in_logic):>8}", "text"))
        used = WIDEST_ROUTINE + names + 2 + sum(widths) + 2 * len(widths) + 8
        lines.append((*spans, *_progress(routine, columns - used - 2)))
        lines += _slots(routine, columns, WIDEST_ROUTINE + 1)
    return lines


def _progress(routine: RoutineSnapshot, columns: int) -> Line:
    progress = routine.progress
    if progress is None or columns < 6:
        return ()
    fraction = progress.fraction
    if fraction is None:
        return (("  " + cut(progress_words(progress), columns), "text"),)
    size = 10 if columns >= 18 else max(0, min(columns - 5, 5))
    percent = f"{fraction:>5.0%}"
    rest = columns - size - len(percent) - 1
    words = " " + cut(progress_words(progress), rest) if rest >= 8 else ""
    return (("  ", "text"), *bar(fraction, size), (percent, "text"), (words, "muted"))


def _slots(routine: RoutineSnapshot, columns: int, indent: int) -> list[Line]:
    """The slots by name, where there is something to tell of more than one or of a full one."""
    told = []
    for slot in routine.slots:
        if not slot.waiting and not slot.dropped:
            continue
        full = " (full)" if slot.waiting >= slot.capacity else ""
        if len(routine.slots) > 1 or full or slot.dropped:
            dropped = f", {slot.dropped:,} dropped" if slot.dropped else ""
            told.append(f"{slot.name} {slot.waiting:,} of {slot.capacity:,}{full}{dropped}")
    if not told:
        return []
    pad = " " * indent
    return [((pad + part, "muted"),) for part in wrap("; ".join(told), columns - indent, indent="  ")]


def _notes(detail: JobDetail, columns: int) -> Iterator[Line]:
    snapshot: JobSnapshot = detail.snapshot
    for notice in snapshot.summary.notices:
        for at, part in enumerate(wrap(notice, columns - 2)):
            yield (("! " if at == 0 else "  ", "warning"), (part, "warning"))
    if snapshot.leftovers:
        left = ", ".join(f"{count:,} in {where}" for where, count in snapshot.leftovers.items())
        for part in wrap(f"left over: {left}", columns):
            yield ((part, "warning"),)
    if snapshot.summary.error:
        for at, part in enumerate(wrap(snapshot.summary.error, columns - 2)[:4]):
            yield (("✗ " if at == 0 else "  ", "failed"), (part, "failed"))
    gone = ((snapshot.history_dropped, "records"), (snapshot.log_dropped, "log lines"))
    told = " and ".join(f"{count:,} older {what}" for count, what in gone if count)
    if told:
        yield ((cut(f"no longer kept: {told}", columns), "muted"),)

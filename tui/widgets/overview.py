"""The chosen job at a glance: a row per routine, what it waits for, what went by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from datetime import tzinfo
from functools import partial
from typing import Final

from routilux.history import LogLine
from routilux.snapshot import JobSnapshot, RoutineSnapshot
from tui.doc_rows import DocRow
from tui.formats import bar, clock_time, duration, parameters_line, progress_words
from tui.glyphs import LEVEL_ROLES, LEVEL_WORDS, WIDEST_ROUTINE, routine_look, routines_of, status_look
from tui.log_rows import message_of
from tui.pictures import JobDetail
from tui.readings import Readings
from tui.spans import BLANK, Line, Span, cut, fit, line_width, wrap
from tui.widgets.doc import DocPane

# The names of the counts where there is little room.
_SHORT: Final = {"waiting": "wait", "dropped": "drop", "skipped": "skip", "errors": "err", "retries": "retr"}
# Lines of the log that are shown at most.
RECENT: Final = 20


class Overview(DocPane):
    """The Overview tab. The key of a routine's row is "routine:" and its id."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._detail: JobDetail | None = None
        self._recent: Sequence[LogLine] = ()
        self._zone: tzinfo | None = None
        self._texts = Readings(self._text_came, most=1, keeps_all=False)

    def forget(self, zone: tzinfo | None) -> None:
        """Another job comes next. What stands here stays until then, so that only what differs is painted."""
        self._detail, self._recent, self._zone = None, (), zone
        self._texts.clear()
        self.scroll_to(y=0, animate=False)

    def show(self, detail: JobDetail | None) -> None:
        """The job's picture of this frame."""
        self._detail = detail
        self._texts.values_may_differ()
        self.write()

    def _text_came(self, key: Hashable) -> None:
        self.write()

    def show_recent(self, lines: Sequence[LogLine], zone: tzinfo | None) -> None:
        """The newest lines of the log, for the room that is left."""
        self._recent, self._zone = lines, zone
        self.write()

    def make_rows(self, columns: int) -> Sequence[DocRow]:
        if self._detail is None:
            return []
        write = partial(parameters_line, self._detail.snapshot.summary.entry_params)
        rows = overview_rows(self._detail, columns, self._texts.of("parameters", write).text)
        room = min(self.size.height - len(rows) - 1, RECENT)
        if room >= 2:
            rows += [DocRow("gap:log", BLANK), *log_rows(self._recent, room, columns, self._zone)]
        return rows

    def write(self) -> None:
        begins = self.chosen is None
        super().write()
        at = self.chosen_row
        first = next((at for at, row in enumerate(self._rows) if row.routine), None)
        if first is not None and (begins or at is None or not self._may_be_chosen(at)):
            self._go(first)

    def _may_be_chosen(self, row: int) -> bool:
        """No gap, no head of columns."""
        return bool(self._rows[row].line) and self._rows[row].key != "head"

    def _go(self, row: int) -> None:
        """Choose a row, or the next that may be chosen."""
        if not self._rows:
            return
        row = min(max(row, 0), len(self._rows) - 1)
        ahead, behind = range(row, len(self._rows)), range(row, -1, -1)
        ways = (ahead, behind) if row >= self._at else (behind, ahead)
        found = (at for way in ways for at in way if self._may_be_chosen(at))
        super()._go(next(found, row))


def log_rows(lines: Sequence[LogLine], most: int, columns: int, zone: tzinfo | None) -> list[DocRow]:
    """The newest lines, a row each; what was said again and again is counted."""
    told: list[tuple[LogLine, int]] = []
    for line in lines:
        if told and line[2:] == told[-1][0][2:]:
            told[-1] = (line, told[-1][1] + 1)
        else:
            told.append((line, 1))
    rows = []
    for line, times in told[-most:]:
        role = LEVEL_ROLES.get(line.level, "text")
        spans: list[Span] = [
            (f"{clock_time(line.timestamp, zone)} ", "muted"),
            (fit(LEVEL_WORDS.get(line.level, line.level), 7), role if role != "text" else "muted"),
            (fit(line.routine_id or "-", 10) + " ", "strong"),
        ]
        again = f" (×{times:,})" if times > 1 else ""
        room = columns - line_width(spans) - len(again)
        message = message_of(line.level, line.message)
        spans += [(cut(message, room), role), (again, "muted")]
        rows.append(DocRow(f"log:{line.sequence}", spans, message, routine=line.routine_id))
    return rows


def overview_rows(detail: JobDetail, columns: int, given: str = "") -> list[DocRow]:
    """All rows but those of the log. `given`: the parameters on one line."""
    rows = []
    seen: Counter[str] = Counter()
    for key, line in _overview_lines(detail, columns, given):
        # A routine may take several lines, and so may a note.
        seen[key] += 1
        name = key if seen[key] == 1 else f"{key}#{seen[key]}"
        routine = key.removeprefix("routine:") if key.startswith("routine:") else ""
        rows.append(DocRow(name, line, routine=routine))
    return rows


def _overview_lines(detail: JobDetail, columns: int, given: str) -> list[tuple[str, Line]]:
    """Everything the Overview says, on lines of at most `columns`, each with what it is about."""
    snapshot = detail.snapshot
    summary = snapshot.summary
    look = status_look(summary.status)
    head = f" {summary.flow_name} {summary.job_id}"
    after = _time_and_code(detail)
    lines: list[tuple[str, Line]] = []

    def add(key: str, *several: Line) -> None:
        lines.extend((key, line) for line in several)

    add(
        "job",
        (
            (f"{look.glyph} {look.word}", look.role),
            (cut(head, columns - len(look.word) - 2 - line_width(after)), "strong"),
            *after,
        ),
    )
    if given:
        add("parameters", *(((part, "muted"),) for part in wrap(given, columns)[:3]))
    add("gap", BLANK)
    waiting = "left" if summary.status.is_final else "waiting"
    lines += routine_lines(routines_of(snapshot), columns, waiting)
    add("gap", BLANK)
    if not summary.status.is_final and snapshot.waits_for:
        # It begins with the status, which stands above already.
        cause = snapshot.waits_for.removeprefix(f"{summary.status.value}: ")
        add("waits", *(((part, "text"),) for part in wrap(f"waits for: {cause}", columns)))
    add("note", *_notes(detail, columns))
    while lines and not lines[-1][1]:
        lines.pop()
    return lines


def _time_and_code(detail: JobDetail) -> tuple[Span, ...]:
    """How long the job took, and which generation of the flow it runs; whether that is not the newest."""
    summary = detail.snapshot.summary
    spans: list[Span] = [(f"  {duration(summary.elapsed)}", "text")]
    if summary.generation is not None:
        spans.append((f"  g{summary.generation}", "muted"))
        if detail.newest is not None and detail.newest > summary.generation:
            spans.append((f", older than g{detail.newest} of the folder", "warning"))
    return tuple(spans)


def routine_lines(
    routines: tuple[RoutineSnapshot, ...], columns: int, waiting: str
) -> list[tuple[str, Line]]:
    """Lines per routine, with its key; columns of counts that are all zero are left out. `waiting` is the
    title of the items in the slots."""
    if not routines:
        return []
    names = min(max(len(routine.routine_id) for routine in routines), max(12, columns // 4))
    counted = [
        ("runs", [routine.activations for routine in routines], True),
        (waiting, [routine.waiting for routine in routines], True),
        ("dropped", [routine.dropped for routine in routines], False),
        ("skipped", [routine.skipped_items for routine in routines], False),
        ("errors", [routine.errors for routine in routines], False),
        ("retries", [routine.retries for routine in routines], False),
    ]
    shown = [(name, values) for name, values, always in counted if always or any(values)]
    gap = 2
    widths = [max(len(name), *(len(f"{value:,}") for value in values)) for name, values in shown]
    if WIDEST_ROUTINE + 2 + names + sum(widths) + gap * len(widths) + 8 > columns:
        gap = 1
        shown = [(_SHORT.get(name, name), values) for name, values in shown]
        widths = [max(len(name), *(len(f"{value:,}") for value in values)) for name, values in shown]
    head = " " * (WIDEST_ROUTINE + 1) + " " * (names + 1)
    head += "".join(f"{name:>{width}}{' ' * gap}" for (name, _), width in zip(shown, widths, strict=True))
    lines: list[tuple[str, Line]] = [("head", ((head + "in logic", "muted"),))]
    for at, routine in enumerate(routines):
        look = routine_look(routine.state)
        spans: list[Span] = [
            (fit(f"{look.glyph} {look.word}", WIDEST_ROUTINE + 1), look.role),
            (fit(routine.routine_id, names) + " ", "strong"),
        ]
        for (name, values), width in zip(shown, widths, strict=True):
            bad = values[at] and name not in ("runs", "waiting", "wait", "left")
            spans.append((f"{values[at]:>{width},}{' ' * gap}", "warning" if bad else "text"))
        spans.append((f"{duration(routine.time_in_logic):>8}", "text"))
        used = WIDEST_ROUTINE + names + 2 + sum(widths) + gap * len(widths) + 8
        key = f"routine:{routine.routine_id}"
        lines.append((key, (*spans, *_progress(routine, columns - used - 2))))
        lines += [(key, line) for line in _slots(routine, columns, WIDEST_ROUTINE + 1)]
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
    """The slots in which something waits, with how much they hold, or of which something was dropped."""
    told = []
    for slot in routine.slots:
        if slot.waiting or slot.dropped:
            full = " (full)" if slot.waiting >= slot.capacity else ""
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
    for where, count in snapshot.leftovers.items():
        text = f"{count:,} item{'s' * (count != 1)} left in {where}"
        for at, part in enumerate(wrap(text, columns - 2)):
            yield (("! " if at == 0 else "  ", "warning"), (part, "warning"))
    if snapshot.summary.error:
        for at, part in enumerate(wrap(snapshot.summary.error, columns - 2)[:4]):
            yield (("✗ " if at == 0 else "  ", "failed"), (part, "failed"))
    gone = ((snapshot.history_dropped, "records"), (snapshot.log_dropped, "log lines"))
    told = " and ".join(f"{count:,} older {what}" for count, what in gone if count)
    if told:
        yield ((cut(f"no longer kept: {told}", columns), "muted"),)

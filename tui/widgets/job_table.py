"""All jobs of one snapshot, a row each: sorted, filtered, marked."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Final

from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.content import Content
from textual.style import Style as ContentStyle

from routilux.snapshot import JobSummary, RuntimeSnapshot
from tui.filters import Filter, parse_filter
from tui.formats import duration
from tui.job_columns import Column, Needs, arrange, cells, column_at, head, last_words, pick
from tui.job_rows import VIEWS, JobRows
from tui.job_search import FIELDS, STATES
from tui.keys import bindings_of, key_named
from tui.marks import Marks, Targets
from tui.parts import in_parts
from tui.ranking import SORTS, Sort
from tui.roster import Changes
from tui.spans import BLANK, Line, Span, clean, cut, width, wrap
from tui.widgets.cursor import MARK, NO_MARK, CursorPane

MARKED: Final[Span] = ("•", "key")
IN_RANGE: Final[Span] = ("◦", "key")
# Of every frame so much may go into texts that a filter will look at.
READ_AHEAD: Final = 0.003
# What is longer is not measured: no column is as wide.
_LONGEST: Final = 400
_NO_NEEDS: Final = Needs(params=False)
_NOTHING_HELD: Final[Mapping[str, float]] = MappingProxyType({})


class JobTable(CursorPane, inherit_bindings=False):
    """Pane 4. The key of a row is the job's id. Its first line, which stays, has the columns' titles."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("list"), *bindings_of("jobs")]
    SCOPES: ClassVar[frozenset[str]] = frozenset({"list", "jobs"})

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, classes="pane")
        self.rows = JobRows()
        self.marks = Marks(self.rows)
        self._taken: tuple[JobSummary, ...] = ()
        self._held: Mapping[str, float] = _NOTHING_HELD
        self._gone = 0
        # The columns that are configured; () for those that fit.
        self.wanted: tuple[str, ...] = ()
        self._columns: tuple[Column, ...] = arrange(80, Needs())
        # What the rows seen so far need, and the filter and the view they were seen with.
        self._needs = _NO_NEEDS
        self._measured: tuple[Filter, str] = (Filter(), VIEWS[0])
        self._no_jobs: list[Line] = []

    # ---- what it is given

    def show(
        self,
        snapshot: RuntimeSnapshot,
        held_for: Mapping[str, float] = _NOTHING_HELD,
        changes: Changes | None = None,
        gone: int = 0,
    ) -> None:
        """Show the jobs of a snapshot; only rows that differ are painted. `gone` is how many were seen that
        the runtime has forgotten since.

        With `changes` that lead from the jobs shown last to these, it costs what changed.
        """
        self._held, self._gone = held_for, gone
        if changes is not None and changes.before is self._taken and changes.after is snapshot.jobs:
            self.rows.update(changes.each)
        elif snapshot.jobs is not self._taken:
            self.rows.reset(snapshot.jobs)
        self._taken = snapshot.jobs
        self.marks.forget_gone()
        self._show_rows()

    def show_when_empty(self, lines: list[Line]) -> None:
        """What stands here while there are no jobs."""
        self._no_jobs = lines
        self.lines_changed()

    def read_ahead(self) -> None:
        """Use a moment of an idle screen to make a filter quick."""
        self.rows.texts.read_ahead(READ_AHEAD)

    @property
    def filter(self) -> Filter:
        return self.rows.filter

    def set_filter(self, text: str) -> None:
        self._arrange(wanted=parse_filter(text, FIELDS, {"state": STATES}))

    def show_all(self) -> None:
        """No filter and no view hides anything."""
        if self.filter or self.rows.view != VIEWS[0]:
            self._arrange(wanted=Filter(), view=VIEWS[0])

    def _arrange(
        self, *, sort: Sort | None = None, view: str | None = None, wanted: Filter | None = None
    ) -> None:
        if self.rows.arrange(sort=sort, view=view, wanted=wanted):
            in_parts(self, self._go_on)
        self._show_rows()

    def _go_on(self) -> bool:
        more = self.rows.go_on()
        self._show_rows()
        return more

    @property
    def chosen_job(self) -> JobSummary | None:
        return self.rows.job(self.chosen) if self.chosen is not None else None

    def copied(self) -> str:
        """The chosen job on one line, its whole id first."""
        job = self.chosen_job
        if job is None:
            return ""
        texts = (job.job_id, job.flow_name, job.status.value, duration(job.elapsed))
        return "  ".join(clean(text) for text in (*texts, self.rows.texts.params(job), job.error) if text)

    # ---- rows

    def _show_rows(self) -> None:
        self.rows_changed()
        self._measure()
        self._show_border()

    def _measure(self) -> None:
        """Give the columns what the rows in view need. While the same filter and view hold they only grow,
        so that paging does not move them about."""
        listed = (self.rows.filter, self.rows.view)
        if listed != self._measured and not self.rows.scanning:
            self._measured, self._needs = listed, _NO_NEEDS
        top = self.scroll_offset.y
        seen = self.rows.rows[max(0, top - 50) : top + self.size.height + 50]
        self._needs = self._needs.and_of(seen)
        for job in self.rows.rows[top : top + self.size.height]:
            last, _ = last_words(job, None, worded=True)
            self._needs = self._needs.and_widths(width(self.rows.texts.params(job)), width(last[:_LONGEST]))
        columns = pick(arrange(self.columns - 2, self._needs), self.wanted)
        if columns != self._columns:
            self._columns = columns
            self.refresh()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self._measure()

    def on_resize(self) -> None:
        self._measure()
        self._show_border()
        super().on_resize()

    def row_count(self) -> int:
        return len(self.rows.rows)

    def row_key(self, row: int) -> str:
        return self.rows.rows[row].job_id

    def row_of_key(self, key: str) -> int | None:
        return self.rows.row_of(key)

    def line_count(self) -> int:
        return len(self.rows.rows) or len(self._nothing())

    def line(self, y: int) -> Line:
        if not self.rows.rows:
            return self._nothing()[y]
        job = self.rows.rows[y]
        mark = MARKED if job.job_id in self.marks else NO_MARK
        if self.marks.in_range and y in self._range():
            mark = IN_RANGE if mark is NO_MARK else mark
        return (MARK if self._is_chosen(y) else NO_MARK, mark, *self.row_line(y))

    def row_line(self, y: int) -> Line:
        job = self.rows.rows[y]
        return cells(job, self._columns, self.rows.texts.params(job), self._held.get(job.job_id))

    def overlay(self, y: int) -> Style | None:
        over = super().overlay(y)
        if over is None and self.marks.in_range and y in self._range():
            return self.overlay_of("cursor-blurred")
        return over

    @property
    def head_lines(self) -> int:
        return 1 if self.rows.rows and self.size.height > 3 else 0

    def head_line(self, y: int) -> Line:
        return ((" ", "muted"), (" ", "muted"), *head(self._columns, self.rows.sort))

    def _nothing(self) -> list[Line]:
        total = len(self.rows)
        wanted, view = self.filter, self.rows.view
        if not total or not (wanted or view != VIEWS[0]):
            return self._no_jobs or [((" no jobs yet", "muted"),), BLANK]
        which = "No job" if view == VIEWS[0] else f"No {view} job"
        said = []
        if wanted:
            said.append(f"{which} passes the filter /{wanted.text}, which hides {total:,}")
            said += wanted.problem.split("; ") if wanted.problem else []
            said.append(f"{key_named('back').shown} clears it")
        else:
            said.append(f"{which}: this view hides {total:,}")
        if view != VIEWS[0]:
            said.append(f"{key_named('view').shown} goes to the next view")
        columns = max(self.columns - 1, 8)
        return [((f" {part}", "muted"),) for each in said for part in wrap(each, columns)]

    # ---- marks

    def targets(self) -> Targets:
        """What an action goes to: the marked jobs, and with them a range under way; else the chosen one."""
        if self.marks.in_range:
            self.marks.fix_range(self.chosen_row)
            self._show_rows()
        if len(self.marks):
            return self.marks.targets()
        chosen = self.chosen_job
        return Targets((chosen,) if chosen is not None else ())

    def step_back(self) -> bool:
        """Take back the last thing that narrows or marks; False where there is nothing of the kind."""
        if self.marks.drop_range():
            self._show_rows()
        elif self.filter:
            self.set_filter("")
        elif self.rows.view != VIEWS[0]:
            self._arrange(view=VIEWS[0])
        elif self.marks.clear():
            self._show_rows()
        else:
            return False
        return True

    def _range(self) -> range:
        return self.marks.range_to(self.chosen_row)

    def _go(self, row: int) -> None:
        super()._go(row)
        if self.marks.in_range:
            self._show_rows()  # those in between, and how many they are

    def action_mark(self) -> None:
        """In a range: mark all of it. Else the chosen job, and on to the next."""
        if self.chosen is None:
            return
        if not self.marks.fix_range(self.chosen_row):
            self.marks.toggle(self.chosen)
            self.action_down()
        self._show_rows()

    def action_mark_range(self) -> None:
        if self.chosen is not None and not self.marks.fix_range(self.chosen_row):
            self.marks.begin_range(self.chosen)
        self._show_rows()

    def action_mark_all(self) -> None:
        """All that the filter shows; if they all are marked, none of them any more."""
        self.marks.drop_range()
        shown = [job.job_id for job in self.rows.rows]
        if all(job_id in self.marks for job_id in shown):
            self.marks.remove(shown)
        else:
            self.marks.add(shown)
        self._show_rows()

    def action_unmark_all(self) -> None:
        self.marks.clear()
        self._show_rows()

    def action_enter(self) -> None:
        if self.marks.fix_range(self.chosen_row):
            self._show_rows()
        else:
            super().action_enter()

    # ---- order and view

    def action_view(self, view: str = "") -> None:
        """A view, or the next one."""
        self._arrange(view=view or VIEWS[(VIEWS.index(self.rows.view) + 1) % len(VIEWS)])

    def action_sort(self, by: int) -> None:
        """Sort by the next thing, or the one before."""
        names = list(SORTS)
        name = names[(names.index(self.rows.sort.by) + by) % len(names)]
        self._arrange(sort=Sort(name, SORTS[name]))

    def action_reverse(self) -> None:
        self._arrange(sort=Sort(self.rows.sort.by, not self.rows.sort.down))

    def sort_by(self, name: str) -> None:
        """What a click on a title does: sort by it, a second one turns the order round."""
        if name == self.rows.sort.by:
            self.action_reverse()
        elif name in SORTS:
            self._arrange(sort=Sort(name, SORTS[name]))

    # ---- mouse

    def head_clicked(self, x: int) -> None:
        column = column_at(self._columns, x - 2)
        if column is not None:
            self.sort_by(column.name)

    def row_clicked(self, row: int, x: int, event: events.Click) -> bool:
        if not self.rows.rows:
            return False
        job_id = self.row_key(row)
        if event.ctrl or (x < 2 and not event.shift):
            self.marks.toggle(job_id)
        elif event.shift:
            if self.chosen is not None and not self.marks.in_range:
                self.marks.begin_range(self.chosen)
            self.marks.fix_range(row)
        else:
            return False
        self._go(row)
        self._show_rows()
        return True

    # ---- the border

    def _show_border(self) -> None:
        rows, total = len(self.rows.rows), len(self.rows)
        narrowed = self.filter or self.rows.view != VIEWS[0]
        count = f"{rows:,}/{total:,}" if narrowed else f"{total:,}"
        waiting = " …" if self.rows.scanning else ""
        title = f"4 Jobs {count}{waiting} "
        views = "  " + " ".join(f"[{view}]" if view == self.rows.view else view for view in VIEWS)
        room = self.size.width - len(title) - len(views) - 6
        wanted = cut(f" /{self.filter.text}", room) if self.filter and room > 3 else ""
        parts: list[tuple[str, ContentStyle] | str] = [title, wanted]
        if room >= 0:
            parts.append("  ")
            for view in VIEWS:
                text = f"[{view}]" if view == self.rows.view else view
                parts += [(text, _clicked(f"view('{view}')")), " "]
        self._set_border(Content.assemble(*parts), self._state_of_marks())

    def _state_of_marks(self) -> Content:
        sort = self.rows.sort
        parts: list[tuple[str, ContentStyle] | str] = []
        if self.marks.in_range:
            keys = f"{key_named('mark-range').shown} marks it, {key_named('back').shown} drops it"
            parts.append(f"range of {len(self._range()):,}: {keys} · ")
        elif len(self.marks):
            hidden = self.marks.hidden()
            parts.append(f"{len(self.marks):,} marked{f', {hidden:,} hidden' if hidden else ''} · ")
        if self._gone:
            parts.append(f"at least {self._gone:,} older dropped · ")
        arrow = "▼" if sort.down else "▲"
        parts.append((f"sort: {sort.by} {arrow}", _clicked("reverse")))
        return Content.assemble(*parts)

    def _set_border(self, title: Content, subtitle: Content) -> None:
        texts = (title.markup, subtitle.markup)
        if texts != getattr(self, "_titles", None):
            self._titles = texts
            self.border_title = title
            self.border_subtitle = subtitle


def _clicked(action: str) -> ContentStyle:
    """Text that runs an action of the table when it is clicked."""
    return ContentStyle.from_meta({"@click": action})

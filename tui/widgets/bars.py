"""One-line widgets: the header, the breadcrumb, the tabs of the job and the keys of the footer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import events
from textual.strip import Strip
from textual.widget import Widget

from routilux.snapshot import RuntimeSnapshot
from tui.glyphs import count_spans
from tui.keys import Key
from tui.spans import Line, Span, cut, line_width, strip_of, width
from tui.widgets.roles import Roles


class LineBar(Roles, Widget):
    """One line of spans. A span given to `show` with an action runs it when it is clicked."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._line: Line = ()
        # (first column, column after the last, what a click does)
        self._targets: list[tuple[int, int, Callable[[], object]]] = []

    def show(self, line: Line, targets: Sequence[tuple[int, int, Callable[[], object]]] = ()) -> None:
        """Paint `line`, if it differs from what stands there."""
        self._targets = list(targets)
        line = tuple(line)
        if line != self._line:
            self._line = line
            self.refresh()

    def render_line(self, y: int) -> Strip:
        return strip_of(self._line if y == 0 else (), self.style_of, self.size.width)

    def on_click(self, event: events.Click) -> None:
        for start, end, action in self._targets:
            if start <= event.x < end:
                action()
                return


class Header(LineBar):
    """The app, the folder, how many jobs are in which state, the pool, the time."""

    def show_picture(
        self,
        folder: str,
        snapshot: RuntimeSnapshot,
        time: str,
        warning: str = "",
        messages: tuple[str, Callable[[], object]] = ("", lambda: None),
        note: Span = ("", "text"),
    ) -> None:
        """`messages`: what to say of unseen messages, and what a click on that does; `note`: of a reload."""
        columns = self.size.width
        counts = count_spans(snapshot.counts)
        pool = f"pool {snapshot.threads_busy}/{snapshot.thread_pool_size}"
        gap: Span = ("   ", "text")
        right: list[Span] = [*counts, gap, (pool, "muted"), gap, (f"{time} ", "text")]
        if columns - line_width(right) < 24:
            right = [*counts, (f"  {time} ", "text")]
        room = columns - line_width(right) - 1
        left: list[Span] = [(" routilux ", "title")]
        room -= 10
        mark, look = messages
        targets: list[tuple[int, int, Callable[[], object]]] = []
        notes = [(f" ● {text} " if text else "", "warning") for text in (mark, warning)]
        for text, role in (*notes, (f" {note[0]} " if note[0] else "", note[1]), (f" {folder}", "muted")):
            if text and room > 12:
                shown = cut(text, room)
                if mark and not targets:
                    start = line_width(left)
                    targets.append((start, start + width(shown), look))
                left.append((shown, role))
                room -= width(shown)
        self.show((*left, (" " * max(room, 1), "text"), *right), targets)


class TabBar(LineBar):
    """The names of the job's tabs, the shown one marked."""

    def show_tabs(self, names: Sequence[str], active: str, go: Callable[[str], object]) -> None:
        spans: list[Span] = [(" ", "text")]
        targets: list[tuple[int, int, Callable[[], object]]] = []
        at = 1
        for name in names:
            text = f"[{name}]" if name == active else f" {name} "
            spans.append((text, "title" if name == active else "muted"))
            targets.append((at, at + len(text), lambda name=name: go(name)))  # type: ignore[misc]
            at += len(text)
        self.show(spans, targets)


class Breadcrumb(LineBar):
    """On narrow screens: which panes there are, what is chosen in each, and where one is."""

    def show_path(self, crumbs: Sequence[tuple[str, str]], here: str, go: Callable[[str], object]) -> None:
        spans: list[Span] = [(" ", "text")]
        targets: list[tuple[int, int, Callable[[], object]]] = []
        at = 1
        room = max(8, (self.size.width - 2) // max(1, len(crumbs)) - 3)
        for pane, text in crumbs:
            if len(spans) > 1:
                spans.append((" › ", "muted"))
                at += 3
            shown = cut(text, room)
            spans.append((shown, "title" if pane == here else "muted"))
            targets.append((at, at + width(shown), lambda pane=pane: go(pane)))  # type: ignore[misc]
            at += width(shown)
        self.show(spans, targets)


class KeyBar(LineBar):
    """The keys that do something where the focus is; the least important make way on narrow screens."""

    _asked: tuple[Sequence[Key], Callable[[Key], object]] | None = None

    def show_keys(self, keys: Sequence[Key], run: Callable[[Key], object]) -> None:
        self._asked = (keys, run)
        columns = self.size.width
        chosen: list[Key] = []
        used = 1
        # Help and the palette lead to everything else, so they come first when room is short.
        for key in sorted(keys, key=lambda key: (key.name not in ("help", "quit"), key.rank)):
            size = len(key.first) + len(key.label) + 3
            if used + size <= columns:
                chosen.append(key)
                used += size
        chosen.sort(key=lambda key: key.rank)
        spans: list[Span] = [(" ", "text")]
        targets: list[tuple[int, int, Callable[[], object]]] = []
        at = 1
        for key in chosen:
            spans += [(key.first, "key"), (f" {key.label}  ", "muted")]
            size = len(key.first) + len(key.label) + 3
            targets.append((at, at + size - 2, lambda key=key: run(key)))  # type: ignore[misc]
            at += size
        self.show(spans, targets)

    def on_resize(self) -> None:
        # While it made way for the prompt it had no room for any key.
        if self._asked is not None:
            self.show_keys(*self._asked)

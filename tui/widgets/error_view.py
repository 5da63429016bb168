"""What went wrong in a job: one error at a time, the one that failed the job first."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import tzinfo
from functools import partial
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message

from routilux.history import JobError
from tui.doc_rows import DocRow
from tui.error_rows import error_rows, failing_place
from tui.formats import pretty
from tui.keys import bindings_of
from tui.places import Place
from tui.readings import Readings
from tui.widgets.doc import DocPane


class ErrorView(DocPane):
    """The Error tab. Steps through the errors: first the one that failed the job, else the newest."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("error")]
    SCOPES: ClassVar[frozenset[str]] = frozenset({"list", "error"})

    class Changed(Message):
        """Another error is read."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._errors: tuple[JobError, ...] = ()
        self._zone: tzinfo | None = None
        self._error: JobError | None = None
        # The data of the error that is read, as text.
        self._texts = Readings(self._text_came, most=1, keeps_all=True)
        # Whether each thing that can be folded is, as long as nobody has touched it.
        self._untouched: dict[str, bool] = {}

    def show(self, errors: tuple[JobError, ...], zone: tzinfo | None) -> None:
        """The errors of the job so far, oldest first. The one that is read stays until one steps on,
        or until one fails the job."""
        same = len(errors) == len(self._errors) and all(
            new is old for new, old in zip(errors[-1:], self._errors[-1:], strict=True)
        )
        self._errors, self._zone = errors, zone
        if same and errors and self._error is not None:
            return
        fatal = next((error for error in reversed(errors) if error.fatal), None)
        gone = not any(each is self._error for each in errors)
        if gone or (fatal is not None and self._error is not fatal):
            self._read(fatal or (errors[-1] if errors else None))
        else:
            self.write()

    @property
    def error(self) -> JobError | None:
        """The error that is read."""
        return self._error

    @property
    def words(self) -> str:
        """Which error of how many, for the pane's border."""
        count = len(self._errors)
        if count < 2:
            return f"{count} error{'s' * (count != 1)}"
        return f"error {self._number():,} of {count:,}"

    def _number(self) -> int:
        """Which of the errors is read, from 1, in the order they happened."""
        return next((at for at, each in enumerate(self._errors, 1) if each is self._error), 0)

    def _read(self, error: JobError | None) -> None:
        self._error = error
        self._texts.clear()
        self.folded.clear()
        self.write()
        self.refresh()
        # What failed first, the message with it.
        self.choose("head:0:0")

    def make_rows(self, columns: int) -> Sequence[DocRow]:
        if self._error is None:
            return [DocRow("none", (("no errors", "muted"),))]
        error, count = self._error, len(self._errors)
        write = partial(pretty, error.data_slice, 40_000)
        data = self._texts.of("data", write).text if error.data_slice else ""
        return list(error_rows(error, self._number(), count, columns, self._zone, self._folded, data))

    def _text_came(self, key: Hashable) -> None:
        self.write()

    def _folded(self, name: str, otherwise: bool) -> bool:
        self._untouched[name] = otherwise
        return self.folded.get(name, otherwise)

    def is_folded(self, name: str) -> bool:
        return self._untouched.get(name, False)

    @property
    def place(self) -> Place | None:
        """What the editor opens: the line under the cursor, else the call that failed."""
        if self.row is not None and self.row.place is not None:
            return self.row.place
        return None if self._error is None else failing_place(self._error)

    # ---- keys

    def action_next_error(self) -> None:
        """Go on to the error that happened next; after the last comes the first."""
        self._step(1)

    def action_previous_error(self) -> None:
        self._step(-1)

    def _step(self, by: int) -> None:
        if self._errors:
            self._read(self._errors[(self._number() - 1 + by) % len(self._errors)])
            self.post_message(self.Changed())

    def action_unfold_all(self) -> None:
        """Unfold everything."""
        self._fold_all(False)

    def action_fold_all(self) -> None:
        """Fold everything."""
        self._fold_all(True)

    def _fold_all(self, shut: bool) -> None:
        # What is inside of something folded shows itself only once that is unfolded.
        for _ in range(3):
            for name in list(self._untouched):
                self.folded[name] = shut
            self.write()
        self.refresh()

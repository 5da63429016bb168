"""Reading CSV files in strides that can stop and go on anywhere, losing no line.

`open_text` and `Records` serve `csv_to_sqlite`. A stride ends with a position (`Records.position`)
that another activation, or another process, can start from.
"""

from __future__ import annotations

import csv
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TextIO

_DELIMITERS = ",;\t|"
_SAMPLE = 64 * 1024


class Position(NamedTuple):
    """Where a record starts: what `TextIO.seek` takes, and the number of lines before it."""

    cookie: int
    lines: int


class Record(NamedTuple):
    """One record: the line it starts at, its text as it stands in the file, its fields.

    `problem` says why it could not be parsed; then `text` is its first line and `fields` is empty.
    """

    line: int
    text: str
    fields: list[str]
    problem: str


def open_text(source: Path, encoding: str) -> TextIO:
    """Open a CSV file. Bytes that `encoding` does not know become lone surrogates, see `is_clean`."""
    return source.open(encoding=encoding, errors="surrogateescape", newline="")


def is_clean(text: str) -> bool:
    """Whether every byte of `text` could be decoded."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class Records:
    """The records of an open CSV file, from where the file stands.

    A record that cannot be parsed (a quote that is never closed, say) is given up by its first line
    only: reading goes on with the next line, so one stray quote costs one record. The parser never
    holds more than `csv.field_size_limit()` characters of a field.
    """

    def __init__(self, file: TextIO, delimiter: str, lines: int = 0) -> None:
        self._file = file
        self._delimiter = delimiter
        # Lines of all records handed out so far.
        self._lines = lines
        # Lines that a record which failed has read too many: they come before the file's next line.
        self._again: deque[str] = deque()
        self._taken: list[str] = []
        self._reader = csv.reader(self._next_lines(), delimiter=delimiter, strict=True)

    def _next_lines(self) -> Iterator[str]:
        while line := self._again.popleft() if self._again else self._file.readline():
            self._taken.append(line)
            yield line

    def read(self) -> Record | None:
        """The next record; None at the end. A blank line is a record without fields."""
        self._taken = []
        first = self._lines + 1
        fields: list[str] = []
        problem = ""
        try:
            fields = next(self._reader)
        except StopIteration:
            return None
        except csv.Error as error:
            problem = _in_words(error)
            self._again.extendleft(reversed(self._taken[1:]))
            del self._taken[1:]
            # The reader keeps half of what it read, and its lines may have come to their end.
            self._reader = csv.reader(self._next_lines(), delimiter=self._delimiter, strict=True)
        self._lines += len(self._taken)
        return Record(first, "".join(self._taken).rstrip("\r\n"), fields, problem)

    @property
    def can_stop(self) -> bool:
        """Whether the file stands right behind the last record, so that `position` is true."""
        return not self._again

    def position(self) -> Position:
        """Where the next record starts. Only where `can_stop`."""
        return Position(self._file.tell(), self._lines)


def _in_words(error: csv.Error) -> str:
    text = str(error)
    if "unexpected end of data" in text or "field larger" in text:
        return "a quote is opened and not closed"
    if "expected after" in text:
        return "text after a closing quote"
    return text


def sniff_delimiter(source: Path, encoding: str) -> str:
    """The one of `,` `;` tab `|` that parts the first records most evenly; a comma where none does.

    `csv.Sniffer` looks at letter frequencies and is easily misled by text with commas in it. Here a
    delimiter counts as good as the share of records that have as many fields as the first one.
    """
    with open_text(source, encoding) as file:
        sample = file.read(_SAMPLE)
    lines = sample.splitlines(keepends=True)
    if len(sample) == _SAMPLE and len(lines) > 1:
        del lines[-1]

    def evenness(delimiter: str) -> tuple[float, int]:
        try:
            widths = [len(fields) for fields in csv.reader(lines, delimiter=delimiter) if fields]
        except csv.Error:
            return 0.0, 0
        if not widths or widths[0] < 2:
            return 0.0, 0
        return Counter(widths)[widths[0]] / len(widths), widths[0]

    best = max(_DELIMITERS, key=evenness)
    return best if evenness(best) > (0.0, 0) else ","

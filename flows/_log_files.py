"""Reading a log, plain or gzip, piece by piece from any place in it.

A place is what JSON can hold, so that a reader may stop after any piece and another process may go on. For
a plain file that is a seek. A gzip stream can only be read from its beginning, so streams stay open between
two pieces, in a small cache; where the cache has none, the stream is unpacked again up to the place. The
cache is only about speed.
"""

from __future__ import annotations

import gzip
import os
import threading
import zlib
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedReader
from typing import Final, TypedDict

LONGEST_LINE: Final = 64 * 1024
STREAMS_KEPT: Final = 4
_CHUNK: Final = 128 * 1024
_GZIP: Final = b"\x1f\x8b"


class Place(TypedDict):
    """Where to read on: `offset` in bytes of the unpacked log, and the number of the `line` there."""

    offset: int
    line: int


def beginning() -> Place:
    """The place where every log begins."""
    return {"offset": 0, "line": 1}


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole lines of a log. `position` is how far the file on disk was read, in bytes.

    `problem` says why nothing can be read after this piece.
    """

    text: str
    next_place: Place
    position: int
    problem: str = ""


class _Stream:
    """An open log. `tell` is how far the file on disk was read."""

    def __init__(self, name: str) -> None:
        self.raw: BufferedReader = open(name, "rb")  # noqa: SIM115 (closed by `close`)
        self.unpacked: BufferedReader | gzip.GzipFile = self.raw
        self.offset = 0
        self.packed = self.raw.peek(2)[:2] == _GZIP
        if self.packed:
            self.unpacked = gzip.GzipFile(fileobj=self.raw)

    def seek(self, offset: int) -> None:
        if not self.packed and os.fstat(self.raw.fileno()).st_size < offset:
            raise OSError(f"it is shorter than the {offset:,} bytes that were read of it before")
        if self.unpacked.seek(offset) != offset:
            raise OSError(f"it unpacks to less than the {offset:,} bytes that were read of it before")
        self.offset = offset

    def tell(self) -> int:
        return self.raw.tell()

    def close(self) -> None:
        with suppress(OSError):
            self.unpacked.close()
        self.raw.close()


# Guards _streams: gzip streams between two pieces, by who reads which log; the one used last is at the end.
_lock = threading.Lock()
_streams: OrderedDict[tuple[str, str], _Stream] = OrderedDict()


def read_piece(name: str, place: Place, size: int, *, owner: str) -> Piece | None:
    """About `size` bytes of whole lines from `place` on, or None at the end of the log.

    The piece ends with a line end, unless the log does not, or a line is longer than `size` and
    `LONGEST_LINE` together; such a line is broken up. Bytes that are not UTF-8 become "\\xff". `owner`
    tells apart who reads the same log at the same time. Raises OSError where the log cannot be opened,
    EOFError or zlib.error where it cannot be unpacked up to `place`.
    """
    with _lock:
        stream = _streams.pop((owner, name), None)
    if stream is None or stream.offset != place["offset"]:
        if stream is not None:
            stream.close()
        stream = _Stream(name)
    keep = False
    try:
        if stream.offset != place["offset"]:
            stream.seek(place["offset"])
        data, problem = _read_lines(stream, size)
        stream.offset += len(data)
        position = stream.tell()
        keep = stream.packed and bool(data) and not problem
    finally:
        if not keep:
            stream.close()
    if keep:
        _keep((owner, name), stream)
    if not data and not problem:
        return None
    next_place: Place = {"offset": stream.offset, "line": place["line"] + data.count(b"\n")}
    return Piece(data.decode("utf-8", "backslashreplace"), next_place, position, problem)


def _read_lines(stream: _Stream, size: int) -> tuple[bytes, str]:
    """`size` bytes and the rest of the line, and what went wrong after them."""
    chunks: list[bytes] = []
    wanted = size
    try:
        while wanted > 0 and (chunk := stream.unpacked.read(min(wanted, _CHUNK))):
            chunks.append(chunk)
            wanted -= len(chunk)
        if chunks and not chunks[-1].endswith(b"\n"):
            chunks.append(stream.unpacked.readline(LONGEST_LINE))
    except (OSError, EOFError, zlib.error) as error:
        return b"".join(chunks), str(error)
    return b"".join(chunks), ""


def _keep(key: tuple[str, str], stream: _Stream) -> None:
    """Keep a stream open for the next piece. The one not used for longest is closed for it."""
    closing: list[_Stream] = []
    with _lock:
        _streams[key] = stream
        while len(_streams) > STREAMS_KEPT:
            closing.append(_streams.popitem(last=False)[1])
    for old in closing:
        old.close()

"""Finding the job that a print or a log record belongs to.

While a runtime is alive, `sys.stdout` and `sys.stderr` are stand-ins that look at the current
activation: what is written inside one goes to its job's log, and on to the real stream if a
runtime with `echo` is alive; what is written while an `import_output` is set goes there alone;
everything else goes straight to the real stream. Log records are
seen where they are made (`logging.setLogRecordFactory`), which neither changes levels or handlers
nor misses loggers that do not propagate.
"""

from __future__ import annotations

import sys
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol, TextIO
from weakref import WeakKeyDictionary

from routilux.context import current_activation

if TYPE_CHECKING:
    import logging


class ImportOutput(Protocol):
    """Takes what a module puts out while it is imported."""

    def write_output(self, level: str, text: str) -> None: ...

    def add_record(self, level: str, message: str) -> None: ...


# Set while a module of a flow folder is imported, outside activations.
import_output: ContextVar[ImportOutput | None] = ContextVar("routilux_import_output", default=None)

# Guards _runtimes and the putting in place below. A runtime may be found forgotten, and uninstalled, by a
# garbage collection in the very thread that holds it.
_lock = threading.RLock()
# The runtimes that want capturing, and whether they echo.
_runtimes: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()


class _Tee:
    """A stand-in for a text stream that knows the activation; everything else is the stream's."""

    def __init__(self, stream: TextIO, level: str) -> None:
        self._stream = stream
        self._level = level
        self._echo = True

    def write(self, text: str) -> int:
        activation = current_activation.get()
        if activation is None:
            importing = import_output.get()
            if importing is None:
                return self._stream.write(text)
            if sys._getframe(1).f_globals.get("__name__") != "logging":
                importing.write_output(self._level, text)
            return len(text)
        # What a handler of the logging module prints is in the job's log as a record already.
        if sys._getframe(1).f_globals.get("__name__") != "logging":
            activation.write_output(self._level, text)
        if self._echo:
            self._stream.write(text)
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _RecordFactory:
    """Makes log records as before, and shows those of activations to their jobs."""

    def __init__(self, make: Any) -> None:
        self.make = make

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record: logging.LogRecord = self.make(*args, **kwargs)
        activation = current_activation.get()
        importing = import_output.get() if activation is None else None
        if (activation is not None or importing is not None) and not record.name.startswith("routilux."):
            try:
                message = record.getMessage()
                if record.exc_info and record.exc_info[0] is not None:
                    import logging

                    message += "\n" + logging.Formatter().formatException(record.exc_info)
            except Exception as error:
                # The record's own handlers will report it; the job keeps what is readable.
                message = f"{record.msg!r} with {record.args!r} (cannot be formatted: {error!r})"
            if activation is not None:
                activation.job_state.add_log_line(record.levelname, activation.routine_id, message)
            elif importing is not None:
                importing.add_record(record.levelname, message)
        return record


def install(runtime: Any, *, echo: bool) -> None:
    """Begin to capture on behalf of a runtime."""
    with _lock:
        _runtimes[runtime] = echo
    keep_installed()


def keep_installed() -> None:
    """Put the stand-ins in place again where something else has replaced the streams since."""
    # Here and not at the top: it costs start-up time, and many programs only define flows.
    import logging

    stdout, stderr, factory = sys.stdout, sys.stderr, logging.getLogRecordFactory()
    if type(stdout) is _Tee and type(stderr) is _Tee and type(factory) is _RecordFactory:
        return
    with _lock:
        if not _runtimes:
            return
        echo = any(_runtimes.values())
        for name, level in (("stdout", "PRINT"), ("stderr", "STDERR")):
            stream = getattr(sys, name)
            # A process without a console has None here, and prints go nowhere.
            if stream is not None and type(stream) is not _Tee:
                tee = _Tee(stream, level)
                tee._echo = echo
                setattr(sys, name, tee)
        if type(logging.getLogRecordFactory()) is not _RecordFactory:
            logging.setLogRecordFactory(_RecordFactory(logging.getLogRecordFactory()))
        _set_echo()


def uninstall(runtime: Any) -> None:
    """End to capture on behalf of a runtime (None: of one that was forgotten, and is no longer known).

    The last one puts everything back as it was.
    """
    import logging

    with _lock:
        if runtime is not None:
            _runtimes.pop(runtime, None)
        if _runtimes:
            _set_echo()
            return
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            if type(stream) is _Tee:
                setattr(sys, name, stream._stream)
        factory = logging.getLogRecordFactory()
        if type(factory) is _RecordFactory:
            logging.setLogRecordFactory(factory.make)


def _set_echo() -> None:
    """Under the lock."""
    echo = any(_runtimes.values())
    for stream in (sys.stdout, sys.stderr):
        if type(stream) is _Tee:
            stream._echo = echo

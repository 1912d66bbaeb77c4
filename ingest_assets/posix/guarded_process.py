"""What a process writes to its log or to stderr: where something happened, never what it was about.

The text of an exception may hold a row's values, and a library's message may hold an address or a file name. So a
record keeps its message only if this project or Dagster wrote it, and an exception keeps only its type and traceback.
"""

import logging
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType

from ingest_assets.domain.errors import OutageError, PermanentError, ResourceError, TransientError
from ingest_assets.domain.redaction import redactor
from ingest_assets.posix.log_lines import OURS, is_json

TRUSTED = frozenset({"ingest_assets", "dagster", "dagster-webserver"})
"""Loggers, by the first part of their names, whose messages hold ids, names from this code and counts."""

LONGEST_CHAIN = 10


_reworded: dict[str, str] = {}
"""What is said in place of messages of libraries, by their texts before anything is filled in."""
_telling: set[type[BaseException]] = {TransientError, PermanentError, ResourceError, OutageError}


def guard_process(key_patterns: Iterable[str], *telling: type[BaseException]) -> None:
    """Guard what this process logs and prints from now on.

    Args:
        key_patterns: Regular expressions for the keys of providers, which are removed.
        telling: Exceptions of exactly these types keep their messages, as those of the error catalogue do.
    """
    _telling.update(telling)
    if isinstance(logging.getLogRecordFactory(), GuardedRecords):
        return
    logging.setLogRecordFactory(GuardedRecords(redactor(key_patterns)))
    logging.captureWarnings(capture=True)
    sys.excepthook = _tell_uncaught
    sys.unraisablehook = _tell_unraisable
    threading.excepthook = _tell_thread


def reword(template: str, words: str) -> None:
    """Say this in place of a library's message that people need to hear of, which would be withheld."""
    _reworded[template] = words


class GuardedRecords:
    """A factory for all log records of a process, whatever handlers and formatters libraries have installed."""

    def __init__(self, without_secrets: Callable[[str], str]) -> None:
        self._make = logging.getLogRecordFactory()
        self._without_secrets = without_secrets

    def __call__(self, *args: object, **kwargs: object) -> logging.LogRecord:
        record = self._make(*args, **kwargs)
        error = record.exc_info[1] if record.exc_info else None
        record.msg = self._told(record) + (f"\n{places_of(error)}" if error is not None else "")
        record.args, record.exc_info, record.exc_text, record.stack_info = (), None, None, None
        return record

    def _told(self, record: logging.LogRecord) -> str:
        if str(record.name).partition(".")[0] not in TRUSTED:
            return (
                _reworded.get(str(record.msg))
                or f"(a message of {record.name} is withheld: {record.filename}, line {record.lineno})"
            )
        try:
            return self._without_secrets(record.getMessage())
        except Exception:
            return f"(a message that cannot be formatted: {record.filename}, line {record.lineno})"


def places_of(error: BaseException) -> str:
    """Return what Python's traceback shows, with messages only of exceptions that may keep them."""
    return "\nAfter that:\n".join(reversed([_places(each) for each in _chain(error)]))


def _places(error: BaseException) -> str:
    kind = type(error)
    said = f": {error}" if kind in _telling else ""
    return "".join(traceback.format_tb(error.__traceback__)) + f"{kind.__module__}.{kind.__qualname__}{said}"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    for _ in range(LONGEST_CHAIN):
        if error is None:
            return
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _tell(text: str) -> None:
    if is_json():
        logging.getLogger(OURS).critical("%s", text)
    else:
        sys.stderr.write(f"{text}\n")


def _tell_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    del trace
    _tell("Interrupted." if issubclass(kind, KeyboardInterrupt) else places_of(error))


def _tell_unraisable(unraisable: "sys.UnraisableHookArgs") -> None:
    if unraisable.exc_value is not None:
        _tell(places_of(unraisable.exc_value))


def _tell_thread(failed: threading.ExceptHookArgs) -> None:
    if failed.exc_value is not None and not isinstance(failed.exc_value, SystemExit):
        _tell(places_of(failed.exc_value))

"""Log records as lines of JSON, for programs that collect them."""

import json
import logging
import os
import sys
from datetime import UTC, datetime

VARIABLE = "INGEST_LOG_FORMAT"
OURS = "ingest_assets"
FIELDS = ("correlation_id", "document_id", "code")
"""What a record may have besides its message."""


class JsonLines(logging.Formatter):
    """One object a line. The record is guarded already: its message holds ids, counts and names from this code."""

    def format(self, record: logging.LogRecord) -> str:
        is_ours = record.name.partition(".")[0] == OURS
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **{name: getattr(record, name, None) if is_ours else None for name in FIELDS},
        }
        return json.dumps(line, ensure_ascii=False)


def is_json() -> bool:
    """Return whether this process logs in JSON, which its settings check."""
    return os.environ.get(VARIABLE) == "json"


def follow_the_setting() -> None:
    """Write what this process logs as JSON from now on, if the setting says so.

    It replaces `logging.StreamHandler.format`: libraries install handlers with formatters of their own at any time.
    """
    ours = logging.getLogger(OURS)
    if not is_json() or not ours.propagate:
        return
    ours.setLevel(logging.INFO)
    ours.addHandler(logging.StreamHandler(sys.stderr))
    ours.propagate = False
    logging.StreamHandler.format = _format  # type: ignore[method-assign]


def _format(self: logging.Handler, record: logging.LogRecord) -> str:  # noqa: ARG001  it takes a method's place
    return JsonLines().format(record)

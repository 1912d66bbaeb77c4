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
    return os.environ.get(VARIABLE, "").lower() == "json"


def follow_the_setting() -> None:
    """Write what this process logs as JSON, if the setting says so, whatever handlers libraries have installed."""
    if not is_json():
        return
    logging.getLogger(OURS).setLevel(logging.INFO)
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(logging.StreamHandler(sys.stderr))
    named = [each for each in root.manager.loggerDict.values() if isinstance(each, logging.Logger)]
    for handler in (handler for each in (root, *named) for handler in each.handlers):
        if isinstance(handler, logging.StreamHandler):
            handler.setFormatter(JsonLines())

"""Separated values: the line that tells Excel the separator is no row of data."""

import csv
import re
from io import StringIO

SEPARATOR_LINE = re.compile(r"\ufeff?\"?sep=(.)\"?[ \t,;]*\r?\n", re.IGNORECASE)


def without_separator_line(text: str) -> str:
    """Return the text without that line, separated by commas if there was one."""
    told = SEPARATOR_LINE.match(text)
    if told is None:
        return text
    rows = csv.reader(StringIO(text[told.end() :]), delimiter=told[1])
    written = StringIO()
    try:
        csv.writer(written).writerows(rows)
    except csv.Error:  # a field longer than readers take
        return text[told.end() :]
    return written.getvalue()

"""Invitations and other entries of calendars (iCalendar, RFC 5545), as people read them."""

import re
from collections.abc import Iterator
from itertools import islice

FOLD = re.compile(r"\r?\n[ \t]")
LINE = re.compile(r'([A-Za-z-]+)((?:;[^:;"]*(?:"[^"\n]*"[^:;"]*)*)*):(.*)')
NAME = re.compile(r';CN="?([^";:]*)', re.IGNORECASE)
TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)\d\d(Z?))?$")
ESCAPE = re.compile(r"\\([\\;,nN])")
ENTRIES = {"VEVENT", "VTODO", "VJOURNAL"}
SHOWN = {
    "SUMMARY": "Event",
    "STATUS": "Status",
    "DTSTART": "Begins",
    "DTEND": "Ends",
    "DUE": "Due",
    "LOCATION": "Place",
    "ORGANIZER": "Organiser",
    "ATTENDEE": "Invited",
    "DESCRIPTION": "Description",
}
"""What people see of an entry, and in which order."""
PEOPLE = {"ORGANIZER", "ATTENDEE"}
TIMES = {"DTSTART", "DTEND", "DUE"}
MOST_ENTRIES = 10_000


def calendar_markdown(calendar: str) -> str:
    """Return the entries of a calendar, each with what is known about it, line by line."""
    return "\n\n".join("\n\n".join(_lines(entry)) for entry in islice(_entries(calendar), MOST_ENTRIES))


def _entries(calendar: str) -> Iterator[dict[str, list[str]]]:
    entry: dict[str, list[str]] | None = None
    within = 0
    for line in FOLD.sub("", calendar).splitlines():
        found = LINE.match(line.strip())
        if found is None:
            continue
        name, settings, value = found[1].upper(), found[2], found[3].strip()
        if name == "BEGIN" and entry is not None:
            within += 1
        elif name == "BEGIN" and value.upper() in ENTRIES:
            entry = {}
        elif name == "END" and within > 0:
            within -= 1
        elif name == "END" and entry is not None:
            yield entry
            entry = None
        elif entry is not None and within == 0 and name in SHOWN and value:
            entry.setdefault(name, []).append(_shown(name, settings, value))


def _shown(name: str, settings: str, value: str) -> str:
    if name in PEOPLE:
        called, address = NAME.search(settings), re.sub("(?i)^mailto:", "", value)
        return f"{called[1]} <{address}>" if called and called[1] != address else address
    time = TIME.match(value) if name in TIMES else None
    if time is not None:
        day = f"{time[1]}-{time[2]}-{time[3]}"
        return f"{day} {time[4]}:{time[5]}{' UTC' if time[6] else ''}" if time[4] else day
    return ESCAPE.sub(lambda escape: "\n" if escape[1] in "nN" else escape[1], value)


def _lines(entry: dict[str, list[str]]) -> Iterator[str]:
    for name, word in SHOWN.items():
        if name in entry:
            yield f"**{word}**: {', '.join(entry[name])}"

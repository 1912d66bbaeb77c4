"""Web pages as they are shown: with what stands in the fields of forms, and with what xberg would leave out."""

import re
from collections.abc import Iterator

TAG = re.compile(
    r"(?i)<(/?)(input|textarea|select|option)\b((?:[^<>\"']|\"[^\"<>]{0,2000}\"|'[^'<>]{0,2000}'){0,2000})>"
)
LEFT_OUT = re.compile(r"(?i)<(/?)(?:form|header|nav)(?=[\s>/])")
"""xberg leaves out all that is in these, and many portals put a whole page into one form."""
ATTRIBUTE = re.compile(r"(?i)\b(type|value|checked|selected)\b(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+)))?")
UNSEEN = {"hidden", "submit", "button", "image", "reset", "password", "file"}
BOXES = {"checkbox", "radio"}
TICKED, UNTICKED = "\u2612", "\u2610"


def as_shown(html: str) -> str:
    """Return the page with the values of its fields, its ticks and its chosen entries as text."""
    return LEFT_OUT.sub(r"<\1div", "".join(_pieces(html)))


def _pieces(html: str) -> Iterator[str]:
    at, skipped = 0, False  # what comes next is skipped if it is an entry that was not chosen
    for tag in TAG.finditer(html):
        yield "" if skipped else html[at : tag.start()]
        name, is_end, settings = tag[2].lower(), bool(tag[1]), _settings(tag[3])
        at, skipped = tag.end(), False
        if name == "option":
            skipped = not is_end and "selected" not in settings
        elif name == "input":
            yield _shown(settings)
        else:
            yield " "
            skipped = name == "select" and not is_end
    yield "" if skipped else html[at:]


def _settings(written: str) -> dict[str, str]:
    return {found[1].lower(): found[2] or found[3] or found[4] or "" for found in ATTRIBUTE.finditer(written)}


def _shown(settings: dict[str, str]) -> str:
    kind = settings.get("type", "").lower()
    if kind in UNSEEN:
        return ""
    if kind in BOXES:
        return f" {TICKED if 'checked' in settings else UNTICKED} "
    return f" {settings.get('value', '')} "

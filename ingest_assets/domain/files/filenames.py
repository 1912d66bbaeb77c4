"""Make file names fit to be stored and shown. They never decide where anything is stored."""

import unicodedata

from ingest_assets.domain.text.normalisation import normalise

LONGEST_NAME = 200
LONGEST_EXTENSION = 20
UNNAMED = "unnamed"
HIDDEN_CATEGORIES = {"Cc", "Cf"}


def safe_filename(name: str) -> str:
    """Return the last part of a path, fit to be stored and shown.

    The name is in NFC, has no control, format or bidirectional characters, and takes at most 200 bytes of UTF-8. A
    shortened name keeps its extension. The result is never empty, and applying the function again does not change it.
    """
    visible = "".join(c for c in normalise(name) if c.isspace() or unicodedata.category(c) not in HIDDEN_CATEGORIES)
    parts = normalise(visible).replace("\\", "/").split("/")
    trimmed = (" ".join(part.split()).rstrip(" .") for part in parts)
    return _shorten(next((part for part in reversed(list(trimmed)) if part), UNNAMED))


def _shorten(name: str) -> str:
    if len(name.encode()) <= LONGEST_NAME:
        return name
    stem, dot, extension = name.rpartition(".")
    ending = dot + extension
    if not stem or len(ending.encode()) > LONGEST_EXTENSION:
        stem, ending = name, ""
    return (_cut(stem, LONGEST_NAME - len(ending.encode())) + ending).rstrip(" .") or UNNAMED


def _cut(text: str, size: int) -> str:
    return text.encode()[:size].decode(errors="ignore")

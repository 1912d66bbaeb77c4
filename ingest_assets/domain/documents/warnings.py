"""What a document that is searchable lacks, in kinds and counts."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias


class WarningKind(StrEnum):
    """A kind of content that searches do not find, or find with mistakes."""

    PAGES_WITHOUT_TEXT = "pages_without_text"
    """Pages that show something, of which no text could be had."""
    PAGES_POORLY_RECOGNISED = "pages_poorly_recognised"
    """Pages whose text was recognised with little confidence."""
    PICTURES_WITHOUT_TEXT = "pictures_without_text"
    """Pictures as large as a page, in files without pages; and an attached picture that shows no words."""
    ATTACHMENTS_SKIPPED = "attachments_skipped"
    """Attachments and archived files that did not become documents."""
    EMBEDDED_OBJECTS = "embedded_objects"
    """Files and objects within the document that were not read."""
    HIDDEN_SHEETS = "hidden_sheets"
    HIDDEN_ROWS = "hidden_rows"
    """Rows and columns that the document does not show."""
    HIDDEN_SLIDES = "hidden_slides"
    PROTECTED_PARTS = "protected_parts"
    """Parts behind a password."""


Warnings: TypeAlias = Mapping[WarningKind, int]
"""How often each kind occurs; kinds that do not occur are left out."""

_DESCRIPTIONS = {
    WarningKind.PAGES_WITHOUT_TEXT: ("page holds no text that could be read", "pages hold no text that could be read"),
    WarningKind.PAGES_POORLY_RECOGNISED: (
        "page was recognised with little confidence",
        "pages were recognised with little confidence",
    ),
    WarningKind.PICTURES_WITHOUT_TEXT: ("large picture was not read", "large pictures were not read"),
    WarningKind.ATTACHMENTS_SKIPPED: ("attachment was skipped", "attachments were skipped"),
    WarningKind.EMBEDDED_OBJECTS: ("embedded object was not read", "embedded objects were not read"),
    WarningKind.HIDDEN_SHEETS: ("hidden sheet was not read", "hidden sheets were not read"),
    WarningKind.HIDDEN_ROWS: ("hidden row or column was not read", "hidden rows or columns were not read"),
    WarningKind.HIDDEN_SLIDES: ("hidden slide was not read", "hidden slides were not read"),
    WarningKind.PROTECTED_PARTS: ("part is protected by a password", "parts are protected by a password"),
}


def counted(counts: Mapping[WarningKind, int]) -> Warnings:
    """Return the kinds that occur, in the order of their declaration."""
    return {kind: counts[kind] for kind in WarningKind if counts.get(kind, 0) > 0}


def lines_of(warnings: Warnings) -> list[dict[str, str | int]]:
    """Return the warnings as JSON."""
    return [{"kind": kind.value, "count": count} for kind, count in warnings.items()]


def phrases(warnings: Warnings) -> list[str]:
    """Return a phrase for each kind, such as "2 hidden sheets were not read"."""
    return [f"{count} {_DESCRIPTIONS[kind][count != 1]}" for kind, count in warnings.items()]

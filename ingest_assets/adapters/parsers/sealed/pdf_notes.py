"""What was written onto a PDF page afterwards: with a typewriter, as a note, or with a stamp."""

import ctypes
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pypdfium2 as pdfium

from ingest_assets.adapters.parsers.sealed.markdown import plain_line

raw = pdfium.raw
MOST_NOTES = 500
"""Of a page."""
LONGEST_NOTE = 1 << 16
ON_THE_PAGE = {raw.FPDF_ANNOT_FREETEXT, raw.FPDF_ANNOT_STAMP}
"""What stands on the page like its own text."""
BESIDE_IT = {
    raw.FPDF_ANNOT_TEXT,
    raw.FPDF_ANNOT_HIGHLIGHT,
    raw.FPDF_ANNOT_UNDERLINE,
    raw.FPDF_ANNOT_SQUIGGLY,
    raw.FPDF_ANNOT_STRIKEOUT,
    raw.FPDF_ANNOT_LINE,
    raw.FPDF_ANNOT_SQUARE,
    raw.FPDF_ANNOT_CIRCLE,
    raw.FPDF_ANNOT_POLYGON,
    raw.FPDF_ANNOT_POLYLINE,
    raw.FPDF_ANNOT_CARET,
    raw.FPDF_ANNOT_INK,
}
UNSEEN = raw.FPDF_ANNOT_FLAG_HIDDEN | raw.FPDF_ANNOT_FLAG_NOVIEW


@dataclass(frozen=True, slots=True)
class Note:
    text: str
    """Empty if only its picture says what it is."""
    is_comment: bool
    place: Any


def notes_on(document: pdfium.PdfDocument, number: int, page: pdfium.PdfPage) -> list[str]:
    """Return a line for each note and stamp of the page that says something; this may draw them into the page."""
    notes = list(_notes(page))
    drawn = _drawn(document, number, [note.place for note in notes if not note.text])
    return [*(_shown(note) for note in notes if note.text), *drawn]


def _shown(note: Note) -> str:
    return f"Comment: {note.text}" if note.is_comment else plain_line(note.text)


def _notes(page: pdfium.PdfPage) -> Iterator[Note]:
    for number in range(min(raw.FPDFPage_GetAnnotCount(page), MOST_NOTES)):
        annotation = raw.FPDFPage_GetAnnot(page, number)
        if not annotation:
            continue
        try:
            note = _note(annotation)
        finally:
            raw.FPDFPage_CloseAnnot(annotation)
        if note is not None:
            yield note


def _note(annotation: Any) -> Note | None:
    kind = raw.FPDFAnnot_GetSubtype(annotation)
    if kind not in ON_THE_PAGE | BESIDE_IT or raw.FPDFAnnot_GetFlags(annotation) & UNSEEN:
        return None
    text, place = _contents(annotation), raw.FS_RECTF()
    is_comment = kind in BESIDE_IT
    if not text and (is_comment or not raw.FPDFAnnot_GetRect(annotation, place)):
        return None
    return Note(text, is_comment, place)


def _contents(annotation: Any) -> str:
    """Return what a note says, on one line."""
    length = min(raw.FPDFAnnot_GetStringValue(annotation, b"Contents", None, 0), LONGEST_NOTE)
    buffer = ctypes.create_string_buffer(length)
    pointer = ctypes.cast(buffer, ctypes.POINTER(raw.FPDF_WCHAR))
    raw.FPDFAnnot_GetStringValue(annotation, b"Contents", pointer, length)
    return " ".join(buffer.raw[:length].decode("utf-16-le", "replace").replace("\0", " ").split())


def _drawn(document: pdfium.PdfDocument, number: int, places: list[Any]) -> list[str]:
    """Return the words that stamps draw where they are, once they are part of the page."""
    if not places:
        return []
    before = _words_at(document, number, places)
    page = document[number]
    try:
        raw.FPDFPage_Flatten(page, raw.FLAT_NORMALDISPLAY)
    finally:
        page.close()
    after = _words_at(document, number, places)
    lines = (" ".join(_added(new, old)) for new, old in zip(after, before, strict=True))
    return [plain_line(line) for line in lines if line]


def _words_at(document: pdfium.PdfDocument, number: int, places: list[Any]) -> list[list[str]]:
    page = document[number]
    try:
        text = page.get_textpage()
        return [text.get_text_bounded(at.left, at.bottom, at.right, at.top).split() for at in places]
    finally:
        page.close()


def _added(words: list[str], before: list[str]) -> list[str]:
    missing = Counter(words) - Counter(before)
    return [word for word in words if missing[word] > 0]

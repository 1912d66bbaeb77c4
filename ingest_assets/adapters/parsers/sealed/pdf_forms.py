"""Filled forms: what stands in the fields of a PDF page, with the words beside them."""

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pypdfium2 as pdfium

from ingest_assets.adapters.parsers.sealed.markdown import plain_line
from ingest_assets.adapters.parsers.sealed.pdf_words import Sheet
from ingest_assets.domain.text.layout import Line, Word, lines_of

raw = pdfium.raw
MOST_FIELDS = 500
"""Of a page."""
LONGEST_VALUE = 1 << 16
TEXTS = {raw.FPDF_FORMFIELD_TEXTFIELD, raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX}
BOXES = {raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON}
NEAR, ABOVE = 1.2, 2.0
"""A label after a box begins within so many heights of it, and one above a field ends within so many."""


@dataclass(frozen=True, slots=True)
class Field:
    value: str
    """Empty for a box."""
    is_box: bool
    is_checked: bool
    name: str
    """What a reader would be told of it; at worst, what the form calls it."""
    left: float
    top: float
    right: float
    bottom: float


def filled_fields(document: pdfium.PdfDocument, page: pdfium.PdfPage, words: Sequence[Word]) -> list[str]:
    """Return a line for each field of the page that holds something, and for each box, with its label."""
    if document.formenv is None:
        return []
    fields = list(_fields(document.formenv, page))
    if not fields:
        return []
    lines = lines_of([word for word in words if not _is_within_any(word, fields)])
    return [_shown(field, _label(field, lines) or field.name) for field in fields]


def _shown(field: Field, label: str) -> str:
    if field.is_box:
        return f"- [{'x' if field.is_checked else ' '}] {label}"
    return plain_line(f"{label.rstrip(' :')}: {field.value}" if label else field.value)


def _fields(forms: Any, page: pdfium.PdfPage) -> Iterator[Field]:
    sheet = Sheet(page)
    for number in range(min(raw.FPDFPage_GetAnnotCount(page), MOST_FIELDS)):
        annotation = raw.FPDFPage_GetAnnot(page, number)
        if not annotation:
            continue
        try:
            field = _field(forms, sheet, annotation)
        finally:
            raw.FPDFPage_CloseAnnot(annotation)
        if field is not None:
            yield field


def _field(forms: Any, sheet: Sheet, annotation: Any) -> Field | None:
    if raw.FPDFAnnot_GetSubtype(annotation) != raw.FPDF_ANNOT_WIDGET:
        return None
    kind = raw.FPDFAnnot_GetFormFieldType(forms, annotation)
    value = _text(raw.FPDFAnnot_GetFormFieldValue, forms, annotation) if kind in TEXTS else ""
    place = raw.FS_RECTF()
    if not (value or kind in BOXES) or not raw.FPDFAnnot_GetRect(annotation, place):
        return None
    name = _text(raw.FPDFAnnot_GetFormFieldAlternateName, forms, annotation)
    name = name or _text(raw.FPDFAnnot_GetFormFieldName, forms, annotation)
    box = sheet.shown(place.left, place.bottom, place.right, place.top)
    return Field(value, kind in BOXES, bool(raw.FPDFAnnot_IsChecked(forms, annotation)), name, *box)


def _text(get: Any, forms: Any, annotation: Any) -> str:
    """Return a text that pdfium gives in UTF-16, after it has told its length, on one line."""
    length = min(get(forms, annotation, None, 0), LONGEST_VALUE)
    buffer = ctypes.create_string_buffer(length)
    get(forms, annotation, ctypes.cast(buffer, ctypes.POINTER(raw.FPDF_WCHAR)), length)
    return " ".join(buffer.raw[:length].decode("utf-16-le", "replace").replace("\0", " ").split())


def _is_within_any(word: Word, fields: Sequence[Field]) -> bool:
    """Return whether a word is what a field shows, which its value says already."""
    across, down = (word.left + word.right) / 2, (word.top + word.bottom) / 2
    return any(field.left <= across <= field.right and field.top <= down <= field.bottom for field in fields)


def _label(field: Field, lines: Sequence[Line]) -> str:
    """Return the words to the right of a box, or else those to the left of a field, or else those above it."""
    height = max(min(field.bottom - field.top, 20), 6)
    middle = (field.top + field.bottom) / 2
    beside = [line for line in lines if line.top - height / 2 <= middle <= line.top + line.height + height / 2]
    cells = [cell for line in beside for cell in line.cells]
    if field.is_box:
        after = [cell for cell in cells if 0 <= cell.left - field.right + 2 <= NEAR * height]
        if after:
            return min(after, key=lambda cell: cell.left).text
    before = [cell for cell in cells if cell.right <= field.left + 2]
    if before:
        return max(before, key=lambda cell: cell.right).text
    above = [
        (line.top, cell.text)
        for line in lines
        for cell in line.cells
        if line.top < field.top and field.top - line.top - line.height <= ABOVE * height
        if cell.left < field.right and field.left < cell.right
    ]
    return max(above)[1] if above else ""

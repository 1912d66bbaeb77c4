"""PDF: pdfium recognises the file and gives every word; xberg gives headings, lists and tables."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pypdfium2 as pdfium

from ingest_assets.adapters.parsers.sealed.recovery import recover
from ingest_assets.adapters.parsers.sealed.refusals import RefusedError
from ingest_assets.adapters.parsers.sealed.xberg_markdown import marked_pages
from ingest_assets.domain.text.normalisation import has_words

MEDIA_TYPE = "application/pdf"
HYPHEN_AT_LINE_END = "\ufffe"


@dataclass(frozen=True, slots=True)
class PlainPage:
    text: str
    has_picture: bool


def pdf_pages(content: bytes, most_pages: int) -> list[str]:
    """Return the Markdown of each page.

    Raises:
        RefusedError: encrypted, corrupt, too_many_pages or needs_ocr.
    """
    plain = _plain_pages(content, most_pages)
    try:
        marked = marked_pages(content, MEDIA_TYPE)
    except RefusedError as refused:
        return _without_markup(plain, refused)
    if plain is None:
        return marked
    pages = recover(*_of_equal_length(marked, [page.text for page in plain]))
    return _checked(pages, plain)


def count_pages(content: bytes) -> int:
    """Return the number of pages without reading them, or 0 if the content cannot be opened as a PDF."""
    try:
        with _opened(content) as document:
            return len(document)
    except pdfium.PdfiumError:
        return 0


def _of_equal_length(marked: list[str], plain: list[str]) -> tuple[list[str], list[str]]:
    """Pad the shorter list: in a damaged file, one tool may find pages that the other does not."""
    return marked + [""] * (len(plain) - len(marked)), plain + [""] * (len(marked) - len(plain))


def _without_markup(plain: list[PlainPage] | None, refused: RefusedError) -> list[str]:
    pages = [page.text for page in plain or []]
    if plain is None or (refused.code == "encrypted" and not any(pages)):
        raise refused
    return _checked(pages, plain)


def _checked(pages: list[str], plain: list[PlainPage]) -> list[str]:
    if any(page.has_picture for page in plain) and not any(map(has_words, pages)):
        raise RefusedError("needs_ocr")
    return pages


def _plain_pages(content: bytes, most_pages: int) -> list[PlainPage] | None:
    """Return the pages' plain text, or None if pdfium cannot open the file; xberg may still open it."""
    try:
        with _opened(content) as document:
            if len(document) > most_pages:
                raise RefusedError("too_many_pages", pages=len(document))
            return [_plain_page(document, number) for number in range(len(document))]
    except pdfium.PdfiumError as error:
        if error.err_code == pdfium.raw.FPDF_ERR_PASSWORD:
            raise RefusedError("encrypted") from None
        return None


@contextmanager
def _opened(content: bytes) -> Iterator[pdfium.PdfDocument]:
    document = pdfium.PdfDocument(content)
    try:
        yield document
    finally:
        document.close()


def _plain_page(document: pdfium.PdfDocument, number: int) -> PlainPage:
    try:
        page = document[number]
        text = page.get_textpage().get_text_range().replace(HYPHEN_AT_LINE_END, "")
    except pdfium.PdfiumError:
        return PlainPage("", has_picture=False)
    pictures = page.get_objects(filter=[pdfium.raw.FPDF_PAGEOBJ_IMAGE], max_depth=4)
    found = PlainPage(text, has_picture=not text.strip() and any(True for _ in pictures))
    page.close()
    return found

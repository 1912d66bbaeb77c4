"""PDF: pdfium recognises the file and gives every word; xberg gives headings, lists and tables."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice

import pypdfium2 as pdfium

from ingest_assets.adapters.parsers.sealed.pdf_forms import filled_fields
from ingest_assets.adapters.parsers.sealed.pdf_notes import notes_on
from ingest_assets.adapters.parsers.sealed.pdf_scans import covers_page, recognised_page
from ingest_assets.adapters.parsers.sealed.pdf_words import page_words
from ingest_assets.adapters.parsers.sealed.recognition import Recogniser
from ingest_assets.adapters.parsers.sealed.recovery import recover
from ingest_assets.adapters.parsers.sealed.refusals import RefusedError
from ingest_assets.adapters.parsers.sealed.xberg_markdown import marked_pages
from ingest_assets.domain.documents.warnings import WarningKind
from ingest_assets.domain.text.hyphenation import Hyphenation
from ingest_assets.domain.text.layout import Table, may_hold_table, tables_of
from ingest_assets.domain.text.woven_tables import with_table

MEDIA_TYPE = "application/pdf"
WORD = re.compile(r"[^\W_]+")
HYPHEN_AT_LINE_END = "\ufffe"


MOST_STAMPED_WORDS = 30
"""A picture of a page with no more words than these on it is a scan that was stamped, numbered or signed."""
FEWEST_STROKES = 20
"""So many paths without any text are letters that were drawn."""
LONGEST_STAMP = 2000
"""How many characters are looked at for the words of a stamp."""
MOST_PAGES_SEARCHED = 500
"""Of a document, for tables and the labels of fields: to look where each word is takes longer than to read it."""
MOST_OBJECTS = 2000
"""How many objects of a page are looked at."""


class Budget:
    """What may be done so often."""

    def __init__(self, times: int) -> None:
        self._left = times

    def take(self) -> bool:
        self._left -= 1
        return self._left >= 0


@dataclass(frozen=True, slots=True)
class PlainPage:
    text: str
    is_scan: bool
    """Whether what it shows is mostly not in its text."""
    tables: Sequence[Table] = ()
    fields: Sequence[str] = ()
    """What its form says, and what was noted on it, as lines."""


def pdf_pages(
    content: bytes, most_pages: int, warnings: Counter[WarningKind], recogniser: Recogniser | None = None
) -> list[str]:
    """Return the Markdown of each page; what is not text is recognised or, without a recogniser, counted.

    Raises:
        RefusedError: encrypted, corrupt or too_many_pages.
    """
    plain = _plain_pages(content, most_pages, warnings)
    if plain is None:
        return marked_pages(content, MEDIA_TYPE)
    hyphenation = Hyphenation(page.text for page in plain)
    pages = [hyphenation.mend(text) for text in _marked_pages(content, plain, hyphenation)]
    pages = hyphenation.mend_page_ends(_with_tables_and_fields(pages, plain))
    scans = [number for number, page in enumerate(plain) if page.is_scan]
    if recogniser is None or not scans:
        warnings[WarningKind.PAGES_WITHOUT_TEXT] += len(scans)
        return pages
    with _opened(content) as document:
        for number in scans:
            pages[number] = recognised_page(document, number, pages[number], warnings, recogniser)
    return pages


def _marked_pages(content: bytes, plain: list[PlainPage], hyphenation: Hyphenation) -> list[str]:
    texts = [hyphenation.mend(page.text) for page in plain]
    try:
        marked = marked_pages(content, MEDIA_TYPE)
    except RefusedError as refused:
        if refused.code == "encrypted" and not any(texts):
            raise
        return texts
    return recover(*_of_equal_length(marked, texts))


def _with_tables_and_fields(pages: list[str], plain: list[PlainPage]) -> list[str]:
    """Return the pages with their tables and what their forms say; a table on several pages has its header on each."""
    made: list[str] = []
    before: Table | None = None
    header: Sequence[str] = ()
    for number, text in enumerate(pages):
        page = text
        tables = plain[number].tables if number < len(plain) else ()
        for table in tables:
            is_rest = before is not None and table.continues(before)
            page = with_table(page, table.words, table.markdown(header if is_rest else None))
            header = header if is_rest else table.rows[0]
            before = table
        before = before if tables else None
        fields = plain[number].fields if number < len(plain) else ()
        made.append("\n\n".join(filter(None, (page, "\n".join(fields)))))
    return made


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


def _plain_pages(content: bytes, most_pages: int, warnings: Counter[WarningKind]) -> list[PlainPage] | None:
    """Return the pages' plain text, or None if pdfium cannot open the file; xberg may still open it."""
    try:
        with _opened(content) as document:
            if len(document) > most_pages:
                raise RefusedError("too_many_pages", pages=len(document))
            warnings[WarningKind.EMBEDDED_OBJECTS] += document.count_attachments()
            if document.get_formtype() != pdfium.raw.FORMTYPE_NONE:
                document.init_forms()
            searched = Budget(MOST_PAGES_SEARCHED)
            return [_plain_page(document, number, searched) for number in range(len(document))]
    except pdfium.PdfiumError as error:
        if error.err_code == pdfium.raw.FPDF_ERR_PASSWORD and _lacks_password(content):
            raise RefusedError("encrypted") from None
        return None


def _lacks_password(content: bytes) -> bool:
    """Return whether pdfium says so of this file: where it says nothing, what it said of an earlier one stands."""
    with suppress(pdfium.PdfiumError):
        pdfium.PdfDocument(b"no PDF").close()
    try:
        pdfium.PdfDocument(content).close()
    except pdfium.PdfiumError as error:
        return bool(error.err_code == pdfium.raw.FPDF_ERR_PASSWORD)
    return False


@contextmanager
def _opened(content: bytes) -> Iterator[pdfium.PdfDocument]:
    document = pdfium.PdfDocument(content)
    try:
        yield document
    finally:
        document.close()


def _plain_page(document: pdfium.PdfDocument, number: int, searched: Budget) -> PlainPage:
    try:
        page = document[number]
    except pdfium.PdfiumError:
        return PlainPage("", is_scan=False)
    try:
        text_page = page.get_textpage()
        text = text_page.get_text_range().replace(HYPHEN_AT_LINE_END, "-\n")
        is_form = document.formenv is not None
        words = page_words(page, text_page) if (is_form or may_hold_table(text)) and searched.take() else []
        fields = filled_fields(document, page, words)
        is_scan = _is_scan(page, text)
        return PlainPage(text, is_scan, tables_of(words), [*fields, *notes_on(document, number, page)])
    except pdfium.PdfiumError:
        return PlainPage("", is_scan=False)
    finally:
        page.close()


def _is_scan(page: pdfium.PdfPage, text: str) -> bool:
    words = len(WORD.findall(text, 0, LONGEST_STAMP))
    if words > MOST_STAMPED_WORDS:
        return False
    objects = islice(page.get_objects(max_depth=4), MOST_OBJECTS)
    if words > 0:
        return any(each.type == pdfium.raw.FPDF_PAGEOBJ_IMAGE and covers_page(each, page) for each in objects)
    kinds = Counter(each.type for each in objects)
    return kinds[pdfium.raw.FPDF_PAGEOBJ_IMAGE] > 0 or kinds[pdfium.raw.FPDF_PAGEOBJ_PATH] >= FEWEST_STROKES

"""The text that an emulated parsing service finds on a file's pages."""

import re
import threading
from html import unescape
from io import BytesIO
from zipfile import BadZipFile, ZipFile, is_zipfile

import pypdfium2 as pdfium

PDFIUM = threading.Lock()
"""pdfium is not safe for threads."""


class BrokenFileError(Exception):
    """With the code that the service gives."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def pages_of(content: bytes, filename: str) -> list[str]:
    """Raises BrokenFileError."""
    if filename.endswith(".pdf"):
        with PDFIUM:
            return _pdf_pages(content)
    if is_zipfile(BytesIO(content)):
        return [_word_text(content)]
    try:
        return [content.decode()]
    except UnicodeDecodeError:
        raise BrokenFileError("UNSUPPORTED_FILE_TYPE") from None


def _pdf_pages(content: bytes) -> list[str]:
    try:
        document = pdfium.PdfDocument(content)
    except pdfium.PdfiumError as error:
        locked = error.err_code == pdfium.raw.FPDF_ERR_PASSWORD
        raise BrokenFileError("PDF_IS_PASSWORD_PROTECTED" if locked else "PDF_IS_BROKEN") from None
    try:
        return [_page_text(document, number) for number in range(len(document))]
    finally:
        document.close()


def _page_text(document: pdfium.PdfDocument, number: int) -> str:
    text: str = document[number].get_textpage().get_text_range()
    return text


def _word_text(content: bytes) -> str:
    try:
        with ZipFile(BytesIO(content)) as package:
            markup = package.read("word/document.xml").decode()
    except (KeyError, BadZipFile):
        raise BrokenFileError("UNABLE_TO_CONVERT_DOCUMENT") from None
    return unescape(re.sub(r"<[^>]+>", "", markup.replace("</w:p>", "\n\n")))

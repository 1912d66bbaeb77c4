"""How many pages a PDF has, without reading them."""

import pypdfium2 as pdfium


def count_pages(content: bytes) -> int | None:
    """None where the content is no PDF that can be opened."""
    try:
        document = pdfium.PdfDocument(content)
    except pdfium.PdfiumError:
        return None
    try:
        return len(document)
    finally:
        document.close()

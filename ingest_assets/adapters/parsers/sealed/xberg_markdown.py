"""xberg as this system uses it: from bytes, without network, cache, text recognition or threads of its own."""

import asyncio

import xberg

from ingest_assets.adapters.parsers.sealed.markdown import clean
from ingest_assets.adapters.parsers.sealed.refusals import RefusedError

CONFIGURATION = xberg.ExtractionConfig(
    use_cache=False,
    disable_ocr=True,
    output_format="markdown",
    escape_markdown=True,  # else text would turn into headings; `clean` removes the needless escapes
    content_filter=xberg.ContentFilterConfig(include_footnotes=True),
    pages=xberg.PageConfig(extract_pages=True),
    html_options=xberg.ConversionOptions(
        extract_metadata=False, compact_tables=True, inline_data_media="alt_text_only", max_depth=400
    ),
    security_limits=xberg.SecurityLimits(max_table_cells=5_000_000),
    concurrency=xberg.ConcurrencyConfig(max_threads=1),
)


RUNNER = asyncio.Runner()
"""One event loop for all documents: a new one opens a pair of sockets, which a confined worker cannot do."""

REASONS = {"is encrypted": "encrypted", "password": "encrypted", "limit exceeded": "bomb"}
"""All of xberg's failures have one class; words in their messages tell them apart."""


def marked_text(content: bytes, media_type: str) -> str:
    """Return the content's Markdown.

    Raises:
        RefusedError: encrypted, bomb or corrupt.
    """
    return clean(_extract(content, media_type).content)


def marked_pages(content: bytes, media_type: str) -> list[str]:
    """Return the Markdown of each page or slide.

    Raises:
        RefusedError: encrypted, bomb or corrupt.
    """
    pages = {page.page_number: page.content for page in _extract(content, media_type).pages or []}
    return [clean(pages.get(number, "")) for number in range(1, max(pages, default=0) + 1)]


def _extract(content: bytes, media_type: str) -> xberg.ExtractedDocument:
    source = xberg.ExtractInput(kind="bytes", bytes=content, mime_type=media_type)
    try:
        (document,) = RUNNER.run(xberg.extract(source, CONFIGURATION)).results
    except Exception as error:
        message = str(error)
        raise RefusedError(next((code for sign, code in REASONS.items() if sign in message), "corrupt")) from None
    return document

"""How many words of scanned pages are recognised, and how long a page takes."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

from PIL import Image

from benchmarks.deployments import OWNER
from benchmarks.figures import Figures
from benchmarks.sizes import Sizes
from ingest_assets.adapters.parsers.local import LocalParser, ParserLimits
from ingest_assets.domain.documents.document import Document, DocumentId
from ingest_assets.posix.ocr_languages import folder_of
from ingest_assets_tests.scans import as_pdf, faxed, prose, share_found, skewed, typed

SOURCES = Path(__file__).parent.parent / "examples" / "sources"
FONTS = (("Helvetica", 10.5, 88), ("Times-Roman", 11.0, 92), ("Courier", 9.5, 80), ("Helvetica-Bold", 10.5, 80))
MARKUP = re.compile(r"[#*`_|>\[\]]|-{3,}")
LANGUAGES = ("eng",)
PAGES_OF_A_DOCUMENT = 10


def measure(sizes: Sizes) -> Iterator[Figures]:
    parser = LocalParser(ParserLimits(ocr_folder=str(folder_of(LANGUAGES)), ocr_languages=LANGUAGES))
    pages = sizes.scanned_pages
    try:
        found = {
            "200dpi": _words_found(parser, pages, lambda lines, font, _: typed(lines, *font)),
            "skewed": _words_found(parser, pages, lambda lines, font, _: skewed(typed(lines, *font), 1)),
            "fax": _words_found(
                parser,
                pages,
                # every second one as faxes are by default, and as fine ones
                lambda lines, font, seed: faxed(typed(lines, *font, 300), seed, (98, 196)[seed % 2]),
            ),
        }
    finally:
        parser.close()
    yield {f"words_found_{name}": share for name, (share, _) in found.items()} | {
        f"recognition_{name}_s_per_page": seconds for name, (_, seconds) in found.items()
    }


def sentences() -> list[str]:
    """Sentences on insurance, from the sources of the examples."""
    paragraphs = [
        " ".join(MARKUP.sub("", paragraph).split())
        for path in sorted(SOURCES.glob("*.md"))
        for paragraph in path.read_text().split("\n\n")
        if "|" not in paragraph
    ]
    return [each for paragraph in paragraphs for each in re.split(r"(?<=[.!?]) ", paragraph) if len(each) > 30]


def _words_found(
    parser: LocalParser, count: int, scan: Callable[[list[str], tuple[str, float], int], Image.Image]
) -> tuple[float, float]:
    """Returns the share of words that are found, and the seconds for a page."""
    shares, seconds, known = 0.0, 0.0, sentences()
    for first in range(0, count, PAGES_OF_A_DOCUMENT):
        texts, scans = [], []
        for number in range(first, min(first + PAGES_OF_A_DOCUMENT, count)):
            font, size, width = FONTS[number % len(FONTS)]
            texts.append(prose(known, number, width))
            scans.append(scan(texts[-1], (font, size), number))
        content = as_pdf(*scans)
        begun = time.perf_counter()
        parsed = parser.parse(content, _document(content))
        seconds += time.perf_counter() - begun
        bounds = (*parsed.page_starts, len(parsed.text))
        shares += sum(
            share_found(lines, parsed.text[bounds[page] : bounds[page + 1]]) for page, lines in enumerate(texts)
        )
    return shares / count, seconds / count


def _document(content: bytes) -> Document:
    return Document(DocumentId(uuid4()), OWNER, 1, "scan.pdf", "application/pdf", len(content), "0" * 64)

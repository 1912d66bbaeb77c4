"""The largest document that is taken in: from its claim until it is done, beside the parser alone."""

import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from uuid import uuid4

from reportlab.pdfgen.canvas import Canvas

from benchmarks.deployments import OWNER, Home, fresh_home
from benchmarks.documents import vocabulary
from benchmarks.figures import Figures
from benchmarks.processes import watched
from benchmarks.queue_state import first_claim, wait_for_end
from benchmarks.sizes import Sizes
from ingest_assets.adapters.parsers.local import LocalParser, ParserLimits
from ingest_assets.domain.documents.document import Document, DocumentId

LINES, WORDS = 48, 13
"""Of a page, and of a line."""
PATIENCE_SECONDS = 600
"""The limit of 120 s would fail the document on a slow or busy machine."""
PAGE_BYTES = 6_500
"""About what a page takes, as text is not compressed: compressed, a file of this size would have too many pages."""


def measure(sizes: Sizes) -> Iterator[Figures]:
    with fresh_home() as home:
        path = home.folder / "large.pdf"
        pages = write_pdf(path, int(sizes.pdf_megabytes * 2**20))
        floor = _parser_seconds(path)
        shape = {"pdf_pages": float(pages), "pdf_megabytes": path.stat().st_size / 2**20}
        yield shape | {"pdf_floor_parser_s": floor} | _ingest(home, path)


def _parser_seconds(path: Path) -> float:
    parser = LocalParser(ParserLimits(seconds=PATIENCE_SECONDS))
    begun = time.perf_counter()
    try:
        parser.parse(path.read_bytes(), _document(path))
    finally:
        parser.close()
    return time.perf_counter() - begun


def _ingest(home: Home, path: Path) -> Figures:
    home.ingest("submit", path)
    with (
        home.start("drain", INGEST_PARSE_SECONDS=str(PATIENCE_SECONDS)) as worker,
        watched(worker.pid, home.postmaster) as memory,
    ):
        ended = wait_for_end(home, 1)
        worker.communicate()
    return {
        "pdf_s": ended.indexed - first_claim(home),
        "pdf_worker_mb": memory.peaks["ingest"],
        "pdf_parser_mb": memory.peaks["parser"],
        "pdf_chunks": home.row("SELECT count(*) AS rows FROM upload_pipeline.document_chunks")["rows"],
    }


def write_pdf(path: Path, size: int) -> int:
    """A PDF of nearly `size` bytes, of pages full of text; how many pages."""
    chance, words = Random(13), vocabulary()
    canvas = Canvas(str(path), pageCompression=0)
    pages = size // PAGE_BYTES
    for number in range(pages):
        canvas.setFont("Helvetica", 9)
        canvas.drawString(50, 800, f"Section {number + 1} {words[number % len(words)]}")
        for line in range(LINES):
            canvas.drawString(50, 780 - 15 * line, " ".join(chance.choices(words, k=WORDS)) + ".")
        canvas.showPage()
    canvas.save()
    return pages


def _document(path: Path) -> Document:
    return Document(DocumentId(uuid4()), OWNER, 1, path.name, "application/pdf", path.stat().st_size, "0" * 64)

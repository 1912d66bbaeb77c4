import zlib
from pathlib import Path

import pypdfium2 as pdfium
import pytest

from ingest_assets.domain.files.file_types import FileType
from ingest_assets.domain.files.page_estimate import MOST_INFLATED, estimated_pages
from ingest_assets_tests.conftest import CORPUS
from ingest_assets_tests.sample_files import pdf

DOCUMENTS = sorted((CORPUS / "insurance").glob("*.pdf"))


def object_stream(objects: bytes) -> bytes:
    return b"<</Type /ObjStm /Filter /FlateDecode>>\nstream\r\n" + zlib.compress(objects) + b"\nendstream\n"


@pytest.mark.parametrize("pages", [1, 2, 57])
def test_the_pages_of_a_pdf_are_counted(pages: int) -> None:
    assert estimated_pages(pdf(*["text"] * pages), FileType.PDF) == pages


@pytest.mark.skipif(not DOCUMENTS, reason="no corpus beside the repository")
@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_real_documents_are_counted_to_the_page(path: Path) -> None:
    content = path.read_bytes()
    document = pdfium.PdfDocument(content)
    assert estimated_pages(content, FileType.PDF) == len(document)
    document.close()


def test_compressed_page_objects_are_counted() -> None:
    content = b"%PDF-1.5\n" + object_stream(b"<</Type/Page>> <</Type /Page>> <</Type/Pages/Count 2>>") * 2
    assert estimated_pages(content, FileType.PDF) == 2


def test_pages_of_older_revisions_do_not_count_beyond_what_the_page_tree_claims() -> None:
    content = b"%PDF-1.4 <</Type/Pages/Count 3>>" + b"<</Type /Page>>" * 7
    assert estimated_pages(content, FileType.PDF) == 3


@pytest.mark.parametrize("content", [b"", b"no PDF", b"/Type/Page", b"/ObjStm stream\nnothing that was compressed"])
@pytest.mark.parametrize("kind", [*FileType, "application/x-unknown"])
def test_there_is_always_a_page_to_be_billed(content: bytes, kind: str) -> None:
    assert estimated_pages(content, kind) == 1


def test_more_text_is_more_pages() -> None:
    assert estimated_pages(b"x" * 30_000, FileType.TEXT) == 11
    assert estimated_pages(b"x" * 30_000, FileType.DOCX) == 2


def test_no_more_is_inflated_than_is_safe() -> None:
    """A page in each of more streams than would be read."""
    streams = object_stream(b"/Type/Page" + b" " * 1_000_000) * 100
    assert 1 < estimated_pages(streams, FileType.PDF) <= MOST_INFLATED // 1_000_000 + 1

"""A file that two kinds of reader take for their own is refused; one that only holds another is not."""

import re
from zipfile import ZIP_STORED

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.files.file_types import FileType, recognise
from ingest_assets.domain.files.polyglots import is_polyglot
from ingest_assets_tests.sample_files import CONTENT_TYPES, SHEETS, WORD, docx, office, ole2, pdf, zipped

HTML = b"<html><body><p>Another cover</p></body></html>"
ZIP = zipped({"cover.txt": "Another cover"})
COMMENTED_ZIP = ZIP[:-2] + b"\x0a\x00" + b"ten bytes."

POLYGLOTS = {
    "PDF, then ZIP": (pdf("cover") + ZIP, "policy.pdf"),
    "PDF, then Word": (pdf("cover") + docx("another cover"), "policy.pdf"),
    "PDF, then a ZIP with a comment": (pdf("cover") + COMMENTED_ZIP, "policy.pdf"),
    "PDF, then ZIP and a line": (pdf("cover") + ZIP + b"\n%%EOF\n", "policy.pdf"),
    "PDF whose first lines are HTML": (pdf("cover").replace(b"\n", b"\n%" + HTML + b"\n", 1), "policy.pdf"),
    "HTML, then PDF": (HTML + pdf("cover"), "policy.pdf"),
    "HTML in ASCII, then PDF, by the other name": (
        HTML + re.sub(rb"[^\x00-\x7f]", b"", pdf("cover")),
        "policy.html",
    ),
    "a program, then PDF": (b"MZ\x90\x00" + pdf("cover"), "policy.pdf"),
    "a picture, then PDF": (b"GIF89a\x01\x00" + pdf("cover"), "policy.pdf"),
    "RTF, then PDF": (b"{\\rtf1 {\\*\\x " + pdf("cover") + b"}}", "policy.rtf"),
    "RTF, then ZIP": (b"{\\rtf1 cover}" + ZIP, "policy.rtf"),
    "Word of the nineties, then ZIP": (ole2("WordDocument") + ZIP, "policy.doc"),
    "a ZIP whose first part is a PDF": (
        zipped({"cover.pdf": pdf("cover"), "mimetype": FileType.EPUB}, ZIP_STORED),
        "policy.epub",
    ),
    "Word and Excel in one package": (
        office(WORD, {CONTENT_TYPES: "wordprocessingml.document.main+xml spreadsheetml.sheet.main+xml"}),
        "policy.docx",
    ),
    "Word and OpenDocument in one package": (office(WORD, {"mimetype": FileType.ODT}), "policy.docx"),
}

WORD_TYPES = (
    '<Default Extension="xlsx" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"/>'
    "wordprocessingml.document.main+xml"
)


def with_attachment(document: bytes, attached: bytes) -> bytes:
    """As programs do it that compress nothing: the cross-reference table follows."""
    at = document.rindex(b"xref\n", 0, document.rindex(b"startxref"))
    return document[:at] + b"9 0 obj\n<<>>\nstream\n" + attached + b"\nendstream\nendobj\n" + document[at:]


HONEST = {
    "a PDF that holds a ZIP": (with_attachment(pdf("cover"), ZIP), FileType.PDF),
    "a PDF behind other bytes": (b"\x00junk\n" + pdf("cover"), FileType.PDF),
    "a text on PDF": (b"# PDF\n\nIt begins with %PDF-1.7 and ends with\n\nstartxref\n9\n%%EOF\n", FileType.MARKDOWN),
    "a script": (b"#!/bin/sh\necho '<html>'\n", FileType.TEXT),
    "a book that is not compressed": (
        zipped({"mimetype": FileType.EPUB, "cover.xhtml": HTML}, ZIP_STORED),
        FileType.EPUB,
    ),
    "a letter in Word with a workbook in it": (
        office(WORD, {CONTENT_TYPES: WORD_TYPES, "word/embeddings/sheet.xlsx": office(SHEETS)}),
        FileType.DOCX,
    ),
}


@pytest.mark.parametrize(("content", "name"), POLYGLOTS.values(), ids=list(POLYGLOTS))
def test_a_file_that_is_two_things_is_refused(content: bytes, name: str) -> None:
    with pytest.raises(PermanentError) as refused:
        recognise(content, name)

    assert refused.value.code == "polyglot"


@pytest.mark.parametrize(("content", "kind"), HONEST.values(), ids=list(HONEST))
def test_a_file_that_only_holds_another_is_taken_in(content: bytes, kind: FileType) -> None:
    assert recognise(content, f"policy.{kind.extensions[0]}") is kind


@given(
    st.lists(
        st.sampled_from([b"%PDF-1.7\n", b"PK\x03\x04", ZIP, b"PK\x05\x06", HTML, b"MZ", b"startxref 9 %%EOF", b" "])
    )
)
def test_a_pdf_that_ends_as_a_zip_is_refused_whatever_lies_between(pieces: list[bytes]) -> None:
    content = b"".join(pieces)

    assert is_polyglot(content + ZIP) or not content.startswith(b"%PDF")

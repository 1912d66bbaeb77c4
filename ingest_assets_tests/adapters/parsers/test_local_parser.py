"""The local parser as the pipeline calls it."""

import platform
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from ingest_assets.adapters.parsers import local
from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.adapters.parsers.sealed import pdf as pdf_module
from ingest_assets.adapters.parsers.sealed.limits import ParserLimits
from ingest_assets.domain.errors import PermanentError, ResourceError
from ingest_assets.domain.files.file_types import FileType
from ingest_assets.domain.text.normalisation import normalise
from ingest_assets.pipeline.ports.providers import Parser
from ingest_assets_tests.contracts.parser_contract import ParserContract, document_of, parse, refusal
from ingest_assets_tests.sample_files import (
    docx,
    office,
    open_document,
    paragraphs,
    pdf,
    scanned_pdf,
    slides,
    with_declared_size,
    zipped,
)

PNG = b"\x89PNG\r\n\x1a\n\x00\x00"
ENTITY = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]>'
EXTERNAL = '<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd">'


@pytest.fixture(scope="module")
def local_parser() -> Iterator[LocalParser]:
    parser = LocalParser(ParserLimits(pages=20))
    yield parser
    parser.close()


class TestTheLocalParser(ParserContract):
    @pytest.fixture
    def parser(self, local_parser: LocalParser) -> Parser:
        return local_parser


@pytest.mark.parametrize("kind", [FileType.TEXT, FileType.MARKDOWN])
def test_a_text_passes_through_but_for_its_encoding_and_line_ends(local_parser: LocalParser, kind: FileType) -> None:
    content = "# Prämie\r\n\r\n| a | b |\r\n| - | - |\r\n\r\n\\* 5 € \x00".replace("\x00", "").encode("utf-16")

    assert parse(local_parser, content, kind).text == "# Prämie\n\n| a | b |\n| - | - |\n\n\\* 5 € "


def test_pictures_written_into_markdown_are_left_out(local_parser: LocalParser) -> None:
    content = b"Cover ![chart](data:image/png;base64," + b"iVBORw0KGgo" * 1000 + b") of it"

    assert parse(local_parser, content, FileType.MARKDOWN).text == "Cover ![chart](data:) of it"


def test_a_csv_becomes_a_table_in_any_encoding(local_parser: LocalParser) -> None:
    content = "Tarif;Prämie\nBasis;10 €\n".encode("cp1252")

    text = parse(local_parser, content, FileType.CSV).text

    assert text.split("\n") == ["| Tarif | Prämie |", "| --- | --- |", "| Basis | 10 € |"]


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-2", "utf-16"])
def test_html_becomes_markdown_by_the_encoding_it_names(local_parser: LocalParser, encoding: str) -> None:
    head = f"<html><head><meta charset='{encoding}'><title>T</title></head>"
    html = head + "<h2>Škoda</h2><p>a &lt; b!</p><img src='data:x'>"

    assert parse(local_parser, html.encode(encoding), FileType.HTML).text == "## Škoda\n\na < b!"


@pytest.mark.parametrize("letter", ["u\u0308", "\u212b", "\u2126"])
def test_a_letter_that_is_written_in_parts_costs_a_document_neither_headings_nor_tables(
    local_parser: LocalParser, letter: str
) -> None:
    page = f"<h1>Cover</h1><p>M{letter}</p><table><tr><td>a</td><td>b</td></tr></table>"
    shown = f"# Cover\n\nM{normalise(letter)}\n\n| a | b |\n| --- | --- |"

    assert parse(local_parser, f"<html>{page}</html>".encode(), FileType.HTML).text == shown
    assert shown in parse(local_parser, mail_of_html(page), FileType.EML).text
    assert shown in parse(local_parser, book(page), FileType.EPUB).text
    assert parse(local_parser, f"M{letter},b\n1,2\n".encode(), FileType.CSV).text.startswith("| M")


def mail_of_html(page: str) -> bytes:
    head = "Subject: x\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
    return f"{head}<html>{page}</html>".encode()


def book(page: str) -> bytes:
    opf = (
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata/><manifest>'
        '<item id="a" href="a.xhtml" media-type="application/xhtml+xml"/></manifest>'
        '<spine><itemref idref="a"/></spine></package>'
    )
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0"><rootfiles>'
        '<rootfile full-path="a.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
    )
    page = f'<html xmlns="http://www.w3.org/1999/xhtml"><body>{page}</body></html>'
    parts = {"META-INF/container.xml": container, "a.opf": opf, "a.xhtml": page}
    return zipped({"mimetype": "application/epub+zip", **parts})


def test_html_of_an_unheard_of_encoding_is_decoded_as_any_text(local_parser: LocalParser) -> None:
    assert parse(local_parser, b"<meta charset='base64'><p>fire", FileType.HTML).text == "fire"


def test_a_long_exchange_of_quoted_mails_is_kept_to_its_oldest(local_parser: LocalParser) -> None:
    html = "<html>" + "".join(f"<blockquote>reply{number} " for number in range(200))

    text = parse(local_parser, html.encode(), FileType.HTML).text

    assert all(f"reply{number}" in text for number in range(200))


def test_a_word_document_keeps_its_text_without_escapes(local_parser: LocalParser) -> None:
    parsed = parse(local_parser, docx("Cover: 50% &lt; 100 &amp; no_limit!", "# of visits"), FileType.DOCX)

    assert parsed.text == "Cover: 50% < 100 & no_limit!\n\n\\# of visits"
    assert parsed.page_starts == ()


def test_a_spreadsheet_of_open_document_becomes_tables(local_parser: LocalParser) -> None:
    cells = "".join(
        f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>'
        for cell in ["fire", "10"]
    )
    table = f'<table:table table:name="Cover"><table:table-row>{cells}</table:table-row></table:table>'
    content = open_document(FileType.ODS, f"<office:spreadsheet>{table}</office:spreadsheet>")

    assert "| fire | 10 |" in parse(local_parser, content, FileType.ODS).text


def test_a_pdf_that_only_forbids_copying_is_parsed(local_parser: LocalParser) -> None:
    assert "clause" in parse(local_parser, pdf("A clause.", owner_password="owner"), FileType.PDF).text  # noqa: S106


@pytest.mark.parametrize(
    ("content", "kind", "code"),
    [
        (pdf("A clause.", user_password="u"), FileType.PDF, "encrypted"),  # noqa: S106
        (pdf("A clause.")[:300], FileType.PDF, "corrupt"),
        (scanned_pdf(), FileType.PDF, "needs_ocr"),
        (pdf("", ""), FileType.PDF, "empty_output"),
        (pdf(*["A clause."] * 21), FileType.PDF, "too_many_pages"),
        (docx(), FileType.DOCX, "empty_output"),
        (docx(*paragraphs(200))[:900], FileType.DOCX, "corrupt"),
        (office(), FileType.XLSX, "corrupt"),
        (zipped({"mimetype": FileType.EPUB}), FileType.EPUB, "corrupt"),
        (with_declared_size(docx("a" * 300_000), "word/document.xml", 10), FileType.DOCX, "bomb"),
        (docx("a", before=ENTITY), FileType.DOCX, "bomb"),
        (docx("a", before=EXTERNAL), FileType.DOCX, "corrupt"),
        (b" \n\x0c", FileType.TEXT, "empty_output"),
        (PNG, FileType.MARKDOWN, "unsupported"),
        (PNG, FileType.CSV, "unsupported"),
        (b"<p> </p>", FileType.HTML, "empty_output"),
        (b"GIF89a", "image/gif", "unsupported"),
    ],
)
def test_what_cannot_be_parsed_is_refused_for_what_it_is(
    local_parser: LocalParser, content: bytes, kind: str, code: str
) -> None:
    error = refusal(local_parser, content, kind)

    assert isinstance(error, PermanentError)
    assert error.code == code


@pytest.mark.parametrize("marked", [["One clause of the policy."], ["One clause of the policy.", "", "Three."]])
def test_a_page_that_only_one_tool_finds_is_kept(monkeypatch: pytest.MonkeyPatch, marked: list[str]) -> None:
    lost = "The second clause of the policy covers theft by night."
    monkeypatch.setattr(pdf_module, "marked_pages", lambda *_: marked)

    pages = pdf_module.pdf_pages(pdf("One clause of the policy.", lost), 5, Counter())

    assert pages == ["One clause of the policy.", lost, *marked[2:]]


def test_the_worker_goes_on_after_a_refusal(local_parser: LocalParser) -> None:
    refusal(local_parser, docx(), FileType.DOCX)

    assert parse(local_parser, docx("A clause."), FileType.DOCX).text == "A clause."


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "repeated",
    [
        "\u0301\u0323",
        "data:",
        "data:image/png;base64,",
        "data:a;base64,A",
        "\r\n\r",
        "\ufb01",
        "\U0001d165",
        "a\u034f\u0301",
    ],
)
def test_two_megabytes_of_anything_are_a_text_long_before_a_quadratic_pattern_would_be_done(
    local_parser: LocalParser, repeated: str
) -> None:
    content = "fire " + repeated * (2_000_000 // len(repeated.encode()))

    assert parse(local_parser, content.encode(), FileType.TEXT).text.startswith("fire")


def test_pages_of_slides_are_counted_too() -> None:
    parser = LocalParser(ParserLimits(pages=2))
    try:
        assert refusal(parser, slides(3), FileType.PPTX).code == "too_many_pages"
        assert len(parse(parser, slides(2), FileType.PPTX).page_starts) == 2
    finally:
        parser.close()


def test_a_worker_says_what_it_is_sealed_by(local_parser: LocalParser) -> None:
    seals = local_parser.seals()
    assert set(seals) == {"filter", "landlock", "namespaces", "user", "threads"}
    assert seals["filter"] == (sys.platform == "linux" and platform.machine() in {"x86_64", "aarch64"})


def test_pages_of_a_file_on_which_a_worker_gives_up_are_unknown() -> None:
    parser = LocalParser(ParserLimits(seconds=0.01))
    try:
        assert parser.count_pages(pdf("A clause.")) is None
    finally:
        parser.close()


def test_text_above_the_limit_is_a_bomb() -> None:
    parser = LocalParser(ParserLimits(output_bytes=1000))
    try:
        assert refusal(parser, docx("fire " * 1000), FileType.DOCX).code == "bomb"
    finally:
        parser.close()


def test_a_document_that_may_only_have_a_short_try_is_given_back_if_it_needs_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(local, "SHORT_TRY_SECONDS", 0.001)
    content = pdf(*["Cover for theft."] * 50)
    document = document_of(content, FileType.PDF)
    parser = LocalParser()
    with pytest.raises(ResourceError, match="parsing_slow"):
        parser.parse(content, replace(document, is_tried_shortly=True))
    assert "theft" in parser.parse(content, document).text
    parser.close()

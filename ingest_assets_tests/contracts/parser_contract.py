"""What every parser must do. A suite for one inherits it and gives the fixture `parser`."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from uuid import UUID

import pytest

from ingest_assets.domain.documents.document import Document, DocumentId, ParsedDocument, UserId
from ingest_assets.domain.errors import CATALOGUE, IngestError
from ingest_assets.domain.files.file_types import FileType
from ingest_assets.domain.text.normalisation import normalise
from ingest_assets.pipeline.ports.providers import Parser
from ingest_assets_tests.sample_files import pdf, scanned_pdf

DIAGNOSIS = "Epidermolysis"


def document_of(content: bytes, kind: str, filename: str = "jane-doe.bin") -> Document:
    identity = UUID("00000000-0000-4000-8000-000000000001")
    sha = sha256(content).hexdigest()
    return Document(DocumentId(identity), UserId(identity), 1, filename, kind, len(content), sha)


def parse(parser: Parser, content: bytes, kind: str) -> ParsedDocument:
    return parser.parse(content, document_of(content, kind))


def refusal(parser: Parser, content: bytes, kind: str) -> IngestError:
    with pytest.raises(IngestError) as refused:
        parse(parser, content, kind)
    return refused.value


class ParserContract:
    @pytest.fixture
    def parser(self) -> Parser:
        raise NotImplementedError

    @pytest.fixture
    def given_pages(self) -> Callable[..., bytes]:
        """Makes a PDF of these pages; a suite whose service is emulated also tells the emulator what it holds."""
        return pdf

    def test_it_says_which_tool_and_version_made_the_text(
        self, parser: Parser, given_pages: Callable[..., bytes]
    ) -> None:
        parsed = parse(parser, given_pages("Fire cover"), FileType.PDF)

        assert parsed.parser == parser.producer_of(FileType.PDF)
        assert parsed.parser.name
        assert parsed.parser.version

    def test_each_page_begins_where_its_text_does(self, parser: Parser, given_pages: Callable[..., bytes]) -> None:
        words = ["Alpha", "Bravo", "Charlie", "Delta"]
        parsed = parse(parser, given_pages(*(f"{word} clause of the policy." for word in words)), FileType.PDF)

        bounds = zip(parsed.page_starts, [*parsed.page_starts[1:], len(parsed.text)], strict=True)
        pages = [parsed.text[start:end] for start, end in bounds]
        assert [[word for word in words if word in page] for page in pages] == [[word] for word in words]

    def test_an_empty_page_keeps_its_number(self, parser: Parser, given_pages: Callable[..., bytes]) -> None:
        parsed = parse(parser, given_pages("Alpha clause.", "", "Charlie clause."), FileType.PDF)

        assert len(parsed.page_starts) == 3
        assert "Charlie" in parsed.text[parsed.page_starts[2] :]

    def test_the_text_is_normal(self, parser: Parser, given_pages: Callable[..., bytes]) -> None:
        parsed = parse(parser, given_pages("One clause.", "Another clause."), FileType.PDF)

        assert normalise(parsed.text) == parsed.text

    def test_the_same_content_gives_the_same_text(self, parser: Parser, given_pages: Callable[..., bytes]) -> None:
        content = given_pages("Fire, flood and theft.")

        assert parse(parser, content, FileType.PDF) == parse(parser, content, FileType.PDF)

    def test_callers_at_the_same_time_get_their_own_texts(
        self, parser: Parser, given_pages: Callable[..., bytes]
    ) -> None:
        contents = [given_pages(f"Clause number{number} of the policy.") for number in range(8)]
        with ThreadPoolExecutor(4) as callers:
            texts = list(callers.map(lambda content: parse(parser, content, FileType.PDF).text, contents))

        assert [f"number{number} " in text for number, text in enumerate(texts)] == [True] * 8

    def test_a_scan_needs_text_recognition_or_has_been_given_it(self, parser: Parser) -> None:
        assert refusal(parser, scanned_pdf(), FileType.PDF).code in {"needs_ocr", "empty_output"}

    @pytest.mark.parametrize("content", [b"", b"no PDF at all", pdf(DIAGNOSIS)[:400], pdf("")])
    def test_a_document_without_a_text_fails_by_the_catalogue(self, parser: Parser, content: bytes) -> None:
        assert refusal(parser, content, FileType.PDF).code in CATALOGUE

    def test_no_failure_shows_the_document_s_name_or_text(self, parser: Parser) -> None:
        error = refusal(parser, pdf(DIAGNOSIS)[:400], FileType.PDF)

        assert not any(hidden in str((error, error.hint, error.__cause__)) for hidden in [DIAGNOSIS, "jane-doe"])
        assert error.__cause__ is None or isinstance(error.__cause__, IngestError)

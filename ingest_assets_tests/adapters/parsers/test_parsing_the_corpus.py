"""Real documents, friendly and hostile, by what must become of each. They are no part of the repository."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.adapters.parsers.sealed.limits import ParserLimits
from ingest_assets.domain.documents.document import ParsedDocument
from ingest_assets.domain.errors import IngestError
from ingest_assets.domain.files.file_types import recognise
from ingest_assets.domain.text.normalisation import normalise
from ingest_assets_tests.contracts.parser_contract import parse

CORPUS = Path(__file__).parents[4] / "shared" / "corpus"

TEXTS = {
    "formats/REPAIR-2022-INV-001_multipage.pdf": (3, "| Claim # | SF-1008 |"),
    "formats/codeblock.md": (0, "```"),
    "formats/csv-comma.csv": (0, "| Index | Customer Id |"),
    "formats/docx-tables.docx": (0, "| Header Col 1 | Header Col 2 |"),
    "formats/docx_code_blocks.docx": (0, "## Case A - normal prose"),
    "formats/example-10k.html": (0, "| Common stock |"),
    "formats/fake-doc.rtf": (0, "# My First Heading"),
    "formats/fake-email-attachment.eml": (0, "- fake-attachment.txt"),
    "formats/fake-power-point-table.pptx": (1, "| Red | Green | Blue |"),
    "formats/fake-text-utf-16-le.txt": (0, "This is a test document"),
    "formats/freeculture.pdf": (352, "copyright"),
    "formats/handbook-1p.docx": (0, "The United States Trustee appoints"),
    "formats/multi-column.pdf": (13, "Assume that our collection"),
    "formats/simple.doc": (0, "Hockey"),
    "formats/simple.odt": (0, "Hockey"),
    "formats/stanley-cups.xlsx": (0, "| Team | Location | Stanley Cups |"),
    "formats/winter-sports.epub": (0, "# WINTER SPORTS IN SWITZERLAND"),
    "formats/word_sample.docx": (0, "## Let’s eat"),
    "hostile/ContentStreamCycleType3insideType3.pdf": (1, "a"),
    "hostile/Pages-tree-refs.pdf": (2, ""),
    "hostile/copy-protected.pdf": (2, "LayoutParser"),
    "hostile/fake-power-point-malformed.pptx": (1, "## Test Slide"),
    "hostile/grid_offset_error.docx": (0, "| A | Merged B1-B3 |"),
    "hostile/helloworld-bad.pdf": (1, "Hello, world!"),
    "hostile/invalid-pdf-structure-pdfminer-one-page.pdf": (2, "Disrupt and dismantle threat actors"),
    "hostile/poppler-91414-0-53.pdf": (1, "foobar"),
    "hostile/scan-bad.pdf": (1, "pdf.js"),
    "insurance/Benefit_Options.pdf": (4, "# Northwind Standard"),
    "insurance/Northwind_Health_Plus_Benefits_Details.pdf": (109, "## SUMMARY OF YOUR COSTS"),
    "insurance/PerksPlus.pdf": (4, "- Gym memberships\n"),
    "insurance/employee_handbook.pdf": (11, "# "),
}
"""The number of pages (0 where the format has none) and something that must be found."""

REFUSALS = {
    "formats/MEDRPT-2024-PAT-3847_medical_report_scan.pdf": "needs_ocr",
    "formats/table-multi-row-column-cells.pdf": "needs_ocr",
    "hostile/PDFBOX-4352-0.pdf": "encrypted",
    "hostile/libreoffice-writer-password.pdf": "encrypted",
    "hostile/loremipsum-flat.pdf": "needs_ocr",
    "hostile/operator_list_cycle.pdf": "empty_output",
    "hostile/password_protected.xlsx": "encrypted",
    "hostile/poppler-395-0-fuzzed.pdf": "corrupt",
    "hostile/poppler-85140-0.pdf": "empty_output",
    "hostile/random.bin": "unsupported",
}


@pytest.fixture(scope="module")
def parser() -> Iterator[LocalParser]:
    parser = LocalParser(ParserLimits(workers=1))
    yield parser
    parser.close()


def corpus_file(name: str) -> bytes:
    path = CORPUS / name
    if not path.exists():
        pytest.skip(f"../shared/corpus/{name} is not here")
    return path.read_bytes()


def submit(parser: LocalParser, name: str) -> ParsedDocument:
    content = corpus_file(name)
    return parse(parser, content, recognise(content, name))


@pytest.mark.parametrize("name", TEXTS)
def test_a_real_document_becomes_text(parser: LocalParser, name: str) -> None:
    pages, expected = TEXTS[name]
    parsed = submit(parser, name)

    assert expected in parsed.text
    assert len(parsed.page_starts) == pages
    assert list(parsed.page_starts) == sorted(parsed.page_starts)
    assert normalise(parsed.text) == parsed.text


@pytest.mark.parametrize("name", REFUSALS)
def test_a_real_document_without_text_is_refused_for_what_it_is(parser: LocalParser, name: str) -> None:
    with pytest.raises(IngestError) as refused:
        submit(parser, name)

    assert refused.value.code == REFUSALS[name]


def test_every_document_of_the_corpus_is_accounted_for() -> None:
    if not CORPUS.exists():
        pytest.skip("../shared/corpus is not here")
    folders = ("formats", "hostile", "insurance")
    files = {f"{folder}/{path.name}" for folder in folders for path in (CORPUS / folder).iterdir()}

    assert files == {*TEXTS, *REFUSALS}


def test_chunks_of_an_insurance_plan_can_say_where_they_are_from(parser: LocalParser) -> None:
    parsed = submit(parser, "insurance/Northwind_Health_Plus_Benefits_Details.pdf")
    page = parsed.text[parsed.page_starts[3] : parsed.page_starts[4]]

    assert page.startswith("Tips:\n\n- Make sure to double-check")
    assert "## HOW PROVIDERS AFFECT YOUR COSTS\n\n### In-Network Providers\n\n" in page
    assert not re.search(r"PAGE \d+|\\[!<>&]", parsed.text)

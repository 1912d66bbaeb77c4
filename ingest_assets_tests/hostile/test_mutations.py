"""Damaged real files through type detection, the sandboxed parser and the chunker: text, or an error of the catalogue.

`make fuzz` runs many more of them: INGEST_FUZZ_ROUNDS is how many per file, INGEST_FUZZ_SEED which.
"""

import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.adapters.parsers.sealed.limits import ParserLimits
from ingest_assets.domain.documents.document import ParsedDocument
from ingest_assets.domain.errors import IngestError
from ingest_assets.domain.files.file_types import recognise
from ingest_assets.domain.text.chunking import ChunkingSettings, chunk_document
from ingest_assets.domain.text.normalisation import has_words, normalise
from ingest_assets_tests.contracts.parser_contract import document_of
from ingest_assets_tests.domain.files.test_file_types import REFUSALS
from ingest_assets_tests.hostile.files import EXHAUSTED, REFUSED, SAMPLES
from ingest_assets_tests.hostile.mutations import mutated

ROUNDS = int(os.environ.get("INGEST_FUZZ_ROUNDS", "10"))
SEED = os.environ.get("INGEST_FUZZ_SEED", "1")
LARGEST_FILE = 600_000
CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
PATHS = [path for path in sorted(CORPUS.glob("*/*")) if path.is_file() and path.stat().st_size <= LARGEST_FILE]
FILES = {path.name: path.read_bytes() for path in PATHS} or {name: make() for name, make in SAMPLES.items()}
CODES = REFUSALS | REFUSED | EXHAUSTED | {"too_many_pages"}


@pytest.fixture(scope="module")
def parser() -> Iterator[LocalParser]:
    local = LocalParser(ParserLimits(seconds=10, memory_mb=1024, workers=1))
    yield local
    local.close()


@pytest.mark.timeout(60 + 20 * ROUNDS)
@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_becomes_text_or_an_error_of_the_catalogue(parser: LocalParser, name: str) -> None:
    others = list(FILES.values())
    for number in range(ROUNDS):
        content = mutated(FILES[name], f"{SEED}/{name}/{number}", others)
        became = parsed_or_refused(parser, content, name)
        if isinstance(became, str):
            assert became in CODES, f"round {number}"
        else:
            check(became, content)


def parsed_or_refused(parser: LocalParser, content: bytes, name: str) -> ParsedDocument | str:
    try:
        return parser.parse(content, document_of(content, recognise(content, name)))
    except IngestError as error:
        return error.code


def check(parsed: ParsedDocument, content: bytes) -> None:
    assert has_words(parsed.text)
    assert normalise(parsed.text) == parsed.text
    assert all(before <= after for before, after in pairwise([0, *parsed.page_starts, len(parsed.text)]))
    settings = ChunkingSettings()
    chunks = chunk_document(document_of(content, "text/plain"), parsed, settings)
    assert chunks
    assert all(len(chunk.text) <= settings.max_characters for chunk in chunks)

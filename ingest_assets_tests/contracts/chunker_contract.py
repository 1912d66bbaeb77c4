"""What every chunker must do. A suite for one inherits it and gives the fixture `chunker`."""

import pytest

from ingest_assets.domain.text.chunking import ChunkingSettings, chunk_document
from ingest_assets.pipeline.ports.providers import Chunker
from ingest_assets_tests.domain.text.markdown_texts import DOCUMENT, parsed, sections, seeded

SETTINGS = ChunkingSettings(400, 80)
TABLE = "| a | b |\n|---|---|\n" + "".join(f"| {number} | {number % 7} |\n" for number in range(2000))
TEXTS = {
    "white space": " \n" * 200_000,
    "a line": "Fire is covered.",
    "a document": "\n\n".join(sections(seeded(1), 5_000)),
    "a large document": "\n\n".join([*sections(seeded(2), 300_000), TABLE, "# Äußerung №1\n\n𝒻ire"]),
}


class ChunkerContract:
    """The fixture's chunker cuts by SETTINGS."""

    @pytest.fixture
    def chunker(self) -> Chunker:
        raise NotImplementedError

    @pytest.mark.parametrize("text", TEXTS.values(), ids=list(TEXTS))
    def test_its_chunks_are_those_of_the_settings_whatever_the_texts_length(self, chunker: Chunker, text: str) -> None:
        source = parsed(text, page_starts=(0, len(text) // 2))
        assert list(chunker.chunk(DOCUMENT, source)) == chunk_document(DOCUMENT, source, SETTINGS)

    def test_it_says_what_cuts(self, chunker: Chunker) -> None:
        assert chunker.producer == SETTINGS.chunker

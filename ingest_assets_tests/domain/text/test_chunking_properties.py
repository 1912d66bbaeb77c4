"""What holds for every text and all settings."""

from itertools import pairwise
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_assets.domain.documents.document import Chunk, Document, DocumentId
from ingest_assets.domain.text import chunking
from ingest_assets.domain.text.chunking import ChunkingSettings, chunk_document
from ingest_assets.domain.text.markdown_blocks import Block, BlockKind, scan_blocks
from ingest_assets_tests.domain.text.markdown_texts import CHUNKING_SETTINGS, DOCUMENT, PROPERTY, TEXTS, parsed

CORPUS = Path(__file__).parents[4] / "shared" / "corpus"


def cut(text: str, settings: ChunkingSettings, document: Document = DOCUMENT) -> list[Chunk]:
    return chunk_document(document, parsed(text), settings)


def tables(text: str) -> list[Block]:
    return [block for block in scan_blocks(text) if block.kind is BlockKind.TABLE]


def own_start(before: Chunk | None, chunk: Chunk) -> int:
    return max(before.end, chunk.start) if before else chunk.start


def check_all(text: str, settings: ChunkingSettings) -> None:
    chunks = cut(text, settings)

    assert [chunk.ordinal for chunk in chunks] == list(range(len(chunks)))
    assert all(0 < len(chunk.text) <= settings.max_characters for chunk in chunks)
    covered = [
        text[own_start(before, chunk) : chunk.end] for before, chunk in zip([None, *chunks], chunks, strict=False)
    ]
    assert "".join("".join(covered).split()) == "".join(text.split())
    for before, after in pairwise(chunks):
        assert before.start < after.start
        assert before.end - after.start <= settings.overlap_characters


@PROPERTY
@given(TEXTS, CHUNKING_SETTINGS)
def test_chunks_cover_the_text_in_order_within_the_limits(text: str, settings: ChunkingSettings) -> None:
    check_all(text, settings)


@PROPERTY
@given(TEXTS, CHUNKING_SETTINGS)
def test_a_chunk_is_its_part_of_the_text_behind_at_most_what_it_repeats_of_its_table(
    text: str, settings: ChunkingSettings
) -> None:
    headers = {text[table.start : table.header_end] + "\n" for table in tables(text)}
    longest = settings.max_characters // 2

    for chunk in cut(text, settings):
        part = text[chunk.start : chunk.end]
        assert part == part.strip()
        assert chunk.text.endswith(part)
        repeated = chunk.text.removesuffix(part)
        header = next((header for header in headers if repeated.startswith(header)), "")
        label = repeated.removeprefix(header)
        assert len(repeated) <= longest + 1
        assert label == "" or (label.endswith("| ") and label[:-1] in text[: chunk.start])


@PROPERTY
@given(TEXTS, CHUNKING_SETTINGS)
def test_chunks_that_begin_among_a_tables_rows_repeat_its_header(text: str, settings: ChunkingSettings) -> None:
    found = tables(text)

    for chunk in cut(text, settings):
        for table in found:
            header = text[table.start : table.header_end]
            if table.header_end <= chunk.start < table.end and len(header) < settings.max_characters // 2:
                assert chunk.text.startswith(header + "\n")


@PROPERTY
@given(TEXTS, CHUNKING_SETTINGS)
def test_a_block_that_leaves_a_quarter_for_its_headings_is_never_cut(text: str, settings: ChunkingSettings) -> None:
    chunks = cut(text, settings)

    for block in scan_blocks(text):
        if block.end - block.start <= settings.max_characters - settings.max_characters // 4:
            assert any(chunk.start <= block.start and block.end <= chunk.end for chunk in chunks)


@PROPERTY
@given(TEXTS, st.integers(400, 1200))
def test_no_chunk_ends_with_a_heading_whose_text_is_in_the_next(text: str, max_characters: int) -> None:
    ends = {chunk.end for chunk in cut(text, ChunkingSettings(max_characters, 100))}
    blocks = list(scan_blocks(text))
    longest = max_characters // 4

    for before, heading, block in zip([None, *blocks], blocks, blocks[1:], strict=False):
        introduces = heading.kind is BlockKind.HEADING and block.kind is not BlockKind.HEADING
        is_alone = before is None or before.kind is not BlockKind.HEADING
        if introduces and is_alone and block.start - heading.start <= longest:
            assert heading.end not in ends


@PROPERTY
@given(TEXTS, CHUNKING_SETTINGS)
def test_a_chunk_stands_under_the_headings_of_its_own_first_character(text: str, settings: ChunkingSettings) -> None:
    chunks = cut(text, settings)
    blocks = list(scan_blocks(text))

    for before, chunk in zip([None, *chunks], chunks, strict=False):
        first = text[own_start(before, chunk) :]
        offset = len(text) - len(first.lstrip())
        (block,) = (block for block in blocks if block.start <= offset < block.end)
        assert chunk.heading_path == block.heading_path


@PROPERTY
@given(TEXTS, CHUNKING_SETTINGS)
def test_what_a_chunk_repeats_is_of_the_block_it_goes_on_with(text: str, settings: ChunkingSettings) -> None:
    blocks = list(scan_blocks(text))

    for before, chunk in pairwise(cut(text, settings)):
        if chunk.start < before.end:
            (block,) = (block for block in blocks if block.start <= chunk.start < block.end)
            assert block.start < before.end < block.end


@PROPERTY
@given(TEXTS, CHUNKING_SETTINGS)
def test_the_same_input_gives_the_same_chunks_and_another_document_other_ids(
    text: str, settings: ChunkingSettings
) -> None:
    chunks = cut(text, settings)
    other = Document(DocumentId(UUID(int=7)), DOCUMENT.user_id, 1, DOCUMENT.filename, "text/markdown", 1, "0" * 64)
    ids = {chunk.chunk_id for chunk in chunks}

    assert chunks == cut(text, settings)
    assert len(ids) == len(chunks)
    assert ids.isdisjoint(chunk.chunk_id for chunk in cut(text, settings, other))
    assert [chunk.chunk_sha for chunk in chunks] == [chunk.chunk_sha for chunk in cut(text, settings, other)]


@pytest.mark.parametrize("limit", [60, 200, 1000])
@pytest.mark.parametrize("name", ["codeblock.md", "csv-comma.csv"])
def test_real_files_keep_to_it_too(name: str, limit: int) -> None:
    path = CORPUS / "formats" / name
    if not path.is_file():
        pytest.skip(f"the corpus of real documents is not there: {name} was not tried")

    check_all(path.read_text(encoding="utf-8"), ChunkingSettings(limit, limit // 5))


@PROPERTY
@given(TEXTS, CHUNKING_SETTINGS, st.integers(1, 9))
def test_chunks_cover_a_text_that_is_worked_on_piece_by_piece(text: str, settings: ChunkingSettings, few: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunking, "UNITS_AT_ONCE", few)
        check_all(text, settings)

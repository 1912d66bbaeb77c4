from dataclasses import replace
from hashlib import sha256
from itertools import pairwise
from uuid import UUID

import pytest

from ingest_assets.domain.documents.document import Chunk, DocumentId, Producer
from ingest_assets.domain.text.chunking import CHUNKER, ChunkingSettings, chunk_document
from ingest_assets_tests.domain.text.markdown_texts import DOCUMENT, chunked, paragraph, parsed, sections, seeded


def texts(chunks: list[Chunk]) -> list[str]:
    return [chunk.text for chunk in chunks]


@pytest.mark.parametrize(("most", "overlap"), [(0, 0), (-1, 0), (1000, -1), (1000, 501), (1, 1)])
def test_settings_that_leave_no_room_are_refused(most: int, overlap: int) -> None:
    with pytest.raises(ValueError, match="characters must be"):
        ChunkingSettings(most, overlap)


def test_other_settings_are_another_version_of_the_chunker() -> None:
    assert Producer("markdown", "2") == CHUNKER
    assert ChunkingSettings().chunker == Producer("markdown", "2-1000-200")
    assert ChunkingSettings(500, 50).chunker == Producer("markdown", "2-500-50")


def test_white_space_alone_gives_no_chunks() -> None:
    assert chunked("") == chunked(" \n\t\n") == []


def test_a_short_document_is_one_chunk() -> None:
    (chunk,) = chunked("\n# Cover\n\nWe pay for fire.\n")

    assert (chunk.text, chunk.start, chunk.end, chunk.ordinal) == ("# Cover\n\nWe pay for fire.", 1, 26, 0)


def test_what_is_embedded_names_the_document_and_the_headings_above_the_text() -> None:
    chunk = chunked("# Cover\n\n## Fire\n\n" + "We pay. " * 150)[-1]

    assert chunk.embedding_input == f"household policy 2026 > Cover > Fire\n{chunk.text}"
    assert chunk.chunk_sha == sha256(chunk.embedding_input.encode()).hexdigest()


def test_ids_are_the_same_on_every_machine() -> None:
    (chunk,) = chunked("We pay for fire.")

    assert chunk.chunk_id == UUID("57caf8c2-2a00-5b4f-b5dd-4be8126c70e1")


def test_an_id_depends_on_document_settings_place_and_content() -> None:
    def ids(text: str, document: int = 1, overlap: int = 200) -> set[UUID]:
        source = replace(DOCUMENT, document_id=DocumentId(UUID(int=document)))
        return {chunk.chunk_id for chunk in chunk_document(source, parsed(text), ChunkingSettings(1000, overlap))}

    variants = [ids("a"), ids("b"), ids("a", document=2), ids("a", overlap=100), ids("x" * 1600)]

    assert ids("a") == variants[0]
    assert len(set.union(*variants)) == sum(map(len, variants)) == 6


def test_text_before_any_heading_has_no_path() -> None:
    chunks = chunked("We pay.\n\n# Cover\n\n" + "Fire. " * 165)

    assert [chunk.heading_path for chunk in chunks] == [(), ("Cover",)]


def test_sections_that_fit_share_a_chunk_under_the_first_heading() -> None:
    (chunk,) = chunked("# Cover\n\n## Fire\n\nYes.\n\n## War\n\nNo.")

    assert chunk.heading_path == ("Cover",)


def test_a_chunk_ends_before_a_heading_rather_than_between_paragraphs() -> None:
    words = "w" * 300
    chunks = chunked(f"{words}\n\n{words}\n\n# Cover\n\n{words}\n\n{words}")

    assert [chunk.text[:7] for chunk in chunks] == ["wwwwwww", "# Cover"]


def test_only_whole_sections_share_a_chunk() -> None:
    chunks = chunked("\n\n".join(sections(seeded(1), 100_000)))
    shared = [number for number, chunk in enumerate(chunks[:-1]) if number and "\n## " in chunk.text]

    assert len(shared) > 5
    assert all(chunks[number].text.startswith("## ") for number in shared)
    assert all(chunks[number + 1].text.startswith("## ") for number in shared)


@pytest.mark.parametrize("follower", ["Words of a sentence. " * 60, "w" * 990, "- item\n" * 200, "```\n" + "c\n" * 700])
def test_no_heading_is_left_behind_at_the_end_of_a_chunk(follower: str) -> None:
    chunks = chunked("First. " * 120 + f"\n\n# Cover\n\n## Fire\n\n{follower}")

    assert len(chunks) >= 3
    assert not any(chunk.text.splitlines()[-1].startswith("#") for chunk in chunks)


def test_a_fence_that_fits_stays_whole() -> None:
    fence = "```\n" + "x = 1\n\n# no heading\n" * 40 + "```"
    chunks = chunked(f"# Code\n\n{'Before. ' * 100}\n\n{fence}\n\n{'After. ' * 100}")

    assert 800 < len(fence) < 1000
    assert sum(fence in chunk.text for chunk in chunks) == 1
    assert {chunk.heading_path for chunk in chunks} == {("Code",)}


def test_every_part_of_a_table_begins_with_its_header() -> None:
    header = "| peril | limit |\n|---|---|"
    text = (
        f"Before\n\n{header}\n" + "".join(f"| peril {number} | {number} EUR |\n" for number in range(100)) + "\nAfter"
    )
    parts = [chunk for chunk in chunked(text) if "peril 0" not in chunk.text]

    assert len(parts) >= 2
    assert all(chunk.text == f"{header}\n{text[chunk.start : chunk.end]}" for chunk in parts)
    assert all(text[chunk.start :].startswith("| peril ") for chunk in parts)


def test_a_header_that_would_fill_most_of_a_chunk_is_not_repeated() -> None:
    header = f"| {'long ' * 100}| b |\n|---|---|"
    chunks = chunked(f"{header}\n" + "| value | other value |\n" * 100)

    assert len(header) > 500
    assert sum(header in chunk.text for chunk in chunks) == 1


def test_a_row_wider_than_a_chunk_is_cut_between_cells() -> None:
    row = "|" + " cell number one |" * 100
    chunks = chunked(f"| a | b |\n|---|---|\n{row}")

    assert len(chunks) >= 2
    assert all(chunk.text.startswith("| a | b |\n|---|---|\n") and chunk.text.endswith("one |") for chunk in chunks)


def test_every_part_of_a_row_wider_than_a_chunk_begins_with_its_first_cell() -> None:
    text = f"| layer | wording |\n|---|---|\n| fire | flood |\n| Treaty 7 | {'clause and ' * 300}limit 5,120,000 |\n"
    parts = [chunk for chunk in chunked(text) if "flood" not in chunk.text]

    assert len(parts) >= 3
    assert all(chunk.text.startswith("| layer | wording |\n|---|---|\n| Treaty 7 | ") for chunk in parts)
    assert all(chunk.text.endswith(text[chunk.start : chunk.end]) for chunk in parts)
    assert "5,120,000" in parts[-1].text


def test_a_first_cell_that_says_nothing_or_would_fill_most_of_a_chunk_is_not_repeated() -> None:
    for cell in ("", "-", "long " * 120):
        text = f"| a | b |\n|---|---|\n| {cell} | {'clause and ' * 300}|\n"
        assert all(
            chunk.text == "| a | b |\n|---|---|\n" + text[chunk.start : chunk.end] for chunk in chunked(text)[1:]
        )


def test_a_cell_that_fits_in_a_chunk_is_never_cut() -> None:
    cells = [f"cell {number} \\| {'of words ' * (number * 7 % 60)}end" for number in range(60)]
    chunks = chunked(f"| a | b |\n|---|---|\n| {' | '.join(cells)} |\n")

    assert all(any(cell in chunk.text for chunk in chunks) for cell in cells)


def test_a_chunk_that_begins_inside_a_paragraph_repeats_the_sentences_before() -> None:
    text = " ".join(f"This is sentence number {number} of many." for number in range(100))
    chunks = chunked(text)

    assert len(chunks) > 4
    for before, chunk in pairwise(chunks):
        assert 100 < before.end - chunk.start <= 200
        assert chunk.text.startswith("This is sentence")


def test_a_sentence_too_long_to_repeat_gives_its_last_words() -> None:
    long = "Words " + "and words " * 45 + "end. "
    chunks = chunked(long * 8)

    assert [before.end - after.start for before, after in pairwise(chunks)].count(0) == 0
    assert all(chunk.text.startswith(("words", "and", "Words")) for chunk in chunks)


def test_a_chunk_that_begins_with_a_block_repeats_nothing() -> None:
    chunks = chunked("\n\n".join(["w" * 600] * 5))

    assert texts(chunks) == ["w" * 600] * 5


def test_no_chunk_is_wholly_repeated_by_the_next() -> None:
    for length in range(20, 60):
        chunks = chunked("Short one. " + "w" * length + ". " + "Then more. " * 10, 60, 30)

        assert len(chunks) > 2
        assert all(before.start < after.start for before, after in pairwise(chunks))


def test_without_overlap_nothing_is_repeated() -> None:
    chunks = chunked("A sentence of words. " * 200, overlap_characters=0)

    assert all(before.end <= after.start for before, after in pairwise(chunks))


def test_the_page_is_that_of_the_first_character_not_repeated() -> None:
    text = "A sentence of words. " * 100
    settings = ChunkingSettings()
    _, second, *_ = chunk_document(DOCUMENT, parsed(text), settings)
    own_start = chunk_document(DOCUMENT, parsed(text), settings)[0].end + 1

    def page_of_second(*page_starts: int) -> int | None:
        return chunk_document(DOCUMENT, parsed(text, page_starts), settings)[1].page

    assert second.page is None
    assert second.start < own_start
    assert page_of_second(0, own_start) == 2
    assert page_of_second(0, own_start + 1) == 1
    assert page_of_second(0, 1, 1, own_start) == 4
    assert page_of_second(own_start + 5) == 1


def test_documents_of_about_ten_thousand_characters_have_about_fifteen_chunks() -> None:
    text = "\n\n".join(paragraph(seeded(number)) for number in range(1000))

    assert 600 < len(text) / len(chunked(text)) < 800

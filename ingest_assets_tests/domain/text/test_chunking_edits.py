"""An edit changes the chunks around it and no others: what changes is what is paid for again."""

from collections.abc import Callable
from random import Random
from statistics import mean

import pytest

from ingest_assets_tests.domain.text.markdown_texts import chunked, paragraph, paragraphs, sections, seeded, sentence

FAR = 4000
"""Characters. In 12,000 documents nothing changed more than 2,152 characters away from an edit: how far a change
reaches falls like 1 / k! over k chunks, since it passes on only from a stronger boundary to the next weaker one."""

Generate = Callable[[Random, int], list[str]]
Edit = Callable[[list[str], int, str], list[str]]


def change_a_word(parts: list[str], number: int, _other: str) -> list[str]:
    words = parts[number].split(" ")
    words[-2] = "changed"
    return [*parts[:number], " ".join(words), *parts[number + 1 :]]


def add_some_words(parts: list[str], number: int, _other: str) -> list[str]:
    return [*parts[:number], f"{parts[number]} There is an excess of 500 EUR for each loss.", *parts[number + 1 :]]


def write_anew(parts: list[str], number: int, other: str) -> list[str]:
    return [*parts[:number], other, *parts[number + 1 :]]


def insert(parts: list[str], number: int, other: str) -> list[str]:
    return [*parts[:number], other, *parts[number:]]


def delete(parts: list[str], number: int, _other: str) -> list[str]:
    return [*parts[:number], *parts[number + 1 :]]


def rows(random: Random, characters: int) -> list[str]:
    return [f"| {number:05d} | {random.randint(1, 999)} |" for number in range(characters // 16)]


def items(random: Random, characters: int) -> list[str]:
    return [f"- {sentence(random)}" for _ in range(characters // 80)]


def sentences(random: Random, characters: int) -> list[str]:
    return [sentence(random) for _ in range(characters // 80)]


EDITS = [change_a_word, add_some_words, write_anew, insert, delete]
KINDS = [
    (paragraphs, "\n\n"),
    (sections, "\n\n"),
    (sentences, " "),
    (sentences, "\n"),
    (items, "\n"),
    (rows, "\n"),
]


@pytest.mark.parametrize(("generate", "separator"), KINDS)
@pytest.mark.parametrize("edit", EDITS)
def test_far_from_an_edit_no_chunk_changes(generate: Generate, separator: str, edit: Edit) -> None:
    head = "| number | value |\n|---|---|\n" if generate is rows else ""
    for seed in range(5):
        random = seeded(seed)
        parts = generate(random, 30_000)
        number, other = random.randrange(len(parts)), random.choice(generate(random, 5_000))
        before = chunked(head + separator.join(parts))
        after = chunked(head + separator.join(edit(parts, number, other)))
        place = len(head) + len(separator.join(parts[:number]))
        known = {chunk.chunk_sha for chunk in before}
        changed = [chunk for chunk in after if chunk.chunk_sha not in known]

        assert len(after) > 30
        assert all(place - FAR < chunk.start and chunk.end < place + FAR for chunk in changed)


@pytest.mark.parametrize("generate", [paragraphs, sections])
@pytest.mark.parametrize(
    ("edit", "most"), [(change_a_word, 1.15), (add_some_words, 1.2), (write_anew, 1.7), (insert, 1.7), (delete, 1.2)]
)
def test_an_edit_of_a_paragraph_changes_little_more_than_one_chunk(generate: Generate, edit: Edit, most: float) -> None:
    changes = []
    for seed in range(40):
        random = seeded(seed)
        parts = generate(random, 10_000)
        known = {chunk.chunk_sha for chunk in chunked("\n\n".join(parts))}
        number = random.choice([number for number, part in enumerate(parts) if not part.startswith("#")])
        other = paragraph(random)
        edited = chunked("\n\n".join(edit(parts, number, other)))
        changes.append(sum(chunk.chunk_sha not in known for chunk in edited))

    assert 0.5 < mean(changes) <= most


def test_a_paragraph_put_before_all_others_moves_the_chunks_and_changes_none_far_away() -> None:
    text = "\n\n".join(paragraphs(seeded(1), 30_000))
    before, after = chunked(text), chunked(f"{paragraph(seeded(2))}\n\n{text}")

    assert [chunk.chunk_sha for chunk in after[-30:]] == [chunk.chunk_sha for chunk in before[-30:]]
    assert before[-1].start < after[-1].start


def test_a_renamed_heading_changes_its_own_section_alone() -> None:
    random = seeded(3)
    cover, limits = ("\n\n".join(paragraphs(random, 5_000)) for _ in range(2))
    before = chunked(f"# Cover\n\n{cover}\n\n# Limits\n\n{limits}")
    after = chunked(f"# What we cover\n\n{cover}\n\n# Limits\n\n{limits}")
    same = {chunk.chunk_sha for chunk in before} & {chunk.chunk_sha for chunk in after}

    assert same == {chunk.chunk_sha for chunk in after if chunk.heading_path == ("Limits",)}
    assert len(same) > 4

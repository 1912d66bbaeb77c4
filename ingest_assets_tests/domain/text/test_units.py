from itertools import pairwise

import pytest
from hypothesis import given

from ingest_assets.domain.text.chunking import ChunkingSettings
from ingest_assets.domain.text.markdown_blocks import scan_blocks
from ingest_assets.domain.text.units import Boundary, Unit, units_of
from ingest_assets_tests.domain.text.markdown_texts import CHUNKING_SETTINGS, PROPERTY, TEXTS


def units(text: str, max_characters: int, overlap_characters: int = 0) -> list[Unit]:
    return list(units_of(text, scan_blocks(text), max_characters, overlap_characters))


def cuts(text: str, max_characters: int) -> list[tuple[int, str]]:
    return [(unit.boundary, text[unit.start : unit.end]) for unit in units(text, max_characters)]


def test_blocks_that_fit_are_units() -> None:
    assert cuts("## A\n\nOne. Two.\n\n- b\n- c\n\n### D\n\nThree.", 100) == [
        (Boundary.HEADING + 4, "## A"),
        (Boundary.JOINT, "One. Two."),
        (Boundary.BLOCK, "- b\n- c"),
        (Boundary.HEADING + 3, "### D"),
        (Boundary.JOINT, "Three."),
    ]


def test_a_higher_heading_is_a_stronger_boundary() -> None:
    strengths = [unit.boundary for unit in units("###### F\n\nf\n\n## B\n\nb\n\n# A", 100)]

    assert strengths[0] < strengths[2] < strengths[4]
    assert strengths[1] < strengths[0]


def test_only_a_deeper_heading_belongs_to_the_heading_before_it() -> None:
    strengths = [unit.boundary for unit in units("# A\n## B\n## C\n# D", 100)]

    assert strengths[1:] == [Boundary.JOINT, Boundary.HEADING + 4, Boundary.HEADING + 5]


def test_a_long_paragraph_is_cut_into_sentences() -> None:
    assert cuts('We pay for fire. "And water!" See e.g. the list. Dr. Somebody?\nNot for war.', 30) == [
        (Boundary.BLOCK, "We pay for fire."),
        (Boundary.SENTENCE, '"And water!"'),
        (Boundary.SENTENCE, "See e.g. the list."),
        (Boundary.SENTENCE, "Dr. Somebody?"),
        (Boundary.SENTENCE, "Not for war."),
    ]


def test_sentences_end_without_spaces_where_the_script_has_none() -> None:
    assert [words for _, words in cuts("保険金を支払います。「はい、そうです。」次の場合を除きます。", 15)] == [
        "保険金を支払います。",
        "「はい、そうです。」",
        "次の場合を除きます。",
    ]


def test_a_long_list_is_cut_into_items() -> None:
    assert cuts("- fire and smoke\n  of any kind\n- water damage\n  1. nested one\n\n* storm", 30) == [
        (Boundary.BLOCK, "- fire and smoke\n  of any kind"),
        (Boundary.ITEM, "- water damage"),
        (Boundary.ITEM, "1. nested one"),
        (Boundary.ITEM, "* storm"),
    ]


def test_a_long_fence_is_cut_into_lines() -> None:
    assert cuts("```\nfirst = 1\n\nsecond = 2\n```", 20) == [
        (Boundary.BLOCK, "```\nfirst = 1"),
        (Boundary.ITEM, "second = 2"),
        (Boundary.ITEM, "```"),
    ]


def test_a_long_table_is_cut_into_rows_and_wide_rows_into_cells() -> None:
    text = "| a | b |\n|---|---|\n| one | two |\n| a wide cell here | another wide cell |"

    assert cuts(text, 44) == [
        (Boundary.BLOCK, "| a | b |\n|---|---|"),
        (Boundary.JOINT, "| one | two |"),
        (Boundary.ITEM, "| a wide cell here |"),
        (Boundary.LINE, "another wide cell |"),
    ]


def test_a_long_sentence_is_cut_at_line_ends_and_then_between_words() -> None:
    assert cuts("one two three four five\nsix seven eight nine", 24) == [
        (Boundary.BLOCK, "one two three four five"),
        (Boundary.LINE, "six seven eight nine"),
    ]
    assert cuts("incomparable incomprehensible words", 20) == [
        (Boundary.BLOCK, "incomparable"),
        (Boundary.WORD, "incomprehensible"),
        (Boundary.WORD, "words"),
    ]


def test_a_word_without_an_end_is_cut_into_equal_pieces() -> None:
    assert cuts("x" * 25, 10) == [
        (Boundary.BLOCK, "x" * 10),
        (Boundary.CHARACTER, "x" * 10),
        (Boundary.CHARACTER, "x" * 5),
    ]


@pytest.mark.parametrize(
    "cluster", ["e\u0301\u0323", "\U0001f44d\U0001f3fd", "\u2764\ufe0f", "\U0001f469\u200d\U0001f52c"]
)
def test_characters_that_combine_stay_together(cluster: str) -> None:
    pieces = [words for _, words in cuts(cluster * 40, 10)]

    assert len(pieces) > 5
    assert all(piece.replace(cluster, "") == "" for piece in pieces)


def test_marks_without_end_are_cut_all_the_same() -> None:
    assert [len(words) for _, words in cuts("e" + "\u0301" * 24, 10)] == [10, 10, 5]


def test_a_block_leaves_room_for_the_heading_that_introduces_it() -> None:
    fence = "```\n" + "line\n" * 17 + "```"

    assert len(fence) == 92
    assert len(units(f"# Code\n\n{fence}", 100)) == 2
    assert len(units(f"# Some code\n\n{fence}", 100)) > 2


def test_units_inside_a_block_leave_room_for_what_a_chunk_repeats() -> None:
    text = "A sentence of words. " * 10 + "\n\n| a |\n|---|\n" + "| row one |\n" * 20
    leads = [unit.lead for unit in units(text, 100, overlap_characters=30)]

    assert leads == [0] + [30] * 9 + [0] + [len("| a |\n|---|\n")] * 20


@PROPERTY
@given(TEXTS, CHUNKING_SETTINGS)
def test_units_cover_the_text_in_order(text: str, settings: ChunkingSettings) -> None:
    found = units(text, settings.max_characters, settings.overlap_characters)

    assert "".join("".join(text[unit.start : unit.end].split()) for unit in found) == "".join(text.split())
    assert all(before.end <= after.start for before, after in pairwise(found))


@PROPERTY
@given(TEXTS, CHUNKING_SETTINGS)
def test_a_unit_fits_in_a_chunk_with_what_it_repeats(text: str, settings: ChunkingSettings) -> None:
    found = units(text, settings.max_characters, settings.overlap_characters)

    assert all(unit.lead + unit.end - unit.start <= settings.max_characters for unit in found)
    assert all(text[unit.start : unit.end].strip() for unit in found)

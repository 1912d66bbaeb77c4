"""Automatic numbers, as word processors show them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_assets.domain.text.numbering import FORMATS, Level, Numbering, formatted

ROMAN_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
CLAUSES = {0: Level(text="Section %1"), 1: Level(text="%1.%2"), 2: Level("lowerLetter", "(%3)")}


def numbered(levels: dict[int, Level], *depths: int) -> list[str]:
    numbering = Numbering()
    return [numbering.next("clauses", levels, depth) for depth in depths]


@pytest.mark.parametrize(
    ("kind", "number", "shown"),
    [
        ("decimal", 12, "12"),
        ("decimalZero", 7, "07"),
        ("lowerRoman", 1994, "mcmxciv"),
        ("upperRoman", 4, "IV"),
        ("upperRoman", 0, "0"),
        ("lowerLetter", 26, "z"),
        ("lowerLetter", 28, "bb"),
        ("upperLetter", 3, "C"),
        ("ordinal", 111, "111th"),
        ("ordinal", 22, "22nd"),
        ("cardinalText", 42, "Forty-two"),
        ("ordinalText", 20, "Twentieth"),
        ("ordinalText", 32, "Thirty-second"),
        ("chicago", 6, "††"),
        ("none", 3, ""),
        ("aFormatOfTheFuture", 3, "3"),
    ],
)
def test_a_number_is_shown_in_its_format(kind: str, number: int, shown: str) -> None:
    assert formatted(number, kind) == shown


def test_clauses_are_numbered_through_all_levels() -> None:
    shown = numbered(CLAUSES, 0, 1, 0, 1, 1, 2, 2, 1)

    assert shown == ["Section 1", "1.1", "Section 2", "2.1", "2.2", "(a)", "(b)", "2.3"]


def test_a_level_may_run_on_through_those_above_it() -> None:
    levels = {0: Level("upperRoman", "Part %1"), 1: Level(text="Clause %2", restart_after=0)}

    assert numbered(levels, 0, 1, 1, 0, 1) == ["Part I", "Clause 1", "Clause 2", "Part II", "Clause 3"]


def test_a_level_may_begin_anew_only_after_a_far_higher_one() -> None:
    levels = {0: Level(), 1: Level(text="%2"), 2: Level(text="%3", restart_after=1)}

    assert numbered(levels, 0, 1, 2, 1, 2, 0, 1, 2) == ["1.", "1", "1", "2", "2", "2.", "1", "1"]


def test_legal_numbers_are_decimal_whatever_the_levels_above_are() -> None:
    levels = {0: Level("upperRoman", "Article %1"), 1: Level(text="Section %1.%2", is_legal=True)}

    assert numbered(levels, 0, 0, 1) == ["Article I", "Article II", "Section 2.1"]


def test_a_level_that_nothing_has_reached_shows_its_first_number() -> None:
    assert numbered({0: Level(start=3), 1: Level(text="%1.%2")}, 1, 1) == ["3.1", "3.2"]


def test_a_list_that_is_told_so_begins_anew_and_lists_of_other_names_are_their_own() -> None:
    numbering, levels = Numbering(), {0: Level()}
    shown = [
        numbering.next(name, levels, 0, restart) for name, restart in [("a", None), ("a", 5), ("a", None), ("b", None)]
    ]

    assert shown == ["1.", "5.", "6.", "1."]


@given(st.integers(1, 3999))
def test_a_roman_number_is_worth_its_signs(number: int) -> None:
    values = [ROMAN_VALUES[sign] for sign in formatted(number, "upperRoman")]
    signed = [-value if value < max(values[at:]) else value for at, value in enumerate(values)]

    assert sum(signed) == number


@given(st.sampled_from(sorted(FORMATS)), st.integers(-5, 10**9))
def test_every_format_shows_every_number_shortly(kind: str, number: int) -> None:
    assert len(formatted(number, kind)) <= 40


@given(st.lists(st.integers(0, 8), min_size=1, max_size=60))
def test_siblings_are_counted_without_a_gap(depths: list[int]) -> None:
    levels = {depth: Level(text=f"%{depth + 1}") for depth in range(9)}
    shown = list(map(int, numbered(levels, *depths)))
    for at, depth in enumerate(depths):
        before = [each for each in range(at) if depths[each] <= depth]
        has_sibling = before and depths[before[-1]] == depth
        assert shown[at] == (shown[before[-1]] + 1 if has_sibling else 1)


@given(st.text(max_size=30))
def test_any_text_of_a_level_is_shown_without_its_placeholders(text: str) -> None:
    [shown] = numbered({0: Level(text=text)}, 0)

    assert not re.search("%[1-9]", shown) or re.search("%%|%[0-9]%", text)

"""The chunker's work grows with the text and not faster, whatever the text is."""

import sys
import tracemalloc
from types import FrameType
from typing import Any

import pytest

from ingest_assets.domain.text import chunking
from ingest_assets_tests.domain.text.markdown_texts import REPEATED, chunked, paragraphs, seeded

GROWTH = 4
SHORT = 2_000
LONG = 400_000

GROWING = {
    "quotations ever deeper": lambda number: ">" * number + " a",
    "items ever deeper": lambda number: " " * number + "- a",
    "fences ever longer": lambda number: "`" * (number + 3),
    "rows ever wider": lambda number: "|" + "a|" * number,
}


def repeated(name: str, characters: int) -> str:
    return (REPEATED[name] * characters)[:characters]


def growing(name: str, characters: int) -> str:
    return "\n".join(GROWING[name](number) for number in range(int((2 * characters) ** 0.5)))


def lines_run(text: str) -> int:
    """How many lines of Python it takes to chunk the text: the same number on every machine."""
    count = 0

    def trace(_frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    outer = sys.gettrace()
    sys.settrace(trace)
    try:
        chunked(text)
    finally:
        sys.settrace(outer)
    return count


@pytest.mark.parametrize("name", REPEATED)
def test_four_times_the_text_takes_at_most_four_times_the_steps(name: str) -> None:
    few, many = lines_run(repeated(name, SHORT)), lines_run(repeated(name, SHORT * GROWTH))

    assert few > 0
    assert many <= 1.1 * GROWTH * few


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", REPEATED)
def test_four_hundred_kilobytes_of_anything_is_done_long_before_a_quadratic_pattern_would_be(name: str) -> None:
    chunks = chunked(repeated(name, LONG))

    assert all(len(chunk.text) <= 1000 for chunk in chunks)
    assert len(chunks) >= 360 or not repeated(name, 100).strip()


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", GROWING)
def test_four_hundred_kilobytes_of_lines_each_longer_than_the_last_is_done_too(name: str) -> None:
    assert len(chunked(growing(name, LONG))) > 250


@pytest.mark.timeout(60)
@pytest.mark.parametrize("gap", [" ", "\n", "\n "])
def test_four_hundred_kilobytes_of_white_space_between_two_words_is_two_chunks(gap: str) -> None:
    assert [chunk.text for chunk in chunked(f"- a.{gap * LONG}b")] == ["- a.", "b"]


@pytest.mark.timeout(60)
def test_a_table_of_fifty_thousand_rows_is_done_with_its_header_in_every_chunk() -> None:
    rows = "".join(f"| {number} | {number % 7} |\n" for number in range(50_000))
    chunks = chunked(f"| a | b |\n|---|---|\n{rows}")

    assert len(chunks) > 500
    assert all(chunk.text.startswith("| a | b |\n|---|---|\n") for chunk in chunks)


@pytest.mark.timeout(60)
def test_a_heading_of_four_hundred_kilobytes_is_not_repeated_in_every_chunk() -> None:
    heading = "# " + "very " * (LONG // 5)
    chunks = chunked(heading + "\n\n" + "\n\n".join(paragraphs(seeded(1), 10_000)))

    assert max(len(chunk.embedding_input) for chunk in chunks) < 1300


def test_a_text_of_single_letters_takes_memory_for_few_of_them_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunking, "UNITS_AT_ONCE", 200)
    text = "a\n\n" * 20_000
    tracemalloc.start()
    chunked(text)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 30 * len(text)

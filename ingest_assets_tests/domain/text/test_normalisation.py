import codecs
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_assets.domain.text.normalisation import LONGEST_MARK_RUN, decode, has_words, join_pages, normalise

ANY_TEXT = st.text(alphabet=st.characters()) | st.text(
    alphabet="a\r\n\u0301\u0323\u0f73\u0344\u1100\u1161\ud800\ufb01\x00"
)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("one\r\ntwo\rthree\x0cfour\u2028five", "one\ntwo\nthree\nfour\nfive"),
        ("a\tb", "a\tb"),
        ("nul\x00 bell\x07 escape\x1b[0m", "nul bell escape[0m"),
        ("\ufeffmark", "mark"),
        ("de\u00adduc\u00adtible", "deductible"),
        ("e\u0301", "é"),
        ("de\ufb01ned bene\ufb01t o\ufb03ce", "defined benefit office"),
        ("lone\ud800", "lone\ufffd"),
    ],
)
def test_text_becomes_normal(text: str, normal: str) -> None:
    assert normalise(text) == normal


@given(ANY_TEXT)
def test_every_text_becomes_a_normal_one_that_stays_as_it_is(text: str) -> None:
    normal = normalise(text)

    assert normalise(normal) == normal
    assert normal.encode().decode() == normal
    assert unicodedata.is_normalized("NFC", normal)
    assert not {"\x00", "\r"} & set(normal)


@given(st.text(alphabet="a\u0301\u0323\u0f73\u0344\U0001d165\U0001d15e", min_size=40, max_size=200))
def test_runs_of_combining_marks_stay_short_and_the_text_stays_normal(text: str) -> None:
    normal = normalise(text)

    assert longest_mark_run(normal) <= LONGEST_MARK_RUN
    assert normalise(normal) == normal


def test_a_million_combining_marks_are_normalised() -> None:
    """Composing them as they are would take hours."""
    assert longest_mark_run(normalise("a" + "\u0301\u0323" * 500_000)) == LONGEST_MARK_RUN


def longest_mark_run(text: str) -> int:
    longest = run = 0
    for character in text:
        run = run + 1 if unicodedata.combining(character) else 0
        longest = max(longest, run)
    return longest


@pytest.mark.parametrize(
    "content",
    [
        "Prämie €".encode(),
        codecs.BOM_UTF8 + "Prämie €".encode(),
        codecs.BOM_UTF16_LE + "Prämie €".encode("utf-16-le"),
        codecs.BOM_UTF16_BE + "Prämie €".encode("utf-16-be"),
        codecs.BOM_UTF32_LE + "Prämie €".encode("utf-32-le"),
        "Prämie €".encode("cp1252"),
    ],
)
def test_text_is_decoded_whatever_its_encoding(content: bytes) -> None:
    assert decode(content) == "Prämie €"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_decoded(encoding: str) -> None:
    assert decode("This policy covers fire.".encode(encoding)) == "This policy covers fire."


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n\x00\x00",
        b"\x1f\x8b\x08\xff",
        b"text with\x00a zero",
        codecs.BOM_UTF16_LE + b"\x00\xd8\x00\x00",
        "保険、契約".encode("shift_jis"),
    ],
)
def test_what_is_no_text_is_not_decoded(content: bytes) -> None:
    assert decode(content) is None


@given(st.binary())
def test_decoding_never_fails_and_never_gives_a_nul(content: bytes) -> None:
    assert "\x00" not in (decode(content) or "")


@pytest.mark.parametrize(
    ("text", "expected"), [("", False), (" \n-- ¶ __ **", False), ("a", True), ("… 7", True), ("保険", True)]
)
def test_words_are_letters_or_digits(text: str, expected: bool) -> None:  # noqa: FBT001
    assert has_words(text) is expected


def test_pages_are_joined_and_their_starts_kept() -> None:
    text, starts = join_pages(["Page one.\r\n", "# Page two", "Page three."])

    assert [text[start:].split("\n")[0] for start in starts] == ["Page one.", "# Page two", "Page three."]


def test_an_empty_page_begins_where_the_next_one_does() -> None:
    text, starts = join_pages(["", "One.", "", "", "Two.", ""])

    assert text == "One.\n\nTwo."
    assert starts == (0, 0, 6, 6, 6, 10)


@pytest.mark.parametrize(
    ("first", "second", "gap"),
    [
        ("The plan also", "offers dental cover.", "\n"),
        ("Fire, flood,", "theft and storm.", "\n"),
        ("The plan ends.", "offers dental cover.", "\n\n"),
        ("The plan also", "Offers dental cover.", "\n\n"),
        ("| a | b", "offers", "\n\n"),
        ("## Heading", "offers", "\n\n"),
    ],
)
def test_a_paragraph_may_run_over_a_page_s_end(first: str, second: str, gap: str) -> None:
    assert join_pages([first, second])[0] == first + gap + second


@given(st.lists(ANY_TEXT))
def test_joined_pages_are_normal_and_their_starts_ascend_within_the_text(pages: list[str]) -> None:
    text, starts = join_pages(pages)

    assert normalise(text) == text
    assert len(starts) == len(pages)
    assert list(starts) == sorted(starts)
    assert all(0 <= start <= len(text) for start in starts)
    for start, page in zip(starts, pages, strict=True):
        assert text.startswith(normalise(page).strip(), start)

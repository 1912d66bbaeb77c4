import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_assets.domain.text import vocabulary
from ingest_assets.domain.text.vocabulary import COMMON_WORDS, STOP_WORDS, terms, words


def found_by(text: str) -> list[str]:
    return [term for word in words(text) for term in terms(word)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Emergency SERVICES", ["emergency", "services"]),
        ("What is the deductible?", ["deductible"]),
        ("co-payment", ["co", "payment", "copayment"]),
        ("out-of-pocket", ["pocket", "outofpocket"]),
        ("co\u2011pay", ["co", "pay", "copay"]),
        ("reim-\nburse", ["reim", "burse", "reimburse"]),
        ("in- and outpatient", ["outpatient"]),
        ("Policy HX-2024-117", ["policy", "hx", "2024", "117", "hx2024117"]),
        ("$1,250.00 or 1250", ["1250", "1250"]),
        ("12.5 % of 3,5", ["12.5", "35"]),
        ("§ 4.2.1", ["4.2.1"]),
        ("the insured's", ["insured"]),
        ("don’t", []),
        ("file_name | cell", ["file", "name", "cell"]),
        ("STRASSE Straße", ["strasse", "strasse"]),
        ("caf\u00e9 cafe\u0301", ["caf\u00e9", "caf\u00e9"]),
        ("ﬁre ＦＩＲＥ ①", ["fire", "fire", "1"]),
        ("AB保険", ["ab", "保", "険"]),
        ("полис ασφάλιση", ["полис", "ασφάλιση"]),
        ("— … ☂ \ud800 \x00", []),
        ("", []),
    ],
)
def test_a_text_is_found_by_these_terms(text: str, expected: list[str]) -> None:
    assert found_by(text) == expected


def test_no_word_is_long() -> None:
    assert max(map(len, words("x" * 10_000 + " " + "1." * 10_000 + " " + "y-" * 10_000))) < 1000


def test_every_listed_word_is_a_word() -> None:
    listed = STOP_WORDS | COMMON_WORDS

    assert len(listed) > 200
    assert all(words(word) == [word] for word in listed)


@given(st.text("aBz09-\n.,_' \x1c") | st.text(st.characters(max_codepoint=127)))
def test_text_of_ascii_has_the_words_that_any_text_has(text: str) -> None:
    assert words(text) == vocabulary._WORD.findall(text.casefold())

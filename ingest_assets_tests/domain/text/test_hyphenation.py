"""Words that were parted at the end of a line."""

import pytest

from ingest_assets.domain.text.hyphenation import Hyphenation


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("its right of subro- gation", "its right of subrogation"),
        ("its right of subro-\ngation", "its right of subrogation"),
        ("is re\u2010 quired", "is required"),
        ("A non- refundable deposit", "A non-refundable deposit"),
        ("A flood- prone area; flood and prone", "A flood- prone area; flood and prone".replace("- ", "-")),
        ("risk- based, as a risk-based tariff", "risk-based, as a risk-based tariff"),
        ("anti- theft, as an antitheft device", "antitheft, as an antitheft device"),
        ("North- West of Leeds", "North-West of Leeds"),
        ("pre- and post-loss", "pre- and post-loss"),
        ("Haus- und Grundbesitz", "Haus- und Grundbesitz"),
        ("Versiche- rungsnehmer", "Versicherungsnehmer"),
        ("under\u00ad\nwriting", "underwriting"),
        ("a list:\n\n- storm\n- hail", "a list:\n\n- storm\n- hail"),
        ("storm -\n\nhail", "storm -\n\nhail"),
        ("pages 12- 14", "pages 12- 14"),
        ("one-\n\nAnother paragraph", "one-\n\nAnother paragraph"),
    ],
)
def test_a_parted_word_is_put_together_unless_its_hyphen_is_its_own(text: str, mended: str) -> None:
    assert Hyphenation([text]).mend(text) == mended


def test_the_whole_document_says_how_a_word_is_written() -> None:
    pages = ["A co- insurance clause.", "The co-insurance applies."]

    assert Hyphenation(pages).mend(pages[0]) == "A co-insurance clause."


@pytest.mark.parametrize(
    ("pages", "mended"),
    [
        (["the right of subro-", "gation against the haulier"], ["the right of subrogation", "against the haulier"]),
        (["the non-", "refundable, paid deposit"], ["the non-refundable,", "paid deposit"]),
        (["the list-", "- hail"], ["the list-", "- hail"]),
        (["pre-", "and post-loss"], ["pre-", "and post-loss"]),
        (["the end.", "gation"], ["the end.", "gation"]),
    ],
)
def test_a_word_that_goes_on_on_the_next_page_stands_on_its_first(pages: list[str], mended: list[str]) -> None:
    assert Hyphenation(pages).mend_page_ends(pages) == mended


@pytest.mark.parametrize("repeated", ["a- ", "a-\n", "a\u00ad ", "a-", "-\n", "a- and "])
def test_hyphens_without_end_take_linear_time(repeated: str) -> None:
    text = repeated * 200_000

    assert len(Hyphenation([text]).mend(text)) <= len(text)

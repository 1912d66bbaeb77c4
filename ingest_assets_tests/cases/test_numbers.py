"""Among three hundred entries that are nearly alike, every spelling of a number finds its own first."""

from pathlib import Path

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets_tests.documents import ingest

FILES = Path(__file__).parent / "files"

SPELLINGS = [
    *("004471", "-004471", "POL2024004471", "POL-2024-004471", "pol 2024 004471", "POL/2024/004471", "pol.2024.004471"),
    *("2024004471", "2024-004471", "POL\u20112024\u2011004471", "POL - 2024 - 004471", "policy POL_2024_004471"),
    *("123471", "DE/44/123471-07", "de 44 123471 07", "DE4412347107", "DE-44-123471-07", "44/123471-07", "123471-07"),
    *("CLM 2024 0071 17", "CLM2024007117", "clm-2024-0071-17", "CLM/2024/0071/17", "claim clm 2024 0071 17", "0071 17"),
    *("HH.2025.0071", "HH 2025 0071", "hh20250071", "HH-2025-0071", "2025.0071", "account HH/2025/0071"),
    *("WVW071ZZZ1KW000071", "wvw071zzz1kw000071", "WVW 071 ZZZ 1KW 000071", "WVW-071-ZZZ-1KW-000071", "1KW000071"),
    *("571,71", "571.71", "EUR 571,71", "571,71 EUR", "\u20ac571.71", "EUR571,71"),
    *("What is the premium of policy POL 2024 004471?", "When is contract DE 44 123471 07 renewed?"),
]

AMOUNTS = ["1,250.00", "EUR 1.250,00", "1250", "1250.00", "1 250,00", "1'250.00", "EUR1250", "\u20ac 1,250"]
DATES = ["03.07.2024", "3.7.2024", "3 July 2024", "July 3, 2024", "3rd of July 2024", "2024-07-03", "3. Juli 2024"]

PERIODS = [
    "01.01.2024-31.12.2024",
    "2024-01-01-2024-12-31",
    "2024-01-01/2024-12-31",
    "1. Januar 2024-31. Dezember 2024",
]


@pytest.fixture
def register(deployment: Deployment, user: UserId) -> Deployment:
    ingest(deployment, user, (FILES / "29_policy_numbers.md").read_bytes(), "29_policy_numbers.md")
    return deployment


def test_every_spelling_of_a_number_finds_its_own_entry_first(register: Deployment, user: UserId) -> None:
    wrong = {}
    for spelling in SPELLINGS:
        [hit] = register.search.passages(user, spelling, 1)
        [by_words] = register.search_index.hits(user, register.search_index.matching(user, spelling, 1))
        if not ("## Entry 71\n" in hit.text and hit.text == by_words.text):
            wrong[spelling] = hit.text[:80]
    assert wrong == {}


@pytest.mark.parametrize("spellings", [AMOUNTS, DATES], ids=["amounts", "dates"])
def test_every_spelling_of_an_amount_and_a_date_finds_every_other(
    deployment: Deployment, user: UserId, spellings: list[str]
) -> None:
    """Each is the only passage of its document that has it; the others have amounts and dates like it."""
    others = ["1,251.00", "EUR 125,00", "12 500", "1.250,50", "04.07.2024", "3 July 2023", "7 March 2024", "2024-07-30"]
    for number, written in enumerate(spellings + others):
        ingest(deployment, user, f"The insurer paid this under the plan: {written}.\n", f"{number:02d}.md")
    for spelling in spellings:
        hits = deployment.search.passages(user, f"what was paid: {spelling}", len(spellings))
        assert sorted(hit.filename for hit in hits) == [f"{number:02d}.md" for number in range(len(spellings))], (
            spelling
        )


@pytest.mark.parametrize("day", ["1 January 2024", "31.12.2024", "2024-12-31"])
def test_a_period_without_spaces_is_found_by_its_first_and_its_last_day(
    deployment: Deployment, user: UserId, day: str
) -> None:
    others = ["02.01.2024-30.12.2024", "01.01.2023-31.12.2023", "31 policies of 12 people, 2024"]
    for number, written in enumerate(PERIODS + others):
        ingest(deployment, user, f"The insurer paid this for the period: {written}.\n", f"{number:02d}.md")
    hits = deployment.search.passages(user, f"what was paid: {day}", len(PERIODS))
    assert sorted(hit.filename for hit in hits) == [f"{number:02d}.md" for number in range(len(PERIODS))]


def test_a_year_is_a_word_like_others(deployment: Deployment, user: UserId) -> None:
    ingest(deployment, user, "# Windscreen\n\nIn 2024 a cracked windscreen was replaced without an excess.\n", "a.md")
    ingest(deployment, user, "# Minutes\n\nThe board met in 2024 and in 2023.\n", "b.md")
    ingest(deployment, user, "# Glass\n\nThe windscreen excess is waived.\n", "c.md")
    hits = deployment.search.passages(user, "excess of a windscreen in 2024", 3)
    assert [hit.filename for hit in hits] == ["a.md", "c.md", "b.md"]


def test_a_number_in_the_name_of_a_document_finds_it(deployment: Deployment, user: UserId) -> None:
    for number in range(5):
        ingest(
            deployment,
            user,
            "# Terms\n\nThe insurer pays for storm damage.\n" + "." * number,
            f"POL-2024-00447{number}.md",
        )
    [hit] = deployment.search.passages(user, "storm damage pol 2024 004473", 1)
    assert hit.filename == "POL-2024-004473.md"

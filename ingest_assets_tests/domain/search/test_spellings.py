import pytest

from ingest_assets.domain.search.spellings import with_spellings


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("Mueller", "müller"),
        ("Müller", "mueller"),
        ("MÜSSIGGANG", "müßiggang"),
        ("Muessiggang", "müßiggang"),
        ("Hauptstrasse", "hauptstraße"),
        ("Straße", "strasse"),
        ("Goethe oelt Moebel", "möbel"),
    ],
)
def test_a_word_is_looked_for_in_its_other_spelling_too(asked: str, written: str) -> None:
    assert with_spellings(asked).startswith(asked)
    assert written in with_spellings(asked).split()


@pytest.mark.parametrize("asked", ["hail", "Feuer", "Bauer", "Quelle", "POL-2024-004471", ""])
def test_a_word_with_one_spelling_is_left_alone(asked: str) -> None:
    assert with_spellings(asked).strip() == asked


def test_a_common_word_stays_the_only_word_of_a_query() -> None:
    assert with_spellings("losses", {"loss"}) == "losses"
    assert with_spellings("Nördlingen", {"no"}) == "Nördlingen noerdlingen"

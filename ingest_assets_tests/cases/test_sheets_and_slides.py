from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets_tests.cases.found import Found


def test_values_are_found_as_a_sheet_shows_them(deployment: Deployment, user: UserId) -> None:
    document = Found(deployment, user, "11_number_formats.xlsx")

    found = document.passage("policy 0004711 rate")
    assert all(
        shown in found for shown in ("0004711", "7.5 %", "15.03.2026", "2026-12-31 23:59", "987654321012", "0049")
    )
    assert "46096" not in found


def test_the_line_that_names_the_separator_is_not_found(deployment: Deployment, user: UserId) -> None:
    document = Found(deployment, user, "18d_sep_line_and_bom.csv")

    found = document.passage("Fahrrad Rahmen gebrochen")
    assert "| Marke | Schaden |" in found
    assert "sep=" not in found


def test_groups_tables_and_notes_are_found_on_their_slides(deployment: Deployment, user: UserId) -> None:
    document = Found(deployment, user, "36_groups_notes_table.pptx")

    found = document.passage("underwriting guide timber yards")
    assert all(words in found for words in ("decline thatch", "refer timber yards", "| Bakery | 2.4 per mille |"))
    assert "never quote below the floor of Elmstead" in document.passage("floor of Elmstead")
    assert "Third slide on hail nets" in document.passage("hail nets")
    assert document.page("hail nets") == 3

"""The pages that are made from the code say what the code says: after a change, `make docs` writes them anew."""

import pytest

from documentation.reference import FOLDER, PAGES, SQL_PAGE
from documentation.sql_page import sql_page
from ingest_assets.domain.errors import CATALOGUE

STALE = "The page is not what the code makes: make docs"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_the_code_makes(name: str) -> None:
    assert (FOLDER / name).read_text() == PAGES[name](), STALE


def test_every_code_of_the_catalogue_is_explained() -> None:
    page = (FOLDER / "errors.md").read_text()
    assert [code for code in CATALOGUE if f"### `{code}`" not in page] == []


def test_the_page_about_sql_is_what_the_migrated_database_makes(database_url: str) -> None:
    assert (FOLDER / SQL_PAGE).read_text() == sql_page(database_url), STALE


def test_there_is_no_page_that_nothing_makes() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {*PAGES, SQL_PAGE}

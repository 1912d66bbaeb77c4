"""A table with a header and a row that are far wider than a chunk."""

from pathlib import Path

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets_tests.documents import ingest

WIDE_TABLE = Path(__file__).parent / "files" / "20_wide_table.md"


def test_what_ends_a_wide_row_is_found_together_with_what_the_row_is_of(deployment: Deployment, user: UserId) -> None:
    document_id = ingest(deployment, user, WIDE_TABLE.read_bytes(), WIDE_TABLE.name)
    hits = deployment.search.passages(user, "limit of treaty layer LONG: 5,120,000", 3)
    assert "Treaty layer LONG" in hits[0].text
    assert "5,120,000" in hits[0].text
    chunks = deployment.search.passages(user, "treaty layer", 50)
    assert {hit.document_id for hit in chunks} == {document_id}
    assert all(len(hit.text) <= 1000 for hit in chunks)
    for cell in ("| 21,273 due on quarter 0 |", "| 276,549 due on quarter 14 |"):
        assert any(cell in hit.text for hit in chunks), cell

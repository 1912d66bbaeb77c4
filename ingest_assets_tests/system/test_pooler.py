"""The whole system where only a pooler in transaction mode leads to the databases, with six sessions for each."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest
from psycopg.conninfo import conninfo_to_dict

from ingest_assets.settings import sibling_database
from ingest_assets_tests.documents import policy_text
from ingest_assets_tests.pgbouncer import needs_pgbouncer, pooled
from ingest_assets_tests.system.ingest import Ingest

pytestmark = needs_pgbouncer


@pytest.fixture
def ingest(empty_database_url: str, database_url: str, tmp_path: Path) -> Iterator[Ingest]:
    with TemporaryDirectory(prefix="pgb-") as short, pooled(empty_database_url, Path(short)) as url:
        for_dagster = sibling_database(url, str(conninfo_to_dict(database_url)["dbname"]))
        names = ("INGEST_DATABASE_URL", url), ("INGEST_DAGSTER_DATABASE_URL", for_dagster)
        yield Ingest(tmp_path, (*names, ("INGEST_USER_ID", str(uuid4()))))


def test_everything_works_behind_a_pooler_but_a_backup_which_says_what_it_needs(
    ingest: Ingest, empty_database_url: str, tmp_path: Path
) -> None:
    paths = [tmp_path / f"{subject}.md" for subject in ("dental", "optical", "hearing")]
    for path in paths:
        path.write_text(policy_text(path.stem))
    with ingest.up():
        submitted = ingest("submit", *paths, "--wait", "--json").json
        assert [each["state"] for each in submitted] == ["done"] * len(paths)
        [database] = [each for each in ingest("doctor", "--json").json if each["check"] == "database"]
        assert database["detail"].endswith("behind a pooler in transaction mode")
    [hit] = ingest("search", "hearing deductible", "--limit", "1", "--json").json
    assert hit["filename"] == "hearing.md"
    refused = ingest("backup", tmp_path / "backup", "--json")
    assert (refused.code, refused.error["code"]) == (1, "pooler_in_between")
    around = Ingest(ingest.home, (*ingest.extra, ("INGEST_DIRECT_DATABASE_URL", empty_database_url)))
    assert around("backup", tmp_path / "backup").code == 0
    assert ingest("delete", "hearing.md").code == 0
    assert ingest("drain", "--json").json["done"] == 0
    assert [each["filename"] for each in ingest("list", "--json").json] == ["optical.md", "dental.md"]

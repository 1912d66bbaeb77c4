"""The whole system where a pooler in transaction mode leads to the databases, and documents are stored in a bucket."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest
from psycopg.conninfo import conninfo_to_dict

from ingest_assets.adapters.object_stores.bucket import Bucket
from ingest_assets.settings import sibling_database
from ingest_assets_tests.documents import policy_text
from ingest_assets_tests.pgbouncer import needs_pgbouncer, pooled
from ingest_assets_tests.seaweedfs import BUCKET, SeaweedFS, needs_seaweedfs, seaweedfs
from ingest_assets_tests.system.ingest import Ingest

pytestmark = [needs_pgbouncer, needs_seaweedfs]


@pytest.fixture
def buckets(tmp_path: Path) -> Iterator[SeaweedFS]:
    with seaweedfs(tmp_path / "seaweedfs") as server:
        yield server


@pytest.fixture
def bucket(buckets: SeaweedFS) -> Bucket:
    return Bucket(BUCKET, "documents", buckets.settings)


@pytest.fixture
def ingest(empty_database_url: str, database_url: str, buckets: SeaweedFS, tmp_path: Path) -> Iterator[Ingest]:
    with TemporaryDirectory(prefix="pgb-") as short, pooled(empty_database_url, Path(short)) as url:
        for_dagster = sibling_database(url, str(conninfo_to_dict(database_url)["dbname"]))
        names = {"DATABASE_URL": url, "DAGSTER_DATABASE_URL": for_dagster, "USER_ID": str(uuid4())}
        names["STORAGE_URL"] = f"s3://{BUCKET}/documents"
        chosen = {f"INGEST_{name}": value for name, value in names.items()} | buckets.environment
        yield Ingest(tmp_path, tuple(chosen.items()))


def test_everything_works_but_a_backup_behind_a_pooler_which_says_what_it_needs(
    ingest: Ingest, bucket: Bucket, empty_database_url: str, tmp_path: Path
) -> None:
    paths = [tmp_path / f"{subject}.md" for subject in ("dental", "optical", "hearing")]
    for path in paths:
        path.write_text(policy_text(path.stem))
    with ingest.up():
        submitted = ingest("submit", *paths, "--wait", "--json").json
        assert [each["state"] for each in submitted] == ["done"] * len(paths)
        [database] = [each for each in ingest("doctor", "--json").json if each["check"] == "database"]
        assert database["detail"].endswith("behind a pooler in transaction mode")
    assert len(list(bucket.listed())) == 2 * len(paths)
    [hit] = ingest("search", "hearing deductible", "--limit", "1", "--json").json
    assert hit["filename"] == "hearing.md"
    refused = ingest("backup", tmp_path / "backup", "--json")
    assert (refused.code, refused.error["code"]) == (1, "pooler_in_between")
    around = Ingest(ingest.home, (*ingest.extra, ("INGEST_DIRECT_DATABASE_URL", empty_database_url)))
    assert around("backup", tmp_path / "backup").code == 0
    folder = tmp_path / "copied"
    assert ingest("copy-store", folder.as_uri(), "--json").json == {"copied": 6, "present": 0, "removed": 0}
    assert ingest("delete", "hearing.md").code == 0
    assert ingest("copy-store", folder.as_uri(), "--json").json == {"copied": 0, "present": 4, "removed": 2}
    assert len(list(bucket.listed())) == 2 * (len(paths) - 1)
    assert ingest("drain", "--json").json["done"] == 0
    assert {each["filename"] for each in ingest("list", "--json").json} == {"dental.md", "optical.md"}

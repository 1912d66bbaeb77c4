"""The whole system where other people's servers are in use: a Supabase, its pooler and its buckets."""

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import psycopg
import pytest

from ingest_assets.adapters.object_stores.bucket import Bucket
from ingest_assets_tests.documents import policy_text
from ingest_assets_tests.own_postgres import OwnPostgres
from ingest_assets_tests.pgbouncer import needs_pgbouncer, pooled
from ingest_assets_tests.seaweedfs import BUCKET, SeaweedFS, needs_seaweedfs, seaweedfs
from ingest_assets_tests.supabase import LOGIN, as_signed_in, below_a_path, supabase
from ingest_assets_tests.system.ingest import Ingest

pytestmark = [needs_pgbouncer, needs_seaweedfs]
USER = str(uuid4())
FOUND = b"""SELECT filename FROM upload_pipeline.matching_chunks('{hear}', '{hear}', 'hear', 10, 10) AS found (chunk_id)
JOIN upload_pipeline.document_chunks USING (chunk_id) JOIN upload_pipeline.documents USING (document_id)"""


@pytest.fixture
def buckets(tmp_path: Path) -> Iterator[SeaweedFS]:
    with seaweedfs(tmp_path / "seaweedfs") as server, below_a_path(server.endpoint) as endpoint:
        yield SeaweedFS(endpoint)


@pytest.fixture
def bucket(buckets: SeaweedFS) -> Bucket:
    return Bucket(BUCKET, "documents", buckets.settings)


@pytest.fixture
def project() -> Iterator[OwnPostgres]:
    with TemporaryDirectory(prefix="sb-") as short, supabase(Path(short)) as server:
        yield server


@pytest.fixture
def ingest(project: OwnPostgres, empty_database_url: str, buckets: SeaweedFS, tmp_path: Path) -> Iterator[Ingest]:
    with TemporaryDirectory(prefix="pgb-") as short, pooled(project.url(user=LOGIN), Path(short)) as url:
        names = {"DATABASE_URL": url, "DAGSTER_DATABASE_URL": empty_database_url, "USER_ID": USER}
        names["STORAGE_URL"] = f"s3://{BUCKET}/documents"
        chosen = {f"INGEST_{name}": value for name, value in names.items()} | buckets.environment
        yield Ingest(tmp_path, tuple(chosen.items()))


def test_the_whole_system_works_on_a_supabase_behind_its_pooler_with_its_buckets(
    ingest: Ingest, bucket: Bucket, project: OwnPostgres, tmp_path: Path
) -> None:
    paths = [tmp_path / f"{subject}.md" for subject in ("dental", "optical", "hearing")]
    for path in paths:
        path.write_text(policy_text(path.stem))
    with ingest.up():
        submitted = ingest("submit", *paths, "--wait", "--json").json
        assert [each["state"] for each in submitted] == ["done"] * len(paths)
        checks = {each["check"]: each for each in ingest("doctor", "--json").json}
        assert checks["database"]["detail"].endswith("behind a pooler in transaction mode")
        assert checks["isolation of users"]["ok"]
    assert len(list(bucket.listed())) == 2 * len(paths)
    [hit] = ingest("search", "hearing deductible", "--limit", "1", "--json").json
    assert hit["filename"] == "hearing.md"
    explained = ingest("explain", "hearing.md", "--json").json
    assert explained["searchable"]
    with psycopg.connect(project.url(user=LOGIN)) as connection:
        connection.execute("GRANT ingest_reader TO authenticated")
    for user, found in [(USER, [("hearing.md",)]), (str(uuid4()), [])]:
        with psycopg.connect(project.url(user="authenticator")) as connection, as_signed_in(connection, user):
            assert list(set(connection.execute(FOUND).fetchall())) == found
    exported = tmp_path / "exported.jsonl"
    assert ingest("export", "--user", USER, "--output", exported).code == 0
    assert {json.loads(line)["document_id"] for line in exported.read_text().splitlines()} >= {
        each["document_id"] for each in submitted
    }
    refused = ingest("backup", tmp_path / "backup", "--json")
    assert (refused.code, refused.error["code"]) == (1, "pooler_in_between")
    around = Ingest(ingest.home, (*ingest.extra, ("INGEST_DIRECT_DATABASE_URL", project.url(user=LOGIN))))
    assert around("backup", tmp_path / "backup").code == 0
    folder = tmp_path / "copied"
    assert ingest("copy-store", folder.as_uri(), "--json").json == {"copied": 6, "present": 0, "removed": 0}
    assert ingest("delete", "hearing.md").code == 0
    assert ingest("copy-store", folder.as_uri(), "--json").json == {"copied": 0, "present": 4, "removed": 2}
    assert len(list(bucket.listed())) == 2 * (len(paths) - 1)
    assert ingest("drain", "--json").json["done"] == 0
    assert {each["filename"] for each in ingest("list", "--json").json} == {"dental.md", "optical.md"}
    elsewhere = Ingest(tmp_path / "elsewhere", (("INGEST_USER_ID", USER),))
    elsewhere.home.mkdir()
    assert elsewhere("restore", tmp_path / "backup", "--json").json["documents"] == len(paths)
    [hit] = elsewhere("search", "hearing deductible", "--limit", "1", "--json").json
    assert hit["filename"] == "hearing.md"

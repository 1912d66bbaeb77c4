"""The schema is upgraded while a worker holds documents: none of them is lost, blamed or done twice."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import psycopg
import pytest

from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.adapters.postgres.migrations import Migration, migrate, migrations
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.domain.errors import IngestError
from ingest_assets_tests.documents import TEST, drain_all, policy_text, status_of, submit
from ingest_assets_tests.pipeline.test_drain_when_things_fail import SECONDS, Paid

ADDED = Migration(
    "9998_pre_more",
    b"ALTER TABLE upload_pipeline.upload_jobs ADD COLUMN more text NOT NULL DEFAULT '';"
    b"ALTER TABLE upload_pipeline.documents ADD COLUMN more text",
)
NAME, RENAMED = ("parsed_sha", "text_sha")


def execute(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@contextmanager
def in_the_middle_of_parsing(deployment: Deployment, parser: LocalParser) -> Iterator[list[IngestError]]:
    """Have a worker hold all documents during the block; afterwards it goes on, and ends. Yields why it failed."""
    parsing, goes_on = Event(), Event()
    failures: list[IngestError] = []

    def wait() -> None:
        parsing.set()
        assert goes_on.wait(SECONDS)

    def work() -> None:
        try:
            drain_all(deployment.replacing(parser=Paid(parser, wait)))
        except IngestError as error:
            failures.append(error)

    worker = Thread(target=work)
    worker.start()
    assert parsing.wait(SECONDS)
    yield failures
    goes_on.set()
    worker.join(SECONDS)
    assert not worker.is_alive()


@pytest.fixture
def submitted(deployment: Deployment, user: UserId) -> list[DocumentId]:
    return [submit(deployment, user, policy_text(f"Subject {n}", 2), f"{n}.md").document_id for n in range(6)]


def errors_of(deployment: Deployment, documents: list[DocumentId]) -> set[str | None]:
    return {event.code for document_id in documents for event in deployment.documents.history(document_id)} - {None}


def test_a_worker_finishes_what_it_holds_through_a_compatible_migration(
    deployment: Deployment, parser: LocalParser, database_url: str, submitted: list[DocumentId]
) -> None:
    with in_the_middle_of_parsing(deployment, parser) as failures:
        assert migrate(database_url, [*migrations(), ADDED]) == [ADDED.name]
    assert failures == []
    assert deployment.documents.counts()["searchable"] == len(submitted)
    assert errors_of(deployment, submitted) == set()


def test_a_worker_of_older_code_says_that_the_schema_is_newer_and_blames_no_document(
    deployment: Deployment, parser: LocalParser, database_url: str, submitted: list[DocumentId]
) -> None:
    rename = "ALTER TABLE upload_pipeline.documents RENAME COLUMN {} TO {}"
    upgraded = "INSERT INTO upload_pipeline.migrations (name, checksum) VALUES ('9999_post_renamed', '')"
    with in_the_middle_of_parsing(deployment, parser) as failures:
        execute(database_url, rename.format(NAME, RENAMED), upgraded)
    assert {error.code for error in failures} <= {"schema_newer"}
    with pytest.raises(IngestError, match="schema_newer"):
        drain_all(deployment)
    # A newer worker, for which every column has the right name, does the rest.
    execute(
        database_url, rename.format(RENAMED, NAME), "DELETE FROM upload_pipeline.migrations WHERE name LIKE '9999%'"
    )
    assert deployment.documents.counts()["dead_letters"] == 0
    assert errors_of(deployment, submitted) <= {"schema_newer", "claim_lost"}
    execute(
        database_url,
        "UPDATE upload_pipeline.upload_jobs SET next_retry_at = now() WHERE state = 'retryable'",
        "UPDATE upload_pipeline.upload_jobs SET lease_expires_at = now() - interval '1 second' WHERE state = 'working'",
    )
    deployment.claims.reclaim(3, TEST)
    drain_all(deployment)
    assert deployment.documents.counts()["searchable"] == len(submitted)
    assert [status_of(deployment, each).attempts for each in submitted] == [0] * len(submitted)

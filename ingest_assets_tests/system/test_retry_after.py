"""A provider that says when it may be called again is called again then, as the row in the queue tells."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

from ingest_assets.adapters.postgres.database import Database
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.domain.queue.retry_policy import RetryPolicy
from ingest_assets_tests.documents import attempt, policy_text, submit
from ingest_assets_tests.emulators import llamaparse, openai
from ingest_assets_tests.emulators.llamaparse import LlamaParseEmulator
from ingest_assets_tests.emulators.openai import OpenAIEmulator
from ingest_assets_tests.emulators.server import Plan
from ingest_assets_tests.sample_files import pdf
from ingest_assets_tests.system.test_services import deployed

TEN_MINUTES = timedelta(minutes=10)


def now(database: Database) -> datetime:
    """Return what the database's clock says."""
    with database.connection() as connection:
        [row] = connection.execute("SELECT clock_timestamp() AS now")
    found: datetime = row["now"]
    return found


def retry_of(database: Database, document_id: DocumentId) -> tuple[str, int, datetime]:
    statement = "SELECT error_code, attempts, next_retry_at FROM upload_pipeline.upload_jobs WHERE document_id = %s"
    with database.connection() as connection:
        [row] = connection.execute(statement, [document_id])
    return row["error_code"], row["attempts"], row["next_retry_at"]


def attempt_once(deployment: Deployment) -> None:
    [job] = deployment.claims.claim("worker", 1, deployment.lease)
    assert not attempt(deployment.replacing(retry_policy=RetryPolicy()), job)


def test_ten_minutes_that_the_embedding_provider_asks_for_stand_in_the_queue(
    database_url: str, tmp_path: Path, user: UserId
) -> None:
    with (
        OpenAIEmulator(Plan([openai.Fault.RATE_LIMITED]), retry_after="600") as provider,
        deployed(database_url, tmp_path, provider) as deployment,
    ):
        document_id = submit(deployment, user, policy_text()).document_id
        before = now(deployment.database)
        attempt_once(deployment)
        code, attempts, retry_at = retry_of(deployment.database, document_id)
        assert (code, attempts) == ("service_busy", 1)
        assert before + TEN_MINUTES <= retry_at <= now(deployment.database) + TEN_MINUTES


def test_a_date_that_the_parsing_provider_names_stands_in_the_queue(
    database_url: str, tmp_path: Path, user: UserId
) -> None:
    with (
        OpenAIEmulator() as embedding,
        LlamaParseEmulator() as parsing,
        deployed(database_url, tmp_path, embedding, parsing) as deployment,
    ):
        document_id = submit(deployment, user, pdf("The walrus is covered."), "policy.pdf").document_id
        asked = now(deployment.database).replace(microsecond=0) + TEN_MINUTES
        parsing.away_until = format_datetime(asked.astimezone(UTC), usegmt=True)
        parsing.script("uploads", llamaparse.Fault.AWAY)
        before = now(deployment.database)
        attempt_once(deployment)
        code, attempts, retry_at = retry_of(deployment.database, document_id)
        assert (code, attempts) == ("service_unavailable", 1)
        assert asked <= retry_at <= asked + (now(deployment.database) - before)

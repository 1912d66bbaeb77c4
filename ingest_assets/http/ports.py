"""What the HTTP service needs beside the pipeline's ports, and everything one running service holds."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from ingest_assets.domain.documents.document import Acceptance, DocumentId, UserId
from ingest_assets.domain.spending.remote_jobs import CalledBack
from ingest_assets.http.authentication import Authentication
from ingest_assets.http.rate_limit import RateLimit
from ingest_assets.pipeline.deletion import Deletion
from ingest_assets.pipeline.intake import Intake
from ingest_assets.pipeline.ports.reading import Documents
from ingest_assets.pipeline.search import Search


class IdempotencyKeys(Protocol):
    """A key belongs to a user and stands for one content; it is remembered for at least a day."""

    def reserve(self, user_id: UserId, key: str, content_sha: str) -> Acceptance | None:
        """The answer that the key has had, if any. Raises PermanentError idempotency_conflict."""

    def record(self, user_id: UserId, key: str, answer: Acceptance) -> Acceptance:
        """The key's answer from now on: the first that was recorded."""


class Outcome(StrEnum):
    """What became of a callback."""

    COMPLETED = "completed"
    FINISHED_BEFORE = "finished_before"
    UNKNOWN_JOB = "unknown_job"
    NO_RESULT = "no_result"
    """It reports no result: that, polling finds out."""
    REFUSED = "refused"


class WebhookLog(Protocol):
    def store(self, body: bytes) -> int:
        """Keep a callback as it came, and return its id."""

    def settle(self, webhook_id: int, outcome: Outcome, document_id: DocumentId | None) -> None:
        """Without a document, its body is not kept: anybody may have sent it, or it is a deleted document's text."""


class Callbacks(Protocol):
    """Jobs of a provider that wait for its call."""

    def complete(self, remote_id: str) -> CalledBack | None:
        """The job of this id is done; only for callbacks whose signature is good. None where nobody waits for it."""

    def complete_by_secret(self, callback_secret: str) -> CalledBack | None:
        """The job that was given this secret is done. None where nobody waits for it."""


@dataclass(frozen=True, slots=True)
class HttpService:
    intake: Intake
    documents_of: Callable[[UserId], Documents]
    deletion: Deletion
    search: Callable[[], Search]
    """Made when somebody searches: only then its embedder's key must be there."""
    authentication: Authentication
    rate_limit: RateLimit
    idempotency_keys: IdempotencyKeys
    webhook_log: WebhookLog
    callbacks: Callbacks
    pending_migrations: Callable[[], list[str]]
    """Raises an IngestError where the database does not answer."""
    webhook_max_bytes: int
    webhook_secret: str | None = field(repr=False)
    """Signs callbacks; without it each job has a secret of its own."""

"""What the HTTP service needs besides the pipeline's ports, and what one running service holds."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from ingest_assets.domain.dashboards.panels import Dashboard
from ingest_assets.domain.documents.document import Acceptance, DocumentId, UserId
from ingest_assets.domain.metrics import Sample
from ingest_assets.domain.spending.remote_jobs import CalledBack
from ingest_assets.http.authentication import Authentication
from ingest_assets.http.downloads import Downloads
from ingest_assets.http.following.followers import Followers
from ingest_assets.http.login import Login
from ingest_assets.http.rate_limit import RateLimit
from ingest_assets.http.uploads import Uploads
from ingest_assets.pipeline.deletion import Deletion
from ingest_assets.pipeline.intake import Intake
from ingest_assets.pipeline.ports.reading import Documents
from ingest_assets.pipeline.search import Search


class IdempotencyKeys(Protocol):
    """Remembers the answers to keys for at least a day. A key belongs to a user and stands for one content."""

    def reserve(self, user_id: UserId, key: str, content_sha: str) -> Acceptance | None:
        """Return the answer that was given to this key, or None.

        Raises:
            PermanentError: idempotency_conflict.
        """

    def record(self, user_id: UserId, key: str, answer: Acceptance) -> Acceptance:
        """Record an answer and return the key's answer from now on, which is the first that was recorded."""


class Outcome(StrEnum):
    """What became of a callback."""

    COMPLETED = "completed"
    FINISHED_BEFORE = "finished_before"
    UNKNOWN_JOB = "unknown_job"
    NO_RESULT = "no_result"
    """The callback reports no result; polling finds out what happened."""
    REFUSED = "refused"


class WebhookLog(Protocol):
    """Keeps callbacks that have proved where they come from."""

    def record(self, body: bytes, outcome: Outcome, document_id: DocumentId | None) -> None:
        """Record a callback, unless the same came before. Without a document, nothing of the body is kept."""


class Callbacks(Protocol):
    """Remote jobs that wait for a provider's callback."""

    def expects(self, callback_secret: str) -> bool:
        """Return whether a remote job was given this secret."""

    def secret_of(self, request_id: UUID) -> str | None:
        """Return what signs the callbacks of the job of a request; return None if nobody waits for it."""

    def complete(self, remote_id: str) -> CalledBack | None:
        """Complete the remote job of this id; return None if nobody waits for it. The caller checks the signature."""

    def complete_by_secret(self, callback_secret: str) -> CalledBack | None:
        """Complete the remote job that was given this secret; return None if nobody waits for it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one process grants to its callers."""

    connections: int
    """How many are open at a time; beyond that, the slowest ends: the one that has kept the service waiting longest."""
    arrival_seconds: float
    """How long the head of a request may take to arrive, or an answer to be read."""
    trusted_proxies: str | None
    """Whose X-Forwarded-For is believed."""


@dataclass(frozen=True, slots=True)
class HttpService:
    """Everything that one running service holds."""

    intake: Intake
    documents_of: Callable[[UserId], Documents]
    deletion: Deletion
    search: Callable[[], Search]
    """Makes the search when somebody searches, because only then the embedder's key must be set."""
    authentication: Authentication
    rate_limit: RateLimit
    limits: Limits
    uploads: Uploads
    downloads: Downloads
    followers: Followers
    idempotency_keys: IdempotencyKeys
    webhook_log: WebhookLog
    """Of LlamaParse's callbacks."""
    llamacloud_log: WebhookLog
    callbacks: Callbacks
    pending_migrations: Callable[[], list[str]]
    """Raises an IngestError if the database does not answer."""
    webhook_max_bytes: int
    webhook_secret: str | None = field(repr=False)
    """Signs callbacks; without it, each remote job has its own secret."""
    collect_metrics: Callable[[], Iterable[Sample]]
    count_request: Callable[[int], None]
    """Counts an answer by its status."""
    metrics_token: str | None = field(repr=False)
    """Whoever sends it reads the metrics; without it, nobody does."""
    make_dashboards: Callable[[], tuple[datetime, tuple[Dashboard, ...]]]
    dashboards_login: Login
    """Lets in whoever may see the dashboards."""

"""What whoever works on documents needs of the queue: claims, their leases, and what becomes of them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.errors import IngestError
from ingest_assets.domain.queue.jobs import Actor, Job
from ingest_assets.domain.queue.retry_policy import Decision
from ingest_assets.domain.queue.stages import Stage


class Claims(Protocol):
    """Leases on jobs. Every change is conditional on the claim and leaves an event in the same transaction."""

    def claim(self, claim: str, limit: int, lease: timedelta, *, retries_only: bool = False) -> list[Job]:
        """Lease up to `limit` queued or due jobs, passing over those that others hold.

        Users are served round-robin, and the turn goes on with the next claim; each user's jobs come by priority, then
        age.

        Returns:
            The jobs, in the order in which they are to be worked on.
        """

    def begin(self, jobs: Sequence[Job]) -> None:
        """Note that work on these held jobs begins: from now on a crash of their worker counts against them."""

    def take(self, document_id: DocumentId, claim: str, lease: timedelta, stage: Stage) -> Job:
        """Lease this document's job, whatever became of it, so that `stage` can be entered.

        Raises:
            PermanentError: unknown_document, upstream_missing.
            ResourceError: claimed_elsewhere.
        """

    def hold(self, document_id: DocumentId, claim: str, lease: timedelta) -> Job | None:
        """Renew the lease and return the job if `claim` holds it."""

    def renew(self, claim: str, lease: timedelta) -> int:
        """Renew every lease of `claim` and return how many it holds."""

    def settle(self, job: Job, decision: Decision, error: IngestError, *, reported: bool) -> None:
        """Give up a failed job to what `decision` says; do nothing if the claim is lost.

        `reported` says that Dagster shows the failure already.
        """

    def release(self, claim: str, document_id: DocumentId | None = None) -> int:
        """Give unfinished jobs of `claim` back to the queue and return how many there were."""

    def reclaim(self, worst: int, actor: Actor) -> int:
        """Requeue the jobs of expired leases; a document whose worker crashed `worst` times becomes a dead letter.

        Returns:
            How many leases had expired.
        """


class Backlog(Protocol):
    """How much waits, and who works on it."""

    def waiting(self, limit: int) -> int:
        """Return how many jobs could be claimed now, counted up to `limit`."""

    def holders(self) -> set[str]:
        """Return the claims of live workers: those with a lease that has not expired."""

    def unfinished(self) -> bool:
        """Return whether a job is queued, worked on, or waiting for a retry."""

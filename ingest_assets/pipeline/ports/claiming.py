"""What workers need of the queue: claims, their leases, and what becomes of them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from ingest_assets.domain.documents.document import DocumentId, JobId
from ingest_assets.domain.errors import IngestError
from ingest_assets.domain.queue.jobs import Actor, Job
from ingest_assets.domain.queue.lanes import Lane
from ingest_assets.domain.queue.retry_policy import Decision
from ingest_assets.domain.queue.stages import Stage


class Claims(Protocol):
    """Leases on jobs. Every change requires the claim and leaves an event in the same transaction."""

    def claim(
        self,
        claim: str,
        limit: int,
        lease: timedelta,
        *,
        retries_only: bool = False,
        light_only: bool = False,
        lane: Lane | None = None,
    ) -> list[Job]:
        """Lease up to `limit` queued or due jobs, passing over those that others hold.

        Users are served round-robin, and the next call continues with the next user; each user's jobs come by priority,
        then by age.

        Args:
            claim: The claim that gets them.
            limit: How many to lease at most.
            lease: For how long.
            retries_only: Whether to lease only retries that are due.
            light_only: Whether to leave out heavy documents, as `Job.is_heavy` says.
            lane: The only lane whose jobs to lease, or None for all.

        Returns:
            The jobs, in the order in which to work on them.
        """

    def begin(self, jobs: Sequence[Job]) -> None:
        """Record that work on these held jobs begins: from now on, a crash of their worker counts against them."""

    def take(self, document_id: DocumentId, claim: str, lease: timedelta, stage: Stage) -> Job:
        """Lease this document's job, whatever its state, so that it can enter `stage`.

        Raises:
            PermanentError: unknown_document or upstream_missing.
            ResourceError: claimed_elsewhere.
        """

    def hold(self, document_id: DocumentId, claim: str, lease: timedelta) -> Job | None:
        """Renew the lease and return the job, or None if `claim` does not hold it."""

    def has_given(self, document_id: DocumentId, claim: str) -> bool:
        """Return whether this document's job was ever given to `claim`."""

    def renew(self, claim: str, lease: timedelta) -> int:
        """Renew every lease of `claim` and return how many it holds."""

    def settle(self, job: Job, decision: Decision, error: IngestError, *, reported: bool) -> None:
        """Give up a failed job as `decision` says; do nothing if the claim is lost.

        Every attempt counts for the error's code, and one that the document used up also in all.

        Args:
            job: The failed job.
            decision: What becomes of the job.
            error: Why it failed.
            reported: Whether Dagster already shows the failure.
        """

    def release(self, claim: str, document_id: DocumentId | None = None, *, keep: Sequence[JobId] = ()) -> int:
        """Return unfinished jobs of `claim` to the queue, but for those to `keep`, and return how many there were."""

    def leave(self, job: Job) -> None:
        """Return a held job to the queue, for the workers of another lane; do nothing if the claim is lost."""

    def reclaim(self, worst: int, actor: Actor, reconnection: timedelta = timedelta(0)) -> int:
        """Requeue the jobs of expired leases; a document that has crashed `worst` workers becomes a dead letter.

        A worker does not take jobs from itself: it is alive.

        Args:
            worst: The number of crashed workers that make a document poison.
            actor: Who does this.
            reconnection: How long workers get to renew their leases after the server has started.

        Returns:
            How many leases had expired.
        """


class Backlog(Protocol):
    """How much waits, and which workers are at work."""

    def waiting(self, limit: int, lane: Lane | None = None) -> int:
        """Return how many jobs could be claimed now, in one lane or in all, counted up to `limit`."""

    def holders(self) -> set[str]:
        """Return the claims of live workers, which have a lease that has not expired."""

    def unfinished(self) -> bool:
        """Return whether any job that is not paused is queued, in progress or waiting for a retry."""

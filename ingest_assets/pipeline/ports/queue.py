"""The queue."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Protocol

from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.errors import IngestError
from ingest_assets.domain.queue.jobs import Actor, Job, Outcome
from ingest_assets.domain.queue.retry_policy import Decision
from ingest_assets.domain.queue.stages import Stage, State


class Jobs(Protocol):
    """The queue. Every change is conditional on the claim and leaves an event in the same transaction."""

    def claim(self, claim: str, limit: int, lease: timedelta, *, retries_only: bool = False) -> list[Job]:
        """Up to `limit` queued or due jobs, passing over what others hold; to be worked on in this order.

        One of each user in turn, and the turn goes on with the next claim; each user's by priority, then oldest first.
        """

    def take(self, document_id: DocumentId, claim: str, lease: timedelta, stage: Stage) -> Job:
        """This document's job, whatever became of it, so that `stage` can be entered.

        Raises PermanentError unknown_document and upstream_missing, ResourceError claimed_elsewhere.
        """

    def hold(self, document_id: DocumentId, claim: str, lease: timedelta) -> Job | None:
        """The job if `claim` holds it, its lease renewed."""

    def renew(self, claim: str, lease: timedelta) -> int:
        """Renews every lease of `claim`; how many it holds."""

    def advance(self, job: Job, *stages: Stage) -> None:
        """Raises ResourceError claim_lost."""

    def settle(self, job: Job, decision: Decision, error: IngestError, *, reported: bool) -> None:
        """Gives a failed job up to what `decision` says; nothing happens where the claim is lost."""

    def release(self, claim: str, document_id: DocumentId | None = None) -> int:
        """Gives unfinished jobs of `claim` back to the queue; how many there were."""

    def reclaim(self, worst: int, actor: Actor) -> int:
        """Takes back every expired lease; a document whose worker died `worst` times becomes a dead letter."""

    def replay(self, document_ids: Sequence[DocumentId], actor: Actor) -> list[DocumentId]:
        """Queues those that are dead letters or wait for a retry."""

    def refresh(self, document_ids: Sequence[DocumentId], actor: Actor) -> list[DocumentId]:
        """Queues those that are finished again."""

    def waiting(self, limit: int) -> int:
        """How many jobs could be claimed now, counted up to `limit`."""

    def holders(self) -> set[str]:
        """The claims of workers that live: those with a lease that has not expired."""

    def unfinished(self) -> bool:
        """Whether a job is queued, worked on, or waiting for a retry."""

    def states(self, document_ids: Sequence[DocumentId]) -> dict[State, int]:
        """How many of these documents' jobs are in each state."""

    def unreported(self, limit: int) -> AbstractContextManager[list[Outcome]]:
        """Finished jobs that Dagster has not been told of; marked as reported where the block ends well."""

    def report_dead_letters(self, limit: int) -> list[DocumentId]:
        """Dead letters that Dagster has not been told of; marked as reported."""

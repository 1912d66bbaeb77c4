"""Decide what becomes of a document's job when a step fails."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ingest_assets.domain.errors import IngestError, ResourceError, TransientError
from ingest_assets.domain.facts import ClaimLost, DocumentFailed, ErrorPassedOver
from ingest_assets.domain.queue.jobs import Actor, Job
from ingest_assets.domain.queue.retry_policy import RetryPolicy, decide
from ingest_assets.pipeline.ports.claiming import Claims
from ingest_assets.pipeline.ports.clock import Clock
from ingest_assets.pipeline.ports.object_store import ObjectStore
from ingest_assets.pipeline.ports.observing import Observer
from ingest_assets.pipeline.ports.reading import Documents
from ingest_assets.pipeline.stored_objects import remove_if_deleted


def as_ingest_error(error: BaseException) -> IngestError:
    """Return any exception as an error of the catalogue; an unknown one keeps only its type and its place."""
    if isinstance(error, IngestError):
        return error
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "ingest_assets" in frame.filename]
    place = f"{frames[-1].name}, line {frames[-1].lineno}" if frames else "a library"
    return TransientError("unexpected", error=type(error).__name__, place=place)


def passing_over(observer: Observer, activity: str, act: Callable[[], object]) -> bool:
    """Do something that the work does not depend on, and tell the observer if it fails in any way.

    Returns:
        Whether it succeeded.
    """
    try:
        act()
    except Exception as error:
        observer.observe(ErrorPassedOver(activity, as_ingest_error(error)))
        return False
    return True


@dataclass(frozen=True)
class Failures:
    """Settles failed jobs: retryable, waiting or a dead letter. A worker that lost its claim has no say."""

    claims: Claims
    policy: RetryPolicy
    clock: Clock
    jitter: Callable[[], float]
    """Gives a random number in [0, 1)."""
    documents: Documents
    objects: ObjectStore
    observer: Observer

    def settle(self, job: Job, error: IngestError, *, reported: bool) -> None:
        document = job.document
        if isinstance(error, ResourceError) and error.code == "claim_lost":
            # The claim may still stand, if the database's answer to the job's last move was lost.
            self.observer.observe(ClaimLost(document.document_id, job.claim, job.correlation_id))
            tidy = partial(remove_if_deleted, document, self.documents, self.objects)
            passing_over(self.observer, "removing the bytes of a deleted document", tidy)
        else:
            self.observer.observe(
                DocumentFailed(document.document_id, job.stage, job.attempt, error.code, job.correlation_id)
            )
        decision = decide(self.policy, error, job.attempt_of(error.code), self.clock.now(), self.jitter())
        self.claims.settle(job, decision, error, reported=reported)

    def reclaim(self, actor: Actor) -> int:
        """Requeue the documents of crashed workers and return how many there were."""
        return self.claims.reclaim(self.policy.crashes, actor, self.policy.reconnection)
